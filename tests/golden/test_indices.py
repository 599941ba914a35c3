"""Indices of maxima, and what puts values back, against what others recorded and naive loops."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pool_specs import naive_axes, specs
from streampool_golden import (
    BASES,
    MaxPool1d,
    MaxPool2d,
    PoolJob,
    PoolSpec,
    SpecError,
    UnpoolJob,
    geometry,
    plane_indices,
    pool,
    pool_with_indices,
    unpool,
)
from streampool_golden.fields import MOST_AXES

VECTORS = Path(__file__).parent / "vectors"
pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")


def recorded(name: str) -> list[dict]:
    """Cases of as many axes as there are."""
    cases = json.loads((VECTORS / f"{name}.json").read_text())["cases"]
    return [case for case in cases if np.ndim(case["x"]) - 2 <= MOST_AXES]


@pytest.mark.parametrize("name", ["torch", "onnxruntime"])
def test_indices_are_those_recorded(name):
    cases = recorded(f"indices_{name}")
    assert len(cases) >= 80
    for case in cases:
        values, indices = pool_with_indices(PoolSpec.from_json(case["spec"]), case["x"])
        np.testing.assert_array_equal(values, np.array(case["y"]))
        np.testing.assert_array_equal(indices, np.array(case["indices"]))
        assert indices.dtype == np.int64


@pytest.mark.parametrize("dtype", ["int8", "float16"])
def test_planes_too_large_for_a_key_and_a_position_in_one_number(
    dtype, monkeypatch: pytest.MonkeyPatch
):
    spec = PoolSpec("min", 3, 2, 1, dtype=dtype, indices="flat")
    x = np.random.default_rng(1).integers(-9, 9, (2, 3, 5, 6)).astype(dtype)
    expected = pool_with_indices(spec, x)
    monkeypatch.setattr(geometry, "MOST_RANKED", 4)
    for found, each in zip(pool_with_indices(spec, x), expected, strict=True):
        np.testing.assert_array_equal(found, each)
        assert found.dtype == each.dtype


@pytest.mark.parametrize("name", ["torch", "onnxruntime"])
def test_maps_are_those_recorded(name):
    cases = recorded(f"unpool_{name}")
    assert len(cases) >= 80
    assert any(len(np.unique(case["indices"])) < np.size(case["indices"]) for case in cases)
    for case in cases:
        out = unpool(case["x"], case["indices"], case["size"], indices_base=case["base"])
        np.testing.assert_array_equal(out, np.array(case["y"]))


def test_onnx_nodes():
    cases = recorded("unpool_onnx_nodes")
    beyond = []  # the cases whose output_shape asks for more than is inferred
    for case in cases:
        size = np.shape(case["y"])[2:]
        x, attributes = np.array(case["x"]), case["attributes"]
        inferred = tuple(
            (n - 1) * s + k
            for n, s, k in zip(
                x.shape[2:], attributes["strides"], attributes["kernel_shape"], strict=True
            )
        )
        out = unpool(x, case["indices"], size, indices_base="flat", index_size=inferred)
        np.testing.assert_array_equal(out, np.array(case["y"]))
        beyond.append(size > inferred)
    assert sorted(beyond) == [False, True]


@st.composite
def frames(draw):
    """Draw a specification with indices and frames of few different values."""
    spec = draw(specs(ops=("max", "min"))).replace(indices=draw(st.sampled_from(BASES)))
    size = [draw(st.integers(1, 5)) for _ in range(spec.ndim)]
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), *size)
    dtype = spec.in_dtype
    some = st.sampled_from([dtype.low, dtype.high, 0, 1])
    flat = [draw(some) for _ in range(int(np.prod(shape)))]
    return spec, np.array(flat, dtype=dtype.numpy).reshape(shape)


@settings(max_examples=300, deadline=None)
@given(frames(), st.booleans())
def test_indices_equal_naive_loops(drawn, channels_last):
    spec, x = drawn
    (_, channels, *size) = x.shape
    taps = naive_taps(spec, size)
    layout = None
    given = x
    if channels_last:
        layout, given = {1: "NWC", 2: "NHWC", 3: "NDHWC"}[spec.ndim], np.moveaxis(x, 1, -1)
    if taps is None:
        with pytest.raises(SpecError):
            pool_with_indices(spec, given, layout)
        return
    values, indices = pool_with_indices(spec, given, layout)
    np.testing.assert_array_equal(values, pool(spec, given, layout))
    if channels_last:
        indices = np.moveaxis(indices, -1, 1)
    best = max if spec.op == "max" else min
    expected = []
    for n, c in itertools.product(range(len(x)), range(channels)):
        for window in taps:
            # the first of the best in the order of the plane
            at = best(window, key=lambda at: (int(x[n, c, *at]),))
            expected.append(naive_index(spec.indices, n, c, at, channels, size))
    assert indices.reshape(-1).tolist() == expected


def naive_taps(spec, size):
    """Return per window its real positions in row-major order; None where the job is refused."""
    axes = naive_axes(spec, size)
    if axes is None:
        return None
    windows = itertools.product(*axes)
    return [list(itertools.product(*(real for real, _ in window))) for window in windows]


def naive_index(base, n, c, at, channels, size):
    """Count, one by one, the values before this one in the order that the base means."""
    everything = itertools.product(*map(range, size))
    if base == "plane":
        return sorted(everything).index(at)
    if base == "channels_last":
        both = itertools.product(*map(range, size), range(channels))
        return list(both).index((*at, c))
    order = sorted(everything, key=(lambda at: at[::-1]) if base == "flat_columns" else None)
    whole = itertools.product(range(n + 1), range(channels), order)
    return list(whole).index((n, c, at))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_unpool_brings_back_what_pooling_kept(data):
    """Pool without overlap, unpool: every maximum where it was, and nothing else."""
    base = data.draw(st.sampled_from(BASES))
    rows, columns, channels = (data.draw(st.integers(1, 6)) for _ in range(3))
    kernel = tuple(data.draw(st.integers(1, n)) for n in (rows, columns))
    x = np.random.default_rng(data.draw(st.integers(0, 99))).integers(
        1, 9, (2, channels, rows, columns)
    )
    layout = data.draw(st.sampled_from(["NCHW", "NHWC"]))
    given = x if layout == "NCHW" else np.moveaxis(x, 1, -1)
    spec = PoolSpec("max", kernel, dtype="uint8", indices=base)
    values, indices = pool_with_indices(spec, given, layout)
    out = unpool(values, indices, (rows, columns), layout=layout, indices_base=base)
    assert out.dtype == values.dtype
    assert ((out == given) | (out == 0)).all()
    assert np.count_nonzero(out) == values.size
    again, places = pool_with_indices(spec, out, layout)
    np.testing.assert_array_equal(again, values)
    np.testing.assert_array_equal(places, indices)


def test_layers_take_return_indices():
    assert MaxPool2d(2, return_indices=True).indices == "plane"
    assert MaxPool1d(3, return_indices=True).indices == "plane"
    assert MaxPool1d(3).indices is None


REFUSED = [
    (lambda: PoolSpec("avg", 2, indices="plane"), "indices"),
    (lambda: PoolSpec("max", 2, indices="rows"), "indices"),
    (lambda: pool_with_indices(PoolSpec("max", 2), [[1, 2], [3, 4]]), "indices"),
    (lambda: unpool([[1]], [[4]], (2, 2)), "indices"),
    (lambda: unpool([[1]], [[-1]], (2, 2)), "indices"),
    (lambda: unpool([[1]], [[1.0]], (2, 2)), "indices"),
    (lambda: unpool([[1, 2]], [[1]], (2, 2)), "indices"),
    (lambda: unpool([[1]], [[1]], (2, 0)), "size"),
    (lambda: unpool([[1]], [[1]], 2), "size"),  # pyright: ignore[reportArgumentType]
    (lambda: unpool([1], [1], (2, 2)), "values"),
    (lambda: unpool([[1]], [[1]], (2, 2), indices_base="columns"), "indices_base"),
    (lambda: unpool([[1]], [[1]], (2, 2), index_size=(3, 2)), "index_size"),
    (lambda: unpool([[1]], [[1]], (2, 2), layout="HW"), "layout"),
    (lambda: UnpoolJob((2, 3), (4, 4)), "shape"),
    (lambda: UnpoolJob((2, 3, 3), (4, 4), 0), "lanes"),
    (lambda: UnpoolJob((2, 3, 3), (4, 4), dtype="int99"), "dtype"),
    (lambda: UnpoolJob((2, 3, 3), (1 << 13, 1 << 13)), "size"),
    (lambda: plane_indices([[[3.5]]], "flat", (2, 2)), "indices"),
    (lambda: PoolJob(PoolSpec("max", 1, indices="flat"), (1 << 20, 1 << 22, 1 << 22)), "shape"),
]


@pytest.mark.parametrize(("make", "field"), REFUSED)
def test_refusals_name_the_field(make, field):
    with pytest.raises(SpecError) as refused:
        make()
    assert refused.value.field == field
    assert str(refused.value).count(".") >= 1


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_any_base_as_torch_numbers_it(base: str, layout: str):
    x = np.random.default_rng(3).permutation(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    x = np.moveaxis(x, 1, -1) if layout == "NHWC" else x
    spec = PoolSpec("max", 2, dtype="uint8", indices=base)
    _, indices = pool_with_indices(spec, x, layout=layout)
    _, plain = pool_with_indices(spec.replace(indices="plane"), x, layout=layout)
    assert np.array_equal(plane_indices(indices, base, (4, 6), layout=layout), plain)


def test_an_index_in_another_plane_has_no_place_in_its_own():
    with pytest.raises(SpecError, match=r"plane 1, is in plane 0") as refused:
        plane_indices([[[1]], [[3]]], "flat", (2, 2))
    assert refused.value.field == "indices"
