"""The FIFO at a pipeline's end: nothing lost, doubled or out of order, as credit promises."""

from typing import Any

from amaranth.hdl import Array, Cat, Elaboratable, Module, Signal, Value
from streampool_hw.datapath.fifo import BlockFifo, Credit, PipelineFifo, ShiftFifo
from streampool_hw.schedule.shifts import shifted

from .formal import AnySeq, Cover
from .harness import Inside, Platform, claim


class Fifo(Elaboratable):
    """A `PipelineFifo` behind a pipeline of `clocks` that starts work where there is credit.

    Theorem: at most `CAPACITY` - 1 beats are in it; a beat at `o` stays, unchanged, until it is
    taken; and each beat leaves once, in order, with the bits that were written.

    The last by one beat, followed from its write: the solver chooses which. Ahead of it are as many
    beats as were there, less those taken, and it is what leaves when none is.

    Where beats are `counted` a `Credit` says when work starts, in the FIFO's place.

    Invariants: the level counts the beats; level and work in flight together stay within what
    credit allows, or are what it has counted; each bank's pointers differ by the level, in the
    order in which they go round. Of a `BlockFifo` also: what has been read is the first beat, or
    that is beside it.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        clocks: int = PipelineFifo.IN_FLIGHT - 1,
        kind: type[PipelineFifo] = PipelineFifo,
        *,
        counted: bool = False,
    ):
        self.widths, self.clocks, self.kind, self._counted = widths, clocks, kind, counted
        self.platform = Platform()
        self.ready = Signal()
        self.ports = [self.ready]

    def elaborate(self, platform: Platform) -> Module:
        m = Module()
        fifo = self.kind(self.widths)
        inside = Inside(fifo, platform)
        m.submodules.fifo = inside.fragment
        room, width = PipelineFifo.CAPACITY, sum(self.widths)
        # work starts where there is credit, and ends in a write some clocks later
        flight, data = Signal(self.clocks), Signal(width)
        write, pop, start = flight[-1], Signal(), Signal()
        credit = Credit()
        counts = Inside(credit, platform)
        m.submodules.credit = counts.fragment
        m.d.sync += flight.eq(Cat(start, flight))
        m.d.comb += [
            start.eq(AnySeq(1) & (credit.credit if self._counted else fifo.credit)),
            *(credit.starts.eq(start), credit.leaves.eq(pop)),
        ]
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
        most = room - PipelineFifo.IN_FLIGHT + self.clocks
        claim(m, count + flying <= (room - 1 if self._counted else most), "credit")
        if self._counted:
            taken, started, left = (counts(name) for name in ("taken", "started", "left"))
            claim(m, started == flight[0], "started")
            claim(m, taken + started <= room + 1, "taken")
            claim(m, taken + started == count + flying + left + 2, "counted")
        claim(m, ahead < count, "ahead", followed)
        first = 0
        for bank, (row, bits) in enumerate(zip(platform.rows, self.widths, strict=True)):
            mine = slice(first, first + bits)
            (write_port,), (read_port,) = row.memory.write_ports, row.memory.read_ports
            to, at, place = write_port.addr, read_port.addr, self._place
            if isinstance(fifo, BlockFifo):
                at = self._claim_read(m, bank, inside, row)
            m.d.comb += here[bank].eq(to == row.chosen)
            claim(m, (place(to) - place(at))[: len(to)] == level, f"pointers_{bank}")
            same = fifo.o.payload[mine] == before[mine]
            claim(m, same, f"unchanged_{bank}", held & (at == row.chosen))
            chosen = place(row.chosen)
            claim(m, (place(at) + ahead)[: len(at)] == chosen, f"row_{bank}", followed)
            claim(m, row.kept == value[mine], f"kept_{bank}", followed)
            first += bits
        m.d.comb += Cover(followed & pop & (ahead == 0))
        return m

    def _place(self, row: Value) -> Value:
        """Return how far on in the pointers' round a row is."""
        if not issubclass(self.kind, ShiftFifo):
            return row
        round_ = [0]
        while len(round_) < PipelineFifo.CAPACITY:
            round_.append(shifted(round_[-1], 4, whole=True))
        return Array(round_.index(k) for k in range(len(round_)))[row]

    def _claim_read(self, m: Module, bank: int, inside: Inside, row: Any) -> Value:
        """Claim that the first beat is there; return its row."""
        at, after, beside, fresh = (
            inside(f"{name}_{bank}") for name in ("read_at", "after", "beside", "fresh")
        )
        [read_port] = row.memory.read_ports
        valid, first = inside("level") != 0, at == row.chosen
        claim(m, after == shifted(at, 4, whole=True), f"after_{bank}")
        claim(m, valid, f"fresh_{bank}", fresh)
        claim(m, beside == row.kept, f"beside_{bank}", fresh & first)
        claim(m, read_port.data == row.kept, f"read_{bank}", valid & ~fresh & first)
        return at
