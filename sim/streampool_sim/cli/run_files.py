"""What the verb `run` reads and writes."""

import json
import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from streampool_golden import DType, Job, SpecError, plane_indices
from streampool_hw.files import replacing_all

from .. import files, pictures
from ..refusals import Refused
from ..words import by
from .command import Options

PHOTOGRAPH = "chelsea.png"


def write(
    source: pictures.Input,
    options: Options,
    paths: Sequence[Path],
    arrays: Sequence[np.ndarray],
    stats: dict[str, Any],
) -> None:
    """Write arrays and statistics: all, or none where one cannot be written."""
    text = "" if options.stats is None else json.dumps(stats, indent=2) + "\n"
    with replacing_all(*paths) as parts:
        for part, array in zip(parts, arrays, strict=False):
            pictures.write_output(part, source, array)
        for part in parts[len(arrays) :]:
            part.write_text(text, encoding="utf-8")
        if options.stats == "-":  # before the files take their places: this may fail, too
            print(text, end="", flush=True)
    if paths[0].suffix.lower() in pictures.LOSSY:
        rough = f"{paths[0]} is a JPEG, which keeps values only roughly; use .png to keep them all"
        warnings.warn(rough, stacklevel=1)


def read(options: Options) -> pictures.Input:
    """Read INPUT, or the photograph that comes along."""
    if options.input is not None:
        return pictures.read_input(options.input, options.layout).first(options.frames)
    packaged = resources.files("streampool_sim") / "data" / PHOTOGRAPH
    with resources.as_file(packaged) as path:
        return pictures.read_input(path, options.layout)


def dtype_of(source: pictures.Input, options: Options) -> str:
    """Return the type of what was read, or refuse one that no core takes."""
    dtype = source.frames.dtype
    if options.dtype is None and dtype.kind in "iu" and dtype.itemsize > 4:
        raise Refused(
            f"{source.path} is an array of {dtype}, which no core takes; "
            f"use --dtype {_narrowest(source)}, the narrowest that holds its values"
        )
    return dtype.name


def _narrowest(source: pictures.Input) -> str:
    low, high = int(source.frames.min()), int(source.frames.max())
    fits = pictures.narrowest(low, high)
    if fits is None:
        raise Refused(f"{source.path} has values from {low} to {high}; use 32 bits at most")
    return fits


def checked_values(source: pictures.Input, dtype: DType) -> np.ndarray:
    """Return the frames as the core takes them, or refuse values that it does not hold."""
    frames = source.frames
    if frames.dtype.kind not in "iu":
        if not dtype.is_float:
            raise Refused(
                f"{source.path} is an array of {frames.dtype}, and --dtype {dtype} holds integers;"
                " quantise it first, such as"
                " np.clip(np.rint(x / scale), -128, 127).astype(np.int8)"
            )
        return frames
    if dtype.is_float:
        if (dtype.name, frames.dtype) == ("bfloat16", np.uint16):
            return np.ascontiguousarray(frames).view(dtype.numpy)
        numpy = "uint16, its bits" if dtype.name == "bfloat16" else dtype.name
        raise Refused(
            f"{source.path} has {frames.dtype}, and --dtype {dtype} holds floats; "
            f"use a .npy of {numpy}"
        )
    low, high = int(frames.min()), int(frames.max())
    if not dtype.low <= low <= high <= dtype.high:
        raise Refused(
            f"{source.path} has values from {low} to {high}, and {dtype} holds "
            f"{dtype.low} to {dtype.high}; use --dtype {_narrowest(source)}"
        )
    return frames.astype(dtype.numpy, copy=False)


def read_indices(source: pictures.Input, job: Job, options: Options) -> np.ndarray:
    """Read the indices that go with the values, numbered as the core takes them."""
    path, op = options.indices_file, f"--op {options.op}"
    if path is None:
        raise Refused(f"{op} needs the indices; use --indices FILE.npy")
    if options.input is None:
        raise Refused(f"{op} needs the pooled values; use INPUT, a picture or a .npy")
    own = source.frames.dtype
    if job.input.name != own.name and own.itemsize <= 4:
        raise Refused(
            f"--dtype {job.input} has no meaning with {op}, which keeps INPUT's; leave it out"
        )
    if path.suffix.lower() != ".npy":
        raise Refused(f"--indices {path} is no .npy; use what run --indices wrote")
    read = pictures.read_input(path, source.layout, integers=True).first(options.frames)
    if read.data.shape != source.data.shape:
        raise Refused(
            f"--indices {path} has the shape {read.data.shape}; use one with that of"
            f" {source.path}, {source.data.shape}"
        )
    try:
        return plane_indices(read.frames, options.indices, job.out_size, layout=source.frame_layout)
    except SpecError as error:
        raise Refused(
            f"--indices {path} does not fit --size {by(job.out_size)}: {str(error).rstrip('.')};"
            " use another --size or --index-base"
        ) from None


def targets(options: Options, source: pictures.Input, job: Job) -> list[Path]:
    """Check every file that will be written; return those of arrays, then that of statistics."""
    output, indices, vcd = options.output, options.indices_file, options.vcd
    if output is None:
        output = Path(f"{source.path.stem}-{options.op}{source.path.suffix}")
    pictures.check_output(output, source, job.output)
    read, arrays = {"INPUT": source.path}, {"--output": output}
    statistics = []
    if options.stats not in (None, "-"):
        statistics.append(check_stats(options))
    if indices is not None and len(job.fields_out) > 1:
        arrays["--indices"] = indices
        _check_written("--indices", indices, ".npy", "an array")
    elif indices is not None:
        read["--indices"] = indices
    if vcd is not None:
        _check_written("--vcd", vcd, ".vcd", "waveforms")
        files.check_writable(vcd.with_suffix(".gtkw"))
    for name, path in arrays.items():
        for other, taken in (read | arrays).items():
            if other != name and path.resolve() == taken.resolve():
                raise Refused(f"{name} {path} is {other} too; use another file's name")
    return [*arrays.values(), *statistics]


def check_stats(options: Options) -> Path:
    """Check the file of statistics, and return it."""
    path = Path(options.stats)
    # Whoever forgets the file's name must not lose the input that comes next.
    _check_written("--stats", path, ".json", "JSON", " or -")
    return path


def _check_written(name: str, path: Path, suffix: str, what: str, more: str = "") -> None:
    if path.suffix.lower() != suffix:
        raise Refused(f"{name} {path} would write {what}; use FILE{suffix}{more}")
    files.check_writable(path)
