"""Behind the stages of a run-time core: division, rounding and clamp, as the job says."""

from itertools import pairwise

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..blocks.block import Number
from ..blocks.multiplier import Multiplier
from ..datapath.pipeline import Bundle, Pipeline, Step
from ..families import GENERIC
from ..vendor.memories import fifo_of
from .maxima import Maxima
from .quotients import shifts
from .registers import KINDS, WORDS, Register, finish_registers

TRAITS = data.StructLayout({"signed": 1, "smallest": 1, "totals": 1, "bank": 1})
"""What a beat is told of its job, in a core of sums or averages."""


class _Marks(Bundle):
    last: Value
    bank: Value
    totals: Value
    signed: Value
    flips: Value  # of a value's bits, those that its key has inverted
    flips_sign: Value


class _Word(_Marks):
    factor: Value
    shift: Value
    even: Value
    negative: Value
    plus: Value
    less: Value
    zero: Value


class _By(Bundle):
    last: Value
    bank: Value
    factor: Value
    shift: Value
    least: Value  # whether it is the second, third or fourth shift, or one above
    even: Value


class _Limits(Bundle):
    last: Value
    even: Value
    low: Value
    high: Value
    lift: Value


class _Ends(Bundle):
    last: Value
    low: Value
    high: Value


class _Signed(Number):
    below: Value


class _Offset(Number):
    offset: Value


class _Parts(Number):
    fraction: Value


class _Cut(Number):
    below: Value
    above: Value


class RuntimeFinish(wiring.Component):
    """Divide, round and clamp exact partials: `quotients` says how.

    The registers are of two banks, since the last beats of a job may be next to the first ones of
    another. Each beat says which it goes by; the other one is written.

    Throughput: a beat per clock. Latency: `latency` clocks.

    Members
    -------
    i : In(stream)
        Exact partials, as the last stage gives them.
    marks : In
        Of the beat at `i` whether it is the frame's last, its `TRAITS`, and its kind of window.
    o : Out(stream)
        `data`, an array of what leaves, and `last`.
    load, load_at, load_word, load_bank : In
        A write to a register of the block, and to which bank.
    """

    i: stream.Interface
    marks: data.View
    o: stream.Interface
    load: Signal
    load_at: Signal
    load_word: Signal
    load_bank: Signal

    def __init__(self, maxima: Maxima, family: str = GENERIC):
        self._maxima, self._family, self._shifts = maxima, family, shifts(maxima)
        limits = {
            field.name: field.bits
            for register in finish_registers(maxima)
            for field in register.fields
            if register.address < WORDS
        }
        self._limits = [
            Signal(data.StructLayout(limits), name=f"limits_{bank}", reset_less=True)
            for bank in range(2)
        ]
        self._words = {
            field.name: Signal(field.bits, name=field.name)
            for register in finish_registers(maxima)
            for field in register.fields
            if register.address >= WORDS
        }
        steps = [
            Step(_same),  # while the table is told the window's kind
            Step(_same, lambda beat: _Word(*_of(beat, _Marks), *self._words.values())),
            Step(self._turn),
            Step(self._compare_zero),
            Step(self._select),
            Step(self._add, self._by),
            Step(_same),  # to the FIFO, which stands here,
            Step(_same),  # from there to the multipliers
            Step(self._multiply, clocks=Multiplier.LATENCY),
            Step(_same),  # and from these
            Step(self._cut),
            Step(self._compare_factor, self._look_up),
            Step(self._even),
            Step(self._compare, self._lifted),
            Step(self._choose),
        ]
        self._pipeline = Pipeline(steps, fifo=fifo_of(family))
        self.latency = self._pipeline.latency
        partial, out = unsigned(maxima.sum_bits), unsigned(maxima.out_bits)
        marks = {"last": 1, "traits": TRAITS, "kind": 2 * maxima.kind_bits}
        self._out = data.ArrayLayout(out, maxima.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(partial, maxima.lanes))),
                "marks": In(data.StructLayout(marks)),
                "o": Out(stream.Signature(data.StructLayout({"data": self._out, "last": 1}))),
                **{"load": In(1), "load_at": In(exact_log2(2 * WORDS)), "load_word": In(32)},
                "load_bank": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        traits, at = self.marks.traits, Signal(2 * self._maxima.kind_bits + 1)
        m.d.sync += at.eq(Cat(self.marks.kind, traits.bank))
        for register in finish_registers(self._maxima):
            if register.address >= WORDS:
                self._table(m, register, at)
                continue
            chosen = self.load & ~self.load_at[exact_log2(WORDS)]
            chosen &= self.load_at[:2] == register.address
            for bank, limits in enumerate(self._limits):
                with m.If(chosen & (self.load_bank == bank)):
                    for field in register.fields:
                        m.d.sync += limits[field.name].eq(self.load_word[field.low :])
        selects = ~traits.totals if self._maxima.selects else Const(0, 1)
        flips = traits.smallest & selects, (traits.smallest ^ traits.signed) & selects
        marks = _Marks(self.marks.last, traits.bank, traits.totals, traits.signed, *flips)
        lanes = [Number(partial) for partial in self.i.payload]
        valid, ready, done, beat = self._pipeline.build(m, self.i.valid, self.i.ready, lanes, marks)
        m.d.comb += [self.o.valid.eq(valid), ready.eq(self.o.ready)]
        m.d.comb += self.o.payload.last.eq(beat.last)
        for target, lane in zip(self.o.payload.data, done, strict=True):
            m.d.comb += target.eq(lane.value)
        return m

    def _table(self, m: Module, register: Register, at: Value) -> None:
        """Give a register's fields of the kind and bank `at`: a RAM holds those of all."""
        kind = 2 * self._maxima.kind_bits
        m.submodules[f"table_{register.name}"] = table = memory.Memory(
            shape=unsigned(register.bits), depth=2 << kind, init=[]
        )
        write, read = table.write_port(), table.read_port(domain="comb")
        place = exact_log2(KINDS)
        m.d.comb += [
            write.en.eq(self.load & (self.load_at[place:] == register.address // KINDS)),
            write.addr.eq(Cat(self.load_at[:kind], self.load_bank)),
            write.data.eq(self.load_word),
            read.addr.eq(at),
        ]
        for each in register.fields:
            m.d.comb += self._words[each.name].eq(read.data[each.low : each.low + each.bits])

    # ---- the steps of a lane

    def _turn(self, m: Module, lane: Number, beat: _Word) -> Number:
        """Return the number that a partial stands for, signed, or one less than its negative."""
        partial, bits = lane.value, self._maxima.bits
        value = partial[:bits] ^ Cat(beat.flips.replicate(bits - 1), beat.flips_sign)
        above = Cat(partial[bits:], partial[-1] & beat.signed)
        if self._maxima.selects:
            sign = value[-1] & beat.signed
            above = Mux(beat.totals, above, sign.replicate(len(above)))
        both = Cat(value, above)
        return Number((both ^ beat.negative.replicate(len(both))).as_signed())

    def _compare_zero(self, m: Module, lane: Number, beat: _Word) -> _Signed:
        return _Signed(lane.value, (lane.value - beat.zero.as_signed())[-1])

    def _select(self, m: Module, lane: _Signed, beat: _Word) -> _Offset:
        return _Offset(lane.value, Mux(lane.below, beat.less, beat.plus))

    def _add(self, m: Module, lane: _Offset, beat: _Word) -> Number:
        return Number((lane.value + lane.offset)[: self._maxima.dividend_bits])

    def _by(self, beat: _Word) -> _By:
        least = Cat(beat.shift >= k for k in range(1, len(self._shifts)))
        return _By(beat.last, beat.bank, beat.factor, beat.shift, least, beat.even)

    def _multiply(self, m: Module, lane: Number, beat: _By) -> Number:
        bits = self._maxima.dividend_bits
        m.submodules += (multiplier := Multiplier(bits, bits, self._family))
        m.d.comb += [multiplier.a.eq(lane.value), multiplier.b.eq(beat.factor)]
        return Number(multiplier.product)

    def _cut(self, m: Module, lane: Number, beat: _By) -> _Parts:
        product, bits = lane.value, self._maxima.quotient_bits
        every = [*self._shifts, *self._shifts[-1:] * ((1 << len(beat.shift)) - len(self._shifts))]
        cut = [product[shift : shift + bits] for shift in every]
        parts = [product[: self._shifts[0]]]
        for is_least, (low, high) in zip(beat.least, pairwise(self._shifts), strict=True):
            parts.append(product[low:high] & is_least.replicate(high - low))
        return _Parts(Array(cut)[beat.shift], Cat(parts))

    def _compare_factor(self, m: Module, lane: _Parts, beat: _By) -> _Cut:
        # the fraction is below the reciprocal just where nothing is left
        low, high = lane.fraction[: len(beat.factor)], lane.fraction[len(beat.factor) :]
        return _Cut(lane.value, (low - beat.factor)[-1], high.any())

    def _look_up(self, beat: _By) -> _Limits:
        limits = [Mux(beat.bank, *(each[name] for each in reversed(self._limits)))
                  for name in ("low", "high", "lift")]  # fmt: skip
        return _Limits(beat.last, beat.even, *limits)

    def _even(self, m: Module, lane: _Cut, beat: _Limits) -> Number:
        # an odd quotient is one less without its lowest bit
        exact = lane.below & ~lane.above
        return Number(Cat(lane.value[0] & ~(exact & beat.even), lane.value[1:]))

    def _compare(self, m: Module, lane: Number, beat: _Limits) -> _Cut:
        value, bits = lane.value, self._maxima.out_bits
        below, above = (value - beat.low)[-1], (beat.high - value)[-1]
        return _Cut((value + beat.lift)[:bits], below, above)

    def _lifted(self, beat: _Limits) -> _Ends:
        ends = ((each + beat.lift)[: self._maxima.out_bits] for each in (beat.low, beat.high))
        return _Ends(beat.last, *ends)

    def _choose(self, m: Module, lane: _Cut, beat: _Ends) -> Number:
        return Number(Mux(lane.below, beat.low, Mux(lane.above, beat.high, lane.value)))


def _same(m: Module, lane: Number, beat: Bundle) -> Number:
    return lane


def _of(beat: Bundle, kind: type[Bundle]) -> list[Value]:
    """Return the values of a bundle that another one has, too."""
    return [getattr(beat, name) for name in kind.__dataclass_fields__]


def key_mask(is_signed: Value, smallest: Value, bits: int) -> Value:
    """Return what turns a value into its key, and back: see `_order_key`."""
    return Cat(smallest.replicate(bits - 1), smallest ^ is_signed)
