"""Gates that take a schedule's numbers from registers do what those do that have constants."""

import copy
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, Fragment, Module, Shape, ShapeLike, Signal
from amaranth.sim import Simulator
from core_bench import drive, random_frames, same
from core_jobs import JOBS
from reference_gates import INDICES, QUANTISED, UNPOOL
from streampool_golden import Job, PoolJob, PoolSpec
from streampool_hw import AxiCore, Core, make_core
from streampool_hw.reduce.operations import gates_of
from streampool_hw.reduce.stage import AxisStage
from streampool_hw.schedule.counters import ModuloCounter
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.schedule.program import Program
from streampool_hw.schedule.sequencer import Capacity, Sequencer
from streampool_hw.schedule.settings import Settings
from streampool_sim.engines import EngineError, Trace, amaranth
from streampool_sim.frames import pack, unpack


class Registers(Settings):
    """Each number a register that a test can write, by its name; blank ones say 0 till then."""

    FIXED = False

    def __init__(self, *, blank: bool = False):
        self.found: dict[str, Signal] = {}
        self.said: dict[str, int] = {}
        self._blank, self._prefix = blank, ""

    def part(self, name: str) -> "Registers":
        part = copy.copy(self)
        part._prefix = f"{self._prefix}{name}."
        return part

    def number(self, name: str, value: int, shape: ShapeLike) -> Signal:
        name = self._prefix + name
        assert name not in self.found
        init = 0 if self._blank else value
        self.found[name] = Signal(Shape.cast(shape), init=init, name=name.replace(".", "_"))
        self.said[name] = value
        return self.found[name]

    def table(self, name: str, values: Sequence[int], shape: ShapeLike) -> list[Signal]:
        return [self.number(f"{name}_{k}", value, shape) for k, value in enumerate(values)]


class Told(Elaboratable):
    """A core whose registers hold what its schedule says, but for some."""

    def __init__(self, core: Core, registers: Registers, but: Mapping[str, int]):
        self._core, self._registers, self._but = core, registers, but

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.core = Fragment.get(self._core, platform)
        for name, value in {**self._registers.said, **self._but}.items():
            m.d.comb += self._registers.found[name].eq(value)
        return m


def played(
    part: Any, outputs: Sequence[str], clocks: int, registers: Registers, writes: dict
) -> list[tuple[int, ...]]:
    """Return the outputs in each clock, with a step in all; `writes` are made before some."""
    seen = []

    async def bench(ctx: Any) -> None:
        ctx.set(part.step, 1)
        for clock in range(clocks):
            for name, value in writes.get(clock, {}).items():
                ctx.set(registers.found[name], value)
            seen.append(tuple(ctx.get(getattr(part, name)) for name in outputs))
            await ctx.tick()

    simulator = Simulator(part)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def test_a_counter_takes_another_period_at_its_end():
    registers = Registers()
    counter = ModuloCounter(9, most=20, settings=registers)
    seen = played(counter, ["last"], 70, registers, {4: {"reload": 19}, 40: {"reload": 5}})
    assert [clock for clock, (last,) in enumerate(seen) if last] == [8, 28, 48, 54, 60, 66]


def test_a_sequencer_takes_another_program_that_it_has_room_for():
    registers = Registers()
    program = Program.of([1, 2, 2, 2, 3])
    assert program.words == (1, 2, 3)
    capacity = Capacity(words=3, turns=8, m=4)
    sequencer = Sequencer(program, 2, 2, capacity=capacity, settings=registers)
    # 0, then twice (2, 1), three clocks each; turns are reloaded where the loop before ends
    other = {
        **{"words_0": 0, "words_1": 2, "words_2": 1},
        **{"loop_start": 1, "loop_end": 2, "last_word": 2, "slot.reload": 2},
    }
    writes = {10: {"turns.reload": 1}, 18: other}
    seen = played(sequencer, ["word", "last"], 50, registers, writes)
    assert set(registers.found) == {"turns.reload", *other}
    before = [(word, int(k == 9)) for k, word in enumerate([1, 1, 2, 2, 2, 2, 2, 2, 3, 3])]
    after = [(word, int(k == 14)) for k, word in enumerate([0] * 3 + ([2] * 3 + [1] * 3) * 2)]
    assert seen == before * 2 + after * 2


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "length", "lanes"),
    [(3, 1, 1, 9, 1), (3, 2, 1, 12, 2), (2, 2, 0, 8, 3), (5, 2, (3, 4), 6, 1)],
)
@pytest.mark.parametrize("m", [1, 3, 8])
def test_a_stage_of_registers_gives_the_same_beats_in_the_same_clocks(
    kernel: int, stride: int, padding: Any, length: int, lanes: int, m: int
):
    spec = PoolSpec("max", kernel, stride, [padding], dtype="uint4", ndim=1)
    job = PoolJob(spec, (lanes, length))
    reduction = gates_of(job).reduce(job, 0)
    shape = reduction.shape(job.accumulator)
    rng = random.Random(m)
    beats = [rng.getrandbits(4 * lanes) for _ in range(3 * length * m)]
    logs = []
    for settings in (Settings(), Registers()):
        stage = AxisStage(
            *(AxisPlan(job.axes[0]), m, lanes, reduction, shape, shape), settings=settings
        )
        logs.append(
            drive(stage, beats, clocks=len(beats) * 3 + 60, gaps=lambda beat: beat % 3 == 0)
        )
    assert logs[0].beats and logs[0].gives == logs[1].gives
    assert logs[0].beats == logs[1].beats


WHOLE: dict[str, Job] = {
    **{
        name: JOBS[name]
        for name in (
            *("max k3 s2", "avg same", "avg restoring", "max k3 s2, planes", "l2 that grows"),
            *(
                "pads that need idle slots, RAM",
                "global sum, RAM",
                "max float16",
                "sum of all bits",
            ),
            *("avg float16, pads not counted", "lp2 k3 s1", "identity of two axes"),
        )
    },
    **INDICES,
    **QUANTISED,
    **{f"unpool {name}": job for name, job in UNPOOL.items()},
}
"""Cores that between them have every stage, counter, table and block."""


def inputs(job: Job) -> list[np.ndarray]:
    """Return frames, and the indices where a job takes some."""
    if isinstance(job, PoolJob):
        return [random_frames(job, 4)]
    rng, dtype = np.random.default_rng(0), job.input
    values = rng.integers(dtype.low, dtype.high, (4, *job.shape), dtype.numpy, endpoint=True)
    return [values, rng.integers(0, np.prod(job.out_size), (4, *job.shape))]


def run(core: Any, frames: Sequence[np.ndarray]) -> Trace:
    return amaranth.run(core, pack(core.job, *frames), stall=0.3, seed=4)


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_core_of_registers_does_what_its_schedule_says(name: str):
    job = WHOLE[name]
    frames = inputs(job)
    registers = Registers(blank=True)
    told = run(Told(make_core(job, settings=registers), registers, {}), frames)
    for k, (beats, expected) in enumerate(zip(told.fields, job.reference(*frames), strict=True)):
        assert same(unpack(job, beats, k), expected)
    fixed = run(make_core(job), frames)
    assert np.array_equal(told.last, fixed.last)
    assert np.array_equal(told.in_cycles, fixed.in_cycles)
    assert np.array_equal(told.out_cycles, fixed.out_cycles)


def test_the_counters_around_a_core_take_theirs_from_its_source():
    registers = Registers()
    core = make_core(JOBS["avg same"], settings=registers)
    Fragment.get(AxiCore(core, tkeep=True, tuser=True), None)
    around = {name for name in registers.found if name.startswith("axi.")}
    assert around == {f"axi.{name}.reload" for name in ("frame", "group_in", "group_out")}


@pytest.mark.parametrize(
    "name",
    [
        *("axis_0.sequencer.words_1", "axis_0.sequencer.loop_start", "axis_0.bank_0.last_row"),
        *("axis_1.sequencer.turns.reload", "axis_1.drain.reload", "postprocess.kinds_2"),
        *("postprocess.count_1.words_1", "postprocess.count_0.slot.reload"),
        *("postprocess.block_0.offset_4", "postprocess.block_0.block_0.by_1"),
    ],
)
def test_a_whole_core_does_as_each_register_says(name: str):
    job = JOBS["avg same"]
    frames = inputs(job)
    registers = Registers(blank=True)
    core = make_core(job, settings=registers)
    try:
        told = run(Told(core, registers, {name: 0}), frames)
    except EngineError:  # it gives too few beats, or too many
        return
    assert registers.said[name]
    assert not same(unpack(job, told.out), job.reference(*frames)[0])
