"""The integers that stand for a pool's values in a quantised model."""

from dataclasses import dataclass
from fractions import Fraction

from streampool_golden.dtypes import DType
from streampool_golden.fields import float32_ratio

from .calls import Call, Fact, Trace

RELU = (0.0, None)
Bounds = tuple[float | None, float | None]
BOUNDS: dict[str, Bounds] = {"relu": RELU, "relu6": (0.0, 6.0)}
PARAMETERS = ("scale", "zero_point", "quant_min", "quant_max", "dtype")
VIEWS = ("flatten", "view", "reshape", "squeeze", "unsqueeze", "contiguous", "dropout")
PER_CHANNEL = (
    "its scale is per channel, and a sum of quotients with one divisor needs one scale; quantise"
    " it per tensor"
)
BY_CHANNEL = (
    "channels last in memory, or three axes: torch rounds halves of some channels about the zero"
    " point"
)
ROUNDED_ONCE = "it is rounded once, and torch rounds float32 before: they may differ at halves"


@dataclass(frozen=True)
class Integers:
    """Integers that a core takes and gives instead of a pool's values.

    Parameters
    ----------
    source : str
        The value that has them.
    dtype : str
        Their type.
    ends : tuple of tuple
        Scale and zero point in and out.
    decoded : bool
        Whether the model's own pooling is of reals that they stand for.
    clamp : tuple, optional
        What an activation before it, or the integers' range, leaves of the type.
    out_dtype : str, optional
        The type of those that leave, where it is another.
    about : str
        What is rounded about: see `PoolSpec`'s `rounding_about`.
    notes : tuple of str
        Where the model's own may differ.
    """

    source: str
    dtype: str
    ends: tuple[tuple[float, int], tuple[float, int]]
    decoded: bool
    clamp: tuple[int, int] | None = None
    out_dtype: str | None = None
    about: str = "raw"
    notes: tuple[str, ...] = ()

    @property
    def scale(self) -> Fraction:
        """The scale in over the scale out."""
        (one, _), (other, _) = self.ends
        return float32_ratio(one, other)

    @property
    def zero_points(self) -> tuple[int, int]:
        """What stands for 0 in and out."""
        (_, one), (_, other) = self.ends
        return one, other

    @property
    def inside(self) -> tuple[float, int] | None:
        """What reals become the core's input by, where the model computes on reals."""
        return self.ends[0] if self.decoded else None

    @property
    def outside(self) -> tuple[float, int] | None:
        """What the core's output becomes reals by, where the model computes on reals."""
        return self.ends[1] if self.decoded else None


class Around:
    """What stands before and after a call."""

    def __init__(self, trace: Trace) -> None:
        self.facts = trace.facts
        self.makers, self.takers = trace.makers(), trace.takers()

    def integers(
        self, call: Call, *, selects: bool, indices: bool = False
    ) -> "Integers | str | None":
        """Return the integers that a pool's values stand for; None where there are none.

        A sentence says why there is no core where there are some. Of a pool that `selects`, a
        ReLU before it becomes a clamp, except where it gives `indices`: of what a ReLU makes
        equal the first counts.
        """
        value, relu = call.inputs[0], False
        before = self.makers.get(value)
        if selects and not indices and before is not None and bounds(before) == RELU:
            value, relu = before.inputs[0], True
        if (fact := self.facts[value]).quantised is not None:
            return self._of_tensors(call, value, fact, selects=selects, relu=relu)
        return self._of_pairs(call, value, selects=selects, relu=relu)

    def _of_tensors(
        self, call: Call, value: str, fact: Fact, *, selects: bool, relu: bool
    ) -> Integers:
        """Return those of a quantized tensor, which torch pools as they are."""
        assert fact.quantised is not None
        clamp = (fact.quantised[1], DType.of(fact.dtype).high) if relu else None
        vectors = call.function.startswith("avg_pool") or fact.channels_last
        mixed = vectors and (fact.channels_last or call.function.endswith("3d"))
        return Integers(
            value,
            fact.dtype,
            (fact.quantised, fact.quantised),
            False,
            clamp,
            about=fact.about,
            notes=(BY_CHANNEL,) if mixed and not selects and fact.about == "raw" else (),
        )

    def _of_pairs(
        self, call: Call, value: str, *, selects: bool, relu: bool
    ) -> "Integers | str | None":
        """Return those between a node that makes reals of integers and one that makes them back."""
        maker = self.makers.get(value)
        if maker is None or not maker.function.startswith("dequantize_per_"):
            return None
        if maker.function != "dequantize_per_tensor":
            return None if selects else PER_CHANNEL  # a maximum is exact on the reals too
        if (ends := _ends(maker)) is None:
            return None
        source = maker.inputs[0]
        dtype = self.facts[source].dtype
        if selects:
            clamp = (ends[1], DType.of(dtype).high) if relu else None
            return Integers(source, dtype, (ends, ends), True, clamp)
        after = self._after(call.outputs[0]) if call.outputs else []
        found = {_ends(each) for each in after if each.function == "quantize_per_tensor"}
        others = any(each.function != "quantize_per_tensor" for each in after)
        if others or len(found) != 1 or (out := next(iter(found))) is None:
            return None
        out_dtype = DType.of(self.facts[after[0].outputs[0]].dtype)
        low, high = (int(after[0].arguments[name]) for name in PARAMETERS[2:4])
        return Integers(
            source,
            dtype,
            (ends, out),
            True,
            clamp=None if (low, high) == (out_dtype.low, out_dtype.high) else (low, high),
            out_dtype=None if out_dtype.name == dtype else out_dtype.name,
            about="zero_point",
            notes=(ROUNDED_ONCE,),
        )

    def _after(self, value: str) -> list[Call]:
        """Return what takes a value, behind what only looks at it in another shape."""
        found = []
        for call in self.takers.get(value, []):
            found += self._after(call.outputs[0]) if call.function in VIEWS else [call]
        return found


def bounds(call: Call) -> Bounds | None:
    """Return the reals between which an activation keeps its values; None of any other call."""
    name = call.function.rstrip("_")
    if name == "clamp_min":
        return (call.arguments.get("min"), None)
    if name == "clamp_max":
        return (None, call.arguments.get("max"))
    if name == "hardtanh":
        return (call.arguments.get("min_val", -1.0), call.arguments.get("max_val", 1.0))
    if name in ("clamp", "clip"):
        ends = (call.arguments.get("min"), call.arguments.get("max"))
        return None if ends == (None, None) else ends
    return BOUNDS.get(name)


def _ends(call: Call) -> tuple[float, int] | None:
    """Return the scale and zero point that a call has; None where they are no numbers."""
    scale, zero = (call.arguments.get(name) for name in PARAMETERS[:2])
    if not isinstance(scale, (int, float)) or not isinstance(zero, int):
        return None
    return float(scale), zero
