"""What a specification's fields may not say together, each refused in one sentence."""

import math
from collections.abc import Sequence
from fractions import Fraction

from . import fields
from .dtypes import DType, width
from .errors import SpecError, meaningless, shown
from .operations import OPERATIONS, names
from .ranges import partial_of, result_range


def check_windows(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: str | tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
    adaptive: str | tuple[int | None, ...] | None,
) -> None:
    """Refuse a kernel that is missing, or what has no meaning beside `adaptive`."""
    if adaptive is None:
        if not kernel:
            raise SpecError("kernel", "kernel is missing; use one, or adaptive instead.")
        return
    for name, value, usual in (
        ("kernel", kernel, not kernel),
        ("stride", stride, not stride),
        ("padding", padding, padding in ("valid", ((0, 0),) * len(dilation))),
        ("dilation", dilation, set(dilation) == {1}),
        ("ceil_mode", ceil_mode, not ceil_mode),
    ):
        if not usual:
            raise meaningless(name, value, windows(kernel, adaptive))


def windows(kernel: tuple[int, ...], adaptive: str | tuple[int | None, ...] | None) -> str:
    """Return what says how large the windows are, for a sentence."""
    if adaptive is None:
        return f"kernel {kernel}"
    return f"{'kernel' if adaptive == fields.GLOBAL else 'adaptive'} {adaptive}"


def check_heeded(
    op: str,
    divisor_override: int | None,
    indices: str | None,
    scale: Fraction,
    zero_points: tuple[int, int],
) -> None:
    """Refuse what the operation would not heed, and a divisor that leaves no real root."""
    operation = OPERATIONS[op]
    quantised = names(requantises=True)
    equal = ", two equal ones" if operation.selects else ""
    kept = operation.selects and zero_points[0] == zero_points[1]
    for field, value, usual, heeds, use in (
        ("divisor_override", divisor_override, None, operation.mean, names(mean=True)),
        ("indices", indices, None, operation.selects, names(selects=True)),
        ("scale", scale, 1, operation.requantises, quantised),
        ("zero_points", zero_points, (0, 0), operation.requantises or kept, quantised + equal),
    ):
        if value != usual and not heeds:
            raise meaningless(field, value, f"op {op}", f"op {use}")
    if operation.root and (divisor_override or 1) < 0:
        raise SpecError(
            "divisor_override",
            f"divisor_override {divisor_override} would leave no real root for op {op};"
            " use a positive one.",
        )


def check_floats(
    op: str,
    dtype: DType,
    rounding: str,
    out_dtype: str | None,
    clamp: tuple[int, int] | None,
    saturate: bool,
    scale: Fraction,
    zero_points: tuple[int, int],
) -> None:
    """Refuse what is for integers only, and what no accumulator is built for."""
    operation = OPERATIONS[op]
    if not operation.floats:
        raise SpecError(
            "dtype",
            f"dtype {dtype} has no op {op}, which is for integers; use an integer dtype.",
        )
    sums = not operation.selects
    if sums and dtype.bits > 16:
        raise SpecError(
            "dtype",
            f"dtype {dtype} has no op {op}, whose exact sum would take"
            f" {partial_of(operation, dtype, 1).bits} bits and more;"
            " use float16 or bfloat16.",
        )
    if sums and rounding != "half_even":
        raise meaningless("rounding", rounding, f"dtype {dtype}", "half_even, as IEEE 754 has it")
    if out_dtype not in (None, dtype.name):
        raise meaningless(
            "out_dtype", out_dtype, f"dtype {dtype}", f"{dtype}, as floats keep their type"
        )
    for field, value, usual in (
        ("clamp", clamp, None),
        ("saturate", saturate, False),
        ("scale", scale, 1),
        ("zero_points", zero_points, (0, 0)),
    ):
        if value != usual:
            raise meaningless(field, value, f"dtype {dtype}", "an integer dtype")


def check_holds(
    op: str,
    dtype: DType,
    kernel: Sequence[int],
    rounding: str,
    out: DType,
    clamp: tuple[int, int] | None,
    saturate: bool,
) -> None:
    """Refuse an output's type that does not hold the result, and a clamp outside of it."""
    operation = OPERATIONS[op]
    low, high = result_range(operation, dtype, math.prod(kernel), rounding)
    if not operation.mean and not saturate and not out.holds(low, high):
        fits = DType.holding(low, high).name if width(low, high) <= 64 else "a smaller kernel"
        raise SpecError(
            "out_dtype",
            f"out_dtype {out} does not hold every {op} of {dtype}"
            f" ({shown(low)} to {shown(high)}); use {fits} or saturate=True.",
        )
    if clamp is not None and not out.holds(*clamp):
        raise SpecError(
            "clamp",
            f"clamp {clamp} must lie within {out} ({out.low} to {out.high});"
            " use bounds within it or a wider out_dtype.",
        )
