"""The parts of a stage, each alone: modulo counter, sequencer, stores, FIFO."""

import random
import re
from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
from amaranth.hdl import Module, Signal, Value, ValueCastable, unsigned
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st
from streampool_golden import Axis, ColumnAxis
from streampool_golden.columns import windows_out
from streampool_hw.datapath.fifo import BlockFifo, PipelineFifo, ShiftFifo
from streampool_hw.datapath.store import DelayLine, RamStore
from streampool_hw.reduce.columns import UniformStage
from streampool_hw.reduce.reduction import LARGEST
from streampool_hw.reduce.stage import BANK, AxisStage
from streampool_hw.schedule.columns import UniformPlan
from streampool_hw.schedule.counters import ModuloCounter, ShiftCounter, round_of
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.schedule.program import Program, Word
from streampool_hw.schedule.sequencer import Sequencer
from streampool_hw.schedule.shifts import TAPS, shifted
from streampool_hw.vendor.ecp5 import Ecp5Store
from streampool_hw.vendor.ice40 import Ice40Store

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
SEEDS = st.integers(0, 2**32)


def clock(part: Any, inputs: Sequence[dict[str, int]], outputs: Sequence[str]) -> list[tuple]:
    """Return the outputs in each clock, as they are before its edge, with these inputs.

    A name may have dots, for a member of a member.
    """

    def member(name: str) -> Any:
        found = part
        for step in name.split("."):
            found = getattr(found, step)
        return found.as_value() if isinstance(found, ValueCastable) else found

    seen = []

    async def bench(ctx: Any) -> None:
        for values in inputs:
            for name, value in values.items():
                ctx.set(member(name), value)
            # in a testbench the inputs have settled through combinational logic here
            seen.append(tuple(ctx.get(member(name)) for name in outputs))
            await ctx.tick()

    around = Module()
    around.submodules.part = part
    around.d.sync += Signal().eq(1)  # a clock, though the part may be nothing but wires
    simulator = Simulator(around)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def steps(seed: int, share: float, count: int = 120) -> list[int]:
    rng = random.Random(seed)
    return [int(rng.random() < share) for _ in range(count)]


def test_a_modulo_counter_of_one_is_always_at_its_end():
    simulator = Simulator(part := ModuloCounter(1))

    async def bench(ctx: Any) -> None:
        for step in (0, 1, 1):
            ctx.set(part.step, step)
            assert ctx.get(part.last) == 1
            await ctx.delay(1e-6)

    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("kind", [ModuloCounter, ShiftCounter])
@given(st.integers(2, 20), st.integers(0, 19), st.sampled_from([0.2, 0.7, 1.0]), SEEDS)
@settings(max_examples=40)
def test_a_modulo_counter_tells_every_last_step(kind, period, left, share, seed):
    taken, left = steps(seed, share), left % period
    seen = clock(kind(period, left), [{"step": step} for step in taken], ["last"])
    done = period - 1 - left
    for step, (last,) in zip(taken, seen, strict=True):
        assert last == (done % period == period - 1)
        done += step
    assert done > period or share < 1 or left == period - 1


def test_registers_that_shift_go_through_all_numbers():
    for bits in TAPS:
        number, seen = 1, 0
        while number != 1 or not seen:
            number, seen = shifted(number, bits), seen + 1
        assert seen == (1 << bits) - 1
    whole = [0]
    for _ in range(15):
        whole.append(shifted(whole[-1], 4, whole=True))
    assert sorted(whole) == list(range(16)) and shifted(whole[-1], 4, whole=True) == 0


@pytest.mark.parametrize(
    "periods", [range(2, 300), [*range(1000, 65_000, 4999), ShiftCounter.MOST]]
)
def test_every_period_has_its_round(periods):
    for period in periods:
        bits, first = round_of(period)
        number = first
        for k in range(period):
            number = shifted(number, bits, flip=k == period - 1)
        assert number == first


@pytest.mark.parametrize("part", [ModuloCounter(4), Sequencer(Program.of([1, 2, 2, 3]), 2, 2)])
def test_what_is_told_does_not_wait_for_the_step(part):
    """The same without a step in the clock and with one."""
    outputs = ["last"] if isinstance(part, ModuloCounter) else ["word", "last"]
    seen = []

    async def bench(ctx: Any) -> None:
        for _ in range(20):
            for step in (0, 1):
                ctx.set(part.step, step)
                seen.append(tuple(ctx.get(getattr(part, name)) for name in outputs))
            await ctx.tick()

    simulator = Simulator(part)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen[::2] == seen[1::2]
    assert len(set(seen)) > 1


@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.sampled_from([15, 15, 3, 0])), min_size=1, max_size=14
    ),
    st.integers(1, 3),
    st.integers(1, 5),
    st.sampled_from([0.3, 0.8, 1.0]),
    SEEDS,
)
@settings(max_examples=60)
def test_a_sequencer_plays_any_program_round_and_round(pairs, body, m, share, seed):
    program = Program.fold([Word(value & care, care) for value, care in pairs], body)
    words = list(program)
    assert len(words) == len(pairs)
    taken = steps(seed, share, 3 * m * len(words) + 10)
    seen = clock(Sequencer(program, 4, m), [{"step": step} for step in taken], ["word", "last"])
    done = 0
    for step, shown in zip(taken, seen, strict=True):
        at = done % (m * len(words))
        assert shown == (words[at // m], at == m * len(words) - 1)
        done += step


@pytest.mark.parametrize(
    "values",
    [
        [5],
        [5, 5, 5],
        [0, 1, 1, 1, 1, 2],  # a loop of one word
        [0, 1, 2, 1, 2, 1, 2, 3, 4],  # a loop of two, with words on either side
        [1, 2, 1, 2, 1, 2],  # a loop alone
        [3, 1, 2, 1, 2],  # nothing after it
        [1, 2, 1, 2, 3],  # nothing before it
    ],
)
@pytest.mark.parametrize("m", [1, 2])
def test_a_sequencer_plays_programs_of_every_form(values, m):
    program = Program.fold([Word(value, -1) for value in values], 2)
    count = 3 * m * len(values)
    seen = clock(Sequencer(program, 3, m), [{"step": 1}] * count, ["word", "last"])
    total = len(values) * m
    assert seen == [(values[t % total // m], t % total == total - 1) for t in range(count)]


@given(st.integers(1, 9), st.sampled_from([0.3, 0.8, 1.0]), SEEDS)
@settings(max_examples=30)
def test_a_delay_line_gives_back_what_came_in_its_depth_of_steps_ago(depth, share, seed):
    taken = steps(seed, share)
    rng = random.Random(seed)
    words = [rng.getrandbits(7) for _ in taken]
    line = DelayLine(7, depth)
    assert (line.width, line.depth) == (7, depth)
    inputs = [
        {"write_en": step, "write_data": word} for step, word in zip(taken, words, strict=True)
    ]
    seen = clock(line, inputs, ["read_data"])
    held: list[int] = []
    for step, word, (old,) in zip(taken, words, seen, strict=True):
        if len(held) >= depth:
            assert old == held[-depth]
        if step:
            held.append(word)


@given(
    st.sampled_from([AxisStage.DEPTH, 7, 8, 9, 16, 21]),
    st.sampled_from([0.3, 0.8, 1.0]),
    SEEDS,
)
@settings(max_examples=40)
def test_a_ram_gives_back_each_position_its_word(depth, share, seed):
    """Read at a step, written back so many clocks later, as the stage does."""
    lag = AxisStage.DEPTH - 1
    count = 6 * depth + 20
    taken = steps(seed, share, count)
    rng = random.Random(seed)
    words = [rng.getrandbits(9) for _ in taken]
    inputs = [
        {"read_en": taken[t], "write_en": taken[t - lag] if t >= lag else 0, "write_data": words[t]}
        for t in range(count)
    ]
    seen = clock(RamStore(9, depth), inputs, ["read_data"])
    written: dict[int, int] = {}
    position = 0
    for t in range(count - RamStore.LATENCY):
        if not taken[t]:
            continue
        if position in written:
            assert seen[t + RamStore.LATENCY] == (written[position],)
        if t + lag < count:
            written[position] = words[t + lag]
        position = (position + 1) % depth


BANKS = st.lists(st.integers(1, 7), min_size=1, max_size=3)


FIFOS = pytest.mark.parametrize("kind", [PipelineFifo, ShiftFifo, BlockFifo])


@FIFOS
@given(
    st.integers(1, PipelineFifo.IN_FLIGHT),
    st.sampled_from([0.3, 0.9, 1.0]),
    st.sampled_from([0.0, 0.1, 0.5, 0.95, 1.0]),
    st.integers(1, 60),
    BANKS,
    SEEDS,
)
@settings(max_examples=60)
def test_a_fifo_keeps_every_beat_in_order(kind, lag, eager, ready_share, hold, widths, seed):
    """A pipeline of `lag` clocks, both ends counted, that starts work while there is credit."""
    rng = random.Random(seed)
    fifo = kind(widths)
    bits = sum(widths)
    flying = deque([None] * (lag - 1))
    kept: deque[int] = deque()
    number = most = 0
    before: tuple | None = None

    async def bench(ctx: Any) -> None:
        nonlocal number, most, before
        for t in range(200):
            starts = ctx.get(fifo.credit) and rng.random() < eager
            number += bool(starts)
            flying.append(number % 2**bits if starts else None)
            arrives = flying.popleft()
            ctx.set(fifo.write, 2 ** len(widths) - 1 if arrives is not None else 0)
            data_in = arrives if arrives is not None else rng.getrandbits(bits)
            ctx.set(Value.cast(fifo.i), data_in)
            valid, payload = ctx.get(fifo.o.valid), ctx.get(Value.cast(fifo.o.payload))
            # silent for a while, so that it fills up
            ready = t >= hold and rng.random() < ready_share
            ctx.set(fifo.o.ready, ready)
            # neither the credit nor the beat shown depends on being taken, or on what is written
            assert ctx.get(fifo.o.valid) == valid == bool(kept)
            credit = ctx.get(fifo.credit)
            assert credit == (len(kept) < PipelineFifo.CAPACITY - PipelineFifo.IN_FLIGHT)
            if valid:
                assert payload == kept[0]
                if before is not None:
                    assert (valid, payload) == before
            before = (valid, payload) if valid and not ready else None
            if valid and ready:
                kept.popleft()
            if arrives is not None:
                kept.append(arrives)
            most = max(most, len(kept))
            assert len(kept) < PipelineFifo.CAPACITY
            await ctx.tick()

    simulator = Simulator(fifo)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    if eager == 1 and hold > 30:
        # what is kept for beats in flight is used where all of them come
        assert most >= PipelineFifo.CAPACITY - PipelineFifo.IN_FLIGHT - 1 + lag


@FIFOS
def test_a_fifo_passes_a_beat_a_clock(kind):
    count = 40
    seen = clock(
        kind([8]),
        [{"write": 1, "i": t, "o.ready": 1} for t in range(count)],
        ["o.valid", "o.payload", "credit"],
    )
    assert seen[0][0] == 0
    assert seen[1:] == [(1, t, 1) for t in range(count - 1)]


@FIFOS
def test_what_a_fifo_shows_comes_from_registers(kind):
    """`o.valid` and `credit` are the same whatever its inputs are in that clock."""
    fifo = kind([4])
    values: set[tuple] = set()

    async def bench(ctx: Any) -> None:
        for t in range(12):
            values.clear()
            for bits in range(4):
                ctx.set(fifo.write, bits & 1)
                ctx.set(fifo.o.ready, bits >> 1)
                values.add((ctx.get(fifo.o.valid), ctx.get(fifo.credit)))
            assert len(values) == 1
            ctx.set(fifo.o.ready, t > 5)
            await ctx.tick()

    simulator = Simulator(fifo)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_a_stage_is_no_deeper_than_its_fifo_allows():
    assert AxisStage.DEPTH <= PipelineFifo.IN_FLIGHT
    assert PipelineFifo.CAPACITY <= 16


def _stage(axis: Axis, m: int, lanes: int) -> AxisStage:
    return AxisStage(AxisPlan(axis), m, lanes, LARGEST, unsigned(8), unsigned(8))


@pytest.mark.parametrize(
    ("lanes", "levels"), [(1, 0), (BANK, 0), (BANK + 1, 1), (2 * BANK, 1), (2 * BANK + 1, 2)]
)
def test_a_bank_of_lanes_has_a_copy_of_the_control(lanes, levels):
    axis = Axis.resolve(9, 3, 2, (1, 1))
    assert _stage(axis, 1, lanes).levels == levels
    # a RAM is a clock away in any case
    assert _stage(axis, AxisStage.DEPTH, lanes).levels == max(1, levels)


def test_banks_are_larger_where_there_is_no_time_for_more():
    for lanes in (BANK << 3, BANK << 7, (BANK << 7) + 1):
        stage = _stage(Axis.resolve(9, 3, 2, (1, 1)), AxisStage.DEPTH, lanes)
        assert stage.latency <= PipelineFifo.IN_FLIGHT


def test_what_drains_nothing_counts_no_turns():
    """Neither along an axis nor with several columns a beat does it know where a row ends."""
    apart, beyond = Axis.resolve(64, 2, 2, "valid"), Axis.resolve(64, 3, 1, (1, 1))
    for make in (lambda axis: _stage(axis, 1, 1), lambda axis: _uniform(axis, 4, 1)):
        assert "turns" not in rtlil.convert(make(apart))
        assert "turns" in rtlil.convert(make(beyond))


def _uniform(axis: Axis, columns: int, m: int) -> UniformStage:
    plan = UniformPlan(ColumnAxis(axis, columns, windows_out(axis, columns)))
    shape = unsigned(8)
    return UniformStage(plan, m, 1, LARGEST, lambda _: shape, shape, idempotent=True)


def test_columns_are_kept_in_a_ram_where_there_is_time_to_reach_one():
    taken_anew, overlapping = Axis.resolve(64, 2, 2, "valid"), Axis.resolve(64, 3, 1, (1, 1))
    few, many = AxisStage.DEPTH - 1, AxisStage.DEPTH
    kept = [_uniform(overlapping, 4, m) for m in (few, many)]
    assert all(stage.store_words for stage in kept)
    assert kept[1].latency - kept[0].latency == RamStore.LATENCY - 1
    # what keeps nothing waits for no store
    plain = [_uniform(taken_anew, 4, m) for m in (1, few, many, 100)]
    assert not any(stage.store_words for stage in plain)
    assert len({stage.latency for stage in plain}) == 1


@pytest.mark.parametrize(
    ("kind", "enable", "words", "always"),
    [
        (Ecp5Store, "CEW", 511, True),
        (Ecp5Store, "CEW", 512, False),
        # pointers that shift go round no more rows than they have to, and one less than a power
        *[(Ice40Store, "WE", words, words not in (63, 64)) for words in (62, 63, 64, 65, 254)],
    ],
)
def test_many_blocks_write_always_only_where_a_row_is_to_spare(kind, enable, words, always):
    # with as many words as rows the write pointer may stand at a word that is still to be read
    blocks, bits = kind.GROUP + 1, max(kind.ROWS.values())
    text = rtlil.convert(kind(bits * blocks, words))
    enables = re.findall(rf"connect \\{enable} (.*)", text)
    assert len(enables) == blocks
    assert {written == "1'1" for written in enables} == {always}
    few = rtlil.convert(kind(bits * kind.GROUP, words))
    assert "1'1" not in re.findall(rf"connect \\{enable} (.*)", few)
