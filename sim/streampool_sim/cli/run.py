"""The verb `run`: what it reads and writes, and what it prints."""

import json
import sys
import warnings
from importlib import resources
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from streampool_golden import BASES, DType, Job, SpecError, plane_indices
from streampool_hw.files import replacing_all

from .. import files, pictures
from ..progress import Estimate, Progress
from ..refusals import GREEN, RED, Refused, painted
from ..simulation import ENGINES, simulate
from ..words import by, count, table
from . import common, values
from .command import Options, argument, option, under, verb

EXAMPLES = """\
examples:
  streampool run                          the photograph that comes along, 3x3 max, stride 2
  streampool run cat.jpg                  the same on a picture of yours
  streampool run cat.png -o small.png --op avg --kernel 2 --rounding half-even
  streampool run map.npy --layout NHWC --kernel 3x2 --stride 2x1 --padding 0:1x1:0
  streampool run map.npy --op sum --kernel 5 --stall 0.3 --seed 7 --stats -
  streampool run small.png --kernel 2 --vcd small.vcd
  streampool run map.npy --op l2 --kernel global
  streampool run clip.npy --layout NCDHW --kernel 1x2x2
  streampool run -o small.png --kernel 4 --indices where.npy
  streampool run small.png -o back.png --op unpool --indices where.npy --size 160x240

Sizes are rows x columns. Without --kernel, it is --kernel 3 --stride 2 --padding 1.
Exit: 0 equal to the golden model bit for bit, 1 a mismatch, 2 refused.
"""

PHOTOGRAPH = "chelsea.png"

FEW = "not measured on fewer than four frames"


@verb(
    "run",
    EXAMPLES,
    argument("input", Path, "INPUT", "a picture or a .npy of integers or floats"),
    option(
        "-o --output",
        Path,
        "OUTPUT",
        "a picture or .npy, by its suffix (STEM-OP with INPUT's suffix, in this folder)",
    ),
    *common.job_options(),
    *under(
        common.WHERE,
        option(
            "--indices indices_file",
            Path,
            "FILE.npy",
            "write each maximum's index there, or with --op unpool read them from there",
        ),
    ),
    *under(
        "how it is run",
        common.lanes_option(),
        option(
            "--layout",
            pictures.LAYOUTS,
            "LAYOUT",
            "of a .npy: {} (5-D NCDHW, 4-D NCHW, 2-D HW)",
        ),
        option(
            "--stall", values.probability, "P", "each side idles with probability P", default=0.0
        ),
        option("--seed", values.seed, "SEED", "of the stalls", default=0),
        option(
            "--engine",
            ENGINES,
            "NAME",
            "auto, fast (compiled), amaranth (its own simulator)",
            default="auto",
        ),
        common.freq_option("clock to state frames per second at; assumed, not measured"),
        option("--stats", str, "FILE.json", "write statistics there; - prints them"),
        option(
            "--vcd",
            Path,
            "FILE.vcd",
            "write waveforms there, and FILE.gtkw beside them, which GTKWave opens",
        ),
        option(
            "--frames",
            values.positive,
            "N",
            "simulate the first N frames once (all, at least five times for the speed)",
        ),
    ),
)
def command(options: Options) -> int:
    """Stream what is read through the core, write what is asked for, print what came out."""
    if options.indices_file is not None and options.indices is None:
        options.indices = BASES[0]
    if options.indices is not None and options.indices_file is None:
        raise Refused("--index-base needs a file for the indices; use --indices FILE.npy")
    source = _read(options)
    job, words = common.job_of(options, source.shape, _dtype(source, options))
    indices = [_indices(source, job, options)] if len(job.fields_in) > 1 else []
    arrays = [_values(source, job.input), *indices]
    output, *others = _targets(options, source, job)
    with Progress("preparing the core", "simulated", "beats") as progress:
        result = simulate(
            job,
            *arrays,
            layout=source.frame_layout,
            engine=options.engine,
            stall=options.stall,
            seed=options.seed,
            vcd=options.vcd,
            repeat=None if options.frames is None else 1,
            freq_mhz=options.freq,
            progress=progress
            if options.vcd is None
            else Estimate(progress, warnings.warn, shorter=options.frames != 1),
        )
    stats = {**result.stats, "input": str(source.path), "output": str(output)}
    text = "" if options.stats is None else json.dumps(stats, indent=2) + "\n"
    with replacing_all(output, *others) as parts:
        for part, array in zip(parts, result.arrays, strict=False):
            pictures.write_output(part, source, array)
        for part in parts[len(result.arrays) :]:
            part.write_text(text, encoding="utf-8")
        if options.stats == "-":  # before the files take their places: this may fail, too
            print(text, end="", flush=True)
    if output.suffix.lower() in pictures.LOSSY:
        rough = f"{output} is a JPEG, which keeps values only roughly; use .png to keep them all"
        warnings.warn(rough, stacklevel=1)
    told = sys.stderr if options.stats == "-" else sys.stdout
    print(summary(source, job, words, options, stats, result.core.memory(), told), file=told)
    if not stats["matches_golden"]:
        print(f"mismatch {result.mismatch}", file=told)
    return int(not stats["matches_golden"])


def _read(options: Options) -> pictures.Input:
    """Read INPUT, or the photograph that comes along."""
    if options.input is not None:
        return pictures.read_input(options.input, options.layout).first(options.frames)
    packaged = resources.files("streampool_sim") / "data" / PHOTOGRAPH
    with resources.as_file(packaged) as path:
        return pictures.read_input(path, options.layout)


def _dtype(source: pictures.Input, options: Options) -> str:
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


def _values(source: pictures.Input, dtype: DType) -> np.ndarray:
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


def _indices(source: pictures.Input, job: Job, options: Options) -> np.ndarray:
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


def _targets(options: Options, source: pictures.Input, job: Job) -> list[Path]:
    """Check every file that will be written; return those of arrays, then that of statistics."""
    output, indices, vcd = options.output, options.indices_file, options.vcd
    if output is None:
        output = Path(f"{source.path.stem}-{options.op}{source.path.suffix}")
    pictures.check_output(output, source, job.output)
    read, arrays = {"INPUT": source.path}, {"--output": output}
    statistics = []
    if options.stats not in (None, "-"):
        statistics.append(Path(options.stats))
        # Whoever forgets the file's name must not lose the input that comes next.
        _check_written("--stats", statistics[0], ".json", "JSON", " or -")
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


def _check_written(name: str, path: Path, suffix: str, what: str, more: str = "") -> None:
    if path.suffix.lower() != suffix:
        raise Refused(f"{name} {path} would write {what}; use FILE{suffix}{more}")
    files.check_writable(path)


def summary(
    source: pictures.Input,
    job: Job,
    words: str,
    options: Options,
    stats: dict[str, Any],
    memory: str,
    told: TextIO,
) -> str:
    """Say in a few lines what came out, and how fast, against the limits.

    `words` are what the job computes, `memory` what the core keeps, and `told` is where they go.
    """
    channels, *sizes = source.shape
    limit = f"limit {stats['limit_cycles_per_frame']:,}"
    if stats["bound_cycles_per_frame"] > stats["limit_cycles_per_frame"]:
        limit += f", bound {stats['bound_cycles_per_frame']:,}"
    if options.stall:
        limit += f" without stalls (stalled with probability {options.stall:g})"
    cycles, speed = stats["cycles_per_frame"], stats["frames_per_second"]
    rows = {
        "input": f"{source.path.name}: {by(sizes)}, {count(channels, 'channel')} of {job.input},"
        f" {count(source.count, 'frame')}",
        "pooling": words,
        "output": f"{stats['output']}: {by(job.out_size)} of {job.output}",
        "indices": ", ".join(
            f"{options.indices_file}: {field.port.bits} bits each at the core"
            for field in (*job.fields_in, *job.fields_out)
            if field.name == "index"
        ),
        "check": painted("equals the golden model bit for bit", GREEN, told)
        if stats["matches_golden"]
        else painted("DIFFERS from the golden model", RED, told),
        "cycles": f"{FEW if cycles is None else f'{cycles:,.10g} per frame'}, {limit}; "
        f"latency {stats['latency_cycles']}",
        "store": memory,
        "speed": FEW
        if speed is None
        else f"{speed:,.1f} frames per second at {options.freq:g} MHz (assumed)",
        "engine": f"{stats['engine']}: {count(stats['frames_simulated'], 'frame')}, "
        f"{stats['cycles']:,} cycles in {stats['seconds']:.3g} s, "
        f"{stats['cycles_per_second'] or 0:,.0f} cycles per second",
    }
    return table(rows.items())
