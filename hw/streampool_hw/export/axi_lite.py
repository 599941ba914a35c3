"""An AXI4-Lite port, and what it asks of the registers behind it."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

OKAY, SLVERR = 0, 2

ANSWER = 3
"""Clocks from a write's strobe to the clock in which it is asked whether it was refused."""


def axi_lite_ports(address_bits: int, prefix: str = "") -> dict[str, wiring.Member]:
    """Return the ports of an AXI4-Lite slave of 32 bits, without its clock and reset."""
    ports = {
        **{"awaddr": In(address_bits), "awprot": In(3), "awvalid": In(1), "awready": Out(1)},
        **{"wdata": In(32), "wstrb": In(4), "wvalid": In(1), "wready": Out(1)},
        **{"bresp": Out(2), "bvalid": Out(1), "bready": In(1)},
        **{"araddr": In(address_bits), "arprot": In(3), "arvalid": In(1), "arready": Out(1)},
        **{"rdata": Out(32), "rresp": Out(2), "rvalid": Out(1), "rready": In(1)},
    }
    return {prefix + name: member for name, member in ports.items()}


class AxiLite(wiring.Component):
    """Take reads and writes of words of 32 bits, one of each at a time.

    All five channels may be stalled by either side for as long as it likes, and address and data of
    a write come in any order. No output depends combinationally on an input, and no valid waits for
    a ready. A write is answered `ANSWER` clocks after its strobe, a read a clock after it is looked
    up. What protection a master asks for is ignored, as are the two lowest bits of an address.

    Members
    -------
    awaddr, awprot, awvalid, awready, wdata, wstrb, wvalid, wready, bresp, bvalid, bready
        A write, as ARM names it.
    araddr, arprot, arvalid, arready, rdata, rresp, rvalid, rready
        A read.
    write : Out(1)
        High for one clock; `address`, `data` and `whole` have been steady for one at least, and
        stay until the answer.
    address, data, whole : Out(address_bits - 2), Out(32), Out(1)
        The word's address, the word, and whether all of its bytes are written.
    refused : In(1)
        Whether the write is refused, `ANSWER` clocks after its strobe.
    read_address : Out(address_bits - 2)
        Of the word that is read.
    read_data, unreadable : In(32), In(1)
        The word at `read_address`, and whether none can be read there; combinational.
    """

    awaddr: Signal
    awprot: Signal
    awvalid: Signal
    awready: Signal
    wdata: Signal
    wstrb: Signal
    wvalid: Signal
    wready: Signal
    bresp: Signal
    bvalid: Signal
    bready: Signal
    araddr: Signal
    arprot: Signal
    arvalid: Signal
    arready: Signal
    rdata: Signal
    rresp: Signal
    rvalid: Signal
    rready: Signal
    write: Signal
    address: Signal
    data: Signal
    whole: Signal
    refused: Signal
    read_address: Signal
    read_data: Signal
    unreadable: Signal

    def __init__(self, address_bits: int):
        word = address_bits - 2
        super().__init__(
            {
                **axi_lite_ports(address_bits),
                **{"write": Out(1), "address": Out(word), "data": Out(32), "whole": Out(1)},
                **{"refused": In(1), "read_address": Out(word)},
                **{"read_data": In(32), "unreadable": In(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._writes(m)
        self._reads(m)
        return m

    def _writes(self, m: Module) -> None:
        # of the word at hand: what has come of it, and how long ago it was whole
        addressed, filled, phases = Signal(), Signal(), Signal(1 + ANSWER)
        answers = phases[-1]
        m.d.comb += [
            *(self.awready.eq(~addressed), self.wready.eq(~filled)),
            self.write.eq(phases[0]),
        ]
        with m.If(self.awvalid & self.awready):
            m.d.sync += [addressed.eq(1), self.address.eq(self.awaddr[2:])]
        with m.If(self.wvalid & self.wready):
            m.d.sync += [filled.eq(1), self.data.eq(self.wdata), self.whole.eq(self.wstrb.all())]
        idle = ~phases.any()
        m.d.sync += phases.eq(Cat(addressed & filled & idle & ~self.bvalid, phases))
        with m.If(answers):
            m.d.sync += [addressed.eq(0), filled.eq(0), self.bvalid.eq(1)]
            m.d.sync += self.bresp.eq(SLVERR * self.refused)
        with m.Elif(self.bready):
            m.d.sync += self.bvalid.eq(0)

    def _reads(self, m: Module) -> None:
        asked = Signal()
        m.d.comb += self.arready.eq(~asked)
        with m.If(self.arvalid & self.arready):
            m.d.sync += [asked.eq(1), self.read_address.eq(self.araddr[2:])]
        with m.If(asked & ~self.rvalid):
            m.d.sync += [asked.eq(0), self.rvalid.eq(1)]
            m.d.sync += [self.rdata.eq(self.read_data), self.rresp.eq(SLVERR * self.unreadable)]
        with m.Elif(self.rready):
            m.d.sync += self.rvalid.eq(0)
