"""A pooling layer of a model, and what every model can do whatever framework it is of."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from streampool_golden import PoolJob, PoolSpec, SpecError

Arrays: TypeAlias = tuple[np.ndarray, ...]
"""One array per field of a layer's job: its values, and its indices where there are indices."""

Through: TypeAlias = Callable[["Layer", np.ndarray, Arrays], Arrays]
"""What a layer's activations go through instead of the framework's own pooling.

It is given the layer, its input and what the framework makes of it, and returns what goes on in
the model. All have the axes ``(N, C, *size)``, whatever the framework's order, and are as the
core has them, but for a layer with a `scale`, whose are the framework's floats.
"""

MOST_PLANNED = 1000
"""Partials of an axis up to which its schedule is worked out for a list: half a second's."""

UNSIZED = "its input's size is not known; use --input-shape"
UNSCALED = "{} of {} has no exact core; use --calibrate or --scale"


@dataclass(frozen=True)
class Layer:
    """A pooling layer as it stands in a model.

    Parameters
    ----------
    name : str
        Its name in the model, or one made up for a layer that has none.
    op : str
        What the framework calls it: ``"MaxPool"``, ``"AVERAGE_POOL_2D"``.
    spec : PoolSpec or None
        What it computes; None where no core does.
    shape : tuple of int or None
        A frame in, channels first; None where the model does not say.
    reason : str, optional
        Why no core computes it, a sentence without its full stop.
    notes : tuple of str, optional
        What a reader has to know: how a float average is quantised, say.
    float_dtype : str, optional
        The model's own type of a layer whose values the core takes as integers, as there is no
        exact core of its floats. Such a layer has no core without a `scale`.
    scale : float, optional
        What one of these integers stands for, coming in and leaving; 0 stands for 0.
    lanes : int, optional
        Of its core, as many as there are channels at most; the usual ones by default.
    """

    name: str
    op: str
    spec: PoolSpec | None
    shape: tuple[int, ...] | None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    float_dtype: str | None = None
    scale: float | None = None
    lanes: int | None = None

    @cached_property
    def _job_or_reason(self) -> "PoolJob | str":
        """The job that its specification is, whether its values have a scale or not."""
        if self.reason is not None:
            return self.reason
        if self.shape is None:
            return UNSIZED
        if self.spec is None:
            return "it has no specification"
        try:
            lanes = None if self.lanes is None else min(self.lanes, self.shape[0])
            return PoolJob(self.spec, self.shape, lanes)
        except SpecError as error:
            return str(error).rstrip(".")

    @property
    def waits(self) -> bool:
        """Whether it has a core as soon as it has a scale."""
        return self.windows is not None and self.float_dtype is not None and self.scale is None

    @property
    def job(self) -> PoolJob | None:
        """The job of its core; None where there is none."""
        return None if self.waits else self.windows

    @property
    def refusal(self) -> str | None:
        """Why it has no core; None where it has one."""
        if self.waits:
            assert self.spec is not None
            what = {"avg": "an average", "sum": "a sum"}.get(self.spec.op, f"an {self.spec.op}")
            return UNSCALED.format(what, self.float_dtype)
        return None if self.job is not None else str(self._job_or_reason)

    @property
    def windows(self) -> PoolJob | None:
        """What it computes, whether its values have a scale or not; None where no core does."""
        found = self._job_or_reason
        return found if isinstance(found, PoolJob) else None

    @property
    def out_shape(self) -> tuple[int, ...] | None:
        """A frame out, channels first; None where it is not known."""
        return None if self.windows is None else self.windows.out_shape

    @property
    def seen(self) -> float | None:
        """The share of the inputs that a window sees."""
        if self.job is None:
            return None
        return math.prod(axis.read / axis.length for axis in self.job.axes)

    @cached_property
    def store_bits(self) -> int | None:
        """The bits that its core keeps in its stages' stores; None where a plan takes long."""
        job = self.job
        if job is None or any(each.along.limit_partials > MOST_PLANNED for each in job.stages):
            return None
        from streampool_hw.blocks.indices import place_of
        from streampool_hw.reduce.operations import gates_of
        from streampool_hw.schedule.plans import plan_of

        place = place_of(job)
        reduction = gates_of(job).reduce(job, place.bits if place else 0)
        return sum(
            plan_of(stage.along).partials
            * (stage.m * job.lanes * reduction.shape(stage.accumulator).width)
            for stage in job.stages
        )

    def scaled(self, scale: float, low: float, source: str) -> "Layer":
        """Return a layer that `waits` with a scale; `low` is the lowest value that comes in.

        The integers are of 8 bits, unsigned where nothing is below 0, and 0 stands for 0.
        """
        assert self.spec is not None
        dtype = "uint8" if low >= 0 else "int8"
        note = (
            f"its {self.float_dtype} is taken as {dtype} in steps of {scale:.6g} ({source}), 0"
            " standing for 0, and the result rounded once, halves to even"
        )
        spec = self.spec.replace(dtype=dtype, rounding="half_even")
        return replace(self, spec=spec, scale=scale, notes=(*self.notes, note))

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes: see docs/models.md."""
        job = self.job
        return {
            "name": self.name,
            "op": self.op,
            "spec": None if job is None else job.to_json(),
            "shape": None if self.shape is None else list(self.shape),
            "out_shape": None if self.out_shape is None else list(self.out_shape),
            "lanes": None if job is None else job.lanes,
            "cycles_per_frame": None if job is None else job.cycles_bound,
            "store_bits": self.store_bits,
            "seen": self.seen,
            "supported": job is not None,
            "reason": self.refusal,
            "notes": list(self.notes),
            "warnings": [] if job is None else job.warnings,
            "scale": self.scale,
        }


@dataclass(frozen=True)
class Node:
    """One operation of a model, for a picture of the whole.

    Parameters
    ----------
    op : str
        What the framework calls it.
    inputs, outputs : tuple of str
        The names of the values that it takes and gives. One that no node gives is an input of the
        model or a constant.
    layer : str, optional
        The name of the pooling layer that it is.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layer: str | None = None


@dataclass(frozen=True)
class Input:
    """What a model is given when it runs.

    Parameters
    ----------
    name : str
        What the model calls it.
    dtype : dtype or None
        Of its values; None where the model takes several.
    shape : tuple of (int or None) or None
        Its lengths, the batch first, None for one that the model does not say.
    """

    name: str
    dtype: np.dtype | None
    shape: tuple[int | None, ...] | None


class Model(ABC):
    """A model that was read: its pooling layers, and how it is run.

    Attributes
    ----------
    layers : sequence of Layer
        In the model's order.
    nodes : sequence of Node
        All operations, in an order in which each follows those that it takes values of; of the
        main graph alone where there are several. None where a reader does not know them.
    inputs : sequence of Input
        What it is given, in order.
    warnings : sequence of str
        What works but may not be meant, a sentence each.
    """

    layers: Sequence[Layer]
    nodes: Sequence[Node] = ()
    inputs: Sequence[Input] = ()
    warnings: Sequence[str] = ()

    @abstractmethod
    def run(self, inputs: Sequence[np.ndarray], through: Through | None = None) -> list[np.ndarray]:
        """Run the model in its own framework, and return its outputs.

        Parameters
        ----------
        inputs : sequence of ndarray
            One per input of the model, with the framework's own axes.
        through : callable, optional
            What the activations go through instead, of each of `layers` that has an `out_shape`
            and can be run apart; the framework's own pooling by default.
        """
