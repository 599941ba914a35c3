"""Counters that tell every so many steps, by addition or as shift registers."""

from functools import cache

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..families import COUNT_BY_SHIFTING, GENERIC
from .settings import CONSTANTS, Settings
from .shifts import TAPS, shifted


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


class ShiftCounter(ModuloCounter):
    """The same for one period alone, as a shift register: a few LUTs for any length, and no carry.

    The registers go through the states of a linear feedback shift register. In a round's last step
    the bit that comes in is inverted, which leads back to the state that the round began with.
    There is one such state for each period below ``2 ** bits - 1``: what a round does is linear,
    and to each difference that it may make there is one start.
    """

    MOST = (1 << 16) - 2
    """Longest period."""

    def elaborate(self, platform):
        m = Module()
        bits, start = round_of(self._period)
        states = [start]
        for _ in range(self._period - 1):
            states.append(shifted(states[-1], bits))
        first = self._period - 1 - self._left
        state = Signal(bits, init=states[first])
        last = Signal(init=self._left == 0)
        m.d.comb += self.last.eq(last)
        with m.If(self.step):
            m.d.sync += [state.eq(shifted(state, bits, flip=last)), last.eq(state == states[-2])]
        return m


@cache
def round_of(period: int) -> tuple[int, int]:
    """Return how many bits a period takes, and the state that its rounds begin with."""
    bits = max(min(TAPS), (period + 1).bit_length())  # a round of all but 0 needs no inversion
    found, differs = 1, 1
    for _ in range(period):
        differs = shifted(differs, bits)
    differs ^= found
    # a round makes of each state's successor what it makes of the state, a step on
    while differs != 1:
        found, differs = shifted(found, bits), shifted(differs, bits)
    return bits, found


def modulo_counter(
    period: int,
    left: int | None = None,
    *,
    most: int | None = None,
    settings: Settings = CONSTANTS,
    family: str = GENERIC,
) -> ModuloCounter:
    """Return a counter as serves a family best; the parameters are those of `ModuloCounter`."""
    shifts = family in COUNT_BY_SHIFTING and settings.FIXED and most in (None, period)
    if shifts and SHORT < period <= ShiftCounter.MOST:
        return ShiftCounter(period, left, settings=settings)
    return ModuloCounter(period, left, most=most, settings=settings)


SHORT = 4
"""Period up to which an adder is smaller."""
