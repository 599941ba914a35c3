"""Control words by an accumulator, where a program of them would be long."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..families import GENERIC
from .counters import modulo_counter
from .settings import CONSTANTS, Settings
from .uneven import Rounds


class Accumulator(wiring.Component):
    """Play the words of `Rounds`, of `width` bits, each for `m` steps, over and over.

    It does what a `Sequencer` does. The accumulator is a slot ahead: the word that comes next is
    worked out while the present one stands in a register, and both sums are always formed.

    `settings` gives `step`, what a slot adds; `left`, what that lacks to the whole; and, as the
    parts `rounds` and `slot`, those of the counters of rounds and of steps.

    Members
    -------
    step : In(1)
        Whether a step is taken in this clock.
    word : Out(width)
        The word of the step to come, or taken now.
    last : Out(1)
        Whether that step is the last of all rounds.
    """

    step: Signal
    word: Signal
    last: Signal

    def __init__(
        self,
        words: Rounds,
        width: int,
        m: int,
        *,
        settings: Settings = CONSTANTS,
        family: str = GENERIC,
    ):
        self._words, self._m, self._settings, self._family = words, m, settings, family
        super().__init__({"step": In(1), "word": Out(unsigned(width)), "last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        words, settings = self._words, self._settings
        m.submodules.slot = slot = modulo_counter(
            self._m, settings=settings.part("slot"), family=self._family
        )
        m.submodules.rounds = rounds = modulo_counter(
            words.rounds, settings=settings.part("rounds"), family=self._family
        )
        places = range(words.whole)
        step = settings.number("step", words.step, places)
        left = settings.number("left", words.whole - words.step, places)
        at = Signal(places, init=words.step)  # before the slot that comes next
        word = Signal.like(self.word, init=words.start)
        start, below, end, advance, final = (
            Signal(name=name) for name in ("start", "below", "end", "advance", "final")
        )
        beyond = at - left
        m.d.comb += [
            slot.step.eq(self.step),
            advance.eq(self.step & slot.last),
            start.eq(at == 0),
            below.eq(beyond[-1]),
            end.eq(at == left),
            rounds.step.eq(advance & end),
            self.word.eq(word),
            self.last.eq(final & slot.last),
        ]
        with m.If(advance):
            m.d.sync += [
                at.eq(Mux(below, at + step, beyond)),
                word.eq(
                    Mux(
                        start,
                        words.start,
                        Mux(end, words.end, Mux(below, words.inside, words.beyond)),
                    )
                ),
                final.eq(end & rounds.last),
            ]
        return m
