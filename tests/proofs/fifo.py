"""The FIFO at a pipeline's end: nothing lost, doubled or out of order, as credit promises."""

from amaranth.hdl import Cat, Elaboratable, Module, Signal
from streampool_hw.datapath.fifo import PipelineFifo

from .formal import AnySeq, Cover
from .harness import Inside, Platform, claim


class Fifo(Elaboratable):
    """A `PipelineFifo` behind a pipeline of `clocks` that starts work where there is credit.

    Theorem: at most `CAPACITY` - 1 beats are in it; a beat at `o` stays, unchanged, until it is
    taken; and each beat leaves once, in order, with the bits that were written.

    The last by one beat, followed from its write: the solver chooses which. Ahead of it are as many
    beats as were there, less those taken, and it is what leaves when none is.

    Invariants: the level counts the beats; level and work in flight together stay within what
    credit allows; each bank's pointers differ by the level.
    """

    def __init__(self, widths: tuple[int, ...], clocks: int = PipelineFifo.IN_FLIGHT - 1):
        self.widths, self.clocks = widths, clocks
        self.platform = Platform()
        self.ready = Signal()
        self.ports = [self.ready]

    def elaborate(self, platform: Platform) -> Module:
        m = Module()
        fifo = PipelineFifo(self.widths)
        inside = Inside(fifo, platform)
        m.submodules.fifo = inside.fragment
        room, width = PipelineFifo.CAPACITY, sum(self.widths)
        # work starts where there is credit, and ends in a write some clocks later
        flight, data = Signal(self.clocks), Signal(width)
        write, pop = flight[-1], Signal()
        m.d.sync += flight.eq(Cat(AnySeq(1) & fifo.credit, flight))
        m.d.comb += [
            data.eq(AnySeq(width)),
            fifo.i.eq(data),
            fifo.write.eq(write.replicate(len(self.widths))),
            fifo.o.ready.eq(self.ready),
            pop.eq(fifo.o.valid & self.ready),
        ]
        count = Signal(range(2 * room))
        m.d.sync += count.eq(count + write - pop)
        claim(m, count < room, "capacity")
        claim(m, fifo.o.valid == (count != 0), "valid")

        held, before = Signal(), Signal(width)
        m.d.sync += [held.eq(fifo.o.valid & ~self.ready), before.eq(fifo.o.payload)]
        claim(m, fifo.o.valid, "stays", held)

        followed, ahead, value = Signal(), Signal(range(room)), Signal(width)
        here = Signal(len(self.widths))  # each bank writes the row that its memory keeps
        with m.If(~followed), m.If(write & here.all() & AnySeq(1)):
            m.d.sync += [followed.eq(1), value.eq(data), ahead.eq(count - pop)]
        with m.Elif(pop):
            m.d.sync += [ahead.eq(ahead - 1), followed.eq(ahead != 0)]
        claim(m, fifo.o.payload == value, "order", followed & pop & (ahead == 0))

        level = inside("level")
        claim(m, level == count, "level")
        flying = sum(flight[i] for i in range(self.clocks))
        claim(m, count + flying <= room - PipelineFifo.IN_FLIGHT + self.clocks, "credit")
        claim(m, ahead < count, "ahead", followed)
        first = 0
        for bank, (row, bits) in enumerate(zip(platform.rows, self.widths, strict=True)):
            mine = slice(first, first + bits)
            (write_port,), (read_port,) = row.memory.write_ports, row.memory.read_ports
            to, at = write_port.addr, read_port.addr
            m.d.comb += here[bank].eq(to == row.chosen)
            claim(m, (to - at)[: len(to)] == level, f"pointers_{bank}")
            same = fifo.o.payload[mine] == before[mine]
            claim(m, same, f"unchanged_{bank}", held & (at == row.chosen))
            claim(m, (at + ahead)[: len(at)] == row.chosen, f"row_{bank}", followed)
            claim(m, row.kept == value[mine], f"kept_{bank}", followed)
            first += bits
        m.d.comb += Cover(followed & pop & (ahead == 0))
        return m
