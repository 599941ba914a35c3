"""A pooling core whose job is written to registers, and changes between two frames."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_golden.errors import shown

from ..families import GENERIC, check_family
from ..reduce.reduction import _MAX
from .job import RuntimeJob
from .maxima import Maxima
from .registers import (
    ADDRESS_BITS,
    ARM,
    BLOCK,
    CHECKSUM_BITS,
    FORMAT,
    RESET,
    STAGES,
    WORDS,
    Register,
    RegisterMap,
)
from .stage import RuntimeStage

FRAMES = 7
"""Bits of a frame's number: more than the frames that can be under way between two stages."""


class RuntimePoolCore(wiring.Component):
    """Pool frames by a job that is written to registers, at one beat per clock.

    Beats cross as in a `PoolCore`. A job is written, register by register, and armed; it is the job
    of the first frame that begins `TAKE_OVER` clocks or more after that, and of all that follow. A
    frame whose first beat has been taken is never changed. Before the first job no beat is taken.

    Throughput: while a job stays a frame takes at most ``job.cycles_bound`` clocks, and at a change
    at most ``job.bubble_after(before)`` more; see `RuntimeJob`. Latency: `latency` clocks from the
    step in which the schedule lets a window leave to its beat at `o`, while ``o.ready`` is high.

    Parameters
    ----------
    maxima : Maxima
        What it is made for.
    family : str, optional
        The family of devices, one of `FAMILIES`.

    Raises
    ------
    SpecError
        If an operation of the maxima neither selects the largest nor the smallest value.

    Members
    -------
    i : In(stream)
        Beats in: an array of `lanes` values, signed or not as the job says.
    o : Out(stream)
        Beats out: `data`, an array of as many values, and `last`, high on a frame's last beat.
    write, address, data : In(1), In(12), In(32)
        A register's write, of one clock; `RegisterMap` says what is where.
    busy : Out(1)
        Whether a job is armed that has not been taken over everywhere. All writes but that of a
        reset are refused then.
    bad : Out(1)
        Whether an arming had a wrong checksum; stays high until reset or a right one.
    refused : Out(1)
        Whether a write came while busy; stays high until reset.
    out_of_step : Out(1)
        Whether the stages did not count the same frames, so that no job can have been right; stays
        high until reset.
    began : Out(1)
        Whether a frame's first beat was taken a clock ago.
    """

    TAKE_OVER = 14

    i: stream.Interface
    o: stream.Interface
    write: Signal
    address: Signal
    data: Signal
    busy: Signal
    bad: Signal
    refused: Signal
    out_of_step: Signal
    began: Signal

    def __init__(self, maxima: Maxima, *, family: str = GENERIC):
        if sums := [op for op, each in zip(maxima.operations, maxima.reduces, strict=True)
                    if each.selects is None]:  # fmt: skip
            raise SpecError(
                "operations",
                f"operations {shown(sums)} have jobs, but no core yet; use max, min or both.",
            )
        self.maxima, self.family = maxima, check_family(family)
        self._map = RegisterMap(maxima)
        key = unsigned(maxima.bits)
        how = (maxima.lanes, _MAX, key, key, family)
        self._columns = RuntimeStage(maxima.columns, *how, traits=2, seamless=True)
        self._rows = RuntimeStage(maxima.rows, *how, traits=2, marks_last=True)
        self.latency = self._columns.latency + self._rows.latency
        beat = data.ArrayLayout(unsigned(maxima.bits), maxima.lanes)
        flags = ("busy", "bad", "refused", "out_of_step", "began")
        super().__init__(
            {
                "i": In(stream.Signature(beat)),
                "o": Out(stream.Signature(data.StructLayout({"data": beat, "last": 1}))),
                **{"write": In(1), "address": In(ADDRESS_BITS), "data": In(32)},
                **{name: Out(1) for name in flags},
            }
        )

    def job(self, spec: PoolSpec | PoolJob, shape: Sequence[int] = ()) -> RuntimeJob:
        """Return a job of this core: what it computes, on frames of which shape.

        Raises
        ------
        SpecError
            As `RuntimeJob`, such as where a job passes one of the maxima, which the sentence names.
        """
        return RuntimeJob(spec, tuple(shape), self.maxima)

    def elaborate(self, platform):
        m = Module()
        reset, asked = Signal(), Signal()
        m.d.sync += reset.eq(asked & ~reset)  # of one clock
        resets = [reset]
        m.submodules.pool = pool = Module()
        columns, rows = self._columns, self._rows
        stages = dict(zip(STAGES, (columns, rows), strict=True))
        for name, stage in stages.items():  # a clock later each, near to all that it resets
            later = Signal(name=f"reset_{name}")
            m.d.sync += later.eq(resets[-1])
            pool.submodules[name] = ResetInserter(later)(stage)
            resets.append(later)
        wiring.connect(pool, columns.o, rows.i)
        pool.d.comb += [
            *(columns.i.valid.eq(self.i.valid), self.i.ready.eq(columns.i.ready)),
            *(self.o.valid.eq(rows.o.valid), rows.o.ready.eq(self.o.ready)),
            self.o.payload.last.eq(rows.last[0]),
        ]
        for target, value in zip(columns.i.payload, self.i.payload, strict=True):
            pool.d.comb += target.eq(value ^ self._mask(columns.traits))
        for target, value in zip(self.o.payload.data, rows.o.payload, strict=True):
            pool.d.comb += target.eq(value ^ self._mask(rows.last[1:]))
        # first and last, so that no stage takes a job over meanwhile
        m.submodules.jobs = ResetInserter(Cat(resets).any())(self._jobs(asked, stages))
        return m

    def _mask(self, traits: Value) -> Value:
        """Return what turns a value into its key, and back: see `_order_key`."""
        either = any(each.selects == "smallest" for each in self.maxima.reduces)
        signed, smallest = traits[0], traits[1] if either else Const(0, 1)
        return Cat(smallest.replicate(self.maxima.bits - 1), smallest ^ signed)

    def _jobs(self, asked: Signal, stages: dict[str, RuntimeStage]) -> Module:
        """Return what takes writes, and says which stage takes the staged job over when."""
        m = Module()
        write, address, word = Signal(), Signal(ADDRESS_BITS), Signal(32)
        armed, finished = Signal(), Signal()
        # a reset is what a busy core takes, too
        resets = self.address == self._map.address("core", RESET.address)
        refuses = armed & ~resets
        m.d.sync += [write.eq(self.write & ~refuses), address.eq(self.address), word.eq(self.data)]
        m.d.comb += self.busy.eq(armed)
        with m.If(self.write & refuses):
            m.d.sync += self.refused.eq(1)

        def chosen(block: str, register: Register) -> Value:
            return write & (address == self._map.address(block, register.address))

        arm = chosen("core", ARM)
        total, turned = Signal(CHECKSUM_BITS), Signal(CHECKSUM_BITS)
        m.d.comb += turned.eq(total.rotate_left(1))
        right = Signal()
        m.d.comb += right.eq(word[:CHECKSUM_BITS] == total)
        with m.If(write):
            halves = word[:CHECKSUM_BITS] ^ word[CHECKSUM_BITS:]
            m.d.sync += total.eq(Mux(arm, 0, turned ^ halves))
        with m.If(arm):
            m.d.sync += [armed.eq(right), self.bad.eq(~right)]
        with m.Elif(finished):
            m.d.sync += armed.eq(0)
        # the columns decide which frame is the job's first; the others wait for its number
        number, frames = Signal(FRAMES), {name: Signal(FRAMES) for name in stages}
        taken = Signal(len(stages))
        first, *_ = stages
        for k, (name, stage) in enumerate(stages.items()):
            player, count = stage.player, frames[name]
            with m.If(player.began):
                m.d.sync += count.eq(count + 1)
            with m.If(finished):
                m.d.sync += taken[k].eq(0)
            with m.Elif(player.copy):
                m.d.sync += taken[k].eq(1)
            due = armed & ~taken[k]
            if name == first:
                with m.If(player.copy):
                    m.d.sync += number.eq(count)
            else:
                due &= taken[0] & (count == number)
                # it cannot have begun a frame that has not begun in front of it
                ahead = Signal(FRAMES)
                m.d.sync += ahead.eq(frames[first] - count)
                with m.If(ahead[-1]):
                    m.d.sync += self.out_of_step.eq(1)
            m.d.sync += player.due.eq(due & ~player.copy)
            self._stage(m, name, stage, write, address, word)
        m.d.sync += finished.eq(taken.all() & ~finished)
        m.d.comb += self.began.eq(stages[first].player.began)

        traits = Signal(2)
        with m.If(chosen("core", FORMAT)):
            m.d.sync += traits.eq(word)
        for stage in stages.values():
            m.d.comb += stage.staged_traits.eq(traits)
        m.d.comb += asked.eq(chosen("core", RESET) & word[0])
        return m

    def _stage(
        self,
        m: Module,
        name: str,
        stage: RuntimeStage,
        write: Value,
        address: Value,
        word: Value,
    ) -> None:
        """Keep what is written for a stage until it takes it over."""
        player, base = stage.player, self._map.address(name, 0)
        is_block = Signal(name=f"is_{name}")
        m.d.comb += is_block.eq(write & (address[exact_log2(BLOCK) :] == base // BLOCK))
        is_word = address[exact_log2(WORDS)]
        m.d.comb += [
            *(player.load.eq(is_block & is_word), player.load_at.eq(address)),
            player.load_word.eq(word),
        ]
        staged = Signal.like(player.staged, name=f"staged_{name}")
        m.d.comb += player.staged.eq(staged)
        for register in self._map.blocks[name]:
            with m.If(is_block & ~is_word & (address[:2] == register.address)):
                for field in register.fields:
                    m.d.sync += staged[field.name].eq(word[field.low :])
