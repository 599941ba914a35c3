"""A verb's command and its options: what click has, with our sentences where it has its own."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, TypeAlias

import click
from click.shell_completion import CompletionItem
from streampool_golden.errors import SpecError, cut, did_you_mean, shown

from ..refusals import Refused, not_known

NUMBER = re.compile(r"-[\d.]")
"""How a value begins that is no option: a number below zero."""

HANGING = re.compile(r"^(?:(--[^=]+=)|(-\w)(?:=|(?=.)))")
"""An option with its value in the same word, up to the value: ``--a=b``, ``-o=x``, ``-ox``."""

VALUE = "\0"
"""What is in no word that is typed: it marks a value, whatever that begins with."""


def dashed(word: str) -> str:
    """Return a name as it is typed: an option or a value may have underscores as well."""
    return word.replace("_", "-")


Options: TypeAlias = SimpleNamespace
"""What the command line says: each option's value under its name."""

SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "token_normalize_func": dashed,
}


Takes: TypeAlias = Callable[[str], Any] | Iterable[str]
"""What makes a value of what was typed, or raises `ValueError`; or the names of which it is one."""


def one_of(names: Iterable[str]) -> Callable[[str], str]:
    """Return what takes one of `names` in any case; a table may grow after this."""

    def parse(text: str) -> str:
        known = {dashed(name).lower(): name for name in names}
        if (name := known.get(dashed(text).lower())) is None:
            raise ValueError(not_known(text, [dashed(each) for each in names]))
        return name

    return parse


class Value(click.ParamType):
    """What an option takes: what a function makes of it, which may refuse it by `ValueError`."""

    name = "value"

    def __init__(self, takes: Takes, choices: Iterable[str] = ()) -> None:
        if callable(takes):
            self._takes, self.choices = takes, choices
        else:
            self._takes, self.choices = one_of(takes), takes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value, or refuse what was typed."""
        if not isinstance(value, str):
            return value
        if isinstance(param, click.Option) and re.match(r"-[^\d.\s]\S*$", value):
            self.fail(_needs_value(param), param, ctx)  # it is an option
        value = value.replace(VALUE, "")
        if self._takes is Path and not value and param is not None:
            use = param.help if isinstance(param, click.Argument) else f"a {param.metavar}"
            self.fail(f"is empty; use {use}", param, ctx)
        try:
            return self._takes(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the choices, or files where it takes a path."""
        if self._takes is Path:
            return [CompletionItem(incomplete, type="file")]
        words = map(dashed, self.choices)
        return [CompletionItem(each) for each in words if each.startswith(incomplete)]


class Option(click.Option):
    """An option in a group of the help; made by `option`."""

    group = ""
    unless = ""  # the option beside which this one may be missing, though it is required

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value, or refuse that there is none."""
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            if ctx.params.get(self.unless):  # what is typed is read before what is not
                return None
            raise


def option(
    flags: str,
    takes: Takes | None = None,
    metavar: str = "",
    help: str = "",
    *,
    choices: Iterable[str] = (),
    default: Any = None,
    required: bool = False,
    unless: str = "",
) -> Option:
    """Return an option; `flags` are as in ``-o --output``, ``--on/--no-on``, ``--from source``.

    Without `takes` it stands alone: True where it is typed, False where its opposite is, and else
    False, or None where there is an opposite. The help ends with the default, and ``{}`` in it
    stands for the choices, which a shell offers; `choices` are for where `takes` has none. What is
    `required` may be missing where the option `unless` is there.
    """
    if takes is None:
        usual = None if "/" in flags else False
        return Option(flags.split(), help=help, is_flag=True, default=usual)
    kind: dict[str, Any] = {"required": True} if required else {"default": default}
    kind |= {"help": help + _usual(default), "type": Value(takes, choices), "metavar": metavar}
    made = Option(flags.split(), **kind)
    made.unless = unless
    return made


def _usual(default: Any) -> str:
    """Say what is the value where none is typed."""
    if default is None:
        return ""
    if isinstance(default, tuple):
        return f" ({'x'.join(map(str, default))})"
    return f" ({default:g})" if isinstance(default, float) else f" ({default})"


def argument(
    name: str, takes: Takes, metavar: str, help: str, *, default: Any = None, several: bool = False
) -> click.Argument:
    """Return a word that stands alone and may be left out; `several` takes any number of them."""
    kind: dict[str, Any] = {"nargs": -1} if several else {"default": default}
    kind["help"] = help + _usual(default)
    metavar = f"[{metavar}{' ...' if several else ''}]"
    return click.Argument([name], type=Value(takes), metavar=metavar, required=False, **kind)


def under(heading: str, *options: Option) -> list[Option]:
    """Put options under a heading of the help."""
    for each in options:
        each.group = heading
    return list(options)


def refuse(ctx: click.Context, message: str) -> NoReturn:
    """Refuse what was typed, and say where help is."""
    raise Refused(f"{message.rstrip('.')}; `{ctx.command_path} --help` shows what there is")


@contextmanager
def refusing(ctx: click.Context, typed: Sequence[str]) -> Iterator[None]:
    """Refuse in our words what click refuses."""
    try:
        yield
    except click.UsageError as error:
        refuse(ctx, _sentence(error, ctx, typed))


def _sentence(error: click.UsageError, ctx: click.Context, typed: Sequence[str]) -> str:
    options = {
        flag: each
        for each in ctx.command.get_params(ctx)
        if isinstance(each, click.Option)
        for flag in (*each.opts, *each.secondary_opts)
    }
    match error:
        case click.NoSuchOption(option_name=name):
            # of -kernel click names -k alone
            word = next((each for each in typed if each.startswith(name)), name).partition("=")[0]
            near = did_you_mean(word, [flag for flag in options if flag.startswith("--")])
            return f"option {cut(word)} is not known{near}"
        case click.BadOptionUsage(option_name=name):
            if options[name].is_flag:
                return f"{name} takes no value; use {name} alone"
            return f"{name} {_needs_value(options[name])}"
        case click.MissingParameter():  # of the first alone, and what is there was read before it
            missing = [
                (each.opts[0], each.metavar)
                for each in ctx.command.params
                if each.required and each.name not in ctx.params
            ]
            names = " and ".join(name for name, _ in missing)
            uses = " ".join(f"{name} {metavar}" for name, metavar in missing)
            return f"{names} {'is' if len(missing) == 1 else 'are'} missing; use {uses}"
        case click.BadParameter(param=click.Option() as param):
            return f"{'/'.join(param.opts)} {error.message}"
        case click.BadParameter(param=click.Argument() as param):
            return f"{(param.metavar or '').strip('[ .]')} {error.message}"
    return error.message


def _needs_value(param: click.Parameter) -> str:
    return f"needs a value; use {param.opts[-1]} {param.metavar}"


class VerbCommand(click.Command):
    """A verb: it takes its options in any order, and words that are numbers below zero."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed; what cannot be read is refused, but for a shell's completion."""
        with refusing(ctx, args):
            rest = super().parse_args(ctx, list(_marked(args)))
        if rest and not ctx.resilient_parsing:
            refuse(ctx, f"{shown(rest[0].replace(VALUE, ''))} is one argument too many")
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what golden refuses is said with its names as they are typed."""
        try:
            return super().invoke(ctx)
        except SpecError as refusal:
            raise Refused(as_typed(str(refusal), self)) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        groups: dict[str, list[tuple[str, str]]] = {"": []}
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx)
            if record is not None and isinstance(each, click.Option):
                flags, text = record
                if isinstance(each.type, Value):
                    text = text.replace("{}", ", ".join(map(dashed, each.type.choices)))
                groups.setdefault(getattr(each, "group", ""), []).append((flags, text))
        for heading, rows in groups.items():
            if rows:
                with formatter.section(click.style(heading or "options", bold=True)):
                    formatter.write_dl(rows, col_max=26)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they stand."""
        if self.epilog:
            formatter.write(f"\n{self.epilog}")


def as_typed(text: str, command: click.Command) -> str:
    """Return golden's sentence with a command's options and their values as they are typed."""
    for each in command.params:
        text = text.replace(f"{each.name}=True", each.opts[-1])
        names = {str(each.name): each.opts[-1].lstrip("-")}
        if isinstance(each.type, Value):
            names |= {choice: dashed(choice) for choice in each.type.choices}
        for name, typed in names.items():
            if "_" in name:
                text = re.sub(rf"\b{name}\b", typed, text)
    return text


def verb(
    name: str, examples: str, *params: click.Parameter
) -> Callable[[Callable[[Options], int]], VerbCommand]:
    """Make a verb's command of what it decorates, which is registered by this name.

    The function is given each value under its option's name, and returns the exit status. Its help
    has the options in their order, and ends with the examples.
    """

    def command(function: Callable[[Options], int]) -> VerbCommand:
        return VerbCommand(
            name,
            params=list(params),
            callback=lambda **options: function(Options(**options)),
            epilog=examples,
            context_settings={**SETTINGS, "allow_extra_args": True},
        )

    return command


def _marked(words: Iterable[str]) -> Iterator[str]:
    """Mark what click would take for an option: numbers below zero, and what hangs on an option."""
    words = iter(words)
    for word in words:
        if word == "--":
            yield word
            yield from words
        elif NUMBER.match(word):
            yield VALUE + word
        else:
            yield HANGING.sub(rf"\1\2{VALUE}", word)
