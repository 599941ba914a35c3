"""The verb `run`: its options, what it reads and writes, and what it prints."""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, Self, TextIO

import numpy as np
from streampool_golden import BASES, DType, PoolJob, PoolSpec, SpecError, UnpoolJob, plane_indices
from streampool_golden.fields import GLOBAL

from . import files, pictures
from . import options as opt
from .options import Refused
from .simulation import Result, simulate
from .unpooling import simulate_unpool

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
  streampool run -o small.png --kernel 4 --indices where.npy
  streampool run small.png -o back.png --op unpool --indices where.npy --size 160x240

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
    opt.add_spec_options(parser, dtype_note="INPUT's", more_ops=("unpool",))
    group = parser.add_argument_group("where the maxima were")
    group.add_argument(
        "--indices",
        type=Path,
        metavar="FILE.npy",
        help="write each maximum's index there, or with --op unpool read them from there",
    )
    opt.add_size_option(group)
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
    if options.op == "unpool":
        return _unpooled(options, tell, progress)
    opt.check_no_size(options)
    if options.indices is not None and options.index_base is None:
        options.index_base = BASES[0]
    if options.index_base is not None and options.indices is None:
        raise Refused("--index-base needs a file for the indices; --indices FILE.npy would do")
    source = _read(options)
    spec, frames = _quantised(source, options)
    job = opt.job_of(spec, source.shape, options.lanes)
    output, statistics = _targets(options, source, job.output)
    with progress:
        result = simulate(spec, frames, **_how(source, options, progress))
    summary = _summary(source, job, output, options, result.stats)
    _finish(source, output, statistics, options, tell, result, summary)
    return result.stats["matches_golden"]


def _how(source: pictures.Input, options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Return what the options say of how it is run, as `simulate` takes it."""
    return {
        "layout": source.frame_layout,
        "lanes": options.lanes,
        "engine": options.engine,
        "stall": options.stall,
        "seed": options.seed,
        "vcd": options.vcd,
        "freq_mhz": options.freq,
        "progress": progress,
    }


def _finish(
    source: pictures.Input,
    output: Path,
    statistics: Path | None,
    options: argparse.Namespace,
    tell: Callable[[object], None],
    result: Result,
    summary: str,
) -> None:
    """Write the result and the statistics, and print what came out."""
    for message in result.stats["warnings"]:
        tell(message)
    pictures.write_output(output, source, result.output)
    if result.indices is not None:
        pictures.write_output(options.indices, source, result.indices)
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
    print(summary, file=told)
    if not result.stats["matches_golden"]:
        print(f"mismatch {result.mismatch}", file=told)


def _unpooled(
    options: argparse.Namespace, tell: Callable[[object], None], progress: Progress
) -> bool:
    """Put values back where their indices say, as `pooled` pools."""
    size = opt.unpooled_size(options)
    if options.indices is None:
        raise Refused("--op unpool needs the indices; --indices FILE.npy would do")
    if options.input is None:
        raise Refused("--op unpool needs the pooled values; INPUT, a picture or a .npy, would do")
    source = _read(options)
    dtype = DType.of(source.frames.dtype)
    if options.dtype not in (None, dtype.name):
        raise Refused(
            f"--dtype {options.dtype} has no meaning with --op unpool, which keeps INPUT's"
        )
    if len(size) != len(source.shape) - 1:
        raise Refused(
            f"--size {opt.by(size)} does not fit {source.path}, whose frames have"
            f" {len(source.shape) - 1} spatial axes; a length for each would do"
        )
    if options.indices.suffix.lower() != ".npy":
        raise Refused(f"--indices {options.indices} is no .npy; what run --indices wrote would do")
    indices = pictures.read_input(options.indices, source.layout, integers=True)
    if indices.data.shape != source.data.shape:
        raise Refused(
            f"--indices {options.indices} has the shape {indices.data.shape}; that of"
            f" {source.path}, {source.data.shape}, would do"
        )
    base = options.index_base or BASES[0]
    try:
        places = plane_indices(indices.frames, base, size, layout=source.frame_layout)
    except SpecError as error:
        raise Refused(
            f"--indices {options.indices} does not fit --size {opt.by(size)}: "
            f"{str(error).rstrip('.')}; another --size or --index-base would do"
        ) from None
    job = UnpoolJob(source.shape, size, opt.lanes_of(source.shape, options.lanes), dtype)
    output, statistics = _targets(options, source, dtype)
    with progress:
        how = _how(source, options, progress)
        result = simulate_unpool(source.frames, places, size, **how)
    summary = _unpool_summary(source, job, output, options, result.stats)
    _finish(source, output, statistics, options, tell, result, summary)
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
    if options.indices is not None and options.op != "unpool":
        if options.indices.suffix.lower() != ".npy":
            raise Refused(f"--indices {options.indices} would write an array; FILE.npy would do")
        files.check_writable(options.indices)
    if options.vcd is not None:
        if options.vcd.suffix.lower() != ".vcd":
            raise Refused(f"--vcd {options.vcd} would write waveforms; FILE.vcd would do")
        files.check_writable(options.vcd)
    _check_apart(options, source, output)
    return output, statistics


def _check_apart(options: argparse.Namespace, source: pictures.Input, output: Path) -> None:
    """Refuse a file that would be written over what is read or written under another option."""
    read, written = {"INPUT": source.path}, {"--output": output}
    if options.indices is not None:
        (read if options.op == "unpool" else written)["--indices"] = options.indices
    for name, path in written.items():
        for other, taken in (read | written).items():
            if other != name and path.resolve() == taken.resolve():
                raise Refused(f"{name} {path} is {other} too; another file's name would do")


def _summary(
    source: pictures.Input,
    job: PoolJob,
    output: Path,
    options: argparse.Namespace,
    stats: dict[str, Any],
) -> str:
    """Say in a few lines what came out, and how fast, against the limits."""
    indices = {}
    if job.index_out is not None:
        indices = {"indices": f"{options.indices}: {job.index_out.bits} bits each at the core"}
    rows = {
        **_what(source, job.spec.dtype),
        "pooling": opt.describe(job.spec),
        "output": f"{output}: {opt.by(job.out_size)} of {job.output.name}",
        **indices,
        **_checked(options, stats),
        "store": f"{_stores(job.spec, stats)}; {stats['store_bits']:,} bits in all",
        **_speed(options, stats),
    }
    return "\n".join(f"{name:<8} {text}" for name, text in rows.items())


def _unpool_summary(
    source: pictures.Input,
    job: UnpoolJob,
    output: Path,
    options: argparse.Namespace,
    stats: dict[str, Any],
) -> str:
    """Say in a few lines what came out, and how fast."""
    rows = {
        **_what(source, job.input.name),
        "indices": f"{options.indices}: {job.index_in.bits} bits each at the core",
        "output": f"{output}: {opt.by(job.out_size)} of {job.output.name}",
        **_checked(options, stats),
        "store": f"{stats['store_words']:,} words, two frames; {stats['store_bits']:,} bits; "
        f"cleared in {stats['clear_cycles']:,} cycles after a reset",
        **_speed(options, stats),
    }
    return "\n".join(f"{name:<8} {text}" for name, text in rows.items())


def _what(source: pictures.Input, dtype: str) -> dict[str, str]:
    channels, *sizes = source.shape
    return {
        "input": f"{source.path.name}: {opt.by(sizes)}, {channels} channel{'s'[: channels > 1]} of "
        f"{dtype}, {source.count} frame{'s'[: source.count > 1]}"
    }


def _checked(options: argparse.Namespace, stats: dict[str, Any]) -> dict[str, str]:
    equal = "equals the golden model bit for bit"
    limit = f"limit {stats['limit_cycles_per_frame']:,}"
    if stats["bound_cycles_per_frame"] > stats["limit_cycles_per_frame"]:
        limit += f", bound {stats['bound_cycles_per_frame']:,}"
    if options.stall:
        limit += f" without stalls (stalled with probability {options.stall:g})"
    return {
        "check": equal if stats["matches_golden"] else "DIFFERS from the golden model",
        "cycles": f"{stats['cycles_per_frame']:,.10g} a frame, {limit}; "
        f"latency {stats['latency_cycles']}",
    }


def _speed(options: argparse.Namespace, stats: dict[str, Any]) -> dict[str, str]:
    return {
        "speed": f"{stats['frames_per_second']:,.1f} frames a second at {options.freq:g} MHz "
        "(assumed)",
        "engine": f"{stats['engine']}: {stats['frames_simulated']} frames, "
        f"{stats['cycles']:,} cycles in {stats['seconds']:.3g} s, "
        f"{stats['cycles_per_second'] or 0:,.0f} cycles a second",
    }


def _stores(spec: PoolSpec, stats: dict[str, Any]) -> str:
    """Say what the stores have, and may have."""
    row, column, row_limit, column_limit = (
        stats[f"{name}_store_words"] for name in ("row", "column", "limit_row", "limit_column")
    )
    if spec.adaptive == GLOBAL:  # all axes as one
        return (
            f"{opt.count(row + column, 'word')} for the frame, limit {row_limit + column_limit:,}"
        )
    rows = "planes and rows" if spec.ndim == 3 else "rows"
    return (
        f"{row:,} words for the {rows}, limit {row_limit:,};"
        f" {column:,} for the columns, limit {column_limit:,}"
    )
