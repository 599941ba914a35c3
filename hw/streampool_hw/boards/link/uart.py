"""Bytes on two wires: 8 bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

RECEIVED = data.StructLayout({"data": 8, "broken": 1})
"""A byte, and whether its stop bit was none."""

MOST_OFF = 0.02
"""How far a bit may be from its length: at the tenth, with 5 % for the other end, half a bit."""


def divisor(hz: float, baud: float) -> int | None:
    """Return the clocks of a bit, or None where no number of them comes near enough."""
    clocks = round(hz / baud)
    if clocks < 4 or abs(clocks * baud / hz - 1) > MOST_OFF:
        return None
    return clocks


class Receiver(wiring.Component):
    """Find bytes on a wire; each is there for one clock, whether it is taken or not.

    Members
    -------
    rx : In(1)
        The wire, of no clock.
    o : Out(stream)
        Bytes; `ready` is not looked at.
    """

    rx: Signal
    o: stream.Interface

    def __init__(self, clocks: int):
        self._clocks = clocks
        super().__init__({"rx": In(1), "o": Out(stream.Signature(RECEIVED))})

    def elaborate(self, platform):
        m = Module()
        rx = Signal(init=1)
        m.submodules.rx = FFSynchronizer(self.rx, rx, init=1)
        left = Signal(range(self._clocks), init=0)
        bits = Signal(range(11))  # still to come, the start bit and the stop bit among them
        shifted = Signal(9)
        m.d.sync += self.o.valid.eq(0)
        m.d.comb += [
            self.o.payload.data.eq(shifted[:8]),
            self.o.payload.broken.eq(~shifted[8]),
        ]
        with m.If(bits == 0), m.If(~rx):
            m.d.sync += [bits.eq(10), left.eq(self._clocks // 2 - 1)]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.Else():  # in the middle of a bit
            m.d.sync += [
                left.eq(self._clocks - 1),
                bits.eq(bits - 1),
                shifted.eq(Cat(shifted[1:], rx)),
            ]
            with m.If((bits == 10) & rx):  # that was no start bit
                m.d.sync += bits.eq(0)
            with m.If(bits == 1):
                m.d.sync += self.o.valid.eq(1)
        return m


class Transmitter(wiring.Component):
    """Send bytes on a wire, with no pause between them where they come in time.

    Members
    -------
    i : In(stream(8))
    tx : Out(1)
    """

    i: stream.Interface
    tx: Signal

    def __init__(self, clocks: int):
        self._clocks = clocks
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1)})

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self._clocks))
        bits = Signal(range(11))
        shifted = Signal(10, init=-1)
        m.d.comb += [self.tx.eq(shifted[0]), self.i.ready.eq(bits == 0)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                shifted.eq(Cat(0, self.i.payload, 1)),
                bits.eq(10),
                left.eq(self._clocks - 1),
            ]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.Elif(bits != 0):
            # the last clock of the stop bit is the one in which the next byte is taken
            m.d.sync += [shifted.eq(Cat(shifted[1:], 1)), bits.eq(bits - 1)]
            m.d.sync += left.eq(self._clocks - 1)
        return m
