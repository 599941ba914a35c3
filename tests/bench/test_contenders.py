"""The contenders: each that is installed gives what the golden model gives, or says why not."""

import importlib
import itertools

import numpy as np
import pytest
from streampool_bench.software import contenders
from streampool_bench.software.contenders import RUNTIMES, Runtime
from streampool_bench.software.task import Contender, Ready, Task, Unfit, difference
from streampool_golden import PoolSpec
from streampool_golden.operations import OPERATIONS, Operation, Reduction

LAYERS = {
    "usual": (PoolSpec("max", 3, 2, 1), (5, 14, 11)),
    "windows side by side": (PoolSpec("max", 2), (3, 8, 12)),
    "a rest that no window reads": (PoolSpec("max", 2), (3, 9, 13)),
    "stride 1": (PoolSpec("max", 3, 1, 1), (4, 9, 7)),
    "ceil mode": (PoolSpec("max", 3, 2, ceil_mode=True), (4, 10, 12)),
    "uneven padding": (PoolSpec("max", 2, 1, ((0, 1), (0, 1))), (4, 7, 6)),
    "dilation": (PoolSpec("max", 3, 1, 2, dilation=2), (2, 9, 9)),
    "oblong": (PoolSpec("max", (3, 2), (2, 1), ((1, 1), (0, 0))), (4, 9, 7)),
    "crop": (PoolSpec("max", 2, 2, -1), (2, 9, 9)),
    "min": (PoolSpec("min", 3, 2, 1), (3, 9, 9)),
    "sum": (PoolSpec("sum", 3, 2, 1), (3, 9, 9)),
    "avg": (PoolSpec("avg", 2), (4, 8, 10)),
    "avg of many channels": (PoolSpec("avg", 2), (16, 8, 10)),
    "avg, an odd divisor": (PoolSpec("avg", 3), (4, 9, 10)),
    "avg, windows overlap": (PoolSpec("avg", 4, 2), (4, 10, 12)),
    "avg over padding": (PoolSpec("avg", 3, 1, 1), (4, 8, 9)),
    "avg without padding": (PoolSpec("avg", 3, 1, 1, count_include_pad=False), (4, 8, 9)),
    "avg, ceil mode": (PoolSpec("avg", 3, 2, ceil_mode=True), (4, 8, 10)),
    "global avg": (PoolSpec("avg", (7, 5)), (6, 7, 5)),
    "global max": (PoolSpec("max", (7, 5)), (6, 7, 5)),
    "planes, max": (PoolSpec("max", 2, (1, 2, 2), 1, ndim=3), (3, 4, 6, 8)),
    "planes, avg": (PoolSpec("avg", 2, ndim=3), (3, 4, 6, 8)),
    "steps, max": (PoolSpec("max", (4,)), (6, 41)),
    "steps, avg": (PoolSpec("avg", (2,)), (6, 21)),
}
"""Small layers of all kinds."""

DOES_THE_USUAL = {
    "NumPy": {"numpy-naive", "numpy-windows", "numpy-separable"},
    "PyTorch": {"torch", "torch-quantized"},
    "ONNX Runtime": {"onnxruntime", "onnxruntime-nhwc"},
    "OpenCV": {"opencv-dilate"},
    "TFLite": {"tflite"},
}
"""Who has to do a maximum of 3 x 3, stride 2, padding 1."""

AVERAGES = {
    "NumPy": {"numpy-naive", "numpy-reshape", "numpy-windows", "numpy-separable"},
    "PyTorch": {"torch", "torch-quantized"},
    "ONNX Runtime": {"onnxruntime", "onnxruntime-nhwc"},
    "OpenCV": {"opencv-area", "opencv-blur"},
    "TFLite": {"tflite"},
}
"""Who has to do an average of 2 x 2, stride 2."""


def module_of(runtime: Runtime):
    try:
        return importlib.import_module(f"streampool_bench.software.contenders.{runtime.module}")
    except ImportError as error:
        pytest.skip(f"{runtime.name}: {error}")


def made(contender: Contender, spec: PoolSpec, shape: tuple[int, ...]):
    """Yield a contender in all its types and layouts, ready, where it does a layer."""
    for dtype, layout, threads in itertools.product(
        contender.dtypes, contender.layouts, (1, 2) if contender.threaded else (1,)
    ):
        task = Task(spec, shape, dtype, seed=3)
        try:
            ready = contender.make(task, layout, threads)
        except Unfit:
            continue
        ready.prepare()
        yield task, ready, (contender.name, dtype, layout, threads)


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda runtime: runtime.name)
def test_right_or_unfit(runtime):
    does: dict[str, set[str]] = {}
    those: list[Contender] = module_of(runtime).contenders()
    for name, contender in itertools.product(LAYERS, those):
        spec, shape = LAYERS[name]
        for task, ready, what in made(contender, spec, shape):
            assert difference(task, ready) is None, (name, what)
            does.setdefault(name, set()).add(contender.name)
    assert does["usual"] >= DOES_THE_USUAL[runtime.name]
    assert does["avg"] >= AVERAGES[runtime.name]


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda runtime: runtime.name)
def test_an_operation_from_outside_is_right_or_unfit(runtime, monkeypatch):
    union = Reduction(np.bitwise_or, lambda low, high: 0, lambda low, high, taps: (low, high))
    monkeypatch.setitem(OPERATIONS, "or", Operation(union))
    does = set()
    for contender in module_of(runtime).contenders():
        for task, ready, what in made(contender, PoolSpec("or", 2), (3, 8, 12)):
            assert difference(task, ready) is None, what
            does.add(what[:2])
    assert does == {(name, "int8") for name in AVERAGES["NumPy"] if runtime.name == "NumPy"}


def test_a_wrong_result_is_told():
    task = Task(PoolSpec("max", 2), (1, 4, 4), "int8")
    right = task.expected("half_even")
    wrong = right.copy()
    wrong[0, 0, 1, 1] -= 1
    assert difference(task, Ready(lambda: right, lambda y: y)) is None
    said = difference(task, Ready(lambda: wrong, lambda y: y))
    assert said is not None and said.startswith("1 values differ: at (0, 0, 1, 1)")
    said = difference(task, Ready(lambda: right[:, :, :1], lambda y: y))
    assert said == "the shape is (1, 1, 1, 2), not (1, 1, 2, 2)"


def test_what_takes_too_long_does_a_part_and_says_so():
    spec, shape = PoolSpec("max", 3, 2, 1), (70, 96, 80)
    crops = {}
    for contender in contenders.load(("NumPy",))[0]:
        for task, ready, what in made(contender, spec, shape):
            assert difference(task, ready) is None, what
            crops[contender.name] = ready.crop
    assert crops["numpy-naive"] == (2, 16, 16)
    assert crops["numpy-windows"] == (2**18 // (96 * 80), 96, 80)
    assert crops["numpy-separable"] is None


def test_averages_of_floats_are_held_to_a_bound():
    task = Task(PoolSpec("avg", 3), (1, 3, 3), "float32")
    exact = task.x.astype(np.float64).mean((2, 3), keepdims=True)
    assert difference(task, Ready(lambda: exact.astype(np.float32), lambda y: y)) is None
    assert difference(task, Ready(lambda: exact + 0.01, lambda y: y)) is not None


def test_a_runtime_that_is_not_there_is_named(monkeypatch):
    missing = Runtime("Missing", "in_no_such_runtime", ("no-such-package",))
    monkeypatch.setattr(contenders, "RUNTIMES", (RUNTIMES[0], missing))
    found, skipped = contenders.load()
    assert {each.runtime for each in found} == {"NumPy"}
    [left_out] = skipped
    assert left_out["what"] == "Missing" and "in_no_such_runtime" in left_out["reason"]
    assert contenders.versions().keys() == {"numpy"}
