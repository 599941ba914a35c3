"""A case of conformance: what a runtime was given, what it gave, and how far it may be off."""

import math
import random
import warnings
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from streampool_golden import (
    DType,
    PoolJob,
    PoolSpec,
    SpecError,
    UnpoolJob,
    pool,
    pool_with_indices,
    unpool,
)

LANES = 2
"""Lanes of the cores that cases run through."""

FLOAT32_ERROR = Fraction(1, 1 << 24)
"""The relative error of one float32 operation at most."""


@dataclass
class Case:
    """A specification, an input and a runtime's own output.

    Attributes
    ----------
    what : str
        The runtime's operator.
    spec : PoolSpec
        What it is held to be.
    x : ndarray, shape (frames, C, *size)
        The input.
    y : ndarray, shape (frames, C, *out_size)
        What the runtime gave; an exact real result rounded as the specification says. Floats are
        compared by their bits.
    operations : int
        Roundings to float32 on the way to a result; 0 where the runtime calculates in integers, or
        in numbers that hold every step exactly.
    """

    what: str
    spec: PoolSpec
    x: np.ndarray
    y: np.ndarray
    operations: int = 0
    indices: np.ndarray | None = None
    own: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the case of again."""
        return {
            "what": self.what,
            "spec": self.spec.to_json(),
            "x": bits(self.x).tolist(),
            "y": bits(self.y).tolist(),
            "operations": self.operations,
            "indices": None if self.indices is None else self.indices.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Case":
        """Return a recorded case."""
        spec, indices = PoolSpec.from_json(data["spec"]), data["indices"]
        x, y = (
            np.array(data[name], spec.in_dtype.raw.numpy if name == "x" else None)
            for name in ("x", "y")
        )
        if spec.in_dtype.is_float:
            x, y = (a.astype(spec.in_dtype.raw.numpy).view(spec.in_dtype.numpy) for a in (x, y))
        return cls(
            *(data["what"], spec, x, y, data["operations"]),
            None if indices is None else np.array(indices),
        )

    @property
    def job(self) -> PoolJob:
        """What a core has to do."""
        return PoolJob(self.spec, self.x.shape[1:], LANES)

    def golden(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return what the golden model gives: values, and indices where the runtime has some."""
        if self.indices is not None:
            return pool_with_indices(self.spec, self.x)
        return pool(self.spec, self.x), None

    def judge(self, found: np.ndarray, indices: np.ndarray | None = None) -> list[str]:
        """Check `found` against the runtime's output; return what is wrong, one sentence each.

        What is shown to be the runtime's own float32 rounding goes to `own`, with the exact value.
        """
        if found.shape != self.y.shape:
            return [f"{self.what}: shape {found.shape}, where the runtime has {self.y.shape}"]
        faults = []
        same = self.indices is None or (
            indices is not None and np.array_equal(indices, self.indices)
        )
        if not same:
            faults.append(f"{self.what}: indices differ, of {self.spec!r} on {self.x.shape}")
        differ = np.argwhere(bits(found) != bits(self.y))
        if self.spec.in_dtype.is_float and len(differ):
            where = tuple(int(i) for i in differ[0])
            return [
                *faults,
                f"{self.what}: {found[where]} at {where}, where the runtime has {self.y[where]},"
                f" of {self.spec!r} on {self.x.shape}",
            ]
        for at in differ:
            where = tuple(int(i) for i in at)
            ours, theirs = int(found[where]), int(self.y[where])
            exact, slack = exact_value(self, where)
            shown = {
                "at": where,
                "exact": str(exact),
                "exactly_rounded": ours,
                "runtime": theirs,
            }
            half = Fraction(ours + theirs, 2)
            root = self.spec.op in ("l2", "lp2")
            if root:  # what is exact is the square
                shown["exact"] = f"sqrt({exact})"
                slack, half = slack * (2 * abs(half) + slack), half * half
            if self.operations and abs(ours - theirs) == 1 and abs(exact - half) <= slack:
                self.own.append(shown)
            else:
                faults.append(f"{self.what}: {shown}, of {self.spec!r} on {self.x.shape}")
        return faults


@dataclass
class UnpoolCase:
    """Values and indices, and the sparse map that a runtime put them back into.

    Attributes
    ----------
    what : str
        The runtime's operator.
    job : UnpoolJob
        What it is held to be.
    x, indices : ndarray of int, shape (frames, C, *size)
        Values, and where they belong in their own planes.
    y : ndarray of int, shape (frames, C, *out_size)
        What the runtime gave.
    """

    what: str
    job: UnpoolJob
    x: np.ndarray
    indices: np.ndarray
    y: np.ndarray
    own: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the case of again."""
        arrays = {name: getattr(self, name).tolist() for name in ("x", "indices", "y")}
        return {"what": self.what, "unpool": self.job.to_json(), **arrays}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "UnpoolCase":
        """Return a recorded case."""
        job = {name: value for name, value in data["unpool"].items() if name != "op"}
        x, indices, y = (np.array(data[name]) for name in ("x", "indices", "y"))
        return cls(data["what"], UnpoolJob(**job), x, indices, y)

    def golden(self) -> tuple[np.ndarray, None]:
        """Return what the golden model gives."""
        return unpool(self.x, self.indices, self.job.out_size), None

    def judge(self, found: np.ndarray, indices: np.ndarray | None = None) -> list[str]:
        """Check `found` against the runtime's output; return what is wrong, a sentence."""
        if indices is None and np.array_equal(found, self.y):
            return []
        return [f"{self.what}: differs, of {self.job}"]


def from_json(data: dict[str, Any]) -> Case | UnpoolCase:
    """Return a recorded case."""
    return (UnpoolCase if "unpool" in data else Case).from_json(data)


def bits(values: np.ndarray) -> np.ndarray:
    """Return floats as the integers of their bits, integers as they are."""
    if values.dtype.kind in "iu":
        return values
    return values.view(DType.of(values.dtype).raw.numpy)


def drawn(oracle: Any, seed: int, index: int) -> Case | UnpoolCase | None:
    """Return the case of an index; None where the runtime or a specification refuses it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case = oracle.draw(random.Random(f"{seed} {index}"))
    try:
        if case is not None:
            assert case.job
    except SpecError:
        return None
    return case


def exact_value(case: Case, where: tuple[int, ...]) -> tuple[Fraction, Fraction]:
    """Return the exact result before rounding, or its square, and how far off float32 may be.

    Each of the operations, on numbers no larger than the result of all magnitudes, may be off by
    half a unit in the last place.
    """
    spec, job = case.spec, PoolJob(case.spec, case.x.shape[1:])
    frame, channel, *at = where
    taps = [axis.taps(w) for axis, w in zip(job.axes, at, strict=True)]
    values = case.x[(frame, channel, *np.ix_(*taps))].astype(object).ravel()
    if spec.op in ("l2", "lp2"):
        square = Fraction(int(sum(values**2)), int(job.divisors[tuple(at)]))
        return square, case.operations * FLOAT32_ERROR * (math.isqrt(int(square)) + 1)
    zero_in, zero_out = spec.zero_points
    divisor = int(job.divisors[tuple(at)])
    exact = spec.scale * Fraction(sum(values - zero_in), divisor) + zero_out
    size = spec.scale * Fraction(sum(abs(values - zero_in)), abs(divisor)) + abs(zero_out)
    return exact, case.operations * FLOAT32_ERROR * size


def values(draw: random.Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return random values: over the whole range, small ones that meet at halves, or its ends."""
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    kind = draw.random()
    rng = np.random.default_rng(draw.getrandbits(64))
    if kind < 0.2:
        return rng.choice(np.array([low, high], dtype), shape)
    if kind < 0.5:
        low, high = max(low, -9), 9
    return rng.integers(low, high, shape, dtype, endpoint=True)


def rounded(real: np.ndarray, spec: PoolSpec) -> np.ndarray:
    """Return exact reals (to 53 bits) rounded and saturated as a specification says."""
    y = {
        "half_away": lambda y: np.trunc(y + np.copysign(0.5, y)),
        "half_even": np.rint,
        "half_up": lambda y: np.floor(y + 0.5),
        "floor": np.floor,
        "trunc": np.trunc,
    }[spec.rounding](real.astype(np.float64))
    out = DType.of(spec.out_dtype or spec.dtype)
    low, high = spec.clamp or (out.low, out.high)
    return np.clip(y, low, high).astype(np.int64)


AXES = (1, 2, 2, 2, 3)
"""Numbers of spatial axes, to choose from."""


def sizes(draw: random.Random, axes: int) -> tuple[int, ...]:
    """Return random lengths, one per axis."""
    return tuple(draw.randint(1, 9 if axes < 3 else 5) for _ in range(axes))


TAPS = (2, 3, 4, 6, 9, 12, 16, 25, 36, 49)


def every_sum(taps: int) -> np.ndarray:
    """Return a window for every sum of so many uint8 values, shape (sums, taps)."""
    sums = np.arange(255 * taps + 1)[:, np.newaxis]
    return (sums // taps + (np.arange(taps) < sums % taps)).astype(np.uint8)
