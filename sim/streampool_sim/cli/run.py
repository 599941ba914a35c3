"""The verb `run`: what it reads and writes, and what it prints."""

import sys
import warnings
from pathlib import Path
from typing import Any, TextIO

from streampool_golden import BASES, Job

from .. import pictures
from ..progress import Estimate, Progress
from ..refusals import GREEN, RED, Refused, painted
from ..simulation import ENGINES, simulate
from ..words import by, count, table
from . import common, run_files, runtime_options, values
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
  streampool run map.npy --kernel 2 --lanes 4 --columns 8 --slices 4
  streampool run clip.npy --layout NCDHW --kernel 1x2x2
  streampool run -o small.png --kernel 4 --indices where.npy
  streampool run cat.png --engine board:/dev/ttyUSB1
  streampool run --runtime jobs.json --stats -
  streampool run small.png -o back.png --op unpool --indices where.npy --size 160x240

JOBS.json is a list of {"spec": {"op": "max", "kernel": 3, ...}, "shape": [C, H, W],
"input": "x.npy", "output": "y.npy"}; both files may be left out, and frames are random then.
Sizes are rows x columns. Without --kernel, it is --kernel 3 --stride 2 --padding 1.
Exit: 0 equal to the golden model bit for bit, 1 a mismatch, 2 refused.
"""

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
        *common.columns_options(),
        common.resync_option(),
        common.slices_option(),
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
            values.engine,
            "NAME",
            "auto, fast (compiled), amaranth (its own simulator), board:PORT (a board there)",
            choices=(*ENGINES, values.BOARD),
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
    *under(
        runtime_options.HEADING,
        option(
            "--runtime",
            Path,
            "JOBS.json",
            "run jobs in turn through one core, whose maxima are those of the jobs if not given",
        ),
    ),
    *runtime_options.maxima_options(),
)
def command(options: Options) -> int:
    """Stream what is read through the core, write what is asked for, print what came out."""
    if options.runtime is not None:
        from . import run_jobs  # which takes time to import

        return run_jobs.run(options)
    runtime_options.refuse_alone(runtime_options.maxima_options(), "--runtime JOBS.json")
    if options.indices_file is not None and options.indices is None:
        options.indices = BASES[0]
    if options.indices is not None and options.indices_file is None:
        raise Refused("--index-base needs a file for the indices; use --indices FILE.npy")
    source = run_files.read(options)
    if options.engine.startswith(values.BOARD):
        from . import board_run  # which takes time to import

        return board_run.run(source, options)
    job, words = common.job_of(options, source.shape, run_files.dtype_of(source, options))
    common.check_slices(options, job)
    sliced = {"slices": options.slices} if options.slices > 1 else {}
    indices = [run_files.read_indices(source, job, options)] if len(job.fields_in) > 1 else []
    arrays = [run_files.checked_values(source, job.input), *indices]
    output, *others = run_files.targets(options, source, job)
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
            resync=options.resync,
            **sliced,
            progress=progress
            if options.vcd is None
            else Estimate(progress, warnings.warn, shorter=options.frames != 1),
        )
    stats = {**result.stats, "input": str(source.path), "output": str(output)}
    run_files.write(source, options, (output, *others), result.arrays, stats)
    told = sys.stderr if options.stats == "-" else sys.stdout
    print(summary(source, job, words, options, stats, result.core.memory(), told), file=told)
    if not stats["matches_golden"]:
        print(f"mismatch {result.mismatch}", file=told)
    return int(not stats["matches_golden"])


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
