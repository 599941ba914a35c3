"""Requantised averages and the runtimes' presets: fields, refusals, published examples."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streampool_golden import PRESETS, PoolSpec, SpecError, float32_ratio, pool, preset


def test_fields_read_back_and_go_through_json():
    spec = PoolSpec("avg", 2, scale="6/8", zero_points=(3, -4), rounding_about="zero_point")
    assert spec.scale == Fraction(3, 4)
    assert PoolSpec.from_json(json.dumps(spec.to_json())) == spec
    assert PoolSpec("avg", 2).to_json()["scale"] == "1"


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("scale", {"scale": 0}),
        ("scale", {"scale": -1}),
        ("scale", {"scale": "1/0"}),
        ("scale", {"scale": "half"}),
        ("scale", {"scale": 0.5}),
        ("scale", {"scale": True}),
        ("scale", {"scale": 1 << 63}),
        ("scale", {"scale": "1/2", "op": "max"}),
        ("zero_points", {"zero_points": 3}),
        ("zero_points", {"zero_points": (0, 128)}),
        ("zero_points", {"zero_points": (-1, 0), "dtype": "uint8"}),
        ("zero_points", {"zero_points": (1, 2), "op": "max"}),
        ("zero_points", {"zero_points": (1, 1), "op": "sum"}),
        ("rounding_about", {"rounding_about": "zero"}),
    ],
)
def test_what_cannot_be_is_refused(field, fields):
    with pytest.raises(SpecError) as refused:
        PoolSpec(fields.pop("op", "avg"), 2, **fields)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field} ")


def test_equal_zero_points_change_no_maximum():
    x = np.arange(-8, 8).reshape(1, 4, 4)
    spec = PoolSpec("max", 2, zero_points=(5, 5))
    assert (pool(spec, x) == pool(PoolSpec("max", 2), x)).all()


def test_ratios_of_scales_are_those_of_float32():
    assert float32_ratio(0.5, 0.25) == 2
    assert float32_ratio(0.1, 1) == Fraction(13421773, 1 << 27)
    for bad in (0, -1, float("inf"), float("nan")):
        with pytest.raises(SpecError):
            float32_ratio(1, bad)


def test_a_half_falls_as_each_runtime_has_it():
    """(2 + 3) / 2 and its kind about a zero point of 3: the same mean, rounded three ways."""
    x = np.array([[2, 3], [-2, -3], [4, 5]]).reshape(3, 1, 2)
    names = {"tflite": [3, -3, 5], "torch-quantized": [2, -2, 4], "onnxruntime-qlinear": [2, -2, 4]}
    for name, expected in names.items():
        spec = preset(name, "avg", (1, 2), zero_points=(3, 3))
        assert pool(spec, x.reshape(3, 1, 1, 2)).ravel().tolist() == expected
    # the kernel covers it all: 3 + rint(-0.5), 3 + rint(-5.5), 3 + rint(1.5)
    spec = preset("onnxruntime-qlinear", "avg", (1, 2), size=(1, 2), zero_points=(3, 3))
    assert pool(spec, x.reshape(3, 1, 1, 2)).ravel().tolist() == [3, -3, 5]
    spec = preset("onnxruntime-qlinear", "avg", "global", zero_points=(3, 3))
    assert pool(spec, x.reshape(3, 1, 1, 2)).ravel().tolist() == [3, -3, 5]


def test_padding_is_a_real_zero():
    """Counted or not, it is the zero point in raw values: a constant of it stays constant."""
    x = np.full((1, 4, 4), 7)
    for name in PRESETS:
        counts = {} if name == "tflite" else {"count_include_pad": True, "padding": 1}
        padding = {"padding": "same"} if name == "tflite" else {}
        assert (
            pool(preset(name, "avg", 3, stride=1, zero_points=7, **padding, **counts), x) == 7
        ).all()


def test_activations_are_clamps():
    """RELU6 at a scale of 0.05 about -10: raw -10 to -10 + 6 / 0.05."""
    spec = preset("tflite", "avg", 2, zero_points=-10, scales=(0.05, 0.05), activation="relu6")
    assert spec.clamp == (-10, 110)
    assert preset("tflite", "max", 2, zero_points=4, activation="relu").clamp == (4, 127)
    relu1 = preset("tflite", "max", 2, scales=(0.4, 0.4), activation="relu1")
    assert relu1.clamp == (-3, 3)  # 1 / 0.4 is 2.5, away from zero
    tiny = preset("tflite", "max", 2, scales=(1e-40, 1e-40), activation="relu1")
    assert tiny.clamp == (-128, 127)  # 1 over it is beyond float32


@pytest.mark.parametrize(
    ("field", "name", "fields"),
    [
        ("preset", "caffe", {}),
        ("rounding", "tflite", {"rounding": "half_even"}),
        ("count_include_pad", "tflite", {"count_include_pad": True}),
        ("ceil_mode", "tflite", {"ceil_mode": True}),
        ("dilation", "torch-quantized", {"dilation": 2}),
        ("divisor_override", "onnxruntime-qlinear", {"divisor_override": 3}),
        ("scale", "tflite", {"scale": "1/2"}),
        ("scale", "torch-quantized", {"zero_points": (0, 1)}),
        ("scale", "onnxruntime-qlinear", {"scale": "1/2", "scales": (1, 2)}),
        ("activation", "tflite", {"activation": "tanh"}),
        ("scales", "tflite", {"activation": "relu6"}),
        ("clamp", "tflite", {"activation": "relu", "clamp": (0, 5)}),
        ("scale", "tflite", {"op": "max", "scales": (0, 0), "activation": "relu6"}),
        ("scale", "tflite", {"scales": ("small", 1)}),
        *(("scale", name, {"op": "max", "scales": (1, 2)}) for name in PRESETS),
        ("zero_points", "tflite", {"zero_points": (3,), "activation": "relu"}),
        ("zero_points", "tflite", {"zero_points": None, "activation": "relu"}),
        ("size", "onnxruntime-qlinear", {"size": 3}),
        ("size", "onnxruntime-qlinear", {"size": "ab"}),
        ("scales", "tflite", {"scales": 3}),
        ("scales", "tflite", {"scales": (1, 2, 3)}),
        *(("op", name, {"op": op}) for name in PRESETS for op in ("sum", "l2", "min", "lp1")),
        *(("dtype", name, {"op": "max", "dtype": "float32"}) for name in PRESETS),
        ("dtype", "torch-quantized", {"dtype": "int16"}),
        ("out_dtype", "onnxruntime-qlinear", {"out_dtype": "int16"}),
        ("ndim", "tflite", {"ndim": 3}),
        ("padding", "tflite", {"padding": 2}),
        ("padding", "tflite", {"padding": "same_lower"}),
        ("padding", "torch-quantized", {"padding": "same"}),
        ("padding", "torch-quantized", {"padding": 2}),
        ("padding", "torch-quantized", {"padding": ((0, 1), (0, 1))}),
        ("padding", "onnxruntime-qlinear", {"padding": -1}),
    ],
)
def test_what_a_runtime_does_not_do_is_refused(field, name, fields):
    with pytest.raises(SpecError) as refused:
        preset(name, **{"op": "avg", "kernel": 3, **fields})
    assert refused.value.field == field and str(refused.value).count(".") == 1


def test_every_spelling_of_no_padding_will_do():
    for name in PRESETS:
        for padding in ("valid", 0, ((0, 0), (0, 0))):
            assert preset(name, "max", 3, padding=padding).op == "max"


@given(st.integers(0, 2**32 - 1), st.sampled_from([(0, 127), (-128, 6), (0, 6), (5, 5)]))
def test_a_clamp_before_a_maximum_is_the_same_clamp_behind_it(seed, clamp):
    """One core for convolution, ReLU and pooling; an average is not the same."""
    x = np.random.default_rng(seed).integers(-128, 128, (2, 7, 7))
    spec = PoolSpec("max", 3, 2, 1)
    assert (pool(spec.replace(clamp=clamp), x) == pool(spec, np.clip(x, *clamp))).all()


def test_a_clamp_before_an_average_is_another():
    x = np.array([[[-8, 8]]])
    spec = PoolSpec("avg", (1, 2))
    assert pool(spec.replace(clamp=(0, 127)), x) == 0
    assert pool(spec, np.clip(x, 0, 127)) == 4
