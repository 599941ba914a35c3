"""What `--run` and `--calibrate` name: arrays and pictures, as a model's inputs take them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from streampool_golden.errors import cut
from streampool_sim.inputs.opening import opened, reason
from streampool_sim.inputs.pillow import read_picture
from streampool_sim.refusals import Refused
from streampool_sim.words import by, count

from .layer import Input

ARRAYS = (".npy", ".npz")


@dataclass(frozen=True)
class Given:
    """An array for an input, and how it came to be.

    `name` is the input's where a .npz says it; `said` is what was done to a picture.
    """

    path: Path
    array: np.ndarray
    name: str | None = None
    picture: bool = False


def read_given(path: Path) -> list[Given]:
    """Return the arrays of a file: one, or those of a .npz by name."""
    suffix = path.suffix.lower()
    if suffix not in ARRAYS:
        with opened(path) as file:
            data, layout = read_picture(path, file)
        return [Given(path, data[..., np.newaxis] if layout == "HW" else data, picture=True)]
    with opened(path) as file:
        try:
            found = np.load(
                path if path.is_file() and suffix == ".npy" else file,
                mmap_mode="r" if path.is_file() and suffix == ".npy" else None,
                allow_pickle=False,
            )
            if suffix == ".npy":
                return [Given(path, np.array(found))]
            return [Given(path, found[name], name) for name in found.files]
        except MemoryError:
            raise Refused(f"{path} does not fit into memory") from None
        except Exception as error:  # NumPy evaluates a header as Python
            raise Refused(
                f"{path} is no {suffix} of numbers, or is cut short or damaged: {reason(error)}"
            ) from None


def matched(inputs: Sequence[Input], given: Sequence[Given]) -> list[np.ndarray]:
    """Return an array for each input, of its type; pictures are fitted to it."""
    if any(each.name is not None for each in given):
        names = {each.name: each for each in given if each.name is not None}
        if len(names) == len(given) and {each.name for each in inputs} <= set(names):
            given = [names[each.name] for each in inputs]
    if len(given) != len(inputs):
        names = ", ".join(cut(each.name) for each in inputs)
        raise Refused(
            f"--run has {count(len(given), 'array')}, and the model {count(len(inputs), 'input')}"
            f" ({names}); use one for each, with commas between"
        )
    return [fitted(*pair) for pair in zip(inputs, given, strict=True)]


def batches(inputs: Sequence[Input], files: Sequence[Path]) -> list[list[np.ndarray]]:
    """Return what each run is given: of one input each file, in parts of the batch it takes.

    A folder stands for the files in it.
    """
    files = [each for path in files for each in _files(path)]
    if len(inputs) != 1:
        return [matched(inputs, [each for path in files for each in read_given(path)])]
    [wanted] = inputs
    runs = []
    for path in files:
        [given] = read_given(path)
        batch = (wanted.shape or (None,))[0]
        parts = [given.array]
        if batch and not given.picture and given.array.ndim == len(wanted.shape or ()):
            parts = np.split(given.array, range(batch, len(given.array), batch))
        runs += [[fitted(wanted, Given(path, part, picture=given.picture))] for part in parts]
    return runs


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        found = sorted(each for each in path.iterdir() if each.is_file())
    except OSError as error:
        raise Refused(f"{path} cannot be read: {reason(error)}") from None
    if not (shown := [each for each in found if not each.name.startswith(".")]):
        raise Refused(f"{path} is a folder without files; use one with pictures or .npy files")
    return shown


def fitted(wanted: Input, given: Given) -> np.ndarray:
    """Return an array as an input takes it, or refuse it."""
    array = picture_as(wanted, given) if given.picture else given.array
    if wanted.dtype is not None and array.dtype != wanted.dtype:
        if not np.can_cast(array.dtype, wanted.dtype, "same_kind"):
            raise Refused(
                f"{given.path} has {array.dtype}, and the input {cut(wanted.name)} takes"
                f" {wanted.dtype}; use x.astype"
            )
        array = array.astype(wanted.dtype)
    shape = wanted.shape
    fits = shape is None or (
        len(shape) == array.ndim
        and all(n is None or n == m for n, m in zip(shape, array.shape, strict=True))
    )
    if not fits and shape is not None:
        said = "x".join("?" if n is None else str(n) for n in shape) or "one value"
        raise Refused(
            f"{given.path} has the shape {by(array.shape) or '()'}, and the input"
            f" {cut(wanted.name)} takes {said}"
        )
    return array


def picture_as(wanted: Input, given: Given) -> np.ndarray:
    """Return a picture as an input takes it: of its size and colours, floats from 0 to 1.

    It is resized with Pillow's bilinear filter, without keeping its proportions.
    """
    from PIL import Image

    shape = wanted.shape
    colours = (1, 3)
    if shape is None or len(shape) != 4 or shape[0] not in (None, 1):
        raise Refused(
            f"{given.path} is a picture, and the input {cut(wanted.name)} takes none; use a .npy"
        )
    if shape[1] in colours or shape[3] not in colours:
        channels, (height, width), first = shape[1] or 3, shape[2:], True
    else:
        channels, (height, width), first = shape[3], shape[1:3], False
    if channels not in colours:
        raise Refused(
            f"{given.path} is a picture, and the input {cut(wanted.name)} has {channels} channels;"
            " use a .npy"
        )
    data = given.array[..., :3] if given.array.shape[-1] > 2 else given.array[..., :1]
    if data.dtype != np.uint8:
        raise Refused(f"{given.path} has values of {data.dtype}; use 8 bits per colour, or a .npy")
    picture = Image.fromarray(data if data.shape[-1] == 3 else data[..., 0])
    picture = picture.convert("RGB" if channels == 3 else "L")
    size = (width or picture.width, height or picture.height)
    array = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
    array = array.reshape(size[1], size[0], channels)[np.newaxis]
    if first:
        array = np.ascontiguousarray(np.moveaxis(array, -1, 1))
    if wanted.dtype is not None and wanted.dtype.kind == "f":
        return (array / np.float32(255)).astype(wanted.dtype)
    return array
