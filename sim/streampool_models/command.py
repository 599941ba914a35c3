"""The verb `model`."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from streampool_golden.errors import shown
from streampool_hw.files import write_whole
from streampool_hw.fpga import DEVICES
from streampool_sim.cli.command import Options, argument, option, under, verb
from streampool_sim.cli.common import lanes_option
from streampool_sim.cli.values import lengths, number
from streampool_sim.files import check_writable, resolved
from streampool_sim.refusals import Refused
from streampool_sim.words import count

from .emit.folder import check_replaceable
from .layer import Model
from .listing import doubts, listed, ran
from .reading import READERS, read_model

EXAMPLES = """\
examples:
  streampool model net.onnx
  streampool model net.py:Net --input-shape 1x3x224x224 --json layers.json
  streampool model net.onnx --run cat.png --calibrate cat.png,dog.png
  streampool model net.onnx --run tokens.npy,mask.npy --scale 0.02 --lanes 4
  streampool model net.tflite --emit cores --device ecp5-25k-6

Exit: 0 the file could be read, 1 a core differs, 2 refused.
"""


def shapes(text: str) -> tuple[tuple[int, ...], ...]:
    """Shapes of a model's inputs, commas between."""
    found = tuple(lengths(each) for each in text.split(","))
    if min(map(min, found)) < 1:
        raise ValueError(f"{shown(text)} is no shape; use positive lengths such as 1x3x224x224")
    return found


def paths(text: str) -> tuple[Path, ...]:
    """Files, commas between."""
    return tuple(Path(each) for each in text.split(","))


scale = number(float, "a positive number such as 0.02", np.nextafter(0, 1), 1e30)


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
        lanes_option(),
    ),
    *under(
        "how it is run",
        option(
            "--run",
            paths,
            "INPUT",
            "run it with simulated cores: a .npy, .npz or picture, commas between those of several"
            " inputs; pictures are resized to the input, and divided by 255 where it takes floats",
        ),
        option(
            "--calibrate",
            paths,
            "FILES",
            "take float averages as integers of 8 bits, in steps that fit these inputs, each of"
            " which is run; a folder stands for the files in it",
        ),
        option("--scale", scale, "S", "the same in steps of S"),
    ),
    *under(
        "what is written",
        option("--json", Path, "FILE", "the layers, and the run, as JSON"),
        option("--emit", Path, "DIR", "Verilog and a bench of every core, and a page about them"),
        option("--device", DEVICES, "DEVICE", "that the page has costs for, one of {}"),
        option("--place", help="place every core on the device, which takes minutes"),
    ),
)
def command(options: Options) -> int:
    """List the pooling layers, and run the model where that is asked for."""
    if options.file is None:
        raise Refused("FILE is missing; use the path of a model file")
    if options.json is not None:
        _check_json(options)
    if options.emit is not None:
        check_replaceable(options.emit)
    for name, beside in (("device", "emit"), ("place", "device")):
        if getattr(options, name) and not getattr(options, beside):
            raise Refused(f"--{name} has no meaning without --{beside}; use both")
    if options.scale is not None and options.calibrate is not None:
        raise Refused("--scale has no meaning with --calibrate, which finds one; use one of them")
    model, inputs, calibration = _read(options)
    if options.lanes is not None:
        model.layers = [replace(layer, lanes=options.lanes) for layer in model.layers]
    if options.scale is not None:
        from .running import scaled

        scaled(model, options.scale)
    elif options.calibrate is not None:
        from .running import calibrated

        calibrated(model, calibration, "--calibrate")
    for message in (*model.warnings, *doubts(model.layers)):
        warnings.warn(message, UserWarning, stacklevel=2)
    found, said, good = document(options.file, model), listed(model), True
    if options.run is not None:
        from .running import run_model

        run = run_model(model, inputs)
        found["run"] = {"inputs": [str(path) for path in options.run], **run.to_json()}
        said, good = f"{said}\n\n{ran(run)}", run.good
    print(said)
    if options.json is not None:
        write_whole({options.json: json.dumps(found, indent=2) + "\n"})
    if options.emit is not None:
        _emit(options, model)
    return int(not good)


def _check_json(options: Options) -> None:
    """Refuse to write over a model, or what it is run on."""
    path = options.json
    if path.suffix.lower() in READERS:
        raise Refused(f"--json {path} would write JSON over a model; use FILE.json")
    for name in ("run", "calibrate"):
        for other in getattr(options, name) or ():
            if resolved(path) == resolved(other):
                raise Refused(f"--json {path} is --{name} too; use another file's name")
    check_writable(path)


def _emit(options: Options, model: Model) -> None:
    """Write the cores, and say where."""
    from .emit.folder import emit

    device = None if options.device is None else DEVICES[options.device]
    made = emit(model, Path(options.file).name, options.emit, device, placed=options.place)
    cores = sum(each.module is not None for each in made)
    print(
        f"{options.emit}: {count(cores, 'core')} with Verilog and benches, for make -C"
        f" {options.emit} test; {options.emit / 'index.html'} shows them"
    )


def document(name: str, model: Model) -> dict[str, Any]:
    """Return what is written of a model."""
    layers = [layer.to_json() for layer in model.layers]
    return {"model": Path(name).name, "warnings": doubts(model.layers), "layers": layers}


def _read(options: Options) -> tuple[Model, list[np.ndarray], list[list[np.ndarray]]]:
    """Read the model, what it is run on and what it is calibrated with.

    What does not say its inputs' shapes takes those of the arrays.
    """
    model = read_model(options.file, options.input_shape)
    if options.run is None and options.calibrate is None:
        return model, [], []
    from .activations import batches, matched, read_given

    said = options.input_shape
    wanted = [
        replace(each, shape=said[k]) if k < len(said) else each
        for k, each in enumerate(model.inputs)
    ]
    inputs = []
    if options.run is not None:
        inputs = matched(wanted, [each for path in options.run for each in read_given(path)])
    calibration = [] if options.calibrate is None else batches(wanted, options.calibrate)
    arrays = [*([inputs] if inputs else []), *calibration]
    if arrays and not options.input_shape:
        shapes = [array.shape for array in arrays[0]]
        if shapes != [each.shape for each in model.inputs]:
            model = read_model(options.file, shapes)
    return model, inputs, calibration
