"""Synthesis with Yosys, place and route with nextpnr, and what they say."""

import hashlib
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from streampool_golden import PoolSpec

from .. import yosys
from ..core import PoolCore
from . import paths, tools
from .devices import Device
from .tools import ToolError
from .wrapper import BetweenRegisters

__all__ = ["FREQ_MHZ", "SEEDS", "Placement", "place", "synthesize"]

FREQ_MHZ = 300.0
"""The clock that the placer is asked for."""
SEEDS = 3

# Yosys 0.70 as WebAssembly ends in abc9 without a word on some designs, depending on what their
# wires are called: it is asked again with fewer names
_NAMES = ("", "rename -hide w:*$*", "rename -hide w:*")


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
    placed : bool
        Whether it was placed; if not, `reason` says why, and what is not known is None.
    cycles_per_frame : int
        With valid and ready always high.
    fmax_mhz : list of float
        Clock of each seed.
    fmax_median_mhz, fmax_best_mhz, frames_per_second : float or None
        Frames at the median clock.
    lut4, carry, ff, block_ram, lut_ram, dsp : int or None
        Cells of the core alone, after synthesis.
    placer_cells : dict
        The placer's own counts, of the core with the registers around it.
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
    critical_path: paths.CriticalPath | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self) | {"shape": list(self.shape)}


def place(
    spec: PoolSpec,
    shape: Sequence[int],
    lanes: int | None,
    device: Device,
    *,
    seeds: int = SEEDS,
    freq_mhz: float = FREQ_MHZ,
    progress: Callable[[int, int], None] = lambda done, total: None,
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
    device : Device
        Where.
    seeds : int, optional
        How often to place, each time from another start.
    freq_mhz : float, optional
        The clock that the placer is asked for.
    progress : callable, optional
        Told after each step: steps done, steps in all.

    Returns
    -------
    Placement
        With `placed` False and a reason if the device is too small or a program is missing.

    Raises
    ------
    SpecError
        If the specification does not fit the shape.
    """
    spec.job(tuple(shape), lanes)  # refused before there is a component
    core, wrapped = (PoolCore(spec, tuple(shape), lanes, family=device.family) for _ in range(2))
    facts: dict[str, Any] = {
        "device": device.name,
        "part": device.part,
        "tools": {},
        "spec": spec.to_json(),
        "shape": core.job.shape,
        "lanes": core.job.lanes,
        "cycles_per_frame": core.cycles_bound,
    }
    texts = [
        yosys.to_rtlil(core, "core"),
        yosys.to_rtlil(BetweenRegisters(wrapped), "between"),
    ]
    steps = len(texts) + seeds
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, steps)

    try:
        facts["tools"] = {name: tools.version(name) for name in (tools.SYNTHESIZER, device.placer)}
        with (
            tempfile.TemporaryDirectory(prefix="streampool-") as folder,
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
            alone, around = Path(folder, "alone"), Path(folder, "around")
            work = [
                pool.submit(_stepping(step, synthesize), text, device, place)
                for text, place in zip(texts, (alone, around), strict=True)
            ]
            counts, _ = [each.result() for each in work]
            facts |= counts
            work = [
                pool.submit(_stepping(step, _place), around, device, freq_mhz, seed)
                for seed in range(1, seeds + 1)
            ]
            reports = [each.result() for each in work]
    except ToolError as error:
        return Placement(**facts, reason=str(error))
    clocks = [_clock(report) for report in reports]
    median = statistics.median_low(clocks)
    used = reports[0]["utilization"]
    return Placement(
        **facts,
        placed=True,
        fmax_mhz=[round(clock, 2) for clock in clocks],
        fmax_median_mhz=round(statistics.median(clocks), 2),
        fmax_best_mhz=round(max(clocks), 2),
        frames_per_second=round(statistics.median(clocks) * 1e6 / core.cycles_bound, 3),
        placer_cells={name: each["used"] for name, each in used.items() if each["used"]},
        critical_path=paths.describe(reports[clocks.index(median)], spec.ndim),
    )


def _stepping(step: Callable[[], None], work: Callable[..., Any]) -> Callable[..., Any]:
    def both(*arguments: Any) -> Any:
        result = work(*arguments)
        step()
        return result

    return both


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
    (folder / "design.il").write_text(rtlil, encoding="utf-8")
    said = ""
    for names in _NAMES:
        script = f"read_rtlil design.il; {names}; {device.synthesis} -json design.json;"
        script = script.replace("; ;", ";") + " tee -q -o stat.json stat -json"
        done = tools.run(tools.SYNTHESIZER, ["-q", "-p", script], folder)
        if not done.returncode:
            break
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    else:
        raise ToolError(f"Yosys could not synthesize it for {device.name}: {said}.")
    stat = json.loads((folder / "stat.json").read_text(encoding="utf-8"))
    cells: dict[str, int] = stat["design"]["num_cells_by_type"]
    return {
        what: sum(number for name, number in cells.items() if name.startswith(beginnings))
        for what, beginnings in asdict(device.cells).items()
    }


def _place(folder: Path, device: Device, freq_mhz: float, seed: int) -> dict[str, Any]:
    report = f"report-{seed}.json"
    arguments = [*device.options, "--json", "design.json", "--report", report]
    arguments += ["--seed", str(seed), "--freq", f"{freq_mhz:g}", "--timing-allow-fail", "-q"]
    done = tools.run(device.placer, arguments, folder)
    if done.returncode or not (folder / report).is_file():
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = said[-1].removeprefix("ERROR: ").rstrip(".") if said else "it ended without a word"
        raise ToolError(f"{device.name} could not take it: the placer says: {reason}.")
    return json.loads((folder / report).read_text(encoding="utf-8"))


def _clock(report: dict[str, Any]) -> float:
    return max(float(clock["achieved"]) for clock in report["fmax"].values())


def fingerprint(spec: PoolSpec, shape: Sequence[int], lanes: int, device: Device) -> str:
    """Return what changes when the design, the device or the tools' versions do."""
    text = yosys.to_rtlil(PoolCore(spec, tuple(shape), lanes, family=device.family), "core")
    versions = [tools.version(name) for name in (tools.SYNTHESIZER, device.placer)]
    return hashlib.sha256("\n".join([text, repr(device), *versions]).encode()).hexdigest()[:16]
