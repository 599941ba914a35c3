"""The cost model: what it is fitted on, what it refuses, and what a placement teaches it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from streampool_golden import PoolJob, PoolSpec
from streampool_hw import PoolCore
from streampool_hw.fpga.devices import DEVICES

pytest.importorskip("sklearn")

from streampool_bench.fpga.clocks import unused_cores
from streampool_explore import model as models
from streampool_explore.features import NAMES, counted, made
from streampool_explore.model import CLOCK, EXACT, CostModel, OutOfRange, known_devices
from streampool_explore.rows import CELLS, Row, as_text, kind_of, shipped

DEVICE = "ecp5-25k-6"
POOL = PoolSpec("max", 2)


def unplaced(lanes: int = 3, columns: int = 2) -> PoolJob:
    """Return a job that is not among the rows."""
    job = PoolJob(POOL, (12, 30, 36), lanes, columns)
    assert all(row.job != job for row in shipped())
    return job


def test_words_are_counted_by_their_bits():
    rtlil = """
module \\core
  memory width 9 size 16 \\m
  cell $dff \\a
    parameter \\WIDTH 5
  end
  cell $mux \\b
    parameter \\WIDTH 3
    connect \\A 3'011
    connect \\B \\x
  end
  cell $add \\c
    parameter \\A_WIDTH 3
    parameter \\Y_WIDTH 4
    connect \\B \\y
  end
  cell \\PDPW16KD \\d
    parameter \\DATA_WIDTH_W 36
  end
  process $1
    assign $2 [3:0] \\q [3:0]
    switch \\s
      case 1'1
        assign $2 [3:0] \\r [3:0]
    end
  end
end
"""
    found = counted(rtlil)
    wanted = {"registers": 5, "clears": 3, "sums": 4, "block_ram": 1, "ram16": 3, "loads": 4}
    assert {name: found[name] for name in wanted} == wanted
    assert found["adders"] == 1 and found["widest"] == 4 and found["parts"] == 1


def test_exact_figures_are_the_cores():
    job = PoolJob(PoolSpec("max", 3, 2, 1), (64, 112, 112), 8)
    core = made(job, "ecp5")
    assert core.cycles == job.limit_cycles
    with unused_cores():
        assert core.store_bits == PoolCore(job).store_bits
    assert core.features[NAMES.index("bits_in")] == 64


def test_rows_come_back_from_their_text():
    rows = json.loads(as_text(shipped()[:5]))["rows"]
    assert [Row.from_json(row) for row in rows] == [*shipped()[:5]]


def test_every_row_is_placed_on_a_device_that_there_is():
    for row in shipped():
        assert row.device in DEVICES and row.mhz > 10 and min(row.cells) >= 0
    assert len({(row.job, row.device) for row in shipped()}) == len(shipped())


def test_a_placed_job_is_known_exactly():
    model = CostModel(DEVICE)
    row = next(row for row in shipped() if row.device == DEVICE)
    [cost] = model.costs([row.job])
    assert {name: cost.cells[name].value for name in CELLS} == dict(
        zip(CELLS, row.cells, strict=True)
    )
    assert cost.placer_mhz.low == cost.placer_mhz.high == row.mhz


def test_others_have_intervals_around_the_guess():
    [cost] = CostModel(DEVICE).costs([unplaced()])
    for name in CELLS:
        each = cost.cells[name]
        if name in EXACT:
            assert each.low == each.value == each.high
        else:
            assert each.low < each.value < each.high
    assert cost.placer_mhz.low < cost.placer_mhz.value < cost.placer_mhz.high


def test_a_placement_teaches_about_what_is_like_it():
    job, near = unplaced(), unplaced(4, 2)
    before = CostModel(DEVICE)
    [guess] = before.costs([job])
    ff = guess.cells["ff"].value * 1.3
    cells = {name: each.value for name, each in guess.cells.items()} | {"ff": round(ff)}
    row = Row("new", job, DEVICE, 1, before.check(job), tuple(cells[n] for n in CELLS), 250.0)
    after = CostModel(DEVICE, [*shipped(), row])
    [old], [new] = before.costs([near]), after.costs([near])
    assert new.cells["ff"].value > old.cells["ff"].value
    assert new.cells["ff"].width < old.cells["ff"].width
    assert after.costs([job])[0].cells["ff"].value == round(ff)


def test_what_is_unlike_all_rows_is_refused():
    wide = PoolJob(PoolSpec("max", 3, 1, 1, dtype="int32"), (64, 60, 60), 64, 4)
    with pytest.raises(OutOfRange, match="outside what the cost model was fitted on"):
        CostModel(DEVICE).costs([wide])


def test_a_device_without_rows_is_refused():
    with pytest.raises(OutOfRange, match=f"no designs on gowin-gw2a18; use one of .*{DEVICE}"):
        CostModel("gowin-gw2a18")
    assert DEVICE in known_devices() and "ice40-hx8k" in known_devices()


def test_held_out_errors_are_stated_for_every_figure():
    for family in ("ecp5", "ice40"):
        errors = models.errors(family)
        for name in ("lut4", "carry", "ff", CLOCK):
            assert 0 < errors[name]["median"] < errors[name]["ninety"] <= abs(errors[name]["worst"])
        for name in EXACT:
            assert errors[name]["differ"] <= errors[name]["jobs"]


def test_kinds_tell_windows_and_types_apart():
    kinds = {
        kind_of(PoolSpec("max", 2)),
        kind_of(PoolSpec("max", 2, 1)),
        kind_of(PoolSpec("max", 2, dtype="int16")),
        kind_of(PoolSpec("min", 2)),
        kind_of(PoolSpec("max", adaptive="global")),
    }
    assert len(kinds) == 5


def test_the_fit_leaves_whole_kinds_out():
    from streampool_explore.fit import held_out

    rows = [row for row in shipped() if row.family == "ecp5"][:40]
    part = models.settings()["ecp5"]["ff"]
    guesses, deviations = held_out(rows, "ff", part)
    kind = rows[0].kind
    wrong = [replace(row, cells=(9999.0,) * len(CELLS)) if row.kind == kind else row
             for row in rows]  # fmt: skip
    again, _ = held_out(wrong, "ff", part)
    own = np.array([row.kind == kind for row in rows])
    assert np.allclose(guesses[own], again[own])
    assert (deviations > 0).all()
