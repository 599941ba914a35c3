"""The golden model against what torch, onnxruntime and ONNX recorded (see make_vectors.py)."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import streampool_golden
from onnx_pools import spec_of
from pool_specs import naive_round_root
from streampool_golden import ROUNDINGS, PoolJob, PoolSpec, UnevenAxis, pool

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
    """Check `spec` on `x` against exact or rounded-to-nearest real outputs."""
    if spec.op != "avg":
        np.testing.assert_array_equal(pool(spec, x), y)
        return
    # Wide, so that a small override of the divisor does not saturate.
    for rounding in ROUNDINGS:
        exact = spec.replace(rounding=rounding, out_dtype="int32")
        np.testing.assert_array_equal(pool(exact, x), ROUND[rounding](y))


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


def roots(y: np.ndarray, rounding: str, degree: int) -> list[int]:
    """Return recorded roots of integers, rounded from the integers, which they tell."""
    powers = np.rint(y.reshape(-1) ** degree)
    assert np.abs(y.reshape(-1) ** degree - powers).max() < 0.25
    return [naive_round_root(Fraction(int(power)), rounding, degree) for power in powers]


def check_root(spec: PoolSpec, x: np.ndarray, y: np.ndarray) -> None:
    for rounding in ROUNDINGS:
        out = pool(spec.replace(rounding=rounding), x)
        assert out.shape == y.shape
        assert out.reshape(-1).tolist() == roots(y, rounding, spec.operation.root)


def test_torch_layers():
    """Three axes, LPPool and to a size, by torch's names."""
    seen, powers, uneven = set(), set(), 0
    for case in recorded("layers_torch"):
        spec = getattr(streampool_golden, case["layer"])(**case["arguments"], dtype=case["dtype"])
        seen.add(case["layer"])
        x, y = np.array(case["x"]), np.array(case["y"])
        (check_root if spec.operation.root else check)(spec, x, y)
        uneven += any(isinstance(axis, UnevenAxis) for axis in PoolJob(spec, x.shape).axes)
        powers.add(case["arguments"].get("norm_type"))
    assert uneven > 20
    assert powers == {None, 1, 2, 3, 4}
    kinds = {"LPPool", "AdaptiveAvgPool", "AdaptiveMaxPool"}
    assert seen == {f"{kind}{n}d" for kind in kinds for n in (1, 2, 3)} | {"MaxPool3d", "AvgPool3d"}


def test_onnxruntime_roots_and_whole_frames():
    seen = set()
    for case in recorded("layers_onnxruntime"):
        x, y = np.array(case["x"]), np.array(case["y"])
        attributes, name = case["attributes"], case["op_type"]
        op = {"GlobalMaxPool": "max", "GlobalAveragePool": "avg"}.get(name)
        op = op or f"lp{attributes['p']}"
        if name == "LpPool":
            pads = attributes["pads"]
            spec = PoolSpec(
                *(op, attributes["kernel_shape"], attributes["strides"]),
                list(zip(pads[: len(pads) // 2], pads[len(pads) // 2 :], strict=True)),
                ceil_mode=bool(attributes["ceil_mode"]),
            )
        else:
            spec = PoolSpec(op, "global", ndim=x.ndim - 1)
        seen.add((name, op, spec.ndim))
        if op == "avg":  # its float32 quotient is not exact
            count = y.size // len(y) * x[0].size
            y = np.rint(y * count) / count
            assert np.abs(y * count - np.rint(y * count)).max() < 1e-6
        (check_root if spec.operation.root else check)(spec, x, y)
    assert len(seen) == 12


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
