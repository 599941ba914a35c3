"""A pooling core's Verilog in a design in Amaranth; pool2.v is read from the current folder."""

from pathlib import Path

from amaranth.back import verilog
from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

BEATS = stream.Signature(data.StructLayout({"data": unsigned(8), "last": 1}))


class Pool2(wiring.Component):
    """The core, its AXI4-Stream ports as Amaranth's streams."""

    i: stream.Interface
    o: stream.Interface
    error: Signal

    def __init__(self):
        super().__init__({"i": In(BEATS), "o": Out(BEATS), "error": Out(1)})

    def elaborate(self, platform):
        if platform is not None:  # a board's platform compiles it with the design
            platform.add_file("pool2.v", Path("pool2.v").read_text())
        m = Module()
        m.submodules.pool2 = Instance(
            "pool2",
            i_aclk=ClockSignal(),
            i_aresetn=~ResetSignal(),
            i_s_axis_tdata=self.i.payload.data,
            i_s_axis_tvalid=self.i.valid,
            o_s_axis_tready=self.i.ready,
            i_s_axis_tlast=self.i.payload.last,
            o_m_axis_tdata=self.o.payload.data,
            o_m_axis_tvalid=self.o.valid,
            i_m_axis_tready=self.o.ready,
            o_m_axis_tlast=self.o.payload.last,
            o_frame_error=self.error,
        )
        return m


if __name__ == "__main__":
    Path("in_amaranth.v").write_text(verilog.convert(Pool2(), name="in_amaranth", emit_src=False))
