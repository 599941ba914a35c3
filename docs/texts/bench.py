"""What docs/ and README.md state of the comparison with software."""

import json
from collections.abc import Iterable, Sequence

import blocks
import figures
from streampool_bench.report import layers, reading, table

FEW_LAYERS = layers.QUICK
"""The layers whose measurement results.md shows."""

FEW_SENTENCES = (
    *("wins", "width", "left_out", "loses", "usual", "lanes", "latency", "links", "share", "load"),
)
"""What it says of all of them."""


def measurement() -> tuple[dict, str]:
    """Return the measurement that the pages state, and the device that they do it for."""
    results = json.loads(figures.BENCH.read_text("utf-8"))
    device = reading.device_of(results)
    assert device is not None
    return results, device


def _sentences(results: dict, names: Iterable[str] | None = None) -> str:
    told = [each for each in results["reading"] if names is None or each["id"] in names]
    return "".join(f"- {each['text']}\n" for each in told)


def _made_with(results: dict, device: str) -> str:
    part = next(row["part"] for row in results["hardware"] if row["device"] == device)
    made = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    machine = results["machine"]
    return (
        f"Cores on {part}; software on {machine['processor']} ({machine['architecture']}) with "
        f"{machine['processors']} processors; {made}.\n"
    )


def _aligned(heads: Iterable[str], left: Iterable[int]) -> str:
    return " | ".join(
        head if number in left else f"> {head}" for number, head in enumerate(heads)
    )  # fmt: skip


def _measured(names: Sequence[str] | None = None, sentences: Iterable[str] | None = None) -> str:
    """Return the measurement of some layers and what it says, all of both by default."""
    results, device = measurement()
    cells = table.rows(results, device, names)
    return (
        f"{blocks.table(_aligned(table.HEADS, table.LEFT), cells)}\n"
        f"{_made_with(results, device)}\n{_sentences(results, sentences)}"
    )


def software() -> str:
    """Return some layers' measurement, and what it says."""
    return _measured(FEW_LAYERS, FEW_SENTENCES)


def bench_layers() -> str:
    """Return every layer's measurement, what all of it says, and what it was made with."""
    return _measured()


def bench_networks() -> str:
    """Return the pooling layers of whole networks, added up."""
    results, device = measurement()
    head = _aligned(table.NETWORK_HEADS, (0,))
    return blocks.table(head, table.network_rows(results, device))
