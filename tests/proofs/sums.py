"""No sum wraps: an exact sum of a window's taps fits in the registers of its stage.

Lemma "rule" says that what leaves a stage is the sum of its window's taps modulo ``2**width``.
Where the exact sum is within the range of that width, the two are equal, whatever is in between.
So there are three things to show:

- A window that leaves has taken in as many values as it has taps, and never more than
  ``most_taps``: `counts` plays the plan's own control words and counts.
- A sum of so many values, of so many terms each, is within the accumulator's range, and the
  stage's registers hold that range: `ranges`, by arithmetic.
- The stage's gates for a sum, as narrow as they are, do what gates of any width do, for as many
  values as a window has: `Accumulates`, for a solver.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from amaranth.hdl import Elaboratable, Module, Mux, Shape, Signal, signed
from streampool_golden import Axis, PoolJob, PoolSpec
from streampool_golden import operations as golden_operations
from streampool_golden.networks import networks
from streampool_hw import PoolCore
from streampool_hw.reduce import reduction
from streampool_hw.reduce.reduction import sums
from streampool_hw.schedule import plan as plans
from streampool_hw.schedule import program
from streampool_hw.schedule.plan import AxisPlan

from .cases import Case, random_axes
from .exact import Check
from .harness import Platform, claim

MODULES = (plans, program, reduction, golden_operations)
SUMS = ("avg", "sum", "l2", "lp1", "lp2", "lp3", "lp4")


def counts(plan: AxisPlan) -> Iterator[str]:
    """Yield windows that leave with another number of values than they have taps."""
    places, period = plan.partials + 1, plan.period
    words = list(plan.program)
    words += [1 << 2 * places] * (period - len(words))  # no input: the queue shifts
    wanted = {
        frame * period + slot: len(plan.axis.taps(window))
        for frame in range(3)
        for window, slot in enumerate(plan.leave)
    }
    queue = [0] * places
    for slot in range(3 * period):
        word = words[slot % period]
        load, add, shift = word, word >> places, word >> (2 * places) & 1
        for place in range(places):
            queue[place] *= 1 - (load >> place & 1)
            queue[place] += add >> place & 1
        if slot in wanted and queue[0] != wanted[slot]:
            yield f"{plan.axis}: {queue[0]} values in slot {slot}"
        if shift:
            queue = [*queue[1:], 0]
        queue[-1] = 0  # the last place is no word of the store


def ranges(job: PoolJob) -> Iterator[str]:
    """Yield stages whose registers do not hold every sum of their windows."""
    for taps, _, out in stages(job):
        low, high = of_taps(job, taps)
        least = -(1 << out.width - 1) if out.signed else 0
        if low < least or high > least + (1 << out.width) - 1:
            yield f"{job.spec} on {job.shape}: {low} to {high} in {out}"


def stages(job: PoolJob) -> Iterator[tuple[int, Shape, Shape]]:
    """Yield of each stage the taps of its windows in all, and what a value in and out is."""
    taps = 1
    for stage, built in zip(job.stages, PoolCore(job).stages.values(), strict=True):
        taps *= stage.along.most_taps
        i, o = (Shape.cast(port.payload.shape().elem_shape) for port in (built.i, built.o))
        yield taps, i, o


def of_taps(job: PoolJob, taps: int) -> tuple[int, int]:
    """Return the least and the largest sum of up to so many terms of a job."""
    low, high = job.operation.term_range(job.input.low, job.input.high)
    return min(0, taps * low), max(0, taps * high)


def jobs(ops: Sequence[str] = SUMS) -> Iterator[PoolJob]:
    """Yield the layers with each operation that sums; of sums also those of other types."""
    for layer in networks():
        for op in ops:
            for dtype in ("int8", "uint8", "int16") if op == "sum" else ("int8",):
                yield PoolJob(replace(layer.spec, op=op, dtype=dtype), layer.shape)


class Accumulates(Elaboratable):
    """The gates of a sum, of values of a range, in registers of a stage's shape.

    Theorem: of at most `taps` values, the sum in the narrow register is that in a wide one.
    Invariant: of c values a sum is between c times the lowest and c times the highest.
    """

    def __init__(self, taps: int, low: int, high: int, i_shape: Shape, o_shape: Shape):
        self.taps, self.low, self.high = taps, low, high
        self.i_shape, self.o_shape = i_shape, o_shape
        self.platform = Platform()
        self.x, self.begin = Signal(i_shape), Signal()
        self.ports = [self.x, self.begin]

    def elaborate(self, platform: Platform) -> Module:
        m = Module()
        gates = sums(_ANY, 0)
        count, narrow = Signal(range(self.taps + 1)), Signal(self.o_shape)
        wide = Signal(signed(self.o_shape.width + 4))
        x = Signal(self.i_shape)  # within the range
        m.d.comb += x.eq(Mux((self.x < self.low) | (self.high < self.x), self.low, self.x))
        whole = Signal.like(wide)
        part = Signal(self.o_shape)
        m.d.comb += [whole.eq(Mux(self.begin, 0, wide)), part.eq(Mux(self.begin, 0, narrow))]
        with m.If(self.begin | (count < self.taps)):
            m.d.sync += [
                count.eq(Mux(self.begin, 0, count) + 1),
                wide.eq(whole + x),
                narrow.eq(gates.second(part, x, gates.first(part, x))),
            ]
        claim(m, narrow == wide, "same")
        claim(m, (count * self.low <= wide) & (wide <= count * self.high), "range")
        return m


_ANY = PoolJob(PoolSpec("sum", 2), (1, 2, 2))


def cases(axes: int) -> Iterator[Check | Case]:
    """Yield the plans of layers and of random axes, the layers' ranges, and each kind of sum."""
    here = {
        stage.along for layer in networks() for stage in PoolJob(layer.spec, layer.shape).stages
    }
    plain = sorted((axis for axis in here if isinstance(axis, Axis)), key=repr)
    for name, some in (("layers", plain), (f"{axes} axes", [*random_axes(axes)])):
        yield Check(
            f"sums: taps counted, {name}",
            lambda some=some: chain.from_iterable(counts(AxisPlan(axis)) for axis in some),
            modules=MODULES,
        )
    yield Check(
        "sums: ranges, layers with each operation",
        lambda: chain.from_iterable(map(ranges, jobs())),
        modules=MODULES,
    )
    kinds = {
        (taps, *of_taps(job, 1), *shapes)
        for job in jobs(("sum", "l2"))
        for taps, *shapes in stages(job)
    }
    for taps, low, high, *shapes in sorted(kinds, key=repr):
        yield Case(
            f"sums: of {taps} from {low} to {high} in {shapes[1]}",
            "exact",
            1,
            lambda how=(taps, low, high, *shapes): Accumulates(*how),
        )
