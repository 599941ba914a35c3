"""The map of a run-time core's registers as texts: a C header, and SystemRDL."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib import resources

from ..runtime.control import CONTROL, ID, MAP_VERSION, STICKY, Place, constants
from ..runtime.core import RuntimePoolCore
from ..runtime.maxima import Maxima
from ..runtime.registers import ADDRESS_BITS, CHECKSUM_BITS, STAGES, Field

_ACCESS = {"w": "written", "r": "read", "rw": "read and written", "r1": "read; 1 clears a bit"}


def c_header(name: str, maxima: Maxima, places: Sequence[Place], version: str) -> str:
    """Return ``NAME.h``: every register's byte address, its fields, and the maxima."""
    up = name.upper()
    lines = [
        f"/* {name}: registers of a run-time pooling core, by streampool {version}.",
        "",
        f"   Addresses are of bytes, within the core's {4 << ADDRESS_BITS:,}. Of a field, _AT is",
        "   its lowest bit, and _MASK its bits where they are. */",
        f"#ifndef {up}_H",
        f"#define {up}_H",
        "",
        *_defines((f"{up}_{key.upper()}", value) for key, value in _sizes(maxima).items()),
        "",
    ]
    for place in places:
        register = place.register
        at = f"{up}_{place.name.upper()}"
        lines.append(f"/* {register.about}; {_ACCESS[register.access]} */")
        rows = [(at, f"0x{place.byte:04x}u")]
        if register.many > 1:
            rows.append((f"{at}_MANY", f"{register.many}"))
        for field in _real(register.fields):
            rows.append((f"{at}_{field.name.upper()}_AT", str(field.low)))
            rows.append((f"{at}_{field.name.upper()}_MASK", f"0x{_mask(field):08x}u"))
        lines += [*_defines(rows), ""]
    return "\n".join([*lines, f"#endif /* {up}_H */", ""])


def c_driver(name: str, version: str) -> str:
    """Return ``NAME_driver.h``: what writes jobs to the core."""
    return _filled("driver.h.txt", name, version)


def c_planner(name: str, version: str) -> str:
    """Return ``NAME_plan.h``: what plans jobs of maxima and minima."""
    return _filled("plan.h.txt", name, version)


def _filled(template: str, name: str, version: str) -> str:
    text = _template(template)
    marks = {
        "@schedule@\n": _template("plan_schedule.h.txt"),  # first, as it has the others
        **{"@name@": name, "@NAME@": name.upper(), "@version@": version},
    }
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def _template(name: str) -> str:
    return resources.files("streampool_hw.runtime").joinpath(name).read_text("utf-8")


def _sizes(maxima: Maxima) -> dict[str, str]:
    numbers = {key: value for key, value in asdict(maxima).items() if isinstance(value, int)}
    told = {"take_over": RuntimePoolCore.TAKE_OVER, "map": MAP_VERSION}
    told |= {"sums": int(maxima.sums), "checksum_bits": CHECKSUM_BITS}
    for name, stage in zip(STAGES, (maxima.columns, maxima.rows), strict=True):
        told[f"{name}_slot_clocks"] = stage.slot
    return {"id": f"0x{ID:08x}u"} | {key: f"{value}u" for key, value in (told | numbers).items()}


def _defines(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    wide = max(len(name) for name, _ in rows)
    return [f"#define {name:<{wide}} {value}" for name, value in rows]


def _real(fields: Iterable[Field]) -> list[Field]:
    return [field for field in fields if field.bits]


def _mask(field: Field) -> int:
    return (1 << field.bits) - 1 << field.low


def system_rdl(name: str, maxima: Maxima, places: Sequence[Place], version: str) -> str:
    """Return ``NAME.rdl``: the same map in SystemRDL 2.0, a register file for each block."""
    fixed = constants(maxima)
    blocks: dict[str, list[Place]] = {}
    for place in places:
        blocks.setdefault(place.block, []).append(place)
    lines = [
        f"addrmap {name} {{",
        f'    name = "{name}";',
        f'    desc = "A run-time pooling core, by streampool {version}.";',
        "    default regwidth = 32;",
        "    default accesswidth = 32;",
        "",
    ]
    for block, each in blocks.items():
        start = min(place.byte for place in each)
        lines.append("    regfile {")
        for place in each:
            register = place.register
            lines += ["        reg {", f'            desc = "{register.about}";']
            for field in _real(register.fields):
                lines.append(f"            {_rdl_field(place, field, fixed)}")
            array = f"[{register.many}]" if register.many > 1 else ""
            lines.append(
                f"        }} {_rdl_name(register.name)}{array} @ 0x{place.byte - start:x};"
            )
        lines += [f"    }} {_rdl_name(block)} @ 0x{start:04x};", ""]
    lines[-1] = "};"
    return "\n".join([*lines, ""])


def _rdl_field(place: Place, field: Field, fixed: dict[str, int]) -> str:
    access = place.register.access
    said = [f'desc = "{field.about}";']
    if place.block == CONTROL and field.name in fixed:
        said += ["sw = r;", "hw = na;"]
    elif access == "r1" and field.name in STICKY:
        said += ["sw = rw;", "onwrite = woclr;", "hw = rw;"]
    else:
        software = {"r": "r", "r1": "r", "w": "w", "rw": "rw"}[access]
        said += [f"sw = {software};", f"hw = {'r' if 'w' in access else 'w'};"]
    top = field.low + field.bits - 1
    reset = f" = {fixed.get(field.name, 0)}" if "r" in access else ""
    return f"field {{ {' '.join(said)} }} {_rdl_name(field.name)}[{top}:{field.low}]{reset};"


def _rdl_name(name: str) -> str:
    """Return a name that is no keyword of SystemRDL."""
    return f"\\{name}"
