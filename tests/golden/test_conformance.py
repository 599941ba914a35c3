"""What runtimes gave, recorded (`make vectors`): the golden model and a few cores against it.

``make conformance`` asks the runtimes themselves.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from conformance import parts
from conformance.cases import Case, UnpoolCase, every_sum, from_json
from streampool_golden import PoolSpec, UnpoolJob

pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")
RECORDED = json.loads((Path(__file__).parent / "vectors" / "runtimes.json").read_text("utf-8"))
CASES = [from_json(case) for case in RECORDED]


def test_the_golden_model_does_as_each_runtime_did():
    assert [fault for case in CASES for fault in parts.through_golden(case)] == []
    assert not any(case.own for case in CASES)


def test_cores_do_as_the_runtimes_did():
    few = {case.what: case for case in CASES}
    names = ["avg_pool of a quantized tensor", "QLinearAveragePool", "QLinearGlobalAveragePool"]
    names += ["MaxPool with Indices", "max_unpool", "avg_pool in float64, to float16"]
    assert parts.through_cores([few[name] for name in names]) == []


def test_all_runtimes_and_all_roundings_of_quantised_values_are_recorded():
    assert {case["source"].split()[0] for case in RECORDED} == {
        "torch",
        "onnxruntime",
        "ai_edge_litert",
    }
    for what in ("AVERAGE_POOL_2D", "avg_pool of a quantized tensor", "QLinearAveragePool"):
        assert sum(case.what == what and case.y.size > 4 for case in CASES) >= 3


def test_floats_are_held_to_the_bit_and_maps_to_the_value():
    x = np.array([[[[0.0, -0.0]]]], np.float32)
    case = Case("max", PoolSpec("max", (1, 2), dtype="float32"), x, x[..., 1:])
    [fault] = parts.through_golden(case)  # the first of equal zeros leaves
    assert fault.startswith("max: 0.0 at (0, 0, 0, 0), where the runtime has -0.0")
    again = from_json(json.loads(json.dumps(case.to_json())))
    assert parts.through_golden(again) == [fault]
    case.y = -case.y
    assert parts.through_golden(case) == []
    job = UnpoolJob((1, 1), (2,), 2)
    case = UnpoolCase("put back", job, np.array([[[7]]]), np.array([[[1]]]), np.array([[[0, 7]]]))
    assert parts.through_golden(from_json(case.to_json())) == []
    case.y = case.y + 1
    assert len(parts.through_golden(case)) == len(parts.through_cores([case])) == 1


def halved(y: int, operations: int = 0, **fields) -> Case:
    """Return a case of the mean of 1 and 2, which has its half."""
    spec = PoolSpec("avg", (1, 2), rounding="half_even", **fields)
    return Case("mean", spec, np.array([[[[1, 2]]]]), np.array([[[[y]]]]), operations)


def test_a_runtimes_own_rounding_is_told_from_a_mismatch():
    assert halved(2).judge(np.array([[[[2]]]])) == []
    [fault] = halved(1).judge(np.array([[[[2]]]]))  # a half, but nothing that float32 did
    assert fault.startswith("mean: ")
    case = halved(1, operations=1)
    assert case.judge(np.array([[[[2]]]])) == []
    [own] = case.own
    assert (own["exact"], own["exactly_rounded"], own["runtime"]) == ("3/2", 2, 1)
    assert halved(0, operations=1).judge(np.array([[[[2]]]])) != []  # off by more than one
    assert halved(1, 9, scale="4/3").judge(np.array([[[[2]]]])) != []  # exactly 2
    assert halved(2).judge(np.array([[[2]]])) != []


def test_every_sum_is_there():
    for taps in (2, 3):
        assert every_sum(taps).sum(axis=1).tolist() == list(range(255 * taps + 1))
