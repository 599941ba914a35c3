"""Layers by torch's and Keras' names, against signatures and defaults of those."""

import inspect
from typing import Any

import numpy as np
import pytest
import streampool_golden
from streampool_golden import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AveragePooling1D,
    AveragePooling2D,
    AvgPool1d,
    AvgPool2d,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    LPPool1d,
    LPPool2d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    PoolJob,
    PoolSpec,
    SpecError,
    pool,
    pool_with_indices,
)

# Copied from torch 2.13's and Keras 3.15's documentation.
SIGNATURES = {
    "MaxPool1d": "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, "
    "ceil_mode=False",
    "MaxPool2d": "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, "
    "ceil_mode=False",
    "AvgPool1d": "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True",
    "AvgPool2d": "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, "
    "divisor_override=None",
    "MaxPooling1D": "pool_size=2, strides=None, padding='valid', data_format=None",
    "MaxPooling2D": "pool_size=2, strides=None, padding='valid', data_format=None",
    "MaxPooling3D": "pool_size=2, strides=None, padding='valid', data_format=None",
    "AveragePooling3D": "pool_size=2, strides=None, padding='valid', data_format=None",
    "MaxPool3d": "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, "
    "ceil_mode=False",
    "AvgPool3d": "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, "
    "divisor_override=None",
    **{f"LPPool{n}d": "norm_type, kernel_size, stride=None, ceil_mode=False" for n in (1, 2, 3)},
    **{f"AdaptiveAvgPool{n}d": "output_size" for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": "output_size, return_indices=False" for n in (1, 2, 3)},
    "AveragePooling1D": "pool_size=2, strides=None, padding='valid', data_format=None",
    "AveragePooling2D": "pool_size=2, strides=None, padding='valid', data_format=None",
    "GlobalMaxPooling1D": "data_format=None",
    "GlobalAveragePooling2D": "data_format=None",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_are_named_and_ordered_as_theirs(name):
    parameters = inspect.signature(getattr(streampool_golden, name)).parameters.values()
    ours = [
        p.name if p.default is p.empty else f"{p.name}={p.default!r}"
        for p in parameters
        if p.kind is not p.VAR_KEYWORD
    ]
    assert ", ".join(ours) == SIGNATURES[name]


@pytest.mark.parametrize(
    ("layer", "spec"),
    [
        (MaxPool2d(3, 2, 1), PoolSpec("max", 3, 2, 1)),
        (
            MaxPool2d((3, 2), None, (1, 0), 2, False, True),
            PoolSpec("max", (3, 2), None, (1, 0), 2, True),
        ),
        (MaxPool1d(3, 2, 1, 2), PoolSpec("max", 3, 2, 1, 2, ndim=1)),
        (MaxPool1d((3,), padding=(1,)), PoolSpec("max", 3, padding=1, ndim=1)),
        (AvgPool1d(3, 2, 1, True, False), PoolSpec("avg", 3, 2, 1, 1, True, False, ndim=1)),
        (AvgPool2d(3, 2, 1, True, False, 5), PoolSpec("avg", 3, 2, 1, 1, True, False, 5)),
        (
            AvgPool2d(2, dtype="uint8", clamp=(0, 6)),
            PoolSpec("avg", 2, dtype="uint8", clamp=(0, 6)),
        ),
        (MaxPooling2D(), PoolSpec("max", 2)),
        (MaxPooling3D(3), PoolSpec("max", 3, ndim=3)),
        (MaxPool3d((1, 2, 2), (2, 2, 2)), PoolSpec("max", (1, 2, 2), 2)),
        (GlobalMaxPooling1D(dtype="uint8"), PoolSpec("max", "global", dtype="uint8", ndim=1)),
        (GlobalAveragePooling3D(), PoolSpec("avg", "global", ndim=3)),
        (AdaptiveAvgPool2d((3, None)), PoolSpec("avg", adaptive=(3, None))),
        (AdaptiveAvgPool2d(None), PoolSpec("avg", adaptive=(None, None))),
        (
            AdaptiveMaxPool1d(3, return_indices=True),
            PoolSpec("max", adaptive=3, ndim=1, indices="plane"),
        ),
        (LPPool2d(2, 3, 2), PoolSpec("lp2", 3, 2)),
        (LPPool2d(1.0, 3), PoolSpec("sum", 3)),  # torch takes no absolute values
        (LPPool2d(3.0, 3, dtype="uint8"), PoolSpec("lp3", 3, dtype="uint8")),
        (LPPool2d(4, (3, 2), dtype="int4"), PoolSpec("lp4", (3, 2), dtype="int4")),
        (MaxPooling1D(), PoolSpec("max", 2, ndim=1)),
        (MaxPooling2D((3, 2), 2, "same"), PoolSpec("max", (3, 2), 2, "same")),
        (AveragePooling1D(4, 2, "SAME"), PoolSpec("avg", 4, 2, "same", ndim=1)),
        (
            AveragePooling2D(2, rounding="half_even", dtype="int16"),
            PoolSpec("avg", 2, rounding="half_even", dtype="int16"),
        ),
    ],
)
def test_layers(layer, spec):
    # Keras' padding stays a name; without padding the names mean the same.
    assert layer == spec.replace(padding=layer.padding)
    assert layer.padding in (spec.padding, "valid")
    shape = (1, *(9,) * layer.ndim)
    assert PoolJob(layer, shape).out_size == PoolJob(spec, shape).out_size


REFUSED: list[tuple[Any, str]] = [
    (lambda: MaxPool2d(0), "kernel_size"),
    (lambda: MaxPool2d(3, 0), "stride"),
    (lambda: MaxPool2d(3, padding=2), "padding"),
    (lambda: MaxPool2d(3, padding=-1), "padding"),
    (lambda: AvgPool2d((3, 5), padding=(1, 3)), "padding"),
    (lambda: AvgPool2d(3, padding="same"), "padding"),  # pyright: ignore[reportArgumentType]
    (lambda: AvgPool2d(3, padding=((1, 0), (1, 0))), "padding"),  # pyright: ignore[reportArgumentType]
    (lambda: MaxPool1d(3, return_indices=1), "return_indices"),  # pyright: ignore[reportArgumentType]
    (lambda: MaxPool1d((3, 3)), "kernel_size"),
    (lambda: AvgPool2d(3, divisor_override=0), "divisor_override"),
    (lambda: MaxPool2d(3, kernel=3), "kernel"),
    (lambda: MaxPooling2D((2, 2, 2)), "pool_size"),
    (lambda: LPPool2d(3, 2), "norm_type"),  # of int8
    (lambda: LPPool2d(5, 2), "norm_type"),
    (lambda: LPPool2d(1.5, 2), "norm_type"),
    (lambda: LPPool1d(float("inf"), 2), "norm_type"),
    (lambda: LPPool2d(2, 3, ceil_mode=True), "ceil_mode"),
    (lambda: AdaptiveAvgPool2d(0), "output_size"),
    (lambda: AdaptiveAvgPool2d((2, 2, 2)), "output_size"),
    (lambda: AdaptiveAvgPool2d(2, return_indices=False), "return_indices"),
    (lambda: AvgPool1d(2, divisor_override=3), "divisor_override"),
    (lambda: GlobalMaxPooling2D(keepdims=True), "keepdims"),
    (lambda: MaxPooling2D(2, (0, 1)), "strides"),
    (lambda: MaxPooling2D(2, padding="full"), "padding"),
    (lambda: MaxPooling2D(2, padding=1), "padding"),  # pyright: ignore[reportArgumentType]
    (lambda: AveragePooling2D(2, data_format="NHWC"), "data_format"),
]


@pytest.mark.parametrize(("call", "field"), REFUSED)
def test_refusals_name_the_frameworks_argument(call, field):
    with pytest.raises(SpecError) as caught:
        call()
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field} ")


@pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")
def test_keras_layers_take_channels_last():
    x = np.arange(13 * 13 * 8).reshape(1, 13, 13, 8) % 100
    first = np.moveaxis(x, -1, 1)
    for layer in (MaxPooling2D(), AveragePooling2D(3, 2, "same"), GlobalMaxPooling2D()):
        expected = pool(PoolSpec(**{**layer.to_json(), "layout": None}), first)
        assert np.array_equal(pool(layer, x), np.moveaxis(expected, 1, -1))
        assert np.array_equal(pool(layer, first, "NCHW"), expected)
        for same in (PoolSpec.from_json(layer.to_json()), layer.replace(dtype="uint8")):
            assert same.layout == "NHWC"
    assert pool(MaxPooling2D(), x).shape == (1, 6, 6, 8)
    assert pool(MaxPooling2D(data_format="channels_first"), first).shape == (1, 8, 6, 6)
    assert pool(MaxPooling1D(data_format="channels_last"), x[0, 0]).shape == (6, 8)
    spec = MaxPooling2D().replace(indices="channels_last")
    values, indices = pool_with_indices(spec, x)
    assert np.array_equal(x.reshape(-1)[indices], values)
    assert "layout" not in PoolSpec("max", 2).to_json()


def test_a_layer_of_a_framework_is_told_from_a_specification():
    class MaxPool2d:
        """Called as torch's is."""

    calls: list[Any] = [pool, pool_with_indices, PoolJob]
    for call in calls:
        with pytest.raises(SpecError, match=r"spec must be a PoolSpec.* use MaxPool2d of streamp"):
            call(MaxPool2d(), [[[1]]])
        with pytest.raises(SpecError, match=r"not 'max'; use PoolSpec\."):
            call("max", [[[1]]])
