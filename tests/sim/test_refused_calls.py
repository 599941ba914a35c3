"""Calls of `simulate` that cannot be meant: each refused in a sentence, before a core is made."""

import numpy as np
import pytest
from streampool_golden import PoolJob, PoolSpec, SpecError, UnpoolJob
from streampool_sim import simulate

SPEC = PoolSpec("max", 2)
X = np.zeros((1, 2, 8, 8), np.int8)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"family": "ecp5"}, "family ecp5 has no meaning with a simulation"),
        ({"layuot": "NCHW"}, "layuot is no option, did you mean layout"),
        ({"frames": 2}, "frames is no option; use one of "),
    ],
)
def test_options_that_a_simulation_does_not_take(options: dict, said: str):
    with pytest.raises(SpecError, match=said):
        simulate(SPEC, X, **options)


def test_no_array_at_all():
    for what in (SPEC, PoolJob(SPEC, (2, 8, 8)), UnpoolJob((2, 4, 4), (8, 8))):
        with pytest.raises(SpecError, match="x is missing; give an array for each of the job's"):
            simulate(what)


def test_a_job_says_shape_and_lanes_of_its_core():
    job = PoolJob(SPEC, (2, 8, 8), 1)
    result = simulate(job, X)
    assert result.core.job == job
    assert result.core.memory().startswith("8 words for the rows, limit 8")
