"""Poolings of quantised values: between QDQ nodes, onnxruntime's own, and QONNX's."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from streampool_golden import OPERATIONS, DType, PoolSpec, float32_ratio, preset
from streampool_golden.fields import GLOBAL

from .attributes import INT, STRING
from .grids import (
    Grid,
    channels_only,
    ends,
    grid_before,
    grid_behind,
    integer_type,
    only_user,
    rounding_of,
)
from .shapes import QONNX
from .sites import Found, Site, Unfit, Unsized


def on_grid(site: Site, op: str, fields: dict[str, Any], last: bool, more: Any) -> Found | None:
    """Return a pooling of values on a grid as one of their integers.

    None where there is no grid, or where what an average gives is put on none.
    """
    grid = grid_before(site)
    if grid is None:
        return None
    lengths = site.value.lengths
    if lengths is None:
        raise Unsized
    channels_only(grid, site, len(lengths), last=last)
    behind = grid_behind(site)
    operation = OPERATIONS[op]
    fields = fields | {"dtype": grid.dtype}
    targets = more.pop("targets", (site.output(0),))
    affine = None
    if operation.selects:
        if grid.axis is None:
            zero = int(grid.affine.zero_point[0])
            fields["zero_points"] = (zero, zero)
        if behind is not None and grid.same(behind):
            targets = (behind.value, *targets[1:])
        affine = None if targets[0] != site.output(0) and not grid.reals else grid.affine
    elif behind is None:
        found = _truncated(site, op, fields, grid, last)
        if found is None:
            return None
        fields, target, affine = found
        targets = (target,)
    else:
        targets = (behind.value,)
        affine = behind.affine if behind.reals else None
        fields |= {"out_dtype": behind.dtype, "rounding": behind.rounding, "clamp": behind.clamp}
        scale_in, scale_out, zero_in, zero_out = ends((grid, behind), op)
        if operation.requantises:
            fields["scale"] = float32_ratio(scale_in, scale_out)
            fields |= {"zero_points": (zero_in, zero_out), "rounding_about": behind.about}
        elif scale_in != scale_out or zero_in or zero_out:
            raise Unfit(
                f"its input and output have scales {scale_in:.6g} and {scale_out:.6g} and zero"
                f" points {zero_in} and {zero_out}; a core of {op} has the same scale and 0"
            )
        else:
            fields["saturate"] = True
    layer = site.layer(PoolSpec(op, **fields), site.shape(last=last))
    return site.found(
        layer,
        source=grid.value,
        targets=targets,
        last=last,
        affine=affine,
        affine_in=grid.affine if grid.reals else None,
        **more,
    )


def _truncated(
    site: Site, op: str, fields: dict[str, Any], grid: Grid, last: bool
) -> tuple[dict[str, Any], str, Any] | None:
    """Return an average whose lowest bits QONNX's Trunc drops, as Brevitas exports it.

    The average is multiplied by the kernel's taps first, which makes it the sum.
    """
    if not OPERATIONS[op].requantises:
        return None
    name, factor = site.output(0), 1
    user = only_user(site, name)
    if user is not None and user.op_type == "Mul":
        value = site.scope.constant(user.input[1])
        if value is None or value.size != 1 or not float(value.ravel()[0]).is_integer():
            return None
        name, factor = user.output[0], int(value.ravel()[0])
        user = only_user(site, name)
    if user is None or user.domain not in QONNX or user.op_type != "Trunc":
        return None
    trunc = Site(user, site.scope)
    given = trunc.checked({"rounding_mode": STRING, "narrow": INT, "signed": INT})
    constants = [trunc.scope.constant(each) for each in user.input[1:]]
    if len(constants) not in (4, 5) or any(each is None or each.size != 1 for each in constants):
        raise Unfit(
            f"the Trunc {user.name} has a scale, zero point or width that is not one constant"
        )
    numbers = [float(each.ravel()[0]) for each in constants if each is not None]
    rounding = rounding_of(trunc, given.get("rounding_mode", "FLOOR"))
    if grid.affine.scale.size != 1 or np.float32(numbers[0]) != grid.affine.scale[0]:
        raise Unfit(f"the Trunc {user.name} has another scale than the values that are pooled")
    if numbers[1] or grid.affine.zero_point.any():
        raise Unfit(f"the Trunc {user.name} has a zero point; a core drops bits of values about 0")
    taps = _taps(site, fields, last)
    if taps is None or (factor != taps and taps > 1):
        raise Unfit(
            f"the Trunc {user.name} rounds an average twice; multiply it by its kernel's taps"
            " first, as Brevitas does"
        )
    low, high = (each * taps for each in (DType.of(grid.dtype).low, DType.of(grid.dtype).high))
    if len(numbers) == 4:  # the first version: nothing is bounded
        shift, scale_out = numbers[2] - numbers[3], numbers[0]
        out = DType.holding((low >> max(int(shift), 0)) - 1, (high >> max(int(shift), 0)) + 1).name
        clamp = None
    else:
        shift, scale_out = math.log2(numbers[3] / numbers[0]), numbers[3]
        signed, narrow = bool(given.get("signed", 1)), bool(given.get("narrow", 0))
        out = integer_type(trunc, np.array(numbers[4]), signed)
        of = DType.of(out)
        clamp = (of.low + (narrow and signed), of.high - (narrow and not signed))
    if not float(shift).is_integer() or shift < 0:
        raise Unfit(f"the Trunc {user.name} drops {shift:g} bits; a core drops a whole number")
    affine = type(grid.affine)(
        np.array([scale_out], np.float32), np.zeros(1, np.int64), np.dtype(DType.of(out).numpy)
    )
    more = {"divisor_override": 1 << int(shift), "rounding": rounding, "clamp": clamp}
    return fields | more | {"out_dtype": out}, user.output[0], affine


def _taps(site: Site, fields: dict[str, Any], last: bool) -> int | None:
    """Return the taps of every window; None where windows have different ones."""
    if fields.get("kernel") == GLOBAL:
        shape = site.shape(last=last)
        if shape is None:
            raise Unsized
        return math.prod(shape[1:])
    padded = any(map(any, fields.get("padding", ())))
    if fields["ceil_mode"] or (padded and not fields["count_include_pad"]):
        return None
    return math.prod(fields["kernel"])


Windows = Callable[..., dict[str, Any]]


def qlinear_average(site: Site, windows: Windows, whole: Windows) -> Found:
    """Return onnxruntime's QLinearAveragePool or QLinearGlobalAveragePool."""
    last = bool(site.attributes.get("channels_last", 0))
    shape = site.shape(last=last)
    dtype = site.dtype
    if shape is None or dtype is None:
        raise Unsized
    numbers = []
    for k in range(1, 5):
        value = site.scope.constant(site.input(k)) if site.input(k) else np.zeros(1)
        if value is None or value.size != 1:
            raise Unfit("its scales and zero points are not one constant each")
        numbers.append(value.ravel()[0])
    fields: dict[str, Any] = {"dtype": dtype, "size": shape[1:]}
    fields["scales"] = (float(numbers[0]), float(numbers[2]))
    fields["zero_points"] = (int(numbers[1]), int(numbers[3]))
    if "Global" in site.op:
        spec = preset("onnxruntime-qlinear", "avg", **whole(site), **fields)
    else:
        made = windows(site, last=last)
        del made["dilation"]
        counted = bool(site.attributes.get("count_include_pad", 0))
        spec = preset("onnxruntime-qlinear", "avg", **made, **fields, count_include_pad=counted)
    return site.found(site.layer(spec, shape), last=last)


def nhwc_max_pool(site: Site, windows: Windows, whole: Windows) -> Found:
    """Return onnxruntime's NhwcMaxPool."""
    shape, dtype = site.shape(last=True), site.dtype
    if shape is None or dtype is None:
        raise Unsized
    spec = PoolSpec("max", **windows(site, last=True), dtype=dtype)
    return site.found(site.layer(spec, shape), last=True)


CONTRIB_POOLS: dict[str, Callable[[Site, Windows, Windows], Found]] = {
    "QLinearAveragePool": qlinear_average,
    "QLinearGlobalAveragePool": qlinear_average,
    "NhwcMaxPool": nhwc_max_pool,
}
