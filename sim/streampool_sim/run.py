"""The verb `run`: its options, what it reads and writes, and what it prints."""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, Self, TextIO

import numpy as np
from streampool_golden import DType, Job, PoolSpec
from streampool_golden.fields import GLOBAL

from . import files, pictures
from . import options as opt
from .options import Refused
from .simulation import simulate

__all__ = ["EXAMPLES", "add_options", "pooled"]

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

Sizes are rows x columns. Without --kernel, it is --kernel 3 --stride 2 --padding 1.
Exit: 0 equal to the golden model bit for bit, 1 a mismatch, 2 refused.
"""

PHOTOGRAPH = "chelsea.png"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "input",
        nargs="?",
        type=Path,
        metavar="INPUT",
        help="a picture or a .npy of integers or floats",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUTPUT",
        help="a picture or .npy, by its suffix (STEM-OP with INPUT's suffix, in this folder)",
    )
    opt.add_spec_options(parser, dtype_note="INPUT's")
    group = parser.add_argument_group("how it is run")
    opt.add_lanes_option(group)
    group.add_argument(
        "--layout",
        type=str.upper,
        choices=tuple(pictures.LAYOUTS),
        metavar="LAYOUT",
        help="of a .npy: " + ", ".join(pictures.LAYOUTS) + " (5-D NCDHW, 4-D NCHW, 2-D HW)",
    )
    group.add_argument(
        "--stall",
        type=opt.probability,
        default=0.0,
        metavar="P",
        help="each side idle with probability P a clock (0)",
    )
    group.add_argument("--seed", type=opt.seed, default=0, help="of the stalls (0)")
    group.add_argument(
        "--engine",
        choices=("auto", "fast", "amaranth"),
        default="auto",
        metavar="NAME",
        help="auto, fast (compiled), amaranth (its own simulator) (auto)",
    )
    group.add_argument(
        "--freq",
        type=opt.megahertz,
        default=opt.CLOCK_MHZ,
        metavar="MHZ",
        help=f"clock to state frames a second at; assumed, not measured ({opt.CLOCK_MHZ:g})",
    )
    group.add_argument("--stats", metavar="FILE.json", help="write statistics there; - prints them")
    group.add_argument("--vcd", type=Path, metavar="FILE.vcd", help="write waveforms there")


def _read(options: argparse.Namespace) -> pictures.Input:
    """Read INPUT, or the photograph that comes along."""
    if options.input is not None:
        return pictures.read_input(options.input, options.layout)
    packaged = resources.files("streampool_sim") / "data" / PHOTOGRAPH
    with resources.as_file(packaged) as path:
        return pictures.read_input(path, options.layout)


class Progress(Protocol):
    """Tells how far a run is, as long as it is entered."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def __call__(self, done: int, total: int, /) -> None: ...


def pooled(options: argparse.Namespace, tell: Callable[[object], None], progress: Progress) -> bool:
    """Pool what the options say, write what they ask for, and print what came out.

    Parameters
    ----------
    options : argparse.Namespace
        With the options of `add_options`.
    tell : callable
        Told each warning.
    progress : Progress
        Entered while the core is simulated.

    Returns
    -------
    bool
        Whether the core and the golden model agree bit for bit.

    Raises
    ------
    Refused, SpecError
        If it cannot be done, before anything is simulated or written.
    EngineError
        If the core gets stuck, or gives too much.
    """
    source = _read(options)
    spec, frames = _quantised(source, options)
    job = opt.job_of(spec, source.shape, options.lanes)
    output, statistics = _targets(options, source, job.output)
    with progress:
        result = simulate(
            spec,
            frames,
            layout=source.frame_layout,
            lanes=options.lanes,
            engine=options.engine,
            stall=options.stall,
            seed=options.seed,
            vcd=options.vcd,
            freq_mhz=options.freq,
            progress=progress,
        )
    for message in result.stats["warnings"]:
        tell(message)
    pictures.write_output(output, source, result.output)
    told: TextIO = sys.stdout
    if options.stats is not None:
        stats = {**result.stats, "input": str(source.path), "output": str(output)}
        text = json.dumps(stats, indent=2)
        if statistics is None:
            print(text)
            told = sys.stderr
        else:
            with files.replacing(statistics) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
    if output.suffix.lower() in pictures.LOSSY:
        tell(f"{output} is a JPEG, which keeps values only roughly; .png keeps them all")
    print(_summary(source, job, output, options, result.stats), file=told)
    if not result.stats["matches_golden"]:
        print(f"mismatch {result.mismatch}", file=told)
    return result.stats["matches_golden"]


def _quantised(source: pictures.Input, options: argparse.Namespace) -> tuple[PoolSpec, np.ndarray]:
    """Make the specification, and frames that its dtype holds."""
    frames = source.frames
    floats = frames.dtype.kind not in "iu"
    if floats or (options.dtype is not None and DType.of(options.dtype).is_float):
        return _of_floats(source, options, floats)
    low, high = int(frames.min()), int(frames.max())
    fits = pictures.narrowest(low, high)
    if fits is None:
        raise Refused(f"{source.path} has values from {low} to {high}; 32 bits at most would do")
    if options.dtype is None and frames.dtype.itemsize > 4:
        raise Refused(
            f"{source.path} is an array of {frames.dtype}, which no core takes; "
            f"--dtype {fits} is the narrowest that holds its values"
        )
    spec = opt.spec_of(
        options,
        dtype=frames.dtype.name,
        ndim=len(source.shape) - 1,
        size=source.shape[1:],
    )
    dtype = DType.of(spec.dtype)
    if not dtype.low <= low <= high <= dtype.high:
        raise Refused(
            f"{source.path} has values from {low} to {high}, and {dtype.name} holds "
            f"{dtype.low} to {dtype.high}; --dtype {fits} would do"
        )
    return spec, frames.astype(dtype.numpy, copy=False)


def _of_floats(
    source: pictures.Input, options: argparse.Namespace, floats: bool
) -> tuple[PoolSpec, np.ndarray]:
    """Make the specification, and frames of its floats."""
    frames = source.frames
    spec = opt.spec_of(options, dtype=frames.dtype.name, ndim=len(source.shape) - 1)
    if not spec.in_dtype.is_float:
        raise Refused(
            f"{source.path} is an array of {frames.dtype}, and --dtype {spec.dtype} holds integers;"
            " quantise it first, such as"
            " np.clip(np.rint(x / scale), -128, 127).astype(np.int8)"
        )
    if floats:
        return spec, frames
    if (spec.dtype, frames.dtype) == ("bfloat16", np.uint16):
        return spec, np.ascontiguousarray(frames).view(spec.in_dtype.numpy)
    numpy = "uint16, its bits," if spec.dtype == "bfloat16" else spec.dtype
    raise Refused(
        f"{source.path} has {frames.dtype}, and --dtype {spec.dtype} holds floats; "
        f"a .npy of {numpy} would do"
    )


def _targets(
    options: argparse.Namespace, source: pictures.Input, dtype: DType
) -> tuple[Path, Path | None]:
    """Check every file that will be written; returns those of the result and the statistics."""
    output = options.output
    if output is None:
        output = Path(f"{source.path.stem}-{options.op}{source.path.suffix}")
    pictures.check_output(output, source, dtype)
    statistics = None
    if options.stats not in (None, "-"):
        statistics = Path(options.stats)
        # Whoever forgets the file's name must not lose the input that comes next.
        if statistics.suffix.lower() != ".json":
            raise Refused(f"--stats {statistics} would write JSON; FILE.json or - would do")
        files.check_writable(statistics)
    if options.vcd is not None:
        if options.vcd.suffix.lower() != ".vcd":
            raise Refused(f"--vcd {options.vcd} would write waveforms; FILE.vcd would do")
        files.check_writable(options.vcd)
    return output, statistics


def _summary(
    source: pictures.Input,
    job: Job,
    output: Path,
    options: argparse.Namespace,
    stats: dict[str, Any],
) -> str:
    """Say in a few lines what came out, and how fast, against the limits."""
    channels, *sizes = source.shape
    equal = "equals the golden model bit for bit"
    limit = f"limit {stats['limit_cycles_per_frame']:,}"
    if stats["bound_cycles_per_frame"] > stats["limit_cycles_per_frame"]:
        limit += f", bound {stats['bound_cycles_per_frame']:,}"
    if options.stall:
        limit += f" without stalls (stalled with probability {options.stall:g})"
    rows = {
        "input": f"{source.path.name}: {opt.by(sizes)}, {channels} channel{'s'[: channels > 1]} of "
        f"{job.spec.dtype}, {source.count} frame{'s'[: source.count > 1]}",
        "pooling": opt.describe(job.spec),
        "output": f"{output}: {opt.by(job.out_size)} of {job.output.name}",
        "check": equal if stats["matches_golden"] else "DIFFERS from the golden model",
        "cycles": f"{stats['cycles_per_frame']:,.10g} a frame, {limit}; "
        f"latency {stats['latency_cycles']}",
        "store": f"{_stores(job.spec, stats)}; {stats['store_bits']:,} bits in all",
        "speed": f"{stats['frames_per_second']:,.1f} frames a second at {options.freq:g} MHz "
        "(assumed)",
        "engine": f"{stats['engine']}: {stats['frames_simulated']} frames, "
        f"{stats['cycles']:,} cycles in {stats['seconds']:.3g} s, "
        f"{stats['cycles_per_second'] or 0:,.0f} cycles a second",
    }
    return "\n".join(f"{name:<8} {text}" for name, text in rows.items())


def _stores(spec: PoolSpec, stats: dict[str, Any]) -> str:
    """Say what the stores have, and may have."""
    row, column, row_limit, column_limit = (
        stats[f"{name}_store_words"] for name in ("row", "column", "limit_row", "limit_column")
    )
    if spec.adaptive == GLOBAL:  # all axes as one
        return f"{row + column:,} words for the frame, limit {row_limit + column_limit:,}"
    rows = "planes and rows" if spec.ndim == 3 else "rows"
    return (
        f"{row:,} words for the {rows}, limit {row_limit:,};"
        f" {column:,} for the columns, limit {column_limit:,}"
    )
