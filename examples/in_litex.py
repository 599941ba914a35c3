"""A pooling core's Verilog in a LiteX module, behind a FIFO; writes in_litex.v."""

from litex.gen import LiteXModule
from litex.soc.interconnect import stream
from migen import ClockSignal, Instance, ResetSignal, Signal
from migen.fhdl import verilog

PIXEL = [("data", 8)]


class Pool2(LiteXModule):
    """The core, its AXI4-Stream ports as LiteX's endpoints."""

    def __init__(self, platform=None):
        self.sink = sink = stream.Endpoint(PIXEL)
        self.source = source = stream.Endpoint(PIXEL)
        self.error = Signal()
        self.specials += Instance(  # pyright: ignore[reportOperatorIssue]  # Migen has no types
            "pool2",
            i_aclk=ClockSignal("sys"),
            i_aresetn=~ResetSignal("sys"),
            i_s_axis_tdata=sink.data,
            i_s_axis_tvalid=sink.valid,
            o_s_axis_tready=sink.ready,
            i_s_axis_tlast=sink.last,
            o_m_axis_tdata=source.data,
            o_m_axis_tvalid=source.valid,
            i_m_axis_tready=source.ready,
            o_m_axis_tlast=source.last,
            o_frame_error=self.error,
        )
        if platform is not None:  # a board's platform compiles it with the design
            platform.add_source("pool2.v")


class Top(LiteXModule):
    """What comes into `sink` waits in a FIFO, is pooled, and leaves by `source`."""

    def __init__(self, platform=None):
        self.sink = stream.Endpoint(PIXEL)
        self.source = stream.Endpoint(PIXEL)
        self.fifo = stream.SyncFIFO(PIXEL, depth=16)
        self.pool = Pool2(platform)
        self.pipeline = stream.Pipeline(self.sink, self.fifo, self.pool, self.source)


if __name__ == "__main__":
    top = Top()
    ports = {*top.sink.flatten(), *top.source.flatten(), top.pool.error}
    verilog.convert(top, ports, name="in_litex").write("in_litex.v")
