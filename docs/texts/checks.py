"""What docs/ and README.md state of runs that checked cores against something else."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import blocks
from streampool_golden import OPS, DType, PoolJob
from streampool_golden import networks as listed
from streampool_hw import PoolCore
from streampool_hw.asked import asked
from streampool_hw.schedule.plan import AxisPlan
from streampool_sim import networks as run_networks
from streampool_sim.words import describe


def networks() -> str:
    """Return how the pooling layers of known networks stand to the limits, by their plans."""
    layers = listed.networks()
    jobs = [PoolJob(layer.spec, layer.shape) for layer in layers]
    plans = [AxisPlan(stage.along) for job in jobs for stage in job.stages]
    exact = sum(job.cycles_bound == job.limit_cycles for job in jobs)
    within = sum(plan.partials <= plan.axis.limit_partials for plan in plans)
    idle = sum(plan.idle > 0 for plan in plans)
    return (
        f"Of {len(layers)} pooling layers of {len({layer.net for layer in layers})} networks, "
        f"{exact} take exactly max(beats in, beats out) cycles per frame. Of their {len(plans)} "
        f"stages {within} are within the limit of partials, and {idle} have idle slots.\n"
    )


def layer_row(layers: list[listed.Layer], cycles: float) -> list[object]:
    """Return a row of the table of layers; all but `cycles` is counted in the elaborated core."""
    job = PoolJob(layers[0].spec, layers[0].shape)
    core = asked(PoolCore(job))
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


def layers_by_job() -> dict[PoolJob, list[listed.Layer]]:
    """Return the layers of known networks by what they compute."""
    found: dict[PoolJob, list[listed.Layer]] = {}
    for layer in listed.networks():
        found.setdefault(PoolJob(layer.spec, layer.shape), []).append(layer)
    return found


def network_layers(results: dict[PoolJob, dict] | None = None) -> str:
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
    head = (
        "network | pooling | C x H x W | > lanes | > cycles per frame / limit | > latency, cycles"
    )
    said = f"{len(rows)} of {len(known)} different layers were run, without a mismatch.\n\n"
    return said + blocks.table(head, rows)


def recorded(name: str) -> list[dict]:
    """Return what ``make conformance`` wrote last; nothing if it was never run."""
    path = blocks.ROOT / "docs" / name
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


def proofs(path: Path) -> str:
    """Return what was proved, how deep the induction was, and how long it took."""
    found = json.loads(path.read_text("utf-8"))
    rows = [
        [
            name,
            f"{group['proved']:,} of {group['all']:,}",
            group["depth"],
            f"{group['longest']:,.0f}",
            f"{group['seconds']:,.0f}",
        ]
        for name, group in found["groups"].items()
    ]
    tools = ", ".join(f"{name} {version}" for name, version in found["tools"].items())
    return (
        blocks.table("what | > proved | > depth | > longest, s | > all, s", rows)
        + f"\nBy {tools}; seconds of a processor.\n"
    )


def mutants(path: Path) -> str:
    """Return what became of the mutants of each core's netlist."""
    found = json.loads(path.read_text("utf-8"))
    cores = found["rows"]
    ways = sorted({way for core in cores for way in core["killed"]})
    rows: list[list[object]] = []
    for core in cores:
        killed = [core["killed"].get(way, 0) for way in ways]
        rows.append([core["name"], core["mutants"], *killed, core["equal"], core["listed"]])
    totals = [sum(map(int, column)) for column in zip(*(row[1:] for row in rows), strict=True)]
    head = ["core", "> mutants", *(f"> {way}" for way in ways), "> proved equal", "> listed"]
    table = blocks.table(" | ".join(head), [*rows, ["all", *totals]])
    return f"{table}\nBy pyosys {found['pyosys']}.\n"


def source_mutants(path: Path) -> str:
    """Return what became of the mutants of each group of sources."""
    groups = json.loads(path.read_text("utf-8"))["rows"]
    rows: list[list[object]] = [
        [group["name"], group["mutants"], *group["killed"].values(), group["listed"]]
        for group in groups
    ]
    totals = [sum(map(int, column)) for column in zip(*(row[1:] for row in rows), strict=True)]
    head = "sources | > mutants | > by cores | > by tests | > listed"
    return blocks.table(head, [*rows, ["all", *totals]])


def mutants_listed(path: Path) -> str:
    """Return the mutants that are neither killed nor proved equal, each with its reason."""
    listed = json.loads(path.read_text("utf-8"))["listed"]
    return "".join(f"- {name}: {why}.\n" for name, why in listed.items()) or "None.\n"


def conformance() -> str:
    """Return what came of random specifications that runtimes ran, too."""
    rows: list[list[object]] = []
    results = recorded("conformance.json")
    for found in results:
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
    own = [
        f"{len(found['own']):,} of {sum(found['values'].values()):,} of {found['package']}"
        for found in results
    ]
    return (
        blocks.table(
            "runtime | operator | > specifications | > in cores too | > values | > mismatches",
            rows,
        )
        + f"\nValues that differ only by the runtime's own rounding: {', '.join(own)}.\n"
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
    counts["not supported"] = counts.pop("no")
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"{len(rows)} cases: {said}.\n\n" + blocks.table(
        "case | operator | runs | core the same | note", rows
    )


def models() -> str:
    """Return what the models of the table have, and what came of running them with cores."""
    rows, reasons = [], dict[str, int]()
    for found in recorded("models.json"):
        due = found["exact"]
        rows.append(
            [
                found["format"],
                found["source"],
                f"`{found['model']}`",
                found["layers"],
                f"{found['same']} of {due}" if due and found["simulated"] else due or "-",
                found["scaled"] or "-",
                sum(found["refused"].values()) or "-",
                "-" if not found["simulated"] else f"{found['golden']} of {found['simulated']}",
            ]
        )
        for reason, count in found["refused"].items():
            reasons[reason] = reasons.get(reason, 0) + count
    head = "format | package | model | > layers | > the framework's bits"
    table = blocks.table(f"{head} | > by a scale | > refused | > the golden model's", rows)
    if not reasons:
        return table
    return f"{table}\nRefused:\n\n" + "".join(
        f"- {count} x {reason}\n" for reason, count in reasons.items()
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
            "of these in both engines, compared cycle by cycle",
            f"{sum(len(x['engines']) == 2 for x in whole):,}",
        ],
        [
            "mismatches, or cycles, words or latency out of bounds",
            count(lambda x: bool(x["faults"])),
        ],
        [
            "maxima and minima that a MaxUnpool core put back where they were",
            f"{sum(line['unpooled'] for line in whole):,}",
        ],
        ["cycles per frame exactly max(beats in, beats out)", f"{at_limit:,}"],
        ["cycles per frame above that, within the bound", f"{len(whole) - at_limit:,}"],
        [
            "store words in total / limit",
            f"{sum(x['store_words'] for x in whole):,} / {sum(x['limit_words'] for x in whole):,}",
        ],
    ]
    return (
        f"`make sweep COUNT={len(lines)} SEED={head['seed']}`, each without and with stalls:\n\n"
        + blocks.table("counted | ", rows)
    )
