"""Cores that follow their frames' marks: whole frames are right, whatever breaks beside them."""

import json
import random
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from column_jobs import COLUMN_JOBS
from core_bench import Log, drive
from core_jobs import JOBS
from marked_frames import Beat, assert_right, parts_of, payload, random_beats, tdata
from streampool_golden import PoolJob, PoolSpec, SpecError, UnpoolJob
from streampool_hw import AxiCore, PoolCore, ResyncCore, make_core
from streampool_hw.asked import asked
from streampool_hw.export.verilog import write_verilog
from streampool_hw.resync import MARKS

WAYS = (MARKS, MARKS[:1], MARKS[1:])
NAMES = (
    *("max k3 s2, m 1", "sum k4 s1, m 7", "subsampling", "one value", "one step, two out"),
    *("grows much", "pads that need idle slots, RAM", "identity", "max k3 s2", "avg same"),
    *("avg restoring", "planes grow", "global avg, planes", "to 4 x 9 of 10 x 5"),
    *("gem4, pads counted", "rows shrink, columns grow", "avg float16, pads not counted"),
)
WIDE = ("max k3 s2", "apart, in a RAM", "columns grow behind rows")
ALL = JOBS | {f"{name}, columns": job for name, job in COLUMN_JOBS.items()}
SOME = {name: ALL[name] for name in (*NAMES, *(f"{name}, columns" for name in WIDE))} | {
    f"indices, {base}": PoolJob(PoolSpec("max", 3, 2, 1, indices=base), (4, 7, 8), 2)
    for base in ("plane", "channels_last")
}
pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
# two axes; without a drain, and with one
STEADY, DRAINS = JOBS["max k3 s2"], JOBS["max k3 s1, one lane"]


def idle(rng: random.Random, probability: float) -> Callable[[int], int]:
    """Return gaps of up to five clocks before some of the beats."""
    return lambda beat: rng.randrange(1, 6) if rng.random() < probability else 0


def sent(
    component: wiring.Component,
    job: PoolJob,
    payloads: Sequence[int],
    seed: int,
    *,
    watch: Sequence[Signal] = (),
    resets: Sequence[int] = (),
) -> Log:
    """Send beats with random gaps and stalls, all of them, until nothing more comes."""
    rng = random.Random(seed)
    gap, stall = rng.choice((0, 0, 0.3, 0.6)), rng.choice((0, 0, 0.3, 0.6))
    slow = (1 + 3 * gap) / (1 - stall)
    # of a frame with most beats broken, the next one costs as much as a whole one
    clocks = len(payloads) * max(2, 1.5 * job.cycles_bound / job.beats_in) * slow + 500
    log = drive(
        component,
        payloads,
        gaps=idle(rng, gap),
        ready=lambda clock: rng.random() >= stall,
        clocks=int(clocks) + max(resets, default=0),
        resets=resets,
        seed=seed,
        watch=watch,
    )
    log.assert_stable(resets)
    return log


def check(
    job: PoolJob, marks: Sequence[str], seed: int, frames: int, resets: Sequence[int] = ()
) -> int:
    """Send random frames, good and bad; return how many broke."""
    beats = random_beats(job, frames, random.Random(seed))
    parts, broken = parts_of(beats, job.beats_in, marks)
    core = ResyncCore(PoolCore(job), marks)
    bits = [beat.bits(job, marks) for beat in beats]
    log = sent(core, job, bits, seed, watch=(core.broken_frames,), resets=resets)
    since = max(resets, default=-1)
    assert sum(clock > since for clock in log.takes) == len(beats)
    assert log.watched[-1] == (broken,)
    assert_right(job, parts, [log.o_payload[clock] for clock in log.gives if clock > since])
    return broken


@pytest.mark.parametrize("name", SOME)
def test_whole_frames_are_right_beside_broken_ones(name: str):
    job, seed = SOME[name], list(SOME).index(name)
    assert check(job, WAYS[seed % 4 % 3], seed, min(20, 4 + 400 // job.limit_cycles))


@pytest.mark.long
@pytest.mark.parametrize("name", ALL)
def test_every_job_with_every_mark(name: str):
    job = ALL[name]
    for marks in WAYS:
        check(job, marks, 1, min(30, 4 + 1500 // job.limit_cycles))


@pytest.mark.parametrize("marks", WAYS)
def test_resets_anywhere(marks):
    assert check(STEADY, marks, 5, 6, resets=(17, 160, 161, 300))


@pytest.mark.parametrize("name", ["max k3 s2", "sum k4 s1, m 7", "grows much", "identity"])
def test_whole_frames_take_the_clocks_that_they_took(name: str):
    job = JOBS[name]
    beats = random_beats(job, 4, random.Random(name), kinds=("good",))
    for seed in range(3):  # of them one without stalls
        cores = PoolCore(job), ResyncCore(PoolCore(job))
        plain, other = (
            sent(core, job, [beat.bits(job, core.marks) for beat in beats], seed) for core in cores
        )
        assert (other.takes, other.gives) == (plain.takes, plain.gives)
        assert cores[0].latency == cores[1].latency
        bits = job.layout_out.values * job.output.bits + 1
        assert [each & (1 << bits) - 1 for each in other.beats] == plain.beats


def broken_after(job: PoolJob, beats: int, *, early_last: bool) -> tuple[Log, Log]:
    """Send a frame, so many beats of one, and a frame; and the same with the second one whole."""
    whole = random_beats(job, 3, random.Random(beats), kinds=("good",))
    size, logs = job.beats_in, []
    cut = whole[: size + beats]
    if early_last:
        cut[-1] = Beat(cut[-1].values, cut[-1].first, True)
    for sequence in (cut + whole[2 * size :], whole):
        core = ResyncCore(PoolCore(job))
        bits = [beat.bits(job, core.marks) for beat in sequence]
        logs.append(drive(core, bits, clocks=4 * job.limit_cycles + 100))
    return logs[0], logs[1]


@pytest.mark.parametrize("job", [STEADY, DRAINS], ids=["steady", "drains"])
@pytest.mark.parametrize("early_last", [False, True])
def test_what_a_broken_frame_costs(job: PoolJob, early_last: bool):
    size, waits = job.beats_in, set()
    for beats in (1, 5, size - 1):
        log, whole = broken_after(job, beats, early_last=early_last)
        # the frame before leaves as it does where this one is whole, but that an early first beat
        # is no step of this one
        pairs = zip(log.gives, whole.gives, strict=False)
        later = [one - other for one, other in islice(pairs, job.beats_out)]
        assert set(later) <= {0, 1 - early_last}
        at = size + beats
        breaks = log.takes[at - early_last]
        left = max(breaks + 1, log.gives[job.beats_out - 1])
        # the beat behind an early first one waits for that one, too
        assert log.takes[at + 1 - early_last] == left + 3 - early_last
        waits.add(left == breaks + 1)
    assert waits == {False, True}


def test_a_beat_that_waits_at_the_output_stays_there():
    job = STEADY
    whole = random_beats(job, 2, random.Random(1), kinds=("good",))
    cut = job.beats_in // 4  # few beats that leave, which harm nobody while they wait
    core = ResyncCore(PoolCore(job))
    bits = [beat.bits(job, core.marks) for beat in [*whole[:cut], *whole[job.beats_in :]]]
    log = drive(core, bits, ready=lambda clock: clock > 100, clocks=400)
    log.assert_stable()
    assert log.takes[cut] < 100 and log.takes[cut + 1] == log.gives[0] + 3
    firsts = [each >> job.layout_out.values * job.output.bits + 1 for each in log.beats]
    assert firsts == [1, 1] + [0] * (job.beats_out - 1)


def test_no_filler_begins_a_frame():
    job = PoolJob(PoolSpec("max", 4, ndim=1), (1, 4))
    whole = random_beats(job, 3, random.Random(1), kinds=("good",))
    core, size = ResyncCore(PoolCore(job)), job.beats_in
    beats = [*whole[: size + 2], *whole[2 * size :]]
    bits = [beat.bits(job, core.marks) for beat in beats]
    # the frame before waits for longer than the broken one takes
    log = drive(core, bits, ready=lambda clock: clock > 100, clocks=200)
    assert_right(job, parts_of(beats, size, core.marks)[0], log.beats)
    assert len(log.beats) == 2 * job.beats_out


def test_the_output_is_whole_where_its_last_window_had_left():
    job = PoolJob(PoolSpec("max", 2, ndim=1), (1, 7))  # nobody reads the last of seven
    whole = random_beats(job, 2, random.Random(1), kinds=("good",))
    core = ResyncCore(PoolCore(job))
    bits = [beat.bits(job, core.marks) for beat in [*whole[:6], *whole[7:]]]
    log = drive(
        core, bits, gaps=lambda beat: 20 * (beat == 6), clocks=80, watch=(core.broken_frames,)
    )
    assert [each >> job.output.bits for each in log.beats] == [2, 0, 1] * 2
    assert log.watched[-1] == (1,)


class Streams(wiring.Component):
    """An `AxiCore` between streams: the words and, above them, the marks."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, core: AxiCore, parts: Sequence[str]):
        self.core, self._parts = core, parts
        sides = {
            side: sum(len(getattr(core, f"{port}_axis_{part}")) for part in parts)
            for side, port in (("i", "s"), ("o", "m"))
        }
        super().__init__(
            {
                "i": In(stream.Signature(sides["i"])),
                "o": Out(stream.Signature(sides["o"])),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self.core
        beats = [Cat(getattr(core, f"{side}_axis_{part}") for part in self._parts) for side in "sm"]
        m.d.comb += [
            beats[0].eq(self.i.payload),
            core.s_axis_tvalid.eq(self.i.valid),
            self.i.ready.eq(core.s_axis_tready),
            self.o.payload.eq(beats[1]),
            self.o.valid.eq(core.m_axis_tvalid),
            core.m_axis_tready.eq(self.o.ready),
        ]
        return m


AXI = {
    "both": {"tuser": True, "tkeep": True},
    "tlast": {},
    "lines": {"tuser": True, "tkeep": True, "tlast": "line"},
}


@pytest.mark.parametrize("marks", AXI)
@pytest.mark.parametrize("job", [STEADY, COLUMN_JOBS["max k3 s2"]], ids=["one", "columns"])
def test_ports(job: PoolJob, marks: str):
    core = AxiCore(PoolCore(job), resync=True, **AXI[marks])
    line = line_out = None
    if marks == "lines":
        line, line_out = job.beats_in // job.size[0], job.beats_out // job.out_size[0]
    first = marks != "tlast"
    beats = random_beats(job, 12, random.Random(marks), line=line)
    frames, broken = parts_of(beats, job.beats_in, MARKS[not first :], line)
    parts = ("tlast", "tuser", "tkeep") if first else ("tlast",)
    wide = len(core.s_axis_tdata)
    words = [
        tdata(job, beat.values)
        | beat.last << wide
        | (first and (beat.first | (1 << wide // 8) - 1 << 1) << wide + 1)
        for beat in beats
    ]
    log = sent(
        Streams(core, ("tdata", *parts)),
        job,
        words,
        3,
        watch=(core.broken_frames, core.frame_error),
    )
    assert len(log.takes) == len(beats)
    assert broken and log.watched[-1] == (broken, 1)
    wide = len(core.m_axis_tdata)
    left = [
        payload(job, word, last=word >> wide & 1, first=first and word >> wide + 1 & 1)
        for word in log.beats
    ]
    assert_right(job, frames, left, line=line_out, first=first)
    if first:  # from a frame's first beat on, null bytes are where they are in any frame
        spare, at = job.layout_out.spare, 0
        null = [sum((not each) << k for k, each in enumerate(row)) for row in spare]
        for word in log.beats:
            at = 0 if word >> wide + 1 & 1 else at + 1
            assert word >> wide + 2 == null[at % len(null)]


def test_whole_frames_set_no_error():
    beats = random_beats(STEADY, 3, random.Random(1), kinds=("good",))
    for reset in ((), (100,)):
        core = AxiCore(PoolCore(STEADY), tuser=True, resync=True)
        wide = len(core.s_axis_tdata)
        words = [
            tdata(STEADY, each.values) | each.last << wide | each.first << wide + 1
            for each in beats
        ]
        component = Streams(core, ("tdata", "tlast", "tuser"))
        log = sent(
            component, STEADY, words, 1, watch=(core.broken_frames, core.frame_error), resets=reset
        )
        assert set(log.watched) == {(0, 0)}


def test_what_cannot_follow_marks_is_refused(tmp_path):
    unpools = UnpoolJob((3, 2, 3), (4, 6), 2)
    for refuses in (
        lambda: make_core(unpools, resync=True),
        lambda: write_verilog(unpools, tmp_path, resync=True),
    ):
        with pytest.raises(SpecError, match=r"resync has no meaning with .*takes indices") as it:
            refuses()
        assert it.value.field == "resync"
    with pytest.raises(SpecError, match="where tlast marks lines alone; use tuser, too"):
        write_verilog(STEADY, tmp_path, resync=True, tlast="line")
    assert not list(tmp_path.iterdir())


def test_marks_that_are_none_are_refused():
    for marks in ((), ("start",), ("first", "first")):
        with pytest.raises(SpecError, match="none that a beat bears"):
            ResyncCore(asked(PoolCore(STEADY)), marks)
    wrappers: tuple[Any, ...] = (ResyncCore, AxiCore)
    for around in wrappers:
        with pytest.raises(SpecError, match="follows its frames' marks already"):
            around(asked(ResyncCore(asked(PoolCore(STEADY)))))


def test_what_is_written_says_so(tmp_path):
    written = write_verilog(STEADY, tmp_path, tuser=True, resync=True)
    about = json.loads(written.about.read_text("utf-8"))
    assert about["resync"] is True
    assert about["ports"]["broken_frames"] == ["output", 16]
    heading = written.verilog.read_text("utf-8").partition("module")[0]
    assert "broken_frames: how many such frames" in heading
    assert "The core counts beats, not marks" not in heading
