"""The golden model against a naive one in plain Python, on whatever hypothesis draws."""

import json
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pool_specs import naive_pool, naive_round, naive_windows, specs
from streampool_golden import ROUNDINGS, Axis, DType, PoolJob, PoolSpec, SpecError, pool, round_div


@st.composite
def planes(draw):
    """Draw a specification and a plane of its dtype, its corners among the values."""
    spec = draw(specs())
    dtype = spec.in_dtype
    size = [draw(st.integers(1, 7)) for _ in range(spec.ndim)]
    values = st.one_of(st.integers(dtype.low, dtype.high), st.sampled_from([dtype.low, dtype.high]))
    flat = [draw(values) for _ in range(int(np.prod(size)))]
    return spec, np.array(flat, dtype=dtype.numpy).reshape(size)


@settings(max_examples=600, deadline=None)
@given(planes())
def test_pool_equals_the_naive_model(drawn):
    spec, x = drawn
    expected = naive_pool(spec, x.tolist())
    if expected is None:
        with pytest.raises(SpecError) as refused:
            pool(spec, x)
        assert refused.value.field in ("kernel", "padding", "adaptive")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = pool(spec, x)
    values, size = expected
    assert y.shape == size
    assert y.reshape(-1).tolist() == values
    job = PoolJob(spec, (1, *x.shape))
    assert job.out_size == size
    assert y.dtype == job.output.numpy
    assert job.bounds[0] <= min(values) <= max(values) <= job.bounds[1]


@settings(max_examples=600, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(1, 6),
    st.integers(1, 5),
    st.one_of(
        st.sampled_from(["valid", "same", "same_lower"]),
        st.tuples(st.integers(-3, 7), st.integers(-3, 7)),
    ),
    st.integers(1, 4),
    st.booleans(),
)
def test_axis_equals_the_naive_windows(n, k, s, padding, d, ceil_mode):
    expected = naive_windows(n, k, s, padding, d, ceil_mode)
    if expected is None:
        with pytest.raises(SpecError):
            Axis.resolve(n, k, s, padding, d, ceil_mode)
        return
    axis = Axis.resolve(n, k, s, padding, d, ceil_mode)
    assert [list(axis.taps(i)) for i in range(axis.outputs)] == [real for real, _ in expected]
    assert axis.counts(False) == tuple(len(real) for real, _ in expected)
    assert axis.counts(True) == tuple(padded for _, padded in expected)
    assert axis.most_taps == max(axis.counts(False))
    assert axis.identity == ([real for real, _ in expected] == [[i] for i in range(n)])
    assert axis.read == len({t for real, _ in expected for t in real})
    by_slices = [set() for _ in expected]
    for windows, inputs in axis.slices():
        ends = np.arange(axis.outputs)[windows].tolist(), np.arange(n)[inputs].tolist()
        pairs = zip(*ends, strict=True)
        for window, position in pairs:
            assert position not in by_slices[window]
            by_slices[window].add(position)
    assert by_slices == [set(real) for real, _ in expected]


@settings(max_examples=300, deadline=None)
@given(specs())
def test_a_specification_survives_repr_json_and_replace(spec):
    assert eval(repr(spec), {"PoolSpec": PoolSpec, "Fraction": Fraction}) == spec
    assert PoolSpec.from_json(spec.to_json()) == spec
    assert PoolSpec.from_json(json.dumps(spec.to_json())) == spec
    again = spec.replace()
    assert again == spec
    assert hash(again) == hash(spec)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.one_of(st.integers(-9, 9), st.integers(-(1 << 63), (1 << 63) - 1)).filter(bool),
    st.sampled_from(ROUNDINGS),
)
def test_round_div_is_exact(num, den, mode):
    expected = naive_round(Fraction(num, den), mode)
    assert int(round_div(num, den, mode)) == expected
    assert round_div(np.array([num], object), den, mode)[0] == expected


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("den", [-1, 2, -3, -(1 << 63)])
def test_round_div_is_exact_at_the_ends_of_64_bits(den, mode):
    signed, unsigned = np.iinfo(np.int64), np.iinfo(np.uint64)
    for nums in (np.array([signed.min, 0, signed.max]), np.array([0, unsigned.max], np.uint64)):
        expected = [naive_round(Fraction(int(num), den), mode) for num in nums]
        assert round_div(nums, den, mode).tolist() == expected


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-(1 << 63), (1 << 63) - 1))
def test_the_narrowest_type_holds_and_the_next_does_not(one, other):
    low, high = sorted((one, other))
    dtype = DType.holding(low, high)
    assert dtype.holds(low, high)
    assert dtype.signed == (low < 0)
    if dtype.bits > 1 + dtype.signed:
        narrower = DType.of(f"{'' if dtype.signed else 'u'}int{dtype.bits - 1}")
        assert not narrower.holds(low, high)


def test_a_large_kernel_is_not_gone_through_tap_by_tap(monkeypatch):
    def slices(_axis):
        raise AssertionError("went through the taps")

    monkeypatch.setattr(Axis, "slices", slices)
    axis = Axis.resolve(10**6, 500_000, 300_000, (0, 0))
    assert (axis.outputs, axis.read, axis.dropped) == (2, 800_000, 200_000)
