"""What stands in for a placer in tests: it takes a while, and tells a log what it does."""

import fcntl
import os
import subprocess
import time
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
    if "kept" in payload:
        with open(f"{payload['kept']}/times", "a") as file:
            file.write("x")
    if payload.get("wrong"):
        raise ValueError(payload["wrong"])
    return {"name": name, "cells": payload["cells"], "speed": payload["speed"]}


def placed(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a placement, without the programs."""
    from streampool_hw.fpga.flow import Placement  # a second that most tasks do not need

    time.sleep(0.3)
    names = ("device", "spec", "shape", "lanes")
    facts = {name: payload[name] for name in names} | {"part": "", "tools": {"yosys": "1"}}
    return Placement(
        **facts, cycles_per_frame=100, freq_mhz=300.0, placed=True, lut4=7, block_ram=0, dsp=0,
        fmax_mhz=[200.0], fmax_median_mhz=200.0, carry=1, ff=1, lut_ram=1, netlist_checked=True,
    ).to_json()  # fmt: skip


def _note(log: str, line: str) -> None:
    with open(log, "a") as file:
        file.write(f"{line}\n")
        file.flush()
