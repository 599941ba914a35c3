"""A pooling layer of a model, and what every model can do whatever framework it is of."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from streampool_golden import PoolJob, PoolSpec, SpecError

Arrays: TypeAlias = tuple[np.ndarray, ...]
"""One array per field of a layer's job: its values, and its indices where there are indices."""

Through: TypeAlias = Callable[["Layer", np.ndarray, Arrays], Arrays]
"""What a layer's activations go through instead of the framework's own pooling.

It is given the layer, its input and what the framework makes of it, and returns what goes on in
the model. All have the axes ``(N, C, *size)``, whatever the framework's order.
"""

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
    """

    name: str
    op: str
    spec: PoolSpec | None
    shape: tuple[int, ...] | None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    float_dtype: str | None = None
    scale: float | None = None

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
            return PoolJob(self.spec, self.shape)
        except SpecError as error:
            return str(error).rstrip(".")

    @property
    def waits(self) -> bool:
        """Whether it has a core as soon as it has a scale."""
        windows = isinstance(self._job_or_reason, PoolJob)
        return windows and self.float_dtype is not None and self.scale is None

    @property
    def job(self) -> PoolJob | None:
        """The job of its core, with the usual lanes; None where there is none."""
        found = self._job_or_reason
        return found if isinstance(found, PoolJob) and not self.waits else None

    @property
    def refusal(self) -> str | None:
        """Why it has no core; None where it has one."""
        if self.waits:
            assert self.spec is not None
            what = {"avg": "an average", "sum": "a sum"}.get(self.spec.op, f"an {self.spec.op}")
            return UNSCALED.format(what, self.float_dtype)
        return None if self.job is not None else str(self._job_or_reason)

    @property
    def out_shape(self) -> tuple[int, ...] | None:
        """A frame out, channels first; None where it is not known."""
        found = self._job_or_reason
        return found.out_shape if isinstance(found, PoolJob) else None

    @property
    def seen(self) -> float | None:
        """The share of the inputs that a window sees."""
        if self.job is None:
            return None
        taken = [
            len({tap for output in range(axis.outputs) for tap in axis.taps(output)}) / axis.length
            for axis in self.job.axes
        ]
        return math.prod(taken)

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
            "seen": self.seen,
            "supported": job is not None,
            "reason": self.refusal,
            "notes": list(self.notes),
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


class Model(ABC):
    """A model that was read: its pooling layers, and how it is run.

    Attributes
    ----------
    layers : sequence of Layer
        In the model's order.
    nodes : sequence of Node
        All operations, in an order in which each follows those that it takes values of; of the
        main graph alone where there are several. None where a reader does not know them.
    warnings : sequence of str
        What works but may not be meant, a sentence each.
    """

    layers: Sequence[Layer]
    nodes: Sequence[Node] = ()
    warnings: Sequence[str] = ()

    @abstractmethod
    def run(self, inputs: Sequence[np.ndarray], through: Through | None = None) -> list[np.ndarray]:
        """Run the model in its own framework, and return its outputs.

        Parameters
        ----------
        inputs : sequence of ndarray
            One per input of the model, with the framework's own axes.
        through : callable, optional
            What each supported layer's activations go through instead; the framework's own
            pooling by default.
        """
