"""A program of control words, one per slot of M steps, played beat by beat."""

from dataclasses import dataclass

from amaranth.hdl import Array, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..families import GENERIC
from .counters import modulo_counter
from .program import Program
from .settings import CONSTANTS, Settings


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
        m: int,
        *,
        capacity: Capacity | None = None,
        settings: Settings = CONSTANTS,
        family: str = GENERIC,
    ):
        self._program, self._m, self._family = program, m, family
        self._capacity = capacity or Capacity(len(program.words), program.repeats, m)
        self._settings = settings
        super().__init__({"step": In(1), "word": Out(unsigned(width)), "last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        program, capacity, settings = self._program, self._capacity, self._settings
        m.submodules.slot = slot = modulo_counter(
            self._m, most=capacity.m, settings=settings.part("slot"), family=self._family
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
        m.submodules.turns = turns = modulo_counter(
            *(program.repeats, turns_init),
            most=capacity.turns,
            settings=settings.part("turns"),
            family=self._family,
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
