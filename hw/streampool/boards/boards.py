"""The boards, and a self-test with a board's clock and lights."""

from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import Any

from amaranth.hdl import ClockDomain, Elaboratable, Instance, Module, Mux, Signal
from streampool_golden import SpecError

from .selftest import SelfTest

__all__ = ["BOARDS", "Board", "OnBoard", "Pll", "board_named"]

Light = tuple[str, int, str]
"""A board's resource, its number, and the part of it, if it has parts."""


@dataclass(frozen=True)
class Board:
    """A board that amaranth-boards knows.

    Parameters
    ----------
    name : str
        As the command line has it.
    platform : str
        Module and class.
    family : str
        One of `streampool.FAMILIES`.
    lights : dict of str to Light
        Where ``running``, ``good`` and ``bad`` are shown. Without ``running`` the good light
        blinks; where there is but one light, ``only``, it blinks slowly while all is well and
        quickly when it is not.
    suffix : str
        Of the bitstream.
    load : str
        What to type to load it, with ``{file}``.
    has_pll : bool
        Whether another clock may be asked for.
    """

    name: str
    platform: str
    family: str
    lights: dict[str, Light]
    suffix: str
    load: str
    has_pll: bool = False

    def make_platform(self) -> Any:
        """Return an instance of the platform."""
        module, _, name = self.platform.partition(":")
        return getattr(import_module(f"amaranth_boards.{module}"), name)()

    @property
    def lights_in_words(self) -> str:
        """What the lights say."""
        if "only" in self.lights:
            return "the one LED blinks slowly: running and good; quickly: bad"
        shown = [f"{self._light(what)} {what}" for what in self.lights]
        text = ", ".join(shown)
        return text if "running" in self.lights else f"{text}; the good one blinks while it runs"

    def _light(self, what: str) -> str:
        resource, number, part = self.lights[what]
        return f"{resource} {number}{' ' + part if part else ''}:"


def _row(*numbers: int) -> dict[str, Light]:
    return {
        what: ("led", number, "")
        for what, number in zip(("running", "good", "bad"), numbers, strict=True)
    }


_RGB = {"running": ("rgb_led", 0, "b"), "good": ("rgb_led", 0, "g"), "bad": ("rgb_led", 0, "r")}

BOARDS = {
    board.name: board
    for board in (
        *(
            Board(
                f"ulx3s-{size}f",
                f"ulx3s:ULX3S_{size}F_Platform",
                "ecp5",
                _row(0, 1, 2),
                ".bit",
                "openFPGALoader -b ulx3s {file}",
                has_pll=True,
            )
            for size in (25, 45, 85)
        ),
        Board(
            "orangecrab",
            "orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
            "ecp5",
            _RGB,
            ".bit",
            "openFPGALoader -b orangecrab {file}",
        ),
        Board(
            "colorlight-5a-75b",
            "colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
            "ecp5",
            {"only": ("led", 0, "")},
            ".bit",
            "openFPGALoader -b colorlight -c ft232 {file}",
        ),
        Board(
            "icebreaker",
            "icebreaker:ICEBreakerPlatform",
            "ice40",
            {"good": ("led", 1, ""), "bad": ("led", 0, "")},
            ".bin",
            "iceprog {file}",
        ),
        Board(
            "upduino-v3",
            "upduino_v3:UpduinoV3Platform",
            "ice40",
            _RGB,
            ".bin",
            "iceprog {file}",
        ),
        Board(
            "hx8k-evn",
            "ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
            "ice40",
            _row(0, 1, 2),
            ".bin",
            "iceprog -S {file}",
        ),
        Board(
            "tang-nano-9k",
            "tang_nano_9k:TangNano9kPlatform",
            "gowin",
            _row(0, 1, 2),
            ".fs",
            "openFPGALoader -b tangnano9k {file}",
        ),
    )
}
"""The boards by name."""


def board_named(name: str) -> Board:
    """Return a board by its name.

    Raises
    ------
    SpecError
        If there is none of this name.
    """
    if name not in BOARDS:
        raise SpecError("board", f"board {name!r} is not known; {', '.join(BOARDS)} would do.")
    return BOARDS[name]


@dataclass(frozen=True)
class Pll:
    """Settings of an ECP5's PLL (EHXPLLL; Lattice FPGA-TN-02200).

    Parameters
    ----------
    reference, feedback, output : int
        The three dividers: the clock is that of the input x feedback / reference.
    mhz : Fraction
        The clock.
    """

    reference: int
    feedback: int
    output: int
    mhz: Fraction

    LEAST_COMPARED, LEAST_VCO, MOST_VCO = Fraction(25, 8), 400, 800

    @classmethod
    def nearest(cls, input_mhz: Fraction, wanted_mhz: float) -> "Pll":
        """Return the settings that come nearest from below.

        Raises
        ------
        SpecError
            If the clock is out of the PLL's reach.
        """
        best: Pll | None = None
        for reference in range(1, 129):
            if input_mhz / reference < cls.LEAST_COMPARED:
                break
            feedback = int(Fraction(wanted_mhz) * reference / input_mhz)
            if not 1 <= feedback <= 128:
                continue
            mhz = input_mhz * feedback / reference
            output = int(cls.MOST_VCO / mhz)
            if not 1 <= output <= 128 or mhz * output < cls.LEAST_VCO:
                continue
            if best is None or mhz > best.mhz:
                best = cls(reference, feedback, output, mhz)
        if best is None:
            raise SpecError(
                "freq", f"freq {wanted_mhz:g} MHz is out of the PLL's reach; 5 to 400 would do."
            )
        return best

    def add_to(self, m: Module, clock: Any, platform: Any) -> None:
        """Drive the domain ``sync`` from a pin's clock."""
        m.domains.sync = domain = ClockDomain("sync")
        locked = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKOP=f"{float(self.mhz):.6f}",
            p_CLKI_DIV=self.reference,
            p_CLKFB_DIV=self.feedback,
            p_CLKOP_DIV=self.output,
            p_CLKOP_CPHASE=self.output - 1,
            p_CLKOP_FPHASE=0,
            p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=clock,
            i_CLKFB=domain.clk,
            i_RST=0,
            i_STDBY=0,
            i_PHASESEL0=0,
            i_PHASESEL1=0,
            i_PHASEDIR=0,
            i_PHASESTEP=0,
            i_PLLWAKESYNC=0,
            i_ENCLKOP=0,
            o_CLKOP=domain.clk,
            o_LOCK=locked,
        )
        m.d.comb += domain.rst.eq(~locked)
        platform.add_clock_constraint(domain.clk, float(self.mhz) * 1e6)


class OnBoard(Elaboratable):
    """A self-test with a board's clock and lights.

    Parameters
    ----------
    test : SelfTest
        The test.
    board : Board
        The board.
    pll : Pll, optional
        The clock, if it is not the board's own.
    """

    def __init__(self, test: SelfTest, board: Board, pll: Pll | None = None):
        self._test, self._board, self._pll = test, board, pll

    def elaborate(self, platform: Any):
        """Build the gates."""
        m = Module()
        m.submodules.test = test = self._test
        if self._pll is not None:
            self._pll.add_to(m, platform.request(platform.default_clk).i, platform)
        lights = self._board.lights
        quick = Signal(test.blink_bits - 2)
        m.d.sync += quick.eq(quick + 1)
        shown = {
            "running": test.running,
            "good": test.good if "running" in lights else test.good & test.running,
            "bad": test.bad,
            "only": Mux(test.bad, quick[-1], test.running),
        }
        pins: dict[tuple[str, int], Any] = {}
        for what, (resource, number, part) in lights.items():
            key = resource, number
            pin = pins[key] = pins[key] if key in pins else platform.request(resource, number)
            m.d.comb += (getattr(pin, part) if part else pin).o.eq(shown[what])
        return m
