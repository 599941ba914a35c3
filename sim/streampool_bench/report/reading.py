"""What the figures say in words: where the core wins, where it loses, and why.

Each sentence comes with its figures, so that a reader can check it. Medians are over the layers.
The sentences are about the layers that have a placed clock on the device; where none has, they are
about all, and say that the clock is assumed.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from ..fpga.jobs import BAR_DEVICE
from . import basis, compare
from .basis import Row, part, placed, say, side_by_side

FEW = 16
"""How many layers a sentence names at most."""

FAR = 2
"""How many times as fast the fastest software is for the usual call to be far from it."""


def device_of(report: dict[str, Any]) -> str | None:
    """Return the device that sentences, tables and plots are about, if there is any."""
    asked = report["settings"]["device"]
    devices = list(dict.fromkeys(row["device"] for row in report["comparison"]))
    for device in (asked, BAR_DEVICE):
        if device in devices:
            return device
    return next(iter(devices), None)


def sentences(report: dict[str, Any]) -> list[Row]:
    """Return what the figures of a report say; see docs/bench.md."""
    device = device_of(report)
    compared = [row for row in report["comparison"] if row["best"] is not None]
    here = [row for row in compared if row["device"] == device]
    held = placed(here) or here
    if not held:
        return []
    makers: tuple[Callable[[dict[str, Any], list[Row]], Row | None], ...]
    makers = (_wins, _width, _left_out)
    if placed(held):
        makers += (_loses, _usual, _lanes, _latency, _links, _cold, _networks)
    makers += (_share, _devices, *basis.MAKERS)
    said = [maker(report, held) for maker in makers]
    return [sentence for sentence in said if sentence is not None]


def _title(report: dict[str, Any], layer: str) -> str:
    return next(row["title"] for row in report["layers"] if row["layer"] == layer)


def _wins(report: dict[str, Any], held: list[Row]) -> Row:
    won = [row for row in held if row["ratio_best"] > 1]
    head = {"part": part(report, held[0]["device"]), "wins": len(won), "layers": len(held)}
    begin = (
        "Next to other logic, on {part}, the fastest placed core beats"
        if placed(held)
        else "Next to other logic, on {part}, no placed core stands for any of these layers; at an"
        " assumed clock the fastest core would beat"
    ) + " the fastest software found on {wins} of {layers} layers."
    if not won:
        return say("wins", begin, **head)
    top = max(won, key=lambda row: row["ratio_best"])
    return say(
        "wins",
        f"{begin} The median win is {{middle:times}} times as many frames per second, the largest"
        " {most:times} times ({layer}, {lanes} at {mhz:,.0f} MHz).",
        **head,
        middle=statistics.median(row["ratio_best"] for row in won),
        most=top["ratio_best"],
        layer=_title(report, top["layer"]),
        lanes=side_by_side(top),
        mhz=top["freq_mhz"],
    )


def _width(report: dict[str, Any], held: list[Row]) -> Row | None:
    sliced = [row for row in held if row.get("slices", 1) > 1]
    if not sliced:
        return None
    return say(
        "width",
        "On {layers} of these {held} layers, won or not, it is a core of slices, which takes up to"
        " {values:,} values a clock; {jobs:,} placed cores of slices stand for these.",
        layers=len(sliced),
        held=len(held),
        values=max(row["lanes"] * row["columns"] for row in sliced),
        jobs=len({row["placed_job"] for row in sliced}),
    )


def _left_out(report: dict[str, Any], held: list[Row]) -> Row | None:
    rows = [row for row in report["comparison"] if row["device"] == held[0]["device"]]
    assumed = sum(row["freq_source"] != "placed" for row in rows) if placed(held) else 0
    large = len(report["layers"]) - len(rows)
    said = ["{layers} for which no placed core stands, so that their clock is assumed"]
    more = ["{large} whose stores the device cannot hold"]
    if not assumed + large:
        return None
    return say(
        "left_out",
        f"Layers not counted: {'; '.join(said * bool(assumed) + more * bool(large))}.",
        **({"layers": assumed} if assumed else {}),
        **({"large": large} if large else {}),
    )


def _loses(report: dict[str, Any], held: list[Row]) -> Row | None:
    lost = [row for row in held if row["ratio_best"] < 1]
    if not lost:
        return None
    worst = min(lost, key=lambda row: row["ratio_best"])
    core = next(row for row in report["hardware"] if compare.core_of(row) == compare.core_of(worst))
    best = worst["best"]
    titles = [_title(report, row["layer"]) for row in lost]
    layer = next(row for row in report["layers"] if row["layer"] == worst["layer"])
    each_clock = max(layer["values_in"], layer["values_out"]) / (
        best["median_s"] * worst["freq_mhz"] * 1e6
    )
    return say(
        "loses",
        "It loses on {losses} layers{which}. On the worst, {layer}, it takes {times:times} times as"
        " long: {cycles:,} clocks at {mhz:,.0f} MHz ({source}) with {lanes}, {core:,.1f} us,"
        " against {software:,.1f} us for {contender} on {dtype} in {layout}. So software takes"
        " {values:,.0f} values per clock of the core, and the core takes {taken:,.0f}. {why}",
        losses=len(lost),
        which=f": {'; '.join(titles)}" if 1 < len(titles) <= FEW else "",
        layer=_title(report, worst["layer"]),
        times=1 / worst["ratio_best"],
        cycles=core["cycles"],
        mhz=worst["freq_mhz"],
        source=worst["freq_source"],
        lanes=side_by_side(worst),
        taken=max(layer["values_in"], layer["values_out"]) / core["cycles"],
        core=worst["seconds"] * 1e6,
        contender=best["contender"],
        dtype=best["dtype"],
        layout=best["layout"],
        software=best["median_s"] * 1e6,
        values=each_clock,
        why=_why_faster(best),
    )


def _why_faster(best: Row) -> str:
    if "gpu" in best["contender"]:
        return "A GPU has thousands of lanes at a far higher clock."
    return (
        "A CPU pools a vector register per instruction, at a far higher clock, as long as the frame"
        " stays in its caches."
    )


def _usual(report: dict[str, Any], held: list[Row]) -> Row | None:
    both = [row for row in held if row["usual"] is not None]
    if not both:
        return None
    gain = statistics.median(row["usual"]["median_s"] / row["best"]["median_s"] for row in both)
    return say(
        "usual",
        "Against the call that most people type, torch's pooling of float32 in NCHW, the core wins"
        " on {wins} of {layers} layers, with a median of {middle:times} times as many frames per"
        " second."
        + (
            " That call is far from the best that software can do: the fastest found"
            if gain >= FAR
            else " The fastest software found"
        )
        + " is {gain:times} times as fast (median).",
        wins=sum(row["ratio_usual"] > 1 for row in both),
        layers=len(both),
        middle=statistics.median(row["ratio_usual"] for row in both),
        gain=gain,
    )


def _lanes(report: dict[str, Any], held: list[Row]) -> Row:
    ties = [row["tie"] for row in held]
    possible = [tie["lanes"] for tie in ties if tie["lanes"] is not None]
    if not possible:
        return say(
            "lanes",
            "On none of {layers} layers would the core tie with the fastest software, not even with"
            " all channels in parallel.",
            layers=len(held),
        )
    return say(
        "lanes",
        "Lanes alone: where a core of one column a beat can tie with the fastest software at all,"
        " it needs a median of {middle} lanes ({least} to {most}), at the clock of the narrowest"
        " placed core that is wide enough, or else of the widest. On {holds} of {layers} layers a"
        " core with that many lanes was placed and reaches the clock. On {wider} it would fit but"
        " was not placed, on {large} it would not fit the device, and on {never} even all channels"
        " in parallel are too few.",
        wider=sum(
            tie["lanes"] is not None and tie["fits"] is not False and not tie["holds"]
            for tie in ties
        ),
        large=sum(tie["fits"] is False for tie in ties),
        middle=statistics.median_low(possible),
        least=min(possible),
        most=max(possible),
        holds=sum(tie["holds"] for tie in ties),
        layers=len(held),
        never=len(ties) - len(possible),
    )


def _latency(report: dict[str, Any], held: list[Row]) -> Row:
    core = statistics.median(row["latency_s"] for row in held)
    software = statistics.median(row["best"]["median_s"] for row in held)
    return say(
        "latency",
        "From a window's last tap to its output the core takes {core:,.0f} ns (median). The fastest"
        " software needs the whole frame first, and its call takes {software:,.1f} us (median),"
        " {times:times} times as long. Where frames arrive as a stream, from a camera or from the"
        " layer before, this is what counts.",
        core=core * 1e9,
        software=software * 1e6,
        times=software / core,
    )


def _links(report: dict[str, Any], held: list[Row]) -> Row:
    titles = {link["link"]: link["title"] for link in report["links"]}
    slow = [link["link"] for link in report["links"] if link["bytes_per_s"] is not None]
    parts, values = [], {}
    for name in slow:
        values[f"{name}_title"] = titles[name]
        values[f"{name}_wins"] = _won_behind(held, name)
        parts.append(f"{{{name}_wins}} behind {{{name}_title}}")
    seldom = all(2 * _won_behind(held, name) < len(held) for name in slow)
    where = f"{', '.join(parts[:-1])} and {parts[-1]}"
    if len({_won_behind(held, name) for name in slow}) == 1:
        titled = [f"{{{name}_title}}" for name in slow]
        where = f"{{{slow[0]}_wins}} behind each of {'; '.join(titled[:-1])}; and {titled[-1]}"
    return say(
        "links",
        "Behind a link every frame has to cross it too: of {layers} layers the core wins on"
        f" {where}."
        + (" A frame that is already in a computer's memory is best pooled there." * seldom),
        layers=len(held),
        **values,
    )


def _won_behind(held: Sequence[Row], link: str) -> int:
    return sum(row["links"][link]["ratio_best"] > 1 for row in held)


def _cold(report: dict[str, Any], held: list[Row]) -> Row | None:
    pairs = [
        (row, row["best"]["median_s"], row["cold_s"]) for row in held if row["cold_s"] is not None
    ]
    if not pairs:
        return None
    layers = {row["layer"]: row for row in report["layers"]}
    return say(
        "cold",
        "With evicted caches, measured on {layers} layers, the fastest software takes {times:times}"
        " times as long (median), since frame and code come from memory first. The core has no"
        " caches. If a memory beside it feeds it at its own rate, up to {rate:,.0f} GB/s, it wins"
        " on {wins}.",
        wins=sum(cold > row["seconds"] for row, _, cold in pairs),
        layers=len(pairs),
        times=statistics.median(cold / warm for _, warm, cold in pairs),
        rate=max(layers[row["layer"]]["values_in"] / row["seconds"] for row in held) / 1e9,
    )


def _networks(report: dict[str, Any], held: list[Row]) -> Row | None:
    rows = [
        row for row in placed(report["networks"])
        if row["device"] == held[0]["device"] and row["ratio_best"] is not None
    ]  # fmt: skip
    if not rows:
        return None
    together = [row for row in rows if row["fits"]]
    return say(
        "networks",
        "Over all pooling layers of a network, the cores one after the other beat the fastest"
        " software on {wins} of the {nets} networks whose cores all have a placed clock. For"
        " {together} of these networks all cores fit the device together. Working at the same time,"
        " each at its own clock, they pass more frames per second than software on {pipelined}.",
        wins=sum(row["ratio_best"] > 1 for row in rows),
        nets=len(rows),
        together=len(together),
        pipelined=sum(row["pipelined_ratio_best"] > 1 for row in together),
    )


def _share(report: dict[str, Any], held: list[Row]) -> Row | None:
    rows = report["shares"]
    if not rows:
        return None
    top = max(rows, key=lambda row: row["share"])
    return say(
        "share",
        "In the {nets} whole networks that {runtime} ran here on {dtype}, pooling takes"
        " {middle:.1%} of the time (median) and at most {most:.1%} ({net}). Without it, inference"
        " in software would be at most {gain:,.2f} times as fast, so a pooling core belongs beside"
        " convolutions that are in hardware too.",
        gain=1 / (1 - top["share"]),
        nets=len(rows),
        runtime=top["runtime"],
        dtype=top["dtype"],
        middle=statistics.median(row["share"] for row in rows),
        most=top["share"],
        net=top["net"],
    )


def _devices(report: dict[str, Any], held: list[Row]) -> Row | None:
    others = [
        row for row in report["comparison"]
        if row["device"] != held[0]["device"] and row["best"] is not None
    ]  # fmt: skip
    devices = list(dict.fromkeys(row["device"] for row in others))
    if not devices:
        return None
    parts, values = [], {}
    for number, device in enumerate(devices):
        here = placed([row for row in others if row["device"] == device])
        if not here:
            continue
        values[f"part_{number}"] = part(report, device)
        values[f"wins_{number}"] = sum(row["ratio_best"] > 1 for row in here)
        values[f"layers_{number}"] = len(here)
        parts.append(f"{{wins_{number}}} of {{layers_{number}}} on {{part_{number}}}")
    if not parts:
        return None
    return say(
        "devices",
        "On other devices, of the layers with a placed clock there, the core wins"
        f" {', '.join(parts)}.",
        **values,
    )
