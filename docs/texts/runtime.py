"""What docs/ states of run-time cores: their registers, and the layers of networks in turn."""

import blocks
from streampool_hw.runtime.maxima import KNOWN, Maxima
from streampool_hw.runtime.registers import STAGES, WORDS, RegisterMap
from streampool_sim.runtime import networks


def registers() -> str:
    """Return the registers of a core of all operations, and of maxima by default."""
    registers = RegisterMap(Maxima(operations=KNOWN))
    rows = []
    for block, each in registers.blocks.items():
        for register in each:
            for field in register.fields:
                if field.bits:
                    top = field.low + field.bits - 1
                    bits = f"{top}:{field.low}" if field.bits > 1 else f"{top}"
                    address = f"0x{registers.address(block, register.address):03x}"
                    rows.append(
                        [address, f"{block} {register.name}", bits, field.name, field.about]
                    )
        if block in STAGES:
            address = f"0x{registers.address(block, WORDS):03x}"
            top = registers.maxima.columns.word_bits - 1
            about = "the program, a word an address: load, add, shift, own, last, kind, loop, end"
            rows.append([address, f"{block} words", f"{top}:0", "word", about])
    return blocks.table("address | register | bits | field | what it says", rows)


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
        f" {lost:,} of {clocks:,}. {slow} layers have slots of fewer than 7 beats.\n\n{table}"
    )
