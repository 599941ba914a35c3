"""A core that is tested where it runs: frames in, checksums out, a verdict."""

import operator
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TypeAlias

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import (
    crc,  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
    stream,
    wiring,
)
from amaranth.lib.wiring import In, Out
from streampool_golden import BeatLayout, PoolJob

from ..core import PoolCore
from ..resync import ResyncCore
from ..runtime.core import RuntimePoolCore
from ..runtime.job import RuntimeJob
from ..runtime.resync import RuntimeCore, RuntimeResyncCore
from ..runtime.writer import JobWriter
from .pattern import BITS, FRAMES, expected, leaps, seeds, value_bytes
from .turns import by_turn, counter, follow

# Seeds of the registers that stall the two sides
_STALL_SEEDS = (0x0DDBA11, 0xFEED5EED)
# Bits of a register that say: idle now; begin or end a long pause
_SHORT, _LONG = 2, 6
# A pause that outlasts this many clocks does not happen
_LONGEST_PAUSE = 8192
# So many times slower than without stalls is no frame
_SLOWEST = 16


TestedCore: TypeAlias = PoolCore | ResyncCore | RuntimeCore


def marks_of(core: TestedCore) -> tuple[str, ...]:
    """Return the marks that a core's beats in bear."""
    return () if isinstance(core, RuntimePoolCore) else core.marks


def _leapt(state: Signal, steps: int) -> Value:
    """Return a register's state after some steps: one exclusive or of a few bits for each bit."""
    units = leaps(steps).tolist()
    return Cat(
        reduce(operator.xor, (state[of] for of, unit in enumerate(units) if unit >> bit & 1))
        for bit in range(BITS)
    )


class Stalls(wiring.Component):
    """Tell at random when a side of a core is to be idle, from a seed that is not 0.

    It is so in a quarter of all clocks, and besides in long pauses, as many clocks as not, so
    that whatever stores beats fills up and runs dry.
    """

    idle: Signal

    def __init__(self, seed: int):
        self._seed = seed
        super().__init__({"idle": Out(1)})

    def elaborate(self, platform):
        m = Module()
        state = Signal(BITS, init=self._seed)
        pause = Signal()
        m.d.sync += [
            state.eq(_leapt(state, _SHORT + _LONG)),
            pause.eq(pause ^ (state[_SHORT : _SHORT + _LONG] == 0)),
            self.idle.eq(pause | (state[:_SHORT] == 0)),
        ]
        return m


class Pattern(wiring.Component):
    """Stream the frames of a round, `pattern.frames`, into a core, over and over.

    No beat begins in the clock after one in which `idle` is high. With several jobs each frame is
    of the next one; it begins when its job is `settled`, and `next` tells of its first beat.
    """

    idle: Signal
    settled: Signal
    next: Signal
    o: stream.Interface

    def __init__(self, core: TestedCore, jobs: Sequence[PoolJob], frames: int):
        self._jobs, self._marks, self._frames = jobs, marks_of(core), frames
        ports = {"idle": In(1), "settled": In(1), "next": Out(1)}
        super().__init__({**ports, "o": Out(core.i.signature.flip())})

    def elaborate(self, platform):
        m = Module()
        job, *others = self._jobs
        bits, step = job.spec.in_dtype.bits, Signal()
        m.d.comb += step.eq(self.o.valid & self.o.ready)
        place = follow(m, [each.beats_in for each in self._jobs], self._frames, step)
        first, waits = Signal(init=1), Const(0, 1)
        with m.If(step):
            m.d.sync += first.eq(place.frame_last)
        if others:
            m.d.comb += self.next.eq(step & first)
            # the beat that may begin now is the one behind that which is shown
            waits = Mux(self.o.valid, place.frame_last, first) & ~(self.settled & ~self.next)
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += self.o.valid.eq(~self.idle & ~waits)
        for number, seed in enumerate(seeds(job.layout_in.values)):
            state = Signal(BITS, init=seed, name=f"state_{number}")
            with m.If(step):
                m.d.sync += state.eq(Mux(place.last, Const(seed, BITS), _leapt(state, bits)))
            values = self.o.payload.data if self._marks else self.o.payload
            m.d.comb += values[number].eq(state[:bits])
        for mark in self._marks:
            m.d.comb += self.o.payload[mark].eq(first if mark == "first" else place.frame_last)
        return m


class SelfTest(wiring.Component):
    """Stream frames through a core, check what comes out against its checksums, and judge.

    The frames of a round are always the same; with several `jobs` of a run-time core one of each in
    turn, so often. Of four rounds one runs without stalls, and one each
    with stalls at the input, at the output and at both. It is bad if a checksum is not the expected
    one, `last` or `first` is out of place, a frame is counted as broken, or no beat comes for
    longer than any stall explains.

    Parameters
    ----------
    core : PoolCore, ResyncCore, RuntimePoolCore or RuntimeResyncCore
        What is tested; a submodule called ``core``.
    frames : int, optional
        Of a round, and of each job.
    checksums : tuple of int, optional
        Of each value of a beat in a round, as `pattern.checksums` has them; by default the golden
        model's.
    jobs : sequence of RuntimeJob, optional
        The jobs of a run-time core, in turn: two or more.
    blink : int, optional
        Beats out after which `running` changes, a power of two.

    Attributes
    ----------
    jobs : sequence of PoolJob
        What is pooled, in turn.
    cycles_bound : int
        The most clocks that a frame takes, of any job.
    longest_wait : int
        Clocks without a beat after which the core is taken to be stuck.
    longest_round : int
        Clocks in which a round is judged, whatever the stalls.

    Members
    -------
    running : Out(1)
        Changes with the beats that come out.
    good : Out(1)
        At least one round is through, and nothing was wrong so far.
    bad : Out(1)
        Something was wrong; stays until reset.
    """

    name = "test"
    files = "selftest"

    running: Signal
    good: Signal
    bad: Signal

    def __init__(
        self,
        core: TestedCore,
        frames: int = FRAMES,
        checksums: tuple[int, ...] | None = None,
        *,
        jobs: Sequence[RuntimeJob] = (),
        blink: int = 1,
    ):
        self.core, self.turns, self._frames, self._blink = core, tuple(jobs), frames, blink
        if isinstance(core, RuntimeCore):
            self.jobs, bound = [each.job for each in jobs], max(each.cycles_bound for each in jobs)
        else:
            self.jobs, bound = [core.job], core.cycles_bound
        self.cycles_bound = bound
        self.checksums = expected(self.jobs, frames) if checksums is None else checksums
        slowest = _SLOWEST * (bound + core.latency) + _LONGEST_PAUSE
        self.longest_wait = 1 << slowest.bit_length()
        self.longest_round = (frames * len(self.jobs) + 2) * self.longest_wait
        super().__init__({"running": Out(1), "good": Out(1), "bad": Out(1)})

    @property
    def lamps(self) -> Mapping[str, Value]:
        """What a lamp of each kind shows: see `SHOWS`."""
        fine = self.running & ~self.bad
        return {
            "running": self.running,
            "good": self.good,
            "bad": self.bad,
            "fine": fine,
            "verdict": fine | self.bad,
        }

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self.core
        m.submodules.pattern = pattern = Pattern(core, self.jobs, self._frames)
        wiring.connect(m, pattern.o, core.i)
        m.submodules.stalls_in, m.submodules.stalls_out = stalls = [
            Stalls(seed) for seed in _STALL_SEEDS
        ]
        rounds = Signal(2)  # its bits say which sides are not stalled
        m.d.comb += pattern.idle.eq(stalls[0].idle & ~rounds[0])

        # A clock after a round's last beat none is taken, so that the checksums can start anew.
        step = Signal()
        ready = Signal()
        m.d.comb += [core.o.ready.eq(ready), step.eq(core.o.valid & ready)]
        place = follow(m, [job.beats_out for job in self.jobs], self._frames, step)
        layouts = [job.layout_out for job in self.jobs]
        group = counter(m, "group", [job.fold for job in self.jobs], step, place.turn)
        row = counter(
            m,
            "row",
            [each.row_beats // job.fold for each, job in zip(layouts, self.jobs, strict=True)],
            step & group.last,
            place.turn,
        )
        m.d.sync += ready.eq(~(stalls[1].idle & ~rounds[1]) & ~(step & place.last))
        if isinstance(core, RuntimeCore):
            m.submodules.writer = writer = JobWriter(self.turns)
            m.d.comb += [
                *(writer.next.eq(pattern.next), pattern.settled.eq(writer.settled)),
                *(writer.busy.eq(core.busy), core.write.eq(writer.write)),
                *(core.address.eq(writer.address), core.data.eq(writer.data)),
            ]

        # The beat in a register, then the checksums, then whether they are right.
        data = Signal.like(core.o.payload.data)
        taken, closing, closed, judged = (
            Signal(name=name) for name in ("taken", "closing", "closed", "judged")
        )
        misplaced = Signal()
        misses: Value = core.o.payload.last ^ place.frame_last
        if isinstance(core, ResyncCore | RuntimeResyncCore):
            first = Signal(init=1)
            with m.If(step):
                m.d.sync += first.eq(place.frame_last)
            misses = misses | (core.o.payload.first ^ first) | core.broken_frames.any()
        if isinstance(core, RuntimeCore):
            misses = misses | core.bad | core.refused | core.out_of_step
        # where each value of a beat is spare: a lane at the end of a position's groups, or a column
        # at that of a row, in the turn of each job
        values, kinds = layouts[0].values, dict[tuple[tuple[bool, bool], ...], Signal]()
        spare = [tuple(_spare(each, number) for each in layouts) for number in range(values)]
        for kind in dict.fromkeys([((False, False),) * len(layouts), *spare]):
            kinds[kind] = taken if not kinds else Signal(name=f"taken_{len(kinds)}")
            lane, column = (by_turn(place.turn, each) for each in zip(*kind, strict=True))
            m.d.sync += kinds[kind].eq(step & ~(group.last & lane) & ~(row.last & column))
        turn = Signal.like(place.turn, name="turn_taken")
        m.d.sync += [
            *(data.eq(core.o.payload.data), turn.eq(place.turn)),
            misplaced.eq(step & misses),
            closing.eq(step & place.last),
            closed.eq(closing),
            judged.eq(closed),
        ]
        wrong, width = Signal(values), 8 * value_bytes(self.jobs)
        is_signed = by_turn(turn, [job.output.signed for job in self.jobs])
        parameters = crc.catalog.CRC32_ISO_HDLC(data_width=width)
        for number, checksum in enumerate(self.checksums):
            each = crc.Processor(parameters)
            m.submodules[f"crc_{number}"] = ResetInserter(closed)(each)
            value = Value.cast(data[number])
            above = (value[-1] & is_signed).replicate(max(0, width - len(value)))
            m.d.comb += [
                each.data.eq(Cat(value, above)),
                each.valid.eq(kinds[spare[number]]),
            ]
            m.d.sync += wrong[number].eq(each.crc != checksum)

        # It is good only when a round is through, and bad for good.
        passed = Signal()
        waited = Signal(range(self.longest_wait + 1))
        with m.If(taken):
            m.d.sync += waited.eq(0)
        with m.Else():
            m.d.sync += waited.eq(waited + 1)

        with m.If((judged & wrong.any()) | misplaced | waited[-1]):
            m.d.sync += self.bad.eq(1)
        with m.If(judged):
            m.d.sync += [passed.eq(1), rounds.eq(rounds + 1)]
        m.d.comb += self.good.eq(passed & ~self.bad)

        given = Signal(self._blink.bit_length())
        with m.If(taken):
            m.d.sync += given.eq(given + 1)
        m.d.comb += self.running.eq(given[-1])
        return m


def _spare(layout: BeatLayout, value: int) -> tuple[bool, bool]:
    """Return whether a value's lane is spare in the last group, and its column in a row's last."""
    column, lane = divmod(value, layout.lanes)
    return (
        lane >= layout.lanes - layout.spare_lanes,
        column >= layout.columns - layout.spare_columns,
    )
