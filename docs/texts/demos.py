"""What docs/ states of the demonstrations, from what they leave in build/."""

import json
from collections.abc import Sequence
from pathlib import Path


def table(found: Sequence[Path]) -> str:
    """Return the layers of a demonstration, a row each."""
    lines = [
        "| layer | pooling | frame | frames | values | differ | cycles per frame / limit |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in json.loads(found[0].read_text("utf-8"))["layers"]:
        cells = (
            f"`{row['name']}`",
            row["pooling"],
            "x".join(map(str, row["shape"])),
            f"{row['frames']:,}",
            f"{row['values']:,}",
            f"{row['differing_from_framework']:,}",
            f"{row['cycles_per_frame']:,} / {row['limit_cycles_per_frame']:,}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def labels(found: Sequence[Path]) -> str:
    """Return what a demonstration takes files for, a row for each."""
    lines = [
        "| file | what it is | without cores | with the maximum in a core |",
        "| --- | --- | --- | --- |",
    ]
    for row in json.loads(found[0].read_text("utf-8"))["labels"]:
        lines.append(f"| `{row[0]}` | {' | '.join(row[1:])} |")
    return "\n".join(lines) + "\n"
