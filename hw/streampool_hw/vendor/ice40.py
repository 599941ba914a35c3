"""Block RAM of an iCE40: inferred, it would have gates for what is read as it is written."""

from typing import Any, ClassVar

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.lib import memory

from ..datapath.fifo import BlockFifo
from ..schedule.shifts import shifted
from .block_store import BlockStore

_MODES = {16: 0, 8: 1, 4: 2, 2: 3}
"""Of a block's words, by their bits (Lattice FPGA-TN-02002)."""


class Ice40Store(BlockStore):
    """A store in the block RAM of an iCE40, with registers behind it, which it lacks.

    Its pointers are shift registers.
    """

    ROWS: ClassVar = {256: 16, 512: 8, 1024: 4, 2048: 2}
    FIRST = 1

    @property
    def used(self) -> int:
        bits = self._bits
        return (1 << bits) - (self.depth < 1 << bits)

    @property
    def _bits(self) -> int:
        return max(3, (self.depth - 1).bit_length())

    def after(self, row: Any) -> Any:
        return shifted(row, self._bits, whole=self.depth == 1 << self._bits)

    def block(self, m, name, read_at, write_at, write, new, old):
        row = Signal(len(old), name=f"row_{name}")
        m.submodules[name] = _block(read_at, write_at, write, new, row)
        m.d.sync += old.eq(row)


class Ice40Memory(memory.Memory):
    """A memory of 256 rows or fewer, with one port to write and one to read, in blocks.

    What is read of a row that is written in the same clock may be anything.
    """

    def elaborate(self, platform: Any) -> Any:
        if hasattr(platform, "get_memory"):
            return super().elaborate(platform)
        m = Module()
        [write], [read] = self.write_ports, self.read_ports
        for low in range(0, len(read.data), 16):
            old = Signal(16, name="row")
            part = slice(low, min(low + 16, len(read.data)))
            m.submodules += _block(read.addr, write.addr, write.en, write.data[part], old)
            m.d.comb += read.data[part].eq(old)
        return m


class Ice40Fifo(BlockFifo):
    """A pipeline's FIFO in the block RAM of an iCE40."""

    MEMORY = Ice40Memory


def _block(read_at: Value, write_at: Value, write: Value, new: Value, old: Signal) -> Instance:
    """Return a block of words of as many bits as `old` has; it comes a clock after its address."""
    bits = len(old)
    step = 16 // bits
    # a narrow word's bits are so many pins apart, from a pin on that depends on the mode
    at = {1: 0, 2: 0, 4: 1, 8: 3}[step]
    unused = Signal(16, name="unused")
    taken: list[Value] = [Const(0, 1)] * 16
    given = [unused[k] for k in range(16)]
    for k in range(bits):
        given[at + k * step] = old[k]
        if k < len(new):
            taken[at + k * step] = new[k]
    return Instance(
        "SB_RAM40_4K",
        p_READ_MODE=_MODES[bits],
        p_WRITE_MODE=_MODES[bits],
        i_RCLK=ClockSignal(),
        i_RCLKE=1,
        i_RE=1,
        i_RADDR=_address(read_at),
        i_WCLK=ClockSignal(),
        i_WCLKE=1,
        i_WE=write,
        i_WADDR=_address(write_at),
        i_MASK=Const(0, 16),
        i_WDATA=Cat(taken),
        o_RDATA=Cat(given),
    )


def _address(row: Value) -> Value:
    return Cat(row, Const(0, 11 - len(row)))
