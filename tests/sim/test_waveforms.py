"""Waveforms say what passes in a person's words, and how long they take."""

import itertools
import re

import numpy as np
import pytest
from streampool_golden import PoolJob, PoolSpec
from streampool_hw import PoolCore
from streampool_sim import progress
from streampool_sim.engines import amaranth
from streampool_sim.engines.named import named
from streampool_sim.frames import pack
from streampool_sim.progress import Estimate
from vcd_reader import Vcd

SPEC = PoolSpec("max", 3, 2, 1)
SHAPE = (3, 6, 7)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    path = tmp_path_factory.mktemp("waves") / "wave.vcd"
    core = PoolCore(SPEC, SHAPE, 2)
    x = np.random.default_rng(3).integers(-128, 128, (2, *SHAPE)).astype(np.int8)
    trace = amaranth.run(core, pack(core.job, x), stall=0.2, seed=5, vcd=path, freq_mhz=133)
    return path, core, trace


def test_names_are_those_of_the_axes_and_say_nothing_twice(recorded):
    vcd = Vcd(recorded[0])
    assert vcd.timescale == "1 ps"
    assert len(set(vcd.names)) == len(vcd.names)
    scopes = {".".join(name.split(".")[:3]) for name in vcd.names if "core" in name}
    assert {"bench.core.columns", "bench.core.rows"} <= scopes
    assert not any("axis_" in name for name in vcd.names)
    assert [name for name in vcd.names if name.endswith((".clk", ".rst"))] == [
        "bench.clk", "bench.rst",
    ]  # fmt: skip
    assert not [name for name in vcd.names if re.fullmatch(r"bench\.[^.]*\$.*", name)]


def test_slots_and_windows_are_where_the_beats_are(recorded):
    path, core, trace = recorded
    names = ("cycle", "i__valid", "i__ready", "o__valid", "o__ready")
    sides = [
        f"{axis}.{name}"
        for axis in ("columns", "rows")
        for name in ("i__valid", "i__ready", "slot", "o__valid", "o__ready", "window")
    ]
    edges = list(Vcd(path).edges("bench.clk", *(f"bench.{name}" for name in (*names, *sides))))
    times = [edge[0] for edge in edges]
    assert all(7518 <= b - a <= 7519 for a, b in itertools.pairwise(times))
    taken, given = [], []
    slots = {axis: [] for axis in ("columns", "rows")}
    windows = {axis: [] for axis in ("columns", "rows")}
    for _, cycle, i_valid, i_ready, o_valid, o_ready, *stages in edges:
        taken += [cycle] * (i_valid & i_ready)
        given += [cycle] * (o_valid & o_ready)
        for axis, at in (("columns", 0), ("rows", 6)):
            valid, ready, slot, gives, takes, window = stages[at : at + 6]
            slots[axis] += [slot] * (valid & ready)
            windows[axis] += [window] * (gives & takes)
    assert taken == trace.in_cycles.tolist()
    assert given == trace.out_cycles.tolist()
    for stage, axis in zip(core.job.stages, ("columns", "rows"), strict=True):
        whole, m = 2 * stage.runs, stage.m
        length, outputs = stage.along.length, stage.along.outputs
        assert slots[axis] == [b // m % length for b in range(whole * m * length)]
        assert windows[axis] == [b // m % outputs for b in range(whole * m * outputs)]


def test_the_view_groups_signals_that_are_there(recorded):
    path = recorded[0]
    vcd = Vcd(path)
    view = path.with_suffix(".gtkw").read_text().splitlines()
    assert view[0] == '[dumpfile] "wave.vcd"'
    groups = [name[1:] for flag, name in itertools.pairwise(view) if flag == "@800200"]
    assert groups == ["clock", "input", "columns", "rows", "output"]
    aliases = [re.fullmatch(r"(?:\+\{(.*)\} )?(bench\..*)", line) for line in view]
    shown = {found[2]: found[1] for found in aliases if found}
    known = {f"{name}[{width - 1}:0]" if width > 1 else name for name, width in vcd.widths.items()}
    assert set(shown) <= known
    assert {"bench.columns.slot[2:0]", "bench.rows.window[1:0]", "bench.i__valid"} <= set(shown)
    for name, alias in shown.items():  # as the page of `show` has them
        listed = named(re.sub(r"\[\d+:0\]$", "", name.removeprefix("bench.")))
        assert alias == (listed and listed.plain)
        assert alias or not name.startswith("bench.core.")
    assert shown["bench.core.rows.fifo.level[3:0]"] == "FIFO: beats in it"
    closed = [name[1:] for flag, name in itertools.pairwise(view) if flag == "@c00200"]
    assert closed == ["inside columns", "inside rows"]


def test_a_core_without_stages_has_its_ports(tmp_path):
    job = PoolJob(PoolSpec("max", 1), (1, 2, 2))
    core = PoolCore(job.spec, job.shape)
    x = np.zeros((1, *job.shape), np.int8)
    amaranth.run(core, pack(core.job, x), vcd=tmp_path / "x.vcd")
    assert "-input" in (tmp_path / "x.gtkw").read_text()


@pytest.mark.parametrize(
    ("each", "shorter", "said"),
    [
        (0.01, True, []),  # 9.8 s in all
        (0.1, False, ["the waveforms take about 98 s more"]),
        (
            1.0,
            True,
            [
                "the waveforms take about 17 min more;"
                " use --frames 1 to simulate the first frame alone, once"
            ],
        ),
    ],
)
def test_a_long_run_says_how_long(monkeypatch, each, shorter, said):
    now = itertools.count(0, each)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    told, passed = [], []
    estimate = Estimate(lambda *at: passed.append(at), told.append, shorter=shorter)
    for done in range(1, 1001):
        estimate(done, 1000)
    assert told == said
    assert passed == [(done, 1000) for done in range(1, 1001)]
