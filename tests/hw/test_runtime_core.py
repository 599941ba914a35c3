"""A run-time core does what golden says of every job, in the clocks that its job says."""

import random
from itertools import accumulate, pairwise

import numpy as np
import pytest
from amaranth.sim import Simulator
from streampool_golden import PoolSpec
from streampool_hw.export import yosys
from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima
from streampool_hw.runtime.registers import ARM, STAGES, WORDS, RegisterMap, checksum
from streampool_sim.engines.trace import EngineError
from streampool_sim.runtime.cases import clocks_lost, fault, random_frame, random_job, random_turns
from streampool_sim.runtime.engine import Noise, RuntimeModel, Turn
from streampool_sim.runtime.sweep import MAXIMA, sequence

MOST, SUMS = MAXIMA[0], MAXIMA[3]


@pytest.fixture(scope="module", params=[MOST, SUMS], ids=lambda maxima: "-".join(maxima.operations))
def model(request: pytest.FixtureRequest) -> RuntimeModel:
    return RuntimeModel(RuntimePoolCore(request.param), optimise="-O1")


def test_random_sequences_equal_golden_with_stalls_gaps_late_hosts_and_resets(model: RuntimeModel):
    done = 0
    for seed in range(80):
        _, changed, wrong = sequence(model, seed)
        assert wrong is None, seed
        done += changed
    assert done > 150


def test_a_change_loses_no_more_than_its_formula_and_the_columns_exactly_that(model: RuntimeModel):
    exact = free = 0
    for seed in range(80):
        turns = random_turns(seed, model.core.maxima, timed=True)
        played = model.run(turns, seed=seed)
        assert fault(turns, played) is None
        bubbles = [0] + [
            new.job.bubble_after(old.job) if new.job is not old.job else 0
            for old, new in pairwise(turns)
        ]
        found = clocks_lost(model, turns, played)
        for before, most in zip(accumulate(found), accumulate(bubbles), strict=True):
            assert before <= most, seed
        free += sum(
            not bubble and new.job is not old.job
            for bubble, (old, new) in zip(bubbles[1:], pairwise(turns), strict=True)
        )
        for k, (old, new) in enumerate(pairwise(turns), 1):
            jobs = old.job, new.job
            whole = all(job.cycles_bound == job.job.beats_in for job in jobs)
            plain = whole and not any(stage.rest for job in jobs for stage in job.stages)
            rows = new.job.bubble_after(old.job) - _columns(old, new)
            if old.job is not new.job and plain and not rows and not any(bubbles[:k]):
                assert found[k] == _columns(old, new), seed
                exact += 1
    assert exact > 10 and free > 50


def test_frames_take_what_their_job_says_or_less_where_that_is_a_bound(model: RuntimeModel):
    rng, numbers, seen = random.Random(7), np.random.default_rng(7), {True: 0, False: 0}
    while min(seen.values()) < 8:
        job = random_job(rng, model.core.maxima, beats=200)
        grows = [stage.outputs > stage.slots for stage in job.stages]
        if grows[0] == grows[1] or any(stage.rest for stage in job.stages):
            continue
        turns = [Turn(job, random_frame(numbers, job)) for _ in range(6)]
        ends = [int(each[-1]) for each in model.run(turns).in_cycles]
        took = ends[-1] - ends[-2]
        assert took == model.steady_cycles(job)
        assert job.limit_cycles <= took <= job.cycles_bound
        if grows[0] or job.is_steady:  # of columns that grow all is known
            assert took == job.cycles_bound
        seen[grows[0]] += 1


def test_a_loss_shows_where_frames_take_less_than_their_bound():
    job = RuntimeJob(PoolSpec("max", (3, 2), (1, 2), [[1, 2], [1, -1]]), (16, 6, 5), MOST)
    before = RuntimeJob(PoolSpec("max", (3, 5), (3, 1)), (18, 9, 8), MOST)
    model, numbers = RuntimeModel(RuntimePoolCore(MOST), optimise="-O1"), np.random.default_rng(0)
    turns = [Turn(each, random_frame(numbers, each)) for each in (before, job, job)]
    found = clocks_lost(model, turns, model.run(turns))
    assert job.cycles_bound - model.steady_cycles(job) == 16
    assert found == [0, job.bubble_after(before), 0]


def _columns(old: Turn, new: Turn) -> int:
    before, after = old.job.columns, new.job.columns
    return max(0, before.drain * before.m - after.first * after.m)


def test_no_job_hangs_it_or_breaks_the_handshake_and_a_soft_reset_brings_it_back(
    model: RuntimeModel,
):
    for seed in range(60):
        rng = random.Random(seed)
        turns = random_turns(seed, model.core.maxima)
        writes: list[tuple[int, int]] = []
        for _ in range(rng.randint(1, 4)):
            job = list(rng.choice(turns).job.writes[:-1])
            for _ in range(rng.randint(0, 6)):  # words of any value, and words that never come
                place = rng.randrange(len(job))
                job[place] = (job[place][0], rng.getrandbits(32))
                if rng.random() < 0.3:
                    del job[rng.randrange(len(job))]
            writes += [*job, (ARM.address, checksum(word for _, word in job))]
        noise = Noise(rng.randint(50, 2000), writes)
        played = model.run(turns, seed=seed, noise=noise, stalls=(0.2, 0.2))
        assert fault(turns, played) is None, seed


def _port(core: RuntimePoolCore, writes: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return busy, bad, refused and ready after each write, and after some clocks more."""
    seen = []

    async def bench(ctx):
        for address, word in [*writes, *[(None, 0)] * 30]:
            ctx.set(core.write, address is not None)
            ctx.set(core.address, address or 0)
            ctx.set(core.data, word)
            await ctx.tick()
            seen.append(
                tuple(ctx.get(bit) for bit in (core.busy, core.bad, core.refused, core.i.ready))
            )

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


SMALL = Maxima(lanes=1, max_fold=8, max_row=32, max_words=8, max_length=16)


def test_a_right_job_is_taken_over_and_busy_falls():
    job = RuntimeJob(PoolSpec("max", 3, 2), (1, 7, 7), SMALL)
    seen = _port(RuntimePoolCore(SMALL), list(job.writes))
    busy, bad, refused, ready = zip(*seen, strict=True)
    assert sum(busy) == 9 and not any(bad) and not any(refused)
    assert not any(ready[: len(job.writes)]) and ready[-1]
    # a beat of the new job is taken within the clocks that the core states
    assert ready.index(1) < len(job.writes) + RuntimePoolCore.TAKE_OVER


def test_a_torn_job_is_not_armed_and_a_whole_one_is_afterwards():
    job = RuntimeJob(PoolSpec("max", 3, 2), (1, 7, 7), SMALL)
    torn = [*job.writes[:3], *job.writes[4:]]
    seen = _port(RuntimePoolCore(SMALL), torn)
    assert seen[-1] == (0, 1, 0, 0)
    seen = _port(RuntimePoolCore(SMALL), [*torn, *job.writes])
    assert seen[-1] == (0, 0, 0, 1)


def test_writes_while_busy_are_refused_and_change_nothing():
    job = RuntimeJob(PoolSpec("max", 3, 2), (1, 7, 7), SMALL)
    late = (RegisterMap(SMALL).address("columns", 0), 0)
    seen = _port(RuntimePoolCore(SMALL), [*job.writes, late, late])
    assert seen[-1] == (0, 0, 1, 1)


def test_lanes_of_several_banks():
    lanes = 20
    most = Maxima(lanes=lanes, max_fold=16, max_row=64, max_words=8, max_length=32)
    job = RuntimeJob(PoolSpec("max", 3, 2, 1), (lanes * 7, 5, 6), most)
    other = RuntimeJob(PoolSpec("max", 3, 1, 1), (lanes * 8, 4, 5), most)
    model = RuntimeModel(RuntimePoolCore(most), optimise="-O0")
    rng = np.random.default_rng(0)
    turns = [Turn(each, random_frame(rng, each)) for each in (job, other, job, job)]
    assert fault(turns, model.run(turns)) is None


def test_a_family_of_its_own_memories_has_the_same_ports():
    text = yosys.to_rtlil(RuntimePoolCore(SUMS, family="ecp5"), "top")
    assert "PDPW16KD" in text and "MULT18X18D" in text


def test_a_word_that_is_lost_is_found(model: RuntimeModel):
    maxima = model.core.maxima
    turns = random_turns(3, maxima)
    first = turns[0].job
    place = RegisterMap(maxima).address(STAGES[0], WORDS)
    torn = tuple(write for write in first.writes if write[0] != place)
    object.__setattr__(first, "writes", torn)
    with pytest.raises(EngineError, match="refused a job"):
        model.run(turns)
