"""The verb `completion`."""

import click
from click.shell_completion import get_completion_class

from ..refusals import Refused
from .command import Options, argument, verb

SHELLS = ("bash", "zsh", "fish")

EXAMPLES = """\
examples:
  streampool completion bash >> ~/.bashrc
  streampool completion zsh >> ~/.zshrc
  streampool completion fish > ~/.config/fish/completions/streampool.fish

The next shell completes verbs, options, what they take, and files.
"""


@verb("completion", EXAMPLES, argument("shell", SHELLS, "SHELL", ", ".join(SHELLS)))
def command(options: Options) -> int:
    """Print the script of the shell."""
    from .app import COMPLETE, streampool

    if options.shell is None:
        raise Refused(f"completion needs a shell; use one of {', '.join(SHELLS)}")
    found = get_completion_class(options.shell)
    assert found is not None
    click.echo(found(streampool, {}, "streampool", COMPLETE).source())
    return 0
