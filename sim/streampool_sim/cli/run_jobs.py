"""The verb `run` of a list of jobs, in turn through one run-time core."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from streampool_hw.files import replacing_all

from .. import files
from ..progress import Progress
from ..refusals import GREEN, RED, Refused, painted
from ..runtime import joblist
from ..words import by, count, describe
from . import common, run_files, runtime_options
from .command import Options

TAKES = ("runtime", "lanes", "stall", "seed", "engine", "stats", "frames", "resync")
"""What has a meaning here, beside the maxima."""


def run(options: Options) -> int:
    """Run the jobs, write what is asked for, print what came out."""
    runtime_options.refuse_others((*TAKES, *runtime_options.SIZES))
    if options.engine not in ("auto", "fast"):
        raise Refused(f"--engine {options.engine} runs no list of jobs; use fast")
    entries = joblist.read_list(options.runtime)
    paths = _targets(options, entries)
    jobs = joblist.jobs_of(entries, **runtime_options.given(options))
    for job in jobs:
        common.warn_of(job.job)
    rng = np.random.default_rng(options.seed)
    frames = [
        joblist.frames_of(entry, job, rng, options.frames)
        for entry, job in zip(entries, jobs, strict=True)
    ]
    with Progress("compiling the core", "simulated", "beats") as progress:
        ran = joblist.run_jobs(
            *(entries, jobs, frames),
            stall=options.stall,
            seed=options.seed,
            resync=options.resync,
            progress=progress,
        )
    _write(options, paths, ran)
    told = sys.stderr if options.stats == "-" else sys.stdout
    print(_summary(options, entries, ran.stats, told), file=told)
    return int(not ran.stats["matches_golden"])


def _targets(options: Options, entries: Sequence[joblist.Entry]) -> list[Path]:
    """Check every file that will be written; return those of arrays, then that of statistics."""
    paths: list[tuple[str, Path]] = []
    for entry in entries:
        if entry.output is not None:
            if entry.output.suffix.lower() != ".npy":
                raise Refused(f"{entry.where}: output {entry.output} would hold an array; use .npy")
            files.check_writable(entry.output)
            paths.append((f"{entry.where}: output", entry.output))
    if options.stats not in (None, "-"):
        paths.append(("--stats", run_files.check_stats(options)))
    read = {options.runtime.resolve(): "what --runtime reads"}
    read |= {entry.input.resolve(): "an input" for entry in entries if entry.input is not None}
    for name, path in paths:
        if (other := read.get(path.resolve())) is not None:
            raise Refused(f"{name} {path} is {other}, too; use another file's name")
        read[path.resolve()] = "written"
    return [path for _, path in paths]


def _write(options: Options, paths: Sequence[Path], ran: joblist.Ran) -> None:
    """Write arrays and statistics: all, or none where one cannot be written."""
    text = json.dumps(ran.stats, indent=2) + "\n"
    kept = [y for y, row in zip(ran.outputs, ran.stats["jobs"], strict=True) if row["output"]]
    with replacing_all(*paths) as parts:
        for part, array in zip(parts, kept, strict=False):
            np.save(part, array)
        for part in parts[len(kept) :]:
            part.write_text(text, encoding="utf-8")
        if options.stats == "-":  # before the files take their places: this may fail, too
            print(text, end="", flush=True)


def _summary(
    options: Options, entries: Sequence[joblist.Entry], stats: dict[str, Any], told: TextIO
) -> str:
    """Say in a few lines what came out, a job a line."""
    most = stats["maxima"]
    lines = [
        f"core     {' and '.join(most['operations'])}, {count(most['lanes'], 'lane')} of"
        f" {most['bits']} bits; at most {count(most['max_partials'], 'partial')},"
        f" {most['max_fold']:,} beats a position, {most['max_row']:,} a row,"
        f" {most['max_words']} words, {most['max_length']:,} positions"
    ]
    for number, (entry, row) in enumerate(zip(entries, stats["jobs"], strict=True), 1):
        lost = "stalled" if row["clocks_lost"] is None else f"{row['clocks_lost']:,} lost"
        check = painted("equal", GREEN, told) if row["equal"] else painted("DIFFERS", RED, told)
        lines.append(
            f"job {number:<4} {describe(entry.job.spec)} on {count(row['frames'], 'frame')} of"
            f" {by(row['shape'])}: {row['cycles']:,} clocks, limit {row['limit_cycles']:,}, {lost};"
            f" {row['writes']} writes; {check}"
        )
    lines.append(
        f"engine   fast: {stats['cycles']:,} cycles in {stats['seconds']:.3g} s,"
        f" {stats['cycles_per_second'] or 0:,.0f} cycles per second"
    )
    return "\n".join(lines)
