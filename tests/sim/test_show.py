"""What is on the page that plays a run: the recording, as golden and the schedule have it."""

import base64
import json
import re
import zlib
from itertools import accumulate
from typing import Any

import numpy as np
import page_reader
import pytest
from show_runs import FRAMES, JOBS, SOME, odd, recorded
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_golden.geometry import reduced
from streampool_sim import show
from streampool_sim.engines import amaranth
from streampool_sim.engines.named import stages
from streampool_sim.frames import pack, unpack
from streampool_sim.show import causes, document
from streampool_sim.show.stages import NONE, Contradiction, follow, runs


def contents(page: str) -> dict[str, Any]:
    """Return what is packed in a page."""
    [packed] = re.findall(r'<script id="data" type="text/plain">([^<]*)</script>', page)
    return json.loads(zlib.decompress(base64.b64decode(packed)))


@pytest.mark.parametrize("name", JOBS)
def test_what_is_recorded_is_what_an_engine_gives(name: str):
    recording, (job, stall) = recorded(name), JOBS[name]
    trace = amaranth.run(
        recording.core, pack(job, recording.frames, seed=5), count=FRAMES, stall=stall, seed=5
    )
    for field in ("in_cycles", "out_cycles", "out", "last"):
        assert np.array_equal(getattr(recording.trace, field), getattr(trace, field)), field
    assert show.matches(recording) and recording.ended
    taken = np.array(recording.values["i__valid"]) & np.array(recording.values["i__ready"])
    assert np.flatnonzero(taken).tolist() == trace.in_cycles.tolist()
    assert recording.clocks == trace.out_cycles[-1] + 5 < len(recording.values["i__valid"])


@pytest.mark.parametrize("name", JOBS)
def test_the_page_has_the_outputs_of_golden(name: str):
    recording = recorded(name)
    job, page = recording.job, contents(show.html(recording))
    beats = np.array(page["given"]["values"]).T
    assert np.array_equal(unpack(job, beats), recording.golden)
    for field, frames in (("golden", recording.golden), ("framesIn", recording.frames)):
        assert np.array_equal(np.array(page[field]).reshape(frames.shape), frames)
    assert list(accumulate(page["given"]["clocks"])) == recording.trace.out_cycles.tolist()
    assert list(accumulate(page["taken"]["clocks"])) == recording.trace.in_cycles.tolist()
    for signal in page["signals"]:  # each change is there, and nothing else
        clocks, path = list(accumulate(signal["clocks"])), signal["path"]
        values = recording.values[path][: recording.clocks]
        ends = [*clocks[1:], len(values)]
        told = [
            each
            for each, begin, end in zip(signal["values"], clocks, ends, strict=True)
            for _ in range(begin, end)
        ]
        assert told == values, path


@pytest.mark.parametrize("name", JOBS)
def test_stages_leave_with_what_their_axis_pools_to(name: str):
    """Each window of each stage, by its number, against NumPy along its axis."""
    recording = recorded(name)
    job, x = recording.job, recording.frames.astype(np.int64)
    combine = job.operation.reduction.combine
    start = np.array(job.operation.reduction.identity(-(1 << 40), 1 << 40))
    for run in runs(recording):
        at = x.ndim - len(job.axes) + run.shape.axis
        pooled = reduced(combine, np.moveaxis(x, at, -1), [run.shape.along], start)
        x = np.moveaxis(pooled, -1, at)
        beats = np.stack(run.values, axis=-1).reshape(len(x), -1, job.fold * job.lanes)
        left = np.moveaxis(beats[..., : job.shape[0]], -1, 1)
        assert np.array_equal(left, x.reshape(*x.shape[:2], -1))


@pytest.mark.parametrize(
    ("name", "stall"),
    [
        *((name, stall) for name, (_, stall) in JOBS.items()),
        ("grows, stride 2", 0.0),
        *((name, 0.6) for name in SOME),
    ],
)
def test_partials_are_where_the_schedule_has_them(name: str, stall: float):
    recording = recorded(name) if name in JOBS else odd(name, stall)
    for run in runs(recording):
        plan, m, taken = run.stage.plan, run.shape.m, np.flatnonzero(run.taken)
        windows = recording.count * run.shape.runs * plan.axis.outputs * m
        assert [each for each in run.leaves if each != NONE] == list(range(windows))
        assert len(taken) == recording.count * run.shape.runs * plan.axis.length * m
        assert len(run.puts) == len(run.gives) == windows
        assert max(run.live) <= plan.partials * m
        held = dict.fromkeys(range(m), NONE)
        for n, queue in enumerate(run.queues):  # what is counted is what stands in the queues
            held[n % m] = sum(each != NONE for each in queue)
            assert run.live[n] == sum(each for each in held.values() if each != NONE)
        for clocks, lanes in run.writes:
            assert len(clocks) == len(run.clocks) and len(lanes) == recording.job.lanes
            assert (clocks >= run.clocks).all()
        # a window that is complete leaves later than its last tap comes, or in that step
        left = [clock for clock, out in zip(run.clocks, run.leaves, strict=True) if out != NONE]
        assert (np.array(left) >= np.array(run.full)).all()
    contents(show.html(recording))


def test_a_partial_s_value_is_the_result_so_far():
    recording = recorded("max")
    [columns, rows] = runs(recording)
    x = recording.frames[0, 0].astype(int)
    step = 3 * 4 + 1  # input row 3 of window column 1: row windows 1, whose last it is, and 2
    assert rows.leaves[step] == 1 * 4 + 1 and rows.queues[step] == [2 * 4 + 1]
    assert rows.values[0][rows.leaves[step]] == x[1:4, 1:4].max()
    assert rows.writes[0][1][0][step] == x[3, 1:4].max()
    assert columns.inputs[0][:64].tolist() == x.ravel().tolist()


def test_partials_of_floats_are_the_floats_that_they_stand_for():
    x = np.array([[[1.5, -2.25, 3, np.inf], [-0.0, -0.0, 0.25, 8], [np.nan, 1, np.inf, -np.inf]]])
    for op, first in (("avg", ["-0.75", "inf", "-0", "8.25", "nan", "nan"]),
                      ("max", ["1.5", "inf", "-0", "8", "nan", "inf"])):  # fmt: skip
        job = PoolJob(PoolSpec(op, (3, 2), dtype="float16"), (1, 3, 4), 1)
        recording = show.record(job, x[None].astype(np.float16), count=1, clocks=999)
        columns = contents(show.html(recording))["stages"][0]
        assert columns["inputs"]["values"][0][:4] == ["1.5", "-2.25", "3", "inf"]
        assert columns["puts"]["values"][0] == first
        assert columns["writes"][0]["values"][0][::2] == ["1.5", "3", "-0", "0.25", "nan", "inf"]


def test_a_recording_that_is_not_as_scheduled_is_not_shown():
    recording = odd("grows, stride 2", 0.0)
    names = list(stages(recording.core).items())
    write = recording.values["core.steps.fifo.write"]
    write[write.index(1)] = 0
    with pytest.raises(Contradiction, match="steps: beats go into the FIFO"):
        follow(recording, *names[0], recording.job.stages[0])
    recording.values["core.steps.draining"] = [0] * len(write)
    with pytest.raises(Contradiction):
        follow(recording, *names[0], recording.job.stages[0])


@pytest.mark.parametrize("name", JOBS)
def test_every_clock_has_a_cause(name: str):
    recording = recorded(name)
    found = causes.causes(recording, runs(recording))
    values, trace = recording.values, recording.trace
    taken = [clock for clock, each in enumerate(found.inputs) if each == causes.TAKEN]
    given = [clock for clock, each in enumerate(found.outputs) if each == causes.GIVEN]
    assert taken == trace.in_cycles.tolist() and given == trace.out_cycles.tolist()
    for clock, (into, out, why) in enumerate(
        zip(found.inputs, found.outputs, found.refusals, strict=True)
    ):
        refused = bool(values["i__valid"][clock]) and not values["i__ready"][clock]
        assert refused == (into == causes.REFUSED) == (why >= 0)
        stalled = bool(values["o__valid"][clock]) and not values["o__ready"][clock]
        assert stalled == (out == causes.STALLED)
    counted = found.stalls(0, recording.clocks)
    if JOBS[name][1]:
        assert counted["idle"] and counted["stalled"]
    else:
        assert not any(counted.values())


def test_refusals_are_led_back_to_the_receiver_or_to_a_drain():
    recording = recorded("steps")
    found = causes.causes(recording, runs(recording))
    assert found.stalls(0, recording.clocks)["receiver"] > 0
    assert "the receiver is not ready, so the steps stage has no room" in found.sentences
    grows = odd("grows", 0.0)
    found = causes.causes(grows, runs(grows))
    assert found.sentences == ["the steps stage lets windows of the frame before leave first"]
    assert found.roots == ["drain"] and found.stalls(0, grows.clocks)["drain"] > 0


def test_a_part_of_a_run_has_what_stood_before_it():
    recording = recorded("max")
    page = contents(show.html(recording, 40, 60))
    whole = contents(show.html(recording))
    assert (page["first"], page["end"]) == (40, 60)
    assert page["taken"]["from"] == 40 and len(page["taken"]["clocks"]) == 20
    rows, before = page["stages"][1]["steps"], whole["stages"][1]["steps"]
    begin = rows["from"]
    assert begin == int(np.searchsorted(list(accumulate(before["clocks"])), 40)) - 4  # its words
    for name in ("taken", "leaves", "live"):
        assert rows[name] == before[name][begin : begin + len(rows["clocks"])]
    assert page["why"]["before"] == dict.fromkeys(causes.COUNTED, 0)


def test_of_a_large_map_the_rows_that_cross_are_there():
    job = PoolJob(PoolSpec("max", 2), (2, 90, 50), 1)
    x = np.random.default_rng(1).integers(-9, 9, (1, *job.shape)).astype(np.int8)
    recording = show.record(job, x, count=1, clocks=2200)
    page = contents(show.html(recording, 2000, 2200))
    taken = recording.trace.in_cycles
    first, last = (
        int(np.searchsorted(taken, clock)) // 100 for clock in (2000, 2199)
    )  # 100 beats per row
    assert page["rowsIn"] == [first - 4, last + 4]
    shown = np.array(page["framesIn"]).reshape(2, -1, 50)
    assert np.array_equal(shown, x[0][:, first - 4 : last + 5])
    low, high = page["rowsOut"]
    golden = np.array(page["golden"]).reshape(2, -1, 25)
    assert np.array_equal(golden, recording.golden[0][:, low : high + 1])


def test_a_page_is_whole_and_fetches_nothing():
    text = show.html(recorded("avg"))
    reader = page_reader.read(re.sub(r"(?s)<script.*?</script>", "", text))
    for element in reader.elements:
        for name, value in element.attributes.items():
            if name in ("src", "href", "srcset", "data", "action"):
                assert value.startswith("#") or value == "data:,", (element.tag, value)
    assert "url(" not in text and "@import" not in text and "import(" not in text
    assert "fetch(" not in text and "XMLHttpRequest" not in text
    assert re.findall(r"https?://[^\"' ]*", text) == ["http://www.w3.org/2000/svg"]  # a name
    ids = [each.attributes["id"] for each in reader.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for element in reader.elements:
        assert element.attributes.get("aria-labelledby", ids[0]) in ids


def test_20000_clocks_fit_and_what_does_not_is_refused_with_what_fits(monkeypatch):
    """Of a long run the bytes are counted by a share of it."""
    job = PoolJob(PoolSpec("max", 3, 2, 1, dtype="uint8"), (1, 24, 100), 1)
    x = np.random.default_rng(1).integers(0, 256, (1, *job.shape)).astype(np.uint8)
    recording = show.record(job, x, count=1, clocks=document.MOST_CLOCKS)
    bare = len(show.html(recording, 0, 1))
    each = (len(show.html(recording)) - bare) / recording.clocks
    assert bare + each * document.MOST_CLOCKS < document.MOST_BYTES
    monkeypatch.setattr(document, "MOST_BYTES", bare + int(1200 * each))
    with pytest.raises(show.TooLong, match=r"a page of 2,4\d\d clocks has more"):
        show.html(recording)
    fits = show.fitted(recording, 0, recording.clocks)
    assert 800 <= fits < 1600 and fits % document.GRAIN == 0
    show.html(recording, 0, fits)
    with pytest.raises(show.TooLong):
        show.html(recording, 0, fits + document.GRAIN)


def test_frames_come_again_and_columns_are_refused():
    job = PoolJob(PoolSpec("max", 2, ndim=1), (1, 6), 1)
    recording = show.record(job, np.arange(6, dtype=np.int8).reshape(1, 1, 6), count=3, clocks=99)
    assert recording.trace.out.ravel().tolist() == [1, 3, 5] * 3
    assert show.matches(recording) and len(contents(show.html(recording))["framesIn"]) == 1
    wide = PoolJob(PoolSpec("max", 2, ndim=1), (1, 6), 1, columns=2)
    grows = PoolJob(PoolSpec("max", adaptive=7, ndim=1), (1, 5), 1)
    with pytest.raises(SpecError, match=r"5 inputs become 7, .* use at most 6 outputs"):
        show.record(grows, np.zeros((1, 1, 5), np.int8), count=1, clocks=99)
    with pytest.raises(SpecError, match="columns 2 cannot be shown; use 1"):
        show.record(wide, np.zeros((1, 1, 6), np.int8), count=1, clocks=99)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("stall", [0.0, 0.6])
def test_a_run_is_called_overlong_only_where_it_is(name: str, stall: float):
    recording = odd(name, stall)
    clocks = int(recording.trace.out_cycles[-1]) + 1
    how = {"count": recording.count, "stall": stall, "seed": 11}
    assert not show.overlong(recording.job, clocks=clocks, **how)
    assert show.overlong(recording.job, clocks=clocks // 4, **how)


def test_without_stalls_and_drains_a_run_is_as_long_as_its_inputs_and_the_latency():
    recording = recorded("max")
    clocks = int(recording.trace.out_cycles[-1]) + 1 - recording.core.latency
    assert not show.overlong(recording.job, count=FRAMES, clocks=clocks + 1)
    assert show.overlong(recording.job, count=FRAMES, clocks=clocks)


def test_indices_are_compared_too():
    job = PoolJob(PoolSpec("max", 2, indices="plane"), (3, 4, 6), 2)
    x = np.random.default_rng(1).integers(-9, 9, (2, *job.shape)).astype(np.int8)
    recording = show.record(job, x, count=3, clocks=999)
    assert show.matches(recording) and recording.indices is not None
    page = contents(show.html(recording))
    assert np.array_equal(unpack(job, np.array(page["given"]["indices"]).T)[:2], recording.indices)
    assert np.array_equal(np.ravel(page["goldenIndices"]), recording.indices.ravel())
    recording.indices[1, 2, 1, 1] += 1
    assert not show.matches(recording)


def test_what_differs_is_said():
    recording = odd("max k3 s2, m 2", 0.0)
    assert "equals the golden model bit for bit" in document.about(recording)
    recording.golden[0, 0, 0] += 1
    assert not show.matches(recording)
    assert "DIFFERS from the golden model" in document.about(recording)
