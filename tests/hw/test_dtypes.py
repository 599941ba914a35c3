"""A float that is not ours: an entry in the table of floats is all that it takes."""

import ml_dtypes
import numpy as np
import pytest
from streampool_golden import PoolSpec, SpecError, pool
from streampool_golden.dtypes import FLOATS
from streampool_sim import simulate

NAME = "float8_e5m2"


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Give every pattern of its bits."""
    with pytest.raises(SpecError):
        PoolSpec("max", 2, dtype=NAME)
    monkeypatch.setitem(FLOATS, NAME, (8, 2))
    bits = np.random.default_rng(3).permutation(256).astype(np.uint8)
    return bits.view(ml_dtypes.float8_e5m2).reshape(2, 2, 8, 8)


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "max", "kernel": 3, "stride": 1, "padding": 1},
        {"op": "min", "kernel": 2, "nan": "ignore"},
        {"op": "avg", "kernel": 2},
        {"op": "sum", "kernel": 2},
    ],
)
def test_a_float_from_outside_runs_as_ours_do(frames, fields):
    spec = PoolSpec(**fields, dtype=NAME)
    result = simulate(spec, frames, lanes=2, engine="amaranth")
    assert result.output.dtype == frames.dtype
    assert np.array_equal(result.output.view(np.uint8), pool(spec, frames).view(np.uint8))


def test_its_values_are_those_of_ml_dtypes(frames):
    windows = frames.astype(np.float64).reshape(2, 2, 4, 2, 4, 2)
    with np.errstate(invalid="ignore"):
        average = windows.mean((3, 5)).astype(frames.dtype)
    for op, expected in (("max", windows.max((3, 5))), ("avg", average)):
        given = pool(PoolSpec(op, 2, dtype=NAME), frames).astype(np.float64)
        assert np.array_equal(given, expected.astype(np.float64), equal_nan=True)
