"""What a specification's fields may not say together, each refused in one sentence."""

import math
from typing import TYPE_CHECKING

from . import fields
from .dtypes import DType, width
from .errors import SpecError, shown

if TYPE_CHECKING:
    from .spec import PoolSpec


def check_windows(spec: "PoolSpec") -> None:
    """Refuse a kernel that is missing, or what has no meaning beside `adaptive`."""
    if spec.adaptive is None:
        if not spec.kernel:
            raise SpecError("kernel", "kernel must be given, or adaptive, and is None.")
        return
    for name, usual in (
        ("kernel", not spec.kernel),
        ("stride", not spec.stride),
        ("padding", spec.padding in ("valid", ((0, 0),) * spec.ndim)),
        ("dilation", set(spec.dilation) == {1}),
        ("ceil_mode", not spec.ceil_mode),
    ):
        if not usual:
            raise SpecError(
                name,
                f"{name} {shown(getattr(spec, name))} has no meaning with"
                f" {windows(spec)}, which says it all; leaving it out would do.",
            )


def windows(spec: "PoolSpec") -> str:
    """Return what says how large the windows are, for a sentence."""
    if spec.adaptive is None:
        return f"kernel {spec.kernel}"
    word = "kernel" if spec.adaptive == fields.GLOBAL else "adaptive"
    return f"{word} {spec.adaptive}"


def check_divisor(spec: "PoolSpec") -> None:
    """Refuse a divisor where nothing is divided, and one that leaves no real root."""
    if spec.op not in fields.MEANS and spec.divisor_override is not None:
        raise SpecError(
            "divisor_override",
            f"divisor_override {spec.divisor_override} has no meaning with op {spec.op};"
            " op avg, l2 or None would do.",
        )
    if spec.op == "l2" and (spec.divisor_override or 1) < 0:
        raise SpecError(
            "divisor_override",
            f"divisor_override {spec.divisor_override} would leave no real root for op l2;"
            " a positive one would do.",
        )


def check_indices(spec: "PoolSpec") -> None:
    """Refuse indices of what is not one of the inputs."""
    if spec.op not in ("max", "min") and spec.indices is not None:
        raise SpecError(
            "indices",
            f"indices {spec.indices} has no meaning with op {spec.op};"
            " op max, min or None would do.",
        )


def check_floats(spec: "PoolSpec") -> None:
    """Refuse what is for integers only, and what no accumulator is built for."""
    if spec.op in ("l2", "lp1", "lp2"):
        raise SpecError(
            "dtype",
            f"dtype {spec.dtype} has no op {spec.op}, which is for integers;"
            " an integer dtype would do.",
        )
    sums = spec.op in ("avg", "sum")
    if sums and spec.dtype == "float32":
        raise SpecError(
            "dtype",
            f"dtype float32 has no op {spec.op}, whose exact sum would take"
            f" {spec.partial(1).bits} bits and more; float16 or bfloat16 would do.",
        )
    if sums and spec.rounding != "half_even":
        raise SpecError(
            "rounding",
            f"rounding {spec.rounding} is for integers, and {spec.dtype} rounds to nearest,"
            " ties to even, as IEEE 754 has it; half_even or None would do.",
        )
    if spec.out_dtype not in (None, spec.dtype):
        raise SpecError(
            "out_dtype",
            f"out_dtype {spec.out_dtype} is not the input's {spec.dtype}, and floats keep"
            " their type; None would do.",
        )
    for field, value, nothing in (
        ("clamp", spec.clamp, None),
        ("saturate", spec.saturate, False),
        ("scale", spec.scale, 1),
        ("zero_points", spec.zero_points, (0, 0)),
    ):
        if value != nothing:
            raise SpecError(
                field,
                f"{field} {value} is for integers, and has no meaning with dtype {spec.dtype};"
                f" {nothing} or an integer dtype would do.",
            )


def check_output(spec: "PoolSpec") -> None:
    """Refuse an out_dtype that does not hold the result, and a clamp outside of it."""
    sums = spec.op in ("sum", "lp1", "lp2")
    if sums and (spec.out_dtype is None or not spec.kernel):
        return  # the type, or what it has to hold, is known with the size
    check_holds(spec, math.prod(spec.kernel))


def check_holds(spec: "PoolSpec", taps: int) -> None:
    """Do as `check_output`, for sums of so many taps."""
    low, high = spec.range_of(taps)
    out = DType.of(spec.out_dtype or spec.dtype)
    if spec.op not in fields.MEANS and not spec.saturate and not out.holds(low, high):
        fits = DType.holding(low, high).name if width(low, high) <= 64 else "a smaller kernel"
        raise SpecError(
            "out_dtype",
            f"out_dtype {out} does not hold every {spec.op} of {spec.dtype}"
            f" ({shown(low)} to {shown(high)}); {fits} or saturate=True would do.",
        )
    if spec.clamp is not None and not out.holds(*spec.clamp):
        raise SpecError(
            "clamp",
            f"clamp {spec.clamp} must lie within {out} ({out.low} to {out.high});"
            " bounds within it or a wider out_dtype would do.",
        )


def check_quantisation(spec: "PoolSpec") -> None:
    """Refuse a scale or zero points that the operation would not heed."""
    if spec.op == "avg":
        return
    if spec.scale != 1:
        raise SpecError(
            "scale",
            f"scale {spec.scale} has no meaning with op {spec.op}; op avg or 1 would do.",
        )
    kept = spec.op in ("max", "min") and spec.zero_points[0] == spec.zero_points[1]
    if not kept and spec.zero_points != (0, 0):
        equal = ", equal ones" if spec.op in ("max", "min") else ""
        raise SpecError(
            "zero_points",
            f"zero_points {spec.zero_points} have no meaning with op {spec.op};"
            f" op avg{equal} or (0, 0) would do.",
        )
