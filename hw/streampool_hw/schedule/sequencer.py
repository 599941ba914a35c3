"""A program of control words, one a slot of M steps, played beat by beat."""

from amaranth.hdl import Array, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .program import Program

__all__ = ["ModuloCounter", "Sequencer"]


class ModuloCounter(wiring.Component):
    """Tell every `period`-th step; the comparison is made a step ahead, so `last` is a register.

    Parameters
    ----------
    period : int
        Steps of a round, at least 1.
    left : int, optional
        Steps to come before the first round's last one; a whole round's by default.

    Members
    -------
    step : In(1)
        Whether a step is taken in this clock.
    last : Out(1)
        Whether the step to come, or taken now, is its round's last one.
    """

    step: Signal
    last: Signal

    def __init__(self, period: int, left: int | None = None):
        self._period = period
        self._left = period - 1 if left is None else left
        super().__init__({"step": In(1), "last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        if self._period == 1:
            m.d.comb += self.last.eq(1)
            return m
        left = Signal(range(self._period), init=self._left)
        more = Signal(init=self._left > 0)
        m.d.comb += self.last.eq(~more)
        with m.If(self.step):
            # at 0 the new count is added, so that the adder is all there is to it
            m.d.sync += left.eq(left + Mux(more, -1, self._period - 1))
            m.d.sync += more.eq(left != 1)
        return m


class Sequencer(wiring.Component):
    """Play a program, each word for `m` steps, over and over.

    The word that comes next is looked up while the present one stands in a register, so nothing
    waits for the look-up. After reset it stands at the first word's first step.

    Parameters
    ----------
    program : Program
        The words.
    width : int
        Bits of a word.
    m : int
        Steps of a slot.

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

    def __init__(self, program: Program, width: int, m: int = 1):
        self._program = program
        self._m = m
        super().__init__(
            {
                "step": In(1),
                "word": Out(unsigned(width)),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        program = self._program
        m.submodules.slot = slot = ModuloCounter(self._m)
        advance = Signal()
        m.d.comb += [slot.step.eq(self.step), advance.eq(self.step & slot.last)]

        word = Signal.like(self.word, init=program.words[0])
        m.d.comb += self.word.eq(word)
        if program.length == 1:
            m.d.comb += self.last.eq(slot.last)
            return m

        # `index` and `turns` are of the word that comes next, `final` of the present one
        index_init, turns_init = program.next_state(0, program.repeats - 1)
        index = Signal(range(len(program.words)), init=index_init)
        m.submodules.turns = turns = ModuloCounter(program.repeats, turns_init)
        final = Signal()
        at_loop_end = Signal()
        at_end = Signal()
        again = Signal()
        m.d.comb += [
            self.last.eq(final & slot.last),
            at_loop_end.eq(index == program.stop - 1),
            again.eq(at_loop_end & ~turns.last),
            turns.step.eq(advance & at_loop_end),
            at_end.eq((index == len(program.words) - 1) & ~again),
        ]
        with m.If(advance):
            m.d.sync += [
                word.eq(Array(program.words)[index]),
                final.eq(at_end),
            ]
            with m.If(again):
                m.d.sync += index.eq(program.start)
            with m.Elif(at_end):
                m.d.sync += index.eq(0)
            with m.Else():
                m.d.sync += index.eq(index + 1)
        return m
