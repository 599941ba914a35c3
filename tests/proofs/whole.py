"""A whole core at its ports, as deep as a few frames go: what comes of it is what golden says.

Nothing of the inside is named. The solver chooses a frame and one value of its output; the inputs
that are taps of it are written down as they come in, and what leaves at its place has to be what
the operation makes of them. This is *bounded*: it holds for any data, gaps, stalls and resets in
so many clocks after a reset.
"""

from collections.abc import Sequence
from itertools import product

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from streampool_hw import PoolCore

from .formal import AnySeq, Cover
from .harness import Claimed, assume, constant
from .linear import by_table
from .rule import any_of
from .stage import ago


class Raster:
    """Where a stream of frames stands: a coordinate for each size, the first one outermost."""

    def __init__(self, m: Module, sizes: Sequence[int], step: Value, name: str):
        self.at = [Signal(range(size), name=f"{name}_{k}") for k, size in enumerate(sizes)]
        go: Value = step
        for at, size in zip(reversed(self.at), reversed(sizes), strict=True):
            ends = at == size - 1
            with m.If(go):
                m.d.sync += at.eq(Mux(ends, 0, at + 1))
            go = go & ends
        self.starts, self.ends = Signal(name=f"{name}_starts"), Signal(name=f"{name}_ends")
        m.d.comb += [
            self.starts.eq(Cat(self.at) == 0),
            self.ends.eq(Cat(at == n - 1 for at, n in zip(self.at, sizes, strict=True)).all()),
        ]


class Whole(Claimed):
    """A core with free inputs.

    Theorem, within the depth: each value of each frame is what the operation makes of its taps, and
    where there are indices its index that of the first of the largest; `last` is high on a frame's
    last beat and on no other; a beat at the output stays, unchanged, until it is taken; nothing is
    made up; and what is left of a frame comes out by itself.
    """

    def __init__(self, core: PoolCore):
        self.core, self.job = core, core.job
        self.platform = None  # the memories as they are
        self.valid, self.ready = Signal(), Signal()
        self.data = Signal(core.i.payload.shape().size)
        self.ports = [self.valid, self.ready, self.data]

    def elaborate(self, platform: object) -> Module:
        m = self.top = Module()
        core, job = self.core, self.job
        m.submodules.core = core
        i, o = core.i, core.o
        self.take, self.pop = Signal(name="taken"), Signal(name="pop")
        m.d.comb += [
            i.valid.eq(self.valid),
            i.payload.as_value().eq(self.data),
            o.ready.eq(self.ready),
            self.take.eq(i.valid & i.ready),
            self.pop.eq(o.valid & self.ready),
        ]
        *outer, inner = job.axes
        row = (-(-inner.length // job.columns), job.fold)
        self.came = Raster(m, [*(axis.length for axis in outer), *row], self.take, "in")
        row = (-(-inner.outputs // job.columns_out), job.fold)
        self.left = Raster(m, [*(axis.outputs for axis in outer), *row], self.pop, "out")
        self.begun = Signal(5, name="begun")  # frames begun less those that are out
        ends = self.pop & self.left.ends
        m.d.sync += self.begun.eq(self.begun + (self.take & self.came.starts) - ends)
        self.claim(self.begun != 0, "nothing_extra", o.valid)
        self.claim(o.payload.last == self.left.ends, "last", o.valid)
        payload = Value.cast(o.payload)
        held, was = Signal(name="held"), Signal(len(payload), name="was")
        m.d.sync += [held.eq(o.valid & ~self.ready), was.eq(payload)]
        self.claim(o.valid & (payload == was), "stays", held)
        self._follow_value(ends)
        self._come_out()
        self._lemma()
        return m

    def _lemma(self) -> None:
        """Claim more."""

    def _follow_value(self, ends: Value) -> None:
        m, job, o = self.top, self.job, self.core.o
        *outer, group = self.came.at
        self.window = [
            constant(m, range(axis.outputs), f"w_{k}") for k, axis in enumerate(job.axes)
        ]
        self.group = constant(m, range(job.fold), "group")
        for chosen, axis in zip(self.window, job.axes, strict=True):
            assume(m, chosen < axis.outputs)
        assume(m, self.group < job.fold)
        busy, inside, ahead = Signal(name="busy"), Signal(name="inside"), Signal(5, name="ahead")
        pick = AnySeq(1) & ~busy & self.take & self.came.starts
        follows = Signal(name="follows")
        m.d.comb += follows.eq(pick | (busy & inside & self.take))

        shape = Shape(job.input.bits, job.input.signed)
        taps: list[tuple[Value, Value, Value]] = []
        for number, kernel in enumerate(product(*(range(axis.most_taps) for axis in job.axes))):
            value, came = Signal(shape, name=f"tap_{number}"), Signal(name=f"came_{number}")
            places, there = [], []
            for k, axis, window in zip(kernel, job.axes, self.window, strict=True):
                all_taps = [axis.taps(i) for i in range(axis.outputs)]
                at = [each[k] if k < len(each) else 0 for each in all_taps]
                places.append(by_table(at, window))
                there.append(by_table([int(k < len(each)) for each in all_taps], window))
            real = Cat(there).all()
            here = (group == self.group) & real & follows
            for at, place in zip(outer[:-1], places, strict=False):
                here &= at == place
            with m.If(pick):
                m.d.sync += came.eq(0)
            for u in range(job.columns):
                with m.If(here & (outer[-1] * job.columns + u == places[-1])):
                    x = Value.cast(self.core.i.payload[u * job.lanes])
                    m.d.sync += [value.eq(x), came.eq(1)]
            index: Value = Const(0, 1)
            for place, axis in zip(places, job.axes, strict=True):
                index = index * axis.length + place
            taps.append((value, came, index))
            self.claim(came == real, f"came_{number}", self._hit(busy, ahead) & o.valid)
        with m.If(pick):
            m.d.sync += [
                busy.eq(1),
                inside.eq(~self.came.ends),
                ahead.eq(self.begun - ends),
            ]
        with m.Elif(busy):
            with m.If(self.take & self.came.ends):
                m.d.sync += inside.eq(0)
            with m.If(ends):
                m.d.sync += ahead.eq(ahead - 1)
            with m.If(self.pop & self._hit(busy, ahead)):
                m.d.sync += busy.eq(0)
        hit = self._hit(busy, ahead) & o.valid
        for q in range(job.columns_out):
            mine = hit & (self.window[-1] % job.columns_out == q)
            for name, holds in self._holds(taps, q * job.lanes):
                self.claim(holds, f"{name}_{q}", mine)
        m.d.comb += Cover(hit & self.pop & self.core.o.payload.last)

    def _hit(self, busy: Value, ahead: Value) -> Value:
        """Return whether the chosen value is the one at the output."""
        *outer, last, group = self.left.at
        hit = busy & (ahead == 0) & (group == self.group)
        for at, window in zip(outer, self.window, strict=False):
            hit &= at == window
        width = self.job.columns_out
        return hit & any_of(last * width + q == self.window[-1] for q in range(width))

    def _holds(
        self, taps: Sequence[tuple[Value, Value, Value]], number: int
    ) -> list[tuple[str, Value]]:
        """Return what has to hold of a value at the output, by name."""
        job, payload = self.job, self.core.o.payload
        out = Value.cast(payload["data"][number])
        if not job.operation.selects:
            total: Value = Const(0, 1)
            for value, came, _ in taps:
                total = total + Mux(came, value, 0)
            return [("value", self._rounds(total, out) if job.op == "avg" else out == total)]
        (best, some, place), *others = taps
        for value, came, index in others:
            better = value > best if job.operation.selects == "largest" else value < best
            wins = came & (~some | better)
            best, some = Mux(wins, value, best), some | came
            place = Mux(wins, index, place)
        holds = [("value", out == best)]
        if job.index_out is not None:
            holds.append(("index", Value.cast(payload["index"][number]) == place))
        return holds

    def _rounds(self, total: Value, out: Value) -> Value:
        """Return whether a mean is rounded to the nearest, ties as the specification says."""
        divisors = self.job.divisors
        place: Value = Const(0, 1)
        for window, axis in zip(self.window, self.job.axes, strict=True):
            place = place * axis.outputs + window
        n = by_table([int(each) for each in divisors.reshape(-1)], place)
        left = 2 * (total - out * n)
        tie = {
            "half_even": ~out[0],
            "half_up": left < 0,
            "half_away": Mux(total < 0, left > 0, left < 0),
        }[self.job.spec.rounding]
        return ((left > -n) & (left < n)) | (((left == n) | (left == -n)) & tie)

    def _come_out(self) -> None:
        """Claim that a frame that is in comes out by itself while `ready` is high."""
        m, core = self.top, self.core
        drains = sum(
            getattr(plan, "drain", 0) * stage.m
            for plan, stage in zip(core.plans, core.stages.values(), strict=True)
        )
        # what waits in the FIFOs, and what drains; each beat of it takes a clock
        fifos = 16 * (len(core.stages) + core.latency // 4 + 1)
        self.longest = core.latency + 2 * drains + fifos
        idle = Signal(range(self.longest + 2), name="idle")
        quiet = self.ready & ~self.valid
        m.d.sync += idle.eq(Mux(quiet, Mux(idle > self.longest, idle, idle + 1), 0))
        self.claim(self.begun == 0, "comes_out", (idle > self.longest) & self.came.starts)


class Flows(Whole):
    """A core whose output is always ready: no input is refused, and each beat takes `latency`.

    For one of whose windows each leaves with its last tap.
    """

    def _lemma(self) -> None:
        m, job, core = self.top, self.job, self.core
        assume(m, self.ready)
        self.claim(core.i.ready, "never_refused")
        ends: list[Value] = []
        *outer, _ = self.came.at
        for at, axis in zip(outer, job.axes, strict=True):
            last = {axis.taps(i)[-1] for i in range(axis.outputs)}
            assert len(last) == axis.outputs
            ends.append(by_table([int(x in last) for x in range(axis.length)], at))
        leaves = Signal(name="leaves_now")
        m.d.comb += leaves.eq(self.take & Cat(ends).all())
        self.claim(core.o.valid == ago(m, leaves, core.latency, "due")[-1], "latency")
