"""An `AxisStage` as both of its lemmas see it: free inputs, and one row, lane and word of it.

The words are those of docs/proofs.md. A *row* is one of the M positions between two neighbours: its
partials stand in one word of the store. `row` is any of them, and `lane` any lane of one bank; both
are free and never change, so that what is proved of them is proved of all.
"""

from collections.abc import Callable
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from streampool_hw.reduce.stage import AxisStage

from .harness import Claimed, Inside, OneRow, Platform, assume, constant

Join = Callable[[Value, Value], Value]
"""How two partials become one, written apart from the gates."""


def largest(a: Value, b: Value) -> Value:
    """Return the larger of two keys, or the first of equals."""
    return Mux(b > a, b, a)


def total(a: Value, b: Value) -> Value:
    """Return a sum."""
    return a + b


def ago(m: Module, what: Value, clocks: int, name: str, *, control: bool = True) -> list[Signal]:
    """Return what something was 1, 2, ... clocks ago; with `control` a reset clears it."""
    past: list[Signal] = []
    for clock in range(1, clocks + 1):
        register = Signal(what.shape(), name=f"{name}_{clock}", reset_less=not control)
        m.d.sync += register.eq(past[-1] if past else what)
        past.append(register)
    return past


class ProvedStage(Claimed):
    """A stage with free inputs; the lemmas add what they claim in `_lemma`.

    Parameters
    ----------
    stage : AxisStage
        One that no other module has.
    join : callable
        How its partials become one.
    bank : int
        The bank that is looked at.
    """

    def __init__(self, stage: AxisStage, join: Join, bank: int = 0):
        self.stage, self.join, self.bank = stage, join, bank
        self.plan, self.axis, self.m = stage.plan, stage.plan.axis, stage.m
        self.platform = Platform()
        self.valid, self.ready = Signal(), Signal()
        self.data = Signal(stage.i.payload.shape().size)
        self.ports = [self.valid, self.ready, self.data]
        self.i_shape, self.o_shape = (
            Shape.cast(port.payload.shape().elem_shape) for port in (stage.i, stage.o)
        )

    def elaborate(self, platform: Platform) -> Module:
        m = self.top = Module()
        stage, plan, bank = self.stage, self.plan, self.bank
        self.inside = Inside(stage, platform)
        m.submodules.stage = self.inside.fragment
        self.take, self.pop = Signal(name="take"), Signal(name="pop")
        m.d.comb += [
            stage.i.valid.eq(self.valid),
            stage.i.payload.as_value().eq(self.data),
            stage.o.ready.eq(self.ready),
            self.take.eq(stage.i.valid & stage.i.ready),
            self.pop.eq(stage.o.valid & self.ready),
        ]
        banks = stage._banks
        self.lanes, first = banks[bank], sum(banks[:bank])
        self.lane = constant(m, range(self.lanes), "lane")
        assume(m, self.lane < self.lanes)
        size = self.i_shape.width
        self.x = self._signal("x", self.i_shape)
        m.d.comb += self.x.eq(self.of_lane(self.data, self.i_shape, first * size))
        size = self.o_shape.width
        beat = stage.o.payload.as_value()[first * size : (first + self.lanes) * size]
        self.holds_last = stage._marks and bank == len(banks) - 1
        self.beat = Cat(beat, stage.last if self.holds_last else Const(0, 1))
        self.out = self._signal("out", self.o_shape)
        m.d.comb += self.out.eq(self.of_lane(beat, self.o_shape))

        fifos = [row for row in platform.rows if row.memory.read_ports[0].domain == "comb"]
        rams = [row for row in platform.rows if row not in fifos]
        assert len(fifos) == len(banks) and len(rams) in (0, len(banks))
        self.fifo_rows, self.fifo_row = fifos, fifos[bank]
        self.ram: OneRow | None = rams[bank] if rams else None
        self.row = self.ram.chosen if self.ram else constant(m, range(self.m), "row")
        assume(m, self.row < self.m)

        # what the stage decides in this clock
        self.draining = self.inside("draining") if plan.drain else Const(0, 1)
        self.step = self.inside("step") if plan.drain else self.take
        self.word = self.inside("sequencer.word")
        self._read_word()
        self.leaves = self._signal("leaves", 1)
        m.d.comb += self.leaves.eq(self.step & (self.own | self.draining))
        self.ends = self.inside("sequencer.last")  # whether the beat that leaves is the last
        if plan.drain:
            self.ends = self.draining & self.inside("drain.last")

        self._build_ghost()
        self._lemma()
        return m

    def _lemma(self) -> None:
        raise NotImplementedError

    def _signal(self, name: str, shape: object, *, control: bool = True) -> Signal:
        return Signal(shape, name=name, reset_less=not control)  # type: ignore[arg-type]

    def of_lane(self, beat: Value, shape: Shape, first: int = 0) -> Value:
        """Return what `lane` has of a bank's beat, whose lanes begin at a bit."""
        bits = beat[first : first + shape.width * self.lanes]
        part = bits.word_select(self.lane, shape.width)
        return part.as_signed() if shape.signed else part

    @cached_property
    def program(self):
        """The program as the stage plays it."""
        return self.plan.program.endless() if self.endless else self.plan.program

    @property
    def endless(self) -> bool:
        """Whether nothing asks for the program's end."""
        return not (self.plan.drain or self.stage._marks)

    def _read_word(self) -> None:
        """Take the control word apart, as `AxisPlan.program` has its bits.

        In a step without an input no partial takes one in or starts anew, and the queue shifts.
        """
        places = self.plan.partials
        constants = [self.program.constant(k) for k in range(self.plan.word_bits)]
        bits = [
            self.word[k] if known is None else Const(known, 1) for k, known in enumerate(constants)
        ]
        load, add = bits[: places + 1], bits[places + 1 : 2 * (places + 1)]
        self.shift, self.own = bits[-2:]
        if self.plan.drain:
            load = [*(bit & self.take for bit in load[:places]), load[places]]
            add = [*(bit & self.take for bit in add[:places]), add[places]]
            self.shift = self.shift | ~self.take
        self.load, self.add = load, add

    def _build_ghost(self) -> None:
        """Do each step at once on a queue of `row`'s partials, and remember what became of it.

        `known` says of each place whether it started since the last reset: before, a store may
        hold anything.
        """
        m, places = self.top, self.plan.partials
        clocks = self.stage.latency - 1  # from a step to its beat's way into the FIFO
        self.at = self._signal("at", range(self.m))  # the row of the step to come
        with m.If(self.step):
            m.d.sync += self.at.eq(Mux(self.at == self.m - 1, 0, self.at + 1))
        self.claim(self.at < self.m, "at")
        self.visit = self._signal("visit", 1)
        m.d.comb += self.visit.eq(self.step & (self.at == self.row))

        self.queue = [
            self._signal(f"queue_{j}", self.o_shape, control=False) for j in range(places)
        ]
        self.known = self._signal("known", places)
        known = Cat(*(self.load[j] | self.known[j] for j in range(places)), 1)
        new: list[Value] = []
        for j in range(places):
            value = self._signal(f"new_{j}", self.o_shape)
            before = Mux(self.load[j], 0, self.queue[j])
            m.d.comb += value.eq(self.join(before, Mux(self.add[j], self.x, 0)))
            new.append(value)
        new.append(Mux(self.add[places], self.x, 0))
        with m.If(self.visit):
            m.d.sync += self.known.eq(Mux(self.shift, known[1:], known[:places]))
            for j, place in enumerate(self.queue):
                m.d.sync += place.eq(Mux(self.shift, new[j + 1], new[j]))

        stage = self.stage
        self.levels, timing = stage.levels, stage.timing
        self.put = self.levels + timing.ready[0] + 1  # clocks from a step to its word in the RAM
        longest = max(self.put, clocks)
        self.stepped = ago(m, self.step, longest, "stepped")
        self.visited = ago(m, self.visit, longest, "visited")
        self.left = ago(m, self.leaves, clocks, "left")
        self.ended = ago(m, self.ends, clocks, "ended")
        self.knew = ago(m, known[0], clocks, "knew")
        self.given = ago(m, new[0], clocks, "given", control=False)

        # what the pipeline owes to the FIFO, and all that the second lemma takes from the first
        (port,) = self.fifo_row.memory.write_ports
        writes = Cat(row.memory.write_ports[0].en for row in self.fifo_rows)
        left, data = self.left[-1], port.data
        self.owed: dict[str, tuple[Value, Value | int]] = {
            "write": (writes == left.replicate(len(self.fifo_rows)), 1),
            "data": (
                self.of_lane(data, self.o_shape) == self.given[-1],
                left & self.visited[clocks - 1] & self.knew[-1],
            ),
        }
        if self.holds_last:
            self.owed["last"] = (data[-1] == self.ended[-1], left)
