"""A verb's command and its options: what click has, with our sentences where it has its own."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem
from streampool_golden.errors import cut, did_you_mean

from ..refusals import YELLOW, Refused, painted, shown

NUMBER = re.compile(r"-[\d.]")
"""How a value begins that is no option: a number below zero."""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Value(click.ParamType):
    """What an option takes.

    Parameters
    ----------
    takes : callable
        Turns what was typed into a value; raises `ValueError` with what is wrong.
    choices : sequence of str
        What a shell offers.
    """

    def __init__(self, takes: Callable[[str], Any], choices: Sequence[str] = ()) -> None:
        self.name = "value"
        self._takes, self._choices = takes, tuple(choices)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value, or refuse what was typed."""
        if not isinstance(value, str):
            return value
        try:
            return self._takes(value)
        except ValueError as error:
            assert param is not None and ctx is not None
            refuse(ctx, f"argument {'/'.join(param.opts)}: {error}")

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the choices, or files where it takes a path."""
        if self._takes is Path:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(each) for each in self._choices if each.startswith(incomplete)]


class Option(click.Option):
    """An option in a group of the help; made by `option`."""

    group = ""


def option(
    *flags: str,
    takes: Callable[[str], Any] | None = None,
    metavar: str = "",
    choices: Iterable[str] = (),
    group: str = "",
    help: str = "",
    default: Any = None,
    required: bool = False,
) -> Option:
    """Return an option.

    Parameters
    ----------
    *flags : str
        ``-o``, ``--output``; ``--on/--no-on`` where the opposite can be said too; and its name
        among the options where it is another.
    takes : callable, optional
        Turns what was typed into the value, or raises `ValueError`; without, it stands alone.
    metavar : str
        What is typed, in the help.
    choices : iterable of str
        What a shell offers after it.
    group : str
        The heading that it stands under.
    help : str
        What it does.
    default : object
        Its value where it is not typed.
    required : bool
        Whether it has to be.
    """
    kind: dict[str, Any] = {"is_flag": True}
    if takes is not None:
        kind = {"type": Value(takes, tuple(choices)), "metavar": metavar or None}
    made = Option(flags, help=help, default=default, required=required, **kind)
    made.group = group
    return made


def argument(
    name: str,
    *,
    takes: Callable[[str], Any],
    metavar: str,
    help: str,
    default: Any = None,
    several: bool = False,
    choices: Iterable[str] = (),
) -> click.Argument:
    """Return a word that stands alone and may be left out; `several` takes any number of them."""
    return click.Argument(
        [name],
        type=Value(takes, tuple(choices)),
        metavar=f"[{metavar}{' ...' if several else ''}]",
        required=False,
        nargs=-1 if several else 1,
        help=help,
        **({} if several else {"default": default}),
    )


def refuse(ctx: click.Context, message: str) -> NoReturn:
    """Refuse what was typed, and say where help is."""
    raise Refused(f"{message.rstrip('.')}; `{ctx.command_path} --help` shows what there is")


def told_so_far() -> set[str]:
    """Return the warnings that this run of the command has said."""
    return click.get_current_context().meta.setdefault(__name__, set())


def tell(message: object, told: set[str] | None = None) -> None:
    """Say a warning, each once in a run of the command.

    A thread has no run of its own: there, `told` says which run it is.
    """
    text = " ".join(str(message).split())
    told = told_so_far() if told is None else told
    if text not in told:
        told.add(text)
        start = painted("streampool: warning:", YELLOW, sys.stderr)
        print(start, text, file=sys.stderr)


class VerbCommand(click.Command):
    """A verb: it takes its options in any order, spelled with dashes or underscores."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed; what cannot be read is refused, but for a shell's completion."""
        if not ctx.resilient_parsing:
            args = self._checked(ctx, args)
        return super().parse_args(ctx, args)

    def _checked(self, ctx: click.Context, args: Sequence[str]) -> list[str]:
        """Return the words as click takes them, each option apart from its value."""
        known = {
            flag: each
            for each in self.get_params(ctx)
            if isinstance(each, click.Option)
            for flag in (*each.opts, *each.secondary_opts)
        }
        room = sum(
            len(args) if each.nargs < 0 else each.nargs
            for each in self.params
            if isinstance(each, click.Argument)
        )
        given: set[str | None] = set()
        options: list[str] = []
        loose: list[str] = []
        unknown: list[str] = []
        words = list(args)
        while words:
            word = words.pop(0)
            if word == "--":
                loose += words
                break
            if not word.startswith("-") or word == "-" or NUMBER.match(word):
                loose.append(word)
                continue
            flag, value = _split(word, known)
            found = known.get(flag)
            if found is None:
                unknown.append(flag)
                continue
            if flag in ctx.help_option_names:
                return ["--help"]
            given.add(found.name)
            named = "/".join(found.opts)
            if found.is_flag:
                if value is not None:
                    refuse(ctx, f"argument {named}: ignored explicit argument {shown(value)}")
                options.append(flag)
                continue
            if value is None:
                if not words or _is_option(words[0]):
                    refuse(ctx, f"argument {named}: expected one argument")
                value = words.pop(0)
            options += [flag, value]
        missing = [each for each in self.params if each.required and each.name not in given]
        self._refuse_rest(ctx, missing, unknown, loose[room:], known)
        return [*options, "--", *loose]

    def _refuse_rest(
        self,
        ctx: click.Context,
        missing: Sequence[click.Parameter],
        unknown: Sequence[str],
        surplus: Sequence[str],
        known: Iterable[str],
    ) -> None:
        if missing:
            names = ", ".join("/".join(each.opts) for each in missing)
            refuse(ctx, f"the following arguments are required: {names}")
        if unknown:
            hint = did_you_mean(unknown[0], (flag for flag in known if flag.startswith("--")))
            refuse(ctx, f"option {cut(unknown[0])} is not known{hint}")
        if surplus:
            refuse(ctx, f"{shown(surplus[0])} is one argument too many")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the words and the options, group by group."""
        groups: dict[str, list[tuple[str, str]]] = {"": []}
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx)
            if record is not None and isinstance(each, click.Option):
                groups.setdefault(getattr(each, "group", ""), []).append(record)
        for heading, rows in groups.items():
            if rows:
                with formatter.section(click.style(heading or "options", bold=True)):
                    formatter.write_dl(rows, col_max=26)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they stand."""
        if self.epilog:
            formatter.write(f"\n{self.epilog}")


def verb(
    name: str,
    params: Sequence[click.Parameter],
    function: Callable[[SimpleNamespace], int],
    *,
    about: str,
    examples: str = "",
) -> VerbCommand:
    """Return a verb's command.

    Parameters
    ----------
    name : str
        As it is typed.
    params : sequence of Parameter
        What it takes, in the order of its help.
    function : callable
        Takes what was typed, each value under its option's name; returns the exit status.
    about : str
        What it does, in a sentence.
    examples : str
        Lines that end its help.
    """
    return VerbCommand(
        name,
        params=list(params),
        callback=lambda **options: function(SimpleNamespace(**options)),
        help=about,
        epilog=examples,
        context_settings=SETTINGS,
    )


def _split(word: str, known: Iterable[str]) -> tuple[str, str | None]:
    """Return an option and the value that hangs on it: ``-o=x``, ``-ox``, ``--a=b``."""
    name, equals, value = word.partition("=")
    if name.startswith("--"):
        return name.replace("_", "-"), value if equals else None
    if name in known:
        return name, value if equals else None
    return (word[:2], word[2:]) if word[:2] in known and len(word) > 2 else (name, None)


def _is_option(word: str) -> bool:
    """Return whether a word after an option is one of its own, and no value."""
    return len(word) > 1 and word[0] == "-" and " " not in word and not NUMBER.match(word)
