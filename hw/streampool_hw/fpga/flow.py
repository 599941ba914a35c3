"""Synthesis with Yosys, place and route with nextpnr, and what they say."""

import hashlib
import itertools
import json
import math
import os
import re
import statistics
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from streampool_golden import PoolJob, PoolSpec, SpecError

from ..core import PoolCore
from ..export import gates, yosys
from . import paths, tools
from .devices import PINS, Device, device_named
from .netlist import NETLIST
from .tools import ToolError
from .wrapper import BetweenRegisters

FREQ_MHZ = 300.0
"""The clock that the placer is asked for, in MHz."""
SEEDS = 3
"""How often a core is placed, each time from another start."""

WIDE = 128
"""Lanes beyond which nextpnr's second router is used: it takes minutes where the first takes half
an hour for the last hundred wires."""

Progress: TypeAlias = Callable[[int, int], None]
Check: TypeAlias = Callable[[PoolCore, Device, Path], str | None]

# A line of a placer's log: what is used of a kind of cell, and what there is
_USE = re.compile(r"^Info:\s+(\S+):\s*(\d+)/\s*(\d+)\s", re.MULTILINE)


def _untold(done: int, total: int) -> None:
    pass


@dataclass(frozen=True)
class Placement:
    """What a core comes to on a device.

    Parameters
    ----------
    device, part : str
        The device, and what its maker calls it.
    tools : dict
        Versions of the programs.
    spec : dict
        The specification.
    shape : tuple of int
        A frame.
    lanes : int
        Channels of a beat.
    cycles_per_frame : int
        With valid and ready always high.
    freq_mhz : float
        The clock that the placer was asked for.
    netlist_checked : bool
        Whether frames went through the netlist of the core alone and came out right.
    netlist_unchecked : str or None
        Why they could not, where that was tried.
    placed : bool
        Whether the device took it; what follows is None, or empty, where it did not.
    fmax_mhz : list of float
        Clock of each seed.
    fmax_median_mhz, fmax_best_mhz : float or None
        The median of them, and the highest.
    frames_per_second : float or None
        At the median clock.
    lut4, carry, ff, block_ram, lut_ram, dsp : int or None
        Cells of the core alone, after synthesis.
    placer_cells : dict
        The placer's own counts, of the core with the registers around it.
    placer_available : dict
        How many of each of these the device has, by the placer.
    critical_path : dict or None
        Of the seed with the median clock; see `paths.describe`.
    reason : str or None
        Why it was not placed: a sentence.
    """

    device: str
    part: str
    tools: dict[str, str]
    spec: dict[str, Any]
    shape: tuple[int, ...]
    lanes: int
    cycles_per_frame: int
    freq_mhz: float
    netlist_checked: bool = False
    netlist_unchecked: str | None = None
    placed: bool = False
    fmax_mhz: list[float] = field(default_factory=list)
    fmax_median_mhz: float | None = None
    fmax_best_mhz: float | None = None
    frames_per_second: float | None = None
    lut4: int | None = None
    carry: int | None = None
    ff: int | None = None
    block_ram: int | None = None
    lut_ram: int | None = None
    dsp: int | None = None
    placer_cells: dict[str, int] = field(default_factory=dict)
    placer_available: dict[str, int] = field(default_factory=dict)
    critical_path: paths.CriticalPath | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self) | {"shape": list(self.shape)}


@dataclass(frozen=True)
class Design:
    """A core for a device, ready for synthesis.

    Parameters
    ----------
    core : PoolCore
        The core; elaborated.
    device : Device
        Where.
    alone, between : str
        RTLIL of the core, and of the core between registers.
    """

    core: PoolCore
    device: Device
    alone: str
    between: str

    @classmethod
    def of(
        cls, spec: PoolSpec, shape: Sequence[int], lanes: int | None, device: Device
    ) -> "Design":
        """Elaborate a job for a device.

        Raises
        ------
        SpecError
            If the specification does not fit the shape.
        """
        PoolJob(spec, tuple(shape), lanes)  # refused before there is a component
        # twice, since nothing can be elaborated twice
        core, inner = (PoolCore(spec, tuple(shape), lanes, family=device.family) for _ in range(2))
        between = yosys.to_rtlil(BetweenRegisters(inner), "between")
        return cls(core, device, yosys.to_rtlil(core, "core"), between)

    def versions(self) -> list[str]:
        """Return the versions of the programs that place it.

        Raises
        ------
        ToolError
            If a program is missing.
        """
        return [tools.version(program) for program in (tools.SYNTHESIZER, self.device.placer)]

    @property
    def routing(self) -> tuple[str, ...]:
        """The placer's options that are for this design."""
        return ("--router", "router2") if self.core.job.lanes > WIDE else ()

    def fingerprint(self, *settings: object, versions: Sequence[str]) -> str:
        """Return what changes when the gates, the device, a setting or a tool's version does."""
        made_of = [gates.digest(each) for each in (self.alone, self.between)]
        parts = (*made_of, self.device, settings, [*versions], *self.routing)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def place(
    spec: PoolSpec,
    shape: Sequence[int],
    lanes: int | None,
    device: Device | str,
    *,
    seeds: int = SEEDS,
    freq_mhz: float = FREQ_MHZ,
    check: Check | None = None,
    progress: Progress = _untold,
) -> Placement:
    """Synthesize a core, place it between registers, and say what it comes to.

    Parameters
    ----------
    spec : PoolSpec
        What to compute.
    shape : sequence of int
        A frame.
    lanes : int or None
        Channels of a beat; None is all of them, 8 at most.
    device : Device or str
        Where, or its name.
    seeds : int, optional
        How often to place, each time from another start.
    freq_mhz : float, optional
        The clock that the placer is asked for, in MHz.
    check : callable, optional
        Given the core, the device and the folder of the core's netlist, raises `ToolError` if
        the netlist differs, and returns why it cannot tell, or None. It is called before anything
        is placed.
    progress : callable, optional
        Told after each step: steps done, steps in all.

    Returns
    -------
    Placement
        With `placed` False and a reason if the device is too small or a program is missing.

    Raises
    ------
    SpecError
        If the specification does not fit the shape, the device is not known, or there are no seeds
        or no clock to ask for.
    """
    seeds, freq_mhz = int(seeds), float(freq_mhz)  # NumPy's scalars are nothing to JSON
    if seeds < 1:
        raise SpecError("seeds", f"seeds {seeds} is none; 1 or more would do.")
    if not 0 < freq_mhz < math.inf:
        raise SpecError("freq_mhz", f"freq_mhz {freq_mhz} is no clock; {FREQ_MHZ:g} would do.")
    device = device_named(device) if isinstance(device, str) else device
    design = Design.of(spec, shape, lanes, device)
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
    progress: Progress = _untold,
) -> Placement:
    """Do what `place` does with a design, by the threads of a pool; it must not be one of them."""
    core, device = design.core, design.device
    facts: dict[str, Any] = {
        "device": device.name,
        "part": device.part,
        "spec": core.job.spec.to_json(),
        "shape": core.job.shape,
        "lanes": core.job.lanes,
        "cycles_per_frame": core.cycles_bound,
        "freq_mhz": freq_mhz,
    }
    steps, done = 2 + bool(check) + seeds, itertools.count(1)

    def tell(future: "Future[Any]") -> None:
        if not future.cancelled() and future.exception() is None:
            progress(next(done), steps)

    def start(work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        future = pool.submit(work, *arguments)
        future.add_done_callback(tell)
        return future

    started: list[Future[Any]] = []
    try:
        facts["tools"] = {name: tools.version(name) for name in (tools.SYNTHESIZER, device.placer)}
        with tempfile.TemporaryDirectory(prefix="streampool-") as folder:
            alone, around = Path(folder, "alone"), Path(folder, "around")
            try:
                started = [
                    start(synthesize, design.between, device, around),
                    start(synthesize, design.alone, device, alone),
                ]
                facts |= started[1].result()
                started[0].result()
                if check is not None:  # here, where Ctrl-C ends it
                    facts["netlist_unchecked"] = check(core, device, alone)
                    facts["netlist_checked"] = facts["netlist_unchecked"] is None
                    progress(next(done), steps)
                started = [
                    start(_place, around, device, design.routing, freq_mhz, seed)
                    for seed in range(1, seeds + 1)
                ]
                reports = [each.result() for each in started]
            finally:
                for each in started:  # none of them may be at work in the folder when it goes
                    each.cancel()
                wait(started)
            clocks = [_clock(report) for report in reports]
            middle = reports[clocks.index(statistics.median_low(clocks))]
            netlist = json.loads((around / NETLIST).read_text(encoding="utf-8"))
    except ToolError as error:
        return Placement(**{"tools": {}, **facts}, reason=str(error))
    median = statistics.median(clocks)
    uses = {name: each for name, each in middle["utilization"].items() if each["used"]}
    return Placement(
        **facts,
        placed=True,
        fmax_mhz=[round(clock, 2) for clock in clocks],
        fmax_median_mhz=round(median, 2),
        fmax_best_mhz=round(max(clocks), 2),
        frames_per_second=round(median * 1e6 / core.cycles_bound, 3),
        placer_cells={name: each["used"] for name, each in uses.items()},
        placer_available={name: each["available"] for name, each in uses.items()},
        critical_path=paths.describe(middle, netlist, core.job.spec.ndim),
    )


def synthesize(rtlil: str, device: Device, folder: Path) -> dict[str, int]:
    """Synthesize a design for a device and leave ``design.json`` in a folder.

    Parameters
    ----------
    rtlil : str
        The design.
    device : Device
        For which.
    folder : Path
        Is made.

    Returns
    -------
    dict
        How many cells of each kind there are, by the names of `Placement`.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.il").write_text(yosys.plain_names(rtlil), encoding="utf-8")
    script = "; ".join(
        (
            "read_rtlil design.il",
            f"{device.synthesis} -json {NETLIST}",
            "tee -q -o stat.json stat -json",
        )
    )
    done = tools.run(tools.SYNTHESIZER, ["-q", "-p", script], folder)
    if done.returncode:
        said = tools.last_words(done)
        raise ToolError(f"Yosys could not synthesize it for {device.name}: {said}.")
    stat = json.loads((folder / "stat.json").read_text(encoding="utf-8"))
    cells: dict[str, int] = stat["design"]["num_cells_by_type"]
    return {
        what: sum(number for name, number in cells.items() if name.startswith(beginnings))
        for what, beginnings in asdict(device.cells).items()
    }


def _place(
    folder: Path, device: Device, routing: Sequence[str], freq_mhz: float, seed: int
) -> dict[str, Any]:
    report = f"report-{seed}.json"
    if device.pins:
        (folder / PINS).write_text(device.pins, encoding="utf-8")
    arguments = [*device.options, *routing, "--json", NETLIST, "--report", report]
    arguments += ["--seed", str(seed), "--freq", f"{freq_mhz:g}", "--timing-allow-fail"]
    done = tools.run(device.placer, arguments, folder)
    if done.returncode or not (folder / report).is_file():
        raise ToolError(why_not(done.stderr, device.name, device.placer))
    return json.loads((folder / report).read_text(encoding="utf-8"))


def why_not(log: str, name: str, program: str) -> str:
    """Return a sentence on why a device, or a board, could not take a design.

    Parameters
    ----------
    log : str
        What the program said before it failed.
    name : str
        Of the device or board.
    program : str
        Which said it.
    """
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


def _clock(report: dict[str, Any]) -> float:
    return max(float(clock["achieved"]) for clock in report["fmax"].values())
