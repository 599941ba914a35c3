"""The verb `model`."""

import json
import warnings
from pathlib import Path

from streampool_golden.errors import shown
from streampool_hw.files import write_whole
from streampool_sim.cli.command import Options, argument, option, under, verb
from streampool_sim.cli.values import lengths
from streampool_sim.files import check_writable
from streampool_sim.refusals import Refused

from .layer import Model
from .listing import listed
from .reading import read_model

EXAMPLES = """\
examples:
  streampool model net.onnx
  streampool model net.py:Net --input-shape 1x3x224x224 --json layers.json

Exit: 0 the file could be read, 1 a core differs, 2 refused.
"""


def shapes(text: str) -> tuple[tuple[int, ...], ...]:
    """Shapes of a model's inputs, commas between."""
    found = tuple(lengths(each) for each in text.split(","))
    if min(map(min, found)) < 1:
        raise ValueError(f"{shown(text)} is no shape; use positive lengths such as 1x3x224x224")
    return found


@verb(
    "model",
    EXAMPLES,
    argument("file", str, "FILE", "a model file", default=None),
    *under(
        "the model",
        option(
            "--input-shape",
            shapes,
            "NxCxHxW",
            "of its input, batch and all axes in its own order; commas between those of several",
            default=(),
        ),
    ),
    *under("what is written", option("--json", Path, "FILE", "the layers as JSON")),
)
def command(options: Options) -> int:
    """List the pooling layers."""
    if options.file is None:
        raise Refused("FILE is missing; use the path of a model file")
    if options.json is not None:
        check_writable(options.json)
    model = read_model(options.file, options.input_shape)
    for message in model.warnings:
        warnings.warn(message, UserWarning, stacklevel=2)
    print(listed(model))
    if options.json is not None:
        text = json.dumps(document(options.file, model), indent=2) + "\n"
        write_whole({options.json: text})
    return 0


def document(name: str, model: Model) -> dict[str, object]:
    """Return what is written of a model."""
    return {"model": Path(name).name, "layers": [layer.to_json() for layer in model.layers]}
