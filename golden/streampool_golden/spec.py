"""`PoolSpec`: what a pooling job computes. The one source of shapes, divisors and widths."""

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from numbers import Rational
from typing import TYPE_CHECKING, Any, SupportsIndex

from . import fields, refusals
from .dtypes import DType, width
from .errors import SpecError, shown
from .geometry import AXIS_NAMES, Axis
from .indices import BASES
from .job import Accumulator, Job
from .roots import round_root

if TYPE_CHECKING:
    import numpy as np

PerAxis = SupportsIndex | Sequence[SupportsIndex]
Padding = str | PerAxis | Sequence[Sequence[SupportsIndex]]

MOST_BITS_IN = 32
MOST_BITS_EXACT = 63  # so that a sum and its negative fit in NumPy's int64


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
    >>> spec.out_size((112, 112))
    (56, 56)
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
        dtype: "str | DType | type[np.generic] | np.dtype" = "int8",
        out_dtype: "str | DType | type[np.generic] | np.dtype | None" = None,
        clamp: Sequence[int] | None = None,
        saturate: bool = False,
        ndim: int | None = None,
        indices: str | None = None,
        nan: str = "propagate",
        scale: int | Rational | str = 1,
        zero_points: Sequence[int] = (0, 0),
        rounding_about: str = "raw",
        adaptive: str | SupportsIndex | Sequence[SupportsIndex | None] | None = None,
    ) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)  # the instance is frozen

        put("op", fields.choice("op", op, fields.OPS))
        if isinstance(kernel, str) and kernel == fields.GLOBAL:
            if not (adaptive is None or (isinstance(adaptive, str) and adaptive == kernel)):
                raise SpecError(
                    "kernel",
                    f"kernel {kernel} has no meaning with adaptive {shown(adaptive)}, which says it"
                    " all; leaving it out would do.",
                )
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
        put("adaptive", fields.adaptive(adaptive, axes))
        put("kernel", () if kernel is None else fields.per_axis("kernel", kernel, axes))
        put("stride", self.kernel if stride is None else fields.per_axis("stride", stride, axes))
        put("padding", fields.padding(padding, axes))
        put("dilation", fields.per_axis("dilation", dilation, axes))
        put("ceil_mode", fields.boolean("ceil_mode", ceil_mode))
        refusals.check_windows(self)
        if count_include_pad is None:
            count_include_pad = self._counts_pad_by_default
        put("count_include_pad", fields.boolean("count_include_pad", count_include_pad))
        put("divisor_override", fields.divisor(divisor_override))
        refusals.check_divisor(self)
        put("dtype", DType.of(dtype, most=MOST_BITS_IN).name)
        if rounding is None:
            rounding = self._rounds_by_default
        put("rounding", fields.choice("rounding", rounding, fields.ROUNDINGS))
        put("nan", fields.choice("nan", nan, fields.NANS))
        put("out_dtype", None if out_dtype is None else DType.of(out_dtype, field="out_dtype").name)
        put("saturate", fields.boolean("saturate", saturate))
        put("clamp", fields.clamp(clamp))
        put("indices", None if indices is None else fields.choice("indices", indices, BASES))
        refusals.check_indices(self)
        put("scale", fields.scale(scale))
        zeros = [DType.of(name).raw for name in (self.dtype, self.out_dtype or self.dtype)]
        put("zero_points", fields.zero_points(zero_points, zeros))
        put(
            "rounding_about",
            fields.choice("rounding_about", rounding_about, fields.ROUNDING_ABOUT),
        )
        if self.in_dtype.is_float:
            refusals.check_floats(self)
        else:
            refusals.check_output(self)
        refusals.check_quantisation(self)

    @property
    def in_dtype(self) -> DType:
        """The input's type."""
        return DType.of(self.dtype)

    @property
    def _counts_pad_by_default(self) -> bool:
        return self.op != "l2" and self.padding not in ("same", "same_lower")

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
        """Return the fields as a dict that `json.dumps` takes."""
        return {f.name: _listed(getattr(self, f.name)) for f in dataclasses.fields(self)}

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
            except ValueError as error:
                raise SpecError(
                    "json", f"json must be a valid JSON object, not {shown(data)} ({error})."
                ) from None
        if not isinstance(data, dict):
            raise SpecError(
                "json", f"json must be an object of a specification's fields, not {shown(data)}."
            )
        _refuse_unknown(data)
        if "op" not in data:
            raise SpecError("op", f"op must be given, and is not in {shown(data)}.")
        if "kernel" not in data and "adaptive" not in data:
            raise SpecError("kernel", f"kernel must be given, and is not in {shown(data)}.")
        return cls(**data)

    def __call__(self, x: Any, layout: str | None = None) -> "np.ndarray":
        """Return ``pool(self, x, layout)``."""
        from .reference import pool_from  # reference needs PoolSpec first

        return pool_from(self, x, layout, stacklevel=3)

    def axes(self, size: Sequence[int]) -> tuple[Axis, ...]:
        """Return the spatial axes, rows first, resolved for the lengths `size`.

        Raises
        ------
        SpecError
            If `size` is not one positive integer per axis, there would be no output, or a
            window would see no real input.
        """
        wanted = f"{self.ndim} positive integer{'s' if self.ndim > 1 else ''}, one per axis"
        if not fields.is_sequence(size) or len(size) != self.ndim:
            raise SpecError("size", f"size must be {wanted}, not {shown(size)}.")
        return _axes(self, tuple(fields.integer("size", n, 1, what=wanted) for n in size))

    def out_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Return the output's spatial lengths for the input's."""
        return tuple(axis.outputs for axis in self.axes(size))

    def out_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return ``(C, *out_size)`` for ``(C, *size)``."""
        return self.job(shape).out_shape

    def job(self, shape: Sequence[int], lanes: int | None = None) -> Job:
        """Return the job of this specification on frames of ``(C, *size)``."""
        return Job(self, shape, lanes)

    def accumulator(self, size: Sequence[int]) -> Accumulator:
        """Return the range of the exact partial values; see `Job.accumulator`.

        Raises
        ------
        SpecError
            As `axes`, and if a sum could need more than 63 bits.
        """
        taps = math.prod(axis.most_taps for axis in self.axes(size))
        exact = self.partial(taps)
        if exact.bits > MOST_BITS_EXACT and not self.in_dtype.is_float:
            what = "squares" if self.op in ("l2", "lp2") else "values"
            raise SpecError(
                "adaptive" if refusals.windows(self).startswith("adaptive") else "kernel",
                f"{refusals.windows(self)} sums {taps} {what} of {self.dtype},"
                f" which takes {exact.bits} bits;"
                f" a smaller kernel or narrower dtype, for {MOST_BITS_EXACT}, would do.",
            )
        return exact

    def partial(self, taps: int) -> Accumulator:
        """Return the range of the exact reduction of up to `taps` inputs.

        Of floats, a sum's is in multiples of the type's smallest value, ``2**unit``; a
        maximum's is that of their bits.
        """
        low, high = self.in_dtype.low, self.in_dtype.high
        if self.in_dtype.is_float and self.op in ("avg", "sum"):
            low, high = -self.in_dtype.most, self.in_dtype.most
        size = max(-low, high)  # the lowest may be the larger: of int8 it is 128
        if self.op in ("l2", "lp1", "lp2"):
            low, high = 0, taps * (size if self.op == "lp1" else size * size)
        elif self.op in ("avg", "sum"):
            low, high = taps * low, taps * high
        return Accumulator(low, high, low < 0, width(low, high))

    def range_of(self, taps: int) -> tuple[int, int]:
        """Return the lowest and highest result, rounded, of up to `taps` inputs."""
        exact = self.partial(taps)
        if self.op in fields.MEANS:
            return self.in_dtype.low, self.in_dtype.high
        if self.op == "lp2" and exact.bits > MOST_BITS_EXACT:  # no accumulator's, but an answer
            return 0, math.isqrt(exact.high) + 1
        if self.op == "lp2":
            return 0, int(round_root(exact.high, 1, self.rounding))
        return exact.low, exact.high

    def output(self, size: Sequence[int]) -> DType:
        """Return the type of what leaves; see `Job.output`."""
        if self.out_dtype is not None:
            return DType.of(self.out_dtype)
        if self.op not in ("sum", "lp1", "lp2") or self.in_dtype.is_float:
            return self.in_dtype
        self.accumulator(size)  # refuses what is too wide
        return DType.holding(*self.range_of(math.prod(a.most_taps for a in self.axes(size))))

    def bounds(self, size: Sequence[int]) -> tuple[int, int]:
        """Return the lowest and highest value that leaves; see `Job.bounds`.

        Raises
        ------
        SpecError
            If a sum's `clamp` and the type that holds it have no value in common, or its
            `out_dtype` does not hold it where only the size says how many taps there are.
        """
        if self.out_dtype is not None and not self.kernel:
            refusals.check_holds(self, math.prod(axis.kernel for axis in self.axes(size)))
        out = self.output(size)
        low, high = self.clamp or (out.low, out.high)
        if high < out.low or low > out.high:
            raise SpecError(
                "clamp",
                f"clamp {self.clamp} shares no value with {out} ({out.low} to {out.high}),"
                " which holds every sum; bounds within it or an out_dtype would do.",
            )
        return max(low, out.low), min(high, out.high)

    def axis_divisors(self, size: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """Return per axis what its windows are divided by; a window's divisor is the product.

        1 everywhere for what is no mean.
        """
        axes = self.axes(size)
        if self.op in fields.MEANS and self.divisor_override is None:
            return tuple(axis.counts(self.count_include_pad) for axis in axes)
        whole = 1 if self.divisor_override is None else self.divisor_override
        return tuple(((1 if i else whole),) * axis.outputs for i, axis in enumerate(axes))

    def axis_taps(self, size: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """Return per axis the real inputs of its windows; a window's are the product."""
        return tuple(axis.counts(False) for axis in self.axes(size))

    def warnings(self, size: Sequence[int]) -> list[str]:
        """Return what works on `size` but may not be meant, a sentence each."""
        axes = self.axes(size)
        said = []
        for axis, name in zip(axes, AXIS_NAMES[self.ndim], strict=True):
            dilated = f" (dilated to {axis.span})" if axis.dilation > 1 else ""
            if axis.span > axis.length:
                said.append(
                    f"kernel {axis.kernel}{dilated} is larger than"
                    f" the input's {axis.length} {name}."
                )
            if axis.dropped:
                said.append(
                    f"no window reads {axis.dropped} of {axis.length} {name} at the end;"
                    " with ceil_mode or padding after one would."
                )
        if any(axis.stride > axis.span and axis.outputs > 1 for axis in axes):
            share = 1 - math.prod(axis.read / len(axis.kept) for axis in axes)
            dilated = f" dilated by {self.dilation}" if max(self.dilation) > 1 else ""
            said.append(
                f"stride {self.stride} steps beyond kernel {self.kernel}{dilated}:"
                f" no window reads {share:.1%} of the inputs."
            )
        return said


@lru_cache(maxsize=1024)
def _axes(spec: PoolSpec, size: tuple[int, ...]) -> tuple[Axis, ...]:
    """Return `spec`'s axes for `size`, computed once."""
    paddings = (spec.padding,) * spec.ndim if isinstance(spec.padding, str) else spec.padding
    kernel, stride = spec.kernel, spec.stride
    if spec.adaptive is not None:
        kernel = stride = _divided(spec.adaptive, size)
    names = AXIS_NAMES[spec.ndim]
    per_axis = zip(size, kernel, stride, paddings, spec.dilation, names, strict=True)
    return tuple(
        Axis.resolve(n, k, s, p, d, spec.ceil_mode, name) for n, k, s, p, d, name in per_axis
    )


def _divided(adaptive: str | tuple[int | None, ...], size: tuple[int, ...]) -> tuple[int, ...]:
    """Return the kernel, and stride, that leave what a global or adaptive one has to."""
    if isinstance(adaptive, str):
        return size
    for length, outputs, name in zip(size, adaptive, AXIS_NAMES[len(size)], strict=True):
        if length % (outputs or length):
            raise SpecError(
                "adaptive",
                f"adaptive {adaptive} does not divide {length} {name} evenly: windows of"
                " different lengths have no one kernel and stride;"
                f" a divisor of {length} would do.",
            )
    return tuple(n // (outputs or n) for n, outputs in zip(size, adaptive, strict=True))


def _refuse_unknown(given: dict[str, Any]) -> None:
    """Refuse names that are no field's."""
    known = [f.name for f in dataclasses.fields(PoolSpec)]
    for name in given:
        if name not in known:
            raise SpecError(
                str(name),
                f"{shown(name)} is no field of a specification, which has {', '.join(known)}.",
            )


def _listed(value: Any) -> Any:
    """Return `value` with its tuples as lists and fractions as text, as JSON has them."""
    if isinstance(value, Fraction):
        return str(value)
    return [_listed(v) for v in value] if isinstance(value, tuple) else value
