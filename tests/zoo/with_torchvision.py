"""torchvision's networks: classification, segmentation, and detection by their backbones.

They have no weights here. All are listed, which takes no memory for weights; a few are run, with
random ones.
torchvision is no dependency: its Python files alone are taken from its package, so that its own
operators are not there.
"""

import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .packages import unpacked
from .rows import Row, ran, row_of

PACKAGE = "torchvision==0.28.0"
SOURCE = PACKAGE.replace("==", " ")
GROUPS = {"": 224, "segmentation": 224, "detection": 320}
"""Per module of `torchvision.models` the side of a picture."""

LARGER = {"inception_v3": 299}
RUN = ("alexnet", "squeezenet1_1", "shufflenet_v2_x0_5")
"""What is run with cores."""

SHARED = ("nms", "qnms")
"""Operators that torchvision's Python asks for when it is imported, of none of these networks."""


def rows() -> Iterator[Row]:
    """Yield a row for each file of networks, and one for each network that is run."""
    torch: Any = importlib.import_module("torch")
    models = _imported(torch)
    for group, side in GROUPS.items():
        names = models.list_models(getattr(models, group) if group else models)
        files: dict[str, list[str]] = {}
        for name in names:
            maker = models.get_model_builder(name)
            files.setdefault(maker.__module__.rpartition(".")[2], []).append(name)
        for file, members in files.items():
            yield _listed(torch, models, group, file, members, side)
    for name in RUN:
        yield _run(torch, models, name)


def _imported(torch: Any) -> Any:
    """Return torchvision.models, without what torchvision has compiled."""
    [init] = [
        path
        for path in unpacked(PACKAGE, ".py")
        if path.as_posix().endswith("torchvision/__init__.py")
    ]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in SHARED:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.path.insert(0, str(Path(init).parents[1]))
    _imported.__dict__["library"] = library  # it ends with its last name
    return importlib.import_module("torchvision.models")


def _on_meta(torch: Any) -> Any:
    """Return a mode in which weights are made without memory."""

    class OnMeta(torch.overrides.TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func in (torch.empty, torch.zeros, torch.ones) and not kwargs.get("device"):
                kwargs = {**kwargs, "device": "meta"}
            return func(*args, **kwargs)

    return OnMeta()


def _model(torch: Any, models: Any, group: str, name: str) -> Any:
    """Return a network without weights; of a detector what takes the picture."""
    none = {"weights_backbone": None} if group else {}
    try:
        with torch.device("meta"):
            made = models.get_model(name, weights=None, **none)
    except NotImplementedError:  # it computes sizes with tensors
        with _on_meta(torch):
            made = models.get_model(name, weights=None, **none).to("meta")
    return made.backbone if group == "detection" else made


def _listed(torch: Any, models: Any, group: str, file: str, members: list[str], side: int) -> Row:
    modules: Any = importlib.import_module("streampool_models.pytorch.modules")
    print(f"torchvision: {group} {file}, {len(members)} networks ...", file=sys.stderr, flush=True)
    layers, refused = [], Counter[str]()
    for name in members:
        size = LARGER.get(name, side)
        module = _model(torch, models, group, name).eval()
        found = modules.TorchModule(module, [(1, 3, size, size)])
        layers += found.layers
        refused += Counter(reasons_without_scale(found))
    many = f"{len(members)} networks" if len(members) > 1 else "1 network"
    kind = {"": "classification"}.get(group, group)
    return {
        "format": "PyTorch",
        "source": SOURCE,
        "model": f"{kind}: {file}, {many}",
        "layers": len(layers),
        "exact": sum(layer.job is not None for layer in layers),
        "scaled": sum(layer.waits for layer in layers),
        "refused": dict(refused),
        **ran(None, set()),
    }


def reasons_without_scale(model: Any) -> dict[str, int]:
    """Return why layers have no core with a scale either."""
    refused = (each for each in model.layers if each.job is None and not each.waits)
    return dict(Counter(f"{layer.op}: {layer.refusal}" for layer in refused))


def _run(torch: Any, models: Any, name: str) -> Row:
    """Run a network with random weights on random inputs."""
    modules: Any = importlib.import_module("streampool_models.pytorch.modules")
    print(f"torchvision: {name} with cores ...", file=sys.stderr, flush=True)
    torch.manual_seed(1)
    network = models.get_model(name, weights=None).eval()
    shape = (1, 3, GROUPS[""], GROUPS[""])
    model = modules.TorchModule(network, [shape])
    inputs = [np.random.default_rng(1).normal(size=shape).astype(np.float32)]
    return row_of("PyTorch", SOURCE, f"{name}, random weights", model, inputs)
