"""What the command line says, turned into a specification, and a specification in words.

Nothing here touches a file or runs anything: values are parsed, and whatever cannot be read is
refused in one sentence.
"""

import argparse
import difflib
import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NoReturn

from streampool_golden import (
    BASES,
    OPS,
    PRESETS,
    PoolJob,
    PoolSpec,
    SpecError,
    float32_ratio,
    preset,
)
from streampool_golden.fields import (
    GLOBAL,
    MOST_AXES,
    NAMED_PADDINGS,
    NANS,
    ROUNDING_ABOUT,
    ROUNDINGS,
    scale,
)

from .refusals import Refused
from .simulation import FREQ_MHZ

__all__ = [
    "CLOCK_MHZ",
    "Parser",
    "Refused",
    "add_lanes_option",
    "add_shape_option",
    "add_size_option",
    "add_spec_options",
    "by",
    "check_no_size",
    "count",
    "describe",
    "job_of",
    "lanes_of",
    "normalise",
    "spec_of",
    "spec_options_of",
    "unpooled_size",
]

CLOCK_MHZ = 100.0
"""The clock where none is given."""

# Options whose values may start with a minus sign, which argparse would take for an option.
SIGNED_OPTIONS = ("--padding", "--clamp", "--divisor", "--zero-points")


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `Refused` where argparse would print usage and exit."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Raise `Refused`, with the message made one sentence that says where help is."""
        raise Refused(f"{message.rstrip('.')}; `{self.prog} --help` shows what there is")

    def refuse_unknown(self, words: Sequence[str]) -> None:
        """Raise `Refused` if anything is left over that this parser did not know."""
        if not words:
            return
        name = words[0].split("=", 1)[0]
        if not name.startswith("-"):
            self.error(f"{words[0]!r} is one argument too many")
        near = difflib.get_close_matches(name, self._option_string_actions, n=1)
        hint = f", did you mean {near[0]}" if near else ""
        self.error(f"option {name} is not known{hint}")


def normalise(arguments: Sequence[str]) -> list[str]:
    """Write option names with dashes and join signed values to their options.

    Parameters
    ----------
    arguments : sequence of str
        What was typed, without the program's name.

    Returns
    -------
    list of str
        ``--ceil_mode`` as ``--ceil-mode``, and ``--clamp -5:5`` as ``--clamp=-5:5``, which
        argparse would otherwise take for two options. Nothing after ``--`` is changed.
    """
    result: list[str] = []
    for position, argument in enumerate(arguments):
        if argument == "--":
            return result + list(arguments[position:])
        if argument.startswith("--"):
            name, equals, value = argument.partition("=")
            result.append(name.replace("_", "-") + equals + value)
        elif result and result[-1] in SIGNED_OPTIONS and re.match(r"-\d", argument):
            result[-1] += "=" + argument
        else:
            result.append(argument)
    return result


def _sizes(text: str) -> int | tuple[int, ...]:
    """``3`` for every axis, ``3x2`` for rows x columns, ``2x3x3`` for planes before them."""
    if not re.fullmatch(r"-?\d+(x-?\d+)*", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size; a number such as 3, or rows x columns such as 3x2, would do"
        )
    sizes = tuple(int(part) for part in text.split("x"))
    return sizes[0] if len(sizes) == 1 else sizes


def _lengths(text: str) -> tuple[int, ...]:
    """Sizes of a map: each at least 1, and one for each axis."""
    sizes = _sizes(text)
    lengths = sizes if isinstance(sizes, tuple) else (sizes,)
    if min(lengths) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} has a length below 1; 1 or more would do")
    return lengths


def _kernel(text: str) -> str | int | tuple[int, ...]:
    """Sizes, or all of a frame."""
    return GLOBAL if text.lower() == GLOBAL else _sizes(text)


def _padding(text: str) -> Any:
    """A name, or one value an axis, each ``both`` or ``before:after``."""
    name = text.lower().replace("-", "_")
    if name in NAMED_PADDINGS:
        return name
    if not re.fullmatch(r"-?\d+(:-?\d+)?(x-?\d+(:-?\d+)?)*", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no padding; 1, 1x0, 0:1x0:1 (before:after for each axis), "
            "same, same-lower or valid would do"
        )
    if ":" not in text:
        return _sizes(text)
    axes = [part.split(":") for part in text.split("x")]
    return tuple((int(axis[0]), int(axis[-1])) for axis in axes)


def _clamp(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(-?\d+):(-?\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no range; LOW:HIGH such as 0:6 would do")
    return int(match[1]), int(match[2])


def _pair(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(-?\d+)(?::(-?\d+))?", text)
    if not match:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no pair of zero points; IN:OUT such as 3:-5, or 3 for both, would do"
        )
    return int(match[1]), int(match[2] or match[1])


def _scale(text: str) -> Fraction:
    """Whole numbers as they are, decimals as the float32 that a runtime holds."""
    number = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    match = re.fullmatch(f"({number})(?:/({number}))?", text)
    above, below = (match[1], match[2] or "1") if match else ("0", "0")
    if not match or not float(above) or not float(below):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no scale; input over output such as 0.02/0.05, or 3/4, would do"
        )
    try:
        if above.isdecimal() and below.isdecimal():
            return scale(Fraction(int(above), int(below)))
        return scale(float32_ratio(float(above), float(below)))
    except SpecError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is out of range, or its ratio is; 0.02/0.05, or 3/4, would do"
        ) from None


def _shape(text: str) -> tuple[int, ...]:
    shape = _sizes(text)
    if isinstance(shape, int) or not 2 <= len(shape) <= 1 + MOST_AXES or min(shape) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no shape; channels x rows x columns such as 3x224x224, "
            "channels x steps such as 8x100, or planes before the rows, would do"
        )
    return shape


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def positive(text: str) -> int:
    """Parse a whole number of at least 1."""
    value = _integer(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is too small; 1 or more would do")
    return value


def seed(text: str) -> int:
    """Parse a seed: a whole number from 0 to 2**32 - 1."""
    value = _integer(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; 0 to 4294967295 would do")
    return value


def probability(text: str) -> float:
    """Parse a probability p with 0 <= p < 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no probability to stall with; 0 or more and less than 1 would do"
        )
    return value


def megahertz(text: str) -> float:
    """Parse a clock in MHz."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    low, high = FREQ_MHZ
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no clock in MHz; {low:g} to {high:g} would do"
        )
    return value


def _named(*names: str):
    """Return a parser of one of `names`, with dashes or underscores."""

    def parse(text: str) -> str:
        name = text.lower().replace("-", "_")
        if name not in names:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(names)}")
        return name

    return parse


def add_spec_options(
    parser: argparse.ArgumentParser, *, dtype_note: str, more_ops: Sequence[str] = ()
) -> None:
    """Add the options that make a `PoolSpec`, named as its fields."""
    group = parser.add_argument_group("what is pooled, as torch names it")
    add = group.add_argument
    ops = (*OPS, *more_ops)
    add("--op", type=_named(*ops), default="max", metavar="OP", help=", ".join(ops) + " (max)")
    add(
        "--kernel",
        type=_kernel,
        metavar="K",
        help="window: 3, rows x columns such as 3x2 (planes before them), or global",
    )
    add("--adaptive", type=_sizes, metavar="N", help="outputs instead of a kernel, such as 4x4")
    add("--stride", type=_sizes, metavar="S", help="step from window to window (the kernel)")
    add(
        "--padding",
        type=_padding,
        metavar="P",
        help="1, 1x0, 0:1x0:1 (before:after for each axis; negative crops), same, same-lower, "
        "valid (0)",
    )
    add("--dilation", type=_sizes, metavar="D", help="distance between a window's taps (1)")
    add("--ceil-mode", action="store_true", help="keep the last window that only partly fits")
    add(
        "--count-include-pad",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="means divide by padding too (yes, but no with same, nor for l2)",
    )
    add("--divisor", type=_integer, metavar="N", help="means divide by N everywhere")
    add(
        "--rounding",
        type=_named(*ROUNDINGS),
        metavar="MODE",
        help=", ".join(name.replace("_", "-") for name in ROUNDINGS)
        + " (half-away; of floats half-even)",
    )
    add(
        "--rounding-about",
        type=_named(*ROUNDING_ABOUT),
        metavar="WHAT",
        help="what rounding takes for zero: raw, or zero-point, the output's (raw)",
    )
    add(
        "--scale",
        type=_scale,
        metavar="IN/OUT",
        help="averages are multiplied by it: 0.02/0.05, as float32, or 3/4 (1)",
    )
    add(
        "--zero-points",
        type=_pair,
        metavar="IN:OUT",
        help="what stands for 0 in input and output, which padding is, for averages (0:0)",
    )
    add(
        "--preset",
        type=lambda text: text.lower().replace("_", "-"),
        choices=tuple(PRESETS),
        metavar="NAME",
        help=f"average as a runtime does: {', '.join(PRESETS)}",
    )
    add("--clamp", type=_clamp, metavar="LOW:HIGH", help="limit the outputs, as ReLU6 does: 0:6")
    add(
        "--dtype",
        metavar="TYPE",
        help=f"int2 to int32, uint1 to uint32, float16, bfloat16, float32 ({dtype_note})",
    )
    add(
        "--nan",
        type=_named(*NANS),
        metavar="RULE",
        help=f"what a maximum or minimum does with NaN: {', '.join(NANS)} ({NANS[0]})",
    )
    add(
        "--index-base",
        type=_named(*BASES),
        metavar="BASE",
        help="give each maximum's or minimum's index too, as torch numbers it (plane), ONNX (flat, "
        "flat-columns) or TensorFlow (channels-last); with unpool, how those read are numbered",
    )
    add("--out-dtype", metavar="TYPE", help="of the output (the input's; a sum's always holds it)")
    add("--saturate", action="store_true", help="let a sum saturate to a narrower --out-dtype")


def spec_options_of(options: argparse.Namespace) -> list[str]:
    """Return those options of `add_spec_options`, as they are typed, that say what is not usual."""
    usual = argparse.ArgumentParser()
    add_spec_options(usual, dtype_note="")
    return [
        f"--{name.replace('_', '-')}"
        for name, value in vars(usual.parse_args([])).items()
        if getattr(options, name) != value
    ]


def add_shape_option(
    group: argparse._ArgumentGroup, default: tuple[int, ...] | None, *, required: bool = True
) -> None:
    """Add ``--shape``, required if there is no default, but for what may do without."""
    note = "" if default is None else f" ({'x'.join(map(str, default))})"
    group.add_argument(
        "--shape",
        type=_shape,
        metavar="CxHxW",
        required=required and default is None,
        default=default,
        help="channels x rows x columns (planes before the rows), or channels x steps" + note,
    )


def add_lanes_option(group: argparse._ArgumentGroup) -> None:
    """Add ``--lanes``."""
    group.add_argument(
        "--lanes",
        type=positive,
        metavar="N",
        help="channels side by side in a beat (all of them, 8 at most)",
    )


def spec_of(
    options: argparse.Namespace, *, dtype: str, ndim: int, size: Sequence[int] | None = None
) -> PoolSpec:
    """Make the specification that the options describe.

    Parameters
    ----------
    options : argparse.Namespace
        With the options of `add_spec_options`.
    dtype : str
        Of the input where ``--dtype`` does not say it.
    ndim : int
        Spatial axes of the input.
    size : sequence of int, optional
        Their lengths, which a preset may go by.

    Returns
    -------
    PoolSpec
        Without ``--kernel`` or ``--adaptive``, of the usual first pooling of a network: 3x3,
        stride 2, padding 1, each unless its option says something else.

    Raises
    ------
    SpecError
        If some value cannot work.
    """
    usual = (options.kernel, None, 0)
    if options.kernel is None and options.adaptive is None:
        usual = (3, 2, 1)
    kernel, stride, padding = usual
    said = {
        "stride": stride if options.stride is None else options.stride,
        "padding": padding if options.padding is None else options.padding,
        "dilation": options.dilation,
        "ceil_mode": options.ceil_mode or None,
        "count_include_pad": options.count_include_pad,
        "divisor_override": options.divisor,
        "rounding": options.rounding,
        "dtype": options.dtype or dtype,
        "out_dtype": options.out_dtype,
        "clamp": options.clamp,
        "saturate": options.saturate,
        "ndim": ndim,
        "adaptive": options.adaptive,
        "scale": options.scale,
        "zero_points": options.zero_points,
        "rounding_about": options.rounding_about,
        "nan": options.nan,
        "indices": options.index_base,
    }
    fields = {name: value for name, value in said.items() if value is not None}
    if options.preset is not None:
        return preset(options.preset, options.op, kernel, size=size, **fields)
    return PoolSpec(options.op, kernel, **fields)


def add_size_option(group: argparse._ArgumentGroup) -> None:
    """Add ``--size``, which ``--op unpool`` alone takes."""
    group.add_argument(
        "--size",
        type=_lengths,
        metavar="HxW",
        help="of the map that --op unpool makes: what was pooled, rows x columns or steps",
    )


def unpooled_size(options: argparse.Namespace) -> tuple[int, ...]:
    """Return the spatial lengths of the map that ``--op unpool`` makes.

    Raises
    ------
    Refused
        If ``--size`` does not say them, or an option has no meaning with it.
    """
    for name in _OF_POOLING:
        value = getattr(options, name)
        if value is not None and not (value is False and name in _FLAGS):
            no = "no-" if value is False else ""
            raise Refused(f"--{no}{name.replace('_', '-')} has no meaning with --op unpool")
    if options.size is None:
        raise Refused("--op unpool needs the size of the map that it makes; --size HxW would do")
    return options.size


_FLAGS = ("ceil_mode", "saturate")
_OF_POOLING = (
    *("kernel", "adaptive", "stride", "padding", "dilation", "nan", *_FLAGS),
    *("count_include_pad", "divisor", "rounding", "rounding_about", "scale", "zero_points"),
    *("preset", "clamp", "out_dtype"),
)


def check_no_size(options: argparse.Namespace) -> None:
    """Refuse ``--size`` with any other operation."""
    if options.size is not None:
        raise Refused(
            f"--size is what --op unpool makes, and has no meaning with --op {options.op}"
        )


def job_of(spec: PoolSpec, shape: tuple[int, ...], lanes: int | None) -> PoolJob:
    """Derive what a core has to do; refuses lanes that would never carry anything."""
    return PoolJob(spec, shape, lanes_of(shape, lanes))


def lanes_of(shape: Sequence[int], lanes: int | None) -> int | None:
    """Return ``--lanes``; refuses those that would never carry anything."""
    if lanes is not None and lanes > shape[0]:
        raise Refused(f"--lanes {lanes} is more than the channels; {shape[0]} at most would do")
    return lanes


def by(sizes: Sequence[int]) -> str:
    """Return sizes as the options take them."""
    return "x".join(map(str, sizes))


def count(number: int, noun: str) -> str:
    """Return how many there are of something."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def describe(spec: PoolSpec) -> str:
    """Describe a specification in a few words, leaving out what is as usual."""
    if spec.adaptive is None:
        words = [f"{spec.op} {by(spec.kernel)}", f"stride {by(spec.stride)}"]
    elif spec.adaptive == GLOBAL:
        words = [f"{GLOBAL} {spec.op}"]
    else:
        words = [f"{spec.op} to {'x'.join(str(n or 'all') for n in spec.adaptive)}"]
    if isinstance(spec.padding, str):
        words.append(f"padding {spec.padding.replace('_', '-')}")
    elif any(map(any, spec.padding)):
        words.append("padding " + "x".join(f"{before}:{after}" for before, after in spec.padding))
    if any(step != 1 for step in spec.dilation):
        words.append(f"dilation {by(spec.dilation)}")
    if spec.ceil_mode:
        words.append("ceil mode")
    if spec.nan == "ignore" and spec.in_dtype.is_float and spec.op in ("max", "min"):
        words.append("NaN ignored")
    if spec.scale != 1:
        words.append(f"times {spec.scale}")
    if spec.zero_points != (0, 0):
        words.append("zero points {}:{}".format(*spec.zero_points))
    if spec.indices is not None:
        words.append(f"indices {spec.indices.replace('_', '-')}")
    if spec.clamp is not None:
        words.append("clamped to {}:{}".format(*spec.clamp))
    return ", ".join(words)
