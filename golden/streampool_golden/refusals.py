"""What a specification's fields may not say together, each refused in one sentence."""

import math
from collections.abc import Sequence
from fractions import Fraction

from . import fields
from .dtypes import DType, width
from .errors import SpecError, shown
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
            raise SpecError(
                name,
                f"{name} {shown(value)} has no meaning with"
                f" {windows(kernel, adaptive)}, which says it all; leave it out.",
            )


def windows(kernel: tuple[int, ...], adaptive: str | tuple[int | None, ...] | None) -> str:
    """Return what says how large the windows are, for a sentence."""
    if adaptive is None:
        return f"kernel {kernel}"
    return f"{'kernel' if adaptive == fields.GLOBAL else 'adaptive'} {adaptive}"


def check_divisor(op: str, divisor_override: int | None) -> None:
    """Refuse a divisor where nothing is divided, and one that leaves no real root."""
    operation = OPERATIONS[op]
    if not operation.mean and divisor_override is not None:
        raise SpecError(
            "divisor_override",
            f"divisor_override {divisor_override} has no meaning with op {op};"
            f" use op {names(mean=True)}, or leave divisor_override out.",
        )
    if operation.root and (divisor_override or 1) < 0:
        raise SpecError(
            "divisor_override",
            f"divisor_override {divisor_override} would leave no real root for op {op};"
            " use a positive one.",
        )


def check_indices(op: str, indices: str | None) -> None:
    """Refuse indices of what is not one of the inputs."""
    if not OPERATIONS[op].selects and indices is not None:
        raise SpecError(
            "indices",
            f"indices {indices} has no meaning with op {op};"
            f" use op {names(selects=True)}, or leave indices out.",
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
        raise SpecError(
            "rounding",
            f"rounding {rounding} is for integers, and {dtype} rounds to nearest,"
            " ties to even, as IEEE 754 has it; use half_even, or leave rounding out.",
        )
    if out_dtype not in (None, dtype.name):
        raise SpecError(
            "out_dtype",
            f"out_dtype {out_dtype} is not the input's {dtype}, and floats keep"
            f" their type; use {dtype}, or leave out_dtype out.",
        )
    for field, value, usual in (
        ("clamp", clamp, None),
        ("saturate", saturate, False),
        ("scale", scale, 1),
        ("zero_points", zero_points, (0, 0)),
    ):
        if value != usual:
            raise SpecError(
                field,
                f"{field} {value} is for integers, and has no meaning with dtype {dtype};"
                f" use an integer dtype, or leave {field} out.",
            )


def check_integers(dtype: DType, out: DType) -> None:
    """Refuse floats that leave for integers."""
    if out.is_float:
        raise SpecError(
            "out_dtype",
            f"out_dtype {out} is a float, and dtype {dtype} is of integers; use an integer type.",
        )


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


def check_quantisation(op: str, scale: Fraction, zero_points: tuple[int, int]) -> None:
    """Refuse a scale or zero points that the operation would not heed."""
    operation = OPERATIONS[op]
    if operation.requantises:
        return
    takes = names(requantises=True)
    if scale != 1:
        raise SpecError(
            "scale",
            f"scale {scale} has no meaning with op {op}; use op {takes}, or leave scale out.",
        )
    kept = operation.selects and zero_points[0] == zero_points[1]
    if not kept and zero_points != (0, 0):
        equal = ", two equal ones" if operation.selects else ""
        raise SpecError(
            "zero_points",
            f"zero_points {zero_points} have no meaning with op {op};"
            f" use op {takes}{equal}, or leave zero_points out.",
        )
