"""Measurements for the tests: the cores as they are, and software whose times are made up."""

import json
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from streampool_bench.report import report
from streampool_bench.report.layers import Layer, Layers, network_layers
from streampool_bench.software import timing
from streampool_bench.software.task import Contender, Ready, Task, Unfit

NET = "resnet50"
"""The network of the small measurement: two layers, both placed as they are."""

BOTH = ("NCHW", "NHWC")
SLOWER = {
    ("numpy-naive", "NumPy", ("int8", "float32"), ("NCHW",), False): 50_000.0,
    ("numpy-windows", "NumPy", ("int8", "float32"), ("NCHW",), False): 60.0,
    ("numpy-separable", "NumPy", ("int8", "float32"), BOTH, False): 12.0,
    ("torch", "PyTorch", ("float32", "uint8"), BOTH, True): 40.0,
    ("torch-quantized", "PyTorch", ("int8", "uint8"), BOTH, True): 1.1,
    ("onnxruntime", "ONNX Runtime", ("int8", "uint8", "float32"), ("NCHW",), True): 9.0,
    ("onnxruntime-nhwc", "ONNX Runtime", ("int8", "uint8"), ("NHWC",), True): 1.6,
    ("opencv-dilate", "OpenCV", ("uint8", "float32"), ("NHWC",), False): 2.0,
    ("tflite", "TFLite", ("int8", "uint8", "float32"), ("NHWC",), True): 1.0,
}
"""How many times as long as the fastest each contender takes, about."""


def _unfit(task: Task, layout: str, threads: int) -> Ready:
    raise Unfit("its times are made up")


CONTENDERS = [
    Contender(name, runtime, f"{name}.pool(x)", dtypes, layouts, _unfit, threaded)
    for name, runtime, dtypes, layouts, threaded in SLOWER
]


def _times(layer: Layer, candidates: Sequence[Contender], settings: report.Settings):
    """Make up what `report.measure_layer` gives: the fastest is near to what cores do."""
    generator = random.Random(layer.name)
    fastest = layer.job.beats_in * generator.uniform(20e-12, 100e-12)
    rows, unfit = [], []
    for cold in (False, True):
        for each, slower in zip(candidates, SLOWER.values(), strict=True):
            crop = (1, *layer.shape[1:]) if each.name == "numpy-naive" else None
            ready = Ready(lambda: None, np.asarray, crop=crop)
            ways = [
                (dtype, layout, threads)
                for dtype in each.dtypes
                for layout in each.layouts
                for threads in (settings.threads if each.threaded else (1,))
            ]
            for dtype, layout, threads in ways:
                if cold and each.name not in ("tflite", "torch"):
                    continue
                head = {
                    **{"layer": layer.name, "contender": each.name, "runtime": each.runtime},
                    **{"dtype": dtype, "layout": layout, "threads": threads},
                }
                usual = fastest * slower * generator.uniform(1, 2) * (10 if cold else 1)
                samples = [usual * generator.uniform(0.9, 1.4) for _ in range(settings.rounds)]
                times = timing.Times.of(samples, generator.randrange(1, 20))
                kind = timing.COLD if cold else timing.WARM
                rows.append(report._row(head, ready, times, kind, layer, None))
    for number in range(10):
        what = f"{candidates[number % 9].name} (float32, NHWC) on {layer.name}"
        unfit.append({"what": what, "reason": f"windows overlap or leave {number} gaps"})
    return rows, unfit


SHARE = {
    **{"net": NET, "model": "light_resnet50", "runtime": "ONNX Runtime", "dtype": "float32"},
    **{"threads": 2, "whole_s": 0.0312, "pooling_s": 0.00123, "share": 0.0394},
    **{"pooling_nodes": 2, "rounds": 15},
}


def _made(chosen: Layers) -> dict[str, Any]:
    skipped = [{"what": "OpenCV", "reason": "No module named 'cv2'"}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report.contenders, "load", lambda names: (CONTENDERS, skipped))
        patch.setattr(report, "measure_layer", _times)
        patch.setattr(report.shares, "shares", lambda *_: [SHARE])
        made = report.make(chosen, settings=report.Settings(threads=(1, 2)))
    return json.loads(json.dumps(made))


@cache
def _few() -> str:
    return json.dumps(_made(network_layers([NET])))


@cache
def _whole() -> str:
    return json.dumps(_made(network_layers()))


def few_layers() -> dict[str, Any]:
    """Return the report of two layers, on all devices."""
    return json.loads(_few())


def all_layers() -> dict[str, Any]:
    """Return the report of all layers of all networks: as many rows as a whole measurement has."""
    return json.loads(_whole())
