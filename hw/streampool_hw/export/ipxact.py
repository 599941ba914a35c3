"""A core as an IP-XACT component, which a catalogue of cores takes."""

from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from .names import CLOCKING

SCHEMA = "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"
"""IEEE 1685-2009: the version that Vivado reads."""

_XILINX = "http://www.xilinx.com"
_FAMILIES = (
    "artix7", "kintex7", "spartan7", "virtex7", "zynq", "kintexu", "virtexu",
    "artixuplus", "kintexuplus", "virtexuplus", "zynquplus", "versal",
)  # fmt: skip
_LITE = "_awvalid"
"""How the name of a port ends that every AXI4-Lite interface has."""
_VIEWS = {"synthesis": "xilinx_anylanguagesynthesis", "simulation": "xilinx_anylanguagesimulation"}


def component(about: dict[str, Any], summary: str) -> str:
    """Return ``NAME.xml``, from what ``NAME.json`` holds.

    Its interfaces are AXI4-Stream, a clock and a reset as Vivado names them; the flags are ports.
    """
    name, (clock, reset) = about["name"], CLOCKING
    ends = "_tvalid"
    sides = [port.removesuffix(ends) for port in about["ports"] if port.endswith(ends)]
    interfaces = [_bus(side, "axis", about["ports"]) for side in sides]
    lite = [port.removesuffix(_LITE) for port in about["ports"] if port.endswith(_LITE)]
    interfaces += [_bus(side, "aximm", about["ports"]) for side in lite]
    interfaces += [
        _signal(reset, "reset", "RST", {"POLARITY": "ACTIVE_LOW"}),
        _signal(
            *(clock, "clock", "CLK"),
            {"ASSOCIATED_BUSIF": ":".join(sides + lite), "ASSOCIATED_RESET": reset},
        ),
    ]
    vlnv = {"vendor": "streampool", "library": "pool", "name": name}
    # of a version Vivado takes two numbers
    vlnv["version"] = ".".join(about["version"].split(".")[:2])
    views = [
        _tag(
            "view",
            _tag("name", view),
            _tag("envIdentifier", f":vivado.xilinx.com:{kind}"),
            _tag("language", "verilog"),
            _tag("modelName", name),
            _tag("fileSetRef", _tag("localName", "rtl")),
        )
        for kind, view in _VIEWS.items()
    ]
    ports = [_port(port, *how) for port, how in about["ports"].items()]
    file = _tag("file", _tag("name", f"{name}.v"), _tag("fileType", "verilogSource"))
    families = (
        f'<xilinx:family xilinx:lifeCycle="Production">{family}</xilinx:family>\n'
        for family in _FAMILIES
    )
    extensions = (
        f"<xilinx:coreExtensions>\n<xilinx:supportedFamilies>\n{''.join(families)}"
        f"</xilinx:supportedFamilies>\n<xilinx:displayName>{escape(name)}</xilinx:displayName>\n"
        "</xilinx:coreExtensions>\n"
    )
    body = _tag(
        "component",
        *(_tag(key, value) for key, value in vlnv.items()),
        _tag("busInterfaces", *interfaces),
        *([_tag("memoryMaps", *(_map(side, about) for side in lite))] if lite else []),
        _tag("model", _tag("views", *views), _tag("ports", *ports)),
        _tag("fileSets", _tag("fileSet", _tag("name", "rtl"), file)),
        _tag("description", summary),
        _raw("vendorExtensions", extensions),
        attributes=f' xmlns:spirit="{SCHEMA}" xmlns:xilinx="{_XILINX}"',
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'


def _bus(side: str, kind: str, ports: Iterable[str]) -> str:
    """Return an AXI4-Stream or AXI4-Lite interface of the ports that a side has."""
    maps = {
        port.removeprefix(f"{side}_").upper(): port for port in ports if port.startswith(f"{side}_")
    }
    return _interface(side, "interface", kind, "slave" if side[0] == "s" else "master", maps, {})


def _map(side: str, about: dict[str, Any]) -> str:
    """Return the memory map that an AXI4-Lite interface refers to: a block of registers."""
    block = {
        "name": "registers",
        "baseAddress": "0",
        "range": str(1 << about["address_bits"]),
        "width": "32",
        "usage": "register",
    }
    parts = (_tag(key, value) for key, value in block.items())
    return _tag("memoryMap", _tag("name", side), _tag("addressBlock", *parts))


def _signal(port: str, kind: str, logical: str, parameters: dict[str, str]) -> str:
    return _interface(port, "signal", kind, "slave", {logical: port}, parameters)


def _interface(
    name: str, library: str, kind: str, role: str, maps: dict[str, str], parameters: dict[str, str]
) -> str:
    def of(what: str, called: str) -> str:
        return (
            f'<spirit:{what} spirit:vendor="xilinx.com" spirit:library="{library}"'
            f' spirit:name="{called}" spirit:version="1.0"/>\n'
        )

    mapped = (
        _tag(
            "portMap",
            _tag("logicalPort", _tag("name", logical)),
            _tag("physicalPort", _tag("name", port)),
        )
        for logical, port in maps.items()
    )
    said = [
        _tag("parameter", _tag("name", parameter), _tag("value", value))
        for parameter, value in parameters.items()
    ]
    parts = [
        _tag("name", name),
        of("busType", kind),
        of("abstractionType", f"{kind}_rtl"),
        f"<spirit:{role}/>\n" if kind != "aximm" else _mapped(name),
        _tag("portMaps", *mapped),
        *([_tag("parameters", *said)] if said else []),
    ]
    return _tag("busInterface", *parts)


def _mapped(side: str) -> str:
    """Return a slave of a memory map."""
    reference = f'<spirit:memoryMapRef spirit:memoryMapRef="{side}"/>\n'
    return _raw("slave", reference)


def _port(name: str, direction: str, width: int) -> str:
    vector = _tag("vector", _tag("left", str(width - 1)), _tag("right", "0"))
    wire = [_tag("direction", {"input": "in", "output": "out"}[direction])]
    return _tag("port", _tag("name", name), _tag("wire", *wire, *([vector] if width > 1 else [])))


def _tag(name: str, *inside: str, attributes: str = "") -> str:
    """Return an element, of a text or of elements."""
    [first, *_] = inside
    if first.startswith("<"):
        return _raw(name, "".join(inside), attributes)
    return f"<spirit:{name}>{escape(first)}</spirit:{name}>\n"


def _raw(name: str, inside: str, attributes: str = "") -> str:
    indented = "".join(f"  {line}\n" for line in inside.splitlines())
    return f"<spirit:{name}{attributes}>\n{indented}</spirit:{name}>\n"
