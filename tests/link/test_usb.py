"""Links on USB: the core's bytes, which USB carries, and the device on the boards' platforms."""

import re
import sys

import numpy as np
import pytest
from amaranth.sim import Simulator
from link.faults import frames_of
from streampool_golden import PoolJob, PoolSpec, pool
from streampool_hw.boards.build import linked
from streampool_hw.boards.link import usb
from streampool_hw.boards.link.protocol import FLAG, Decoder, Info, Kind, Packet
from streampool_hw.boards.table import BOARDS
from streampool_hw.boards.top import PllSettings, Top
from streampool_sim import cli
from streampool_sim.frames import container, pack, unpack

JOB = PoolJob(PoolSpec("sum", 2, 1, dtype="int5"), (3, 5, 6), 2)
ON_USB = [name for name, board in BOARDS.items() if board.on_usb]


def test_packets_cross_as_bytes_of_which_the_last_one_is_known():
    rng = np.random.default_rng(0)
    design = linked(JOB, BOARDS["orangecrab"], usb.HZ, family="generic")
    frame = frames_of(JOB, 1)
    session = 0x7D7E  # the bytes that are escaped
    requests = [
        Packet(Kind.INFO, 1, 2),
        Packet(Kind.RESET, 5, session),
        Packet(Kind.DATA, 6, session, pack(JOB, frame)[0].tobytes()),
        Packet(Kind.DATA, 7, session),
    ]
    answers = []

    async def host(ctx):
        for request in requests:
            encoded, sent, came = request.encoded(), 0, bytearray()
            last = 0
            while not last:
                offered = sent < len(encoded) and rng.random() < 0.7
                ctx.set(design.i.valid, offered)
                if offered:
                    ctx.set(design.i.payload.data, encoded[sent])
                ready = rng.random() < 0.7
                ctx.set(design.o.ready, ready)
                assert ctx.get(design.i.ready)
                if ready and ctx.get(design.o.valid):
                    came.append(ctx.get(design.o.payload.data))
                    last = ctx.get(design.o.payload.last)
                sent += offered
                await ctx.tick()
            assert came[0] == came[-1] == FLAG and came.count(FLAG) == 2
            answers.extend(Decoder()(bytes(came)))

    simulator = Simulator(design)
    simulator.add_clock(1 / usb.HZ)
    simulator.add_testbench(host)
    simulator.run_until(20_000 / usb.HZ)
    assert [each.kind for each in answers] == [
        Kind.INFO_IS, Kind.WAS_RESET, Kind.TAKEN, Kind.TAKEN
    ]  # fmt: skip
    info = Info.of(answers[0].payload)
    assert isinstance(info, Info) and info.job == JOB and info.clock_hz == usb.HZ
    came = answers[2].payload + answers[3].payload
    beats = np.frombuffer(came, container(JOB.fields_out[0])).reshape(-1, JOB.lanes)
    assert np.array_equal(unpack(JOB, beats), pool(JOB.spec, frame))


@pytest.mark.parametrize("name", ON_USB)
def test_the_device_has_the_pins_and_the_clocks_of_the_board(name):
    pytest.importorskip("luna", reason="luna-usb is not installed")
    board = BOARDS[name].with_link
    platform = board.create_platform()
    pll = PllSettings.for_usb(platform.default_clk_frequency)
    plan = platform.prepare(
        Top(board, linked(JOB, board, usb.HZ, family="ecp5"), pll), "top", emit_src=False
    )
    placed = re.findall(
        r'^LOCATE COMP "usb_0__(\w+)__io" SITE "(\w+)"', plan.files["top.lpf"], re.M
    )
    assert sorted(placed) == [("d_n", "M2"), ("d_p", "N1"), ("pullup", "N2")]
    netlist = plan.files["top.il"]
    assert 'FREQUENCY_PIN_CLKOP "48.0"' in netlist
    assert 'FREQUENCY_PIN_CLKOS "12.0"' in netlist


def test_its_clocks_are_four_to_one():
    pll = PllSettings.for_usb(48e6)
    assert (pll.hz, pll.hz / pll.slower) == (usb.IO_HZ, usb.HZ) == (48e6, 12e6)
    assert pll.output * pll.slower <= 128  # what a divisor can be


def test_without_luna_it_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "luna", None)
    monkeypatch.setitem(sys.modules, "luna.full_devices", None)
    out = tmp_path / "out"
    words = ["build", "--board", "orangecrab", "--link", "--kernel", "2", "--shape", "2x4x4"]
    assert cli.main([*words, "-o", str(out)]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "luna-usb" in said and "use the extra streampool[usb]" in said
    assert not out.exists()
