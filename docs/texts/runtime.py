"""What docs/ states of run-time cores: their registers, and the layers of networks in turn."""

import blocks
from streampool_bench.fpga import runtime
from streampool_bench.fpga.text import each_seed
from streampool_hw.fpga import device_named
from streampool_hw.runtime import control
from streampool_hw.runtime.maxima import KNOWN, Maxima
from streampool_sim.runtime import networks

ACCESS = {"w": "w", "r": "r", "rw": "rw", "r1": "r, 1 clears"}


def registers() -> str:
    """Return the registers of a core of all operations, with their addresses on AXI4-Lite."""
    rows = []
    for place in control.places(Maxima(operations=KNOWN)):
        register, at = place.register, f"0x{place.byte:04x}"
        many = f" ({register.many})" if register.many > 1 else ""
        for field in register.fields:
            if field.bits:
                top = field.low + field.bits - 1
                bits = f"{top}:{field.low}" if field.bits > 1 else f"{top}"
                name = f"{place.block} {register.name}{many}"
                rows.append([at, name, ACCESS[register.access], bits, field.name, field.about])
    return blocks.table("address | register | | bits | field | what it says", rows)


def placed() -> str:
    """Return the placements of run-time cores."""
    rows = runtime.known()
    if not rows:
        return "`python -m streampool_bench.fpga.runtime` was not run yet.\n"
    tools = ", ".join(f"{tool} {version}" for tool, version in rows[0]["tools"].items())
    cells = ("lut4", "carry", "ff", "lut_ram", "block_ram", "dsp")
    table = blocks.table(
        "operations | > partials | > words | > clock, MHz | bound by | > each seed, MHz | > LUT4"
        " | > carry | > FF | > LUT RAM | > block RAM | > DSP",
        [
            [
                ", ".join(row["maxima"]["operations"]),
                row["maxima"]["max_partials"],
                row["maxima"]["max_words"],
                f"{row['clock_mhz']:.1f}",
                row["bound_by"],
                each_seed(row),
                *(f"{row[cell]:,}" for cell in cells),
            ]
            for row in rows
        ],
    )
    part = device_named(rows[0]["device"]).part
    most = rows[0]["maxima"]
    paths = "".join(
        f"- {', '.join(row['maxima']['operations'])}, {row['maxima']['max_partials']} partials:"
        f" {row['critical_path']['words']}\n"
        for row in rows
    )
    return (
        f"{part}, {most['lanes']} lanes of 8 bits, rows of up to {most['max_row']:,} beats,"
        f" {tools}:\n\n{table}\n"
        f"The longest path of each, of the seed with the median clock:\n\n{paths}"
    )


def layers() -> str:
    """Return what the layers of networks take in turn."""
    rows = networks.rows()
    table = blocks.table(
        "layer | | kernel | > clocks | > limit | > clocks lost | > formula | > writes",
        [
            [
                row.name,
                row.op,
                " x ".join(map(str, row.kernel)),
                f"{row.clocks:,}",
                f"{row.limit:,}",
                row.lost,
                row.formula,
                row.writes,
            ]
            for row in rows
        ],
    )
    changes = rows[1:]
    free = sum(not row.lost for row in changes)
    slow = sum(row.bound > row.limit for row in rows)
    lost, clocks = sum(row.lost for row in changes), sum(row.clocks for row in rows)
    return (
        f"{len(rows)} layers, {len(changes)} changes: {free} lose no clock, and all together lose"
        f" {lost:,} of {clocks:,}. {slow} layers have slots of fewer than"
        f" {networks.MAXIMA.columns.slot} beats.\n\n{table}"
    )
