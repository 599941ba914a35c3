"""What `run` prints: what came out, and how fast, against the limits."""

from typing import Any, TextIO

from streampool_golden import Job
from streampool_golden.fields import GLOBAL

from .. import pictures
from ..refusals import GREEN, RED, painted
from ..words import by, count, table
from .fields import Options

FEW = "not measured on fewer than four frames"


def summary(
    source: pictures.Input,
    job: Job,
    words: str,
    options: Options,
    stats: dict[str, Any],
    told: TextIO,
) -> str:
    """Say in a few lines what came out, and how fast, against the limits.

    `words` are what the job computes, and `told` is where they are printed.
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
        "store": _stores(stats, len(sizes)),
        "speed": FEW
        if speed is None
        else f"{speed:,.1f} frames per second at {options.freq:g} MHz (assumed)",
        "engine": f"{stats['engine']}: {stats['frames_simulated']} frames, "
        f"{stats['cycles']:,} cycles in {stats['seconds']:.3g} s, "
        f"{stats['cycles_per_second'] or 0:,.0f} cycles per second",
    }
    return table(rows.items())


def _stores(stats: dict[str, Any], axes: int) -> str:
    """Say what the stores of a core of either kind have, and may have."""
    bits = f"{stats['store_bits']:,} bits"
    if "clear_cycles" in stats:  # whole frames are kept
        return (
            f"{stats['store_words']:,} words, two frames; {bits}; "
            f"cleared in {stats['clear_cycles']:,} cycles after a reset"
        )
    row, column, row_limit, column_limit = (
        stats[f"{name}_store_words"] for name in ("row", "column", "limit_row", "limit_column")
    )
    if stats["spec"]["adaptive"] == GLOBAL:  # all axes as one
        words = f"{count(row + column, 'word')} for the frame, limit {row_limit + column_limit:,}"
    else:
        words = (
            f"{row:,} words for the {'planes and rows' if axes == 3 else 'rows'}, limit"
            f" {row_limit:,}; {column:,} for the columns, limit {column_limit:,}"
        )
    return f"{words}; {bits} in all"
