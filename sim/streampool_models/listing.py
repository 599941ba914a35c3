"""A model's pooling layers as a table for a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from streampool_sim.refusals import printable
from streampool_sim.words import by, count, describe

from .layer import Layer, Model

if TYPE_CHECKING:
    from .running import LayerRun, ModelRun, OutputRun

HEAD = ("layer", "pooling", "in", "out", "lanes", "cycles", "store", "seen")
RAN = ("layer", "golden model", "framework", "frames", "cycles per frame", "limit", "engine")


def listed(model: Model) -> str:
    """Return the layers, a line each, and why those have no core that have none."""
    rows = [_row(layer) for layer in model.layers]
    lines = columns([HEAD, *rows]) if rows else []
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
    lines.append(f"{count(len(model.layers), 'pooling layer')}{told}")
    return "\n".join(map(printable, lines))


def doubts(layers: Sequence[Layer]) -> list[str]:
    """Return what of layers works but may not be meant, a sentence each."""
    said = []
    jobs = [(layer, layer.windows) for layer in layers]
    for k, (layer, job) in enumerate(jobs):
        if job is None:
            continue
        larger = [text for text in job.warnings if "larger than the input" in text]
        said += [f"{layer.name}: {text.rstrip('.')}" for text in larger]
        after = len(layers) - k - 1
        flat = max(job.out_size) == 1 < max(job.size) and job.spec.adaptive is None
        if flat and after and not larger:
            said.append(
                f"{layer.name} pools {by(job.size)} down to {by(job.out_size)}, and"
                f" {count(after, 'pooling layer')} follow{'s' if after == 1 else ''};"
                " use a larger --input-shape if the network goes on with positions there"
            )
        elif max(job.size) == 1 and job.spec.adaptive is None:
            said.append(
                f"{layer.name} pools frames of {by(job.size)}, where nothing is left to pool"
            )
    return said


def ran(run: "ModelRun") -> str:
    """Return what came of a run: its layers, a line each, its outputs, and what took long."""
    rows = [
        (
            each.layer.name,
            "equal" if each.mismatch is None else "DIFFERS",
            _runtime(each),
            str(each.frames),
            f"{each.stats['cycles_per_frame']:,}",
            f"{each.stats['limit_cycles_per_frame']:,}",
            str(each.stats["engine"]),
        )
        for each in run.layers
    ]
    lines = columns([RAN, *rows]) if rows else ["no layer went through a core"]
    for each in run.layers:
        if each.mismatch:
            lines.append(f"{each.layer.name} differs from the golden model: {each.mismatch}.")
        if each.why:
            lines.append(f"{each.layer.name}: {each.why}.")
    lines += [
        f"{name}: left to the framework, as what is inside of control flow is" for name in run.left
    ]
    lines += [f"output {k}: {_output(each)}" for k, each in enumerate(run.outputs)]
    seconds = run.seconds
    lines.append(
        f"{seconds['without']:.1f} s for the model alone, {seconds['cores']:.1f} s to compile and"
        f" simulate cores, {seconds['rest']:.1f} s for the model in parts"
    )
    return "\n".join(map(printable, lines))


def _runtime(run: "LayerRun") -> str:
    if not run.differing:
        return "equal"
    return f"{run.differing:,} of {run.values:,} differ{_by(run.largest)}"


def _by(largest: float) -> str:
    return f", by {largest:.3g} at most" if largest else " in bits alone, as -0 and 0 do"


def _output(run: "OutputRun") -> str:
    if not run.differing:
        same = f"{by(run.without.shape) or 'one value'}, the same bit for bit with cores"
        return f"{same}{f'; largest at {_few(run.labels[0])}' if run.labels else ''}"
    differ = "value differs" if run.differing == 1 else "values differ"
    said = f"{by(run.without.shape)}, with cores {run.differing:,} {differ}{_by(run.largest)}"
    if run.labels is None:
        return said
    before, after = run.labels
    if before == after:
        return f"{said}; largest at {_few(before)} all the same"
    return f"{said}; largest at {_few(before)} without and {_few(after)} with cores"


def _few(places: Sequence[int]) -> str:
    more = f" and {len(places) - 8} more" if len(places) > 8 else ""
    return ", ".join(map(str, places[:8])) + more


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, their cells one below the other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(layer: Layer) -> tuple[str, ...]:
    windows, job = layer.windows, layer.job
    dtype = windows and (layer.float_dtype if layer.waits else windows.spec.dtype)
    return (
        layer.name,
        "no core" if windows is None else f"{describe(windows.spec)}, {dtype}",
        "?" if layer.shape is None else by(layer.shape),
        "?" if layer.out_shape is None else by(layer.out_shape),
        "-" if job is None else str(job.lanes),
        "-" if job is None else f"{job.cycles_bound:,}",
        "-" if layer.store_bits is None else f"{layer.store_bits:,}",
        "-" if layer.seen is None else f"{layer.seen:.0%}",
    )
