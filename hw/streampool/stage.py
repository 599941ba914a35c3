"""One axis of a pooling core: a plan carried out over M interleaved positions."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .families import GENERIC
from .operations import Operation
from .outbox import Outbox
from .schedule import AxisPlan
from .sequencer import Sequencer
from .store import DelayLine, RamStore

__all__ = ["AxisStage"]


class AxisStage(wiring.Component):
    """Pool along one axis whose neighbours are `m` beats apart, at one beat a clock.

    A *step* is the only event: an input is taken, or, at a frame's start while none is there, a
    window of the frame before drains. Every step reads one store word, the live partials of one
    position, oldest first; takes the input into those that want it; hands out the oldest if its
    window leaves; and writes the word back, shifted if so. What happens at a step is decided in
    the clock in which it is taken; from there the pipeline runs free into the output FIFO.

    Throughput: one step a clock, so ``plan.period * m`` clocks a frame in the steady state.
    Latency: `latency` clocks from the step in which a window leaves to its beat at `o`.

    Parameters
    ----------
    plan : AxisPlan
        The schedule.
    m : int
        Beats from a position to the next.
    lanes : int
        Values of a beat.
    operation : Operation
        What is computed.
    i_shape, o_shape : Shape
        One lane in, and one partial.
    family : str, optional
        The family of devices.

    Attributes
    ----------
    latency : int
        Clocks from a step to its beat at `o`.
    store_words : int
        Words of ``lanes * o_shape.width`` bits in the store: ``plan.partials * m``.
    store_bits : int
        Bits of the store.

    Members
    -------
    i : In(stream)
        Frames of ``N * m`` beats, each an array of `lanes` values.
    o : Out(stream)
        Frames of ``No * m`` beats, in the same order.
    """

    DEPTH = 6
    """Clocks from a step to its beat in the FIFO and its word in the RAM, both counted."""
    SHORT_DEPTH = 3
    """The same with partials in registers, or with none."""

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        plan: AxisPlan,
        m: int,
        lanes: int,
        operation: Operation,
        i_shape: Shape,
        o_shape: Shape,
        family: str = GENERIC,
    ):
        assert max(self.DEPTH, self.SHORT_DEPTH) <= Outbox.IN_FLIGHT
        self.plan, self.m, self.lanes, self.operation = plan, m, lanes, operation
        word = plan.partials * lanes * o_shape.width
        if not plan.partials:
            self._store = None
        elif m < self.DEPTH:  # a position comes back before a RAM would have its word
            self._store = DelayLine(word, m)
        else:
            self._store = RamStore(word, m)
        self.latency = self.DEPTH if isinstance(self._store, RamStore) else self.SHORT_DEPTH
        self.store_bits = self._store.width * self._store.depth if self._store else 0
        self.store_words = self.store_bits // (lanes * o_shape.width)
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(i_shape, lanes))),
                "o": Out(stream.Signature(data.ArrayLayout(o_shape, lanes))),
            }
        )

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        m.submodules.outbox = outbox = Outbox(self.o.payload.shape())
        wiring.connect(m, outbox.o, wiring.flipped(self.o))
        partials = self.plan.partials
        in_ram = isinstance(self._store, RamStore)
        beat = self.o.payload.shape()

        # The clock of a step. Position `partials` of the queue is virtual: what starts there is
        # shifted into the store in the same step.
        take, step, draining, word = self._control(m, outbox.room)
        load, add, shift, own = _split(word, [partials + 1, partials + 1, 1, 1])

        # Down the pipeline to where the word read in that clock comes out of the store.
        wait = RamStore.LATENCY if in_ram else 0
        x = data.View(self.i.payload.shape(), _after(m, wait, self.i.payload.as_value()))
        load = _after(m, wait, Mux(take, load, 0))
        add = _after(m, wait, Mux(take, add, 0))

        # The operands: cleared where a partial starts anew, and where the input is not a tap.
        xs = [Signal(beat, name=f"x_{j}", reset_less=True) for j in range(partials + 1)]
        for j, operand in enumerate(xs):
            for lane in range(self.lanes):
                m.d.sync += operand[lane].eq(Mux(add[j], x[lane], 0))
        old = [Signal(beat, name=f"partial_{j}", reset_less=True) for j in range(partials)]
        anew = Const(0, partials)
        if self._store:
            m.submodules.store = self._store
            words = data.View(data.ArrayLayout(beat, partials), self._store.old)
            if in_ram:
                for j, operand in enumerate(old):
                    m.d.sync += operand.eq(Mux(load[j], 0, words[j]))
            else:  # too late to clear: the input alone is chosen at the end of the same clock
                m.d.comb += [operand.eq(words[j]) for j, operand in enumerate(old)]
                anew = _after(m, 1, load)

        # Combine: in two clocks behind a RAM, in one where the position may be back in the next.
        half = 1 if in_ram else 0
        new = []
        for j, x in enumerate(xs):
            new.append(Signal(beat, name=f"new_{j}"))
            for lane in range(self.lanes):
                if j == partials:
                    value = _after(m, half, x[lane])
                else:
                    found = _after(m, half, self.operation.first(old[j][lane], x[lane]))
                    operands = _after(m, half, old[j][lane]), _after(m, half, x[lane])
                    value = self.operation.second(*operands, found)
                    value = Mux(anew[j], operands[1], value)
                m.d.comb += new[j][lane].eq(_after(m, half, value))

        # Write back, and hand out the oldest where its window leaves.
        depth = wait + 1 + 2 * half
        go = _after(m, depth, step, reset=True)
        shift = _after(m, depth, shift | ~take)
        if self._store:
            kept = [
                after if self.plan.always_shifts else Mux(shift, after, before)
                for before, after in pairwise(new)
            ]
            m.d.comb += [
                self._store.new.eq(Cat(kept)),
                self._store.get.eq(step),
                self._store.put.eq(go),
            ]
        leaves = _after(m, depth, step & (own | draining), reset=True)
        m.d.comb += [
            outbox.data.eq(_after(m, 1 - half, new[0].as_value())),
            outbox.write.eq(_after(m, 1 - half, leaves, reset=True)),
        ]
        return m

    def _control(self, m: Module, room: Value) -> tuple[Value, Value, Value, Value]:
        """Decide on this clock's step.

        Returns
        -------
        take, step, draining, word : Value
            Whether an input is taken; whether there is a step at all; whether the frame before
            has windows left, one of which leaves in this step; the control word.
        """
        plan = self.plan
        m.submodules.sequencer = sequencer = Sequencer(plan.program, plan.word_bits, self.m)
        left = Signal(range(plan.drain * self.m + 1))  # beats of the frame before still to leave
        draining = Signal()  # left > 0
        blocked = Signal()  # left > what may leave during the next frame: it has to wait
        take, step = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(room & ~blocked),
            take.eq(self.i.valid & self.i.ready),
            step.eq(take | (room & draining & sequencer.first)),
            sequencer.step.eq(take),
        ]
        if plan.drain:
            with m.If(take & sequencer.last):
                m.d.sync += [
                    left.eq(plan.drain * self.m),
                    draining.eq(1),
                    blocked.eq(plan.drain > plan.overlap),
                ]
            with m.Elif(step & draining):
                m.d.sync += [left.eq(left - 1), draining.eq(left != 1)]
                with m.If(left == plan.overlap * self.m + 1):
                    m.d.sync += blocked.eq(0)
        return take, step, draining, sequencer.word


def _split(word: Value, widths: list[int]) -> list[Value]:
    """Cut a word into fields, from the lowest bit up."""
    fields, at = [], 0
    for width in widths:
        fields.append(word[at : at + width])
        at += width
    return fields


def _after(m: Module, clocks: int, value, *, reset: bool = False) -> Value:
    """Return `value` as it was `clocks` ago; without `reset` it starts as anything."""
    value = Value.cast(value)
    for _ in range(clocks):
        register = Signal(value.shape(), reset_less=not reset)
        m.d.sync += register.eq(value)
        value = register
    return value
