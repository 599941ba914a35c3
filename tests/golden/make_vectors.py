"""Record what torch, onnxruntime and ONNX's own cases say: ``make vectors``.

Writes tests/golden/vectors/{torch,onnxruntime,onnx_nodes}.json. Needs torch 2.13.0, onnx and
onnxruntime (the extra ``conformance``); the tests that read the files need none of them.
"""

import json
import random
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx import helper
from onnx.backend.test.case.node import collect_testcases
from onnxruntime_vectors import (
    onnxruntime_case,
    onnxruntime_floats,
    onnxruntime_indices,
    onnxruntime_root,
    onnxruntime_unpool,
)
from torch_vectors import torch_case, torch_floats, torch_indices, torch_layer, torch_unpool

VECTORS = Path(__file__).parent / "vectors"
CASES = 120  # of each kind


def unpool_cases() -> list[dict]:
    """Return ONNX's own cases of MaxUnpool."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collected = collect_testcases(None)
    cases = []
    for case in collected:
        if case.model is None or case.model.graph.node[-1].op_type != "MaxUnpool":
            continue
        node, (inputs, outputs) = case.model.graph.node[-1], case.data_sets[0]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        x, indices = (np.asarray(value).astype(int) for value in inputs[:2])
        cases.append(
            {
                "name": case.name,
                "attributes": attributes,
                "x": x.tolist(),
                "indices": indices.tolist(),
                "y": np.asarray(outputs[0]).astype(int).tolist(),
            }
        )
    return cases


def onnx_cases() -> list[dict]:
    """Return ONNX's own pooling cases of one or two axes whose inputs are integers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' cases overflow as they are made
        collected = collect_testcases(None)
    cases = []
    for case in collected:
        if case.model is None or case.data_sets is None:
            continue
        node = case.model.graph.node[-1]
        if node.op_type not in ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"):
            continue
        inputs, outputs = case.data_sets[0]
        x, y = np.asarray(inputs[0]), np.asarray(outputs[0])
        if x.ndim > 4 or not np.array_equal(x, np.rint(x)):
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if "auto_pad" in attributes:
            attributes["auto_pad"] = attributes["auto_pad"].decode()
        head = {"name": case.name, "op_type": node.op_type, "attributes": attributes}
        x = x.astype(np.int64)
        cases.append({**head, "dtype": "uint8", "x": x.tolist(), "y": y.tolist()})
    return cases


def record(name: str, source: str, cases: list[dict]) -> None:
    """Write cases, one per line."""
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = VECTORS / f"{name}.json"
    path.write_text(f'{{"source":{json.dumps(source)},"cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")


def gather(case, draw: random.Random, kind: str) -> list[dict]:
    """Return as many cases of a kind as are recorded, those refused left out."""
    cases = []
    while len(cases) < CASES:
        found = case(draw, kind)
        if found is not None:
            cases.append(found)
    return cases


def main() -> None:
    VECTORS.mkdir(exist_ok=True)
    draw = random.Random(1)
    cases = gather(torch_case, draw, "max") + gather(torch_case, draw, "avg")
    record("torch", f"torch {torch.__version__.split('+')[0]}", cases)
    cases = gather(onnxruntime_case, draw, "MaxPool") + gather(
        onnxruntime_case, draw, "AveragePool"
    )
    record("onnxruntime", f"onnxruntime {onnxruntime.__version__}", cases)
    record("onnx_nodes", "ONNX's node cases", onnx_cases())
    # with generators of their own, so that the cases above stay as they are
    for name, kinds in INDEXED.items():
        for number, (source, case) in enumerate(kinds.items()):
            draw = random.Random(2 + number)
            version = {"torch": torch, "onnxruntime": onnxruntime}[source].__version__
            cases = gather(lambda draw, _, case=case: case(draw), draw, name)
            record(f"{name}_{source}", f"{source} {version.split('+')[0]}", cases)
    record("unpool_onnx_nodes", "ONNX's node cases", unpool_cases())


INDEXED = {
    "layers": {"torch": torch_layer, "onnxruntime": onnxruntime_root},
    "indices": {"torch": torch_indices, "onnxruntime": onnxruntime_indices},
    "unpool": {"torch": torch_unpool, "onnxruntime": onnxruntime_unpool},
    "floats": {"torch": torch_floats, "onnxruntime": onnxruntime_floats},
}


if __name__ == "__main__":
    main()
