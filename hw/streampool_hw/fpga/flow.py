"""Synthesis with Yosys, place and route with nextpnr, and what they say."""

import contextlib
import itertools
import json
import math
import os
import re
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from streampool_golden import PoolJob, SpecError
from streampool_golden.fields import integer

from ..export import yosys
from ..files import write_whole
from ..runtime.maxima import Maxima
from . import paths, silicon, tools
from .design import LIMIT_S, Design, RuntimeDesign
from .devices import PINS, Device, device_named
from .netlist import NETLIST
from .tools import NotTaken, ToolError

FREQ_MHZ = 300.0
"""The clock that the placer is asked for, in MHz."""
SEEDS = 3
"""How often a core is placed, each time from another start."""

RARE = ("columns", "resync", "slices", "streams", "stopped", "maxima", "settled")
"""Fields of a `Placement` that its JSON leaves out where they say nothing."""

COUNTS, CHECKED = "counts.json", "checked.json"
"""What synthesis counts and what the check of a netlist says, in its folder."""

Progress: TypeAlias = Callable[[int, int], None]
Check: TypeAlias = Callable[[Any, Device, Path], str | None]
"""Is given a core, its device and the folder of its netlist."""

# A line of a placer's log: what is used of a kind of cell, and what there is
_USE = re.compile(r"^Info:\s+(\S+):\s*(\d+)/\s*(\d+)\s", re.MULTILINE)


def untold(done: int, total: int) -> None:
    """Tell nobody of progress."""


@dataclass(frozen=True)
class Placement:
    """What a core comes to on a device; not placed, all that follows from it is None or empty."""

    device: str
    part: str  # what its maker calls it
    tools: dict[str, str]  # versions of the programs
    spec: dict[str, Any] | None  # None, like what follows from it, of a run-time core
    shape: list[int] | None
    lanes: int
    cycles_per_frame: int | None  # with valid and ready always high
    freq_mhz: float  # what the placer was asked for
    maxima: dict[str, Any] | None = None  # of a run-time core
    columns: list[int] | None = None  # of a beat in and out, where there are several
    resync: bool = False  # whether it follows its frames' marks
    slices: int | None = None  # of a core that is cut into some
    streams: int | None = None  # side by side on each side of such a core: one, or one per slice
    netlist_checked: bool = False  # whether frames came right out of the core's netlist
    netlist_unchecked: str | None = None  # why that cannot be told, where it was tried
    placed: bool = False  # whether the device took it
    fmax_mhz: list[float] = field(default_factory=list)  # of each seed, by the placer
    stopped: list[int] | None = None  # seeds that did not end routing in time
    fmax_median_mhz: float | None = None
    fmax_best_mhz: float | None = None
    silicon_mhz: float | None = None  # what its cells take at most, None also if that is not known
    silicon_cell: str | None = None  # which of them sets that, in words
    clock_mhz: float | None = None  # the lower one of the placer's median and the silicon's
    bound_by: str | None = None  # "placer" or "silicon", whichever is the lower one
    frames_per_second: float | None = None  # at that clock
    values_per_second: float | None = None  # of the input, all lanes together
    # cells of the core alone, after synthesis
    lut4: int | None = None
    carry: int | None = None
    ff: int | None = None
    block_ram: int | None = None
    lut_ram: int | None = None
    dsp: int | None = None
    # the placer's own counts, with the registers around the core
    placer_cells: dict[str, int] = field(default_factory=dict)
    placer_available: dict[str, int] = field(default_factory=dict)
    critical_path: paths.CriticalPath | None = None  # of the seed with the median clock
    reason: str | None = None  # why it was not placed: a sentence
    settled: bool = False  # whether another try would say the same, as of a device too small

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; without columns where there is one alone, and so on."""
        found = asdict(self)
        return {k: v for k, v in found.items() if k not in RARE or v not in (None, False)}


def place(
    job: PoolJob,
    device: Device | str,
    *,
    resync: bool = False,
    seeds: int = SEEDS,
    freq_mhz: float = FREQ_MHZ,
    slices: int = 1,
    own_streams: bool = False,
    check: Check | None = None,
    progress: Progress = untold,
) -> Placement:
    """Synthesize a job's core, place it between registers, and say what it comes to.

    It is placed `seeds` times, each time from another start, and the placer is asked for a clock
    of `freq_mhz`. With `resync` it is a `ResyncCore`. With several `slices` it is cut into so
    many, each with its `own_streams` or all behind one. A seed that does not end routing in
    `LIMIT_S` seconds of a processor is stopped. Before that, `check` is given the core, the device
    and the folder of the core's netlist; it raises `ToolError` if the netlist differs, and returns
    why it cannot tell, or None. `progress` is told of each step: steps done, steps in all. Where
    the device is too small or a program is missing, the result has `placed` False and a reason.
    """
    seeds, freq_mhz = _settings(seeds, freq_mhz)
    device = device_named(device) if isinstance(device, str) else device
    design = Design.of(job, device, resync=resync, slices=slices, own_streams=own_streams)
    return _placed(design, seeds, freq_mhz, check, progress)


def place_runtime(
    maxima: Maxima,
    device: Device | str,
    *,
    resync: bool = False,
    seeds: int = SEEDS,
    freq_mhz: float = FREQ_MHZ,
    check: Check | None = None,
    progress: Progress = untold,
) -> Placement:
    """Do for a run-time core of these maxima what `place` does for one of a job."""
    seeds, freq_mhz = _settings(seeds, freq_mhz)
    device = device_named(device) if isinstance(device, str) else device
    design = RuntimeDesign.of_maxima(maxima, device, resync=resync)
    return _placed(design, seeds, freq_mhz, check, progress)


def _settings(seeds: int, freq_mhz: float) -> tuple[int, float]:
    """Return them as they are, or refuse them; NumPy's scalars are nothing to JSON."""
    seeds, freq_mhz = integer("seeds", seeds, 1), float(freq_mhz)
    if not 0 < freq_mhz < math.inf:
        raise SpecError("freq_mhz", f"freq_mhz {freq_mhz} is no clock; use a number above 0.")
    return seeds, freq_mhz


def _placed(
    design: Design, seeds: int, freq_mhz: float, check: Check | None, progress: Progress
) -> Placement:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return place_design(
            design, seeds=seeds, freq_mhz=freq_mhz, check=check, progress=progress, pool=pool
        )


def place_design(
    design: Design,
    *,
    seeds: int,
    freq_mhz: float,
    pool: Executor,
    check: Check | None = None,
    progress: Progress = untold,
    kept: Path | None = None,
) -> Placement:
    """Do what `place` does with a design, by the threads of a pool; it must not be one of them.

    What the programs leave for this design is kept in a folder if there is one, `kept`, and none of
    it is done again.
    """
    core, device = design.core, design.device
    facts = {
        "device": device.name,
        "part": device.part,
        "tools": {},
        **design.facts(),
        "freq_mhz": freq_mhz,
    }
    steps, done = 2 + bool(check) + seeds, itertools.count(1)

    def start(work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        def step() -> Any:
            result = work(*arguments)
            progress(next(done), steps)
            return result

        return pool.submit(step)

    started: list[Future[Any]] = []
    try:
        facts["tools"] = tools.versions(device.placer)
        with _folder(kept) as folder:
            alone, whole = folder / "alone", folder / "around"
            try:
                started = [
                    start(_once, path / COUNTS, partial(synthesize, rtlil, device, path))
                    for rtlil, path in ((design.between, whole), (design.alone, alone))
                ]
                counts = started[1].result()
                facts |= {what: number * design.streams for what, number in counts.items()}
                started[0].result()
                if check is not None:  # here, where Ctrl-C ends it
                    found = _once(alone / CHECKED, partial(check, core, device, alone))
                    facts["netlist_unchecked"] = found
                    facts["netlist_checked"] = facts["netlist_unchecked"] is None
                    progress(next(done), steps)
                started = [
                    start(
                        _once,
                        whole / f"seed-{seed}.json",
                        partial(_place_or_stop, whole, design, freq_mhz, seed),
                    )
                    for seed in range(1, seeds + 1)
                ]
                reports = [each.result() for each in started]
            finally:
                for each in started:  # none of them may be at work in the folder when it goes
                    each.cancel()
                wait(started)
            stopped = [seed for seed, report in enumerate(reports, 1) if report is None]
            facts["stopped"] = stopped or None
            if 2 * len(stopped) >= seeds:
                raise NotTaken(
                    f"{len(stopped)} of {seeds} seeds did not end routing on {device.name} in"
                    f" {LIMIT_S // 60} minutes."
                )
            reports = [report for report in reports if report is not None]
            clocks = [
                max(float(clock["achieved"]) for clock in report["fmax"].values())
                for report in reports
            ]
            # a seed that was stopped counts as slower than any other
            median = statistics.median([*[0.0] * len(stopped), *clocks])
            middle = _middle(reports, clocks, len(stopped))
            netlist = json.loads((whole / NETLIST).read_text(encoding="utf-8"))
    except ToolError as error:
        return Placement(**facts, reason=str(error), settled=isinstance(error, NotTaken))
    median = round(median, 2)
    return Placement(
        **facts,
        placed=True,
        fmax_mhz=[round(clock, 2) for clock in clocks],
        fmax_median_mhz=median,
        fmax_best_mhz=round(max(clocks), 2),
        **design.rates(median, silicon.limit_of(device, silicon.kinds_in(netlist, device))),
        placer_cells=utilization(middle, "used"),
        placer_available=utilization(middle, "available"),
        critical_path=paths.describe(middle, netlist, design.ndim),
    )


def _middle(reports: Sequence[Any], clocks: Sequence[float], stopped: int) -> Any:
    """Return the report of the median, the lower of two; the slowest's if that one was stopped."""
    ranked = sorted(range(len(clocks)), key=clocks.__getitem__)
    return reports[ranked[max(0, (len(clocks) + stopped - 1) // 2 - stopped)]]


def utilization(report: dict[str, Any], count: str) -> dict[str, int]:
    """Return how many cells are ``"used"`` or ``"available"``, of each kind in use."""
    uses = report["utilization"].items()
    return {kind: each[count] for kind, each in uses if each["used"]}


def synthesize(rtlil: str, device: Device, folder: Path) -> dict[str, int]:
    """Synthesize a design for a device and leave `NETLIST` in a folder, which is made.

    The result is how many cells of each kind there are, by the names of `Placement`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.il").write_text(yosys.plain_names(rtlil), encoding="utf-8")
    script = (
        "read_rtlil design.il",
        f"{device.synthesis} -json {NETLIST}",
        "tee -q -o stat.json stat -json",
    )
    tools.run_yosys(script, folder, f"Yosys could not synthesize it for {device.name}")
    stat = json.loads((folder / "stat.json").read_text(encoding="utf-8"))
    cells: dict[str, int] = stat["design"]["num_cells_by_type"]
    return {
        what: sum(number for name, number in cells.items() if name.startswith(beginnings))
        for what, beginnings in asdict(device.cells).items()
    }


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Yield a folder that is kept, or one for as long as this takes."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="streampool-") as folder:
        yield Path(folder)


def _once(path: Path, work: Callable[[], Any]) -> Any:
    """Return what work gives, which a file has from then on."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    found = work()
    write_whole({path: json.dumps(found) + "\n"})
    return found


def _place_or_stop(
    folder: Path, design: Design, freq_mhz: float, seed: int
) -> dict[str, Any] | None:
    """Return what the placer reports of a seed; None where it was stopped."""
    try:
        return _place(folder, design, freq_mhz, seed)
    except tools.TookTooLong:
        return None


def _place(folder: Path, design: Design, freq_mhz: float, seed: int) -> dict[str, Any]:
    report, device = f"report-{seed}.json", design.device
    if device.pins:
        (folder / PINS).write_text(device.pins, encoding="utf-8")
    arguments = [*device.options, *design.routing, "--json", NETLIST, "--report", report]
    arguments += ["--seed", str(seed), "--freq", f"{freq_mhz:g}", "--timing-allow-fail"]
    limit = {} if design.limit_s is None else {"limit_s": design.limit_s}
    done = tools.run(device.placer, arguments, folder, **limit)
    if done.returncode or not (folder / report).is_file():
        # one that was killed, or that fell over, says nothing of the device
        kind = NotTaken if done.returncode > 0 and "ERROR: " in done.stderr else ToolError
        raise kind(why_not(done.stderr, device.name, device.placer))
    return json.loads((folder / report).read_text(encoding="utf-8"))


def why_not(log: str, name: str, program: str) -> str:
    """Return a sentence on why a device, or a board, could not take what a program was given."""
    over = [
        f"{int(needed):,} of {int(there):,} {kind}"
        for kind, needed, there in _USE.findall(log)
        if int(needed) > int(there)
    ]
    if over:
        return f"{name} is too small: it would take {', '.join(over)}."
    said = [line.removeprefix("ERROR: ") for line in log.splitlines() if line.startswith("ERROR: ")]
    reason = " ".join(said[-1].split()).rstrip(".") if said else "it ended without a word"
    return f"{name} could not take it: {program} says: {reason}."
