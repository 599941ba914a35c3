"""A model run with cores in the place of its pooling layers, whatever framework it is of."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from streampool_golden import DType, SpecWarning
from streampool_sim.progress import Progress
from streampool_sim.refusals import Refused, printable
from streampool_sim.simulation import STEADY_FRAMES, simulate
from streampool_sim.words import by

from .layer import Arrays, Layer, Model

COMPILED_FROM = 5000
"""Clocks from which a core is compiled: models have the same layer several times, and run again."""


@dataclass(frozen=True)
class LayerRun:
    """What came of a layer's real activations in its core.

    Attributes
    ----------
    layer : Layer
        The layer.
    frames : int
        How many frames went through.
    mismatch : str or None
        The first difference between core and golden model, a sentence; None where there is none.
    values, differing : int
        The values that left, and how many of them are not the framework's bit for bit.
    largest : float
        The largest of these differences, where it is a number.
    stats : dict
        The simulation's: see `streampool_sim.stats`.
    saturated : int, optional
        How many of the values that came in were beyond the integers of a layer with a scale.
    """

    layer: Layer
    frames: int
    mismatch: str | None
    values: int
    differing: int
    largest: float
    stats: dict[str, Any]
    saturated: int = 0

    @property
    def good(self) -> bool:
        """Whether the core gave what the golden model has, and within its cycles."""
        cycles, bound = self.stats["cycles_per_frame"], self.stats["bound_cycles_per_frame"]
        return self.mismatch is None and (cycles is None or cycles <= bound)

    @property
    def why(self) -> str | None:
        """Why the framework has other values; None where it has the same."""
        spec = self.layer.spec
        assert spec is not None
        if not self.differing:
            return None
        if self.layer.scale is not None:
            said = f"its floats are taken in steps of {self.layer.scale:.6g}"
            if self.saturated:
                said += f", and {self.saturated:,} that came in are beyond {spec.dtype}"
            return said
        if spec.operation.selects:
            return "of NaN, minus infinity and zeros of both signs the framework keeps others"
        return "the framework rounds on the way; the core rounds the exact result once"

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes."""
        names = ("cycles_per_frame", "limit_cycles_per_frame", "bound_cycles_per_frame")
        return {
            "name": self.layer.name,
            "frames": self.frames,
            "matches_golden": self.mismatch is None,
            "mismatch": self.mismatch,
            "values": self.values,
            "differing_from_framework": self.differing,
            "largest_difference": self.largest,
            "why": self.why,
            "saturated": self.saturated,
            **{name: self.stats[name] for name in (*names, "engine", "seconds")},
        }


@dataclass(frozen=True)
class OutputRun:
    """An output of the model, with and without cores.

    Attributes
    ----------
    without, through : ndarray
        As the framework has it alone, and with cores in its pooling layers' place.
    """

    without: np.ndarray
    through: np.ndarray

    @property
    def differing(self) -> int:
        """How many values are not the same bit for bit."""
        return _compared(self.through, self.without)[0]

    @property
    def largest(self) -> float:
        """The largest difference."""
        return _compared(self.through, self.without)[1]

    @property
    def labels(self) -> tuple[list[int], list[int]] | None:
        """Where the largest of each row is, without and with; None of what has no rows."""
        shape = self.without.shape
        if self.through.shape != shape or len(shape) != 2 or shape[1] < 2:
            return None
        return self.without.argmax(axis=1).tolist(), self.through.argmax(axis=1).tolist()

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes."""
        labels = self.labels
        return {
            "shape": list(self.without.shape),
            "differing": self.differing,
            "largest_difference": self.largest,
            "labels": None if labels is None else {"without": labels[0], "with": labels[1]},
        }


@dataclass(frozen=True)
class ModelRun:
    """A run of a model, with and without cores: its layers and its outputs, in order.

    `left` has the names of layers that have a core and were run by the framework all the same.
    """

    layers: Sequence[LayerRun]
    outputs: Sequence[OutputRun]
    seconds: dict[str, float]
    left: Sequence[str] = ()

    @property
    def good(self) -> bool:
        """Whether every core gave what the golden model has, within its cycles."""
        return all(each.good for each in self.layers)

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes."""
        return {
            "good": self.good,
            "layers": [each.to_json() for each in self.layers],
            "left_to_framework": list(self.left),
            "outputs": [each.to_json() for each in self.outputs],
            "seconds": self.seconds,
        }


def run_model(model: Model, inputs: Sequence[np.ndarray], engine: str = "auto") -> ModelRun:
    """Run a model with its supported layers' activations going through simulated cores.

    Parameters
    ----------
    model : Model
        A model that was read.
    inputs : sequence of ndarray
        One per input, with the framework's own axes.
    engine : str, optional
        As `simulate` takes it.

    Returns
    -------
    ModelRun
    """
    seen: list[LayerRun] = []
    due = sum(layer.job is not None for layer in model.layers)
    simulated = 0.0

    def through(layer: Layer, x: np.ndarray, made: Arrays) -> Arrays:
        nonlocal simulated
        if layer.job is None:
            return made
        start = time.perf_counter()
        what = f"{printable(layer.name)} ({len(seen) + 1} of {due})"
        with Progress(f"compiling the core of {what}", f"of {what} simulated", "beats") as progress:
            ran, arrays = _through_core(layer, x, made, engine, progress)
        simulated += time.perf_counter() - start
        seen.append(ran)
        return arrays

    start = time.perf_counter()
    with Progress("running the model", "run"):
        without = model.run(inputs)
    alone = time.perf_counter() - start
    outputs = model.run(inputs, through)
    whole = time.perf_counter() - start
    gone = {each.layer.name for each in seen}
    return ModelRun(
        seen,
        [OutputRun(*map(np.asarray, pair)) for pair in zip(without, outputs, strict=True)],
        {"without": alone, "cores": simulated, "rest": whole - alone - simulated},
        [each.name for each in model.layers if each.job is not None and each.name not in gone],
    )


def _through_core(
    layer: Layer, x: np.ndarray, made: Arrays, engine: str, progress: Any
) -> tuple[LayerRun, Arrays]:
    job, scale = layer.job, layer.scale
    assert job is not None
    if x.shape[1:] != job.shape:
        raise Refused(
            f"{layer.name} is listed with frames of {by(job.shape)}, and runs on"
            f" {by(x.shape[1:])}; use --input-shape as INPUT has it"
        )
    frames, saturated = (x, 0) if scale is None else quantised(x, scale, job.input)
    if engine == "auto" and STEADY_FRAMES * job.limit_cycles >= COMPILED_FROM:
        engine = "fast"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecWarning)  # the list has said it
        result = simulate(job, frames, engine=engine, progress=progress)
    values, *others = result.arrays
    if scale is not None:
        values = (values * np.float64(scale)).astype(made[0].dtype)
    differing, largest = _compared(values, made[0])
    for ours, theirs in zip(others, made[1:], strict=True):
        differing += int((ours != theirs).sum())
    arrays = (values.astype(made[0].dtype, copy=False), *others)
    ran = LayerRun(
        layer,
        len(x),
        result.mismatch,
        values.size,
        differing,
        largest,
        result.stats,
        saturated,
    )
    return ran, arrays


def quantised(x: np.ndarray, scale: float, dtype: DType) -> tuple[np.ndarray, int]:
    """Return floats as the nearest integers of a type, and how many of them saturate.

    They are in steps of a scale, halves to even.
    """
    steps = np.nan_to_num(np.rint(x.astype(np.float64) / scale))
    within = np.clip(steps, dtype.low, dtype.high)
    return within.astype(dtype.numpy), int((within != steps).sum())


def _compared(ours: np.ndarray, theirs: np.ndarray) -> tuple[int, float]:
    """Return how many values differ in their bits, and by how much at the most."""
    if ours.shape != theirs.shape or theirs.dtype.kind not in "fiub":
        same = ours.shape == theirs.shape and np.array_equal(ours, theirs)
        return (0 if same else theirs.size), 0.0
    ours = ours.astype(theirs.dtype, copy=False)
    bits = f"u{theirs.dtype.itemsize}"
    differing = int((np.ascontiguousarray(ours).view(bits) != theirs.view(bits)).sum())
    if not differing:
        return 0, 0.0
    with np.errstate(invalid="ignore"):
        off = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    return differing, float(np.nan_to_num(off, posinf=0.0).max())


def calibrated(model: Model, runs: Sequence[Sequence[np.ndarray]], source: str) -> None:
    """Give every layer that waits for a scale the one of the values that come in when it runs.

    It is the largest size of a value over that of the type.
    """
    ranges: dict[str, tuple[float, float]] = {}

    def through(layer: Layer, x: np.ndarray, made: Arrays) -> Arrays:
        if layer.waits and x.size:
            finite = x[np.isfinite(x)]
            low, high = ranges.get(layer.name, (0.0, 0.0))
            low, high = min(low, finite.min(initial=0)), max(high, finite.max(initial=0))
            ranges[layer.name] = (float(low), float(high))
        return made

    with Progress("calibrating", "of the inputs calibrated") as progress:
        for k, inputs in enumerate(runs):
            model.run(inputs, through)
            progress(k + 1, len(runs))
    layers = []
    for layer in model.layers:
        if layer.waits and layer.name in ranges:
            low, high = ranges[layer.name]
            scale = max(-low / 127, high / (255 if low >= 0 else 127)) or 1.0
            layer = layer.scaled(float(np.float32(scale)), low, source)
        layers.append(layer)
    model.layers = layers


def scaled(model: Model, scale: float) -> None:
    """Give every layer that waits for a scale the same one, of signed integers."""
    model.layers = [
        layer.scaled(scale, -1.0, "--scale") if layer.waits else layer for layer in model.layers
    ]
