"""What the figures say in words: where the core wins, where it loses, and why.

Each sentence is made from figures that stand beside it, so that whoever reads can check it. "In the
middle" is the median over the layers. They are about the layers that have a placed clock on the
device; where none has, one is about all, and says that their clock is assumed.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from ..fpga.jobs import BAR_DEVICE
from ..software.timing import COLD, WARM
from . import compare

__all__ = ["device_of", "sentences"]

QUIET = 0.1
"""How much of the processors other programs may take before it is said."""

Row = dict[str, Any]
_Value = tuple[Any, str]

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
    """Return what the figures say.

    Parameters
    ----------
    report : dict
        The report, but for these sentences.

    Returns
    -------
    list of dict
        ``id``, ``text``, and ``values``: by name the ``value`` and how it is ``shown`` in the text.
    """
    device = device_of(report)
    compared = [row for row in report["comparison"] if row["best"] is not None]
    here = [row for row in compared if row["device"] == device]
    held = _placed(here) or here
    if not held:
        return []
    makers: tuple[Callable[[dict[str, Any], list[Row]], Row | None], ...] = (_wins, _left_out)
    if _placed(held):
        makers += (_loses, _usual, _lanes, _latency, _links, _cold, _networks)
    makers += (_share, _small, _clocks, _scope, _load, _energy)
    said = [maker(report, held) for maker in makers]
    return [sentence for sentence in said if sentence is not None]


def _placed(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["freq_source"] == "placed"]


def _say(name: str, template: str, **values: _Value) -> Row:
    """Fill a template; a value is a pair of itself and its format."""
    told = {
        key: {"value": value, "shown": _shown(value, how)} for key, (value, how) in values.items()
    }
    text = template.format(**{key: each["shown"] for key, each in told.items()})
    return {"id": name, "text": text, "values": told}


def _shown(value: Any, how: str) -> str:
    if how == "times":  # two figures, but no decimals that say nothing
        return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
    return format(value, how)


def _part(report: dict[str, Any], device: str) -> str:
    return next(row["part"] for row in report["hardware"] if row["device"] == device)


def _title(report: dict[str, Any], layer: str) -> str:
    return next(row["title"] for row in report["layers"] if row["layer"] == layer)


def _wins(report: dict[str, Any], held: list[Row]) -> Row:
    won = [row for row in held if row["ratio_best"] > 1]
    head = {
        "part": (_part(report, held[0]["device"]), ""),
        "wins": (len(won), ","),
        "layers": (len(held), ","),
    }
    begin = (
        "Next to other logic, on {part}, the fastest core placed there beats"
        if _placed(held)
        else "Next to other logic, on {part}, where nothing that was placed stands for any of these"
        " layers, the fastest core would, at a clock that is assumed, beat"
    ) + " the fastest software found on {wins} of {layers} layers"
    if not won:
        return _say("wins", f"{begin}.", **head)
    top = max(won, key=lambda row: row["ratio_best"])
    return _say(
        "wins",
        f"{begin}: {{middle}} times as many frames in the middle of these, {{most}} times at the"
        " most ({layer}, {lanes} lanes at {mhz} MHz).",
        **head,
        middle=(statistics.median(row["ratio_best"] for row in won), "times"),
        most=(top["ratio_best"], "times"),
        layer=(_title(report, top["layer"]), ""),
        lanes=(top["lanes"], ","),
        mhz=(top["freq_mhz"], ",.0f"),
    )


def _left_out(report: dict[str, Any], held: list[Row]) -> Row | None:
    rows = [row for row in report["comparison"] if row["device"] == held[0]["device"]]
    assumed = sum(row["freq_source"] != "placed" for row in rows) if _placed(held) else 0
    large = len(report["layers"]) - len(rows)
    said = ["{layers} for which nothing that was placed stands, so that their clock is assumed"]
    more = ["{large} whose stores the device cannot hold"]
    if not assumed + large:
        return None
    return _say(
        "left_out",
        "Of the layers, these are in no count of this kind: "
        f"{'; '.join(said * bool(assumed) + more * bool(large))}.",
        **({"layers": (assumed, ",")} if assumed else {}),
        **({"large": (large, ",")} if large else {}),
    )


def _loses(report: dict[str, Any], held: list[Row]) -> Row | None:
    lost = [row for row in held if row["ratio_best"] < 1]
    if not lost:
        return None
    worst = min(lost, key=lambda row: row["ratio_best"])
    core = next(
        row for row in report["hardware"]
        if (row["layer"], row["device"], row["lanes"])
        == (worst["layer"], worst["device"], worst["lanes"])
    )  # fmt: skip
    best = worst["best"]
    layer = next(row for row in report["layers"] if row["layer"] == worst["layer"])
    each_clock = max(layer["values_in"], layer["values_out"]) / (
        best["median_s"] * worst["freq_mhz"] * 1e6
    )
    return _say(
        "loses",
        "It loses on {losses}. At the worst, {layer}, it takes {times} times as long: {cycles}"
        " clocks at {mhz} MHz ({source}) with {lanes} lanes are {core} us, where {contender} on"
        " {dtype} in {layout} needs {software} us. That is {values} values in a clock of the core,"
        " which takes {lanes}, whatever comes. {why}",
        why=(_why_faster(best), ""),
        values=(each_clock, ",.0f"),
        losses=(len(lost), ","),
        layer=(_title(report, worst["layer"]), ""),
        times=(1 / worst["ratio_best"], "times"),
        cycles=(core["cycles"], ","),
        mhz=(worst["freq_mhz"], ",.0f"),
        source=(worst["freq_source"], ""),
        lanes=(worst["lanes"], ","),
        core=(worst["seconds"] * 1e6, ",.1f"),
        contender=(best["contender"], ""),
        dtype=(best["dtype"], ""),
        layout=(best["layout"], ""),
        software=(best["median_s"] * 1e6, ",.1f"),
    )


def _why_faster(best: Row) -> str:
    if "gpu" in best["contender"]:
        return "A graphics processor has thousands of lanes at a far higher clock."
    return (
        "A processor pools a vector register of values an instruction, at a far higher clock, as"
        " long as the frame is in its caches."
    )


def _usual(report: dict[str, Any], held: list[Row]) -> Row | None:
    both = [row for row in held if row["usual"] is not None]
    if not both:
        return None
    gain = statistics.median(row["usual"]["median_s"] / row["best"]["median_s"] for row in both)
    return _say(
        "usual",
        "Against the call that most people type, torch's pooling of float32 in NCHW, the core wins"
        " on {wins} of {layers} layers, with {middle} times as many frames in the middle."
        + (
            " That call is far from the best that software can do: the fastest found"
            if gain >= FAR
            else " The fastest software found"
        )
        + " is {gain} times as fast as that call in the middle.",
        wins=(sum(row["ratio_usual"] > 1 for row in both), ","),
        layers=(len(both), ","),
        middle=(statistics.median(row["ratio_usual"] for row in both), "times"),
        gain=(gain, "times"),
    )


def _lanes(report: dict[str, Any], held: list[Row]) -> Row:
    ties = [row["tie"] for row in held]
    possible = [tie["lanes"] for tie in ties if tie["lanes"] is not None]
    if not possible:
        return _say(
            "lanes",
            "On none of {layers} layers would the core tie with the fastest software, not even with"
            " all channels side by side.",
            layers=(len(held), ","),
        )
    return _say(
        "lanes",
        "The lanes decide. To be as fast as the fastest software the core needs, where it can be at"
        " all, {middle} lanes in the middle, {least} to {most}, at the clock of the narrowest"
        " placed core that is wide enough, or else of the widest. On {holds} of {layers} layers a"
        " core of that many lanes was placed and holds the clock; on {large} so many would not fit"
        " the device, on {wider} as many would, but none were placed; on {never} not even all"
        " channels side by side would do.",
        wider=(
            sum(
                tie["lanes"] is not None and tie["fits"] is not False and not tie["holds"]
                for tie in ties
            ),
            ",",
        ),
        large=(sum(tie["fits"] is False for tie in ties), ","),
        middle=(statistics.median_low(possible), ","),
        least=(min(possible), ","),
        most=(max(possible), ","),
        holds=(sum(tie["holds"] for tie in ties), ","),
        layers=(len(held), ","),
        never=(len(ties) - len(possible), ","),
    )


def _latency(report: dict[str, Any], held: list[Row]) -> Row:
    core = statistics.median(row["latency_s"] for row in held)
    software = statistics.median(row["best"]["median_s"] for row in held)
    return _say(
        "latency",
        "From a window's last tap to its output the core takes {core} ns in the middle, while the"
        " fastest software's call, which has to have the whole frame first, takes {software} us in"
        " the middle: {times} times as long. Where frames stream by, from a camera or from the"
        " layer before, that is what counts.",
        core=(core * 1e9, ",.0f"),
        software=(software * 1e6, ",.1f"),
        times=(software / core, "times"),
    )


def _links(report: dict[str, Any], held: list[Row]) -> Row:
    titles = {link["link"]: link["title"] for link in report["links"]}
    slow = [link["link"] for link in report["links"] if link["bytes_per_s"] is not None]
    parts, values = [], {}
    for name in slow:
        values[f"{name}_title"] = (titles[name], "")
        values[f"{name}_wins"] = (_won_behind(held, name), ",")
        parts.append(f"{{{name}_wins}} behind {{{name}_title}}")
    seldom = all(2 * _won_behind(held, name) < len(held) for name in slow)
    return _say(
        "links",
        "Behind a link each frame has to cross it as well: of {layers} layers the core wins on"
        f" {', '.join(parts[:-1])} and {parts[-1]}."
        + (" A frame that is in a computer's memory anyway is best pooled there." * seldom),
        layers=(len(held), ","),
        **values,
    )


def _won_behind(held: Sequence[Row], link: str) -> int:
    return sum(row["links"][link]["ratio_best"] > 1 for row in held)


def _cold(report: dict[str, Any], held: list[Row]) -> Row | None:
    pairs = []
    for row in held:
        warm, cold = (compare.best(report["software"], row["layer"], c) for c in (WARM, COLD))
        if warm and cold:
            pairs.append((row, warm["median_s"], cold["median_s"]))
    if not pairs:
        return None
    layers = {row["layer"]: row for row in report["layers"]}
    return _say(
        "cold",
        "With its caches evicted, on {layers} layers, the fastest software takes {times} times as"
        " long in the middle, as frame and code have to come from memory first. The core has no"
        " caches, but is taken here to be fed at its own rate, up to {rate} GB/s, which a memory"
        " beside it would have to deliver; then it wins on {wins}.",
        wins=(sum(cold > row["seconds"] for row, _, cold in pairs), ","),
        layers=(len(pairs), ","),
        times=(statistics.median(cold / warm for _, warm, cold in pairs), "times"),
        rate=(
            max(layers[row["layer"]]["values_in"] / row["seconds"] for row in held) / 1e9,
            ",.0f",
        ),
    )


def _networks(report: dict[str, Any], held: list[Row]) -> Row | None:
    rows = [
        row for row in _placed(report["networks"])
        if row["device"] == held[0]["device"] and row["ratio_best"] is not None
    ]  # fmt: skip
    if not rows:
        return None
    together = [row for row in rows if row["fits"]]
    return _say(
        "networks",
        "Over all pooling layers of a network, each layer's core in its turn takes less time than"
        " the fastest software for {wins} of the {nets} networks whose cores all have a placed"
        " clock. For {together} of them the device holds all cores at once; with these at work at"
        " the same time, each at its clock alone, frames pass faster than through software, which"
        " does one layer after the other, for {pipelined}.",
        wins=(sum(row["ratio_best"] > 1 for row in rows), ","),
        nets=(len(rows), ","),
        together=(len(together), ","),
        pipelined=(sum(row["pipelined_ratio_best"] > 1 for row in together), ","),
    )


def _share(report: dict[str, Any], held: list[Row]) -> Row | None:
    rows = report["shares"]
    if not rows:
        return None
    top = max(rows, key=lambda row: row["share"])
    return _say(
        "share",
        "Of the {nets} whole networks that {runtime} ran here on {dtype} pooling takes {middle} of"
        " the time in the middle and {most} at the most ({net}). If it took none, software's"
        " inference would be {gain} times as fast at the most, so a pooling core's place is beside"
        " convolutions that are in hardware, too.",
        gain=(1 / (1 - top["share"]), ",.2f"),
        nets=(len(rows), ","),
        runtime=(top["runtime"], ""),
        dtype=(top["dtype"], ""),
        middle=(statistics.median(row["share"] for row in rows), ".1%"),
        most=(top["share"], ".1%"),
        net=(top["net"], ""),
    )


def _small(report: dict[str, Any], held: list[Row]) -> Row | None:
    others = [
        row for row in report["comparison"]
        if row["device"] != held[0]["device"] and row["best"] is not None
    ]  # fmt: skip
    devices = list(dict.fromkeys(row["device"] for row in others))
    if not devices:
        return None
    parts, values = [], {}
    for number, device in enumerate(devices):
        here = _placed([row for row in others if row["device"] == device])
        if not here:
            continue
        values[f"part_{number}"] = (_part(report, device), "")
        values[f"wins_{number}"] = (sum(row["ratio_best"] > 1 for row in here), ",")
        values[f"layers_{number}"] = (len(here), ",")
        parts.append(f"{{wins_{number}}} of {{layers_{number}}} on {{part_{number}}}")
    if not parts:
        return None
    return _say(
        "devices",
        "On other devices, of the layers that have a placed clock there, the core wins"
        f" {', '.join(parts)}.",
        **values,
    )


def _clocks(report: dict[str, Any], held: list[Row]) -> Row:
    rows = report["hardware"]
    placed = [row for row in rows if row["freq_source"] == "placed"]
    return _say(
        "clocks",
        "Of {rows} combinations of layer, device and lanes, {same} have the clock of that very"
        " core, placed and routed, {stand} that of a placed core that stands for it and is named,"
        " and {assumed} an assumed clock of {mhz} MHz at the most, marked so; {unfit} of them would"
        " not fit the device. The cycles of {simulated} were counted in a simulation; those of the"
        " others are the schedule's.",
        unfit=(sum(row["fits"] is False for row in rows), ","),
        simulated=(sum(row["cycles_source"] == "simulated" for row in rows), ","),
        rows=(len(rows), ","),
        same=(sum(row["same_job"] for row in placed), ","),
        stand=(sum(not row["same_job"] for row in placed), ","),
        assumed=(len(rows) - len(placed), ","),
        mhz=(report["settings"]["assumed_mhz"], "g"),
    )


def _scope(report: dict[str, Any], held: list[Row]) -> Row:
    machine = report["machine"]
    return _say(
        "scope",
        "The software ran on {processor} with {processors} processors, a frame at a time, the"
        " median of {rounds} rounds, its data where it wants them; the core pools int8, and"
        " software may use whatever type is fastest. Bringing frames to either is counted only"
        " where a link is named.",
        processor=(machine["processor"], ""),
        processors=(machine["processors"], ","),
        rounds=(report["settings"]["rounds"], ","),
    )


def _load(report: dict[str, Any], held: list[Row]) -> Row | None:
    load, processors = report["machine"]["load"], report["machine"]["processors"]
    if load is None or load <= processors * QUIET:
        return None
    return _say(
        "load",
        "Other programs ran beside it, and kept {load} of {processors} processors busy, so that the"
        " software is slower here than on a machine of its own: these figures flatter the core.",
        load=(load, ".1f"),
        processors=(processors, ","),
    )


def _energy(report: dict[str, Any], held: list[Row]) -> Row:
    return _say(
        "energy",
        "Nothing is said of energy: no source at hand gives the power of these cores, nor of this"
        " processor while it pools.",
    )
