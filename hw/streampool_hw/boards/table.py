"""The boards that a bitstream can be built for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from streampool_golden import SpecError

from ..fpga import Device, device_named
from ..fpga.tools import ToolError

SHOWS = {
    "running": "blinks while frames pass",
    "good": "lit once a round is through and all was right so far",
    "bad": "lit for good from the first mistake on",
    "fine": "blinks while frames pass and all was right so far",
    "verdict": "blinks while frames pass and all was right so far, lit for good from the"
    " first mistake on",
}
"""What a lamp may show of a self-test, and how it reads."""

LINK_SHOWS = {
    "running": "lit while a frame is in the core",
    "good": "lit once a host has begun",
    "bad": "lit from a damaged packet on until a host begins anew",
    "fine": "lit while a frame is in the core",
    "verdict": "lit while a frame is in the core, and from a damaged packet on until a host begins"
    " anew",
}
"""What the same lamps show of a link, and how it reads."""


@dataclass(frozen=True)
class Pin:
    """A resource of a board, as its platform calls it."""

    name: str
    number: int = 0  # which of its kind
    member: str = ""  # the part of it that is meant, if it has any


@dataclass(frozen=True)
class Lamp:
    """An LED and what it shows."""

    pin: Pin
    label: str  # how one finds it on the board
    shows: str  # a key of `SHOWS`


@dataclass(frozen=True)
class Serial:
    """A serial port: wires called ``rx`` and ``tx``, or USB's."""

    label: str  # how one gets at it
    pin: Pin = Pin("uart")
    alone: bool = False  # whether the board's lamps and button are its wires
    on_usb: bool = False  # whether its wires are USB's, and the chip is a device on it


@dataclass(frozen=True)
class Board:
    """A board: its platform, its lamps, and how a bitstream gets there."""

    name: str  # as the command line has it
    title: str  # as its maker calls it
    platform: str  # its class in ``amaranth_boards``: module, a colon, name
    device: str  # what is on it, one of `streampool_hw.fpga.DEVICES`
    lamps: tuple[Lamp, ...]
    loader: tuple[str, ...]  # the program that loads a bitstream, and its options before the file
    button: Pin | None = None  # starts the test anew
    button_label: str = ""  # how one finds it on the board
    serial: Serial | None = None  # a port for a link
    no_serial: str = ""  # why there is none
    other_loader: tuple[str, ...] = ()  # what loads it where that program is missing
    settings: Mapping[str, Any] = field(default_factory=dict)  # attributes that the platform gets

    @property
    def chip(self) -> Device:
        """What is on it."""
        return device_named(self.device)

    @property
    def suffix(self) -> str:
        """Of a bitstream's file."""
        return {"ecp5": "bit", "ice40": "bin", "gowin": "fs"}[self.chip.family]

    def file_name(self, *, link: bool = False, suffix: str | None = None) -> str:
        """Return how its bitstream is called, or what stands beside that."""
        return f"{self.name}{'-link' if link else ''}.{suffix or self.suffix}"

    @property
    def has_pll(self) -> bool:
        """Whether its clock can be chosen."""
        return self.chip.family == "ecp5"

    @property
    def on_usb(self) -> bool:
        """Whether its serial port is the chip's own on USB."""
        return self.serial is not None and self.serial.on_usb

    @property
    def with_link(self) -> "Board":
        """The board as a core with a link has it; refuses one that has no serial port."""
        if self.serial is None:
            able = ", ".join(name for name, board in BOARDS.items() if board.serial)
            raise SpecError(
                "link",
                f"link is not to be had on {self.name}, {self.no_serial}; use one of {able}.",
            )
        if not self.serial.alone:
            return self
        return replace(self, lamps=(), button=None, button_label="")

    def create_platform(self) -> Any:
        """Return a new platform for it."""
        module, _, name = self.platform.partition(":")
        try:
            found = getattr(import_module(f"amaranth_boards.{module}"), name)
        except ModuleNotFoundError:
            raise ToolError(
                "amaranth-boards is not installed; use the extra streampool[fpga], which has all"
                " that is needed."
            ) from None
        platform = found()
        for setting, value in self.settings.items():
            setattr(platform, setting, value)
        return platform


_USB = Serial("the USB that it is loaded by")

_RGB = (
    Lamp(Pin("rgb_led", member="b"), "RGB, blue", "running"),
    Lamp(Pin("rgb_led", member="g"), "RGB, green", "good"),
    Lamp(Pin("rgb_led", member="r"), "RGB, red", "bad"),
)


def _leds(*labels: str) -> tuple[Lamp, ...]:
    shows = ("running", "good", "bad")
    lamps = enumerate(zip(labels, shows, strict=True))
    return tuple(Lamp(Pin("led", number), *lamp) for number, lamp in lamps)


def _ulx3s(size: int) -> Board:
    return Board(
        f"ulx3s-{size}f",
        f"ULX3S with LFE5U-{size}F",
        f"ulx3s:ULX3S_{size}F_Platform",
        f"ecp5-{size}k-6",
        _leds("D0", "D1", "D2"),
        ("openFPGALoader", "-b", "ulx3s"),
        Pin("button_fire"),
        "FIRE1",
        _USB,
    )


def _orangecrab(size: int) -> Board:
    return Board(
        "orangecrab" if size == 25 else f"orangecrab-{size}f",
        f"OrangeCrab r0.2 with LFE5U-{size}F",
        f"orangecrab_r0_2:OrangeCrabR0_2_{size}FPlatform",
        f"ecp5-{size}k-8",
        _RGB,
        ("dfu-util", "-a", "0", "-D"),
        Pin("button"),
        "BTN0",
        replace(_USB, pin=Pin("usb"), on_usb=True),
        other_loader=("openFPGALoader", "-b", "orangeCrab"),
    )


BOARDS = {
    board.name: board
    for board in (
        *(_ulx3s(size) for size in (85, 45, 25)),
        *(_orangecrab(size) for size in (25, 85)),
        Board(
            "colorlight-5a-75b",
            "Colorlight 5A-75B 7.0",
            "colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
            "ecp5-25k-6",
            (Lamp(Pin("led"), "DATA_LED", "verdict"),),
            ("openFPGALoader", "-c", "ft232", "-m"),
            Pin("button"),
            "the button beside it",
            Serial("J19, by an adapter of 3.3 V: its RX to DATA_LED-, its TX to KEY+", alone=True),
        ),
        Board(
            "icebreaker",
            "iCEBreaker",
            "icebreaker:ICEBreakerPlatform",
            "ice40-up5k",
            (
                Lamp(Pin("led_g"), "green", "fine"),
                Lamp(Pin("led_r"), "red", "bad"),
            ),
            ("iceprog",),
            Pin("button"),
            "UBUTTON",
            _USB,
            other_loader=("openFPGALoader", "-b", "ice40_generic"),
        ),
        Board(
            "upduino-v3",
            "UPduino v3",
            "upduino_v3:UpduinoV3Platform",
            "ice40-up5k",
            _RGB,
            ("iceprog",),
            no_serial="whose USB leads to the flash alone",
            # its own oscillator gives 48 MHz, and divided by four what other boards have
            settings={"hfosc_div": 2},
        ),
        Board(
            "hx8k-evn",
            "iCE40-HX8K Breakout Board",
            "ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
            "ice40-hx8k",
            _leds("D2", "D3", "D4"),
            ("iceprog", "-S"),
            serial=_USB,
        ),
        Board(
            "tang-nano-9k",
            "Sipeed Tang Nano 9K",
            "tang_nano_9k:TangNano9kPlatform",
            "gowin-gw1nr9",
            _leds("LED 1", "LED 2", "LED 3"),
            ("openFPGALoader", "-b", "tangnano9k"),
            Pin("button"),
            "S2",
            _USB,
        ),
    )
}
"""The boards by name."""
