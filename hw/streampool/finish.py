"""What is done once, after the last stage: division, rounding, saturation and clamp."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Shape, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import Job

from .division import Division, reciprocal
from .operations import Operation, lane_shape
from .outbox import Outbox
from .schedule import Program
from .sequencer import Sequencer

__all__ = ["Finish"]

State = dict[str, Value]
"""Named values that go down a pipeline side by side."""


@dataclass(frozen=True)
class Step:
    """What one clock of the pipeline does.

    Parameters
    ----------
    lane : callable
        ``(lane's state, beat's state)`` -> the lane's state a clock later.
    beat : callable
        The beat's state -> that a clock later: what all lanes share.
    """

    lane: Callable[[State, State], State]
    beat: Callable[[State], State] = lambda beat: beat


class Finish(wiring.Component):
    """Turn exact partials into what leaves: divide with one rounding, saturate, clamp.

    Where nothing of it is needed it is wires, or a FIFO in a core without stages. Otherwise a
    pipeline that runs free, one beat a clock, cut by a FIFO every few clocks so that each piece
    can stop by itself.

    Parameters
    ----------
    job : Job
        Says what leaves.
    operation : Operation
        How partials are encoded.
    shape : Shape
        A partial.

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
    """

    i: stream.Interface
    i_last: Signal
    o: stream.Interface
    o_last: Signal

    def __init__(self, job: Job, operation: Operation, shape: Shape):
        self._job, self._operation = job, operation
        exact = job.accumulator
        self._steps: list[Step] = []
        low, high = exact.low, exact.high
        if job.spec.op == "avg" and set(job.divisors.flat) != {1}:
            division = Division(
                tuple(sorted({int(d) for d in job.divisors.flat})),
                max(-low, high),
                job.spec.rounding,
            )
            self._steps += _divide(division)
            if job.spec.divisor_override is None:  # no mean is beyond what it is of
                low, high = job.spec.in_dtype.low, job.spec.in_dtype.high
            else:
                high = division.largest // min(division.sizes)
                low = -high if low < 0 or division.negative else 0
            self._divisors = division.divisors
        else:
            self._divisors = (1,)
        if low < job.bounds[0] or high > job.bounds[1]:
            self._steps += _clamp(*job.bounds)
        length = Outbox.IN_FLIGHT - 1
        self._pieces = [self._steps[k : k + length] for k in range(0, len(self._steps), length)]
        if not job.stages and not self._pieces:
            self._pieces = [[]]  # a core of nothing else still parts the two handshakes
        self.latency = sum(len(piece) + 1 for piece in self._pieces)
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(shape, job.lanes))),
                "i_last": In(1),
                "o": Out(stream.Signature(data.ArrayLayout(lane_shape(job.output), job.lanes))),
                "o_last": Out(1),
            }
        )

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        job = self._job
        values = [
            self._operation.decode(self.i.payload[lane], job.spec.in_dtype)
            for lane in range(job.lanes)
        ]
        lanes: list[State] = [{"value": value} for value in values]
        valid, ready = self.i.valid, self.i.ready
        beat: State = {"last": self.i_last}
        if self._pieces:
            beat["which"] = self._which_divisor(m, valid & ready)
        for number, piece in enumerate(self._pieces):
            room, write = Signal(name=f"room_{number}"), valid & ready
            m.d.comb += ready.eq(room)
            for step in piece:
                lanes = [_registered(m, step.lane(lane, beat)) for lane in lanes]
                beat = _registered(m, step.beat(beat) | {"last": beat["last"]})
                going = Signal(name="going")
                m.d.sync += going.eq(write)
                write = going
            flat = [*beat.values(), *(value for lane in lanes for value in lane.values())]
            layout = data.StructLayout({f"f{k}": value.shape() for k, value in enumerate(flat)})
            m.submodules[f"outbox_{number}"] = outbox = Outbox([layout.size])
            m.d.comb += [room.eq(outbox.room), outbox.data.eq(Cat(flat)), outbox.write.eq(write)]
            kept = data.View(layout, outbox.o.payload)
            fields = iter([kept[f"f{k}"] for k in range(len(flat))])
            beat = {name: next(fields) for name in beat}
            lanes = [{name: next(fields) for name in lane} for lane in lanes]
            valid, ready = outbox.o.valid, outbox.o.ready
        m.d.comb += [
            self.o.valid.eq(valid),
            ready.eq(self.o.ready),
            self.o_last.eq(beat["last"]),
        ]
        for lane, state in enumerate(lanes):
            m.d.comb += self.o.payload[lane].eq(state["value"])
        return m

    def _which_divisor(self, m: Module, step: Value) -> Value:
        """Follow the beats of a frame; return which of the divisors is the present beat's."""
        job = self._job
        if len(self._divisors) == 1:
            return Const(0, 0)
        words: list[Value] = []
        products = [1]  # a tiny table: one count an axis, the innermost in the lowest bits
        inside = job.fold
        for axis, counts in reversed(list(enumerate(job.axis_divisors))):
            kinds = sorted(set(counts))
            bits = (len(kinds) - 1).bit_length()
            if bits:
                program = Program.of(kinds.index(count) for count in counts)
                sequencer = Sequencer(program, bits, inside)
                m.submodules[f"count_{axis}"] = sequencer
                m.d.comb += sequencer.step.eq(step)
                words.append(sequencer.word)
            kinds += kinds[-1:] * ((1 << bits) - len(kinds))
            products = [product * kind for kind in kinds for product in products]
            inside *= len(counts)
        known = {divisor: number for number, divisor in enumerate(self._divisors)}
        bits = (len(known) - 1).bit_length()
        return Array(Const(known.get(product, 0), bits) for product in products)[Cat(words)]


def _registered(m: Module, state: State) -> State:
    """Put each value into a register of its own shape; constants stay what they are."""
    out: State = {}
    for name, value in state.items():
        value = Value.cast(value)
        if isinstance(value, Const):
            out[name] = value
            continue
        out[name] = Signal(value.shape(), name=name, reset_less=True)
        m.d.sync += out[name].eq(value)
    return out


def _clamp(low: int, high: int) -> list[Step]:
    """Keep values within ``low`` to ``high``."""
    return [
        Step(
            lambda lane, beat: {
                "value": lane["value"],
                "below": lane["value"] < low,
                "above": high < lane["value"],
            }
        ),
        Step(
            lambda lane, beat: {
                "value": Mux(lane["below"], low, Mux(lane["above"], high, lane["value"]))
            }
        ),
    ]


def _divide(division: Division) -> list[Step]:
    """Divide `value` by the divisor that the beat's `which` names, with one rounding."""
    most = division.largest.bit_length()
    bits = division.quotient_bits
    quotient, own = _by_product(division) if division.multiplies else _by_digits(division)
    tables = {
        "bias_minus": division.bias(True),
        "bias_plus": division.bias(False),
        "even": tuple(1 - n % 2 for n in division.sizes),
        **own,
    }

    def look_up(beat: State) -> State:
        constants = {}
        for name, row in tables.items():
            shape = unsigned(max(1, max(row).bit_length()))
            if len(set(row)) == 1:
                constants[name] = Const(row[0], shape)
            else:
                constants[name] = Array(Const(entry, shape) for entry in row)[beat["which"]]
        return constants

    def split(lane: State, beat: State) -> State:
        value = lane["value"]
        below = value < 0
        magnitude = Mux(below, -value, value).as_unsigned()[:most]
        return {"minus": ~below if division.negative else below, "rest": magnitude}

    def add_bias(lane: State, beat: State) -> State:
        bias = Mux(lane["minus"], beat["bias_minus"], beat["bias_plus"])
        return {"minus": lane["minus"], "rest": (lane["rest"] + bias)[:most]}

    def to_even(lane: State, beat: State) -> State:
        odd_half = lane["whole"] & beat["even"] & lane["quotient"][0]
        return {"minus": lane["minus"], "quotient": (lane["quotient"] - odd_half)[:bits]}

    def give_sign(lane: State, beat: State) -> State:
        return {"value": Mux(lane["minus"], -lane["quotient"], lane["quotient"])}

    steps = [Step(split, look_up), Step(add_bias), *quotient]
    if division.rounding == "half_even":
        steps.append(Step(to_even))
    return [*steps, Step(give_sign)]


Tables = dict[str, tuple[int, ...]]
"""Constants by name, one for each divisor."""


def _by_product(division: Division) -> tuple[list[Step], Tables]:
    """From `rest` find `quotient`, and whether it is the `whole`, by a product and a shift."""
    shift, multipliers = reciprocal(division.sizes, division.largest)

    def multiply(lane: State, beat: State) -> State:
        return {"minus": lane["minus"], "product": lane["rest"] * beat["factor"]}

    def cut(lane: State, beat: State) -> State:
        return {
            "minus": lane["minus"],
            "quotient": (lane["product"] >> shift)[: division.quotient_bits],
            # the fraction is below the factor just where the remainder is 0
            "whole": (lane["product"] & ((1 << shift) - 1)) < beat["factor"],
        }

    return [Step(multiply), Step(cut)], {"factor": multipliers}


def _by_digits(division: Division) -> tuple[list[Step], Tables]:
    """Find the same digit by digit, one a clock, by restoring division."""
    bits = division.quotient_bits
    width = max(division.sizes).bit_length()

    def subtract(lane: State, beat: State) -> State:
        if "remainder" in lane:
            remainder, digits = lane["remainder"], lane["digits"]
        else:
            remainder, digits = lane["rest"][bits:], lane["rest"].as_unsigned()
        digits = (digits | Const(0, bits))[:bits]
        trial = Cat(digits[-1], remainder)
        fits = ~(trial < beat["divisor"])
        rest = Mux(fits, trial - beat["divisor"], trial)
        return {
            "minus": lane["minus"],
            "remainder": rest.as_unsigned()[:width],
            "digits": Cat(fits, digits[:-1]),
        }

    def end(lane: State, beat: State) -> State:
        return {
            "minus": lane["minus"],
            "quotient": lane["digits"],
            "whole": lane["remainder"] == 0,
        }

    return [*[Step(subtract)] * bits, Step(end)], {"divisor": division.sizes}
