"""A core behind a link: a serial port on one side, its beats on the other."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, ResetInserter, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import DType

from ...core import PoolCore
from .endpoint import Endpoint
from .protocol import FLAG
from .uart import RECEIVED, Receiver, Transmitter

SENT = data.StructLayout({"data": 8, "last": 1})
"""A byte, and whether it ends a packet."""


def _byte_shape(dtype: DType) -> int:
    """Return the bits that a value takes on the line: those of its NumPy type."""
    return 8 * dtype.numpy.itemsize


class Gather(wiring.Component):
    """Make words of bytes, the lowest first.

    Members
    -------
    i : In(stream(8))
    o : Out(stream(8 * count))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, count: int):
        self._count = count
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8 * count))})

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self._count), init=self._count - 1)
        m.d.comb += self.i.ready.eq(~self.o.valid)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += self.o.payload.eq(Cat(self.o.payload, self.i.payload)[8:])
            m.d.sync += left.eq(left - 1)
            with m.If(left == 0):
                m.d.sync += [left.eq(self._count - 1), self.o.valid.eq(1)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m


class Scatter(wiring.Component):
    """Make bytes of words, the lowest first.

    Members
    -------
    i : In(stream(8 * count))
    o : Out(stream(8))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, count: int):
        self._count = count
        super().__init__({"i": In(stream.Signature(8 * count)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        word = Signal(8 * self._count)
        left = Signal(range(self._count + 1))
        m.d.comb += [
            self.i.ready.eq(left == 0),
            self.o.valid.eq(left != 0),
            self.o.payload.eq(word[:8]),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [word.eq(self.i.payload), left.eq(self._count)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [word.eq(word >> 8), left.eq(left - 1)]
        return m


class LinkedCore(wiring.Component):
    """A core whose beats cross a serial port, by the protocol of docs/link.md.

    Throughput: the line is what limits it, ten bits for a byte there or back. Between a request
    and its response are 256 clocks in which nothing moves.

    Parameters
    ----------
    core : PoolCore
        What is fed; a submodule called ``core``.
    info : bytes
        What the board says of itself, as `protocol.about` makes it.
    clocks : int or None
        Clocks of a bit, as `uart.divisor` finds them; None where something else carries bytes.

    Members
    -------
    rx : In(1)
        Of no clock. It and `tx` are there where there are clocks of a bit.
    tx : Out(1)
    i : In(stream(RECEIVED))
        Bytes from the host, always ready. It and `o` are there where `rx` and `tx` are not.
    o : Out(stream(SENT))
        Bytes to the host.
    frame : Out(1)
        A frame is in the core.
    session : Out(1)
        A host has begun a session.
    damaged : Out(1)
        A packet was damaged since then.
    """

    name = "link"
    files = "linked"

    rx: Signal
    tx: Signal
    i: stream.Interface
    o: stream.Interface
    frame: Signal
    session: Signal
    damaged: Signal

    def __init__(self, core: PoolCore, info: bytes, clocks: int | None):
        self.core, self.info, self._clocks = core, info, clocks
        wires = {"rx": In(1), "tx": Out(1)}
        streams = {"i": In(stream.Signature(RECEIVED)), "o": Out(stream.Signature(SENT))}
        lamps = {"frame": Out(1), "session": Out(1), "damaged": Out(1)}
        super().__init__({**(streams if clocks is None else wires), **lamps})

    @property
    def lamps(self) -> Mapping[str, Value]:
        """What a lamp of each kind shows."""
        return {
            "running": self.frame,
            "good": self.session,
            "bad": self.damaged,
            "fine": self.frame,
            "verdict": self.frame | self.damaged,
        }

    def elaborate(self, platform):
        m = Module()
        job, core = self.core.job, self.core
        clocks, endpoint = self._clocks, Endpoint(self.info)
        if clocks is not None:
            m.submodules.receiver = receiver = Receiver(clocks)
            m.submodules.transmitter = transmitter = Transmitter(clocks)
            wiring.connect(m, receiver.o, endpoint.i)
            wiring.connect(m, endpoint.o, transmitter.i)
            m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        else:
            wiring.connect(m, wiring.flipped(self.i), endpoint.i)
            self._send(m, endpoint.o)
        m.submodules.endpoint = endpoint
        m.d.comb += [
            self.session.eq(endpoint.open),
            self.damaged.eq(endpoint.damaged),
        ]

        # The core, and what is half a beat, are reset by themselves, too.
        bits = {"i": _byte_shape(job.input), "o": _byte_shape(job.output)}
        gather = Gather(job.lanes * bits["i"] // 8)
        scatter = Scatter(job.lanes * bits["o"] // 8)
        cleared = ResetInserter(endpoint.clear)
        m.submodules.gather, m.submodules.scatter = cleared(gather), cleared(scatter)
        m.submodules.core = cleared(core)
        wiring.connect(m, endpoint.to_core, gather.i)
        wiring.connect(m, scatter.o, endpoint.from_core)
        m.d.comb += [
            core.i.valid.eq(gather.o.valid),
            gather.o.ready.eq(core.i.ready),
            scatter.i.valid.eq(core.o.valid),
            core.o.ready.eq(scatter.i.ready),
        ]
        for lane in range(job.lanes):
            m.d.comb += core.i.payload[lane].eq(gather.o.payload.word_select(lane, bits["i"]))
            raw = Signal(bits["o"], name=f"raw_{lane}")
            m.d.comb += raw.eq(core.o.payload.data[lane])  # by its sign, where it has one
            m.d.comb += scatter.i.payload.word_select(lane, bits["o"]).eq(raw)

        with m.If(endpoint.clear):
            m.d.sync += self.frame.eq(0)
        with m.Elif(core.i.valid & core.i.ready):
            m.d.sync += self.frame.eq(1)
        with m.Elif(core.o.valid & core.o.ready & core.o.payload.last):
            m.d.sync += self.frame.eq(0)
        return m

    def _send(self, m: Module, sent: stream.Interface) -> None:
        """Say of each byte whether it ends a packet: every other flag does."""
        begun = Signal()
        flag = sent.payload == FLAG
        m.d.comb += [
            self.o.valid.eq(sent.valid),
            self.o.payload.data.eq(sent.payload),
            self.o.payload.last.eq(flag & begun),
            sent.ready.eq(self.o.ready),
        ]
        with m.If(sent.valid & sent.ready & flag):
            m.d.sync += begun.eq(~begun)
