"""A specification on a frame of one size and a number of lanes: all that follows from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from . import fields
from .dtypes import DType
from .errors import SpecError
from .frames import Frames
from .geometry import MOST_POSITIONS, Axis
from .indices import Numbering
from .quantised import Requantisation

if TYPE_CHECKING:
    from .spec import PoolSpec

MOST_INDEX_BITS = 63  # so that NumPy's int64 holds it


@dataclass(frozen=True)
class Accumulator:
    """The range of the exact values that pooling holds between input and finishing.

    Attributes
    ----------
    low, high : int
        The lowest and highest; 0 is among them but for maxima and minima.
    signed : bool
        Whether `low` is negative.
    bits : int
        Width in bits, the sign included.
    """

    low: int
    high: int
    signed: bool
    bits: int


@dataclass(frozen=True)
class StageShape:
    """One stage of the stream: the axis it pools and how far apart its neighbours are.

    Attributes
    ----------
    axis : int
        Index into `Job.axes`.
    m : int
        Beats from a position to the next of that axis, at that point of the stream.
    runs : int
        How often that axis passes in a frame: the positions of the axes outside it there.
    accumulator : Accumulator
        The range of the partials of this stage.
    along : Axis
        What it pools along: that axis, or all as one where the kernel is global.
    """

    axis: int
    m: int
    runs: int
    accumulator: Accumulator
    along: Axis


@dataclass(frozen=True, init=False)
class Job(Frames):
    """A specification, a frame's shape and the lanes, with everything derived from them.

    Parameters
    ----------
    spec : PoolSpec
        What to compute.
    shape : tuple of int
        Channels, then the spatial lengths, rows before columns: ``(C, *size)``.
    lanes : int, optional
        Channels side by side in a beat; the channels, 8 at most, by default. More than
        there are channels works: the lanes beyond stand idle.

    Raises
    ------
    SpecError
        If `shape` or `lanes` is not what it must be, or `spec` does not work on it.

    Notes
    -----
    A frame's beats are in raster order, channel groups fastest: beat b is position
    b // fold and channel group b % fold.
    """

    spec: "PoolSpec"
    shape: tuple[int, ...]
    lanes: int

    def __init__(self, spec: "PoolSpec", shape: Sequence[int], lanes: int | None = None) -> None:
        object.__setattr__(self, "spec", spec)
        self._put_frame(shape, spec.ndim, lanes)
        object.__setattr__(self, "out_size", tuple(axis.outputs for axis in self.axes))
        _ = self.accumulator, self.bounds, self.index_out  # refuse now what cannot work

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The spatial axes, rows first."""
        return self.spec.axes(self.shape[1:])

    @cached_property
    def stages(self) -> tuple[StageShape, ...]:
        """The stages in stream order; axes along which pooling changes nothing have none.

        Axes that do not grow come first, columns before rows, then those that grow.
        Beat counts so fall and rise again, and the most is at an end. A global kernel takes
        all axes as one, as if it were the outermost: its store is one partial a channel.
        """
        positions = math.prod(self.size)
        if self.spec.adaptive == fields.GLOBAL and 1 < positions <= MOST_POSITIONS:
            whole = Axis.whole(positions)
            return (StageShape(0, self.fold, 1, self.spec.partial(positions), whole),)
        innermost_first = range(len(self.axes) - 1, -1, -1)
        order = [i for i in innermost_first if not self._grows(i)]
        order += [i for i in innermost_first if self._grows(i)]
        lengths = list(self.size)
        stages = []
        taps = 1
        for i in order:
            taps *= self.axes[i].most_taps
            if not self.axes[i].identity:
                m = self.fold * math.prod(lengths[i + 1 :])
                runs = math.prod(lengths[:i])
                stages.append(StageShape(i, m, runs, self.spec.partial(taps), self.axes[i]))
            lengths[i] = self.axes[i].outputs
        return tuple(stages)

    @property
    def cycles_bound(self) -> int:
        """The most cycles that a frame takes in the steady state, ready and valid always high.

        `limit_cycles`, but for two odd corners: where one axis shrinks while another grows, up
        to (No - N) * M more of the growing one each time that it passes; and where an axis'
        paddings together exceed the window's reach and its stride is above 1, up to
        `Axis.idle_bound` * M more each time.
        """
        extra = 0
        shrinks = any(axis.outputs < axis.length for axis in self.axes)
        for stage in self.stages:
            axis = stage.along
            growth = max(0, axis.outputs - axis.length) if shrinks else 0
            extra += (growth + axis.idle_bound) * stage.m * stage.runs
        return self.limit_cycles + extra

    @cached_property
    def accumulator(self) -> Accumulator:
        """The range of the exact partial values, through all stages."""
        return self.spec.accumulator(self.size)

    @cached_property
    def output(self) -> DType:
        """The type of what leaves: `out_dtype`, by default the input's.

        For a sum, "lp1" and "lp2" by default the narrowest that always holds it, of up to 64
        bits.
        """
        return self.spec.output(self.size)

    @property
    def input(self) -> DType:
        """The type of what comes in."""
        return self.spec.in_dtype

    @property
    def index_in(self) -> None:
        """None: no indices come in, as they do where `UnpoolJob` has it."""

    @cached_property
    def numbering(self) -> Numbering | None:
        """How the indices that leave are numbered; None where there are none."""
        base = self.spec.indices
        return None if base is None else Numbering.of(base, self.shape)

    @cached_property
    def index_out(self) -> DType | None:
        """The type of the indices that leave, those within a frame; None where there are none.

        Raises
        ------
        SpecError
            If an index could need more than 63 bits.
        """
        if self.numbering is None:
            return None
        if self.numbering.last.bit_length() > MOST_INDEX_BITS:
            raise SpecError(
                "shape",
                f"shape {self.shape} has indices of {self.numbering.last.bit_length()} bits;"
                f" a smaller one, for {MOST_INDEX_BITS}, would do.",
            )
        return DType.holding(0, self.numbering.last)

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The lowest and highest value that leaves: of `output`, and within `clamp`."""
        return self.spec.bounds(self.size)

    @cached_property
    def axis_divisors(self) -> tuple[tuple[int, ...], ...]:
        """Per axis the divisors of its windows; a window's divisor is their product."""
        return self.spec.axis_divisors(self.size)

    @cached_property
    def axis_taps(self) -> tuple[tuple[int, ...], ...]:
        """Per axis the real inputs of its windows; a window's are their product."""
        return self.spec.axis_taps(self.size)

    @cached_property
    def divisors(self) -> np.ndarray:
        """The divisor of every window: int64, of shape `out_size`, 1 where nothing is divided."""
        return _products(self.axis_divisors)

    @cached_property
    def taps(self) -> np.ndarray:
        """The real inputs of every window: int64, of shape `out_size`."""
        return _products(self.axis_taps)

    @cached_property
    def requantisation(self) -> Requantisation | None:
        """What is done to an exact sum besides division; None where nothing is."""
        return Requantisation.of(self.spec)

    @cached_property
    def divisor_constant(self) -> int | None:
        """The one divisor of all windows, or None where they differ."""
        if any(min(counts) != max(counts) for counts in self.axis_divisors):
            return None
        return math.prod(counts[0] for counts in self.axis_divisors)

    @cached_property
    def warnings(self) -> list[str]:
        """What works but may not be meant, a sentence each."""
        return self.spec.warnings(self.size)

    def _grows(self, i: int) -> bool:
        return self.axes[i].outputs > self.axes[i].length


def _products(per_axis: Sequence[Sequence[int]]) -> np.ndarray:
    """Return what each window has, the product of what the axes have: int64."""
    products = np.ones((1,) * len(per_axis), dtype=np.int64)
    for i, counts in enumerate(per_axis):
        along = [1] * len(per_axis)
        along[i] = len(counts)
        products = products * np.array(counts, dtype=np.int64).reshape(along)
    return products
