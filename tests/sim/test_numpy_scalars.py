"""NumPy's scalars go wherever Python's numbers go, and the results stay JSON."""

import json
from typing import Any

import numpy as np
import pytest
from streampool_golden import PoolSpec, UnpoolJob
from streampool_sim import simulate

X = np.arange(48, dtype=np.int8).reshape(1, 3, 4, 4)
SPEC = PoolSpec("max", 2)


@pytest.mark.parametrize("whole", [np.int64, np.uint8, np.int32])
@pytest.mark.parametrize("real", [np.float64, np.float32, np.float16])
def test_they_are_as_pythons_numbers(whole: type, real: type):
    plain = {"seed": 7, "stall": 0.25, "repeat": 2, "freq_mhz": 50.0, "lanes": 3}
    scalars = {"seed": whole(7), "stall": real(0.25), "repeat": whole(2), "freq_mhz": real(50)}
    wanted = simulate(SPEC, X, engine="amaranth", **plain)
    got = simulate(SPEC, X, engine="amaranth", lanes=whole(3), **scalars)
    assert np.array_equal(got.output, wanted.output)
    timed = {"seconds", "cycles_per_second"}
    stats = json.loads(json.dumps(got.stats))
    assert {k: v for k, v in stats.items() if k not in timed} == {
        k: v for k, v in json.loads(json.dumps(wanted.stats)).items() if k not in timed
    }


def test_unpooling_takes_them_too():
    places = np.broadcast_to([[0, 2], [8, 10]], (1, 3, 2, 2))
    job = UnpoolJob((3, 2, 2), (4, 4))
    how: dict[str, Any] = {
        "seed": np.uint16(3),
        "stall": np.float32(0.5),
        "freq_mhz": np.int64(80),
    }
    result = simulate(job, X[..., :2, :2], places, engine="amaranth", **how)
    assert json.loads(json.dumps(result.stats))["freq_mhz"] == 80
    assert result.stats["matches_golden"]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"seed": 1.5}, "seed must be an integer, not 1.5"),
        ({"seed": np.float64(1)}, "seed must be an integer, not .*1.0"),
        ({"seed": "x"}, "seed must be an integer, not 'x'"),
        ({"repeat": 2.5}, "repeat must be an integer from 1 to .*, not 2.5"),
        ({"repeat": np.int64(0)}, "repeat must be an integer from 1 to .*, not 0"),
        ({"stall": "0.5"}, "stall must be a probability, 0 <= stall < 1, not '0.5'"),
        ({"stall": None}, "stall must be .*, not None"),
        ({"stall": np.float32(1)}, "stall must be a probability, 0 <= stall < 1, not .*1.0"),
        ({"stall": float("nan")}, "stall must be .*, not nan"),
        ({"freq_mhz": 1j}, "freq_mhz must be a number from .*, not 1j"),
        ({"freq_mhz": np.float32("inf")}, "freq_mhz must be .*, not .*inf"),
    ],
)
def test_what_is_no_number_is_refused_in_a_sentence(how: dict, says: str):
    with pytest.raises(ValueError, match=says):
        simulate(SPEC, X, **how)
