"""What follows from a specification, a shape and the lanes."""

import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pool_specs import specs
from streampool_golden import (
    BASES,
    Accumulator,
    PoolJob,
    PoolSpec,
    SpecError,
    StageShape,
    UnpoolJob,
    pool_with_indices,
)


def test_resnets_first_pool():
    job = PoolJob(PoolSpec("max", 3, 2, 1), (64, 112, 112))
    assert (job.lanes, job.fold) == (8, 8)
    assert (job.size, job.out_size, job.out_shape) == ((112, 112), (56, 56), (64, 56, 56))
    assert (job.beats_in, job.beats_out) == (112 * 112 * 8, 56 * 56 * 8)
    assert job.limit_cycles == job.cycles_bound == job.beats_in
    # Columns first; then a row is 56 positions of 8 beats.
    byte = Accumulator(-128, 127, True, 8)
    assert job.stages == (
        StageShape(1, 8, 112, byte, job.axes[1]),
        StageShape(0, 448, 1, byte, job.axes[0]),
    )
    assert [axis.limit_partials for axis in job.axes] == [1, 1]
    assert job.accumulator == Accumulator(-128, 127, True, 8)
    assert job.output.name == "int8"
    assert job.divisor_constant == 1
    assert job.warnings == []


@pytest.mark.parametrize(
    ("channels", "lanes", "used", "fold"),
    [
        (1, None, 1, 1),
        (3, None, 3, 1),
        (8, None, 8, 1),
        (9, None, 8, 2),
        (10, 4, 4, 3),
        (3, 5, 5, 1),
    ],
)
def test_lanes(channels, lanes, used, fold):
    job = PoolJob(PoolSpec("max", 2), (channels, 4, 6), lanes)
    assert (job.lanes, job.fold) == (used, fold)
    assert job.beats_in == 24 * fold
    assert job.beats_out == 6 * fold


@pytest.mark.parametrize(
    ("spec", "shape", "stages"),
    [
        # One axis.
        (PoolSpec("max", 3, ndim=1), (20, 9), [(0, 3)]),
        # Nothing to do along an axis: no stage.
        (PoolSpec("max", (1, 3), 1, ((0, 0), (1, 1))), (1, 4, 5), [(1, 1)]),
        (PoolSpec("max", (3, 1), (2, 1)), (1, 7, 5), [(0, 5)]),
        (PoolSpec("max", 1), (1, 7, 5), []),
        (PoolSpec("max", (3, 1), 1, ((1, 1), (0, 0))), (1, 1, 5), []),
        # Rows grow: after the columns, whatever they do.
        (PoolSpec("max", 3, 1, ((2, 2), (1, 1))), (1, 4, 5), [(1, 1), (0, 5)]),
        # Columns grow, rows shrink: rows first, on columns not yet grown.
        (PoolSpec("max", 3, (2, 1), ((1, 1), (2, 2))), (1, 6, 5), [(0, 5), (1, 1)]),
        # Both grow: rows first, on columns not yet grown.
        (PoolSpec("max", 3, 1, 2), (1, 4, 5), [(0, 5), (1, 1)]),
        # The same of floats: in row-major order, so that no place has to travel.
        (PoolSpec("max", 3, 1, 2, dtype="float16"), (1, 4, 5), [(1, 1), (0, 7)]),
        (PoolSpec("avg", 3, 1, 2, dtype="float16"), (1, 4, 5), [(0, 5), (1, 1)]),
        # All three grow; then planes shrink; then columns do.
        (PoolSpec("max", 2, 1, 1, ndim=3), (1, 2, 3, 4), [(0, 12), (1, 4), (2, 1)]),
        (
            PoolSpec("max", 2, (2, 1, 1), ((0, 0), (1, 1), (1, 1)), ndim=3),
            (1, 4, 3, 5),
            [(0, 15), (1, 5), (2, 1)],
        ),
        (
            PoolSpec("max", 2, (1, 1, 2), ((1, 1), (1, 1), (0, 0)), ndim=3),
            (1, 4, 3, 6),
            [(2, 1), (0, 9), (1, 3)],
        ),
    ],
)
def test_stages(spec, shape, stages):
    assert [(stage.axis, stage.m) for stage in PoolJob(spec, shape).stages] == stages


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "partials"),
    [
        (1, 1, 1, 0),
        (3, 1, 1, 2),
        (3, 2, 1, 1),
        (2, 3, 1, 1),
        (4, 2, 1, 2),
        (3, 2, 3, 3),
        (1, 1, 5, 0),
    ],
)
def test_limit_of_partials(kernel, stride, dilation, partials):
    (axis,) = PoolJob(PoolSpec("max", kernel, stride, "same", dilation, ndim=1), (1, 9)).axes
    assert axis.limit_partials == partials


@pytest.mark.parametrize("sides", [*itertools.product(((0, 0), (1, 2), (2, 2)), repeat=3)])
def test_no_order_of_the_axes_that_grow_has_fewer_words(sides):
    job = PoolJob(PoolSpec("sum", (3, 4, 3), 1, sides, ndim=3), (2, 5, 6, 7), 1)
    growing = [stage.axis for stage in job.stages if stage.growth > 0]
    first = [stage.axis for stage in job.stages if stage.growth <= 0]
    lengths = [job.out_size[k] if k in first else job.size[k] for k in range(3)]

    def words(order: tuple[int, ...]) -> int:
        now, total = list(lengths), 0
        for k in order:
            total += job.axes[k].limit_partials * job.fold * math.prod(now[k + 1 :])
            now[k] = job.out_size[k]
        return total

    has = sum(s.along.limit_partials * s.m for s in job.stages if s.growth > 0)
    assert has == min(map(words, itertools.permutations(growing)))


def test_a_sum_widens_from_stage_to_stage():
    stages = PoolJob(PoolSpec("avg", (5, 3), 1, "same", dtype="uint8"), (1, 2, 9)).stages
    # Three columns, then the two rows that there are.
    assert [(stage.axis, stage.accumulator.high) for stage in stages] == [(1, 765), (0, 1530)]
    assert [stage.accumulator.bits for stage in stages] == [10, 11]


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "idle"),
    [
        (3, 2, (1, 1), 0),
        (5, 2, (2, 2), 0),
        (5, 2, (4, 1), 1),
        (5, 2, (4, 4), 2),
        (5, 1, (4, 4), 0),
        (9, 3, (8, 7), 2),  # no window reaches the last two of the padding
    ],
)
def test_idle_slots_only_where_paddings_exceed_a_windows_reach(kernel, stride, padding, idle):
    job = PoolJob(PoolSpec("max", kernel, stride, (padding,)), (3, 20), lanes=1)
    (axis,) = job.axes
    assert axis.idle_bound == idle
    assert job.cycles_bound == job.limit_cycles + 3 * idle


def test_cycles_are_bounded_higher_only_where_one_axis_shrinks_and_another_grows():
    job = PoolJob(PoolSpec("max", 2, (1, 2), ((1, 1), (0, 0))), (1, 6, 112))
    assert job.out_size == (7, 56)
    assert job.limit_cycles == 6 * 112
    assert job.cycles_bound == 6 * 112 + 56
    grows = PoolJob(PoolSpec("max", 3, 1, 2), (1, 4, 5))
    assert grows.cycles_bound == grows.limit_cycles == grows.beats_out == 42


@pytest.mark.parametrize(
    ("spec", "size", "low", "high", "bits", "output"),
    [
        (PoolSpec("sum", 3), (5, 5), -1152, 1143, 12, "int12"),
        (PoolSpec("avg", 3), (5, 5), -1152, 1143, 12, "int8"),
        (PoolSpec("avg", 7, dtype="int16"), (7, 7), -1605632, 1605583, 22, "int16"),
        (PoolSpec("sum", 3, dtype="int32"), (3, 3), -9 * 2**31, 9 * (2**31 - 1), 36, "int36"),
        (PoolSpec("sum", 2, dtype="uint8"), (4, 4), 0, 1020, 10, "uint10"),
        (PoolSpec("sum", 2, dtype="uint1"), (4, 4), 0, 4, 3, "uint3"),
        # Real taps alone count: a kernel of 5 sees at most 2 x 5 of a 2 x 9 input.
        (PoolSpec("sum", 5, 1, 2, dtype="uint8"), (2, 9), 0, 2550, 12, "uint12"),
        (PoolSpec("min", 3, dtype="uint5"), (5, 5), 0, 31, 5, "uint5"),
        (PoolSpec("max", 3, dtype="int2", out_dtype="int8"), (5, 5), -2, 1, 2, "int8"),
    ],
)
def test_widths(spec, size, low, high, bits, output):
    job = PoolJob(spec, (1, *size))
    assert job.accumulator == Accumulator(low, high, low < 0, bits)
    assert job.output.name == output
    assert job.bounds == (job.output.low, job.output.high)


def test_bounds_are_the_clamps():
    assert PoolJob(PoolSpec("avg", 2, clamp=(0, 6)), (1, 4, 4)).bounds == (0, 6)


@pytest.mark.parametrize(
    ("spec", "divisors", "constant"),
    [
        (PoolSpec("avg", 3, 2, 1, ndim=1), [3, 3, 3], 3),
        (PoolSpec("avg", 3, 2, 1, count_include_pad=False, ndim=1), [2, 3, 2], None),
        # Past the padding nothing is counted.
        (PoolSpec("avg", 3, 2, ceil_mode=True, ndim=1), [3, 3], 3),
        (PoolSpec("avg", 4, 2, ceil_mode=True, ndim=1), [4, 3], None),
        (PoolSpec("avg", 3, 2, 1, divisor_override=-7, ndim=1), [-7, -7, -7], -7),
        (PoolSpec("sum", 3, 2, 1, ndim=1), [1, 1, 1], 1),
        (PoolSpec("avg", 1, ndim=1), [1, 1, 1, 1, 1], 1),
    ],
)
def test_divisors(spec, divisors, constant):
    job = PoolJob(spec, (1, 5))
    assert job.divisors.tolist() == divisors
    assert job.divisors.dtype == np.int64
    assert job.divisor_constant == constant


def test_divisors_are_products_of_the_axes():
    job = PoolJob(PoolSpec("avg", 3, 2, 1, count_include_pad=False), (1, 5, 4))
    assert job.axis_divisors == ((2, 3, 2), (2, 3))
    assert job.divisors.tolist() == [[4, 6], [6, 9], [4, 6]]
    override = PoolJob(PoolSpec("avg", 3, 2, 1, divisor_override=-4), (1, 5, 4))
    assert override.axis_divisors == ((-4, -4, -4), (1, 1))
    assert (override.divisors == -4).all()


@settings(max_examples=200, deadline=None)
@given(specs(), st.tuples(*[st.integers(1, 9)] * 4), st.integers(1, 5))
def test_what_every_job_keeps(spec, shape, lanes):
    try:
        job = PoolJob(spec, shape[: spec.ndim + 1], lanes)
    except SpecError:
        assume(False)
        return
    assert job.beats_in == job.fold * math.prod(job.size)
    assert job.beats_out == job.fold * math.prod(job.out_size)
    # Along the stages the beats fall first and then rise, and an identity changes nothing.
    beats, grown, lengths = [job.beats_in], False, list(job.size)
    whole = spec.adaptive == "global"
    for stage in job.stages:
        axis = stage.along
        assert whole or axis == job.axes[stage.axis]
        lengths = [math.prod(lengths)] if whole else lengths
        assert stage.m == job.fold * math.prod(lengths[stage.axis + 1 :])
        assert grown <= (axis.outputs > axis.length)
        grown = axis.outputs > axis.length
        lengths[stage.axis] = axis.outputs
        beats.append(job.fold * math.prod(lengths))
    assert beats[-1] == job.beats_out
    assert max(beats) == job.limit_cycles <= job.cycles_bound
    assert job.accumulator.low <= 0 <= job.accumulator.high or spec.op in ("max", "min")
    product = math.prod(np.ix_(*job.axis_divisors))
    np.testing.assert_array_equal(job.divisors, product)
    assert job.divisor_constant in (None, *job.divisors.reshape(-1)[:1])
    assert (job.divisor_constant is None) == (np.unique(job.divisors).size > 1)
    assert pickle.loads(pickle.dumps(job)) == job


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_the_reference_of_a_pooling_job_numbers_each_frame_anew(base, dtype):
    spec = PoolSpec("max", 3, 2, 1, indices=base, dtype=dtype)
    job = PoolJob(spec, (3, 5, 6), 2)
    x = np.random.default_rng(2).integers(-9, 9, (4, 3, 5, 6)).astype(spec.in_dtype.numpy)
    values, indices = job.reference(x)
    for frame, each in enumerate(x):
        expected = pool_with_indices(spec, each)
        assert np.array_equal(values[frame], expected[0])
        assert np.array_equal(indices[frame], expected[1])
    assert [field.name for field in job.fields_out] == ["data", "index"]
    assert indices.max() <= job.fields_out[1].dtype.high
    assert job.title == f"max pooling of 3x5x6 to 3x3x3, 2 lanes of {dtype}"
    assert job.to_json() == spec.to_json()


def test_the_reference_of_an_unpooling_job():
    job = UnpoolJob((2, 1, 2), (2, 3), 1, "int5")
    values, indices = [[[[7, -3]], [[1, 2]]]], [[[[5, 0]], [[1, 1]]]]
    (out,) = job.reference(values, indices)
    assert out.tolist() == [[[[-3, 0, 0], [0, 0, 7]], [[0, 2, 0], [0, 0, 0]]]]
    data, index = job.fields_in
    assert (data.dtype.name, index.dtype.name, index.port.name) == ("int5", "uint3", "uint3")
    assert UnpoolJob((2, 1, 2), (2, 4)).fields_in[1].port.name == "uint4"
    assert job.title == "MaxUnpool of 2x1x2 to 2x2x3, 1 lane of int5"


def test_the_reference_refuses_what_its_fields_do_not_hold():
    pooling, unpooling = PoolJob(PoolSpec("max", 2), (1, 2, 2)), UnpoolJob((1, 2), (4,))
    for call, field in (
        (lambda: pooling.reference(np.zeros((1, 2, 2), np.int8)), "x"),
        (lambda: pooling.reference(np.full((1, 1, 2, 2), 128)), "x"),
        (lambda: unpooling.reference([[[1, 2]]], [[[0]]]), "indices"),
        (lambda: unpooling.reference([[[1, 2]]], [[[0, 4]]]), "indices"),
        (lambda: unpooling.reference([[[1]]], [[[0]]]), "values"),
    ):
        with pytest.raises(SpecError) as refused:
            call()
        assert refused.value.field == field
