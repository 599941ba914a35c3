"""A run-time stage at its ports, while a job stays and across a change to another one.

Nothing of the inside is named. Two jobs are written and taken over, the second one at any time that
the solver likes, or never. All inputs are written down as they come in, and each beat that leaves
has to be what the job of its frame makes of that frame's. This is *bounded*: it holds for any data,
gaps, stalls, resets and times of the change in so many clocks after a reset.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from amaranth.hdl import Array, Cat, Module, Mux, ResetSignal, Signal, Value, unsigned
from streampool_golden import Axis
from streampool_hw.runtime.job import StageJob, _stage_job
from streampool_hw.runtime.maxima import FAR, NEAR, StageMaxima
from streampool_hw.runtime.stage import RuntimeStage

from .cases import Bounded
from .formal import AnySeq, Cover
from .harness import Claimed, assume
from .linear import by_table

FRAMES = 3
"""Frames that are written down: more than come in so many clocks."""
BITS = 3

MOST = StageMaxima(1, 1, NEAR + 1, words=4, length=8, runs=1, far=FAR["columns"])
"""A stage of a core's columns, as small as that can be."""


@dataclass(frozen=True)
class Told:
    """A job of the stage: an axis, and the beats from a position to its neighbour."""

    axis: Axis
    m: int

    @property
    def job(self) -> StageJob:
        """What the stage is told."""
        return _stage_job(self.axis, self.m, 1, MOST, lambda axis: ((1, 1),) * axis.outputs)

    @property
    def beats(self) -> int:
        """Beats of a frame that come in."""
        return self.axis.length * self.m

    @property
    def taps(self) -> list[list[int]]:
        """Of each beat that leaves the beats that it is made of."""
        axis, m = self.axis, self.m
        return [[t * m + p for t in axis.taps(i)] for i in range(axis.outputs) for p in range(m)]


class Changes(Claimed):
    """A run-time stage with free inputs, that is told one job and then another.

    Theorem, within the depth: each beat that leaves is what its frame's job makes of the frame's
    inputs, in order; `last` is high on a frame's last beat and on no other; a beat at the output
    stays, unchanged, until it is taken; nothing leaves before its inputs are in; and what is left
    of a frame comes out by itself. A frame is of the job that was taken over last before it began.
    """

    def __init__(self, jobs: Sequence[Told], *, sums: bool = False, resets: bool = True):
        self.jobs, self.platform, self._resets = jobs, None, resets
        self.join: Callable[[Value, Value], Value] = (
            (lambda a, b: a + b) if sums else (lambda a, b: Mux(a > b, a, b))
        )
        self.width = BITS + 2 if sums else BITS
        shapes = unsigned(BITS), unsigned(self.width)
        self.stage = RuntimeStage(
            *(MOST, 1, *shapes), key_bits=0 if sums else BITS, marks_last=True, seamless=True
        )
        self.valid, self.ready, self.data = Signal(), Signal(), Signal(BITS)
        self.ports = [self.valid, self.ready, self.data]

    def elaborate(self, platform: object) -> Module:
        m = self.top = Module()
        m.submodules.stage = stage = self.stage
        i, o = stage.i, stage.o
        take, pop = Signal(name="taken"), Signal(name="pop")
        m.d.comb += [
            *(i.valid.eq(self.valid), i.payload[0].eq(self.data), o.ready.eq(self.ready)),
            *(take.eq(i.valid & i.ready), pop.eq(o.valid & o.ready)),
        ]
        told = self._tell(m)
        if not self._resets:
            assume(m, ~ResetSignal())

        # ---- all that comes in, frame by frame, and the job of each
        longest = max(each.beats for each in self.jobs)
        job = Signal(range(len(self.jobs)), name="job")  # of the frame to come, or that comes
        at, came = Signal(range(longest), name="at"), Signal(range(FRAMES + 1), name="came")
        jobs = Array(Signal(len(job), name=f"job_{f}") for f in range(FRAMES))
        inputs = [[Signal(BITS, name=f"in_{f}_{b}") for b in range(longest)] for f in range(FRAMES)]
        there = [Signal(longest, name=f"there_{f}") for f in range(FRAMES)]
        m.d.comb += job.eq(Mux(at == 0, told, jobs[came]))
        ends = at == by_table([each.beats - 1 for each in self.jobs], job)
        with m.If(take):
            m.d.sync += at.eq(Mux(ends, 0, at + 1))
            m.d.sync += came.eq(came + ends)
            m.d.sync += jobs[came].eq(job)
            for f in range(FRAMES):
                for b in range(longest):
                    with m.If((came == f) & (at == b)):
                        m.d.sync += [inputs[f][b].eq(self.data), there[f][b].eq(1)]
        assume(m, came < FRAMES)

        # ---- what leaves
        left = Signal(range(FRAMES + 1), name="left")
        most = max(len(each.taps) for each in self.jobs)
        beat = Signal(range(most), name="beat")
        number = Value.cast(jobs[left])
        last = beat == by_table([len(each.taps) - 1 for each in self.jobs], number)
        with m.If(pop):
            m.d.sync += [beat.eq(Mux(last, 0, beat + 1)), left.eq(left + last)]
        for k, each in enumerate(self.jobs):
            for b, taps in enumerate(each.taps):
                for f in range(FRAMES):
                    mine = o.valid & (left == f) & (number == k) & (beat == b)
                    whole = reduce(self.join, [inputs[f][t] for t in taps])
                    name = f"{k}_{b}_{f}"
                    self.claim(Cat(there[f][t] for t in taps).all(), f"came_{name}", mine)
                    self.claim(o.payload[0] == whole, f"value_{name}", mine)
        self.claim(stage.last[0] == last, "last", o.valid)
        self.claim(left < FRAMES, "extra", o.valid)
        held, was = Signal(name="held"), Signal.like(Value.cast(o.payload), name="was")
        m.d.sync += [held.eq(o.valid & ~o.ready), was.eq(o.payload)]
        self.claim(o.valid & (Value.cast(o.payload) == was), "stays", held)
        idle = Signal(range(self.longest + 2), name="idle")
        quiet = self.ready & ~self.valid
        m.d.sync += idle.eq(Mux(quiet, Mux(idle > self.longest, idle, idle + 1), 0))
        self.claim(left == came, "comes_out", (idle > self.longest) & (at == 0))
        m.d.comb += Cover(pop & last & (number == len(self.jobs) - 1))
        return m

    @property
    def longest(self) -> int:
        """Clocks after which a frame that is in is out by itself."""
        # what two frames leave, one beat per clock, behind two slots that wait
        return self.stage.latency + 2 * MOST.slot + 2 * max(len(each.taps) for each in self.jobs)

    def _tell(self, m: Module) -> Value:
        """Write each job in turn, and have it taken over; return which the next frame is of."""
        player, jobs = self.stage.player, [each.job for each in self.jobs]
        words = [[*job.words, *(MOST.words - len(job.words)) * (0,)] for job in jobs]
        at, writes = Signal(range(MOST.words), name="word_at"), Signal(init=1, name="writes")
        next_one = Signal(range(len(jobs) + 1), name="next_one")
        told = Signal(range(len(jobs)), name="told")
        rows = [by_table(each, at) for each in words]
        m.d.comb += [
            *(player.load.eq(writes), player.load_at.eq(at)),
            player.load_word.eq(Array(rows)[next_one]),
        ]
        for name in player.staged.shape().members:
            values = [job.fields(MOST.kind_bits)[name] for job in jobs]
            m.d.comb += player.staged[name].eq(by_table(values, next_one))
        due, waits = Signal(name="due"), Signal(name="waits")
        with m.If(writes):
            m.d.sync += at.eq(at + 1)
            with m.If(at == MOST.words - 1):
                m.d.sync += [writes.eq(0), waits.eq(1)]
        # the first one at once, any other when the solver likes
        with m.If(waits & (AnySeq(1) | (next_one == 0))):
            m.d.sync += [waits.eq(0), due.eq(1)]
        m.d.comb += player.due.eq(due)
        with m.If(player.copy):
            m.d.sync += [due.eq(0), told.eq(next_one)]
            with m.If(next_one != len(jobs) - 1):
                m.d.sync += [next_one.eq(next_one + 1), writes.eq(1), at.eq(0)]
        return told


def _axis(length: int, kernel: int, stride: int, after: int) -> Axis:
    return Axis.resolve(length, kernel, stride, (0, after))


JOBS = {
    "drains": Told(_axis(2, 2, 1, 1), 1),
    "two beats": Told(_axis(2, 2, 2, 0), 2),
    "three": Told(_axis(3, 2, 1, 0), 1),
    "a whole slot": Told(_axis(2, 2, 1, 1), MOST.slot),
    "no window": Told(_axis(2, 1, 1, 0), MOST.slot),
}


def cases() -> Iterator[Bounded]:
    """Yield the stage with one job, and across a change to another one.

    Where resets may come, what is possible grows with each clock; deeper it is proved without.
    """
    for names, sums in (
        (("drains",), False),
        (("two beats",), True),
        (("drains", "two beats"), False),
        (("two beats", "three"), False),
        (("three", "drains"), True),
        (("a whole slot", "two beats"), False),
        (("drains", "no window"), False),
    ):
        title = f"{'sum' if sums else 'largest'}, {', then '.join(names)}"
        jobs = [JOBS[name] for name in names]
        for kind, depth in (("resets", 42), ("no resets", 46 if len(jobs) == 1 else 44)):
            yield Bounded(
                f"{kind}: {title}",
                "run-time stages",
                f"first {depth}",
                lambda jobs=jobs, sums=sums, resets=kind == "resets": Changes(
                    jobs, sums=sums, resets=resets
                ),
            )
