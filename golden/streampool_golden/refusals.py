"""The fields of a specification in their normal form, and what they may not say together."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .dtypes import DType, width
from .errors import SpecError, meaningless, shown
from .fields import GLOBAL, Clamp
from .operations import OPERATIONS, Operation, names


@dataclass(frozen=True)
class SpecFields:
    """What `PoolSpec` holds, of which it is the constructor; each refusal is one sentence."""

    op: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    ceil_mode: bool | str
    count_include_pad: bool
    divisor_override: int | None
    rounding: str
    dtype: str
    out_dtype: str | None
    clamp: Clamp | None
    saturate: bool
    ndim: int
    indices: str | None
    nan: str
    scale: Fraction
    zero_points: tuple[int, int]
    rounding_about: str
    adaptive: str | tuple[int | None, ...] | None
    layout: str | None = dataclasses.field(compare=False, repr=False)

    @property
    def in_dtype(self) -> DType:
        """The input's type."""
        return DType.of(self.dtype)

    @property
    def operation(self) -> Operation:
        """What a window is reduced to, as an entry of the table."""
        return OPERATIONS[self.op]

    @property
    def windows(self) -> str:
        """What says how large the windows are, for a sentence."""
        if self.adaptive is None:
            return f"kernel {self.kernel}"
        return f"{'kernel' if self.adaptive == GLOBAL else 'adaptive'} {self.adaptive}"

    def _check(self) -> None:
        """Refuse fields that cannot go together."""
        self._check_windows()
        out = DType.of(self.out_dtype or self.dtype)
        if self.in_dtype.is_float:
            self._check_floats()
        elif out.is_float:
            raise SpecError(
                "out_dtype",
                f"out_dtype {out} is a float, and dtype {self.dtype} is of integers;"
                " use an integer type.",
            )
        # else the type of a sum, or what it has to hold, is known with the size
        elif not self.operation.widens or (self.out_dtype is not None and self.kernel):
            self.check_holds(self.kernel, out)
        self._check_heeded()

    def _check_windows(self) -> None:
        """Refuse a kernel that is missing, or what has no meaning beside `adaptive`."""
        if self.adaptive is None:
            if not self.kernel:
                raise SpecError("kernel", "kernel is missing; use one, or adaptive instead.")
            return
        unpadded = ("valid", ((0, 0),) * self.ndim)
        for field, value, usual in (
            ("kernel", self.kernel, not self.kernel),
            ("stride", self.stride, not self.stride),
            ("padding", self.padding, self.padding in unpadded),
            ("dilation", self.dilation, set(self.dilation) == {1}),
            ("ceil_mode", self.ceil_mode, not self.ceil_mode),
        ):
            if not usual:
                raise meaningless(field, value, self.windows)

    def _check_floats(self) -> None:
        """Refuse what is for integers only, and what no accumulator is built for."""
        op, dtype, sums = self.op, self.in_dtype, not self.operation.selects
        if not self.operation.floats:
            raise SpecError(
                "dtype",
                f"dtype {dtype} has no op {op}, which is for integers; use an integer dtype.",
            )
        if sums and dtype.bits > 16:
            raise SpecError(
                "dtype",
                f"dtype {dtype} has no op {op}, whose exact sum would take"
                f" {self.operation.partial(dtype, 1).bits} bits and more;"
                " use float16 or bfloat16.",
            )
        rounding = self.rounding if sums else "half_even"
        integers = "an integer dtype"
        for field, value, usual, use in (
            ("rounding", rounding, ("half_even",), "half_even, as IEEE 754"),
            ("out_dtype", self.out_dtype, (None, self.dtype), f"{dtype}, as floats keep theirs"),
            ("saturate", self.saturate, (False,), integers),
            ("scale", self.scale, (1,), integers),
            ("zero_points", self.zero_points, ((0, 0),), integers),
        ):
            if value not in usual:
                raise meaningless(field, value, f"dtype {dtype}", use)

    def check_holds(self, kernel: Sequence[int], out: DType) -> None:
        """Refuse an output's type that does not hold the result, and a clamp outside of it."""
        dtype, clamp = self.in_dtype, self.clamp
        low, high = self.operation.result(dtype, math.prod(kernel), self.rounding)
        if not self.operation.mean and not self.saturate and not out.holds(low, high):
            fits = DType.holding(low, high).name if width(low, high) <= 64 else "a smaller kernel"
            raise SpecError(
                "out_dtype",
                f"out_dtype {out} does not hold every {self.op} of {dtype}"
                f" ({shown(low)} to {shown(high)}); use {fits} or saturate=True.",
            )
        if clamp is not None and not out.holds(*map(int, clamp)):
            raise SpecError(
                "clamp",
                f"clamp {clamp} must lie within {out} ({out.low} to {out.high});"
                " use bounds within it or a wider out_dtype.",
            )

    def _check_heeded(self) -> None:
        """Refuse what the operation would not heed, and a divisor that leaves no real root."""
        operation, divisor, zeros = self.operation, self.divisor_override, self.zero_points
        quantised = names(requantises=True)
        equal = ", two equal ones" if operation.selects else ""
        kept = operation.selects and zeros[0] == zeros[1]
        for field, value, usual, heeds, use in (
            ("divisor_override", divisor, None, operation.mean, names(mean=True)),
            ("indices", self.indices, None, operation.selects, names(selects=True)),
            ("scale", self.scale, 1, operation.requantises, quantised),
            ("zero_points", zeros, (0, 0), operation.requantises or kept, quantised + equal),
        ):
            if value != usual and not heeds:
                raise meaningless(field, value, f"op {self.op}", f"op {use}")
        if operation.root and (divisor or 1) < 0:
            raise SpecError(
                "divisor_override",
                f"divisor_override {divisor} would leave no real root for op {self.op};"
                " use a positive one.",
            )
