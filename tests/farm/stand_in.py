"""What stands in for a placer in tests: it takes a while, and tells a log what it does."""

import fcntl
import os
import subprocess
from typing import Any


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Take as long as it says, by a program of its own, and return what follows from it."""
    log, name = payload["log"], payload["name"]
    with open(f"{log}.{name}", "a") as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _note(log, f"twice {name}")
        if os.path.exists(payload["stored"]):
            _note(log, f"late {name}")
        _note(log, f"begin {name} {os.getpid()}")
        subprocess.run(["sleep", str(payload["seconds"])], check=True)
        _note(log, f"end {name} {os.getpid()}")
    if payload.get("wrong"):
        raise ValueError(payload["wrong"])
    return {"name": name, "cells": payload["cells"], "speed": payload["speed"]}


def _note(log: str, line: str) -> None:
    with open(log, "a") as file:
        file.write(f"{line}\n")
        file.flush()
