"""A pipeline cut by FIFOs, and one beat of it followed from its step to the port.

The column stages and the pieces before and behind the stages are made so: pieces of a few clocks,
each with a `PipelineFifo` behind it, and started where that has credit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, Value
from streampool_hw.datapath.fifo import PipelineFifo

from .harness import OneRow
from .stage import ago

Claim = Callable[..., None]
"""``(what, name, when)``, as `harness.claim` without its module."""


@dataclass(frozen=True)
class Place:
    """Where the followed beat may be.

    Parameters
    ----------
    name : str
        What a claim of it is called.
    here : Value
        Whether it is there.
    behind : Value
        How many beats leave before it.
    piece, clock : int
        In which piece, and so many clocks after its start; 0 for the FIFO.
    """

    name: str
    here: Value
    behind: Value
    piece: int
    clock: int


class Pieces:
    """The pieces of a pipeline, and their FIFOs.

    Parameters
    ----------
    m : Module
        To put the ghosts into.
    inside : callable
        What gives a signal inside by its name.
    clocks : sequence of int
        The clocks of each piece.
    rows : sequence of OneRow
        The memories of their FIFOs, which are ``fifo_0`` and so on.
    starts : Value
        Whether a beat starts in the first piece in this clock.
    follow : Value
        Whether it is the one to follow.
    ready : Value
        Whether what comes out is taken.

    Attributes
    ----------
    levels : list of Signal
        How many beats each FIFO has.
    started : list of list of Value
        Whether a beat started in each piece so many clocks ago, from 0 on.
    writes : list of Value
        Whether each FIFO is written.
    gap : Signal
        Beats on their way, all together.
    most : int
        More beats than there can be on their way.
    drop : Signal
        Whether the followed beat goes to a row of a memory that is not the kept one.
    """

    def __init__(
        self,
        m: Module,
        inside: Callable[[str], Signal],
        clocks: Sequence[int],
        rows: Sequence[OneRow],
        starts: Value,
        follow: Value,
        ready: Value,
    ):
        self.m, self.clocks, self.rows = m, clocks, rows
        count = len(clocks)
        self.levels = [inside(f"fifo_{j}.level") for j in range(count)]
        self.credits = [inside(f"credit_{j}") for j in range(count)]
        self.ready = [*self.credits[1:], ready]
        self.valids = [inside(f"fifo_{j}.o__valid") for j in range(count)]
        self.pops = [valid & go for valid, go in zip(self.valids, self.ready, strict=True)]
        self.writes = [row.memory.write_ports[0].en for row in rows]
        entering = [starts, *self.pops[:-1]]
        self.started = [
            [go, *ago(m, go, clocks[j], f"started_{j}")] for j, go in enumerate(entering)
        ]
        self.flying = [sum(started[1:], start=Signal(0)) for started in self.started]
        self.most = count * (PipelineFifo.CAPACITY + PipelineFifo.IN_FLIGHT)
        self.gap = Signal(range(self.most), name="gap")
        m.d.comb += self.gap.eq(sum(self.levels) + sum(self.flying))
        self.drop = Signal(name="drop")
        self.places = list(self._follow(follow))

    def _follow(self, follow: Value) -> Iterator[Place]:
        m, drops = self.m, []
        for j, (clocks, row, level) in enumerate(
            zip(self.clocks, self.rows, self.levels, strict=True)
        ):
            later = sum(self.levels[j + 1 :]) + sum(self.flying[j + 1 :])
            on_its_way = ago(m, follow, clocks, f"followed_{j}")
            for i, here in enumerate(on_its_way, 1):
                behind = later + level + sum(self.started[j][i + 1 :])
                yield Place(f"flies_{j}_{i}", here, behind, j, i)
            arrives = on_its_way[-1] if clocks else follow
            (write,) = row.memory.write_ports
            kept = write.addr == row.chosen
            drops.append(arrives & ~kept)
            here = Signal(name=f"in_fifo_{j}")
            before = Signal(range(PipelineFifo.CAPACITY), name=f"before_{j}")
            with m.If(arrives & kept):
                m.d.sync += [here.eq(1), before.eq(level - self.pops[j])]
            with m.Elif(here & self.pops[j]):
                m.d.sync += [before.eq(before - 1), here.eq(before != 0)]
            yield Place(f"in_fifo_{j}", here, later + before, j, 0)
            follow = here & self.pops[j] & (before == 0)
        self.out = follow
        m.d.comb += self.drop.eq(sum(drops) != 0)

    def claims(self, claim: Claim) -> None:
        """Claim what no FIFO does wrong: the levels, the credit, and one beat's place."""
        room = PipelineFifo.CAPACITY - PipelineFifo.IN_FLIGHT
        for j, (clocks, row) in enumerate(zip(self.clocks, self.rows, strict=True)):
            (write,), (read,) = row.memory.write_ports, row.memory.read_ports
            level = self.levels[j]
            claim(self.started[j][0] <= self.credits[j], f"starts_{j}")
            claim(self.valids[j] == (level != 0), f"valid_{j}")
            claim(level + self.flying[j] <= room + clocks, f"credit_{j}")
            claim((write.addr - read.addr)[: len(read.addr)] == level, f"pointers_{j}")
        for place in self.places:
            if place.clock:
                claim(self.started[place.piece][place.clock], f"{place.name}_started", place.here)
                continue
            row = self.rows[place.piece]
            (read,) = row.memory.read_ports
            later = sum(self.levels[place.piece + 1 :]) + sum(self.flying[place.piece + 1 :])
            before = place.behind - later
            there = (read.addr + before)[: len(read.addr)] == row.chosen
            claim(there & (before < self.levels[place.piece]), f"{place.name}_row", place.here)

    def goes_on(self, claim: Claim) -> None:
        """Claim that each piece has credit again soon after what is behind it is ready.

        That is, within one clock more than it has, and in each of them a beat leaves.
        """
        room = PipelineFifo.CAPACITY - PipelineFifo.IN_FLIGHT
        for j, clocks in enumerate(self.clocks):
            held_up = Signal(range(clocks + 3), name=f"held_up_{j}")
            stuck = self.ready[j] & ~self.credits[j]
            self.m.d.sync += held_up.eq(Mux(stuck, held_up + 1, 0))
            sum_ = self.levels[j] + self.flying[j] + held_up
            claim((held_up == 0) | (sum_ <= room + clocks), f"sinking_{j}")
            claim(held_up <= clocks + 1, f"goes_on_{j}")

    def constant(self, claim: Claim) -> None:
        """Claim that, where what is behind is always ready, each beat takes the same time."""
        for j, write in enumerate(self.writes):
            written = Signal(name=f"written_{j}")
            self.m.d.sync += written.eq(write)
            claim(self.levels[j] == written, f"constant_{j}")
