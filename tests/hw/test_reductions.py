"""The gates that reduce, each alone: a partial and what comes to it, against the golden model."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, Value
from amaranth.sim import Simulator
from streampool_golden import DType, PoolJob, PoolSpec, pool, pool_with_indices
from streampool_hw.blocks.floats_in import FloatToKey
from streampool_hw.reduce.reduction import (
    ReductionGates,
    extremes,
    float_extremes,
    float_sums,
    sums,
)

PLACE = 2
"""Bits of a place below a key."""


def evaluate(m: Module, inputs: Sequence[Signal], output: Value, values: Any) -> list[int]:
    """Return what gates without a register make of each of some values."""
    found = []

    async def bench(ctx: Any) -> None:
        for each in values:
            for signal, value in zip(inputs, each, strict=True):
                ctx.set(signal, value)
            found.append(ctx.get(output))

    m.d.sync += Signal().eq(1)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def both(m: Module, gates: ReductionGates, partial: Value, x: Value) -> Signal:
    """Return the new partial, of the width of the one before."""
    new = Signal(len(partial))
    m.d.comb += new.eq(gates.second(partial, x, gates.first(partial, x)))
    return new


def chosen(gates: ReductionGates, dtype: DType, width: int, below: int, values: Any) -> list[int]:
    """Return the value, of `dtype`, and above it the place, that is chosen of two."""
    m = Module()
    operands = [Signal(width), Signal(width)]
    new = both(m, gates, *operands)
    out = Signal(dtype.bits + below)
    value = Value.cast(gates.decode(new, dtype)).as_unsigned()
    m.d.comb += out.eq(value[: dtype.bits] | new[:below] << dtype.bits)
    return evaluate(m, operands, out, values)


def expected(spec: PoolSpec, windows: np.ndarray, below: int) -> list[int]:
    """Return the golden model's values, as their bits, and above these the inverted places."""
    dtype = spec.in_dtype
    if not below:
        values, places = pool(spec, windows), np.zeros((*windows.shape[:-1], 1), np.int64)
    else:
        values, places = pool_with_indices(spec.replace(indices="plane"), windows)
        places = (1 << below) - 1 - places
    bits = values.view(dtype.raw.numpy if dtype.is_float else values.dtype).astype(np.int64)
    return ((bits & (1 << dtype.bits) - 1) | places << dtype.bits).ravel().tolist()


@pytest.mark.parametrize("below", [0, PLACE])
@pytest.mark.parametrize("op", ["max", "min"])
def test_the_first_of_the_largest_integers_is_chosen(op: str, below: int):
    spec = PoolSpec(op, 2, ndim=1, dtype="int4")
    job, dtype = PoolJob(spec, (1, 2)), spec.in_dtype
    gates = extremes(job, below)
    every = range(-8, 8)
    # the order of a maximum's keys is the numbers' own; a minimum's keys are the other way round
    keys = {value: value + 8 if op == "max" else 7 - value for value in every}
    pairs = list(product(every, repeat=2))
    values = [
        tuple(keys[value] << below | (1 << below) - 1 - at for at, value in enumerate(pair))
        if below
        else tuple(keys[value] for value in pair)
        for pair in pairs
    ]
    width = gates.shape(job.partial(2)).width
    windows = np.array(pairs, np.int8)[:, np.newaxis, :]
    assert chosen(gates, dtype, width, below, values) == expected(spec, windows, below)


SPECIAL = (
    *(0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x8400, 0x3C00, 0xBC00),
    *(0x3C01, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7C01, 0xFC01, 0x7E00, 0xFE00, 0x7FFF),
)
"""Bits of float16: zeros, subnormal numbers, ends, infinities and NaNs."""


@pytest.mark.parametrize("below", [0, PLACE])
@pytest.mark.parametrize("nan", ["propagate", "ignore"])
@pytest.mark.parametrize("op", ["max", "min"])
def test_the_first_of_the_largest_floats_is_chosen_and_the_last_nan(op: str, nan: str, below: int):
    spec = PoolSpec(op, 2, ndim=1, dtype="float16", nan=nan)
    job, dtype = PoolJob(spec, (1, 2)), spec.in_dtype
    gates = float_extremes(job, below)
    block = FloatToKey(dtype, smallest=op == "min", propagates=nan == "propagate")
    pairs = list(product(SPECIAL, repeat=2))
    values = [
        tuple(
            block.model(bits) << below | ((1 << below) - 1 - at if below else 0)
            for at, bits in enumerate(pair)
        )
        for pair in pairs
    ]
    width = gates.shape(job.partial(2)).width
    windows = np.array(pairs, np.uint16).view(np.float16)[:, np.newaxis, :]
    assert chosen(gates, dtype, width, below, values) == expected(spec, windows, below)


@pytest.mark.parametrize("reduction", [extremes, sums, float_sums])
def test_a_clock_is_for_a_second_half_that_is_more_than_wires(reduction: Any):
    gates: ReductionGates = reduction(PoolJob(PoolSpec("max", 2), (1, 4, 4)), 0)
    found = gates.first(Signal(8), Signal(8))
    second = gates.second(Signal(8), Signal(8), found)
    assert gates.clocks == (1 if second is found else 2)
