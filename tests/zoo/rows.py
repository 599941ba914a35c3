"""A model as a row of the table: its layers, those refused, and what came of a run with cores."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from streampool_models import Model, read_model
from streampool_models.layer import Input
from streampool_models.running import ModelRun, calibrated, run_model

Row = dict[str, Any]


def row(
    file_format: str,
    source: str,
    path: str | Path,
    shapes: Sequence[tuple[int, ...]] = (),
    inputs: Sequence[np.ndarray] | None = None,
    name: str = "",
) -> Row:
    """Read a model, run it with simulated cores, and return its row.

    It is called by its file, or by `name`.

    It is run on `inputs`, or on random ones, with which averages of floats are calibrated too.
    """
    name = name or Path(path).name
    print(f"{source}: {name} ...", file=sys.stderr, flush=True)
    model = read_model(str(path), shapes)
    if inputs is None:
        numbers = np.random.default_rng(1)
        inputs = [random(each, numbers) for each in shaped(model, shapes)]
    return row_of(file_format, source, name, model, inputs)


def row_of(
    file_format: str, source: str, name: str, model: Model, inputs: Sequence[np.ndarray]
) -> Row:
    """Run a model that was read with simulated cores, and return its row."""
    exact = {layer.name for layer in model.layers if layer.job is not None}
    run = None
    if any(layer.job is not None or layer.waits for layer in model.layers):
        calibrated(model, [inputs], "random inputs")
        run = run_model(model, inputs)
    return {
        "format": file_format,
        "source": source,
        "model": name,
        "layers": len(model.layers),
        "exact": len(exact),
        "scaled": sum(layer.scale is not None for layer in model.layers),
        "refused": reasons(model),
        **ran(run, exact),
    }


def ran(run: ModelRun | None, exact: set[str]) -> Row:
    """Return what came of a run; `exact` are the layers that are to be as the framework's."""
    layers = [] if run is None else run.layers
    return {
        "simulated": len(layers),
        "golden": sum(each.good for each in layers),
        "same": sum(each.layer.name in exact and not each.differing for each in layers),
        "values": sum(each.values for each in layers),
    }


def reasons(model: Model) -> dict[str, int]:
    """Return why layers have no core, with or without a scale, and how many of them."""
    refused = (layer for layer in model.layers if layer.job is None)
    return dict(Counter(f"{layer.op}: {layer.refusal}" for layer in refused))


def shaped(model: Model, shapes: Sequence[tuple[int, ...]]) -> list[Input]:
    """Return the inputs with the shapes that were given; what none says is 1 long."""
    found = []
    for k, each in enumerate(model.inputs):
        stated = shapes[k] if k < len(shapes) else tuple(n or 1 for n in each.shape or ())
        found.append(Input(each.name, each.dtype, stated))
    return found


def random(wanted: Input, numbers: np.random.Generator) -> np.ndarray:
    """Return random values for an input: normal ones, and small whole ones of integers."""
    dtype = wanted.dtype or np.dtype(np.float32)
    shape = tuple(n or 1 for n in wanted.shape or ())
    if dtype.kind == "f":
        return numbers.normal(size=shape).astype(dtype)
    return numbers.integers(0, 2 if dtype.kind == "b" else 100, shape).astype(dtype)
