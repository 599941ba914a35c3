"""The fields of a specification as options: one list, from which all verbs have them."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeAlias

from streampool_golden import BASES, OPS, PRESETS, PoolSpec, preset
from streampool_golden.dtypes import FLOATS
from streampool_golden.fields import NANS, ROUNDING_ABOUT, ROUNDINGS

from ..refusals import Refused
from . import values
from .command import Option, option

Options: TypeAlias = SimpleNamespace
"""What the command line says: each option's value under its name."""

GROUP = "what is pooled, as torch names it"
DASHED = tuple(name.replace("_", "-") for name in ROUNDINGS)


class Field(NamedTuple):
    """An option for a field of `PoolSpec`.

    Attributes
    ----------
    flag : str
        The option, without its dashes.
    help : str
        What it does, with what is usual in brackets.
    takes : callable or None
        Turns what was typed into the value; None where the option stands alone.
    metavar : str
        What is typed, in the help.
    choices : sequence of str
        What a shell offers after it.
    field : str
        The field's name, where it is not the flag's.
    usual : object
        The value where nothing is said.
    no : bool
        Whether ``--no-FLAG`` says the opposite.
    """

    flag: str
    help: str
    takes: Callable[[str], Any] | None = None
    metavar: str = ""
    choices: Sequence[str] = ()
    field: str = ""
    usual: Any = None
    no: bool = False

    @property
    def name(self) -> str:
        """Return the option's name among the options."""
        return self.flag.replace("-", "_")


FIELDS = (
    Field("op", "{ops} (max)", None, "OP", OPS, usual="max"),
    Field(
        "kernel",
        "window: 3, rows x columns such as 3x2 (planes before them), or global",
        values.kernel,
        "K",
    ),
    Field("adaptive", "outputs instead of a kernel, such as 4x4", values.sizes, "N"),
    Field("stride", "step from window to window (the kernel)", values.sizes, "S"),
    Field(
        "padding",
        "1, 1x0, 0:1x0:1 (before:after for each axis; negative crops), same, same-lower, valid (0)",
        values.padding,
        "P",
        ("same", "same-lower", "valid"),
    ),
    Field("dilation", "distance between a window's taps (1)", values.sizes, "D"),
    Field("ceil-mode", "keep the last window that only partly fits", usual=False),
    Field(
        "count-include-pad",
        "means divide by padding too (yes, but no with same, nor for l2)",
        no=True,
    ),
    Field(
        "divisor",
        "means divide by N everywhere",
        values.integer,
        "N",
        field="divisor_override",
    ),
    Field(
        "rounding",
        ", ".join(DASHED) + " (half-away; of floats half-even)",
        values.named(*ROUNDINGS),
        "MODE",
        DASHED,
    ),
    Field(
        "rounding-about",
        "what rounding takes for zero: raw, or zero-point, the output's (raw)",
        values.named(*ROUNDING_ABOUT),
        "WHAT",
        ("raw", "zero-point"),
    ),
    Field(
        "scale",
        "averages are multiplied by it: 0.02/0.05, as float32, or 3/4 (1)",
        values.ratio,
        "IN/OUT",
    ),
    Field(
        "zero-points",
        "what stands for 0 in input and output, which padding is, for averages (0:0)",
        values.pair,
        "IN:OUT",
    ),
    Field(
        "preset",
        f"average as a runtime does: {', '.join(PRESETS)}",
        values.one_of(*PRESETS, normal=lambda text: text.lower().replace("_", "-")),
        "NAME",
        tuple(PRESETS),
    ),
    Field("clamp", "limit the outputs, as ReLU6 does: 0:6", values.clamp, "LOW:HIGH"),
    Field(
        "dtype",
        f"int2 to int32, uint1 to uint32, {', '.join(FLOATS)} ({{dtype}})",
        str,
        "TYPE",
        ("int8", "uint8", "int16", "uint16", *FLOATS),
    ),
    Field(
        "nan",
        f"what a maximum or minimum does with NaN: {', '.join(NANS)} ({NANS[0]})",
        values.named(*NANS),
        "RULE",
        NANS,
    ),
    Field(
        "index-base",
        "give each maximum's or minimum's index too, as torch numbers it (plane), ONNX (flat, "
        "flat-columns) or TensorFlow (channels-last); with unpool, how those read are numbered",
        values.named(*BASES),
        "BASE",
        tuple(base.replace("_", "-") for base in BASES),
        field="indices",
    ),
    Field("out-dtype", "of the output (the input's; a sum's always holds it)", str, "TYPE"),
    Field("saturate", "let a sum saturate to a narrower --out-dtype", usual=False),
)

OF_UNPOOLING = ("op", "dtype", "index-base")
"""What ``--op unpool`` takes of them."""


def spec_options(*, dtype: str = "int8", more_ops: Sequence[str] = ()) -> list[Option]:
    """Return the options that make a `PoolSpec`.

    Parameters
    ----------
    dtype : str
        What the help says of the usual dtype.
    more_ops : sequence of str
        What ``--op`` takes besides the operations that pool.
    """
    ops = (*OPS, *more_ops)
    made = []
    for field in FIELDS:
        takes = values.named(*ops) if field.flag == "op" else field.takes
        flag = f"--{field.flag}/--no-{field.flag}" if field.no else f"--{field.flag}"
        made.append(
            option(
                flag,
                takes=takes,
                metavar=field.metavar,
                choices=ops if field.flag == "op" else field.choices,
                group=GROUP,
                default=field.usual,
                help=field.help.replace("{ops}", ", ".join(ops)).replace("{dtype}", dtype),
            )
        )
    return made


def said(options: Options) -> list[str]:
    """Return those options of a specification, as they are typed, that say what is not usual."""
    return [f"--{f.flag}" for f in FIELDS if getattr(options, f.name) != f.usual]


def spec_of(
    options: Options, *, dtype: str, ndim: int, size: Sequence[int] | None = None
) -> PoolSpec:
    """Make the specification that the options describe.

    Parameters
    ----------
    options : Options
        With those of `spec_options`.
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
    fields: dict[str, Any] = {"ndim": ndim}
    if options.kernel is None and options.adaptive is None:
        fields |= {"kernel": 3, "stride": 2, "padding": 1}
    for field in FIELDS:
        value = getattr(options, field.name)
        stands_alone = field.takes is None and not field.no
        if value is not None and not (value is False and stands_alone):
            fields[field.field or field.name] = value
    fields["dtype"] = options.dtype or dtype
    if fields.pop("preset", None) is not None:
        op, kernel = fields.pop("op"), fields.pop("kernel", None)
        return preset(options.preset, op, kernel, size=size, **fields)
    return PoolSpec(**fields)


def unpooled_size(options: Options) -> tuple[int, ...]:
    """Return the spatial lengths of the map that ``--op unpool`` makes.

    Raises
    ------
    Refused
        If ``--size`` does not say them, or an option has no meaning with it.
    """
    for field in FIELDS:
        value = getattr(options, field.name)
        if field.flag not in OF_UNPOOLING and value != field.usual:
            no = "no-" if value is False else ""
            raise Refused(f"--{no}{field.flag} has no meaning with --op unpool")
    if options.size is None:
        raise Refused("--op unpool needs the size of the map that it makes; --size HxW would do")
    return options.size
