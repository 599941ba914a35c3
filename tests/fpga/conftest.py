"""Yosys and nextpnr played by a function, for tests of what is made of their words."""

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from streampool_bench.fpga import placing, verb
from streampool_farm.farm import Farm
from streampool_farm.task import Task, TaskFailed
from streampool_hw.fpga import tools
from streampool_hw.fpga.design import Design, JobDesign

NETLIST = {
    "modules": {
        "between": {
            "attributes": {"top": "1"},
            "cells": {
                "core.axis_1.new_TRELLIS_FF_Q_1": {
                    "type": "TRELLIS_FF",
                    "connections": {"D": [4], "Q": [5]},
                }
            },
            "netnames": {"core.axis_1.new": {"hide_name": 0, "bits": [6, 5]}},
        }
    }
}


def netlist(cells: dict[str, int]) -> dict:
    """Return `NETLIST` with a cell more of each kind that is counted."""
    [(name, module)] = NETLIST["modules"].items()
    kinds = {kind: {"type": kind, "connections": {}} for kind, count in cells.items() if count}
    return {"modules": {name: module | {"cells": module["cells"] | kinds}}}


def step(kind: str, start: str, end: str, ns: float) -> dict:
    """Return a step of a path; cells with their ports behind a colon."""
    (a, x), (b, y) = start.split(":"), end.split(":")
    return {
        "type": kind,
        "delay": ns,
        "from": {"cell": a, "port": x},
        "to": {"cell": b, "port": y},
    }


def report(mhz: float) -> dict:
    """Return a placer's report with a path through a LUT and two bits of a carry chain."""
    ends = "core.axis_1.new_TRELLIS_FF_Q_1"
    return {
        "fmax": {"clk": {"achieved": mhz, "constraint": 300}},
        "utilization": {
            "TRELLIS_FF": {"used": 40, "available": 24288},
            "DP16KD": {"used": 0, "available": 56},
        },
        "critical_paths": [
            {"from": "<async>", "to": "posedge clk", "path": [step("source", "a:O", "a:O", 9)]},
            {
                "from": "posedge clk",
                "to": "posedge clk",
                "path": [
                    step("clk-to-q", f"{ends}:Q", f"{ends}:Q", 0.5),
                    step("routing", f"{ends}:Q", "core.a:A", 1.0),
                    step("logic", "core.a:A", "core.a:FCO", 0.4),
                    step("routing", "core.a:FCO", "core.b:FCI", 0.0),
                    step("logic", "core.b:FCI", "core.b:F", 0.4),
                    step("routing", "core.b:F", "core.c:A", 0.75),
                    step("logic", "core.c:A", "core.c:F", 0.2),
                    step("routing", "core.c:F", f"{ends}:DI", 0.0),
                    step("setup", f"{ends}:DI", f"{ends}:DI", 0.0),
                ],
            },
        ],
    }


@dataclass
class FakeTools:
    """What the programs say, and what they were asked."""

    clocks: dict[int, float] = field(default_factory=dict)
    cells: dict[str, int] = field(default_factory=dict)
    crashes: int = 0
    log: str = ""
    interrupted: bool = False
    number: str = "0.70"
    calls: list[list[str]] = field(default_factory=list)

    def placed(self) -> int:
        """Return how often the placer was run."""
        return sum("--seed" in call for call in self.calls)

    def __call__(
        self, program: str, arguments: Sequence[str], folder: Path, limit_s: int | None = None
    ) -> "subprocess.CompletedProcess[str]":
        if "--version" in arguments:
            said = f"Yosys {self.number} (git)" if "yosys" in program else "(Version nextpnr-0.8)"
            return subprocess.CompletedProcess([], 0, said, "")
        self.calls.append([program, *arguments])
        if "yosys" in program:
            if self.crashes:
                self.crashes -= 1
                return subprocess.CompletedProcess([], 134, "", "")
            (folder / "design.json").write_text(json.dumps(netlist(self.cells)))
            stat = {"design": {"num_cells_by_type": self.cells}}
            (folder / "stat.json").write_text(json.dumps(stat))
            return subprocess.CompletedProcess([], 0, "", "")
        if self.interrupted:
            raise KeyboardInterrupt
        if self.log:
            return subprocess.CompletedProcess([], 1, "", self.log)
        given = dict(itertools.pairwise(arguments))
        clock = self.clocks.get(int(given["--seed"]), 200.0)
        (folder / given["--report"]).write_text(json.dumps(report(clock)))
        return subprocess.CompletedProcess([], 0, "", "")


class Hands:
    """What does tasks in this process, where `FakeTools` are."""

    number = 1

    def __init__(self) -> None:
        self.begun: list[Task] = []

    def begin(self, task: Task) -> None:
        self.begun.append(task)

    def ended(self) -> Iterator[tuple[str, Any]]:
        for task in self.begun:
            try:
                yield task.key, task.call(task.payload)
            except TaskFailed as error:
                yield task.key, error

    def cancel(self) -> None:
        self.begun.clear()


class FarmHere(Farm):
    """A farm whose one worker is this process."""

    def _started(self) -> Any:
        return Hands()


@pytest.fixture
def farm_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `FarmHere` in the place of workers; what `FakeTools` give is no netlist."""
    monkeypatch.setattr(verb, "Farm", FarmHere)
    monkeypatch.setattr(placing, "check_core", lambda *_: None)


@pytest.fixture(scope="module")
def designs() -> Callable[..., JobDesign]:
    """Return what elaborates a job's design, once for all tests of a module."""
    return cache(Design.of)


@pytest.fixture
def kept_designs(designs: Callable[..., JobDesign], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no design elaborated, and no gates digested, twice."""
    monkeypatch.setattr(Design, "of", designs)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTools]:
    """Put a `FakeTools` in the programs' place."""
    played = FakeTools(cells={"LUT4": 30, "CCU2C": 5, "TRELLIS_FF": 21, "DP16KD": 1, "PFUMX": 9})
    monkeypatch.setattr(tools, "run", played)
    tools.version.cache_clear()
    yield played
    tools.version.cache_clear()
