"""Faults in netlists: Yosys puts them in, all of a core into one netlist, and frames go through.

A netlist of many mutants has an input `variant`: 0 is the core as it is, and each other number one
mutant. So a core and all of its mutants are compiled once.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from streampool_golden import PoolJob
from streampool_hw import PoolCore
from streampool_hw.export import yosys
from streampool_sim.cases import Case
from streampool_sim.engines import EngineError, Trace, fast
from streampool_sim.engines.model import Build
from streampool_sim.engines.trace import Stall
from streampool_sim.frames import pack
from streampool_sim.simulation import compare

FLAT = """
read_rtlil core.il
proc
flatten
opt_clean
zinit -all
opt
wreduce
pmuxtree
opt_clean
delete t:$scopeinfo
setattr -unset init w:*
"""
"""What makes one module of a core, without what no output needs and no mutant could change."""

SEED, VARIANT_BITS = 1, 12
FRAMES = 40
"""Different frames, of which some runs take all."""
LONG_FRAMES = 3000
_CLOCKS = {"CLK", "RD_CLK", "WR_CLK"}
"""Pins that are not mutated: there is one clock, which is not logic. Memories' contents neither."""


class YosysError(RuntimeError):
    """Yosys ended with an error."""


def run_yosys(script: str, folder: Path) -> None:
    """Run a script of native Yosys in a folder."""
    (folder / "script.ys").write_text(script, encoding="utf-8")
    code = "from pyosys import libyosys as y; y.run_pass('script script.ys', y.Design())"
    done = subprocess.run(  # -P: nothing is imported from that folder
        [sys.executable, "-P", "-c", code], cwd=folder, capture_output=True, text=True
    )
    (folder / "script.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        raise YosysError(f"Yosys ended with {done.returncode}; see {folder / 'script.log'}")


@dataclass(frozen=True)
class Mutants:
    """A core and faults of its netlist.

    Attributes
    ----------
    flat : str
        RTLIL of the core as one module, before any fault.
    rtlil : str
        RTLIL with all faults and the input ``variant``.
    faults : list of str
        Each as the options of Yosys' `mutate`; the first is variant 1.
    """

    job: PoolJob
    flat: str
    rtlil: str
    faults: list[str]

    @classmethod
    def of(cls, job: PoolJob, count: int, folder: Path) -> "Mutants":
        """Have Yosys draw `count` faults, evenly over cells and wires, and put them in."""
        folder.mkdir(parents=True, exist_ok=True)
        rtlil = yosys.to_rtlil(PoolCore(job), "top")
        (folder / "core.il").write_text(rtlil, encoding="utf-8")
        draw = f"mutate -list {2 * count} -seed {SEED} -o faults.txt"
        run_yosys(f"{FLAT}write_rtlil flat.il\n{draw}\n", folder)
        lines = (folder / "faults.txt").read_text("utf-8").splitlines()
        faults = [line.removeprefix("mutate ") for line in lines]
        flat = (folder / "flat.il").read_text("utf-8")
        starts = set(re.findall(r"cell \$meminit_v2 (\S+)", flat))
        faults = [
            fault
            for fault in faults
            if _option(fault, "port") not in _CLOCKS and _option(fault, "cell") not in starts
        ][:count]
        put_in = "\n".join(
            f"mutate {fault} -ctrl variant {VARIANT_BITS} {number}"
            for number, fault in enumerate(faults, 1)
        )
        # a wire with drivers of its own for some bits would look like a loop to CXXRTL
        clean = "opt_clean\nsplitnets -driver\nopt_clean"
        run_yosys(f"read_rtlil flat.il\n{put_in}\n{clean}\nwrite_rtlil mutants.il\n", folder)
        return cls(job, flat, (folder / "mutants.il").read_text("utf-8"), faults)


def _option(fault: str, name: str) -> str:
    words = fault.split()
    return words[words.index(f"-{name}") + 1].removeprefix("\\")


@dataclass(frozen=True)
class Run:
    """One run of the fixed share: how often frames are streamed, with what stalls and reset."""

    count: int
    stall: Stall = 0.0
    seed: int = 0
    reset_at: float | None = None  # in frames
    of: int = FRAMES  # different frames


RUNS = (
    Run(FRAMES),
    Run(FRAMES, 0.3, 1),
    Run(FRAMES // 2, 0.7, 2, 0.4),
    Run(FRAMES, (0.0, 0.9), 3, 1.6),
    Run(FRAMES // 2, (0.9, 0.0), 4, 0.9),
    Run(FRAMES, (0.0, 0.5), 5, 1.3),
    Run(FRAMES, (0.5, 0.0), 6),
)
LONG_RUNS = tuple(
    Run(LONG_FRAMES, stall, 10 + seed, of=LONG_FRAMES)
    for seed, stall in enumerate((0.0, 0.4, (0.0, 0.95), (0.95, 0.0), (0.2, 0.7), (0.7, 0.2)))
)
"""What those go through that are still there."""
ENDS = tuple(
    Run(count, (source, sink), 20 + count)
    for count in range(5, 45)
    for source in (0.0, 0.6)
    for sink in (0.8, 0.9, 0.95, 0.98)
)
"""And these: they end with this beat or that in front of a sink that stalls.

With frames behind it a beat that is not offered any more is, again, once there is another one.
"""
RESETS = tuple(
    Run(3, (0.0, sink), 100 + number, number / 24) for number in range(1, 49) for sink in (0.0, 0.5)
)
"""And these, with a reset all over two frames: some registers are only at times not as at first."""
_ERRORS = {
    "beats": "gave more than",
    "stuck": "stopped after",
    "unstable": "changed an output beat",
    "loop": "combinational feedback",
}


def some_frames(job: PoolJob, count: int) -> np.ndarray:
    """Return so many frames: the sweep's, and such whose values are close together.

    Of those neither a maximum nor a mean of many values is always about the same.
    """
    rng, raw = np.random.default_rng(SEED), job.input.raw
    shape = (count // 2, *job.shape)
    level = rng.integers(raw.low, raw.high, shape[:2], np.int64, endpoint=True)
    near = level.reshape(*level.shape, *(1,) * len(job.size)) + rng.integers(-2, 3, shape)
    near = np.clip(near, raw.low, raw.high).astype(raw.numpy).view(job.input.numpy)
    both = np.concatenate([Case(SEED, 0, job, 0.0).frames(count // 2), near])
    return both[rng.permutation(count)]


class Judge:
    """Streams frames through a core's mutants, and says what each did wrong."""

    def __init__(self, mutants: Mutants, folder: Path):
        job = self.job = mutants.job
        self.core = PoolCore(job)
        yosys.to_rtlil(self.core, "top")  # the core's facts are known once it is elaborated
        [self._model] = Build(
            [self.core], optimise="-O1", folder=folder, rtlil=[mutants.rtlil]
        ).load()
        self._streams = {}
        for count in (FRAMES, LONG_FRAMES):
            frames = some_frames(job, count)
            self._streams[count] = pack(job, frames, seed=SEED), job.reference(frames)
        self._right: dict[Run, Trace] = {}

    def _run(self, variant: int, run: Run) -> Trace:
        at = run.reset_at
        return fast.run(
            self.core,
            self._streams[run.of][0],
            model=replace(self._model, variant=variant),
            count=run.count,
            stall=run.stall,
            seed=run.seed,
            reset_at=None if at is None else round(at * self.job.limit_cycles),
        )

    def fault(self, variant: int, runs: Sequence[Run] = RUNS) -> str | None:
        """Return what is wrong with a variant, in a word, or None.

        The values and `last` are the golden model's, and the clocks those of the core as it is.
        """
        for run in runs:
            try:
                trace = self._run(variant, run)
            except EngineError as error:
                said = str(error)
                return next(word for word, text in _ERRORS.items() if text in said)
            _, wrong = compare(self.job, trace, *self._streams[run.of][1])
            if wrong:
                return "last" if wrong.startswith("last") else "values"
            if variant:
                if run not in self._right:
                    self._right[run] = self._run(0, run)
                right = self._right[run]
                if not all(
                    np.array_equal(getattr(trace, name), getattr(right, name))
                    for name in ("in_cycles", "out_cycles")
                ):
                    return "clocks"
        return None


def judged(job: PoolJob, count: int, folder: Path) -> tuple[Mutants, dict[str, int], list[str]]:
    """Draw faults of a core and run each; return by what how many are killed, and those left."""
    mutants = Mutants.of(job, count, folder)
    judge = Judge(mutants, folder)
    assert judge.fault(0) is None, f"{job!r} itself fails: {judge.fault(0)}"
    killed: Counter[str] = Counter()
    left = []
    for variant, fault in enumerate(mutants.faults, 1):
        found = judge.fault(variant) or judge.fault(variant, ENDS + RESETS + LONG_RUNS)
        if found:
            killed[found] += 1
        else:
            left.append(fault)
    return mutants, dict(killed), left
