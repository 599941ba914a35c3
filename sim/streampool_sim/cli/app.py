"""`streampool`: what is typed finds its verb, and whatever goes wrong becomes one sentence."""

import errno
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from click.shell_completion import CompletionItem
from streampool_golden import __version__
from streampool_golden.errors import SpecError, SpecWarning

from ..refusals import YELLOW, Refused, painted, printable, say
from ..signals import Stopped, stopping
from .command import SETTINGS, as_typed, refuse, refusing
from .registry import broken, command_of, verbs

# What a run ends with, beside the status of a signal that stops it
EQUAL, MISMATCH, REFUSED, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141

COMPLETE = "_STREAMPOOL_COMPLETE"
"""The variable by which a shell asks what could come next."""

ABOUT = """\
Streaming pooling cores, one beat per clock: simulated cycle by cycle, checked against a golden
model, written as Verilog, explained.
"""


class _Streampool(click.Group):
    """The verbs; the module of one is imported when it runs or its help is shown."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        try:
            return command_of(cmd_name)
        except Refused as refusal:
            if ctx.resilient_parsing:  # a shell asks, and is offered nothing
                return None
            refuse(ctx, str(refusal))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if set(args) <= {"--"} and not ctx.resilient_parsing:
            refuse(ctx, f"a verb is missing; use one of {', '.join(verbs())}")
        with refusing(ctx, args):
            return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(click.style("verbs", bold=True)):
            rows = [(name, each.about) for name, each in verbs().items()]
            formatter.write_dl([*rows, *((name, "cannot be loaded") for name in broken())])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [
            CompletionItem(name, help=each.about)
            for name, each in verbs().items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


streampool = click.version_option(__version__, message="%(prog)s %(version)s")(
    _Streampool(
        "streampool",
        help=ABOUT,
        epilog="`streampool VERB --help` shows a verb's options, with examples.",
        context_settings=SETTINGS,
        subcommand_metavar="VERB ...",
    )
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, by default the process' own, and return its exit status."""
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
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except (KeyboardInterrupt, Stopped) as stop:
        # Amaranth may have processes that never began and parts that were never used, of which it
        # and Python warn at exit.
        warnings.filterwarnings(
            "ignore", "coroutine .* was never awaited|.* created but never used"
        )
        stopped = isinstance(stop, Stopped)
        print("streampool:", "stopped" if stopped else "interrupted", file=sys.stderr)
        return stop.status if stopped else INTERRUPTED
    except (Refused, SpecError) as refusal:
        return _said(str(refusal), REFUSED)
    except OSError as error:
        return _said(f"{_culprit(error)}{error.strerror or error}", REFUSED)
    except MemoryError:
        return _said("this does not fit into memory; use a smaller input", REFUSED)
    except RuntimeError as error:
        from streampool_hw.export.yosys import ToolError

        from ..engines import EngineError

        if not isinstance(error, EngineError | ToolError):
            raise
        # A core that gets stuck, or gives too much, is wrong, and not what was asked for.
        return _said(str(error), MISMATCH if isinstance(error, EngineError) else REFUSED)


def _said(message: str, status: int) -> int:
    say(message)
    return status


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
    told: set[str] = set()
    ctx = click.get_current_context()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        text = printable(" ".join(str(message).split()))
        if issubclass(category, SpecWarning) and ctx.invoked_subcommand is not None:
            text = as_typed(text, command_of(ctx.invoked_subcommand))
        if text not in told and not issubclass(
            category, DeprecationWarning | PendingDeprecationWarning
        ):
            told.add(text)
            print(painted("streampool: warning:", YELLOW, sys.stderr), text, file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield
