"""The verb `show`: a page that plays a frame through a core, clock by clock."""

import re
import warnings
from pathlib import Path

import numpy as np
from streampool_golden import PoolJob
from streampool_hw.files import write_whole

from .. import files, pictures, show
from ..progress import Progress
from ..refusals import Refused
from ..words import by, count
from . import common, run_files, values
from .command import Options, argument, option, under, verb

EXAMPLES = """\
examples:
  streampool show                          a frame of 1x8x8 random values, 3x3 max, stride 2
  streampool show --op avg --kernel 3 --padding same --shape 1x6x7 --stall 0.3 --seed 2
  streampool show --kernel 3 --shape 2x40 --lanes 1 -o steps.html
  streampool show cat.png --clocks 0:6000  the beginning of a picture of yours

Opens in any browser of 2023 or later; nothing is fetched to view it.
Exit: 0 written, and equal to the golden model, 1 written, and a mismatch, 2 refused.
"""

SHAPE = (1, 8, 8)
"""What is shown where nothing else is said."""

NUMBERS = 100
"""Random values are below this where the type holds that, so that they are short."""


def clocks(text: str) -> tuple[int, int]:
    """``A:B``: from clock A to before clock B."""
    if not (match := re.fullmatch(r"(\d{1,9}):(\d{1,9})", text)):
        raise ValueError(f"{text!r} is no range of clocks; use A:B such as 0:2000")
    first, end = int(match[1]), int(match[2])
    if first >= end:
        raise ValueError(f"{text} has no clock in it; use A:B with A below B, such as 0:2000")
    return first, end


@verb(
    "show",
    EXAMPLES,
    argument("input", Path, "INPUT", "a picture or a .npy of integers or floats (random values)"),
    option("-o --output", Path, "FILE.html", "the page", default=Path("show.html")),
    *common.spec_options(),
    *under(
        "how it is run",
        common.shape_option(required=False),
        common.lanes_option(),
        option(
            "--layout", pictures.LAYOUTS, "LAYOUT", "of a .npy: {} (5-D NCDHW, 4-D NCHW, 2-D HW)"
        ),
        option(
            "--stall", values.probability, "P", "each side idles with probability P", default=0.0
        ),
        option("--seed", values.seed, "SEED", "of the stalls and of random values", default=0),
        option(
            "--frames",
            values.positive,
            "N",
            "frames that follow each other, INPUT's again and again",
            default=2,
        ),
        option("--clocks", clocks, "A:B", f"what is shown (all, {show.MOST_CLOCKS:,} at most)"),
    ),
)
def command(options: Options) -> int:
    """Record the run, and write the page."""
    _check(options)
    job, frames = _job(options)
    first, end = _range(options, job)
    if options.clocks is None and show.overlong(
        job, count=options.frames, clocks=end, stall=options.stall, seed=options.seed
    ):
        raise Refused(
            f"the run has more than {end:,} clocks; use --clocks 0:{end} at most, or fewer or"
            " smaller frames"
        )
    with Progress("preparing the core", "simulated", "clocks") as progress:
        recording = show.record(
            job,
            frames,
            count=options.frames,
            clocks=end,
            stall=options.stall,
            seed=options.seed,
            progress=progress,
        )
    if first >= recording.clocks:
        raise Refused(
            f"--clocks {first}:{end} begins after the run, which has"
            f" {count(recording.clocks, 'clock')}; use A below that"
        )
    if options.clocks is None and not recording.ended:
        raise _too_long(recording, first, end, f"the run has more than {end:,} clocks")
    try:
        page = show.html(recording, first, end)
    except show.TooLong as error:
        raise _too_long(recording, first, min(end, recording.clocks), str(error)) from None
    write_whole({options.output: page})
    common.warn_of(job)
    right = show.matches(recording)
    print(
        f"{options.output}: {count(min(end, recording.clocks) - first, 'clock')} of"
        f" {show.title(recording)}, {len(page.encode()):,} bytes"
    )
    if not right:
        print(f"{options.output}: what came out DIFFERS from the golden model")
        warnings.warn("the page shows where", stacklevel=1)
    return int(not right)


def _check(options: Options) -> None:
    """Refuse a file that cannot be written, and what has no meaning beside INPUT."""
    if options.output.suffix.lower() not in (".html", ".htm"):
        raise Refused(f"--output {options.output} would be a page; use a name such as show.html")
    files.check_writable(options.output)
    if options.input is not None and options.shape is not None:
        raise Refused(
            f"--shape {by(options.shape)} has no meaning with {options.input}, which has its own;"
            " leave it out"
        )
    if options.input is None and options.layout is not None:
        raise Refused(f"--layout {options.layout} is for .npy files; use INPUT, or leave it out")
    if options.input is not None and options.output.resolve() == options.input.resolve():
        raise Refused(f"--output {options.output} is INPUT too; use another file's name")


def _job(options: Options) -> tuple[PoolJob, np.ndarray]:
    """Return what is computed, and on which frames, channels first."""
    if options.input is None:
        shape = options.shape or SHAPE
        job = common.pool_job(options, shape)
        rng, dtype = np.random.default_rng(options.seed), job.input
        if dtype.is_float:
            frames = rng.integers(-NUMBERS, NUMBERS, (options.frames, *shape)) / 4
        else:
            high = min(NUMBERS - 1, dtype.high)
            frames = rng.integers(0, high, (options.frames, *shape), endpoint=True)
        return job, frames.astype(dtype.numpy)
    source = pictures.read_input(options.input, options.layout).first(options.frames)
    job = common.pool_job(options, source.shape, run_files.dtype_of(source, options))
    frames = run_files.checked_values(source, job.input)
    if source.frame_layout.endswith("C"):
        frames = np.moveaxis(frames, -1, 1)
    return job, np.ascontiguousarray(frames)


def _range(options: Options, job: PoolJob) -> tuple[int, int]:
    """Return the clocks to show; refuse more than are recorded."""
    most = show.MOST_CLOCKS
    if options.clocks is None:
        return 0, most
    first, end = options.clocks
    if end > most:
        raise Refused(
            f"--clocks {first}:{end} ends after clock {most:,}, the last that is recorded;"
            f" use {first if first < most else 0}:{most} at most"
        )
    return first, end


def _too_long(recording: show.Recording, first: int, end: int, said: str) -> Refused:
    """Say how much of it fits."""
    with Progress("trying how many clocks fit"):
        fits = show.fitted(recording, first, end)
    if fits == first:
        said += f", as has one of {show.GRAIN}"
        return Refused(f"{said}; use a smaller frame or fewer lanes")
    return Refused(f"{said}; use --clocks {first}:{fits}, the most that fits, or a smaller frame")
