"""`streampool`: what is typed finds its verb, and whatever goes wrong becomes one sentence."""

import errno
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import click
from click.shell_completion import CompletionItem
from streampool_golden.errors import SpecError, cut, did_you_mean

from ..refusals import Refused, say, shown
from ..signals import Stopped, stopping
from .command import SETTINGS, refuse, tell, told_so_far
from .registry import broken, command_of, verbs

EQUAL, MISMATCH, REFUSED, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141

COMPLETE = "_STREAMPOOL_COMPLETE"
"""The variable by which a shell asks what could come next."""

ABOUT = """\
Streaming pooling cores, one beat a clock: simulated cycle by cycle, held against a golden model,
written as Verilog, explained.
"""


class _Streampool(click.Group):
    """The verbs; the module of one is imported when it runs or its help is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(verbs())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        try:
            return command_of(cmd_name) if cmd_name in verbs() else None
        except Refused:
            if ctx.resilient_parsing:  # a shell asks, and is offered nothing
                return None
            raise

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        word = args[0] if args else None
        if not ctx.resilient_parsing and word not in ("-h", "--help", "--version"):
            if word is None:
                refuse(ctx, "the following arguments are required: VERB")
            if word.startswith("-"):
                refuse(ctx, f"option {cut(word.partition('=')[0])} is not known")
            if word not in verbs():
                if word in (faults := broken()):
                    raise faults[word]
                names = ", ".join(verbs())
                hint = did_you_mean(word, verbs()) or f"; use one of {names}"
                refuse(ctx, f"verb {shown(word)} is not known{hint}")
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(click.style("verbs", bold=True)):
            rows = [(name, each.about) for name, each in verbs().items()]
            formatter.write_dl([*rows, *((name, "cannot be loaded") for name in broken())])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\n`streampool VERB --help` shows a verb's options, with examples.\n")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [
            CompletionItem(name, help=each.about)
            for name, each in verbs().items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from streampool_golden import __version__

        click.echo(f"streampool {__version__}")
        ctx.exit()


streampool = _Streampool(
    "streampool",
    help=ABOUT,
    context_settings=SETTINGS,
    subcommand_metavar="VERB ...",
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version and exit.",
        )
    ],
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; the process' own by default.

    Returns
    -------
    int
        The exit status: 0 done and equal, 1 a mismatch, 2 refused, 130 interrupted, 141 whoever
        read the results has gone, 143 stopped by SIGTERM.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without our characters is no reason to fail.
            stream.reconfigure(errors="replace")
    if os.environ.get(COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(streampool, {}, "streampool", COMPLETE, os.environ[COMPLETE])
    try:
        with stopping():
            try:
                return _invoke(list(sys.argv[1:] if arguments is None else arguments))
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
    except (Refused, SpecError) as refusal:
        return _said(str(refusal), REFUSED)
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except (KeyboardInterrupt, Stopped) as stop:
        # Amaranth's simulator may have processes that never began, of which Python warns at exit.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        if isinstance(stop, Stopped):
            print("streampool: stopped", file=sys.stderr)
            return stop.status
        print("streampool: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        return _said(f"{_culprit(error)}{error.strerror or error}", REFUSED)
    except MemoryError:
        return _said("this does not fit into memory; a smaller input would do", REFUSED)
    except RuntimeError as error:
        from streampool_hw.export.yosys import YosysError

        from ..engines import EngineError

        if isinstance(error, EngineError):
            # The core gets stuck, or gives too much: it is wrong, and not what was asked for.
            return _said(str(error), MISMATCH)
        if isinstance(error, YosysError):
            return _said(str(error), REFUSED)
        raise


def _forget_output() -> None:
    """Drop what standard output does not take: Python would try once more at exit, and complain."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _culprit(error: OSError) -> str:
    """Return the file that an error is of.

    What is written to files is named by who writes it, so where no name is there was no room for
    what is printed.
    """
    if error.filename is None and error.errno == errno.ENOSPC:
        _forget_output()
        return "standard output: "
    return f"{error.filename}: " if error.filename else ""


def parsed(arguments: Sequence[str]) -> tuple[str, SimpleNamespace]:
    """Return the verb that is typed and its options, and run nothing."""
    name, *words = arguments
    with command_of(name).make_context(f"streampool {name}", words) as ctx:
        return name, SimpleNamespace(**ctx.params)


def _invoke(words: list[str]) -> int:
    try:
        with streampool.make_context("streampool", words) as ctx, _warnings_told():
            return streampool.invoke(ctx) or EQUAL
    except click.exceptions.Exit as end:  # of --help and --version
        raise SystemExit(end.exit_code) from None
    except click.ClickException as error:
        raise Refused(error.format_message()) from None


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Have every warning said once, as a line; those of threads too."""
    told = told_so_far()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if not issubclass(category, DeprecationWarning | PendingDeprecationWarning):
            tell(message, told)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


def _said(message: str, status: int) -> int:
    say(message)
    return status
