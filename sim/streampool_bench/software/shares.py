"""What part of a whole network's time its pooling layers take: the most that a core could save.

The networks are those that ONNX's own tests bring along, with their real shapes and weights without
meaning; ONNX Runtime runs them on floats and times each node itself.
"""

import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]

MODELS = {
    "alexnet": "light_bvlc_alexnet", "densenet121": "light_densenet121",
    "googlenet": "light_inception_v1", "inception_v2": "light_inception_v2",
    "resnet50": "light_resnet50", "shufflenet": "light_shufflenet",
    "squeezenet1_0": "light_squeezenet", "vgg19": "light_vgg19", "zfnet512": "light_zfnet512",
}  # fmt: skip
"""The models by their networks; they may differ in details from the layers of the same name."""

RUNTIME = "ONNX Runtime"
WARM_UP = 2


def models_of(nets: Sequence[str] | None) -> list[str]:
    """Return the networks that there are models of, all or only of some."""
    return [net for net in MODELS if nets is None or net in nets]


def shares(
    nets: Sequence[str] | None,
    rounds: int,
    threads: int,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Row]:
    """Run whole networks, all or some of those with a model, and add up their pooling nodes.

    Returns rows as docs/bench.md has them; none where ONNX or ONNX Runtime is missing.
    """
    try:
        onnxruntime: Any = import_module("onnxruntime")
        folder = resources.files("onnx") / "backend" / "test" / "data" / "light"
    except ImportError:
        return []
    wanted = models_of(nets)
    rows = []
    for number, net in enumerate(wanted):
        path = folder / f"{MODELS[net]}.onnx"
        if not path.is_file():
            continue
        if progress is not None:
            progress(number, len(wanted), f"all of {net}")
        rows.append({"net": net, "model": MODELS[net], "runtime": RUNTIME})
        rows[-1] |= {"dtype": "float32", "threads": threads}
        rows[-1] |= _run(onnxruntime, path.read_bytes(), rounds, threads)
    return rows


def _run(onnxruntime: Any, model: bytes, rounds: int, threads: int) -> Row:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        generator = np.random.default_rng(0)
        inputs = {
            each.name: generator.random(
                [n if isinstance(n, int) else 1 for n in each.shape], np.float32
            )
            for each in session.get_inputs()
        }
        for _ in range(WARM_UP + rounds):
            session.run(None, inputs)
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return summed(events, rounds)


def summed(events: Sequence[Row], rounds: int) -> Row:
    """Sum up the last `rounds` runs of a profile of ONNX Runtime's: medians, and their ratio."""
    runs = sorted(
        (event["ts"], event["ts"] + event["dur"]) for event in events
        if event["name"] == "model_run"
    )[-rounds:]  # fmt: skip
    pools = [
        event for event in events
        if event["name"].endswith("_kernel_time") and "Pool" in event["args"]["op_name"]
    ]  # fmt: skip
    spent = [
        sum(event["dur"] for event in pools if begin <= event["ts"] < end) for begin, end in runs
    ]
    whole = statistics.median(end - begin for begin, end in runs) * 1e-6
    pooling = statistics.median(spent) * 1e-6
    return {
        "whole_s": whole,
        "pooling_s": pooling,
        "share": pooling / whole,
        "pooling_nodes": len({event["name"] for event in pools}),
        "rounds": len(runs),
    }
