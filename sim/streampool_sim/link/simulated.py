"""A board that is not there: its top level, clocked at its pins by the fast engine."""

import ctypes
import itertools
from importlib import resources
from typing import Any

import numpy as np
from amaranth.build import Pins
from amaranth.hdl import Cat, Fragment, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import PoolJob
from streampool_hw.boards.build import linked
from streampool_hw.boards.link.protocol import BAUD
from streampool_hw.boards.table import BOARDS, Board, Pin
from streampool_hw.boards.top import Top
from streampool_hw.export import yosys
from streampool_hw.families import GENERIC

from ..engines import EngineError
from ..engines.compiled import SharedObject
from ..engines.model import cxxrtl_classes
from ..engines.netlist import Netlist, cpp_class, gates_source

IDLE = 4000
"""Clocks of silence both ways after which nothing more comes: a board has no timer of its own."""

_ROOM = 1 << 16
_UNIT = 1024


class StandIn:
    """A platform whose resources are a board's, and whose pins are signals.

    Attributes
    ----------
    ports : dict of Pin to io.SimulationPort
        What was asked for.
    """

    def __init__(self, board: Board):
        self._real = board.create_platform()
        self.ports: dict[Pin, io.SimulationPort] = {}

    def request(self, name: str, number: int, *, dir: str) -> Any:
        """Return a resource's pins, as Amaranth's platforms do."""
        assert dir == "-"
        parts: list[Any] = self._real.lookup(name, number).ios
        if isinstance(parts[0], Pins):
            return self._port(Pin(name, number), parts[0])
        group = type("Group", (), {})()
        for part in parts:
            setattr(group, part.name, self._port(Pin(name, number, part.name), part.ios[0]))
        return group

    def _port(self, pin: Pin, pins: Any) -> io.SimulationPort:
        direction = io.Direction.Input if pins.dir == "i" else io.Direction.Output
        port = io.SimulationPort(direction, len(pins), invert=pins.invert, name=pin.name)
        self.ports[pin] = port
        return port


class _Pins(wiring.Component):
    """A top level on a stand-in: its line, its button as it is pressed, its lamps as they shine."""

    rx: Signal
    tx: Signal
    button: Signal
    lamps: Signal

    def __init__(self, board: Board, top: Top):
        self._board, self._top = board, top
        ports = {"rx": In(1), "tx": Out(1), "button": In(1)}
        super().__init__({**ports, "lamps": Out(max(1, len(board.lamps)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stand_in = StandIn(self._board)
        m.submodules.top = Fragment.get(self._top, stand_in)  # pyright: ignore[reportArgumentType]
        serial, ports = self._board.serial, stand_in.ports
        assert serial is not None
        name, number = serial.pin.name, serial.pin.number
        m.d.comb += [
            ports[Pin(name, number, "rx")].i.eq(self.rx),
            self.tx.eq(ports[Pin(name, number, "tx")].o),
        ]
        if self._board.button is not None:
            button = ports[self._board.button]
            m.d.comb += button.i.eq(self.button ^ button.invert[0])
        lamps = [ports[lamp.pin] for lamp in self._board.lamps]
        m.d.comb += self.lamps.eq(Cat(lamp.o ^ lamp.invert[0] for lamp in lamps))
        return m


def port_of(board: Board, wire: str) -> str:
    """Return how the top level calls a wire of a board's line."""
    assert board.serial is not None
    return f"{board.serial.pin.name}_{board.serial.pin.number}__{wire}__io"


def _around(board: Board, netlist: Netlist, tx: str, suffix: str) -> str:
    """Return C++ that puts a netlist's line and button where those of `_Pins` are."""
    platform = board.create_platform()

    def member(port: str) -> str:
        return f"inside.p_{port.replace('_', '__')}.data[0]"

    loads = [f"{member(port_of(board, 'rx'))} = p_rx.data[0];"]
    if board.button is not None:
        name, number = board.button.name, board.button.number
        pins: Any = platform.lookup(name, number).ios[0]
        pressed = f"p_button.data[0] ^ {int(pins.invert)}"
        loads.append(f"{member(f'{name}_{number}__io')} = {pressed};")
    return f"""
namespace pins_{suffix} {{
struct p_top {{
    inside_{suffix}::p_top inside;
    cxxrtl::value<1> p_rx, p_tx, p_button, p_rst, p_clk, prev_p_clk;
    cxxrtl::value<{max(1, len(board.lamps))}> p_lamps;
    bool eval() {{
        {" ".join(loads)}
        inside.eval();
        p_tx.data[0] = inside.gates.v[{netlist.named(tx)}];
        return true;
    }}
    void commit() {{ inside.commit(); }}
}};
}}
"""


class _Line(ctypes.Structure):
    """`streampool::Line` of pins.cc, field by field."""

    _fields_ = [
        ("levels", ctypes.c_void_p), ("to_send", ctypes.c_int64), ("sent", ctypes.c_int64),
        ("bytes", ctypes.c_void_p), ("broken", ctypes.c_void_p),
        ("room", ctypes.c_int64), ("came", ctypes.c_int64), ("period", ctypes.c_int64),
        ("quiet", ctypes.c_int64), ("cycle", ctypes.c_int64),
        ("in_bit", ctypes.c_int64), ("out_left", ctypes.c_int64),
        ("out_bits", ctypes.c_int32), ("out_byte", ctypes.c_int32),
        ("button", ctypes.c_int32), ("lamps", ctypes.c_int32),
    ]  # fmt: skip


class SimulatedBoard:
    """A board with a link, simulated at its pins; bytes on its line in, bytes on its line out.

    Parameters
    ----------
    name : str
        One of `BOARDS`.
    job : PoolJob
        What its core does.
    hz : float, optional
        The clock; the board's own by default, for a PLL is not simulated.
    off : float, optional
        How much longer the host's bits are than the board's, as a part of them.
    netlist : Netlist, optional
        What synthesis made of the top level; it is clocked in its place, and its lamps are not
        seen.
    tx : str, optional
        The signal of a netlist that leaves by the line: of pins there is none in it.

    Attributes
    ----------
    clock_hz : float
        The clock.
    """

    def __init__(
        self,
        name: str,
        job: PoolJob,
        *,
        hz: float | None = None,
        off: float = 0.0,
        netlist: Netlist | None = None,
        tx: str = "",
    ):
        self._board = BOARDS[name].with_link
        self.clock_hz = hz or float(self._board.create_platform().default_clk_frequency)
        driver = resources.files("streampool_sim.link").joinpath("pins.cc").read_text("utf-8")
        rtlil = ""
        if netlist is None:
            design = linked(job, self._board, self.clock_hz, family=GENERIC)
            rtlil = yosys.to_rtlil(_Pins(self._board, Top(self._board, design)), "top")
            built = SharedObject([driver, rtlil], "-O2")
        else:
            parts = [
                gates_source(),
                cpp_class(netlist, "inside"),
                _around(self._board, netlist, tx, "_"),
            ]
            built = SharedObject([driver, *parts], "-O2")

        def source() -> str:
            name = f"pins_{built.name}"
            if netlist is None:
                model = cxxrtl_classes([rtlil], [name])
            else:
                head = "#include <cxxrtl/cxxrtl.h>"
                inside = cpp_class(netlist, f"inside_{built.name}")
                around = _around(self._board, netlist, tx, built.name)
                model = "\n".join((head, gates_source(), inside, around))
            ends = f"""
EXPORT void *make() {{ return new {name}::p_top; }}
EXPORT void free_(void *top) {{ delete static_cast<{name}::p_top *>(top); }}
EXPORT int32_t run(void *top, void *line, int64_t clocks, int64_t quiet) {{
    using namespace streampool;
    return run(*static_cast<{name}::p_top *>(top), *static_cast<Line *>(line), clocks, quiet);
}}
"""
            return "\n".join((model, driver, ends))

        self._library = built.library(source)
        self._library.make.restype = ctypes.c_void_p
        self._library.free_.argtypes = [ctypes.c_void_p]
        self._library.run.argtypes = [
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_int64,
            ctypes.c_int64,
        ]
        self._top = self._library.make()
        period = round(self.clock_hz / BAUD * _UNIT * (1 + off))
        self._came, self._broken = np.zeros(_ROOM, np.uint8), np.zeros(_ROOM, np.uint8)
        self._line = _Line(
            bytes=self._came.ctypes.data,
            broken=self._broken.ctypes.data,
            room=_ROOM,
            period=period,
        )
        self._run(2000)  # out of reset, and out of what the line did before

    def close(self) -> None:
        """Give its memory back."""
        if self._top is not None:
            self._library.free_(self._top)
        self._top = None

    @property
    def cycles(self) -> int:
        """Clocks since power-up."""
        return self._line.cycle

    @property
    def lamps(self) -> dict[str, bool]:
        """Whether each lamp shines, by what it shows."""
        each = self._board.lamps
        return {lamp.shows: bool(self._line.lamps >> at & 1) for at, lamp in enumerate(each)}

    def press(self, clocks: int = 100) -> None:
        """Press the button for some clocks."""
        self._line.button = 1
        self._run(clocks)
        self._line.button = 0
        self._run(clocks)

    def __call__(self, data: bytes) -> bytes:
        """Send bytes at the line's pace, and return what comes back until it falls silent."""
        bits = np.unpackbits(np.frombuffer(data, np.uint8)[:, None], axis=1, bitorder="little")
        frame = np.zeros((len(data), 10), np.uint8)
        frame[:, 1:9], frame[:, 9] = bits, 1
        return self.levels(frame.reshape(-1))

    def levels(self, levels: np.ndarray) -> bytes:
        """Do the same with the line's levels, uint8, a bit each, whether they are bytes or not."""
        levels = np.ascontiguousarray(levels, np.uint8)
        line = self._line
        line.levels, line.to_send, line.sent = levels.ctypes.data, len(levels), 0
        line.quiet = 0
        came = bytearray()
        for _ in itertools.count():
            line.came = 0
            self._run(1 << 20, IDLE)
            came += self._came[: line.came].tobytes()
            if self._broken[: line.came].any():
                raise EngineError("the board sent a byte without a stop bit")
            if line.quiet >= IDLE:
                break
        line.to_send = line.sent = 0
        return bytes(came)

    def _run(self, clocks: int, quiet: int = 1 << 60) -> None:
        if self._library.run(self._top, ctypes.byref(self._line), clocks, quiet):
            raise EngineError("the top level has combinational feedback")
