"""Axes of adaptive pooling: every N and No up to 64, word by word with symbols for values."""

import random
from itertools import product

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator
from streampool_golden import Axis, PoolJob, PoolSpec, StageShape, UnevenAxis
from streampool_hw.schedule.accumulator import Accumulator
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.schedule.plans import plan_of
from streampool_hw.schedule.sequencer import Sequencer
from streampool_hw.schedule.uneven import Rounds, UnevenPlan

MOST = 64
PAIRS = list(product(range(1, MOST + 1), repeat=2))


def definition(n: int, no: int) -> list[range]:
    """torch's windows, from floor(i n / no) to below ceil((i + 1) n / no)."""
    return [range(i * n // no, -(-(i + 1) * n // no)) for i in range(no)]


def play(plan: UnevenPlan, m: int, frames: int, wait, seed: int):
    """Do what a stage does with a plan's words: return the windows that leave, and the clocks.

    `wait` says for how many clocks an input is not there.
    """
    rng = random.Random(seed)
    words = [word for _ in range(plan.words.rounds) for word in plan.words]
    assert len(words) == plan.period
    store: list[frozenset] = [frozenset([("junk", rng.random())]) for _ in range(m)]
    out, clock = [], 0
    for frame in range(frames):
        taken = 0
        for word in words:
            load, add, add_behind, shift, own, take = (
                bool(word >> k & 1) for k in (0, 2, 3, 4, 5, 6)
            )
            take = take or not plan.pauses
            for position in range(m):
                clock += 1
                x = frozenset([(frame, taken, position)]) if take else frozenset(["nothing"])
                if take:
                    clock += wait()
                old = store.pop(0)
                new = (frozenset() if load else old) | (x if add else frozenset())
                behind = x if add_behind else frozenset()
                if own:
                    out.append(new)
                store.append(behind if shift else new)
            taken += take
        assert taken == plan.axis.length
    return out, clock


@pytest.mark.parametrize("most", [MOST, pytest.param(2 * MOST, marks=pytest.mark.long)])
def test_every_tap_once_at_both_limits(most):
    """One live partial at the most and max(N, No) slots, no drain that waits, in every pair."""
    rng = random.Random(1)
    uneven = 0
    for n, no in product(range(1, most + 1), repeat=2):
        axis = Axis.to_size(n, no)
        plan = plan_of(axis)
        assert [axis.taps(i) for i in range(no)] == definition(n, no)
        assert plan.partials <= (n != no) and plan.period == max(n, no) and not plan.idle
        if isinstance(plan, AxisPlan):
            assert no <= n or (no == n + 1 and plan.drain == 1)
            continue
        uneven += 1
        for m, wait in ((1, lambda: 0), (3, lambda: rng.choice((0, 0, 0, 1, 5)))):
            out, clocks = play(plan, m, 3, wait, n)
            assert out == [
                frozenset((frame, tap, position) for tap in taps)
                for frame in range(3)
                for taps in definition(n, no)
                for position in range(m)
            ]
            assert m > 1 or clocks == 3 * max(n, no)
    assert uneven > most


def test_which_sizes_are_axes_like_any_other():
    for n, no in PAIRS:
        even = n % no == 0 or (n % no == 1 and no < n) or n % no == no - 1
        assert isinstance(Axis.to_size(n, no), UnevenAxis) != even
        assert even or no > 3 or n < no
        assert no <= n or even == (no == n + 1)


def test_an_uneven_axis_has_the_slots_that_the_planner_finds_where_it_shrinks():
    for n, no in PAIRS:
        axis = Axis.to_size(n, no)
        if not isinstance(axis, UnevenAxis) or axis.growth > 0 or n > 40:
            continue
        plan = UnevenPlan(axis)
        found = _Planned(axis)
        assert found.partials == plan.partials == 1 and not found.drain
        assert found.leave == plan.leave and found.always_shifts == plan.always_shifts


class _Planned(AxisPlan):
    """The planner on an uneven axis, none of which is cut out."""

    def __init__(self, axis: UnevenAxis):
        super().__init__(_Whole(**{name: getattr(axis, name) for name in _FIELDS}))


_FIELDS = ("length", "kernel", "stride", "before", "after", "dilation", "outputs")


class _Whole(UnevenAxis):
    """An uneven axis that the planner goes through as a whole."""

    @property
    def kept(self) -> range:
        return range(0)


def words_played(player, count: int) -> list[tuple[int, int]]:
    """Return the words, and whether each step is the last, of so many steps with gaps."""
    m, seen, rng = Module(), [], random.Random(count)
    m.submodules.player = player
    step = Signal()
    m.d.comb += player.step.eq(step)

    async def bench(ctx):
        while len(seen) < count:
            go = rng.random() < 0.7
            ctx.set(step, go)
            if go:
                seen.append((ctx.get(player.word), ctx.get(player.last)))
            await ctx.tick()

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


@pytest.mark.parametrize(
    ("n", "no", "m"), [(14, 4, 1), (14, 4, 3), (64, 23, 1), (9, 6, 2), (4, 14, 2), (5, 7, 1)]
)
def test_an_accumulator_plays_what_the_program_does(n, no, m):
    plan = plan_of(Axis.to_size(n, no))
    assert isinstance(plan, UnevenPlan)
    count = 3 * plan.period * m
    by_program = Sequencer(plan.program, plan.word_bits, m)
    words = words_played(Accumulator(plan.words, plan.word_bits, m), count)
    assert words == words_played(by_program, count)
    assert [last for _, last in words] == ([0] * (plan.period * m - 1) + [1]) * 3


def test_the_longer_windows_add_up_to_what_the_length_has_beyond():
    for n, no in PAIRS:
        axis = Axis.to_size(n, no)
        lengths = sorted(set(map(len, definition(n, no))))
        assert list(axis.counts(False)) == list(map(len, definition(n, no)))
        assert len(lengths) <= 2
        if isinstance(axis, UnevenAxis) and len(lengths) == 2:
            assert lengths[1] == lengths[0] + 1 == axis.kernel
            rounds = Rounds(n % no, no, 0, 0, 1, 0)
            found = list(rounds) * rounds.rounds
            assert found == [len(taps) - lengths[0] for taps in definition(n, no)]


@pytest.mark.parametrize(
    ("n", "no", "words"),
    [
        *((14, 4, 7), (12, 8, 3), (63, 49, 9), (1 << 24, 3 << 22, 4), (97, 31, 0)),
        *((64, 6, 32), (33, 7, 0)),  # the longest program, and one word more
    ],
)
def test_a_program_is_as_long_as_a_round_and_no_longer_than_pays(n, no, words):
    plan = plan_of(Axis.to_size(n, no))
    assert isinstance(plan, UnevenPlan)
    assert plan.words.accumulates == (words == 0)
    assert not words or len(plan.program.words) <= words


def steps_of(stage: StageShape) -> list[tuple[bool, bool]]:
    """Return per slot of a stage whether it takes an input, and whether a window leaves.

    What drains does so in slots of its own, as if no frame could begin meanwhile.
    """
    plan = plan_of(stage.along)
    if isinstance(plan, UnevenPlan):
        words = [word for _ in range(plan.words.rounds) for word in plan.words]
        return [(not plan.pauses or bool(word >> 6 & 1), bool(word >> 5 & 1)) for word in words]
    leave = set(plan.leave)
    inputs = [(True, slot in leave) for slot in range(stage.along.length)]
    return inputs + [(False, True)] * plan.drain


def clocks_per_frame(job: PoolJob) -> int:
    """Return the clocks from a frame's last output to the next one's, with FIFOs of 8 between."""
    stages = [(steps_of(stage), stage.m) for stage in job.stages]
    beats = [len(steps) * m for steps, m in stages]
    at, fifo, given, clock, ends = [0] * len(stages), [0] * (len(stages) + 1), 0, 0, []
    while len(ends) < 4:
        clock += 1
        if fifo[-1]:
            fifo[-1] -= 1
            given += 1
            if given % job.beats_out == 0:
                ends.append(clock)
        for number in reversed(range(len(stages))):
            steps, m = stages[number]
            take, leaves = steps[at[number] // m]
            if fifo[number + 1] > 7 or (take and number and not fifo[number]):
                continue
            fifo[number] -= take and number > 0
            fifo[number + 1] += leaves
            at[number] = (at[number] + 1) % beats[number]
    return ends[-1] - ends[-2]


def test_frames_of_several_axes_take_what_is_stated():
    """At the limit where no axis grows while another shrinks, and never beyond the bound."""
    rng = random.Random(4)
    kinds = {"at the limit": 0, "mixed": 0, "mixed, beyond": 0}
    for _ in range(250):
        axes = rng.choice((2, 2, 3))
        most = 14 if axes == 2 else 6
        size, out = ([rng.randint(1, most) for _ in range(axes)] for _ in range(2))
        job = PoolJob(PoolSpec("max", adaptive=out), (rng.choice((1, 4)), *size), 1)
        if not job.stages:
            continue
        taken = clocks_per_frame(job)
        assert taken <= job.cycles_bound, (size, out)
        if job.cycles_bound == job.limit_cycles:
            kinds["at the limit"] += 1
            assert taken == job.limit_cycles, (size, out)
        else:
            kinds["mixed"] += 1
            kinds["mixed, beyond"] += taken > job.limit_cycles
    assert min(kinds.values()) > 10
