"""A pooling core whose job is written to registers, and changes between two frames."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2
from streampool_golden import PoolJob, PoolSpec

from ..families import GENERIC, check_family
from .finish import TRAITS, RuntimeFinish, key_mask
from .job import RuntimeJob
from .maxima import Maxima, check_maxima
from .registers import (
    ADDRESS_BITS,
    ARM,
    BLOCK,
    CHECKSUM_BITS,
    FINISH,
    RESET,
    STAGES,
    WORDS,
    Register,
    RegisterMap,
    format_register,
)
from .stage import RuntimeStage

_TOTALS = 2
"""Which of the `TRAITS` says that values are summed."""

FRAMES = 7
"""Bits of a frame's number: more than the frames that can be under way between two stages."""


RESTART = 5
"""Clocks behind a restart until every stage has begun its job again."""


FLAGS = ("busy", "bad", "refused", "out_of_step", "began")
"""Ports of one bit that say how jobs and frames go."""


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
    restarts : bool, optional
        Whether there is a `restart`, for what follows the frames' marks.

    Raises
    ------
    SpecError
        If `maxima` are none, or there is no such family.

    Members
    -------
    i : In(stream)
        Beats in: an array of `lanes` values, signed or not as the job says.
    o : Out(stream)
        Beats out: `data`, an array of as many values of ``maxima.out_bits``, and `last`, high on a
        frame's last beat. A value whose type has fewer bits has its sign, or 0, above them.
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
    restart : In(1)
        With `restarts`: drops all beats in this clock, and goes on with a new frame. Jobs stay, at
        work, armed or written.
    frame_last, resetting : Out(1)
        With `restarts`: whether the beat to come is its frame's last, and whether a reset that was
        written is under way; beats before its end are lost.
    """

    TAKE_OVER = 15

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
    restart: Signal
    frame_last: Signal
    resetting: Signal

    def __init__(self, maxima: Maxima, *, family: str = GENERIC, restarts: bool = False):
        self.maxima, self.family = check_maxima(maxima), check_family(family)
        self._restarts = restarts
        self._map = RegisterMap(maxima)
        key = unsigned(maxima.bits)
        how: dict[str, Any] = {"traits": 2, "key_bits": maxima.bits if maxima.selects else 0}
        shapes = (key, key, key)
        if maxima.sums:
            # a value of either sign, or its key; a key leaves the top bit of a sum free
            partial = unsigned(maxima.sum_bits)
            shapes = (signed(maxima.bits + 1), partial, partial)
            how |= {"traits": TRAITS.size, "totals": _TOTALS if maxima.selects else None}
        self._columns = RuntimeStage(
            *(maxima.columns, maxima.lanes, *shapes[:2], family), seamless=True, **how
        )
        self._rows = RuntimeStage(
            *(maxima.rows, maxima.lanes, *shapes[1:], family),
            carries=maxima.kind_bits,
            marks_last=True,
            **how,
        )
        self._finish = RuntimeFinish(maxima, family) if maxima.sums else None
        self.latency = self._columns.latency + self._rows.latency
        self.latency += self._finish.latency if self._finish else 0
        taken = data.ArrayLayout(key, maxima.lanes)
        given = data.ArrayLayout(unsigned(maxima.out_bits), maxima.lanes)
        flags = (*FLAGS, *(("frame_last", "resetting") if restarts else ()))
        super().__init__(
            {
                "i": In(stream.Signature(taken)),
                "o": Out(stream.Signature(data.StructLayout({"data": given, "last": 1}))),
                **{"write": In(1), "address": In(ADDRESS_BITS), "data": In(32)},
                **{name: Out(1) for name in flags},
                **({"restart": In(1)} if restarts else {}),
            }
        )

    def job(self, spec: PoolSpec | PoolJob, shape: Sequence[int] = ()) -> RuntimeJob:
        """Return a job of this core: what it computes, on frames of which shape.

        Raises
        ------
        SpecError
            As `RuntimeJob`, such as where a job passes one of the maxima, which the sentence names.
        """
        return RuntimeJob(spec, shape, self.maxima)

    def elaborate(self, platform):
        m = Module()
        reset, asked = Signal(), Signal()
        restart = self.restart if self._restarts else Const(0, 1)
        m.d.sync += reset.eq(asked & ~reset)  # of one clock
        resets = [reset]
        m.submodules.pool = pool = Module()
        columns, rows = self._columns, self._rows
        stages = dict(zip(STAGES, (columns, rows), strict=True))
        for name, stage in stages.items():  # a clock later each, near to all that it resets
            later = Signal(name=f"reset_{name}")
            m.d.sync += later.eq(resets[-1])
            pool.submodules[name] = ResetInserter(later | restart)(stage)
            resets.append(later)
        wiring.connect(pool, columns.o, rows.i)
        pool.d.comb += [columns.i.valid.eq(self.i.valid), self.i.ready.eq(columns.i.ready)]
        for target, value in zip(columns.i.payload, self.i.payload, strict=True):
            pool.d.comb += target.eq(self._key(value, columns.traits))
        if self._finish is None:
            pool.d.comb += [
                *(self.o.valid.eq(rows.o.valid), rows.o.ready.eq(self.o.ready)),
                self.o.payload.last.eq(rows.last[0]),
            ]
            for target, value in zip(self.o.payload.data, rows.o.payload, strict=True):
                pool.d.comb += target.eq(self._key(value, rows.last[1:]))
        else:
            finish, bits, low = self._finish, self.maxima.kind_bits, 1 + TRAITS.size
            pool.submodules[FINISH] = ResetInserter(resets[-1] | restart)(finish)
            wiring.connect(pool, rows.o, finish.i)
            wiring.connect(pool, finish.o, wiring.flipped(self.o))
            pool.d.comb += [
                rows.carried.eq(columns.last[:bits]),
                finish.marks.last.eq(rows.last[0]),
                finish.marks.traits.eq(rows.last[1:low]),
                finish.marks.kind.eq(Cat(rows.last[low + bits :], rows.last[low : low + bits])),
            ]
        # first and last, so that no stage takes a job over meanwhile; a register
        jobs_reset = Signal()
        m.d.sync += jobs_reset.eq(asked | Cat(resets[:-1]).any())
        m.submodules.jobs = ResetInserter(jobs_reset)(self._jobs(asked, restart, stages))
        if self._restarts:
            m.d.comb += [
                self.resetting.eq(Cat(asked, *resets).any()),
                self.frame_last.eq(columns.player.frame_last),
            ]
        return m

    def _key(self, value: Value, traits: Value) -> Value:
        """Return a value as the stages reduce it, and back: see `key_mask`."""
        least = any(each.selects == "smallest" for each in self.maxima.reduces)
        mask = key_mask(traits[0], traits[1] if least else Const(0, 1), self.maxima.bits)
        if not self.maxima.sums:
            return value ^ mask
        extended = Cat(value, value[-1] & traits[0])
        if not self.maxima.selects:
            return extended.as_signed()
        return Mux(traits[_TOTALS], extended, value ^ mask).as_signed()

    def _jobs(self, asked: Signal, restart: Value, stages: dict[str, RuntimeStage]) -> Module:
        """Return what takes writes, and says which stage takes the staged job over when."""
        m = Module()
        armed, finished = Signal(), Signal()
        units = [*stages, *([FINISH] if self._finish else [])]
        # what is written, in registers: to which block, where in it, and what
        came, at, word = Signal(), Signal(exact_log2(BLOCK)), Signal(32)
        m.d.sync += [came.eq(self.write), at.eq(self.address), word.eq(self.data)]
        written = {name: Signal(name=f"written_{name}") for name in units}
        for name, here in written.items():
            block = self._map.address(name, 0) // BLOCK
            m.d.sync += here.eq(self.write & (self.address[exact_log2(BLOCK) :] == block))
        own, low = Signal(), 2  # of the core's own block few bits say where
        m.d.sync += own.eq(self.write & (self.address[low:] == 0))

        def chosen(register: Register) -> Value:
            return own & (at[:low] == register.address)

        # a reset is what a busy core takes, too
        takes = came & ~armed
        m.d.comb += self.busy.eq(armed)
        with m.If(came & armed & ~chosen(RESET)):
            m.d.sync += self.refused.eq(1)

        arm = chosen(ARM) & ~armed
        total, turned = Signal(CHECKSUM_BITS), Signal(CHECKSUM_BITS)
        m.d.comb += turned.eq(total.rotate_left(1))
        right = Signal()
        m.d.comb += right.eq(word[:CHECKSUM_BITS] == total)
        with m.If(takes):
            halves = word[:CHECKSUM_BITS] ^ word[CHECKSUM_BITS:]
            m.d.sync += total.eq(Mux(arm, 0, turned ^ halves))
        with m.If(arm):
            m.d.sync += [armed.eq(right), self.bad.eq(~right)]
        with m.Elif(finished):
            m.d.sync += armed.eq(0)
        # the columns decide which frame is the job's first; the others wait for its number
        number, frames = Signal(FRAMES), {name: Signal(FRAMES) for name in units}
        taken = Signal(len(units))
        first, *others = units
        # behind a restart all count frames anew, and each goes on with its job but where it is to
        # take the next one; none takes one over while that is decided, nor while it begins
        since = Signal(RESTART)
        if self._restarts:
            m.d.sync += since.eq(Cat(restart, since))
        for k, name in enumerate(units):
            count, due = frames[name], armed & ~taken[k]
            if name != first:  # compared in a clock of its own: a frame takes several
                turn = Signal(name=f"turn_{name}")
                m.d.sync += turn.eq(taken[0] & (count == number))
                due &= turn
            if name in stages:
                player = stages[name].player
                begins, takes = player.began, player.copy
                m.d.sync += player.due.eq(due & ~(player.copy | restart | since.any()))
                if self._restarts:
                    has_job = Signal(name=f"{name}_has_job")
                    with m.If(player.copy):
                        m.d.sync += has_job.eq(1)
                    m.d.comb += player.again.eq(since[1] & has_job & ~(armed & ~taken[k]))
                self._stage(m, name, stages[name], written[name] & ~armed, at, word)
            else:  # it has both banks, and the old one is free when all frames before have left
                begins, takes = Signal(), due
                m.d.sync += begins.eq(self.o.valid & self.o.ready & self.o.payload.last & ~restart)
            with m.If(restart):
                m.d.sync += count.eq(0)
            with m.Elif(begins):
                m.d.sync += count.eq(count + 1)
            with m.If(finished):
                m.d.sync += taken[k].eq(0)
            with m.Elif(takes):
                m.d.sync += taken[k].eq(1)
        with m.If(stages[first].player.copy):
            m.d.sync += number.eq(frames[first])
        with m.If(restart):
            m.d.sync += number.eq(0)
        for name in others:
            # it cannot have begun a frame that has not begun in front of it
            ahead = Signal(FRAMES, name=f"ahead_{name}")
            m.d.sync += ahead.eq(frames[first] - frames[name])
            with m.If(ahead[-1]):
                m.d.sync += self.out_of_step.eq(1)
        m.d.sync += finished.eq(taken.all() & ~finished)
        m.d.comb += self.began.eq(stages[first].player.began)

        kind = format_register(self.maxima)
        traits, bank = Signal(kind.bits), Signal()
        with m.If(chosen(kind) & ~armed):
            m.d.sync += traits.eq(word)
        for stage in stages.values():
            m.d.comb += stage.staged_traits.eq(traits)
        if self._finish is not None:
            finish = self._finish
            with m.If(finished):
                m.d.sync += bank.eq(~bank)
            for stage in stages.values():
                m.d.comb += stage.staged_traits[-1].eq(bank)
            m.d.sync += [  # a clock later, near to where it is kept
                *(finish.load.eq(written[FINISH] & ~armed), finish.load_at.eq(at)),
                *(finish.load_word.eq(word), finish.load_bank.eq(bank)),
            ]
        m.d.comb += asked.eq(chosen(RESET) & word[0])
        return m

    def _stage(
        self,
        m: Module,
        name: str,
        stage: RuntimeStage,
        here: Value,
        at: Value,
        word: Value,
    ) -> None:
        """Keep what is written for a stage, `here` at a place, until it takes it over."""
        player, is_word = stage.player, at[exact_log2(WORDS)]
        m.d.comb += [
            *(player.load.eq(here & is_word), player.load_at.eq(at)),
            player.load_word.eq(word),
        ]
        staged = Signal.like(player.staged, name=f"staged_{name}", reset_less=True)
        m.d.comb += player.staged.eq(staged)
        for register in self._map.blocks[name]:
            with m.If(here & ~is_word & (at[:2] == register.address)):
                for field in register.fields:
                    m.d.sync += staged[field.name].eq(word[field.low :])
