"""A self-test on a board: its clock, its button, its lamps."""

from functools import cache
from typing import Any

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Elaboratable,
    Module,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from .pll import PllSettings
from .self_test import SelfTest
from .table import Board, Pin


class Top(Elaboratable):
    """Connect a self-test, in the module and the domain ``test``, to a board.

    It is elaborated for a platform that has the board's resources. The clock is the board's own, or
    a PLL's.
    """

    def __init__(self, board: Board, test: SelfTest, pll: PllSettings | None = None):
        self._board, self._test, self._pll = board, test, pll

    def elaborate(self, platform):
        m = Module()

        @cache
        def resource(name: str, number: int) -> Any:  # each may be asked for once
            return platform.request(name, number, dir="-")

        def port(pin: Pin) -> Any:
            found = resource(pin.name, pin.number)
            return getattr(found, pin.member) if pin.member else found

        m.domains.test = ClockDomain("test")
        m.submodules.test = DomainRenamer("test")(self._test)

        reset: Value = ResetSignal("sync", allow_reset_less=True)
        if self._board.button is not None:
            m.submodules.button = button = io.Buffer(io.Direction.Input, port(self._board.button))
            reset = reset | button.i
        if self._pll is None:
            m.d.comb += ClockSignal("test").eq(ClockSignal("sync"))
        else:
            locked = Signal()
            m.submodules.pll = self._pll.instance(ClockSignal("sync"), ClockSignal("test"), locked)
            reset = reset | ~locked
        m.submodules.reset = ResetSynchronizer(reset, domain="test")

        test = self._test
        fine = test.running & ~test.bad
        shown = {
            "running": test.running,
            "good": test.good,
            "bad": test.bad,
            "fine": fine,
            "verdict": fine | test.bad,
        }
        for lamp in self._board.lamps:
            buffer = io.Buffer(io.Direction.Output, port(lamp.pin))
            m.submodules[f"lamp_{lamp.shows}"] = buffer
            m.d.comb += buffer.o.eq(shown[lamp.shows])
        return m
