"""Memories start as they are said to, and are written briefly."""

import re

import pytest
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from streampool_hw.export import memories, yosys


class Memory(wiring.Component):
    """A memory that is read and written."""

    at: Signal
    new: Signal
    write: Signal
    old: Signal

    def __init__(self, width: int, init: list[int]):
        self._memory = memory.Memory(shape=unsigned(width), depth=len(init), init=init)
        size = (len(init) - 1).bit_length()
        super().__init__({"at": In(size), "new": In(width), "write": In(1), "old": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = store = self._memory
        read, write = store.read_port(), store.write_port()
        m.d.comb += [
            *(port.addr.eq(self.at) for port in (read, write)),
            *(write.data.eq(self.new), write.en.eq(self.write), self.old.eq(read.data)),
        ]
        return m


@pytest.mark.parametrize("init", [[5, 0, 7, 1], [6] * 9, [0] * 33, [1, 0], [3, 3]])
def test_a_memory_starts_as_amaranth_says(init: list[int]):
    made, usual = (Memory(3, init) for _ in range(2))
    assert yosys.to_rtlil(made, "x") == yosys.plain_names(
        rtlil.convert(usual, name="x", emit_src=False)
    )


@pytest.mark.parametrize("init", [[5, 0, 7, 1], [6] * 9, [0] * 33, [1, 0], [3, 3], [3, 3, 0]])
def test_a_memory_is_written_as_it_starts(init: list[int]):
    text = yosys.to_verilog(yosys.to_rtlil(Memory(3, init), "x"))
    loops = re.findall(r"initial_i < (\d+);.*\n +\w+\[initial_i\] = 3'h(\d);", text)
    words = re.findall(r"^    \w+\[(\d+)\] = 3'h(\d);", text, re.MULTILINE)
    if len(init) > 2 and len(set(init)) == 1:
        assert (loops, words) == ([(str(len(init)), str(init[0]))], [])
    else:
        assert not loops
        assert words == [(str(at), str(word)) for at, word in enumerate(init)]


def test_a_large_memory_is_short_to_yosys(monkeypatch: pytest.MonkeyPatch):
    scripts = []
    run = yosys.run
    monkeypatch.setattr(yosys, "run", lambda script: scripts.append(script) or run(script))
    yosys.to_verilog(yosys.to_rtlil(Memory(8, [0] * (1 << 15)), "x"))
    assert [len(script) < 10_000 for script in scripts] == [True]


def test_memories_of_one_value_are_set_in_a_loop():
    def initial(name: str, values: list[str]) -> str:
        words = [f"    {name}[{at}] = {value};\n" for at, value in enumerate(values)]
        return "".join(("  initial begin\n", *words, "  end\n"))

    same = memories.write_loops(initial("\\store[0] ", ["4'h3"] * 9))
    assert same.splitlines() == [
        "  initial begin : initial_store_0_",
        "    integer initial_i;",
        "    for (initial_i = 0; initial_i < 9; initial_i = initial_i + 1)",
        "      \\store[0] [initial_i] = 4'h3;",
        "  end",
    ]
    for kept in (initial("table", ["4'h3", "4'h3", "4'h4"]), initial("pair", ["4'h0"] * 2)):
        assert memories.write_loops(kept) == kept
