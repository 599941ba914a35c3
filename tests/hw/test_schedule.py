"""The schedule, carried out in plain Python and checked against brute force."""

import random
from types import SimpleNamespace
from typing import Any

import pytest
from axes import axes
from hypothesis import given, settings
from hypothesis import strategies as st
from slot_model import fold, slot_by_slot
from streampool_golden import Axis, SpecError
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.schedule.plans import plan_of
from streampool_hw.schedule.program import Program, Word
from streampool_hw.schedule.uneven import UnevenPlan


def run(plan: Any, m: int, frames: int, gap, seed: int):
    """Carry out a plan as the stage does, with sets of taps for partials.

    A word of the store is a list of R sets; `gap(frame, beat)` gives the clocks in which no
    input is there before a beat. Returns the windows that left, as (position, taps), and the
    number of the clocks taken.
    """
    rng = random.Random(seed)
    width = plan.partials + 1
    words = list(plan.program)
    # what a RAM holds at power-up must never be seen
    store = [[frozenset([("junk", rng.random())]) for _ in range(plan.partials)] for _ in range(m)]
    out, address, left, clock = [], 0, 0, 0

    def step(load, add, shift, leaves, x):
        nonlocal address
        queue = [*store[address], frozenset()]
        merged = [
            (frozenset() if load >> j & 1 else queue[j]) | frozenset([x] if add >> j & 1 else [])
            for j in range(width)
        ]
        if leaves:
            out.append(merged[0])
        store[address] = merged[1:] if shift else merged[:-1]
        address = (address + 1) % m

    for frame in range(frames + 1):
        for slot in range(len(words)):
            for position in range(m):
                idle = gap(frame, slot * m + position) if frame < frames else 10**9
                while idle or (slot == position == 0 and left > plan.overlap * m):
                    if slot == position == 0 and left:
                        step(0, 0, True, True, None)
                        left -= 1
                    elif frame == frames:
                        return out, clock
                    idle -= idle > 0
                    clock += 1
                word = words[slot]
                load, add = word % 2**width, word >> width & (2**width - 1)
                shift, own = word >> 2 * width & 1, word >> 2 * width + 1 & 1
                step(load, add, shift, own or left > 0, (frame, slot, position))
                left -= left > 0
                clock += 1
        left = plan.drain * m
    raise AssertionError("not reached")


def expected(axis: Axis, m: int, frames: int):
    return [
        frozenset((frame, tap, position) for tap in axis.taps(i))
        for frame in range(frames)
        for i in range(axis.outputs)
        for position in range(m)
    ]


@given(axes(), st.integers(1, 4), st.sampled_from([0.0, 0.3, 0.9]), st.integers(0, 2**32))
@settings(max_examples=400, deadline=None)
def test_every_tap_once_and_in_order(axis, m, share, seed):
    rng = random.Random(seed)

    def gap(_frame, _beat):
        return rng.choice([1, 2, 7]) if rng.random() < share else 0

    out, _ = run(AxisPlan(axis), m, 4, gap, seed)
    assert out == expected(axis, m, 4)


@given(axes(), st.integers(1, 4), st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_a_late_frame_overlaps_the_drain_at_any_gap(axis, m, late):
    out, _ = run(AxisPlan(axis), m, 3, lambda frame, beat: late if frame and not beat else 0, late)
    assert out == expected(axis, m, 3)


@given(axes())
@settings(max_examples=1500, deadline=None)
def test_the_two_limits(axis):
    plan = AxisPlan(axis)
    assert plan.partials <= -(-(axis.kernel - 1) * axis.dilation // axis.stride)
    assert plan.period == max(axis.length, axis.outputs) + plan.idle
    assert plan.idle <= axis.idle_bound
    assert len(set(plan.leave)) == axis.outputs
    assert list(plan.leave) == sorted(plan.leave)
    assert all(leave >= axis.taps(i)[-1] for i, leave in enumerate(plan.leave))
    assert plan.leave[-1] - plan.leave[0] < plan.period
    if max(axis.before, axis.after) <= axis.span // 2:
        assert plan.idle == 0
    assert plan.overlap < axis.length or plan.drain == 0


@given(axes())
@settings(max_examples=300, deadline=None)
def test_steady_cycles_are_the_period(axis):
    plan = AxisPlan(axis)
    clocks = [run(plan, 2, frames, lambda *_: 0, 0)[1] for frames in (4, 5, 6)]
    # the idle clock in which the end is noticed and the last drain are the same in all
    assert clocks[1] - clocks[0] == clocks[2] - clocks[1] == 2 * plan.period


def alive_by_hand(plan: AxisPlan) -> int:
    """Count the started, not yet left windows after each slot of a steady frame."""
    spans = [(plan.axis.taps(i)[0], leave) for i, leave in enumerate(plan.leave)]
    return max(
        sum(
            first - lag <= slot < leave - lag
            for first, leave in spans
            for lag in (0, plan.period, 2 * plan.period)
        )
        for slot in range(plan.period)
    )


@given(axes())
@settings(max_examples=300, deadline=None)
def test_the_store_is_no_longer_than_what_lives(axis):
    """With dilation a later window may start before an earlier one: its place is kept."""
    plan = AxisPlan(axis)
    alive = alive_by_hand(plan)
    assert plan.partials >= alive
    if axis.dilation == 1:
        assert plan.partials == alive


def played_longer(plan: AxisPlan | UnevenPlan, more: int, m: int, seed: int):
    """Carry out the words for a queue of `more` positions; check the marks of the end windows."""
    partials, windows = plan.partials + more, plan.short.outputs
    marks = [(i == 0) | (i == windows - 1) << 1 for i in range(windows)]
    program = list(plan.program_for(partials, marks))
    for i, slot in enumerate(plan.leave):
        due = (i == 0) | (i == len(plan.leave) - 1) << 1
        assert slot >= len(program) or program[slot] >> 2 * (partials + 1) + 2 == due
    longer = SimpleNamespace(
        partials=partials, program=program, drain=plan.drain, overlap=plan.overlap
    )
    rng = random.Random(seed)
    return run(longer, m, 2, lambda frame, beat: rng.choice([0, 0, 3]), seed)[0]


@given(axes(), st.integers(0, 3), st.integers(1, 3), st.integers(0, 2**32))
@settings(max_examples=60)
def test_a_longer_queue_does_the_same_and_windows_have_their_marks(axis, more, m, seed):
    assert played_longer(AxisPlan(axis), more, m, seed) == expected(axis, m, 2)


@pytest.mark.parametrize("more", [0, 1, 2])
def test_windows_of_two_lengths_have_longer_queues_too(more):
    for length, outputs in ((9, 6), (14, 4), (13, 5), (11, 8), (10, 7)):
        axis = Axis.to_size(length, outputs)
        plan = plan_of(axis)
        assert isinstance(plan, UnevenPlan)
        assert played_longer(plan, more, 2, more) == expected(axis, 2, 2)


@pytest.mark.parametrize(
    ("axis", "partials", "words"),
    [
        (Axis.resolve(224, 2, 2, (0, 0)), 1, 2),
        (Axis.resolve(224, 3, 1, (1, 1)), 2, 2),
        (Axis.resolve(112, 3, 2, (1, 1)), 1, 4),
        (Axis.resolve(7, 7, 1, (0, 0)), 1, 3),
        (Axis.resolve(16000, 4, 4, (0, 0)), 1, 4),
        (Axis.resolve(50176, 50176, 50176, (0, 0)), 1, 3),
    ],
    ids=lambda value: f"N{value.length}K{value.kernel}" if isinstance(value, Axis) else None,
)
def test_usual_axes_have_small_programs(axis, partials, words):
    plan = AxisPlan(axis)
    assert plan.partials == partials
    assert len(plan.program.words) <= words
    assert plan.idle == 0


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40), st.integers(1, 4))
def test_a_program_unfolds_to_what_was_folded(values, body):
    program = Program.fold([Word(value, -1) for value in values], body)
    assert list(program) == values
    assert program.length == len(values)
    index, turns, seen = 0, program.repeats - 1, []
    for _ in range(2 * len(values)):
        seen.append(program.words[index])
        index, turns = program.next_state(index, turns)
    assert seen == values * 2


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=30),
    st.integers(1, 3),
)
def test_a_folded_program_keeps_every_bit_that_matters(pairs, body):
    words = [Word(value & care, care) for value, care in pairs]
    for word, given_word in zip(Program.fold(words, body), words, strict=True):
        assert word & given_word.care == given_word.value


def _random_axis(rng: random.Random, longest: int) -> Axis:
    """Return an axis that may have a middle: usual and odd pads, crops, dilations, ceil_mode."""
    while True:
        length, kernel = rng.randint(1, longest), rng.randint(1, rng.choice([3, 9, 14]))
        dilation = rng.choice([1, 1, 1, 2, 3, 5])
        span = (kernel - 1) * dilation + 1
        low, most = rng.choice([0, -3, -40]), rng.choice([span // 2, span - 1])
        padding = rng.choice(["same", (rng.randint(low, most), rng.randint(low, most))])
        stride = rng.choice([1, 1, 2, 2, 3, 4, 6, 8])
        try:
            return Axis.resolve(length, kernel, stride, padding, dilation, rng.random() < 0.5)
        except SpecError:  # no window fits, or one sees no input: draw another
            continue


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_of_the_ends_is_the_plan_of_every_slot(seed):
    rng = random.Random(seed)
    cut = 0
    for _ in range(120):
        axis = _random_axis(rng, rng.choice([30, 160]))
        plan, model = AxisPlan(axis), slot_by_slot(axis)
        got = (plan.leave, plan.period, plan.partials, plan.drain, plan.overlap)
        assert got == model[:5], axis
        assert plan.always_shifts == model.always_shifts, axis
        program, folded = plan.program, fold(model.words, axis.stride)
        assert (program.words, program.start, program.stop, program.repeats) == folded, axis
        cut += plan.short.length < axis.length
    assert cut > 20


@pytest.mark.parametrize("longer", [1, 1000])
@pytest.mark.parametrize(
    ("length", "kernel", "stride", "padding", "dilation", "visited"),
    [
        (10**6, 3, 2, (1, 1), 1, 100),
        (10**6, 2, 2, (0, 0), 1, 100),
        (10**6, 3, 1, (40, 40), 40, 1000),
        (10**5, 1000, 1, (500, 499), 1, 10**4),
        (10**5, 1000, 1000, (0, 0), 1, 20_000),
        (10**6, 9, 1, (-50, -50), 1, 400),
    ],
)
def test_a_long_axis_costs_what_its_ends_do(
    length, kernel, stride, padding, dilation, visited, longer
):
    axis = Axis.resolve(length, kernel, stride, padding, dilation)
    more = Axis.resolve(length + longer * stride, kernel, stride, padding, dilation)
    plan, other = AxisPlan(axis), AxisPlan(more)
    assert plan.short.length == other.short.length <= visited
    assert plan.program.length == length
    assert other.program == plan.program.lengthened(longer * stride)
    assert other.leave[-1] == plan.leave[-1] + longer * stride


def test_a_long_run_is_looked_at_once(monkeypatch):
    merges = []
    merge = Word.merge
    monkeypatch.setattr(Word, "merge", lambda *words: merges.append(1) or merge(*words))
    program = Program.of([1, 2, 3] + [4] * 100_000 + [3, 2, 1])
    assert (len(program.words), program.repeats) == (7, 100_000)
    assert len(merges) < 100
