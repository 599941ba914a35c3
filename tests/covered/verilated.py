"""Generated Verilog through Verilator, which counts what the frames reach of it."""

import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import packaged_verilator
from marked_frames import outputs, payload, tdata, used_bits
from mutants.netlists import some_frames
from streampool_golden import PoolJob
from streampool_hw.export.axi import record_width
from streampool_hw.export.verilog import write_verilog
from streampool_sim.frames import pack

KINDS = ("line", "branch", "toggle", "expr")
"""What Verilator counts: of ``--coverage`` all but states of machines, of which there are none."""
NAME = "core"
_OPTIONS = ("--coverage-line", "--coverage-toggle", "--coverage-expr")
_DRIVER = Path(__file__).with_name("driver.cc")
_RUNTIME = ("verilated", "verilated_cov", "verilated_threads")
"""What every model is linked with, and is the same in each."""


class Failure(RuntimeError):
    """A tool ended with an error, or a core gave what it should not have."""


class Point(NamedTuple):
    """Something that Verilator counts.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    path : str
        Where it is, from the module that is written down: ``core.core.axis_0.sequencer``.
    what : str
        The bit and its edge, the branch, or the values of an expression's operands.
    text : str
        The line of Verilog it stands in.
    times : int
        How often it was reached.
    """

    kind: str
    path: str
    what: str
    text: str
    times: int

    def __str__(self) -> str:
        return f"{self.kind} {self.path}: {self.what} in `{self.text}`"


def points(coverage: str, verilog: str) -> list[Point]:
    """Return what a file of Verilator's has, on a core's Verilog."""
    lines, found = verilog.splitlines(), []
    for record in re.finditer(r"^C '([^']*)' (\d+)$", coverage, re.MULTILINE):
        keys = dict(part.split("\x02") for part in record[1].split("\x01")[1:])
        kind = keys["page"].split("/")[0].removeprefix("v_")
        path = keys["h"].partition(f"{NAME}.")[2]
        text = lines[int(keys["l"]) - 1].strip()
        found.append(Point(kind, path, keys["o"], text, int(record[2])))
    return found


@dataclass(frozen=True)
class Run:
    """One run of the testbench.

    `source` and `sink` are how often each stalls, `reset_at` the clock of a reset that ends it.
    Where a mark is `misplaced`, the data are what they are without that.
    """

    frames: np.ndarray
    source: float = 0.0
    sink: float = 0.0
    reset_at: int = -1
    misplaced: bool = False


def corners(job: PoolJob) -> np.ndarray:
    """Return frames of the lowest and the highest value: all the same, and by turns."""
    raw = job.input.raw
    ends = np.array([raw.low, raw.high, 0], np.int64)
    size = int(np.prod(job.shape))
    order = np.arange(size)
    turns = [order * 0, order * 0 + 1, order * 0 + 2, order % 2, 1 - order % 2, order // 3 % 2]
    rng = np.random.default_rng(1)
    turns += [(rng.random(size) < share).astype(int) for share in (0.1, 0.3, 0.5, 0.7, 0.9)]
    frames = np.array([ends[turn] for turn in turns]).reshape(-1, *job.shape)
    return frames.astype(raw.numpy).view(job.input.numpy)


def runs(job: PoolJob, count: int) -> Iterator[Run]:
    """Yield what a core goes through: so many frames with each kind of stall, and resets."""
    rng = random.Random(1)
    frames = np.concatenate([corners(job), some_frames(job, count)])
    for source, sink in ((0, 0), (0.3, 0.3), (0.9, 0), (0, 0.9), (0.5, 0), (0, 0.5), (0.7, 0.9)):
        yield Run(frames, source, sink)
        for _ in range(8):
            some = frames[rng.sample(range(len(frames)), 4)]
            clocks = 3 * job.limit_cycles / (1 - max(source, sink))
            yield Run(some, source, sink, reset_at=rng.randrange(int(clocks)))
    yield Run(frames[:3], misplaced=True)
    yield Run(frames[:0], reset_at=0)


def written(job: PoolJob, folder: Path) -> str:
    """Write a core's Verilog into a folder, as a user gets it, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_verilog(job, folder, NAME).verilog.read_text("utf-8")


class Bench:
    """A core's Verilog, compiled with counters and a testbench in a folder."""

    def __init__(self, job: PoolJob, folder: Path, runtime: Path):
        self.verilog = written(job, folder)
        self.job, self.folder = job, folder
        self._bits, self._out_bits = (
            layout.values * record_width(fields)
            for layout, fields in ((job.layout_in, job.fields_in), (job.layout_out, job.fields_out))
        )
        assert max(self._bits, self._out_bits) < 64, "the driver has beats in 64 bits"
        flags = f"-DBITS={self._bits} -DOUT_BITS={self._out_bits}"
        self._tool(
            *("verilator", "--cc", "--exe", *_OPTIONS, "--prefix", "Vtop", "--top-module", NAME),
            *("-Mdir", "model", "-CFLAGS", flags, f"{NAME}.v", str(_DRIVER)),
        )
        kept = [runtime / f"{name}.o" for name in _RUNTIME]
        model = folder / "model"
        for path in kept:
            if path.exists():
                shutil.copy(path, model)
        # a compiler's effort would cost more than it saves
        self._tool("make", "-C", "model", "-f", "Vtop.mk", "OPT_FAST=-O0", "OPT_GLOBAL=-O0")
        runtime.mkdir(parents=True, exist_ok=True)
        for path in kept:
            if not path.exists():
                shutil.copy(model / path.name, path)

    def _tool(self, *words: str) -> None:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=packaged_verilator.variables() | {"MAKEFLAGS": ""},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Failure(f"{words[0]} ended with {done.returncode}: {done.stderr.strip()}")

    def reached(self, count: int) -> list[Point]:
        """Drive `runs`, compare what leaves with the golden model, and return what was reached."""
        job, what = self.job, list(runs(self.job, count))
        texts, due = [], []
        for seed, run in enumerate(what):
            beats = pack(job, run.frames, seed=seed)[0] if len(run.frames) else run.frames
            rows: list[list[list[int]]] = beats.tolist()
            words = [
                tdata(job, values) | (at == job.beats_in - 1) << self._bits
                for frame in rows
                for at, values in enumerate(frame)
            ]
            if run.misplaced:
                words[-2] ^= 1 << self._bits
            due.append(
                [beat for frame in outputs(job, beats) for beat in frame] if len(beats) else []
            )
            stalls = (int(stall * 2**32) for stall in (run.source, run.sink))
            numbers = [len(words), len(due[-1]), *stalls, seed, run.reset_at]
            texts.append(" ".join([*map(str, numbers), *(f"{word:x}" for word in words)]))
        done = subprocess.run(
            [os.fspath(self.folder / "model" / "Vtop"), "coverage.dat"],
            cwd=self.folder,
            input="\n".join(texts) + "\n",
            capture_output=True,
            text=True,
        )
        lines = done.stdout.splitlines()
        if done.returncode:
            raise Failure(f"run {len(lines) - 2}: {lines[-1] if lines else done.stderr}")
        used = used_bits(job, first=True)
        for number, (run, right, line) in enumerate(zip(what, due, lines, strict=True)):
            *came, error = line.split()
            if int(error) != run.misplaced:
                raise Failure(f"run {number}: frame_error is {error}")
            if run.reset_at < 0 and len(came) != len(right):
                raise Failure(f"run {number}: {len(came)} beats of {len(right)}")
            for at, (word, wanted) in enumerate(zip(came, right, strict=False)):
                mask = used[at % job.beats_out]
                found = self._beat(int(word, 16), first=at % job.beats_out == 0)
                if (found ^ wanted) & mask:
                    raise Failure(f"run {number}, beat {at}: {found:x}, and not {wanted:x}")
        coverage = (self.folder / "coverage.dat").read_text("utf-8")
        return points(coverage, self.verilog)

    def _beat(self, word: int, *, first: bool) -> int:
        last = word >> self._out_bits & 1
        return payload(self.job, word, last=last, first=first)
