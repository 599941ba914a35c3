"""The verb `run`: what it reads and writes, and what it prints."""

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from streampool_golden import BASES, DType, PoolJob, PoolSpec, SpecError, UnpoolJob, plane_indices
from streampool_hw.files import replacing_all

from .. import files, pictures
from ..progress import Estimate, Progress
from ..refusals import GREEN, RED, Refused, painted
from ..simulation import ENGINES, Result, simulate
from ..words import by
from . import common, values
from .command import argument, option, tell, verb
from .fields import Options, spec_of, spec_options, unpooled_size
from .run_words import DIFFERS, EQUAL, summary, unpool_summary

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


def _run(options: Options) -> int:
    """Pool what the options say, write what they ask for, and print what came out."""
    if options.op == "unpool":
        return _unpooled(options)
    common.check_no_size(options)
    if options.indices is not None and options.index_base is None:
        options.index_base = BASES[0]
    if options.index_base is not None and options.indices is None:
        raise Refused("--index-base needs a file for the indices; --indices FILE.npy would do")
    source = _read(options)
    spec, frames = _quantised(source, options)
    job = PoolJob(spec, source.shape, common.lanes_of(source.shape, options.lanes))
    output, statistics = _targets(options, source, job.output)
    with _progress() as progress:
        result = simulate(spec, frames, **_how(source, options, progress))
    words = summary(source, job, output, options, result.stats)
    return _finish(source, output, statistics, options, result, words)


def _progress() -> Progress:
    return Progress("preparing the core", "simulated", "beats")


def _read(options: Options) -> pictures.Input:
    """Read INPUT, or the photograph that comes along."""
    if options.input is not None:
        return pictures.read_input(options.input, options.layout).first(options.frames)
    packaged = resources.files("streampool_sim") / "data" / PHOTOGRAPH
    with resources.as_file(packaged) as path:
        return pictures.read_input(path, options.layout)


def _how(source: pictures.Input, options: Options, progress: Progress) -> dict[str, Any]:
    """Return what the options say of how it is run, as `simulate` takes it."""
    return {
        "layout": source.frame_layout,
        "lanes": options.lanes,
        "engine": options.engine,
        "stall": options.stall,
        "seed": options.seed,
        "vcd": options.vcd,
        "repeat": None if options.frames is None else 1,
        "freq_mhz": options.freq,
        "progress": progress
        if options.vcd is None
        else Estimate(progress, tell, shorter=options.frames != 1),
    }


def _finish(
    source: pictures.Input,
    output: Path,
    statistics: Path | None,
    options: Options,
    result: Result,
    words: str,
) -> int:
    """Write the result and the statistics, all or nothing, and print what came out."""
    for message in result.stats["warnings"]:
        tell(message)
    arrays = {output: result.output}
    if result.indices is not None:
        arrays[options.indices] = result.indices
    text = ""
    if options.stats is not None:
        stats = {**result.stats, "input": str(source.path), "output": str(output)}
        text = json.dumps(stats, indent=2)
    texts = {} if statistics is None else {statistics: text + "\n"}
    with replacing_all(*arrays, *texts) as parts:
        for part, array in zip(parts, arrays.values(), strict=False):
            pictures.write_output(part, source, array)
        for part in parts[len(arrays) :]:
            part.write_text(text + "\n", encoding="utf-8")
        if options.stats == "-":  # before the files take their places: this may fail, too
            print(text, flush=True)
    told: TextIO = sys.stderr if options.stats == "-" else sys.stdout
    if output.suffix.lower() in pictures.LOSSY:
        tell(f"{output} is a JPEG, which keeps values only roughly; .png keeps them all")
    for judged, colour in ((EQUAL, GREEN), (DIFFERS, RED)):
        words = words.replace(judged, painted(judged, colour, told))
    print(words, file=told)
    if not result.stats["matches_golden"]:
        print(f"mismatch {result.mismatch}", file=told)
    return 0 if result.stats["matches_golden"] else 1


def _unpooled(options: Options) -> int:
    """Put values back where their indices say."""
    size = unpooled_size(options)
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
            f"--size {by(size)} does not fit {source.path}, whose frames have"
            f" {len(source.shape) - 1} spatial axes; a length for each would do"
        )
    if options.indices.suffix.lower() != ".npy":
        raise Refused(f"--indices {options.indices} is no .npy; what run --indices wrote would do")
    indices = pictures.read_input(options.indices, source.layout, integers=True)
    indices = indices.first(options.frames)
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
            f"--indices {options.indices} does not fit --size {by(size)}: "
            f"{str(error).rstrip('.')}; another --size or --index-base would do"
        ) from None
    job = UnpoolJob(source.shape, size, common.lanes_of(source.shape, options.lanes), dtype)
    output, statistics = _targets(options, source, dtype)
    with _progress() as progress:
        how = _how(source, options, progress)
        result = simulate(job, source.frames, places, **how)
    words = unpool_summary(source, job, output, options, result.stats)
    return _finish(source, output, statistics, options, result, words)


def _quantised(source: pictures.Input, options: Options) -> tuple[PoolSpec, np.ndarray]:
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
    spec = spec_of(
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
    source: pictures.Input, options: Options, floats: bool
) -> tuple[PoolSpec, np.ndarray]:
    """Make the specification, and frames of its floats."""
    frames = source.frames
    spec = spec_of(options, dtype=frames.dtype.name, ndim=len(source.shape) - 1)
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


def _targets(options: Options, source: pictures.Input, dtype: DType) -> tuple[Path, Path | None]:
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
        files.check_writable(options.vcd.with_suffix(".gtkw"))
    _check_apart(options, source, output)
    return output, statistics


def _check_apart(options: Options, source: pictures.Input, output: Path) -> None:
    """Refuse a file that would be written over what is read or written under another option."""
    read, written = {"INPUT": source.path}, {"--output": output}
    if options.indices is not None:
        (read if options.op == "unpool" else written)["--indices"] = options.indices
    for name, path in written.items():
        for other, taken in (read | written).items():
            if other != name and path.resolve() == taken.resolve():
                raise Refused(f"{name} {path} is {other} too; another file's name would do")


HOW = "how it is run"
WHERE = "where the maxima were"

command = verb(
    "run",
    [
        argument(
            "input",
            takes=Path,
            metavar="INPUT",
            help="a picture or a .npy of integers or floats",
        ),
        option(
            *("-o", "--output"),
            takes=Path,
            metavar="OUTPUT",
            help="a picture or .npy, by its suffix (STEM-OP with INPUT's suffix, in this folder)",
        ),
        *spec_options(dtype="INPUT's", more_ops=("unpool",)),
        option(
            "--indices",
            takes=Path,
            metavar="FILE.npy",
            group=WHERE,
            help="write each maximum's index there, or with --op unpool read them from there",
        ),
        common.size_option(WHERE),
        common.lanes_option(HOW),
        option(
            "--layout",
            takes=values.one_of(*pictures.LAYOUTS, normal=str.upper),
            metavar="LAYOUT",
            choices=pictures.LAYOUTS,
            group=HOW,
            help="of a .npy: " + ", ".join(pictures.LAYOUTS) + " (5-D NCDHW, 4-D NCHW, 2-D HW)",
        ),
        option(
            "--stall",
            takes=values.probability,
            metavar="P",
            group=HOW,
            default=0.0,
            help="each side idle with probability P a clock (0)",
        ),
        option(
            "--seed",
            takes=values.seed,
            metavar="SEED",
            group=HOW,
            default=0,
            help="of the stalls (0)",
        ),
        option(
            "--engine",
            takes=values.one_of(*ENGINES),
            metavar="NAME",
            choices=ENGINES,
            group=HOW,
            default="auto",
            help="auto, fast (compiled), amaranth (its own simulator) (auto)",
        ),
        common.freq_option(HOW, "clock to state frames a second at; assumed, not measured (100)"),
        option(
            "--stats",
            takes=str,
            metavar="FILE.json",
            group=HOW,
            help="write statistics there; - prints them",
        ),
        option(
            "--vcd",
            takes=Path,
            metavar="FILE.vcd",
            group=HOW,
            help="write waveforms there, and FILE.gtkw beside them, which GTKWave opens",
        ),
        option(
            "--frames",
            takes=values.positive,
            metavar="N",
            group=HOW,
            help="simulate the first N frames once (all, at least five times for the speed)",
        ),
    ],
    _run,
    about="Pool a picture or a .npy of integers or floats through the simulated core.",
    examples=EXAMPLES,
)
