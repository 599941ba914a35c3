"""Parts of a run of conformance, each of which a worker may do: specifications, cores, sums."""

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streampool_farm.task import Task, TaskFailed, digest
from streampool_sim.frames import unpack
from streampool_sim.log import fingerprint

from .cases import Case, UnpoolCase, drawn
from .simulated import core_of, indices_of, traces


def sources() -> str:
    """Return a hash of all that a result rests on, but for the runtimes."""
    own = sorted(Path(__file__).parent.glob("*.py"))
    return digest(fingerprint(), [path.read_text("utf-8") for path in own])


def part(what: str, oracle: Any, version: str, **how: Any) -> Task:
    """Return the task that does a part of a runtime's run; `what` is a function of this module."""
    name = oracle.__name__.rpartition(".with_")[2]
    payload = {"name": name, "version": version, "sources": sources(), **how}
    label = f"{name}, {what}"
    return Task(f"{__name__}:{what}", payload, digest("conformance", what, payload), label)


def _oracle(payload: dict[str, Any]) -> Any:
    """Return a runtime's module, where sources and the runtime are those that are asked for."""
    if payload["sources"] != sources():
        raise TaskFailed("this worker has other sources than the command; install the same on both")
    oracle = importlib.import_module(f".with_{payload['name']}", __package__)
    version = oracle.load()
    if version != payload["version"]:
        raise TaskFailed(
            f"this worker has {oracle.PACKAGE} {version}, and the command has"
            f" {payload['version']}; install the same on both"
        )
    return oracle


def specifications(payload: dict[str, Any]) -> dict[str, Any]:
    """Check the golden model on the specifications of some indices.

    Returns
    -------
    dict
        ``cases``, those that were not refused: ``index``, ``what``, the number of ``values``,
        ``faults`` and ``own``, as a `Case` has them.
    """
    oracle, seed, found = _oracle(payload), payload["seed"], []
    for index in range(payload["first"], payload["end"]):
        if (case := drawn(oracle, seed, index)) is not None:
            faults = through_golden(case)
            about = {"index": index, "what": case.what, "values": case.y.size}
            found.append({**about, "faults": faults, "own": case.own})
    return {"cases": found}


def cores(payload: dict[str, Any]) -> dict[str, Any]:
    """Check the simulated cores of some specifications; returns their ``faults``."""
    oracle = _oracle(payload)
    cases = [drawn(oracle, payload["seed"], index) for index in payload["indices"]]
    return {"faults": through_cores([case for case in cases if case is not None])}


def sums(payload: dict[str, Any]) -> dict[str, Any]:
    """Check the golden model on every sum of some numbers of uint8 values.

    Returns
    -------
    dict
        ``rows``: for each operator and scale ``what``, ``scale``, ``zero_points``, ``sums`` that
        were tried, ``own``, those that the runtime's float32 rounded otherwise, and the first of
        them. ``faults``, other mismatches.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    faults: list[str] = []
    for case in _oracle(payload).exhaustive():
        faults += through_golden(case)
        spec = case.spec
        scale = str(spec.scale) if spec.scale.denominator < 100 else f"{float(spec.scale):.6f}"
        row = rows.setdefault(
            (case.what, scale),
            {"what": case.what, "scale": scale, "sums": 0, "own": 0, "first": None},
        )
        row["sums"] += case.y.size
        row["own"] += len(case.own)
        if case.own and row["first"] is None:
            taps, zeros = spec.kernel[1], list(spec.zero_points)
            total = int(case.x[_window(case.own[0]["at"], case.x.shape)].sum())
            row["first"] = {"taps": taps, "zero_points": zeros, "sum": total, **case.own[0]}
    return {"rows": list(rows.values()), "faults": faults}


def through_golden(case: Case | UnpoolCase) -> list[str]:
    """Check the golden model against a runtime's output."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return case.judge(*case.golden())


def through_cores(cases: Sequence[Case | UnpoolCase]) -> list[str]:
    """Check simulated cores against a runtime's outputs, or the exact value where it is listed."""
    made = [core_of(case.job) for case in cases]
    faults = []
    runs = traces(made, [case.x for case in cases], [case.indices for case in cases])
    for case, core, trace in zip(cases, made, runs, strict=True):
        known = len(case.own)
        found = case.judge(unpack(core.job, trace.out), indices_of(core, trace))
        faults += [f"core: {fault}" for fault in found]
        del case.own[known:]  # the golden model's are listed already
    return faults


def _window(at: tuple[int, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return where the inputs of an output are: a row, whatever it is along."""
    frame, channel, row, _ = at
    return frame, channel, row, slice(0, shape[3])
