"""What `run` prints: what came out, and how fast, against the limits."""

from pathlib import Path
from typing import Any

from streampool_golden import PoolJob, PoolSpec, UnpoolJob
from streampool_golden.fields import GLOBAL

from .. import pictures
from ..words import by, count, describe
from .fields import Options

EQUAL = "equals the golden model bit for bit"
DIFFERS = "DIFFERS from the golden model"
FEW = "not measured on fewer than four frames"


def summary(
    source: pictures.Input,
    job: PoolJob,
    output: Path,
    options: Options,
    stats: dict[str, Any],
) -> str:
    """Say in a few lines what came out, and how fast, against the limits."""
    indices = {}
    if job.index_out is not None:
        indices = {"indices": f"{options.indices}: {job.index_out.bits} bits each at the core"}
    rows = {
        **_what(source, job.spec.dtype),
        "pooling": describe(job.spec),
        "output": f"{output}: {by(job.out_size)} of {job.output.name}",
        **indices,
        **_checked(options, stats),
        "store": f"{_stores(job.spec, stats)}; {stats['store_bits']:,} bits in all",
        **_speed(options, stats),
    }
    return "\n".join(f"{name:<8} {text}" for name, text in rows.items())


def unpool_summary(
    source: pictures.Input,
    job: UnpoolJob,
    output: Path,
    options: Options,
    stats: dict[str, Any],
) -> str:
    """Say in a few lines what came out, and how fast."""
    rows = {
        **_what(source, job.input.name),
        "indices": f"{options.indices}: {job.index_in.bits} bits each at the core",
        "output": f"{output}: {by(job.out_size)} of {job.output.name}",
        **_checked(options, stats),
        "store": f"{stats['store_words']:,} words, two frames; {stats['store_bits']:,} bits; "
        f"cleared in {stats['clear_cycles']:,} cycles after a reset",
        **_speed(options, stats),
    }
    return "\n".join(f"{name:<8} {text}" for name, text in rows.items())


def _what(source: pictures.Input, dtype: str) -> dict[str, str]:
    channels, *sizes = source.shape
    return {
        "input": f"{source.path.name}: {by(sizes)}, {channels} channel{'s'[: channels > 1]} of "
        f"{dtype}, {source.count} frame{'s'[: source.count > 1]}"
    }


def _checked(options: Options, stats: dict[str, Any]) -> dict[str, str]:
    limit = f"limit {stats['limit_cycles_per_frame']:,}"
    if stats["bound_cycles_per_frame"] > stats["limit_cycles_per_frame"]:
        limit += f", bound {stats['bound_cycles_per_frame']:,}"
    if options.stall:
        limit += f" without stalls (stalled with probability {options.stall:g})"
    measured = stats["cycles_per_frame"]
    return {
        "check": EQUAL if stats["matches_golden"] else DIFFERS,
        "cycles": f"{FEW if measured is None else f'{measured:,.10g} a frame'}, {limit}; "
        f"latency {stats['latency_cycles']}",
    }


def _speed(options: Options, stats: dict[str, Any]) -> dict[str, str]:
    speed = stats["frames_per_second"]
    return {
        "speed": FEW
        if speed is None
        else f"{speed:,.1f} frames a second at {options.freq:g} MHz (assumed)",
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
        return f"{count(row + column, 'word')} for the frame, limit {row_limit + column_limit:,}"
    rows = "planes and rows" if spec.ndim == 3 else "rows"
    return (
        f"{row:,} words for the {rows}, limit {row_limit:,};"
        f" {column:,} for the columns, limit {column_limit:,}"
    )
