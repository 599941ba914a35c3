"""A model's pooling layers as a table for a terminal."""

from streampool_sim.words import by, count, describe

from .layer import Layer, Model

HEAD = ("layer", "pooling", "in", "out", "lanes", "cycles", "seen")


def listed(model: Model) -> str:
    """Return the layers, a line each, and a line for each that no core computes."""
    rows = [_row(layer) for layer in model.layers if layer.job is not None]
    widths = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    lines = (
        [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (HEAD, *rows)
        ]
        if rows
        else []
    )
    refused = [layer for layer in model.layers if layer.job is None]
    groups: dict[tuple[str, str], list[str]] = {}
    for layer in refused:
        groups.setdefault((layer.op, str(layer.refusal)), []).append(layer.name)
    for (op, reason), names in groups.items():
        lines.append(
            f"{', '.join(names)} ({op}) ha{'s' if len(names) == 1 else 've'} no core: {reason}."
        )
    lines += [f"{layer.name}: {note}." for layer in model.layers for note in layer.notes]
    told = f", {len(refused)} of them without a core" if refused else ""
    return "\n".join([*lines, f"{count(len(model.layers), 'pooling layer')}{told}"])


def _row(layer: Layer) -> tuple[str, ...]:
    job = layer.job
    assert job is not None and layer.seen is not None
    return (
        layer.name,
        f"{describe(job.spec)}, {job.spec.dtype}",
        by(job.shape),
        by(job.out_shape),
        str(job.lanes),
        f"{job.cycles_bound:,}",
        f"{layer.seen:.0%}",
    )
