"""What runs on a board: its clock, of which an ECP5 can make another, button, lamps and line."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Elaboratable,
    Instance,
    Module,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import io, wiring
from amaranth.lib.cdc import ResetSynchronizer
from streampool_golden import SpecError

from .link import usb
from .link.core import LinkedCore
from .self_test import SelfTest
from .table import Board, Pin

# Of the vendor's data sheet, in Hz: the phase detector, the oscillator, the output
_DETECTOR = (Fraction(3_125_000), Fraction(400_000_000))
_OSCILLATOR = (Fraction(400_000_000), Fraction(800_000_000))
_OUTPUT = (Fraction(3_125_000), Fraction(400_000_000))
_DIVISORS = range(1, 129)


@dataclass(frozen=True)
class PllSettings:
    """Divisors of an EHXPLLL whose output is its own feedback."""

    reference_hz: Fraction  # the clock in
    reference: int  # CLKI_DIV
    feedback: int  # CLKFB_DIV
    output: int  # CLKOP_DIV
    slower: int = 1  # how much slower a second output is, whose edges go with the first one's

    @property
    def hz(self) -> Fraction:
        """The clock out."""
        return self.reference_hz * self.feedback / self.reference

    @classmethod
    def at_most(cls, reference_hz: float, hz: float) -> "PllSettings":
        """Return the settings of the fastest clock that is not above `hz`, by trying all of them.

        Of several that give it, the one with the fastest phase detector is taken; the oscillator
        is the slowest that is allowed.
        """
        source, most = Fraction(reference_hz), Fraction(hz)
        references = [each for each in _DIVISORS if _within(source / each, _DETECTOR)]
        low, high = source / references[-1], _OUTPUT[1]
        if not low <= most <= high:
            kilohertz = math.ceil(low / 1000)
            raise SpecError(
                "freq",
                f"freq {hz / 1e6:g} is out of the PLL's reach; use {kilohertz / 1000:g} to"
                f" {float(high / 10**6):g}.",
            )
        settings = (
            cls(
                source,
                reference,
                feedback,
                math.ceil(_OSCILLATOR[0] * reference / source / feedback),
            )
            for reference in references
            for feedback in _DIVISORS
            if _within(source * feedback / reference, (_OUTPUT[0], most))
        )
        return min(settings, key=lambda each: (-each.hz, each.reference))

    @classmethod
    def for_usb(cls, reference_hz: float) -> "PllSettings":
        """Return those of the clocks that `usb.UsbSerial` needs."""
        found = cls.at_most(reference_hz, usb.IO_HZ)
        assert found.hz == usb.IO_HZ, "the board's clock does not make USB's"
        return replace(found, slower=usb.IO_HZ // usb.HZ)

    def instance(
        self, clk_i: Value, clk_o: Value, locked: Value, slow: Value | None = None
    ) -> Instance:
        """Return the ECP5's cell that makes one clock from another; `locked` is in no domain.

        `slow` is the second output.
        """
        second: dict[str, Any] = {}
        if slow is not None:
            second = {
                "a_FREQUENCY_PIN_CLKOS": str(float(self.hz) / self.slower / 1e6),
                "p_CLKOS_DIV": self.output * self.slower,
                "p_CLKOS_ENABLE": "ENABLED",
                "p_CLKOS_CPHASE": self.output - 1,
                "p_CLKOS_FPHASE": 0,
                "o_CLKOS": slow,
            }
        return Instance(
            "EHXPLLL",
            # what the placer takes as the output's constraint, and the vendor's tool for the loop
            a_FREQUENCY_PIN_CLKI=str(float(self.reference_hz) / 1e6),
            a_FREQUENCY_PIN_CLKOP=str(float(self.hz) / 1e6),
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=self.reference,
            p_CLKFB_DIV=self.feedback,
            p_CLKOP_DIV=self.output,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_CPHASE=self.output - 1,
            p_CLKOP_FPHASE=0,
            p_CLKOP_TRIM_POL="FALLING",
            p_CLKOP_TRIM_DELAY=0,
            p_FEEDBK_PATH="CLKOP",
            p_OUTDIVIDER_MUXA="DIVA",
            p_PLLRST_ENA="DISABLED",
            p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED",
            p_INTFB_WAKE="DISABLED",
            i_CLKI=clk_i,
            i_CLKFB=clk_o,
            i_RST=0,
            i_STDBY=0,
            i_PHASESEL0=0,
            i_PHASESEL1=0,
            i_PHASEDIR=1,
            i_PHASESTEP=1,
            i_PHASELOADREG=1,
            i_PLLWAKESYNC=0,
            i_ENCLKOP=0,
            o_CLKOP=clk_o,
            o_LOCK=locked,
            **second,
        )


def _within(value: Fraction, limits: tuple[Fraction, Fraction]) -> bool:
    return limits[0] <= value <= limits[1]


class Top(Elaboratable):
    """Connect a self-test, or a core with a link, to a board.

    It is elaborated for a platform that has the board's resources. The clock is the board's own, or
    a PLL's. What runs is a module and in a domain that are called as it is.
    """

    def __init__(self, board: Board, design: SelfTest | LinkedCore, pll: PllSettings | None = None):
        self._board, self._design, self._pll = board, design, pll

    def elaborate(self, platform):
        m = Module()
        board, design = self._board, self._design

        @cache
        def resource(name: str, number: int) -> Any:  # each may be asked for once
            return platform.request(name, number, dir="-")

        def port(pin: Pin) -> Any:
            found = resource(pin.name, pin.number)
            return getattr(found, pin.member) if pin.member else found

        domain = design.name
        m.domains += ClockDomain(domain)
        m.submodules[design.name] = DomainRenamer(domain)(design)

        reset: Value = ResetSignal("sync", allow_reset_less=True)
        if board.button is not None:
            m.submodules.button = button = io.Buffer(io.Direction.Input, port(board.button))
            reset = reset | button.i
        if isinstance(design, LinkedCore) and board.on_usb:
            reset = reset | ~self._usb(m, platform, design)
        elif self._pll is None:
            m.d.comb += ClockSignal(domain).eq(ClockSignal("sync"))
        else:
            locked = Signal()
            m.submodules.pll = self._pll.instance(ClockSignal("sync"), ClockSignal(domain), locked)
            reset = reset | ~locked
        m.submodules.reset = ResetSynchronizer(reset, domain=domain)

        lit = design.lamps
        for lamp in board.lamps:
            buffer = io.Buffer(io.Direction.Output, port(lamp.pin))
            m.submodules[f"lamp_{lamp.shows}"] = buffer
            m.d.comb += buffer.o.eq(lit[lamp.shows])

        if isinstance(design, LinkedCore) and not board.on_usb:
            assert board.serial is not None
            wires = resource(board.serial.pin.name, board.serial.pin.number)
            m.submodules.rx = rx = io.Buffer(io.Direction.Input, wires.rx)
            m.submodules.tx = tx = io.Buffer(io.Direction.Output, wires.tx)
            m.d.comb += [design.rx.eq(rx.i), tx.o.eq(design.tx)]
        return m

    def _usb(self, m: Module, platform: Any, design: LinkedCore) -> Signal:
        """Connect the design to USB, and return whether its clocks are there.

        The device is not reset by the button: its host would lose the port.
        """
        serial, locked = self._board.serial, Signal()
        assert serial is not None and self._pll is not None
        m.domains += [ClockDomain("usb"), ClockDomain("usb_io")]
        m.submodules.pll = self._pll.instance(
            ClockSignal("sync"), ClockSignal("usb_io"), locked, ClockSignal("usb")
        )
        m.d.comb += ClockSignal(design.name).eq(ClockSignal("usb"))
        for domain in ("usb", "usb_io"):
            m.submodules[f"{domain}_reset"] = ResetSynchronizer(~locked, domain=domain)
        wires = platform.request(serial.pin.name, serial.pin.number)
        m.submodules.usb = device = usb.UsbSerial(wires, f"streampool on {self._board.title}")
        wiring.connect(m, design.o, device.i)
        wiring.connect(m, device.o, design.i)
        return locked
