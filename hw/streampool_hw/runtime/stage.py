"""A stage whose schedule is in registers, and that keeps what is left of a frame apart."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import cast

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data

from ..datapath.fifo import Credit
from ..datapath.pipeline import copies, delay
from ..datapath.store import DelayLine, RamStore, Store
from ..families import GENERIC
from ..reduce.reduction import TOTAL
from ..reduce.stage import Stage
from ..reduce.steps import Control
from ..schedule.settings import CONSTANTS, Settings
from ..vendor.memories import ram_store
from .maxima import StageMaxima
from .player import Player
from .queue import Asked, Place, QueueGates


@dataclass(frozen=True)
class RuntimeControl(Control):
    """What is decided in a clock, and what `RamStore.LATENCY` clocks later of the same step.

    Parameters
    ----------
    carried : Value, optional
        What came beside the input of the position that leaves.
    """

    carried: Value | None = None


class RuntimeStage(Stage):
    """Pool along one axis, as the job at work says; `player` is told which that is.

    A second store has a copy of every word that is written back. When a run's last input is in, it
    is kept from then on, and the windows that are left leave from there, round by round, while the
    next run's beats come in. These wait only where a window of their own would leave before.

    A stage selects the largest of keys of `key_bits`, or where these are 0 sums. A job also has
    `traits`, so many bits: `staged_traits` are the next one's, `traits` those of the beat to come.
    One of them may say whether this step `totals`, and does not select. Where there are kinds of
    windows, each beat's leaves with it.

    `carried` are bits of a position that come with its inputs, and leave with its windows. For
    `marks_last` three things leave with each beat from the lowest bit up: whether it is the frame's
    last, its traits, and its kind; else its kind alone. What is carried is above.

    Throughput: one step per clock, and ``most.slot`` clocks or more per slot.
    """

    def __init__(
        self,
        most: StageMaxima,
        lanes: int,
        i_shape: Shape,
        o_shape: Shape,
        family: str = GENERIC,
        *,
        traits: int = 0,
        key_bits: int = 0,
        totals: int | None = None,
        carries: int = 0,
        marks_last: bool = False,
        seamless: bool = False,
    ):
        self._most, self._marks_last = most, marks_last
        self._totals, self._key_bits = totals, key_bits
        self._counts = seamless and most.far > 0
        self.player = Player(most)
        self.staged_traits, self.traits = Signal(traits), Signal(traits, reset_less=True)
        self.carried = Signal(carries)
        super().__init__(
            *(most.partials, most.m, lanes, TOTAL, i_shape, o_shape, family),
            marks=(1 + traits) * marks_last + most.kind_bits + carries,
            seamless=seamless and not self._counts,
            behind=min(most.far, 1),
        )

    def _control(self, m: Module, credit: Value) -> Control:
        most = self._most
        m.submodules.player = player = self.player
        word = [player.word[k] for k in range(most.word_bits)]
        load, skip = word[: most.partials + 1], [~bit for bit in word[most.partials + 1 :]]
        skip, shift = skip[: most.partials + 1], word[most.own_bit - 1]
        own, is_last = word[most.own_bit], word[most.own_bit + 1]

        # what is left of the run before: rounds of rows, a window's place each
        draining, started = Signal(), Signal()
        data, bits, places = partial(Signal, reset_less=True), most.m_bits, most.drains
        m1, many, drain, kinds = data(bits), data(), data(places), data(places * most.kind_bits)
        row, more, place, rounds = data(bits), data(), data(places), data(places)
        take, pop, is_last_left = Signal(), Signal(), Signal()
        leaves = take & own | pop
        if self._counts:
            m.submodules.credit = counts = Credit()
            m.d.comb += counts.starts.eq(leaves)
            m.d.comb += counts.leaves.eq(self.o.valid & self.o.ready)
            credit = counts.credit
        m.d.comb += [
            self.i.ready.eq(credit & ~player.shut),
            take.eq(self.i.valid & self.i.ready),
            player.step.eq(take),
            pop.eq(credit & draining & ~player.settling),
            is_last_left.eq(~more & rounds[0]),
        ]
        with m.If(player.final & ~player.copied):
            m.d.sync += [m1.eq(player.job.m1), many.eq(player.many)]
            m.d.sync += [drain.eq(player.job.drain), kinds.eq(player.job.kinds)]
        # until it may leave: where slots are short, its job comes late
        waits = ~draining | player.settling & ~started
        with m.If(waits | pop & ~more):
            m.d.sync += [row.eq(1), more.eq(many)]
        with m.Elif(pop):
            m.d.sync += [row.eq(row + 1), more.eq((row - m1)[-1])]
        with m.If(waits):
            m.d.sync += [place.eq(1), rounds.eq(drain)]
        with m.Elif(pop & ~more):
            m.d.sync += [place.eq(place.rotate_left(1)), rounds.eq(rounds >> 1)]
        some, left = data(), draining & ~(pop & is_last_left)
        m.d.sync += [
            some.eq(Mux(player.copied, drain, player.job.drain).any()),
            draining.eq(Mux(player.ends, some, left)),
            started.eq(draining & (started | ~player.settling)),
        ]
        m.d.comb += [
            *(player.drains.eq(left), player.keeps.eq(draining & ~is_last_left)),
            player.leaves.eq(some),
        ]

        # those of the job to come outlast a reset, as the job itself does
        next_traits, left_traits = (
            Signal.like(self.traits, name=f"{when}_traits") for when in ("next", "left")
        )
        with m.If(player.copy):
            m.d.sync += next_traits.eq(self.staged_traits)
        with m.If(player.between | player.ends):
            m.d.sync += self.traits.eq(next_traits)
        with m.If(player.ends):
            m.d.sync += left_traits.eq(self.traits)

        # where something is left, no window of this run's own leaves
        last = Mux(draining, is_last_left, is_last & player.slot_last)
        marks = [last, Mux(draining, left_traits, self.traits)] if self._marks_last else []
        if most.kind_bits:
            left_kind, bits = Signal(most.kind_bits), most.kind_bits
            for j in range(most.drains):
                with m.If(place[j]):
                    m.d.comb += left_kind.eq(kinds.word_select(j, bits))
            own_kind = player.word[most.own_bit + 2 : most.loop_bit]
            marks.append(Mux(draining, left_kind, own_kind))
        finished = take & ~draining
        # a reset is over where there is a job
        slot_ends = take & player.slot_last | player.idle
        round_ends = pop & ~more | player.idle
        # where a register is cleared, so that it takes no LUT to invert it
        elsewhere = [~(pop & each) for each in place]
        beside = [slot_ends, finished, pop, round_ends, *elsewhere]
        if self._totals is not None:
            beside.append(self.traits[self._totals])
        carried = None
        if len(self.carried):
            # a position's bits are kept as its partials are
            m.submodules.carried = kept = ram_store(
                len(self.carried), self.m, self._family, CONSTANTS, restarts=True
            )
            m.d.comb += [
                kept.write_data.eq(delay(m, self.carried, name="carries_written")),
                kept.write_en.eq(delay(m, finished, name="carries_write", reset=True)),
                kept.write_last.eq(delay(m, slot_ends, name="carries_last")),
                kept.read_en.eq(delay(m, pop, name="carries_left", reset=True)),
                kept.read_last.eq(delay(m, round_ends, name="carries_round")),
            ]
            is_left = delay(m, pop, 1 + RamStore.LATENCY, name="carries_left")
            own_bits = delay(m, self.carried, 1 + RamStore.LATENCY, name="carries")
            carried = Mux(is_left, kept.read_data, own_bits)
        word = [*load, *skip, shift]
        return RuntimeControl(take, word, leaves, Cat(marks), tuple(beside), carried)

    def _marked(self, m: Module, control: Control) -> Value:
        marked, carried = super()._marked(m, control), cast(RuntimeControl, control).carried
        if carried is None:
            return marked
        clocks = self.latency - 2 - RamStore.LATENCY
        return Cat(marked, delay(m, carried, clocks, name="carried"))

    def _ram(self, bits: int, settings: Settings) -> RamStore:
        return ram_store(bits, self.m, self._family, settings, restarts=True)

    def _turn(
        self, m: Module, told: Control, x: list[Value], stores: list[DelayLine | RamStore]
    ) -> Value:
        partials, (store,), timing = self._partials, stores, self._timing
        comes, ready, bits = timing.comes[0], timing.ready[0], self._key_bits
        load, skips = told.word[: partials + 1], told.word[partials + 1 : -1]
        sums = self._totals is not None or not bits
        shift, moves = copies(m, 1, delay(m, told.word[-1], ready - 2 - sums, name="shift"))
        is_left = delay(m, told.beside[2], ready - 1 - sums, name="is_left")
        totals: Value = Const(not bits, 1)  # a clock before the word
        if self._totals is not None:
            totals = delay(m, told.beside[-1], comes - 1, name="totals")
        gates = QueueGates(m, self._partial, bits, sums)
        # half-way from the blocks of a large store
        there = delay(m, store.read_data, self._timing.comes[0] - RamStore.LATENCY, name="queue")
        words = data.View(self._words(len(x), partials), there)

        now = [delay(m, value, comes, name="x") for value in x]
        plain = [delay(m, value, name="x") for value in now]
        alone = [delay(m, value, name="x") for value in plain]
        places: list[list[Place]] = []
        for j in range(partials + 1):
            skip, taken = delay(m, skips[j], comes, name=f"skip_{j}"), plain
            late = delay(m, skip, name=f"skip_{j}")
            if sums:  # a sum with 0 where the input is no tap
                taken = [gates.cleared(skip, value, f"x_{j}") for value in now]
            if j == partials:
                both = zip(taken, alone, strict=True)
                places.append([gates.behind(j, *inputs, late) for inputs in both])
                continue
            anew = delay(m, load[j], comes - 1, name=f"load_{j}")
            adds_none, keeps_none = (
                delay(m, anew | other, name=f"none_{j}") for other in (~totals, totals)
            )
            asked = Asked(adds_none, keeps_none, late & ~delay(m, totals, 2, name="totals"))
            lanes = zip(now, taken, alone, [word[j] for word in words], strict=True)
            places.append([gates.place(j, *lane, asked) for lane in lanes])

        kept, own = [], []
        for queue in zip(*places, strict=True):
            for j, (here, behind) in enumerate(pairwise(queue)):
                kept.append(gates.kept(j, here, behind, shift, moves))
            own.append(gates.leaving(queue[0], is_left))
        m.d.comb += [
            store.read_en.eq(told.step),
            store.write_data.eq(delay(m, Cat(kept), self._way, name="kept")),
            store.write_en.eq(self._writers(m, store, told.step, 0, name="write", reset=True)),
        ]
        return Cat(own)

    def _writers(
        self, m: Module, store: Store, bit: Value, late: int, *, name: str, reset: bool = False
    ) -> Value:
        """Return a bit of a step when its word is written, for each of a store's writers."""
        clocks = self._timing.ready[0] + self._way + late
        levels = (store.writers - 1).bit_length()
        bit = delay(m, bit, clocks - levels - 1, name=name, reset=reset)
        each = copies(m, levels, bit, reset=reset)[: store.writers]
        # no inversion between the last register and a block
        return Cat(delay(m, bit, name=name, reset=reset) for bit in each)

    @property
    def _way(self) -> int:
        """Clocks from the new partials to the store's write."""
        return 1 + max(self._most.far - 1, 0)

    def _words(self, lanes: int, partials: int) -> data.ArrayLayout:
        """Return what a word of a store has: each lane's partials side by side, the oldest first.

        So a lane is near its own blocks of memory.
        """
        return data.ArrayLayout(data.ArrayLayout(self._partial, partials), lanes)

    def _leaving(
        self, m: Module, told: Control, stores: list[DelayLine | RamStore], own: Value
    ) -> Value:
        (store,), drains, timing = stores, self._most.drains, self._timing
        slot_ends, finished, pop, round_ends, *elsewhere = told.beside[: 4 + drains]
        lanes = len(own) // self._partial.width
        m.submodules.finished = kept = ram_store(
            len(own) * drains, self.m, self._family, CONSTANTS, restarts=True
        )
        queues = data.View(self._words(lanes, self._partials), store.write_data)
        # what leaves is a register `early` clocks after its row is read
        early = timing.depth - 1 - RamStore.LATENCY - 2
        drained = Cat(queues[lane][j] for lane in range(lanes) for j in range(drains))
        writers = partial(self._writers, m)
        m.d.comb += [
            store.read_last.eq(slot_ends),
            store.write_last.eq(writers(store, slot_ends, 0, name="write_last")),
            kept.write_last.eq(writers(kept, slot_ends, 1, name="finished_last")),
            kept.write_data.eq(delay(m, drained, name="drained")),
            kept.write_en.eq(writers(kept, finished, 1, name="write_finished", reset=True)),
            kept.read_en.eq(delay(m, pop, early, name="read_finished", reset=True)),
            kept.read_last.eq(delay(m, round_ends, early, name="round_ends")),
        ]
        found = delay(m, kept.read_data, name="finished")
        words = data.View(self._words(lanes, drains), found)
        left: Value = Const(0, 1)
        for j, other in enumerate(elsewhere):
            chosen = Signal(len(own), name=f"finished_{j}", reset_less=True)
            clears = delay(m, other, timing.depth - 2, name=f"elsewhere_{j}")
            m.d.sync += chosen.eq(Mux(clears, 0, Cat(each[j] for each in words)))
            left = left | chosen
        out = Signal(len(own), name="leaving")
        m.d.comb += out.eq(left | own)
        return out
