"""The core against software: ratios, the lanes at which they tie, latency, networks."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..fpga import placed
from ..software.task import CHANNELS_FIRST
from ..software.timing import COLD, WARM
from .layers import Layer
from .links import LINKS, frames_per_second

USUAL = "torch"
USUAL_DTYPE, USUAL_LAYOUT = "float32", CHANNELS_FIRST
"""The call that most people type: torch's, on floats, channels first."""

Row = dict[str, Any]


def _fair(software: Sequence[Row], layer: str, cache: str) -> list[Row]:
    """Return the rows of a layer that a core may be compared with: right, and of whole frames."""
    return [
        row for row in software
        if row["layer"] == layer and row["cache"] == cache and row["correct"]
        and row["crop"] is None and row["median_s"] is not None
    ]  # fmt: skip


def best(software: Sequence[Row], layer: str, cache: str = WARM) -> Row | None:
    """Return the fastest contender found for a layer, whatever its type, layout and threads."""
    return min(_fair(software, layer, cache), key=lambda row: row["median_s"], default=None)


def is_usual(row: Row) -> bool:
    """Return whether a contender's row is of the call that most people type."""
    return (row["contender"], row["dtype"], row["layout"]) == (USUAL, USUAL_DTYPE, USUAL_LAYOUT)


def usual(software: Sequence[Row], layer: str, cache: str = WARM) -> Row | None:
    """Return the call that most people type, with the number of threads that suits it best."""
    rows = [row for row in _fair(software, layer, cache) if is_usual(row)]
    return min(rows, key=lambda row: row["median_s"], default=None)


_NAMES = ("contender", "runtime", "dtype", "layout", "threads", "cache", "median_s")
_CORE = (
    *("layer", "device", "lanes", "columns", "slices", "freq_mhz", "freq_source", "freq_bound"),
    *("placed_job", "placed_seeds", "seconds", "frames_per_second"),
)


def _named(row: Row | None) -> Row | None:
    return row and {name: row[name] for name in _NAMES}


def tie(layer: Layer, rows: Sequence[Row], seconds: float) -> Row:
    """Return the lanes at which a core is as fast as software that takes `seconds` per frame.

    Of the layer's hardware rows on a device, the clock is that of the narrowest placed core that is
    wide enough; where none is, that of the widest, from whose LUTs per lane the area follows. See
    docs/bench.md; what is not known is None.
    """
    channels = layer.shape[0]
    job = layer.job
    positions = max(job.beats_in, job.beats_out) // channels
    found: Row = dict.fromkeys(("lanes", "freq_mhz", "freq_source", "placed_lanes"))
    rows = [row for row in rows if row["fits"] is not False and row.get("columns", 1) == 1]
    by_lanes = sorted(
        (row for row in rows if row["freq_source"] == "placed"), key=lambda row: row["lanes"]
    ) or sorted(rows, key=lambda row: row["lanes"])
    for row in by_lanes:
        fold = math.floor(seconds * row["freq_mhz"] * 1e6 / positions)
        lanes = -(-channels // min(fold, channels)) if fold else None
        found = {
            "lanes": lanes,
            "freq_mhz": row["freq_mhz"],
            "freq_source": row["freq_source"],
            "placed_lanes": row["lanes"] if row["freq_source"] == "placed" else None,
        }
        if lanes is not None and lanes <= row["lanes"]:
            break
    lanes, wide = found["lanes"], found["placed_lanes"]
    holds = lanes is not None and wide is not None and lanes <= wide
    row = next((row for row in by_lanes if row["lanes"] == wide), None)
    lut4 = share = None
    if lanes is not None and row is not None:
        lut4 = row["lut4"] if lanes == wide else math.ceil(row["lut4"] * lanes / wide)
        share = max(placed.shares(row, lanes).values(), default=None)
    return found | {
        "holds": holds,
        "lut4": lut4,
        "device_share": share,
        "fits": True if holds else None if share is None else share <= 1,
    }


def _linked(layer: Layer, core_fps: float, software_s: float | None) -> dict[str, Row]:
    """Return a layer's rate behind each link, int8 values in and out."""
    job = layer.job
    bytes_in = job.beats_in * layer.spec.in_dtype.numpy.itemsize
    bytes_out = job.beats_out * job.output.numpy.itemsize
    found = {}
    for name, link in LINKS.items():
        carried = frames_per_second(link, bytes_in, bytes_out)
        rate = core_fps if carried is None else min(core_fps, carried)
        found[name] = {
            "link_frames_per_second": carried,
            "frames_per_second": rate,
            "limit": "core" if carried is None or core_fps <= carried else "link",
            "ratio_best": None if software_s is None else rate * software_s,
        }
    return found


def core_of(row: Row) -> tuple[Any, ...]:
    """Return what tells a core from the others of a report."""
    return tuple(row.get(key, 1) for key in ("layer", "device", "lanes", "columns", "slices"))


def fastest_core(rows: Sequence[Row]) -> Row | None:
    """Return the fastest row that fits its device, with a placed clock if there are any."""
    rows = [row for row in rows if row["fits"] is not False]
    at_placed = [row for row in rows if row["freq_source"] == "placed"]
    return min(at_placed or rows, key=lambda row: row["seconds"], default=None)


def _over(software: Row | None, seconds: float) -> float | None:
    return None if software is None else software["median_s"] / seconds


def comparison(layers: Sequence[Layer], software: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Compare each device's fastest core with the best and the usual software, layer by layer."""
    found = []
    by_layer: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        by_layer.setdefault(row["layer"], {}).setdefault(row["device"], []).append(row)
    for layer in layers:
        fastest, typed = best(software, layer.name), usual(software, layer.name)
        evicted = best(software, layer.name, COLD)
        seconds = None if fastest is None else fastest["median_s"]
        for here in by_layer.get(layer.name, {}).values():
            core = fastest_core(here)
            if core is None:
                continue
            found.append(
                {key: core.get(key, 1) for key in _CORE}
                | {
                    "best": _named(fastest),
                    "usual": _named(typed),
                    "cold_s": evicted and evicted["median_s"],
                    "ratio_best": _over(fastest, core["seconds"]),
                    "ratio_usual": _over(typed, core["seconds"]),
                    "latency_s": core["latency_s"],
                    "latency_ratio": _over(fastest, core["latency_s"]),
                    "tie": None if seconds is None else tie(layer, here, seconds),
                    "links": _linked(layer, core["frames_per_second"], seconds),
                }
            )
    return found


def networks(
    order: Mapping[str, Sequence[str]],
    software: Sequence[Row],
    rows: Sequence[Row],
    compared: Sequence[Row],
) -> list[Row]:
    """Add up the pooling layers of whole networks, on each device.

    One after the other the cores take the sum of their times. All at once, as in a network in
    hardware, they take a frame each time that the slowest is done, if the device holds them all.
    """
    found = []
    by_pair = {(row["layer"], row["device"]): row for row in compared}
    by_core = {core_of(row): row for row in rows}
    for net, names in order.items():
        sums = {}
        for kind, pick in (("best", best), ("usual", usual)):
            each = [pick(software, name) for name in names]
            whole = all(row is not None for row in each)
            sums[kind] = sum(row["median_s"] for row in each if row) if whole else None
        for device in dict.fromkeys(device for _, device in by_pair):
            cores = [by_pair.get((name, device)) for name in names]
            seconds = [core["seconds"] for core in cores if core is not None]
            if len(seconds) != len(names):
                continue
            total, slowest = sum(seconds), max(seconds)
            taken = [placed.shares(by_core[core_of(core)]) for core in cores if core is not None]
            share = None
            if all(taken):
                share = max(sum(each.get(kind, 0) for each in taken) for kind in taken[0])
            found.append(
                {
                    "net": net,
                    "device": device,
                    "layers": list(names),
                    "best_s": sums["best"],
                    "usual_s": sums["usual"],
                    "core_s": total,
                    "slowest_core_s": slowest,
                    "freq_source": "placed"
                    if all(core and core["freq_source"] == "placed" for core in cores)
                    else "assumed",
                    "device_share": share,
                    "fits": None if share is None else share <= 1,
                    "ratio_best": sums["best"] and sums["best"] / total,
                    "ratio_usual": sums["usual"] and sums["usual"] / total,
                    "pipelined_ratio_best": sums["best"] and sums["best"] / slowest,
                }
            )
    return found
