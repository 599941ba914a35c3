"""A measurement for the tests: that of docs/, of few layers, as it may be of all there are."""

import json
from pathlib import Path
from typing import Any

from streampool_bench.report import report

BENCH = Path(__file__).parents[1] / "docs" / "bench.json"
LAYERS = ("resnet50-1", "resnet50-2")
BY_LAYER = ("layers", "software", "hardware", "comparison")


def few_layers() -> dict[str, Any]:
    """Return the report with the rows of `LAYERS` alone; the rest is as it was."""
    results = json.loads(BENCH.read_text("utf-8"))
    kept = {name: [row for row in results[name] if row["layer"] in LAYERS] for name in BY_LAYER}
    assert all(kept.values())
    return report.about(results | kept)
