"""The golden model against what torch, onnxruntime and ONNX recorded (see make_vectors.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx_pools import spec_of
from streampool_golden import ROUNDINGS, PoolSpec

VECTORS = Path(__file__).parent / "vectors"
ROUND = {
    "half_away": lambda y: np.trunc(y + np.copysign(0.5, y)),
    "half_even": np.rint,
    "half_up": lambda y: np.floor(y + 0.5),
    "floor": np.floor,
    "trunc": np.trunc,
}
pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")


def recorded(name: str) -> list[dict]:
    return json.loads((VECTORS / f"{name}.json").read_text())["cases"]


def check(spec: PoolSpec, x: np.ndarray, y: np.ndarray) -> None:
    """Hold `spec` on `x` against exact or rounded-to-nearest real outputs."""
    if spec.op != "avg":
        np.testing.assert_array_equal(spec(x), y)
        return
    # Wide, so that a small override of the divisor does not saturate.
    for rounding in ROUNDINGS:
        exact = spec.replace(rounding=rounding, out_dtype="int32")
        np.testing.assert_array_equal(exact(x), ROUND[rounding](y))


def test_torch():
    for case in recorded("torch"):
        spec = PoolSpec.from_json(case["spec"])
        check(spec, np.array(case["x"]), np.array(case["y"]))


@pytest.mark.parametrize("name", ["onnxruntime", "onnx_nodes"])
def test_onnx(name):
    for case in recorded(name):
        x = np.array(case["x"])
        axes = len(case["attributes"].get("kernel_shape", x.shape[-2:]))
        spec = spec_of(case["op_type"], case["attributes"], x.shape[-axes:], dtype=case["dtype"])
        check(spec, x, np.array(case["y"]))


@pytest.mark.parametrize(
    ("name", "op", "least"),
    [("torch", "max", 100), ("torch", "avg", 100), ("onnxruntime", "AveragePool", 100)],
)
def test_enough_is_recorded(name, op, least):
    kinds = [case.get("op_type") or case["spec"]["op"] for case in recorded(name)]
    assert kinds.count(op) >= least


def test_halves_are_among_what_torch_recorded():
    outputs = [
        y
        for case in recorded("torch")
        if case["spec"]["op"] == "avg"
        for y in np.ravel(np.array(case["y"]))
    ]
    assert sum(y % 1 == 0.5 and y < 0 for y in outputs) >= 20
    assert sum(y % 1 == 0.5 and y > 0 for y in outputs) >= 20
