"""Results files of long runs, which go on where they were stopped."""

import hashlib
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from streampool_hw.files import write_whole

NO_RESULT = {"cli", "pictures", "inputs", "explain", "progress", "refusals", "words"}
"""Modules and folders that no result rests on."""


def fingerprint() -> str:
    """Return a hash of everything that the results of a sweep rest on."""
    digest = hashlib.sha256()
    for package in ("streampool_golden", "streampool_hw", "streampool_sim"):
        root = Path(str(resources.files(package)))
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".cc") and not NO_RESULT & set(path.with_suffix("").parts):
                digest.update(
                    path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes()
                )
    return digest.hexdigest()[:16]


class Log:
    """A results file: a line that says what it is of, then a line per case.

    What it holds of another seed or other sources is dropped.
    """

    def __init__(self, path: Path, seed: int):
        self.path = path
        self.head = {"seed": seed, "sources": fingerprint()}
        self.results: dict[int, dict[str, Any]] = {}
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        parsed = list(_lines(lines))
        if parsed and parsed[0] == self.head:
            self.results = {line["index"]: line for line in parsed[1:]}
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written anew, so that a line cut short by a killed run does not stay.
        kept = [self.head, *self.results.values()]
        write_whole({path: "".join(json.dumps(line) + "\n" for line in kept)})

    def add(self, results: list[dict[str, Any]]) -> None:
        """Append results."""
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(result) + "\n" for result in results)
        except OSError as error:  # a full disk's names no file
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        self.results |= {result["index"]: result for result in results}


def _lines(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return
