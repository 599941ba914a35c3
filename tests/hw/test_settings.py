"""Gates that take a schedule's numbers from registers do what those do that have constants."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from amaranth.hdl import Shape, Signal
from amaranth.sim import Simulator
from core_bench import drive
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.reduce.operations import gates_of
from streampool_hw.reduce.stage import AxisStage
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.schedule.program import Program
from streampool_hw.schedule.sequencer import Capacity, ModuloCounter, Sequencer
from streampool_hw.schedule.settings import Settings


class Registers(Settings):
    """Each number a register that a test can write, by its name."""

    FIXED = False

    def __init__(self, found: dict[str, Signal] | None = None, prefix: str = ""):
        self.found = {} if found is None else found
        self._prefix = prefix

    def part(self, name: str) -> "Registers":
        return Registers(self.found, f"{self._prefix}{name}.")

    def number(self, name: str, value: int, most: int) -> Signal:
        return self._register(name, Shape.cast(range(most + 1)), value)

    def table(self, name: str, values: Sequence[int], shape: Shape) -> list[Signal]:
        return [self._register(f"{name}_{k}", shape, value) for k, value in enumerate(values)]

    def _register(self, name: str, shape: Shape, value: int) -> Signal:
        name = self._prefix + name
        self.found[name] = Signal(shape, init=value, name=name.replace(".", "_"))
        return self.found[name]


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
