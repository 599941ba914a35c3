"""Boards' top levels with a link, clocked at their pins: bits on the line, button and lamps."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from link.board_model import ModelLine
from link.faults import Spoiler, frames_of, random_faults
from streampool_golden import PoolJob, PoolSpec, SpecError, pool
from streampool_hw.boards.build import linked
from streampool_hw.boards.link.protocol import Decoder, Info, Kind, Packet, Reason
from streampool_hw.boards.link.uart import divisor
from streampool_hw.boards.table import BOARDS
from streampool_hw.boards.top import Top
from streampool_sim.frames import container, pack, unpack
from streampool_sim.link.host import Host
from streampool_sim.link.simulated import SimulatedBoard

# One that gives more than it takes, so that bytes have to wait; and one with spare lanes, whose
# values are 9 bits there and 11 back, in two bytes each.
JOBS = {
    "icebreaker": PoolJob(PoolSpec("max", 2, 1, 1, dtype="uint8"), (4, 5, 5), 4),
    "ulx3s-85f": PoolJob(PoolSpec("sum", 2, 1, dtype="int9"), (3, 5, 6), 2),
}


@pytest.fixture(params=JOBS)
def board(request: pytest.FixtureRequest) -> Iterator[SimulatedBoard]:
    made = SimulatedBoard(request.param, JOBS[request.param])
    yield made
    made.close()


def ask(board: Callable[[bytes], bytes], packet: Packet) -> list[Packet | None]:
    return list(Decoder()(board(packet.encoded())))


def refused(sequence: int, session: int, reason: Reason) -> list[Packet]:
    return [Packet(Kind.REFUSED, sequence, session, bytes((reason,)))]


def test_a_hundred_frames_in_a_row(board):
    host = Host(ModelLine(board), seed=1)
    info = host.info()
    job = info.job
    whole = info.board == "icebreaker"
    assert (job.input.numpy.itemsize, job.output.numpy.itemsize) == ((1, 1) if whole else (2, 2))
    assert info.board in JOBS and job == JOBS[info.board]
    assert info.clock_hz == board.clock_hz
    frames = frames_of(job, 100)
    kinds: Counter[int] = Counter()

    def watched(data: bytes) -> bytes:
        back = board(data)
        kinds.update(each.kind for each in Decoder()(back) if each)
        return back

    host = Host(ModelLine(watched), seed=2)
    assert np.array_equal(host.pool(job, frames), pool(job.spec, frames))
    assert host.counts["repeated"] == host.counts["sessions_lost"] == 0
    assert (kinds[Kind.WAITING] > 0) == (job.beats_out > job.beats_in)


@pytest.mark.parametrize("seed", range(2))
def test_no_fault_gives_a_wrong_picture(board, seed):
    there, back = Spoiler(random_faults(seed, 3000)), Spoiler(random_faults(seed + 9, 3000))
    host = Host(ModelLine(board, there, back), seed=seed)
    job = host.info().job
    frames = frames_of(job, 60, seed)
    assert np.array_equal(host.pool(job, frames), pool(job.spec, frames))
    assert there.spoilt + back.spoilt > 3
    assert host.counts["repeated"] > 0


def test_a_button_in_the_middle_ends_the_session(board):
    job, sent = JOBS[Host(ModelLine(board), seed=0).info().board], 0

    def pressed(data: bytes) -> bytes:
        nonlocal sent
        sent += 1
        if sent == 3:
            board.press()
        return data

    host, frames = Host(ModelLine(board, pressed), seed=3), frames_of(job, 40)
    assert np.array_equal(host.pool(job, frames), pool(job.spec, frames))
    assert host.counts["sessions_lost"] == 1


def test_requests_are_carried_out_once_and_in_order(board):
    job = JOBS[Host(ModelLine(board), seed=0).info().board]
    session, frame = 0x7D7E, frames_of(job, 1)
    whole = pack(job, frame)[0].tobytes()
    data = Packet(Kind.DATA, 8, session, whole[:41])
    assert ask(board, data) == refused(8, session, Reason.SEQUENCE)  # nobody has begun
    assert ask(board, Packet(Kind.RESET, 7, session)) == [Packet(Kind.WAS_RESET, 7, session)]
    for packet in (
        Packet(Kind.DATA, 9, session),
        Packet(Kind.DATA, 8, session + 1),
        Packet(0x55, 8, session),
        Packet(Kind.TAKEN, 8, session),
    ):
        assert ask(board, packet) == refused(packet.sequence, packet.session, Reason.SEQUENCE)
    came = b""
    for packet in (data, Packet(Kind.DATA, 9, session, whole[41:]), Packet(Kind.DATA, 10, session)):
        [first], *others = (ask(board, packet) for _ in range(3))
        assert others == [[first]] * 2 and first is not None and first.kind == Kind.TAKEN
        came += first.payload
    beats = np.frombuffer(came, container(job.fields_out[0])).reshape(-1, job.lanes)
    assert np.array_equal(unpack(job, beats), pool(job.spec, frame))


def test_info_disturbs_nobody(board):
    job = JOBS[Host(ModelLine(board), seed=0).info().board]
    other = Host(ModelLine(board), seed=6)

    def asked(data: bytes) -> bytes:
        assert other.info().job == job
        return data

    host, frames = Host(ModelLine(board, asked), seed=7), frames_of(job, 20)
    assert np.array_equal(host.pool(job, frames), pool(job.spec, frames))
    assert host.counts["repeated"] == 0


def test_lamps(board):
    job = JOBS[Host(ModelLine(board), seed=0).info().board]
    shows = {"icebreaker": ("fine", "bad"), "ulx3s-85f": ("running", "bad")}
    busy, bad = next(pair for name, pair in shows.items() if JOBS[name] == job)

    def lit() -> tuple[bool, bool]:
        return board.lamps[busy], board.lamps[bad]

    assert lit() == (False, False)
    assert ask(board, Packet(Kind.RESET, 0, 1)) == [Packet(Kind.WAS_RESET, 0, 1)]
    half = bytes(job.lanes * job.beats_in // 2)
    ask(board, Packet(Kind.DATA, 1, 1, half))
    assert lit() == (True, False)
    assert next(Decoder()(board(b"\x7eno packet\x7e"))) is not None
    assert lit() == (True, True)
    ask(board, Packet(Kind.RESET, 2, 2))
    assert lit() == (False, False)
    frames = frames_of(job, 1)
    Host(ModelLine(board), seed=0).pool(job, frames)
    assert lit() == (False, False)
    board.press()
    assert not any(board.lamps.values())


@pytest.mark.parametrize("off", [-0.03, 0.03])
def test_a_host_s_clock_may_be_off(off):
    job = JOBS["icebreaker"]
    board = SimulatedBoard("icebreaker", job, off=off)
    host, frames = Host(ModelLine(board), seed=0), frames_of(job, 5)
    assert np.array_equal(host.pool(job, frames), pool(job.spec, frames))
    assert host.counts["repeated"] == 0
    board.close()


def test_a_break_and_noise_on_the_line_are_damage_and_no_more(board):
    rng = np.random.default_rng(1)
    info = Host(ModelLine(board), seed=0).info()
    board.levels(np.zeros(35, np.uint8))  # what a host does that asks for a break
    board.levels(rng.integers(0, 2, 4000, np.uint8))
    board.levels(np.ones(20, np.uint8))
    good = Packet(Kind.INFO, 1, 2).encoded()
    levels = np.ones((len(good), 10), np.uint8)
    levels[:, 0] = 0
    levels[:, 1:9] = np.unpackbits(
        np.frombuffer(good, np.uint8)[:, None], axis=1, bitorder="little"
    )
    board.levels(levels.reshape(-1))  # its first flag ends what the noise began
    right = list(Decoder()(board.levels(levels.reshape(-1))))
    assert [each.kind for each in right if each] == [Kind.INFO_IS]
    # a stop bit that is none: the packet is right but for that
    broken = np.concatenate(
        [np.append(each, [0, 1, 1] * (at == 3)) for at, each in enumerate(levels)]
    )
    broken[3 * 10 + 9] = 0
    assert [each.kind for each in Decoder()(board.levels(broken)) if each] == [Kind.REFUSED]
    assert isinstance(info, Info) and Host(ModelLine(board), seed=0).info() == info


def test_the_host_may_take_its_time(board):
    job = JOBS[Host(ModelLine(board), seed=0).info().board]

    def slowly(data: bytes) -> bytes:
        return b"".join(board(bytes((byte,))) for byte in data)

    host, frames = Host(ModelLine(slowly), seed=8), frames_of(job, 2)
    assert np.array_equal(host.pool(job, frames), pool(job.spec, frames))
    assert host.counts["repeated"] == 0


@pytest.mark.parametrize(
    "name", [name for name, each in BOARDS.items() if each.serial and not each.on_usb]
)
def test_the_line_has_the_pins_of_the_board(name):
    board = BOARDS[name].with_link
    platform = board.create_platform()
    design = linked(JOBS["icebreaker"], board, platform.default_clk_frequency, family="generic")
    plan = platform.prepare(Top(board, design), "top", emit_src=False)
    kinds = ("lpf", "pcf", "cst")
    [pins] = [plan.files[f"top.{kind}"] for kind in kinds if f"top.{kind}" in plan.files]
    placed = re.findall(r"^(?:LOCATE|set_io|IO_LOC) .*", pins, re.MULTILINE)
    assert len(placed) == len(board.lamps) + (board.button is not None) + 1 + 2
    serial = BOARDS[name].serial
    assert serial is not None
    wires = platform.lookup(serial.pin.name, serial.pin.number).ios
    for wire in wires:
        if wire.name in ("rx", "tx"):
            [pin] = wire.ios[0].names
            assert len([line for line in placed if re.search(rf"\b{pin}\b", line)]) == 1


def test_a_bit_is_as_many_clocks_as_it_needs():
    assert [divisor(mhz * 1e6, 1e6) for mhz in (12, 25, 27, 48, 150)] == [12, 25, 27, 48, 150]
    assert divisor(13.3e6, 1e6) is None and divisor(3e6, 1e6) is None
    assert divisor(133.4e6, 1e6) == 133


@pytest.mark.parametrize("name", [name for name, board in BOARDS.items() if not board.serial])
def test_boards_without_a_serial_port_say_so(name):
    with pytest.raises(SpecError, match=rf"link is not to be had on {name}, .*; use one of ulx3s"):
        _ = BOARDS[name].with_link
