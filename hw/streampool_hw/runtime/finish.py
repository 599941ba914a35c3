"""Behind the stages of a run-time core: division, rounding and clamp, as the job says."""

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


class _Word(Bundle):
    last: Value
    bank: Value
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
    even: Value


class _Bank(Bundle):
    last: Value
    bank: Value
    even: Value


class _Limits(Bundle):
    last: Value
    low: Value
    high: Value
    lift: Value


class _Offset(Bundle):
    plus: Value
    less: Value
    minus: Value


class _Cut(Number):
    exact: Value


class _Compared(Number):
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
        steps = [
            Step(lambda m, lane, beat: lane),  # the table's word comes out of a RAM
            Step(self._add, lambda beat: _By(*_of(beat, _By))),
            Step(self._round),
            Step(self._multiply, clocks=Multiplier.LATENCY),
            Step(self._cut, lambda beat: _Bank(*_of(beat, _Bank))),
            Step(self._settle, self._look_up),
            Step(self._compare),
            Step(self._choose),
            Step(self._lift),
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
        traits, marks = self.marks.traits, self.marks
        found: dict[str, Value] = {}
        for register in finish_registers(self._maxima):
            if register.address >= WORDS:
                found |= self._table(m, register, Cat(marks.kind, traits.bank))
                continue
            chosen = self.load & (self.load_at == register.address)
            for bank, limits in enumerate(self._limits):
                with m.If(chosen & (self.load_bank == bank)):
                    for field in register.fields:
                        m.d.sync += limits[field.name].eq(self.load_word[field.low :])
        words = _Word(marks.last, traits.bank, *(found[name] for name in _WORDS))
        lanes = [Number(self._value(partial)) for partial in self.i.payload]
        valid, ready, done, beat = self._pipeline.build(m, self.i.valid, self.i.ready, lanes, words)
        m.d.comb += [self.o.valid.eq(valid), ready.eq(self.o.ready)]
        m.d.comb += self.o.payload.last.eq(beat.last)
        for target, lane in zip(self.o.payload.data, done, strict=True):
            m.d.comb += target.eq(lane.value)
        return m

    def _table(self, m: Module, register: Register, at: Value) -> dict[str, Value]:
        """Return a register's fields of the kind and bank `at`: a RAM holds those of all."""
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
        return {each.name: read.data[each.low : each.low + each.bits] for each in register.fields}

    def _value(self, partial: Value) -> Value:
        """Return the number that a partial stands for, signed."""
        traits, bits = self.marks.traits, self._maxima.bits
        key = partial[:bits] ^ key_mask(traits.signed, traits.smallest, bits)
        sign, whole = key[-1] & traits.signed, self._maxima.sum_bits
        value = Cat(key, sign.replicate(whole + 1 - bits))
        total = Cat(partial, partial[-1] & traits.signed)
        if not self._maxima.selects:
            return total.as_signed()
        return Mux(traits.totals, total, value).as_signed()

    # ---- the steps of a lane

    def _add(self, m: Module, lane: Number, beat: _Word) -> _Offset:
        bits = len(lane.value)
        value = (lane.value.as_unsigned() ^ beat.negative.replicate(bits)).as_signed()
        plus, less = (
            (value + each)[: self._maxima.dividend_bits] for each in (beat.plus, beat.less)
        )
        return _Offset(plus, less, value < beat.zero.as_signed())

    def _round(self, m: Module, lane: _Offset, beat: _By) -> Number:
        return Number(Mux(lane.minus, lane.less, lane.plus))

    def _multiply(self, m: Module, lane: Number, beat: _By) -> Number:
        bits = self._maxima.dividend_bits
        m.submodules += (multiplier := Multiplier(bits, bits, self._family))
        m.d.comb += [multiplier.a.eq(lane.value), multiplier.b.eq(beat.factor)]
        return Number(multiplier.product)

    def _cut(self, m: Module, lane: Number, beat: _By) -> _Cut:
        product, bits = lane.value, self._maxima.quotient_bits
        every = [*self._shifts, *self._shifts[-1:] * ((1 << len(beat.shift)) - len(self._shifts))]
        cut = [product[shift : shift + bits] for shift in every]
        # the fraction is below the reciprocal just where nothing is left
        masks = [Const((1 << shift) - 1, every[-1]) for shift in every]
        exact = (product & Array(masks)[beat.shift]) < beat.factor
        return _Cut(Array(cut)[beat.shift], exact)

    def _settle(self, m: Module, lane: _Cut, beat: _Bank) -> Number:
        # an odd quotient is one less without its lowest bit
        value = lane.value
        return Number(Cat(value[0] & ~(lane.exact & beat.even), value[1:]))

    def _look_up(self, beat: _Bank) -> _Limits:
        limits = [Mux(beat.bank, *(each[name] for each in reversed(self._limits)))
                  for name in ("low", "high", "lift")]  # fmt: skip
        return _Limits(beat.last, *limits)

    def _compare(self, m: Module, lane: Number, beat: _Limits) -> _Compared:
        return _Compared(lane.value, lane.value < beat.low, beat.high < lane.value)

    def _choose(self, m: Module, lane: _Compared, beat: _Limits) -> Number:
        return Number(Mux(lane.below, beat.low, Mux(lane.above, beat.high, lane.value)))

    def _lift(self, m: Module, lane: Number, beat: _Limits) -> Number:
        bits = self._maxima.out_bits
        return Number((lane.value + beat.lift)[:bits])


_WORDS = ("factor", "shift", "even", "negative", "plus", "less", "zero")


def _of(beat: Bundle, kind: type[Bundle]) -> list[Value]:
    """Return the values of a bundle that another one has, too."""
    return [getattr(beat, name) for name in kind.__dataclass_fields__]


def key_mask(is_signed: Value, smallest: Value, bits: int) -> Value:
    """Return what turns a value into its key, and back: see `_order_key`."""
    return Cat(smallest.replicate(bits - 1), smallest ^ is_signed)
