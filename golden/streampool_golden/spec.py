"""`PoolSpec`: what a pooling job computes, as validated data."""

import dataclasses
import json
import math
from collections.abc import Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any, SupportsIndex

import numpy as np

from . import fields
from .dtypes import DType
from .errors import meaningless, refuse_unknown, shown, wrong
from .operations import OPERATIONS
from .refusals import SpecFields

PerAxis = SupportsIndex | Sequence[SupportsIndex]
Padding = str | PerAxis | Sequence[Sequence[SupportsIndex]]

MOST_BITS_IN = 32


class PoolSpec(SpecFields):
    """A pooling job, whatever the frame's size: validated, frozen, hashable.

    Sizes are rows x columns (or planes x rows x columns), as torch's tuples. Every field reads
    back in its normal form: tuples of one value per axis, padding a name or pairs, types by
    name.

    Parameters
    ----------
    op : {"max", "min", "avg", "sum", "l2", "lp1", "lp2", "lp3", "lp4", "gem3", "gem4"}
        What a window is reduced to; "l2" is the root of the mean of squares, "lp1" the sum of
        absolute values, and "lp2" to "lp4" the root of the sum of their squares, cubes or fourth
        powers. "gem3" and "gem4" (generalised mean) are the root of these powers' mean. Padding
        never wins a maximum or minimum and adds nothing to a sum.
    kernel : int, tuple of int or "global"
        Taps of a window. A tuple here or below has one value per axis and fixes `ndim`.
        ``"global"`` takes all positions of a frame, whatever its size; it reads back as
        `adaptive`, and kernel and stride as ``()``, as only the size says what they are.
    stride : int or tuple of int, optional
        Positions from a window to the next; the kernel by default.
    padding : int, str or tuple, optional
        One integer; one per axis ``(a, b)``; before and after, nested, per axis
        ``((1, 0), (0, 1))``; ``"valid"`` (none); or TensorFlow's ``"same"`` and
        ``"same_lower"``, for ceil(length / stride) outputs whatever `ceil_mode` says,
        the odd one after respectively before, the total clamped at 0; a `dilation` counts as
        the dilated kernel's size. A negative integer crops.
    dilation : int or tuple of int, optional
        Positions from a tap to the next.
    ceil_mode : bool or "caffe", optional
        Round the number of outputs up, not down; a last window that would start in the
        padding after is dropped, as in torch. ``"caffe"`` drops it as Caffe does: only where
        some axis has padding. Without any, a stride above the kernel may leave Caffe a window of
        no input, which is refused; everything else is as with True.
    count_include_pad : bool, optional
        Whether a mean divides by padding too. True by default, False with ``"same"``
        and ``"same_lower"`` and, as in TFLite, for "l2"; taps that overhang the padding are
        never counted. Operations that are no mean ignore it: those other than "avg", "l2",
        "gem3" and "gem4".
    divisor_override : int, optional
        What a mean divides by everywhere instead; may be negative for "avg". Refused with
        operations that are no mean.
    rounding : {"half_away", "half_even", "half_up", "floor", "trunc"}, optional
        Of an average's exact quotient, and of the exact root where one leaves: halves away
        from zero, to even, up; down; toward zero. ``"half_away"`` by default; of floats
        ``"half_even"``, and nothing else. Other operations ignore it.
    dtype : str, optional
        The input's type, ``"int2"`` to ``"int32"``, ``"uint1"`` to ``"uint32"``,
        ``"float16"``, ``"bfloat16"`` or ``"float32"``, the last for maxima and minima alone.
    out_dtype : str, optional
        The output's type, up to 64 bits. None, the default, is the input's type, and for
        "sum" and "lp1" to "lp4" of integers the narrowest that always holds it on the size at
        hand. A mean saturates to it. With floats it is the input's.
    clamp : (int, int) or (float, float), optional
        The lowest and highest output, applied after rounding: ReLU, ReLU6 and TFLite's
        activation ranges. Within `out_dtype`; of floats two values of `dtype`, infinities
        (``"inf"`` in JSON) among them. NaN stays, and so does a zero's sign between the two.
    saturate : bool, optional
        Allow an `out_dtype` that does not hold every maximum, minimum or sum (of a
        kernel's taps, all of them counted), and saturate to it. Refused with floats.
    ndim : {1, 2, 3}, optional
        Spatial axes; 2 by default where no tuple says.
    indices : {"plane", "flat", "flat_columns", "channels_last"}, optional
        Where each maximum or minimum was, numbered as torch does it, as ONNX with
        ``storage_order`` 0 or 1, or as TensorFlow; see `pool_with_indices`. Of equal ones
        the first in row-major order. None, the default, computes none; refused with other
        operations.
    nan : {"propagate", "ignore"}, optional
        What a maximum or minimum of floats does with NaN: the window's last one leaves, as
        in torch, or they are left out, as by onnxruntime, and a window of nothing else gives
        the lowest finite value (the highest for a minimum). Anything else ignores it.
    scale : Fraction or str, optional
        What an average is multiplied by before its one rounding, ``"3/4"``: the input's scale
        over the output's, exactly; see `float32_ratio`. 1, the default, with other operations.
    zero_points : (int, int), optional
        The raw values that stand for 0 in the input and the output: an average is
        ``scale * (sum of (x - zero_in)) / divisor + zero_out``, in which padding counts as
        zero. (0, 0) by default; a maximum or minimum takes equal ones, which change nothing,
        and a sum none.
    rounding_about : {"raw", "zero_point"}, optional
        What `rounding` takes for zero: raw 0, the default, so that `zero_out` is added before,
        or `zero_out`, which is added after. They differ at halves, and where directions differ.
    adaptive : int or tuple of (int or None), optional
        The output's size, as torch's adaptive layers have it, of any input's; None is the
        input's. Window i of No on N inputs has those from floor(i N / No) to below
        ceil((i + 1) N / No), and a mean divides by their number. Instead of a `kernel`; stride,
        padding, dilation and ceil mode have no meaning with it, and are refused.
    layout : str, optional
        The order of an array's axes, one of `LAYOUTS`, where `pool` is not told one; channels
        first by default. Keras' layers set it. It is of arrays and not of what is computed: two
        specifications that differ in it alone are equal.

    Raises
    ------
    SpecError
        If a value cannot work; its ``field`` names the parameter.

    Notes
    -----
    The rules of output length and divisor are those of torch's pooling layers,
    onnxruntime's and TensorFlow's, which agree where they overlap. ``half_away`` is the
    rounding of TFLite and CMSIS-NN, about raw zero.

    Examples
    --------
    >>> spec = PoolSpec("max", 3, stride=2, padding=1, dtype="uint8")
    >>> spec.kernel, spec.padding
    ((3, 3), ((1, 1), (1, 1)))
    """

    def __init__(
        self,
        op: str,
        kernel: PerAxis | str | None = None,
        stride: PerAxis | None = None,
        padding: Padding = 0,
        dilation: PerAxis = 1,
        ceil_mode: bool | str = False,
        count_include_pad: bool | None = None,
        divisor_override: int | None = None,
        rounding: str | None = None,
        dtype: str | DType | type[np.generic] | np.dtype = "int8",
        out_dtype: str | DType | type[np.generic] | np.dtype | None = None,
        clamp: Sequence[float | np.floating | str] | None = None,
        saturate: bool = False,
        ndim: int | None = None,
        indices: str | None = None,
        nan: str = "propagate",
        scale: int | Rational | str = 1,
        zero_points: Sequence[int] = (0, 0),
        rounding_about: str = "raw",
        adaptive: str | SupportsIndex | Sequence[SupportsIndex | None] | None = None,
        layout: str | None = None,
    ) -> None:
        op = fields.choice("op", op, OPERATIONS)
        if isinstance(kernel, str) and kernel == fields.GLOBAL:
            if not (adaptive is None or (isinstance(adaptive, str) and adaptive == kernel)):
                raise meaningless("kernel", kernel, f"adaptive {shown(adaptive)}")
            kernel, adaptive = None, fields.GLOBAL
        if adaptive is not None:  # the two may be empty, as they read back
            kernel = None if fields.is_sequence(kernel) and not len(kernel) else kernel
            stride = None if fields.is_sequence(stride) and not len(stride) else stride
        per_axis = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        axes = fields.axes_of({**per_axis, "adaptive": adaptive}, ndim)
        taps = () if kernel is None else fields.per_axis("kernel", kernel, axes)
        pads = fields.padding(padding, axes)
        if count_include_pad is None:
            count_include_pad = _counts_pad(op, pads)
        taken = DType.of(dtype, most=MOST_BITS_IN)
        out = taken if out_dtype is None else DType.of(out_dtype, field="out_dtype")
        if rounding is None:
            rounding = _rounding(taken)
        if layout is not None:
            layout = fields.choice("layout", layout, fields.LAYOUTS[axes])
        super().__init__(
            op=op,
            kernel=taps,
            stride=taps if stride is None else fields.per_axis("stride", stride, axes),
            padding=pads,
            dilation=fields.per_axis("dilation", dilation, axes),
            ceil_mode=fields.ceil_mode(ceil_mode),
            count_include_pad=fields.boolean("count_include_pad", count_include_pad),
            divisor_override=fields.divisor(divisor_override),
            rounding=fields.choice("rounding", rounding, fields.ROUNDINGS),
            dtype=taken.name,
            out_dtype=None if out_dtype is None else out.name,
            clamp=fields.clamp(clamp, taken),
            saturate=fields.boolean("saturate", saturate),
            ndim=axes,
            indices=None if indices is None else fields.choice("indices", indices, fields.BASES),
            nan=fields.choice("nan", nan, fields.NANS),
            scale=fields.scale(scale),
            zero_points=fields.zero_points(zero_points, (taken.raw, out.raw)),
            rounding_about=fields.choice("rounding_about", rounding_about, fields.ROUNDING_ABOUT),
            adaptive=fields.adaptive(adaptive, axes),
            layout=layout,
        )
        self._check()

    def replace(self, **changes: Any) -> "PoolSpec":
        """Return a copy with some fields changed, validated anew.

        A stride that equals the kernel follows a changed kernel, a `count_include_pad` that
        is its padding's default follows a changed padding, and a `rounding` that is its type's
        default a changed type: name them too to keep them.
        """
        values = dataclasses.asdict(self)
        refuse_unknown(changes, list(values), "field of a specification")
        if self.stride == self.kernel:
            values["stride"] = None
        if self.count_include_pad == _counts_pad(self.op, self.padding):
            values["count_include_pad"] = None
        if self.rounding == _rounding(self.in_dtype):
            values["rounding"] = None
        return PoolSpec(**{**values, **changes})

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a dict that `json.dumps` takes; no `layout` where it is None."""
        values = {name: _listed(value) for name, value in dataclasses.asdict(self).items()}
        return {name: value for name, value in values.items() if (name, value) != ("layout", None)}

    @classmethod
    def from_json(cls, data: dict[str, Any] | str) -> "PoolSpec":
        """Return the specification that `to_json` (or its text) describes, or refuse what is none.

        Fields left out take their defaults.
        """
        if isinstance(data, (str, bytes)):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError) as error:
                said = f" ({error})" if isinstance(error, json.JSONDecodeError) else ""
                raise wrong("json", "a valid JSON object", data, said) from None
        if not isinstance(data, dict):
            raise wrong("json", "an object of a specification's fields", data)
        known = [field.name for field in dataclasses.fields(cls)]
        refuse_unknown(data, known, "field of a specification")
        return cls(**{"op": None, **data})


def _counts_pad(op: str, padding: str | tuple[tuple[int, int], ...]) -> bool:
    """Return whether a mean counts padding where nothing is said."""
    return OPERATIONS[op].counts_pad and padding not in ("same", "same_lower")


def _rounding(dtype: DType) -> str:
    """Return how a type is rounded where nothing is said."""
    return "half_even" if dtype.is_float else "half_away"


def _listed(value: Any) -> Any:
    """Return `value` with its tuples as lists, fractions and infinities as text, as in JSON."""
    if isinstance(value, Fraction) or (isinstance(value, float) and math.isinf(value)):
        return str(value)
    return [_listed(v) for v in value] if isinstance(value, tuple) else value
