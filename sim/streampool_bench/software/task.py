"""What a contender is given, and what it has to give back."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from streampool_golden import PoolJob, PoolSpec, SpecWarning, pool

CHANNELS_FIRST, CHANNELS_LAST = "NCHW", "NHWC"
"""Layouts, whatever the number of axes."""


Form = TypeVar("Form")


class Unfit(Exception):
    """A contender cannot do a layer; the message says why, in a few words."""


@dataclass(frozen=True)
class Task:
    """A layer, whose specification is of int8, on a frame of another dtype with random values.

    Floats are whole numbers, so that the exact result is known. `shape` has channels first.
    """

    spec: PoolSpec
    shape: tuple[int, ...]
    dtype: str
    seed: int = 0

    @cached_property
    def job(self) -> PoolJob:
        """The layer with one lane: its axes and divisors."""
        return PoolJob(self.spec, self.shape, 1)

    def among(self, forms: Mapping[str, Form]) -> Form:
        """Return what a contender's table has for the operation; `Unfit` where it has nothing."""
        if self.spec.op not in forms:
            raise Unfit(f"it has no such {self.spec.op}")
        return forms[self.spec.op]

    @cached_property
    def x(self) -> np.ndarray:
        """The frame: shape (1, C, ...), contiguous."""
        unsigned = self.dtype == "uint8"
        low, high = (0, 255) if unsigned else (-128, 127)
        values = np.random.default_rng(self.seed).integers(
            low, high, (1, *self.shape), np.uint8 if unsigned else np.int8, endpoint=True
        )
        return values.astype(self.dtype)

    def laid_out(self, layout: str) -> np.ndarray:
        """Return the frame in a layout, contiguous."""
        x = self.x if layout == CHANNELS_FIRST else np.moveaxis(self.x, 1, -1)
        return np.ascontiguousarray(x)

    def expected(self, rounding: str) -> np.ndarray:
        """Return what the golden model says, channels first; worked out once.

        An average of floats is the exact sum over the exact divisor, in float64.
        """
        if rounding not in self._expected:
            self._expected[rounding] = self._pooled(rounding)
        return self._expected[rounding]

    @cached_property
    def _expected(self) -> dict[str, np.ndarray]:
        return {}

    def _pooled(self, rounding: str) -> np.ndarray:
        whole = self.dtype if self.dtype != "float32" else "int8"
        spec = self.spec.replace(dtype=whole, rounding=rounding)
        values = self.x.astype(whole)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SpecWarning)  # of steps that no window reads
            if self.dtype == "float32" and self.job.operation.mean:
                total = pool(spec.replace(op="sum", divisor_override=None), values)
                return total / self.job.divisors
            return pool(spec, values)


@dataclass(frozen=True)
class Ready:
    """A contender, ready to be timed: only `run` is."""

    run: Callable[[], Any]
    """Pools the frame that it was made with."""
    output: Callable[[Any], np.ndarray]
    """Makes an array, channels first, of what `run` returns."""
    rounding: str = "half_even"
    """How it rounds averages of integers."""
    prepare: Callable[[], None] = field(default=lambda: None)
    """Sets the threads of the runtime, where these are the process' own."""
    crop: tuple[int, ...] | None = None
    """The part of the frame that it pools, where all of it would take too long."""


@dataclass(frozen=True)
class Contender:
    """A way to pool in software, with the dtypes and layouts that it takes."""

    name: str
    runtime: str
    """One of `contenders.RUNTIMES`."""
    call: str
    """What is called, as one would type it."""
    dtypes: tuple[str, ...]
    layouts: tuple[str, ...]
    make: Callable[[Task, str, int], Ready]
    """Of a task, a layout and a number of threads; `Unfit` where it cannot do the layer."""
    threaded: bool = False


def difference(task: Task, ready: Ready) -> str | None:
    """Run a contender once, and say how its result differs from the golden model's.

    Integers and maxima have to be equal; averages of floats within 1e-5 of the largest input.
    """
    got = np.asarray(ready.output(ready.run()))
    part = task if ready.crop is None else cropped(task, ready.crop)
    wanted = part.expected(ready.rounding)
    if got.shape != wanted.shape:
        return f"the shape is {got.shape}, not {wanted.shape}"
    exact = task.dtype != "float32" or task.job.operation.selects
    bound = 0 if exact else 1e-5 * 128
    wrong = np.abs(got.astype(np.float64) - wanted.astype(np.float64)) > bound
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        return f"{int(wrong.sum())} values differ: at {at} {got[at]}, not {wanted[at]}"
    return None


def per_axis(values: Iterable[int], fill: int) -> tuple[int, int]:
    """Return the values of rows and columns; `fill` for rows where there are only steps."""
    *planes, rows, columns = (fill, *values)
    if len(planes) > 1:
        raise Unfit("more than two axes")
    return rows, columns


def cropped(task: Task, shape: tuple[int, ...]) -> Task:
    """Return the same task on the frame's first channels, rows and columns."""
    part = Task(task.spec, shape, task.dtype, task.seed)
    part.__dict__["x"] = task.x[(slice(None), *(slice(n) for n in shape))]
    return part
