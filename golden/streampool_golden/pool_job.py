"""A specification on a frame of one size and a number of lanes: all that follows from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from . import fields, floats
from .arrays import checked
from .columns import ColumnAxis, check_columns, windows_out
from .dtypes import DType
from .errors import SpecError
from .geometry import (
    AXIS_NAMES,
    Axis,
    UnevenAxis,
    doubts,
    first_of_largest,
    products,
    reduced,
)
from .job import Field, Job, Numbering
from .layers import specification
from .operations import MOST_BITS_EXACT, Accumulator, Operation
from .rounding import Requantisation, round_div, round_root
from .spec import PoolSpec
from .stages import StageShape, stages

MOST_INDEX_BITS = 63  # so that NumPy's int64 holds it


@dataclass(frozen=True, init=False)
class PoolJob(Job):
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
    columns : int, optional
        Adjacent columns, or steps, side by side in a beat in.
    columns_out : int, optional
        Windows side by side in a beat out: by default the fewest with which a row leaves as fast
        as it comes, ``columns / stride`` where the stride divides the columns.

    Raises
    ------
    SpecError
        If a parameter is not what it must be, or `spec` does not work on `shape`: there would
        be no output, a window would see no real input, or a sum could need more than 63 bits.
    """

    spec: PoolSpec
    shape: tuple[int, ...]
    lanes: int
    columns: int
    columns_out: int

    def __init__(
        self,
        spec: PoolSpec,
        shape: Sequence[int],
        lanes: int | None = None,
        columns: int = 1,
        columns_out: int | None = None,
    ) -> None:
        spec = specification(spec)
        self._put(spec=spec, op=spec.op, kind=f"{spec.op} pooling")
        self._put_frame(shape, spec.ndim, lanes)
        self._put(out_size=tuple(axis.outputs for axis in self.axes))
        columns = check_columns("columns", columns, self.size[-1])
        if columns_out is not None:
            columns_out = check_columns("columns_out", columns_out, self.out_size[-1])
        if isinstance(self.axes[-1], UnevenAxis) and (columns > 1 or (columns_out or 1) > 1):
            field = "columns" if columns > 1 else "columns_out"
            raise SpecError(
                field,
                f"{field} {max(columns, columns_out or 1)} a beat need windows of one length, and"
                f" adaptive {spec.adaptive} has two on {self.size[-1]}; use columns 1, or a"
                f" size that divides {self.size[-1]}.",
            )
        columns_out = windows_out(self.axes[-1], columns, columns_out)
        self._put(columns=columns, columns_out=columns_out)
        _ = self.accumulator, self.bounds, self.index_out  # refuse now what cannot work

    def __repr__(self) -> str:
        given = f"spec={self.spec!r}, shape={self.shape!r}, lanes={self.lanes!r}"
        if self.has_columns:
            given += f", columns={self.columns}, columns_out={self.columns_out}"
        return f"PoolJob({given})"

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The spatial axes, rows first."""
        return _axes(self.spec, self.size)

    @cached_property
    def stages(self) -> tuple[StageShape, ...]:
        """The stages in stream order; axes along which pooling changes nothing have none.

        Axes that do not grow come first, columns before rows, then those that grow, rows before
        columns. Beat counts so fall and rise again, the most is at an end, and each store is of
        the fewest words. (Where `equals_differ`, columns come before rows among the latter, too: a
        place beside each partial would take more.) A global kernel takes all axes as one, as if it
        were the outermost: its store is one partial per channel.
        """
        return stages(
            *(self.axes, self._column_axis, self.fold, self.partial),
            whole=self.spec.adaptive == fields.GLOBAL,
            row_major=self.equals_differ,
        )

    @property
    def equals_differ(self) -> bool:
        """Whether a window selects one of equal values that differ, as zeros of floats do."""
        return self.input.is_float and self.operation.selects is not None

    @cached_property
    def _column_axis(self) -> ColumnAxis | None:
        """The innermost axis in beats, where one holds several columns."""
        axis = ColumnAxis(self.axes[-1], self.columns, self.columns_out)
        return axis if self.has_columns else None

    @property
    def cycles_bound(self) -> int:
        """The most cycles that a frame takes in the steady state, ready and valid always high.

        `limit_cycles`, but for a few odd corners: where one axis shrinks while another grows, up
        to (No - N) * M more of the growing one each time that it passes; where an axis'
        paddings together exceed the window's reach and its stride is above 1, up to
        `Axis.idle_bound` * M more each time; and, with several columns a beat, up to
        `ColumnAxis.idle_bound` * M more for each row.
        """
        extra = 0
        shrinks = any(stage.growth < 0 for stage in self.stages)
        for stage in self.stages:
            growth = max(0, stage.growth) if shrinks else 0
            extra += (growth + stage.idle_bound) * stage.m * stage.runs
        return self.limit_cycles + extra

    @property
    def operation(self) -> Operation:
        """What a window is reduced to, as an entry of the table."""
        return self.spec.operation

    def partial(self, taps: int) -> Accumulator:
        """Return the range of the exact reduction of up to `taps` inputs."""
        return self.operation.partial(self.input, taps)

    @cached_property
    def accumulator(self) -> Accumulator:
        """The range of the exact partial values, through all stages: of 63 bits at most."""
        exact = self.partial(self.most_taps)
        if exact.bits > MOST_BITS_EXACT and not self.input.is_float:
            raise SpecError(
                self.spec.windows.partition(" ")[0],
                f"{self.spec.windows} sums {self.most_taps} {self.operation.terms} of {self.input},"
                f" which takes {exact.bits} bits;"
                f" use a smaller kernel or narrower dtype, for {MOST_BITS_EXACT}.",
            )
        return exact

    @cached_property
    def most_taps(self) -> int:
        """The most real inputs that a window has."""
        return math.prod(axis.most_taps for axis in self.axes)

    @property
    def output(self) -> DType:
        """The type of what leaves: see `PoolSpec`'s `out_dtype`."""
        if self.spec.out_dtype is not None:
            return DType.of(self.spec.out_dtype)
        if not self.operation.widens or self.input.is_float:
            return self.input
        _ = self.accumulator  # refuses what is too wide
        result = self.operation.result(self.input, self.most_taps, self.spec.rounding)
        return DType.holding(*result)

    @property
    def fields_in(self) -> tuple[Field, ...]:
        """Per lane a value."""
        return (Field("data", self.spec.in_dtype, self.spec.in_dtype),)

    @property
    def fields_out(self) -> tuple[Field, ...]:
        """Per lane a value, and its index where there are indices."""
        data = Field("data", self.output, self.output)
        index = self.index_out
        return (data,) if index is None else (data, Field("index", index, index))

    @cached_property
    def numbering(self) -> Numbering | None:
        """How the indices that leave are numbered; None where there are none."""
        base = self.spec.indices
        return None if base is None else Numbering.of(base, self.shape)

    @property
    def index_step(self) -> int:
        """What a frame adds to the indices that leave: something with ONNX's bases alone."""
        return 0 if self.numbering is None else self.numbering.frame

    @cached_property
    def index_out(self) -> DType | None:
        """The type of the indices that leave, those within a frame; None where there are none."""
        if self.numbering is None:
            return None
        bits = self.numbering.last.bit_length()
        if bits > MOST_INDEX_BITS:
            raise SpecError(
                "shape",
                f"shape {self.shape} has indices of {bits} bits;"
                f" use a smaller one, for {MOST_INDEX_BITS}.",
            )
        return DType.holding(0, self.numbering.last)

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The lowest and highest value that leaves: of `output`, and within `clamp`.

        Of floats those of their bits, whatever `clamp` says.
        Refused where they have no value in common, or where an `out_dtype` does not hold what
        only the size says how many taps there are of.
        """
        spec, out = self.spec, self.output
        if out.is_float:
            return out.low, out.high
        if spec.out_dtype is not None and not spec.kernel:
            spec.check_holds([axis.most_taps for axis in self.axes], out)
        low, high = map(int, spec.clamp or (out.low, out.high))
        if high < out.low or low > out.high:
            raise SpecError(
                "clamp",
                f"clamp {spec.clamp} shares no value with {out} ({out.low} to {out.high}),"
                " which holds every sum; use bounds within it or an out_dtype.",
            )
        return max(low, out.low), min(high, out.high)

    @cached_property
    def axis_divisors(self) -> tuple[tuple[int, ...], ...]:
        """Per axis the divisors of its windows; a window's divisor is their product.

        1 everywhere for what is no mean.
        """
        if self.operation.mean and self.spec.divisor_override is None:
            # an adaptive axis has padding only where that says which inputs a window has
            padded = self.spec.count_include_pad and self.spec.adaptive is None
            return tuple(axis.counts(padded) for axis in self.axes)
        whole = self.spec.divisor_override or 1
        return tuple(((1 if i else whole),) * axis.outputs for i, axis in enumerate(self.axes))

    @cached_property
    def axis_taps(self) -> tuple[tuple[int, ...], ...]:
        """Per axis the real inputs of its windows; a window's are their product."""
        return tuple(axis.counts(False) for axis in self.axes)

    @cached_property
    def divisors(self) -> np.ndarray:
        """The divisor of every window: 1 where nothing is divided; see `products`."""
        return products(self.axis_divisors)

    @cached_property
    def requantisation(self) -> Requantisation | None:
        """What is done to an exact sum besides division; None where nothing is."""
        spec = self.spec
        if not self.operation.requantises or (spec.scale == 1 and spec.zero_points == (0, 0)):
            return None
        zero_in, zero_out = spec.zero_points
        ends = (zero_out, 0) if spec.rounding_about == "raw" else (0, zero_out)
        return Requantisation(spec.scale.numerator, spec.scale.denominator, zero_in, *ends)

    @cached_property
    def divisor_constant(self) -> int | None:
        """The one divisor of all windows, or None where they differ."""
        if any(min(counts) != max(counts) for counts in self.axis_divisors):
            return None
        return math.prod(counts[0] for counts in self.axis_divisors)

    @property
    def warnings(self) -> list[str]:
        """What works but may not be meant, a sentence each."""
        return [] if self.spec.adaptive is not None else doubts(self.axes)

    def to_json(self) -> dict[str, Any]:
        """Return the specification's fields."""
        return self.spec.to_json()

    def reference(self, *arrays: Any) -> tuple[np.ndarray, ...]:
        """Return the values of frames in pooled, and their indices where there are indices."""
        (x,) = arrays
        x = checked(self.input, self._frames("x", x))
        values = self.pooled(x)
        return (values,) if self.numbering is None else (values, self.indices(x))

    def pooled(self, x: np.ndarray) -> np.ndarray:
        """Return the windows of an array, of the input's container, whose last axes are spatial.

        Exact, rounded once, then saturated and clamped; in the output's container. Floats are
        as `floats.chosen` and `floats.mean` say.
        """
        spec, operation = self.spec, self.operation
        if self.input.is_float:
            return self._pooled_floats(x)
        if operation.before is not None:
            x = operation.before(x.astype(np.int64))
        terms = operation.term_range(self.input.low, self.input.high)
        identity = operation.reduction.identity(*terms)
        start = np.array(identity, x.dtype if operation.selects else np.int64)
        x = reduced(operation.reduction.combine, x, self.axes, start)
        low, high = self.bounds
        if operation.root:
            x = round_root(x, self.divisors, spec.rounding, operation.root)
        elif self.requantisation is not None:
            x = np.clip(self._requantised(x, self.requantisation), low, high)
        elif operation.mean:
            x = round_div(x, self.divisors, spec.rounding)
        if x.dtype == object:  # a divisor or quotient of more than 64 bits
            x = np.clip(x, low, high)
        elif low > (held := np.iinfo(x.dtype)).min or high < held.max:
            x = np.clip(x.astype(np.int64), low, min(high, np.iinfo(np.int64).max))
        return x.astype(self.output.numpy, copy=False)

    def _pooled_floats(self, x: np.ndarray) -> np.ndarray:
        if self.operation.selects:
            order, axes = self._order(x), len(self.axes)
            x = floats.chosen(x, order, axes, least=self._least, nan=self.spec.nan)
        else:
            x = floats.mean(x, self.axes, self.divisors)
        return x if self.spec.clamp is None else floats.clamped(x, *self.spec.clamp)

    def indices(self, x: np.ndarray) -> np.ndarray:
        """Return where the windows' largest or smallest are, within a frame: int64.

        `x` is as `pooled` takes it, with an axis of channels.
        """
        assert self.numbering is not None
        numbers = self.numbering.numbers(np.unravel_index(self._order(x), self.size))
        channels = np.arange(self.shape[0]).reshape(-1, *(1,) * len(self.axes))
        return numbers + channels * self.numbering.channel

    @property
    def _least(self) -> bool:
        return self.operation.selects == "smallest"

    def _order(self, x: np.ndarray) -> np.ndarray:
        """Return the row-major position in its plane of what each window selects."""
        if self.input.is_float:
            keys = floats.keys(x, len(self.axes), least=self._least, nan=self.spec.nan)
        else:
            keys = ~x.astype(np.int64) if self._least else x.astype(np.int64)
        return first_of_largest(keys, self.axes)

    def _requantised(self, sums: np.ndarray, how: Requantisation) -> np.ndarray:
        """Return exact sums as averages of quantised values, of any width."""
        arrays = (sums, self.divisors, products(self.axis_taps))
        sums, divisors, taps = (array.astype(object) for array in arrays)
        over = how.factor * sums + how.offset(divisors, taps)
        return round_div(over, how.below * divisors, self.spec.rounding) + how.after


@lru_cache(maxsize=1024)
def _axes(spec: PoolSpec, size: tuple[int, ...]) -> tuple[Axis, ...]:
    """Return the axes of a specification on frames of a size, computed once."""
    names = AXIS_NAMES[len(size)]
    if spec.adaptive is not None:
        wanted = (1,) * len(size) if isinstance(spec.adaptive, str) else spec.adaptive
        return tuple(
            Axis.to_size(n, n if outputs is None else outputs, name)
            for n, outputs, name in zip(size, wanted, names, strict=True)
        )
    paddings = fields.spread(spec.padding, len(size))
    # Caffe keeps the last window, whatever it sees, where there is no padding at all
    keeps = spec.ceil_mode == fields.CAFFE and spec.padding in ("valid", ((0, 0),) * len(size))
    per_axis = zip(size, spec.kernel, spec.stride, paddings, spec.dilation, names, strict=True)
    return tuple(
        Axis.resolve(n, k, s, p, d, bool(spec.ceil_mode), name, keeps_last=keeps)
        for n, k, s, p, d, name in per_axis
    )
