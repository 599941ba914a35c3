"""A core that is tested where it runs: frames in, checksums out, a verdict."""

import operator
from collections.abc import Mapping
from functools import reduce

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal, Value, signed, unsigned
from amaranth.lib import (
    crc,  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
    stream,
    wiring,
)
from amaranth.lib.wiring import In, Out

from ..core import PoolCore
from ..resync import ResyncCore
from ..schedule.counters import ModuloCounter
from .pattern import BITS, FRAMES, expected, leaps, seeds

# Seeds of the registers that stall the two sides
_STALL_SEEDS = (0x0DDBA11, 0xFEED5EED)
# Bits of a register that say: idle now; begin or end a long pause
_SHORT, _LONG = 2, 6
# A pause that outlasts this many clocks does not happen
_LONGEST_PAUSE = 8192
# So many times slower than without stalls is no frame
_SLOWEST = 16


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

    No beat begins in the clock after one in which `idle` is high.
    """

    idle: Signal
    o: stream.Interface

    def __init__(self, core: PoolCore | ResyncCore, frames: int):
        self._job, self._marks, self._frames = core.job, core.marks, frames
        super().__init__({"idle": In(1), "o": Out(core.i.signature.flip())})

    def elaborate(self, platform):
        m = Module()
        job = self._job
        bits = job.spec.in_dtype.bits
        m.submodules.round = beats = ModuloCounter(self._frames * job.beats_in)
        m.d.comb += beats.step.eq(self.o.valid & self.o.ready)
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += self.o.valid.eq(~self.idle)
        for number, seed in enumerate(seeds(job.layout_in.values)):
            state = Signal(BITS, init=seed, name=f"state_{number}")
            with m.If(beats.step):
                m.d.sync += state.eq(Mux(beats.last, Const(seed, BITS), _leapt(state, bits)))
            values = self.o.payload.data if self._marks else self.o.payload
            m.d.comb += values[number].eq(state[:bits])
        if self._marks:
            m.submodules.frame = frame = ModuloCounter(job.beats_in)
            first = Signal(init=1)
            with m.If(beats.step):
                m.d.sync += first.eq(frame.last)
            m.d.comb += frame.step.eq(beats.step)
            for mark in self._marks:
                m.d.comb += self.o.payload[mark].eq(first if mark == "first" else frame.last)
        return m


class SelfTest(wiring.Component):
    """Stream frames through a core, check what comes out against its checksums, and judge.

    The frames of a round are always the same. Of four rounds one runs without stalls, and one each
    with stalls at the input, at the output and at both. It is bad if a checksum is not the expected
    one, `last` or `first` is out of place, a frame is counted as broken, or no beat comes for
    longer than any stall explains.

    Parameters
    ----------
    core : PoolCore or ResyncCore
        What is tested; a submodule called ``core``.
    frames : int, optional
        Of a round.
    checksums : tuple of int, optional
        Of each value of a beat in a round, as `pattern.checksums` has them; by default the golden
        model's.
    blink : int, optional
        Beats out after which `running` changes, a power of two.

    Attributes
    ----------
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
        core: PoolCore | ResyncCore,
        frames: int = FRAMES,
        checksums: tuple[int, ...] | None = None,
        *,
        blink: int = 1,
    ):
        self.core = core
        self._frames = frames
        self.checksums = expected(core.job, frames) if checksums is None else checksums
        self._blink = blink
        slowest = _SLOWEST * (core.cycles_bound + core.latency) + _LONGEST_PAUSE
        self.longest_wait = 1 << slowest.bit_length()
        self.longest_round = (frames + 2) * self.longest_wait
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
        job = core.job
        m.submodules.pattern = pattern = Pattern(core, self._frames)
        wiring.connect(m, pattern.o, core.i)
        m.submodules.stalls_in, m.submodules.stalls_out = stalls = [
            Stalls(seed) for seed in _STALL_SEEDS
        ]
        rounds = Signal(2)  # its bits say which sides are not stalled
        m.d.comb += pattern.idle.eq(stalls[0].idle & ~rounds[0])

        # A clock after a round's last beat none is taken, so that the checksums can start anew.
        m.submodules.round = beats = ModuloCounter(self._frames * job.beats_out)
        m.submodules.frame = frame = ModuloCounter(job.beats_out)
        m.submodules.group = group = ModuloCounter(job.fold)
        layout = job.layout_out
        m.submodules.row = row = ModuloCounter(layout.row_beats // job.fold)
        step = Signal()
        ready = Signal()
        m.d.comb += [core.o.ready.eq(ready), step.eq(core.o.valid & ready)]
        m.d.comb += [counter.step.eq(step) for counter in (beats, frame, group)]
        m.d.comb += row.step.eq(step & group.last)
        m.d.sync += ready.eq(~(stalls[1].idle & ~rounds[1]) & ~(step & beats.last))

        # The beat in a register, then the checksums, then whether they are right.
        data = Signal.like(core.o.payload.data)
        taken, closing, closed, judged = (
            Signal(name=name) for name in ("taken", "closing", "closed", "judged")
        )
        misplaced = Signal()
        misses: Value = core.o.payload.last ^ frame.last
        if isinstance(core, ResyncCore):
            first = Signal(init=1)
            with m.If(step):
                m.d.sync += first.eq(frame.last)
            misses = misses | (core.o.payload.first ^ first) | core.broken_frames.any()
        # where a lane is spare at the end of a position's groups, or a column at that of a row
        spare_lanes = range(job.lanes - layout.spare_lanes, job.lanes)
        spare_columns = range(layout.columns - layout.spare_columns, layout.columns)
        kinds = {
            (False, False): taken,
            (True, False): Signal(name="taken_spare"),
            (False, True): Signal(name="taken_row"),
            (True, True): Signal(name="taken_row_spare"),
        }
        m.d.sync += [
            data.eq(core.o.payload.data),
            *(
                taking.eq(step & ~(group.last & lane) & ~(row.last & column))
                for (lane, column), taking in kinds.items()
            ),
            misplaced.eq(step & misses),
            closing.eq(step & beats.last),
            closed.eq(closing),
            judged.eq(closed),
        ]
        wrong = Signal(layout.values)
        shape = (signed if job.output.signed else unsigned)(8 * job.output.numpy.itemsize)
        parameters = crc.catalog.CRC32_ISO_HDLC(data_width=shape.width)
        for number, checksum in enumerate(self.checksums):
            each = crc.Processor(parameters)
            m.submodules[f"crc_{number}"] = ResetInserter(closed)(each)
            value = Signal(shape, name=f"value_{number}")
            column, lane = divmod(number, job.lanes)
            m.d.comb += [
                value.eq(data[number]),
                each.data.eq(value),
                each.valid.eq(kinds[lane in spare_lanes, column in spare_columns]),
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
