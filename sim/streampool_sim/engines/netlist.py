"""A netlist as a model: gates of one bit from a table, played by `gates.cc`.

CXXRTL makes a C++ class of a netlist too, but one that takes a compiler minutes. Here a netlist is
data, so what is compiled does not grow with it.
"""

import ctypes
from collections import Counter, deque
from collections.abc import Iterable
from importlib import resources
from typing import Any

from .compiled import SharedObject
from .trace import EngineError

# Of each gate, its inputs and its table: bit (a + 2 b + 4 c) is what it gives
_GATES = {
    "$_NOT_": ("A", 0x55),
    "$_BUF_": ("A", 0xAA),
    "$_AND_": ("AB", 0x88),
    "$_NAND_": ("AB", 0x77),
    "$_OR_": ("AB", 0xEE),
    "$_NOR_": ("AB", 0x11),
    "$_XOR_": ("AB", 0x66),
    "$_XNOR_": ("AB", 0x99),
    "$_ANDNOT_": ("AB", 0x22),
    "$_ORNOT_": ("AB", 0xBB),
    "$_MUX_": ("ABS", 0xCA),
    "$_NMUX_": ("ABS", 0x35),
}
_MEMORY, _REGISTER = "$mem_v2", "$_DFF_P_"
_READ = 256
"""A gate's table that stands for a memory's read port."""


Gate = tuple[int, int, int, int, int]
"""A gate's table, its three inputs and its output."""


class WrongNetlist(EngineError):
    """A netlist that no right synthesis gives."""


class Netlist:
    """Tables of a flat netlist, as `gates.cc` has them; nets are numbered.

    It is a module of `streampool_hw.fpga.netlist.netlist_gates`: gates of one bit. With `one_clock`
    every register and memory has to be clocked by the port ``clk``; else they may be clocked by any
    net, which stands for the same clock.

    `WrongNetlist` says that there is a loop of gates, a net with two drivers or a cell's input with
    none, or another clock; `EngineError` that there is a cell of another kind.
    """

    def __init__(self, module: dict[str, Any], *, one_clock: bool = True):
        self.module, self._one_clock = module, one_clock
        self.pins: list[int] = []
        self.reads: list[tuple[int, ...]] = []
        self.writes: list[tuple[int, ...]] = []
        self.registers: list[tuple[int, int]] = []
        self.sizes: list[int] = []
        self.words: list[tuple[int, int, int]] = []  # of memories, those that do not start as 0
        self._numbers: dict[Any, int] = {"0": 0, "1": 1, "x": 0, "z": 0}
        self._count = 2
        # inputs and outputs of each gate, and the gate
        self._loose: list[tuple[tuple[int, ...], tuple[int, ...], Gate]] = []
        self.ports = {
            name: (port["direction"], [self.net(bit) for bit in port["bits"]])
            for name, port in module["ports"].items()
        }
        for name, cell in module["cells"].items():
            kind = cell["type"]
            if kind in _GATES:
                self._gate(cell)
            elif kind == _REGISTER:
                pins = cell["connections"]
                self._refuse_other_clock(pins["C"])
                self.registers.append((self.net(pins["D"][0]), self.net(pins["Q"][0])))
            elif kind == _MEMORY:
                self._memory(name, cell)
            else:
                raise EngineError(f"the netlist has a cell {kind}, of which there is no model")
        self._refuse_wrong_drivers()
        self.gates = self._in_order()

    def __len__(self) -> int:
        """The gates, memories' ports and registers."""
        return len(self.gates) + len(self.writes) + len(self.registers)

    def net(self, bit: Any) -> int:
        """Return the number of a bit, as Yosys' JSON has it."""
        if bit not in self._numbers:
            self._numbers[bit] = self._count
            self._count += 1
        return self._numbers[bit]

    @property
    def start(self) -> list[int]:
        """The value of every net after power-up."""
        values = [0] * self._count
        values[1] = 1
        for net in self.module["netnames"].values():
            init = net["attributes"].get("init", "")[::-1]
            for bit, value in zip(net["bits"], init, strict=False):
                if value == "1" and bit in self._numbers:
                    values[self._numbers[bit]] = 1
        return values

    def named(self, name: str) -> int:
        """Return the net of a signal of one bit, or refuse a name that synthesis did not keep."""
        if name not in self.module["netnames"]:
            raise EngineError(f"the netlist has no signal {name}")
        return self.net(self.module["netnames"][name]["bits"][0])

    def _refuse_other_clock(self, bits: Iterable[Any]) -> None:
        if self._one_clock and any([bit] != self.module["ports"]["clk"]["bits"] for bit in bits):
            raise WrongNetlist("it has a register on another net than the clock")

    def _refuse_wrong_drivers(self) -> None:
        drivers = Counter(net for _, outs, _ in self._loose for net in outs)
        drivers.update(net for _, net in self.registers)
        used = {net for ins, _, _ in self._loose for net in ins}
        used.update(net for net, _ in self.registers)
        for _, address, bits, data, enable, width in self.writes:
            for at, count in ((address, bits), (data, width), (enable, width)):
                used.update(self.pins[at : at + count])
        for way, nets in self.ports.values():
            used.update(nets if way == "output" else ())
            drivers.update(() if way == "output" else nets)
        if max(drivers.values(), default=0) > 1 or {0, 1} & drivers.keys():
            raise WrongNetlist("it has a net with two drivers")
        if used - drivers.keys() - {0, 1}:
            raise WrongNetlist("it has an input that nothing drives")

    def _gate(self, cell: dict[str, Any]) -> None:
        inputs, table = _GATES[cell["type"]]
        pins = cell["connections"]
        ins = tuple(self.net(pins[name][0]) for name in inputs)
        out = self.net(pins["Y"][0])
        a, b, c = (*ins, 0, 0)[:3]
        self._loose.append((ins, (out,), (table, a, b, c, out)))

    def _memory(self, name: str, cell: dict[str, Any]) -> None:
        value = {
            key: int(cell["parameters"][key], 2)
            for key in ("ABITS", "WIDTH", "SIZE", "RD_PORTS", "WR_PORTS", "RD_CLK_ENABLE")
        }
        if value["RD_PORTS"] and value["RD_CLK_ENABLE"]:
            raise EngineError(f"the netlist's memory {name} is read by a clock")
        if value["WIDTH"] > 64:
            raise EngineError(f"the netlist's memory {name} is wider than 64 bits")
        self._refuse_other_clock(cell["connections"]["WR_CLK"])
        memory = len(self.sizes)
        self.sizes.append(value["SIZE"])
        bits, width, pins = value["ABITS"], value["WIDTH"], cell["connections"]
        init = cell["parameters"]["INIT"].replace("x", "0")[::-1]
        for address in range(value["SIZE"]):
            word = int(init[address * width :][:width][::-1] or "0", 2)
            if word:
                self.words.append((memory, address, word))

        def put(pin: str, port: int, count: int) -> int:
            at = len(self.pins)
            self.pins += [self.net(bit) for bit in pins[pin][port * count :][:count]]
            return at

        for port in range(value["RD_PORTS"]):
            address, data = put("RD_ADDR", port, bits), put("RD_DATA", port, width)
            ins = tuple(self.pins[address : address + bits])
            outs = tuple(self.pins[data : data + width])
            self._loose.append((ins, outs, (_READ, len(self.reads), 0, 0, 0)))
            self.reads.append((memory, address, bits, data, width))
        for port in range(value["WR_PORTS"]):
            places = (put("WR_ADDR", port, bits), bits, put("WR_DATA", port, width))
            self.writes.append((memory, *places, put("WR_EN", port, width), width))

    def _in_order(self) -> list[Gate]:
        """Return the gates so that each comes behind those that it looks at."""
        users: dict[int, list[int]] = {}
        driven = {net for _, outs, _ in self._loose for net in outs}
        waits = []
        for number, (ins, _, _) in enumerate(self._loose):
            waits.append(sum(net in driven for net in ins))
            for net in ins:
                users.setdefault(net, []).append(number)
        ready = deque(number for number, left in enumerate(waits) if not left)
        order = []
        while ready:
            _, outs, gate = self._loose[(number := ready.popleft())]
            order.append((number, gate))
            for net in outs:
                for user in users.get(net, ()):
                    waits[user] -= 1
                    if not waits[user]:
                        ready.append(user)
        if len(order) < len(self._loose):
            raise WrongNetlist("it has a loop of gates")
        return [gate for _, gate in order]


def cpp_class(netlist: Netlist, namespace: str) -> str:
    """Return C++ of a class ``p_top`` in a namespace, with the interface of CXXRTL's classes."""
    fields, loads, stores = [], [], []
    for name, (direction, nets) in netlist.ports.items():
        member = "p_" + name.replace("_", "__")
        fields.append(f"cxxrtl::value<{len(nets)}> {member};")
        moves, move = (stores, "get") if direction == "output" else (loads, "put")
        moves.append(
            f"{{ static const uint32_t nets[] = {_listed(nets)};"
            f" gates.{move}({member}, nets, {len(nets)}); }}"
        )
    return f"""
namespace {namespace} {{
{_tables(netlist)}
struct p_top {{
    {" ".join(fields)}
    cxxrtl::value<1> prev_p_clk;
    streampool::Gates gates{{tables}};
    bool eval() {{
        {" ".join(loads)}
        gates.settle();
        {" ".join(stores)}
        return true;
    }}
    bool commit() {{ gates.clock(); return false; }}
}};
}}
"""


def is_good(netlist: Netlist, bad: str, judged: str, most: int) -> bool:
    """Clock a netlist that judges itself, for at most so many clocks; returns whether it ends well.

    A judgement is made where the signal `judged` is high, and a clock later `bad` says whether
    something was wrong. The inputs stay low, and in another run high: whichever way its button
    works, it is let go in one of them.
    """
    player, tables = gates_source(), _tables(netlist)
    inputs = [net for way, nets in netlist.ports.values() if way != "output" for net in nets]
    source = f"""
{player}
{tables}
static const uint32_t inputs[] = {_listed(inputs)};
extern "C" __attribute__((visibility("default"))) int64_t verdict(int32_t level, int64_t most) {{
    return streampool::verdict(tables, inputs, {len(inputs)}, level,
        {netlist.named(bad)}, {netlist.named(judged)}, most);
}}
"""
    library = SharedObject([source], "-O2").library(lambda: source)
    library.verdict.argtypes = [ctypes.c_int32, ctypes.c_int64]
    library.verdict.restype = ctypes.c_int64
    verdicts = [library.verdict(level, most) for level in (0, 1)]
    return 1 in verdicts and 0 not in verdicts


def gates_source() -> str:
    """Return the C++ that plays tables."""
    return resources.files("streampool_sim.engines").joinpath("gates.cc").read_text("utf-8")


def _tables(netlist: Netlist) -> str:
    """Return a netlist as C++ tables."""
    start = netlist.start
    return f"""
static const uint8_t start[] = {_listed(start)};
static const uint32_t pins[] = {_listed(netlist.pins)}, sizes[] = {_listed(netlist.sizes)};
static const uint32_t registers[] = {_listed(net for pair in netlist.registers for net in pair)};
static const streampool::Gate gates[] = {_listed(map(_listed, netlist.gates))};
static const streampool::ReadPort reads[] = {_listed(map(_listed, netlist.reads))};
static const streampool::WritePort writes[] = {_listed(map(_listed, netlist.writes))};
static const streampool::Word words[] = {_listed(map(_listed, netlist.words))};
static const streampool::Tables tables = {{
    {len(start)}, gates, {len(netlist.gates)}, pins, reads, writes, {len(netlist.writes)},
    registers, {len(netlist.registers)}, start, sizes, {len(netlist.sizes)},
    words, {len(netlist.words)}}};
"""


def _listed(parts: Iterable[object]) -> str:
    listed = ",".join(str(part) for part in parts)
    return f"{{{listed or 0}}}"
