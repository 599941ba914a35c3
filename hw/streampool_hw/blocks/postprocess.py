"""What is done once, after the last stage: division, rounding, saturation and clamp."""

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil, floor, prod
from typing import TypeAlias

from amaranth.hdl import Array, Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import Accumulator, PoolJob, Requantisation, round_root
from streampool_golden.dtypes import width

from ..datapath.pipeline import Pipeline, State, Step
from ..reduce.operations import Operation, lane_shape
from ..schedule.program import Program
from ..schedule.sequencer import Sequencer
from ..vendor.families import GENERIC
from .digits import Tables, by_digits, entry
from .division import Division, reciprocal, signed_digits
from .floats import from_fixed
from .indices import Channels, beside, channel_weight, index_parts, index_steps, place_of
from .multiplier import Multiplier
from .root import root_steps, rounds_to_nearest

__all__ = ["Postprocess"]

Window: TypeAlias = tuple[int, int]
"""What a window is divided by, and its real inputs where they matter, else 1."""


class Postprocess(wiring.Component):
    """Turn exact partials into what leaves: divide with one rounding, saturate, clamp.

    Where nothing of it is needed it is wires, or a FIFO in a core without stages. Otherwise a
    pipeline that runs free, one beat a clock, cut by a FIFO every few clocks so that each piece
    can stop by itself.

    Parameters
    ----------
    job : PoolJob
        Says what leaves.
    operation : Operation
        How partials are encoded.
    shape : Shape
        A partial.
    family : str, optional
        The family of devices.

    Attributes
    ----------
    latency : int
        Clocks from a beat at `i` to its beat at `o`.

    Members
    -------
    i : In(stream)
        Partials, an array of ``job.lanes``.
    i_last : In(1)
        A bit that comes with the beat at `i`.
    o : Out(stream)
        Values of ``job.output``.
    o_last : Out(1)
        The bit of the beat at `o`.
    o_index : Out
        The indices of the beat at `o`, an array of ``job.lanes``; only where they leave.
    """

    i: stream.Interface
    i_last: Signal
    o: stream.Interface
    o_last: Signal
    o_index: data.View

    def __init__(self, job: PoolJob, operation: Operation, shape: Shape, family: str = GENERIC):
        self._job, self._operation = job, operation
        exact = job.accumulator
        self._steps: list[Step] = []
        low, high = exact.low, exact.high
        how = job.requantisation
        taps = job.axis_taps if how else tuple((1,) * n for n in job.out_size)
        self._windows = tuple(
            tuple(zip(*both, strict=True)) for both in zip(job.axis_divisors, taps, strict=True)
        )
        self._kinds = tuple(sorted(set(map(_product, itertools.product(*map(set, self._windows))))))
        if job.spec.in_dtype.is_float:
            if job.spec.op in ("avg", "sum"):
                self._steps += from_fixed(job, tuple(divisor for divisor, _ in self._kinds))
            low, high = job.bounds
        elif how is not None:
            division = _requantised(job, how, self._kinds)
            low, high = division.low + how.after, division.high + how.after
            self._steps += _scale(how.factor, exact)
            self._steps += _divide(division, family, shift=_zeros(how.factor), after=how.after)
        elif job.spec.op == "avg" and {divisor for divisor, _ in self._kinds} != {1}:
            divisors = tuple(divisor for divisor, _ in self._kinds)
            if job.spec.divisor_override is None:  # no mean is beyond what it is of
                low, high = job.spec.in_dtype.low, job.spec.in_dtype.high
            else:
                ends = [Fraction(end, divisors[0]) for end in (low, high)]
                low, high = floor(min(ends)), ceil(max(ends))
            self._steps += _divide(Division(divisors, low, high, job.spec.rounding), family)
        elif job.spec.op in ("l2", "lp2"):
            divisors = tuple(divisor for divisor, _ in self._kinds)
            if job.spec.op == "l2" and job.spec.divisor_override is None:
                high = job.partial(1).high
            else:
                high = -(-high // divisors[0])
            self._steps += _root(divisors, high, job.spec.rounding, family)
            low, high = 0, int(round_root(high, 1, job.spec.rounding))
        if low < job.bounds[0] or high > job.bounds[1]:
            self._steps += _clamp(*job.bounds)
        self._place = None if job.index_out is None else place_of(job)
        if self._place is not None:
            self._steps = beside(self._steps, index_steps(job, self._place))
        # a core of nothing else still parts the two handshakes
        self._pipeline = Pipeline(self._steps, parts=not job.stages)
        self.latency = self._pipeline.latency
        ports = {
            "i": In(stream.Signature(data.ArrayLayout(shape, job.lanes))),
            "i_last": In(1),
            "o": Out(stream.Signature(data.ArrayLayout(lane_shape(job.output), job.lanes))),
            "o_last": Out(1),
        }
        if job.index_out is not None:
            ports["o_index"] = Out(data.ArrayLayout(lane_shape(job.index_out), job.lanes))
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        job = self._job
        values = [
            self._operation.decode(self.i.payload[lane], job.spec.in_dtype)
            for lane in range(job.lanes)
        ]
        lanes: list[State] = [{"value": value} for value in values]
        valid, ready = self.i.valid, self.i.ready
        beat: State = {"last": self.i_last}
        if self.latency:
            beat["which"] = self._which_window(m, valid & ready)
        if self._place is not None:
            m.submodules.channels = channels = Channels(job, channel_weight(job))
            m.d.comb += channels.step.eq(valid & ready)
            for lane, state in enumerate(lanes):
                key = self.i.payload[lane]
                state |= index_parts(job, self._place, lane, key, channels.offset)
        valid, ready, lanes, beat = self._pipeline.build(m, valid, ready, lanes, beat)
        m.d.comb += [
            self.o.valid.eq(valid),
            ready.eq(self.o.ready),
            self.o_last.eq(beat["last"]),
        ]
        for lane, state in enumerate(lanes):
            m.d.comb += self.o.payload[lane].eq(state["value"])
            if self._place is not None:
                m.d.comb += self.o_index[lane].eq(state["index_0"])
        return m

    def _which_window(self, m: Module, step: Value) -> Value:
        """Follow the beats of a frame; return which kind of window the present beat's is."""
        if len(self._kinds) == 1:
            return Const(0, 0)
        words: list[Value] = []
        products: list[Window] = [(1, 1)]  # a tiny table: the innermost axis in the lowest bits
        inside = self._job.fold
        for axis, windows in reversed(list(enumerate(self._windows))):
            kinds = sorted(set(windows))
            bits = (len(kinds) - 1).bit_length()
            if bits:
                program = Program.of(kinds.index(window) for window in windows)
                sequencer = Sequencer(program, bits, inside)
                m.submodules[f"count_{axis}"] = sequencer
                m.d.comb += sequencer.step.eq(step)
                words.append(sequencer.word)
            kinds += kinds[-1:] * ((1 << bits) - len(kinds))
            products = [_product((product, kind)) for kind in kinds for product in products]
            inside *= len(windows)
        known = {window: number for number, window in enumerate(self._kinds)}
        bits = (len(known) - 1).bit_length()
        return Array(Const(known.get(product, 0), bits) for product in products)[Cat(words)]


def _product(parts: Iterable[Window]) -> Window:
    """Return the window that windows of single axes make up."""
    divisors, taps = zip(*parts, strict=True)
    return prod(divisors), prod(taps)


def _requantised(job: PoolJob, how: Requantisation, windows: Sequence[Window]) -> Division:
    """Return the division that ends a requantised average; its sums are multiplied before."""
    ends = (job.spec.in_dtype.low, job.spec.in_dtype.high)
    divisors = tuple(how.below * divisor for divisor, _ in windows)
    biases = tuple(how.offset(divisor, taps) for divisor, taps in windows)
    exact = [
        Fraction(how.factor * taps * end + bias, divisor)
        for end in ends
        for divisor, bias, (_, taps) in zip(divisors, biases, windows, strict=True)
    ]
    return Division(divisors, floor(min(exact)), ceil(max(exact)), job.spec.rounding, biases)


def _zeros(number: int) -> int:
    """Return how often 2 divides a number."""
    return (number & -number).bit_length() - 1


def _same(m: Module, lane: State, beat: State) -> State:
    return lane


def _scale(factor: int, exact: Accumulator) -> list[Step]:
    """Multiply `value` by the odd part of a constant: one signed digit a clock, none for 1."""
    odd = factor >> _zeros(factor)
    bits = width(odd * exact.low, odd * exact.high)

    def add(sign: int, exponent: int) -> Step:
        def lane(m: Module, lane: State, beat: State) -> State:
            value = lane["value"]
            product = lane["product"] if "product" in lane else value << first
            part = value << exponent
            product = (product + part if sign > 0 else product - part)[:bits]
            product = product.as_signed() if exact.signed else product
            return {"value": value, "product": product}

        return Step(lane)

    (_, first), *rest = signed_digits(odd)
    steps = [add(*digit) for digit in rest]
    if steps:
        last = steps[-1]
        steps[-1] = Step(lambda m, lane, beat: {"value": last.lane(m, lane, beat)["product"]})
    return steps


def _clamp(low: int, high: int) -> list[Step]:
    """Keep values within ``low`` to ``high``."""
    return [
        Step(
            lambda m, lane, beat: {
                "value": lane["value"],
                "below": lane["value"] < low,
                "above": high < lane["value"],
            }
        ),
        Step(
            lambda m, lane, beat: {
                "value": Mux(lane["below"], low, Mux(lane["above"], high, lane["value"]))
            }
        ),
    ]


def _root(divisors: tuple[int, ...], high: int, rounding: str, family: str) -> list[Step]:
    """Divide `value` by the divisor that `which` names, and take the root, with one rounding.

    No exact quotient is beyond `high`.
    """
    shift = 0
    if rounds_to_nearest(rounding):  # of four times the number, and so of the divisors' fourth
        shift, high = 2, 4 * high
        while shift and not any(d % 2 for d in divisors):
            divisors, shift = tuple(d // 2 for d in divisors), shift - 1

    def scale(m: Module, lane: State, beat: State) -> State:
        return {"value": lane["value"] << shift, "exact": Const(1, 1)}

    steps = [Step(scale)]
    if set(divisors) != {1}:
        steps = _divide(Division(divisors, 0, high, "floor"), family, shift, exact=True)
    return [*steps, *root_steps(high.bit_length(), rounding)]


def _divide(
    division: Division, family: str, shift: int = 0, after: int = 0, *, exact: bool = False
) -> list[Step]:
    """Divide `value` by the divisor that the beat's `which` names, with one rounding.

    It is shifted left before that, and `after` is added to what comes out; `exact` then may say
    whether nothing was rounded down.
    """
    bits, lift = division.quotient_bits, after - division.excess
    plus, less = division.offset(False), division.offset(True)
    differs = division.low < 0 and plus != less
    multiplies, sizes = division.multiplies, division.sizes
    quotient, own = _by_product(division, family) if multiplies else by_digits(bits, sizes)
    tables = {"even": tuple(1 - n % 2 for n in division.sizes), **own}

    def look_up(beat: State) -> State:
        return {name: entry(row, beat["which"]) for name, row in tables.items()}

    def compare(m: Module, lane: State, beat: State) -> State:
        # where a sum is added to, its own sign is not the quotient's
        value = lane["value"] << shift
        less = value < beat["zero"]
        return {"value": lane["value"], "minus": ~less if division.negative else less}

    def hold(m: Module, lane: State, beat: State) -> State:
        # the value comes out of a RAM: there is no time to add to it as well
        value = lane["value"] << shift if shift else lane["value"]
        if not differs:
            return {"value": value, "offset": entry(plus, beat["which"])}
        if "minus" in lane:
            minus = lane["minus"]
        else:
            minus = ~(value < 0) if division.negative else value < 0
        both = [offset for pair in zip(plus, less, strict=True) for offset in pair]
        return {"value": value, "offset": entry(both, Cat(minus, beat["which"]))}

    def add(m: Module, lane: State, beat: State) -> State:
        value, offset = lane["value"], lane["offset"]
        rest = offset - value if division.negative else offset + value
        return {"rest": rest.as_unsigned()[: division.largest.bit_length()]}

    def end(m: Module, lane: State, beat: State) -> State:
        whole = lane["quotient"]
        if division.rounding == "half_even":
            whole = (whole - (lane["exact"] & beat["even"] & whole[0]))[:bits]
        if lift:
            whole = whole + lift if lift > 0 else whole - -lift
        return {"value": whole, "exact": lane["exact"]} if exact else {"value": whole}

    signs: list[Step] = []
    if differs and division.biased:
        zeros = tuple(-bias for bias in division.biases)
        signs = [
            Step(_same, lambda beat: {**beat, "zero": entry(zeros, beat["which"])}),
            Step(compare, lambda beat: {"which": beat["which"]}),
        ]
    return [*signs, Step(hold, look_up), Step(add), *quotient, Step(end)]


def _by_product(division: Division, family: str) -> tuple[list[Step], Tables]:
    """From `rest` find `quotient`, and whether it is `exact`, by a product and a shift."""
    shift, multipliers = reciprocal(division.sizes, division.largest)
    powers = set(multipliers) == {1}

    def multiply(m: Module, lane: State, beat: State) -> State:
        rest, factor = Value.cast(lane["rest"]), Value.cast(beat["factor"])
        m.submodules += (multiplier := Multiplier(len(rest), len(factor), family))
        m.d.comb += [multiplier.a.eq(rest), multiplier.b.eq(factor)]
        return {"product": multiplier.product}

    def cut(m: Module, lane: State, beat: State) -> State:
        product = lane["rest"] if powers else lane["product"]
        quotient = (product >> shift)[: division.quotient_bits]
        # the fraction is below the factor just where the remainder is 0
        exact = (product & ((1 << shift) - 1)) < beat["factor"]
        return {"quotient": quotient, "exact": exact}

    steps = [] if powers else [Step(multiply, clocks=Multiplier.LATENCY)]
    return [*steps, Step(cut)], {"factor": multipliers}
