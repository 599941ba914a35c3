"""What simulate() refuses, each in one sentence."""

from typing import Any

import numpy as np
import pytest
from streampool_golden import PoolSpec, SpecError, UnpoolJob
from streampool_sim import simulate


def test_a_layer_of_a_framework_is_none_of_ours():
    class MaxPool2d:
        """Called as torch's is."""

    layer: Any = MaxPool2d()
    with pytest.raises(SpecError, match=r"spec must be a PoolSpec.* use MaxPool2d"):
        simulate(layer, [[[1]]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "verilator"}, "engine must be one of auto, fast, amaranth, not 'verilator'"),
        ({"stall": 1}, "stall must be a probability, 0 <= stall < 1, not 1"),
        ({"stall": -0.5}, "stall must be a probability, 0 <= stall < 1, not -0.5"),
        ({"repeat": 0}, "repeat must be an integer from 1 to .*, not 0"),
        ({"freq_mhz": 0}, r"freq_mhz must be a number from 0.001 to 1e\+06, not 0"),
        ({"freq_mhz": 1e308}, r"freq_mhz must be .*, not 1e\+308"),
        ({"seed": 1.5}, "seed must be an integer, not 1.5"),
        ({"freq_mhz": float("nan")}, "freq_mhz must be .*, not nan"),
        ({"lanes": 0}, "lanes"),
        ({"layout": "HWCN"}, "layout"),
    ],
)
def test_arguments_that_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        simulate(PoolSpec("max", 3, 2, 1), np.zeros((1, 1, 4, 4), np.int8), **options)


@pytest.mark.parametrize("shape", [(2, 0, 4, 4), (0, 0, 4, 4), (1, 1, 0, 4)])
def test_frames_of_nothing_are_refused_in_a_sentence(shape: tuple[int, ...]):
    for refused in (
        lambda x: simulate(PoolSpec("max", 2), x),
        lambda x: simulate(UnpoolJob(x.shape[1:], (8, 8), None, x.dtype), x, x),
    ):
        with pytest.raises(SpecError, match=r"must be 3 positive integers, the channels first"):
            refused(np.zeros(shape, np.int8))


@pytest.mark.parametrize("x", [np.zeros((1, 1, 4, 4)), [[300]]])
def test_arrays_that_are_refused(x):
    with pytest.raises(SpecError) as error:
        simulate(PoolSpec("max", 1), x)
    assert error.value.field == "x"


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (
            np.ma.masked_array(np.zeros((1, 4, 4), np.int8), mask=np.eye(4, dtype=bool)[None]),
            "masked values",
        ),
        ([np.ma.masked_equal(np.eye(4, dtype=np.int8), 1)], "masked values"),
        ([[[1, 2], [3]]], "rows of one length"),
    ],
)
def test_masks_and_ragged_rows_are_refused(x, said: str):
    with pytest.raises(SpecError, match=f"x .*{said}"):
        simulate(PoolSpec("max", 2), x)
    with pytest.raises(SpecError, match=f"values .*{said}"):
        simulate(UnpoolJob((1, 4, 4), (8, 8)), x, x)
