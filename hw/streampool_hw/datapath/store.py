"""What keeps the live partials of M interleaved positions between their steps."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..schedule.settings import CONSTANTS, Settings


class Store(wiring.Component):
    """A store of `depth` words of `width` bits, one word per position, visited in turn.

    `settings` gives where a RAM's pointers turn round: `last_row`. A store that `restarts` is told
    instead, clock by clock.

    Members
    -------
    read_en : In(1)
        Whether the next position's word is read in this clock.
    read_data : Out(width)
        The word read; a register.
    write_en : In(writers)
        Whether `write_data` takes the place of the word read longest ago and not yet written back:
        the same bit for each group of memories that has a pointer of its own.
    write_data : In(width)
        The word to write.
    read_last : In(1)
        Only where it `restarts`: whether the next word read is the first position's, as with the
        last one's in this clock. Before the first one it is high for a clock.
    write_last : In(writers)
        The same of the next word written, for each group.
    """

    read_en: Signal
    read_data: Signal
    write_en: Signal
    write_data: Signal
    read_last: Signal
    write_last: Signal

    def __init__(
        self, width: int, depth: int, settings: Settings = CONSTANTS, *, restarts: bool = False
    ):
        self.width, self.depth, self._settings = width, depth, settings
        self._restarts = restarts
        super().__init__(
            {
                **{"read_en": In(1), "read_data": Out(width)},
                **{"write_en": In(self.writers), "write_data": In(width)},
                **({"read_last": In(1), "write_last": In(self.writers)} if restarts else {}),
            }
        )

    @property
    def writers(self) -> int:
        """How many bits say that there is a write."""
        return 1


class DelayLine(Store):
    """A store of registers for few positions: a word written comes back `depth` writes later.

    A word is written in the clock in which `read_data` is used, so `read_en` has no meaning here.
    """

    def elaborate(self, platform):
        m = Module()
        # stale words are never seen, so they need no reset
        line = [Signal(self.width, name=f"word_{i}", reset_less=True) for i in range(self.depth)]
        m.d.comb += self.read_data.eq(line[-1])
        with m.If(self.write_en):
            for source, target in zip([self.write_data, *line], line, strict=False):
                m.d.sync += target.eq(source)
        return m


class RamStore(Store):
    """A store in block or distributed RAM, for at least as many positions as the pipeline is deep.

    Two pointers go round, each at its own pace: a word has to be written before its position
    is read again, at the earliest `depth` clocks after it was read.
    """

    LATENCY = 2
    """Clocks from `read_en` to its word at `read_data`: the RAM's read and its output register."""

    def elaborate(self, platform):
        m = Module()
        mem = memory.Memory(shape=unsigned(self.width), depth=self.depth, init=[])
        m.submodules.memory = mem
        read_port = mem.read_port()
        write_port = mem.write_port()
        if self._restarts:
            lasts = [self.read_last, self.write_last]
        else:
            row = self._settings.number("last_row", self.depth - 1, range(self.depth))
            lasts = [port.addr == row for port in (read_port, write_port)]
        goes = (self.read_en, self.write_en)
        for port, go, last in zip((read_port, write_port), goes, lasts, strict=True):
            with m.If(go):
                m.d.sync += port.addr.eq(port.addr + 1)
                if not self._restarts:
                    with m.If(last):
                        m.d.sync += port.addr.eq(0)
            if self._restarts:
                with m.If(last):
                    m.d.sync += port.addr.eq(0)
        old = Signal(self.width, reset_less=True)
        m.d.sync += old.eq(read_port.data)
        m.d.comb += [
            self.read_data.eq(old),
            read_port.en.eq(1),
            write_port.data.eq(self.write_data),
            write_port.en.eq(self.write_en),
        ]
        return m
