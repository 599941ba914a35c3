"""Blocks about axes that are pooled to a size."""

import blocks
from streampool_golden import Axis, UnevenAxis
from streampool_hw.schedule.plans import plan_of, words_of
from streampool_hw.schedule.program import Program

UNEVEN = (
    *((14, 7), (13, 6), (8, 7), (14, 4), (10, 7), (9, 6), (16, 7), (28, 5), (64, 6), (97, 29)),
    *((6, 7), (5, 7), (3, 7), (17, 41)),
)
"""Axes to a size, N and No."""


def uneven() -> str:
    """Return what the plans of axes to a size come to."""
    rows: list[list[object]] = []
    for length, outputs in UNEVEN:
        axis = Axis.to_size(length, outputs)
        plan = plan_of(axis)
        words = words_of(plan)
        lengths = sorted(set(axis.counts(False)))
        rows.append(
            [
                f"{length} to {outputs}",
                " or ".join(map(str, lengths)),
                f"{plan.period} / {max(length, outputs)}",
                f"{plan.partials} / {axis.limit_partials}",
                len(words.words) if isinstance(words, Program) else "an accumulator",
                "two lengths" if isinstance(axis, UnevenAxis) else _as_ordinary(axis),
            ]
        )
    return blocks.table(
        "N to No | > inputs of a window | > period / max(N, No) | > partials / limit"
        " | > control words | kind of axis",
        rows,
    )


def _as_ordinary(axis: Axis) -> str:
    padding = f", pad {axis.before}" if axis.before else ""
    return f"{axis.kernel} / {axis.stride}{padding}"
