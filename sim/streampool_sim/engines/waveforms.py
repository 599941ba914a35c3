"""Waveforms of a core in Amaranth's simulator: named, in picoseconds, with a view for GTKWave."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.sim import Simulator
from streampool_hw import Core
from streampool_hw.files import replacing_all
from vcd.gtkw import GTKWSave

from .named import named, scopes, stages

_CLOCKING = ("clk", "rst")
_FIRST = (".slot", ".window")
# What Amaranth adds to a name that is there already
_SAME = re.compile(r"\$\d+(?=$|[.\[])")


def observe(m: Module, core: Core) -> None:
    """Show the ports of a bench's core first, and beside each stage which slot and window pass.

    `slot` is the position of the beat at the stage's input, `window` that of the beat at its
    output; `cycle` counts the clocks since the reset.
    """
    cycle = Signal(32)
    i, o = core.i, core.o
    # Waveforms list the signals of a module in the order of their first use, so one statement
    # that names the ports puts them first. It only counts: the rest is cut off.
    ports = (i.valid, i.ready, i.payload, o.valid, o.ready, o.payload)
    m.d.sync += cycle.eq(Cat((cycle + 1)[: len(cycle)], *ports))
    for name, stage in stages(core).items():
        m.submodules[name] = side = Module()
        _follow(side, stage.i, stage.m, stage.length, "slot")
        _follow(side, stage.o, stage.m, stage.outputs, "window")


def _follow(m: Module, beats, each: int, length: int, name: str) -> None:
    """Count the positions that have gone through a stream, `each` beats per position."""
    position = Signal(range(max(length, 2)), name=name)
    beat = Signal(range(max(each, 2)), name=f"{name}_beat")
    with m.If(beats.valid & beats.ready):
        m.d.sync += beat.eq(beat + 1)
        with m.If(beat == each - 1):
            m.d.sync += beat.eq(0)
            m.d.sync += position.eq(Mux(position == length - 1, 0, position + 1))


@contextlib.contextmanager
def recorded(simulator: Simulator, core: Core, path: Path | str) -> Iterator[None]:
    """Write the waveforms of what is run in the block, and a view of them for GTKWave.

    The view is beside the VCD file, with the suffix ``.gtkw``. Both are there when the block ends,
    and neither if it raises. The bench is one that `observe` saw.
    """
    path = Path(path)
    view = path.with_suffix(".gtkw")
    with replacing_all(path, view) as [part, view_part]:
        with part.open("w", encoding="utf-8") as file:
            renamed = _Renamed(file, scopes(core))
            with simulator.write_vcd(renamed):
                yield
        with view_part.open("w", encoding="utf-8") as file:
            _write_view(file, path.name, renamed.signals, list(stages(core)))


class _Renamed:
    """A file to which Amaranth's simulator writes, as a person wants to read it.

    Axes have their names and times are in ps. No module lists the clock and the reset again, and
    the bench does not list what only passes through it. `signals` has the width of each signal that
    is listed.
    """

    def __init__(self, file: TextIO, scopes: dict[str, str]):
        self.signals: dict[str, int] = {}
        self._file, self._scopes = file, scopes
        self._path: list[str] = []
        self._heading = True

    def write(self, text: str) -> None:
        """Write whole lines: the heading's, or those of a time."""
        if self._heading:
            text = "".join(self._declared(line) for line in text.splitlines(keepends=True))
        elif text[0] == "#":
            femtoseconds, end, values = text.partition("\n")
            text = f"#{int(femtoseconds[1:]) // 1000}{end}{values}"
        self._file.write(text)

    def flush(self) -> None:
        """Write what is kept back."""
        self._file.flush()

    def _declared(self, line: str) -> str:
        """Return a line of the heading, or nothing where it is left out."""
        kind, *words = line.split()
        if kind == "$timescale":
            return line.replace("1 fs", "1 ps")
        if kind == "$scope":
            name = self._scopes.get(words[1], words[1])
            self._path.append(name if self._path != ["bench"] else "")
            return f"$scope module {name} $end\n" if self._path[-1] else ""
        if kind == "$upscope":
            return line if self._path.pop() else ""
        if kind == "$var":
            inner = len(self._path) > 2
            if (words[3] in _CLOCKING) if inner else _SAME.search(words[3]):
                return ""
            self.signals[".".join((*filter(None, self._path), words[3]))] = int(words[1])
        self._heading = kind != "$enddefinitions"
        return line


def _write_view(file: TextIO, dump: str, signals: dict[str, int], stages: list[str]) -> None:
    """Write what GTKWave shows: the clock, the input, each stage, the output, and the inside.

    What is on the list of `named` has its plain name; of the inside nothing else is shown, in
    groups that are closed at first.
    """
    view = GTKWSave(file)
    view.dumpfile(dump, abspath=False)
    view.treeopen("bench.")
    groups: dict[str, list[str]] = {name: [] for name in ("clock", "input", *stages, "output")}
    inside: dict[str, list[str]] = {f"inside {stage}": [] for stage in stages}
    ports = {"i_": "input", "o_": "output"}
    for signal in signals:
        name = signal.removeprefix("bench.")
        scope, _, rest = name.partition(".")
        if rest and scope in stages:
            groups[scope].append(signal)
        elif group := ports.get(name.lstrip("\\")[:2]):
            groups[group].append(signal)
        elif not rest:
            groups["clock"].append(signal)
        elif found := named(name):
            inside.setdefault(f"inside {found.part}", []).append(signal)
    for group, traces in {**groups, **inside}.items():
        with view.group(group, closed=group in inside):
            for signal in sorted(traces, key=lambda name: not name.endswith(_FIRST)):
                high = signals[signal] - 1
                found = named(signal.removeprefix("bench."))
                view.trace(f"{signal}[{high}:0]" if high else signal, alias=found and found.plain)
