"""What verbs have for cores whose job changes while they run."""

from collections.abc import Iterable
from typing import Any

import click
from streampool_hw import Maxima
from streampool_hw.runtime.maxima import KNOWN

from ..refusals import Refused
from . import values
from .command import Option, Options, option, under

HEADING = "a core whose job changes while it runs"

SIZES = {
    "max_partials": "partials per position: ceil((K - 1) d / S) is always enough",
    "max_drain": "windows that leave after the last input of their axis",
    "max_fold": "beats per position",
    "max_row": "beats of a row of outputs",
    "max_words": "words of an axis' program, a power of two",
    "max_length": "positions of an axis, in or out",
    "max_taps": "inputs of a window that is summed or averaged",
    "max_kinds": "windows of an axis that are divided differently: 1, 2, 4 or 8",
}
"""The maxima that are numbers of their own, and what each is."""

OTHERS = ("lanes", "bits", "operations")


def maxima_options(*, stated: bool = False) -> list[Option]:
    """Return the options that size a core; `stated` are what they are if nothing is said."""

    def most(name: str, help: str) -> Option:
        value = "half of the partials" if name == "max_drain" else getattr(Maxima(), name)
        usual = f" ({value})" if stated else ""
        return option(f"--{name.replace('_', '-')}", values.positive, "N", help + usual)

    return under(HEADING, *(most(name, help) for name, help in SIZES.items()))


def core_options() -> list[Option]:
    """Return what makes a core without a job: ``--runtime``, and its maxima."""
    usual = Maxima()
    operations = f"what a job may ask for, of {', '.join(KNOWN)} ({','.join(usual.operations)})"
    made = (
        option("--runtime", help="a core whose job is written to registers, of these maxima"),
        option("--operations", values.several(KNOWN), "OP,...", operations),
        option("--bits", values.positive, "N", f"of a value ({usual.bits})"),
    )
    return [*under(HEADING, *made), *maxima_options(stated=True)]


def given(options: Options) -> dict[str, Any]:
    """Return those maxima that are said."""
    said = {name: getattr(options, name, None) for name in (*SIZES, *OTHERS)}
    return {name: value for name, value in said.items() if value is not None}


def maxima_of(options: Options, also: Iterable[str]) -> Maxima:
    """Return the maxima of a core; refuses all other options but those named in `also`."""
    refuse_others((*SIZES, *OTHERS, "runtime", *also))
    return Maxima(**given(options))


def refuse_others(names: Iterable[str]) -> None:
    """Refuse what is typed beside ``--runtime`` but the options of these names."""
    context, names = click.get_current_context(), {*names}
    for each in context.command.params:
        if each.name not in names and _typed(context, each):
            flag = each.opts[-1] if isinstance(each, Option) else str(each.metavar).strip("[]")
            raise Refused(f"{flag} has no meaning with --runtime; leave it out")


def refuse_alone(options: Iterable[Option], runtime: str = "--runtime") -> None:
    """Refuse those `options` that are typed without ``--runtime``."""
    context = click.get_current_context()
    for each in options:
        if _typed(context, each):
            raise Refused(f"{each.opts[-1]} has no meaning without {runtime}; leave it out")


def _typed(context: click.Context, each: click.Parameter) -> bool:
    source = context.get_parameter_source(str(each.name))
    return source is not None and source is not click.core.ParameterSource.DEFAULT
