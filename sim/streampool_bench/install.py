"""Install what is measured against: ``python -m streampool_bench.install``.

The extras ``bench`` and ``report``, one requirement after the other, so that one that cannot be had
here costs no other; it is named, and skipped when the rest is measured.
"""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata

EXTRAS = ("bench", "report")
_MARKED = re.compile(rf"""extra\s*==\s*['"]({"|".join(EXTRAS)})['"]""")


def requirements() -> list[str]:
    """Return the requirements of the extras."""
    found = metadata.requires("streampool") or []
    return [text.split(";")[0].strip() for text in found if _MARKED.search(text)]


def forms(requirement: str) -> list[str]:
    """Return what to ask for, best first: torch for processors alone is a tenth of the other."""
    if re.fullmatch(r"torch==[\d.]+", requirement):
        return [f"{requirement}+cpu", requirement]
    return [requirement]


def _pip(requirement: str) -> str | None:
    """Install a requirement; returns why it cannot be, or None."""
    pip = [sys.executable, "-P", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "install", requirement],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if not done.returncode:
        return None
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    return lines[-1].removeprefix("ERROR:").strip() if lines else f"pip ended {done.returncode}"


def main(install: Callable[[str], str | None] = _pip) -> int:
    """Install each requirement, and say what cannot be; 0 even then, as the others are measured."""
    if importlib.util.find_spec("pip") is None:
        print("streampool: there is no pip here, so nothing is installed", file=sys.stderr)
        return 0
    for requirement in requirements():
        print(f"streampool: {requirement}", file=sys.stderr, flush=True)
        why = None
        for form in forms(requirement):
            why = install(form)
            if why is None:
                break
        if why is not None:
            text = f"streampool: {requirement} cannot be installed here and is left out: {why}"
            print(text, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
