"""The layers that are explored: of a known network, of a file, or one of the options."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streampool_golden import PoolSpec
from streampool_golden.networks import networks
from streampool_sim.refusals import Refused, not_known
from streampool_sim.words import by

from .space import Layer


def of_network(name: str) -> list[Layer]:
    """Return the pooling layers of a known network."""
    known = list(dict.fromkeys(layer.net for layer in networks()))
    if name not in known:
        raise Refused(f"--net {not_known(name, known)}")
    return _named((layer.spec, layer.shape) for layer in networks() if layer.net == name)


def of_model(name: str, shapes: Sequence[tuple[int, ...]]) -> list[Layer]:
    """Return the pooling layers of a model's file that have cores."""
    from streampool_models.reading import read_model

    model = read_model(name, shapes)
    for layer in model.layers:
        if layer.windows is None or layer.spec is None or layer.shape is None:
            raise Refused(
                f"--model {name}: the layer {layer.name} has no core: {layer.refusal};"
                " use --spec with the others"
            )
    if not model.layers:
        raise Refused(f"--model {name} has no pooling layer; use another file")
    jobs = [layer.windows for layer in model.layers]
    return _named((job.spec, job.shape) for job in jobs if job is not None)


def of_file(path: Path) -> list[Layer]:
    """Return the layers of a JSON file: objects with a ``spec`` and a ``shape``.

    It is one, a list, or what has a list as its ``layers``, as `streampool model --json` writes it.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(f"--spec {path} is no JSON: {error}") from None
    if isinstance(data, dict):
        data = data.get("layers", [data])
    wanted = 'use {"spec": {"op": "max", "kernel": 2}, "shape": [16, 416, 416]}, or a list of these'
    if not isinstance(data, list) or not data:
        raise Refused(f"--spec {path} has no layers; {wanted}")
    for each in data:
        if not isinstance(each, dict) or not isinstance(each.get("spec"), dict):
            raise Refused(f"--spec {path} has a layer without a spec; {wanted}")
        if not isinstance(each.get("shape"), list):
            raise Refused(f"--spec {path} has a layer without a shape; {wanted}")
    return _named((_spec(each), tuple(each["shape"])) for each in data)


def _spec(data: dict[str, Any]) -> PoolSpec:
    ndim = {"ndim": len(data["shape"]) - 1} if "ndim" not in data["spec"] else {}
    return PoolSpec.from_json(data["spec"] | ndim)


def _named(layers: Any) -> list[Layer]:
    """Name layers by their frames, and those of the same frame by a number, too."""
    found: list[Layer] = []
    for spec, shape in layers:
        name = by(shape)
        again = sum(each.shape == shape for each in found)
        found.append(Layer(f"{name} ({again + 1})" if again else name, spec, shape))
    return found


def one(spec: PoolSpec, shape: tuple[int, ...]) -> list[Layer]:
    """Return one layer."""
    return _named([(spec, shape)])
