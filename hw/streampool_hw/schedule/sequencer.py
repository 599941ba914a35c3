"""A program of control words, one per slot of M steps, played beat by beat."""

from dataclasses import dataclass

from amaranth.hdl import Array, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .program import Program
from .settings import CONSTANTS, Settings


class ModuloCounter(wiring.Component):
    """Tell every `period`-th step; the comparison is made a step ahead, so `last` is a register.

    Before the first round's last step come `left`; a whole round's by default. There is room for
    rounds of up to `most`, by default of `period`; where that is above 1, so is every period.
    `settings` gives `reload`: what a round's first step leaves to come, ``period - 1``.

    Members
    -------
    step : In(1)
        Whether a step is taken in this clock.
    last : Out(1)
        Whether the step to come, or taken now, is its round's last one.
    """

    step: Signal
    last: Signal

    def __init__(
        self,
        period: int,
        left: int | None = None,
        *,
        most: int | None = None,
        settings: Settings = CONSTANTS,
    ):
        self._period, self._settings = period, settings
        self._left = period - 1 if left is None else left
        self._most = period if most is None else most
        super().__init__({"step": In(1), "last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        if self._most == 1:
            m.d.comb += self.last.eq(1)
            return m
        reload = self._settings.number("reload", self._period - 1, range(self._most))
        left = Signal(range(self._most), init=self._left)
        more = Signal(init=self._left > 0)
        m.d.comb += self.last.eq(~more)
        with m.If(self.step):
            # at 0 the new count is added, so that the adder is all there is to it
            m.d.sync += left.eq(left + Mux(more, -1, reload))
            m.d.sync += more.eq(left != 1)
        return m


@dataclass(frozen=True)
class Capacity:
    """What sizes a sequencer: the most words, turns of a loop, and steps of a slot."""

    words: int
    turns: int
    m: int


class Sequencer(wiring.Component):
    """Play a program of words of `width` bits, each for `m` steps, over and over.

    The word that comes next is looked up while the present one stands in a register, so nothing
    waits for the look-up. After reset it stands at the first word's first step. There is room for
    this program, or for any of a `capacity`.

    `settings` gives the table `words`; the places `loop_start`, `loop_end` and `last_word`; and, as
    the parts `turns` and `slot`, those of the counters of turns and of steps.

    Members
    -------
    step : In(1)
        Whether a step is taken in this clock.
    word : Out(width)
        The word of the step to come, or taken now.
    last : Out(1)
        Whether that step is the program's last.
    """

    step: Signal
    word: Signal
    last: Signal

    def __init__(
        self,
        program: Program,
        width: int,
        m: int = 1,
        *,
        capacity: Capacity | None = None,
        settings: Settings = CONSTANTS,
    ):
        self._program, self._m = program, m
        self._capacity = capacity or Capacity(len(program.words), program.repeats, m)
        self._settings = settings
        super().__init__({"step": In(1), "word": Out(unsigned(width)), "last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        program, capacity, settings = self._program, self._capacity, self._settings
        m.submodules.slot = slot = ModuloCounter(
            self._m, most=capacity.m, settings=settings.part("slot")
        )
        advance = Signal()
        m.d.comb += [slot.step.eq(self.step), advance.eq(self.step & slot.last)]

        word = Signal.like(self.word, init=program.words[0])
        m.d.comb += self.word.eq(word)
        if capacity.words == capacity.turns == 1:
            m.d.comb += self.last.eq(slot.last)
            return m

        # `index` and `turns` are of the word that comes next, `final` of the present one
        index_init, turns_init = program.next_state(0, program.repeats - 1)
        places = range(capacity.words)
        index = Signal(places, init=index_init)
        words = settings.table("words", program.words, self.word.shape())
        loop_start = settings.number("loop_start", program.start, places)
        loop_end = settings.number("loop_end", program.stop - 1, places)
        last_word = settings.number("last_word", len(program.words) - 1, places)
        m.submodules.turns = turns = ModuloCounter(
            *(program.repeats, turns_init), most=capacity.turns, settings=settings.part("turns")
        )
        final, at_loop_end, at_end, again = (
            Signal(name=name) for name in ("final", "at_loop_end", "at_end", "again")
        )
        m.d.comb += [
            self.last.eq(final & slot.last),
            at_loop_end.eq(index == loop_end),
            again.eq(at_loop_end & ~turns.last),
            turns.step.eq(advance & at_loop_end),
            at_end.eq((index == last_word) & ~again),
        ]
        with m.If(advance):
            m.d.sync += [word.eq(Array(words)[index]), final.eq(at_end)]
            with m.If(again):
                m.d.sync += index.eq(loop_start)
            with m.Elif(at_end):
                m.d.sync += index.eq(0)
            with m.Else():
                m.d.sync += index.eq(index + 1)
        return m
