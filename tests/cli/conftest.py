"""The command line in this process, in an empty folder."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from commands import Command, Done
from streampool_golden import PoolJob, pool
from streampool_sim import cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which is empty."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return what runs a command line in `folder`."""

    def run(*arguments: object) -> Done:
        status = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return run


@pytest.fixture
def refused(command: Command, folder: Path) -> Command:
    """Return what runs a command line that has to be refused, leaving no file behind."""

    def run(*arguments: object) -> Done:
        before = sorted(folder.rglob("*"))
        done = command(*arguments)
        assert done.status == 2
        assert done.out == ""
        assert done.err.startswith("streampool: ")
        assert done.err.endswith(".\n")
        assert done.err.count("\n") == 1
        assert sorted(folder.rglob("*")) == before
        return done

    return run


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put the golden model in the core's place, for tests of files and words alone.

    Returns
    -------
    SimpleNamespace
        Attributes to set: ``spoil``, a function of the output that returns what the core gave;
        and to read: ``calls``, the arguments of every simulation.
    """
    state = SimpleNamespace(spoil=lambda output: output, calls=[])

    def simulate(job: PoolJob, x: np.ndarray, *, layout: str, **options: Any) -> SimpleNamespace:
        state.calls.append({"spec": job.spec, "x": x, "layout": layout, **options})
        right = pool(job.spec, x, layout)
        output = state.spoil(right.copy())
        numbers = dict.fromkeys(
            (
                "cycles_per_frame",
                "limit_cycles_per_frame",
                "bound_cycles_per_frame",
                "latency_cycles",
                "frames_per_second",
                "frames_simulated",
                "cycles",
                "seconds",
                "cycles_per_second",
            ),
            np.int64(7),
        )
        stats = {
            **numbers,
            "spec": job.to_json(),
            "engine": "none",
            "matches_golden": bool(np.array_equal(output, right)),
            "warnings": [],
        }
        core = SimpleNamespace(memory=lambda: "7 words")
        return SimpleNamespace(arrays=(output,), stats=stats, core=core)

    monkeypatch.setattr("streampool_sim.cli.run.simulate", simulate)
    return state
