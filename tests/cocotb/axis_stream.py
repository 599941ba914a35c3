"""Drive and watch one core's AXI4-Stream ports, clock by clock."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from axis_jobs import JOBS, Words
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

GAPS = ("none", "random", "bursts")


def gaps(kind: str, seed: int) -> Iterator[bool]:
    """Yield, clock by clock, whether a side is idle."""
    rng = random.Random(seed)
    if kind == "turns":
        while True:
            yield from islice(gaps(rng.choice(GAPS), rng.getrandbits(32)), rng.randint(1, 300))
    while True:
        if kind == "none":
            yield False
        elif kind == "random":
            yield rng.random() < 0.5
        else:  # long enough to fill or to drain everything between the ports
            idle = rng.random() < 0.5
            for _ in range(rng.randint(1, 60)):
                yield idle


@dataclass
class Scoreboard:
    """What has to come out, and what came so far.

    Attributes
    ----------
    expected : Words
        All words, in order.
    clocks : list of int
        The clock in which each word came.
    """

    expected: Words
    clocks: list[int] = field(default_factory=list)

    def take(self, word: int, last: bool, clock: int) -> None:
        """Check a word against the next one that is due."""
        at = len(self.clocks)
        assert at < len(self.expected.values), f"clock {clock}: a word {word:#x} beyond the last"
        used = self.expected.used[at]
        right = self.expected.values[at]
        assert word & used == right, f"word {at}: {word & used:#x} instead of {right:#x}"
        assert last == self.expected.last[at], f"word {at}: tlast is {last}"
        self.clocks.append(clock)

    @property
    def empty(self) -> bool:
        """Whether nothing is due any more."""
        return len(self.clocks) == len(self.expected.values)

    @property
    def frame_ends(self) -> list[int]:
        """The clocks in which frames' last words came."""
        return [at for at, last in zip(self.clocks, self.expected.last, strict=True) if last]


class Bench:
    """One core of the simulation model.

    All inputs change at the clock's falling edge, and the outputs are read there before: no
    output depends on an input of the same clock, which tests/hw/test_netlist.py shows.

    Parameters
    ----------
    dut : cocotb handle
        The module ``bench``.
    name : str
        The job.
    """

    def __init__(self, dut: Any, name: str):
        self.job = JOBS[name]
        self._ports = {
            port: getattr(dut, f"{name}_{port}")
            for port in (
                *("aclk", "aresetn", "frame_error"),
                *(
                    f"{side}_axis_{part}"
                    for side in "sm"
                    for part in ("tdata", "tvalid", "tready", "tlast")
                ),
            )
        }
        self.clock = 0
        self.input_clocks: list[int] = []
        self._clock = Clock(self._ports["aclk"], 10, unit="ns")

    async def start(self) -> None:
        """Start the clock, idle, out of reset."""
        for port in ("s_axis_tdata", "s_axis_tvalid", "s_axis_tlast", "m_axis_tready"):
            self._ports[port].value = 0
        self._ports["aresetn"].value = 0
        self._clock.start()
        await self.reset()

    def stop(self) -> None:
        """Stop the clock, for the other cores' sake."""
        self._clock.stop()

    async def reset(self) -> None:
        """Hold reset for two clocks; anything in the core is gone then."""
        self._ports["s_axis_tvalid"].value = 0
        self._ports["aresetn"].value = 0
        for _ in range(2):
            await FallingEdge(self._ports["aclk"])
        assert not self.read("m_axis_tvalid"), "tvalid in reset"
        assert not self.read("frame_error"), "frame_error in reset"
        self._ports["aresetn"].value = 1
        await FallingEdge(self._ports["aclk"])  # tvalid is low at the first edge after it, too

    def read(self, port: str) -> int:
        """Return a port's value."""
        return int(self._ports[port].value)

    async def run(
        self,
        words: Words,
        board: Scoreboard,
        idle: Iterator[bool] | None = None,
        stall: Iterator[bool] | None = None,
        lasts: tuple[bool, ...] | None = None,
        seed: int = 0,
        until: int | None = None,
    ) -> None:
        """Send words and check what comes, until all that is due has come.

        Parameters
        ----------
        words : Words
            What to send.
        board : Scoreboard
            Takes what comes.
        idle, stall : iterator of bool, optional
            Clocks in which the source has nothing, and in which the sink is not ready.
        lasts : tuple of bool, optional
            tlast of each word, instead of the right one.
        seed : int, optional
            Of what the bits of tdata hold that no value does.
        until : int, optional
            Return when so many words have been sent instead.
        """
        idle = idle or gaps("none", 0)
        stall = stall or gaps("none", 0)
        lasts = lasts or words.last
        junk = random.Random(seed)
        everything = (1 << len(self._ports["s_axis_tdata"])) - 1
        port = self._ports
        clk, s_data, s_valid, s_last = (
            port[p] for p in ("aclk", "s_axis_tdata", "s_axis_tvalid", "s_axis_tlast")
        )
        s_ready, m_data, m_valid = (
            port[p] for p in ("s_axis_tready", "m_axis_tdata", "m_axis_tvalid")
        )
        m_ready, m_last = port["m_axis_tready"], port["m_axis_tlast"]
        at, offered = 0, False
        held: tuple[int, int] | None = None  # what the sink has seen and not taken
        quiet = 0
        self.input_clocks = []
        while not board.empty or at < len(words.values):
            # the clock that begins here: its outputs are there, its inputs are ours to choose
            self.clock += 1
            ready = not next(stall)
            m_ready.value = ready
            if m_valid.value:
                seen = int(m_data.value), int(m_last.value)
                assert held is None or held == seen, "the word changed while it waited"
                held = None if ready else seen
                if ready:
                    board.take(seen[0], bool(seen[1]), self.clock)
                    quiet = 0
            else:
                assert held is None, "tvalid fell while the word waited"
            if not offered and at < len(words.values):
                offered = not next(idle)
                s_valid.value = offered
                if offered:
                    s_data.value = (
                        words.values[at] | junk.getrandbits(200) & everything & ~words.used[at]
                    )
                    s_last.value = lasts[at]
                else:  # what is not valid means nothing
                    s_data.value = junk.getrandbits(200) & everything
                    s_last.value = junk.getrandbits(1)
            elif not offered:
                s_valid.value = 0
            if offered and s_ready.value:
                self.input_clocks.append(self.clock)
                at += 1
                offered = False
                quiet = 0
            if at == until:
                await FallingEdge(clk)
                s_valid.value = 0
                return
            quiet += 1
            assert quiet < 2000, f"stuck: {at} words in, {len(board.clocks)} out"
            await FallingEdge(clk)
        s_valid.value = 0
        m_ready.value = 1
        for _ in range(self.job.beats_out + 64):  # nothing comes that was not due
            assert not m_valid.value, "a word after the last"
            await FallingEdge(clk)
