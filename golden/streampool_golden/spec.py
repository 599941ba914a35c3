"""`PoolSpec`: what a pooling job computes, as validated data."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational
from typing import Any, SupportsIndex

import numpy as np

from . import fields, refusals
from .dtypes import DType
from .errors import SpecError, did_you_mean, meaningless, shown, wrong
from .indices import BASES
from .operations import OPERATIONS

PerAxis = SupportsIndex | Sequence[SupportsIndex]
Padding = str | PerAxis | Sequence[Sequence[SupportsIndex]]

MOST_BITS_IN = 32


@dataclass(frozen=True, init=False)
class PoolSpec:
    """A pooling job, whatever the frame's size: validated, frozen, hashable.

    Sizes are rows x columns (or planes x rows x columns), as torch's tuples. Every field reads
    back in its normal form: tuples of one value per axis, padding a name or pairs, types by
    name.

    Parameters
    ----------
    op : {"max", "min", "avg", "sum", "l2", "lp1", "lp2"}
        What a window is reduced to; "l2" is the root of the mean of squares, "lp1" the sum of
        absolute values and "lp2" the root of the sum of squares. Padding never wins a maximum or
        minimum and adds nothing to a sum.
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
    ceil_mode : bool, optional
        Round the number of outputs up, not down; a last window that would start in the
        padding after is dropped, as in torch.
    count_include_pad : bool, optional
        Whether a mean divides by padding too. True by default, False with ``"same"``
        and ``"same_lower"`` and, as in TFLite, for "l2"; taps that overhang the padding are
        never counted. Operations other than "avg" and "l2" ignore it.
    divisor_override : int, optional
        What a mean divides by everywhere instead; may be negative for "avg". Refused with
        operations other than "avg" and "l2".
    rounding : {"half_away", "half_even", "half_up", "floor", "trunc"}, optional
        Of an average's exact quotient, and of the exact root of "l2" and "lp2": halves away
        from zero, to even, up; down; toward zero. ``"half_away"`` by default; of floats
        ``"half_even"``, and nothing else. Other operations ignore it.
    dtype : str, optional
        The input's type, ``"int2"`` to ``"int32"``, ``"uint1"`` to ``"uint32"``,
        ``"float16"``, ``"bfloat16"`` or ``"float32"``, the last for maxima and minima alone.
    out_dtype : str, optional
        The output's type, up to 64 bits. None, the default, is the input's type, and for
        "sum", "lp1" and "lp2" of integers the narrowest that always holds it on the size at
        hand. A mean ("avg", "l2") saturates to it. With floats it is the input's.
    clamp : (int, int), optional
        The lowest and highest output, applied after rounding: ReLU, ReLU6 and TFLite's
        activation ranges. Within `out_dtype`. Refused with floats.
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
        The output's size, as torch's adaptive layers have it; None is the input's. It has to
        divide the input's: kernel and stride are then what is left. Instead of a `kernel`;
        stride, padding, dilation and ceil mode have no meaning with it, and are refused.
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

    op: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    ceil_mode: bool
    count_include_pad: bool
    divisor_override: int | None
    rounding: str
    dtype: str
    out_dtype: str | None
    clamp: tuple[int, int] | None
    saturate: bool
    ndim: int
    indices: str | None
    nan: str
    scale: Fraction
    zero_points: tuple[int, int]
    rounding_about: str
    adaptive: str | tuple[int | None, ...] | None
    layout: str | None = dataclasses.field(compare=False, repr=False)

    def __init__(
        self,
        op: str,
        kernel: PerAxis | str | None = None,
        stride: PerAxis | None = None,
        padding: Padding = 0,
        dilation: PerAxis = 1,
        ceil_mode: bool = False,
        count_include_pad: bool | None = None,
        divisor_override: int | None = None,
        rounding: str | None = None,
        dtype: str | DType | type[np.generic] | np.dtype = "int8",
        out_dtype: str | DType | type[np.generic] | np.dtype | None = None,
        clamp: Sequence[int] | None = None,
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
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)  # the instance is frozen

        put("op", fields.choice("op", op, OPERATIONS))
        if isinstance(kernel, str) and kernel == fields.GLOBAL:
            if not (adaptive is None or (isinstance(adaptive, str) and adaptive == kernel)):
                raise meaningless("kernel", kernel, f"adaptive {shown(adaptive)}")
            kernel, adaptive = None, fields.GLOBAL
        if adaptive is not None:  # the two may be empty, as they read back
            kernel = None if fields.is_sequence(kernel) and not len(kernel) else kernel
            stride = None if fields.is_sequence(stride) and not len(stride) else stride
        tuples = {
            "kernel": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "adaptive": adaptive,
        }
        axes = fields.axes_of(tuples, ndim)
        put("ndim", axes)
        layouts = fields.LAYOUTS[axes]
        put("layout", None if layout is None else fields.choice("layout", layout, layouts))
        put("adaptive", fields.adaptive(adaptive, axes))
        put("kernel", () if kernel is None else fields.per_axis("kernel", kernel, axes))
        put("stride", self.kernel if stride is None else fields.per_axis("stride", stride, axes))
        put("padding", fields.padding(padding, axes))
        put("dilation", fields.per_axis("dilation", dilation, axes))
        put("ceil_mode", fields.boolean("ceil_mode", ceil_mode))
        refusals.check_windows(
            self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode, self.adaptive
        )
        if count_include_pad is None:
            count_include_pad = self._counts_pad_by_default
        put("count_include_pad", fields.boolean("count_include_pad", count_include_pad))
        put("divisor_override", fields.divisor(divisor_override))
        taken = DType.of(dtype, most=MOST_BITS_IN)
        put("dtype", taken.name)
        out = taken if out_dtype is None else DType.of(out_dtype, field="out_dtype")
        put("out_dtype", None if out_dtype is None else out.name)
        if rounding is None:
            rounding = self._rounds_by_default
        put("rounding", fields.choice("rounding", rounding, fields.ROUNDINGS))
        put("nan", fields.choice("nan", nan, fields.NANS))
        put("saturate", fields.boolean("saturate", saturate))
        put("clamp", fields.clamp(clamp))
        put("indices", None if indices is None else fields.choice("indices", indices, BASES))
        put("scale", fields.scale(scale))
        put("zero_points", fields.zero_points(zero_points, (taken.raw, out.raw)))
        about = fields.choice("rounding_about", rounding_about, fields.ROUNDING_ABOUT)
        put("rounding_about", about)
        if taken.is_float:
            refusals.check_floats(
                *(self.op, taken, self.rounding, self.out_dtype, self.clamp, self.saturate),
                *(self.scale, self.zero_points),
            )
        elif out.is_float:
            raise SpecError(
                "out_dtype",
                f"out_dtype {out} is a float, and dtype {taken} is of integers;"
                " use an integer type.",
            )
        # else the type of a sum, or what it has to hold, is known with the size
        elif not OPERATIONS[self.op].widens or (self.out_dtype is not None and self.kernel):
            refusals.check_holds(
                self.op, taken, self.kernel, self.rounding, out, self.clamp, self.saturate
            )
        refusals.check_heeded(
            self.op, self.divisor_override, self.indices, self.scale, self.zero_points
        )

    @property
    def in_dtype(self) -> DType:
        """The input's type."""
        return DType.of(self.dtype)

    @property
    def _counts_pad_by_default(self) -> bool:
        counts = OPERATIONS[self.op].counts_pad
        return counts and self.padding not in ("same", "same_lower")

    @property
    def _rounds_by_default(self) -> str:
        return "half_even" if self.in_dtype.is_float else "half_away"

    def replace(self, **changes: Any) -> "PoolSpec":
        """Return a copy with some fields changed, validated anew.

        A stride that equals the kernel follows a changed kernel, a `count_include_pad` that
        is its padding's default follows a changed padding, and a `rounding` that is its type's
        default a changed type: name them too to keep them.

        Raises
        ------
        SpecError
            If a field is not known or a value cannot work.
        """
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        _refuse_unknown(changes)
        if self.stride == self.kernel:
            values["stride"] = None
        if self.count_include_pad == self._counts_pad_by_default:
            values["count_include_pad"] = None
        if self.rounding == self._rounds_by_default:
            values["rounding"] = None
        return PoolSpec(**{**values, **changes})

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a dict that `json.dumps` takes; no `layout` where it is None."""
        values = {f.name: _listed(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if (name, value) != ("layout", None)}

    @classmethod
    def from_json(cls, data: dict[str, Any] | str) -> "PoolSpec":
        """Return the specification that `to_json` (or its text) describes.

        Fields left out take their defaults.

        Raises
        ------
        SpecError
            If `data` is no JSON object of known fields, or a value cannot work.
        """
        if isinstance(data, (str, bytes)):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError) as error:
                said = f" ({error})" if isinstance(error, json.JSONDecodeError) else ""
                raise wrong("json", "a valid JSON object", data, said) from None
        if not isinstance(data, dict):
            raise wrong("json", "an object of a specification's fields", data)
        _refuse_unknown(data)
        return cls(**{"op": None, **data})


def _refuse_unknown(given: dict[str, Any]) -> None:
    """Refuse names that are no field's."""
    known = [f.name for f in dataclasses.fields(PoolSpec)]
    for name in given:
        if name not in known:
            use = did_you_mean(str(name), known) or f"; use one of {', '.join(known)}"
            raise SpecError(str(name), f"{shown(name)} is no field of a specification{use}.")


def _listed(value: Any) -> Any:
    """Return `value` with its tuples as lists and fractions as text, as JSON has them."""
    if isinstance(value, Fraction):
        return str(value)
    return [_listed(v) for v in value] if isinstance(value, tuple) else value
