"""The protocol of a link: its bytes, and both ends as models with faults on the line."""

import contextlib
import json
import time
import zlib

import numpy as np
import pytest
from amaranth.lib import crc  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from link.board_model import ModelBoard, ModelLine
from link.faults import FAULTS, Spoiler, frames_of
from streampool_golden import PoolJob, PoolSpec, pool
from streampool_hw.boards.link.protocol import MOST, Decoder, Info, Kind, Packet, Reason, about
from streampool_sim.link.host import BoardMissing, Host, LinkError

JOB = PoolJob(PoolSpec("sum", 2, 1, dtype="int7"), (3, 9, 15), 2)  # spare lanes, two bytes out
GROWING = PoolJob(PoolSpec("max", 2, 1, 1, dtype="uint8"), (8, 40, 40), 8)

packets = st.builds(
    Packet,
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 0xFFFF),
    st.binary(max_size=40) | st.just(b"\x7d\x7e" * 512),
)


def test_the_bytes_of_a_packet_are_those_of_the_page():
    packet = Packet(Kind.DATA, 0x7E, 0x1234, b"\x7d!")
    body = bytes.fromhex("03 7e 3412 0200 7d 21")
    check = zlib.crc32(body).to_bytes(4, "little")
    escaped = (body + check).replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    assert packet.encoded() == b"\x7e" + escaped + b"\x7e"
    # the CRC of zlib is Amaranth's, and that of the catalogue: its check value is published
    catalogued = crc.catalog.CRC32_ISO_HDLC(data_width=8)
    assert catalogued.compute(body) == zlib.crc32(body)
    assert zlib.crc32(b"123456789") == 0xCBF43926


@given(st.lists(packets, max_size=4), st.integers(1, 50))
def test_packets_come_out_of_their_bytes_however_they_are_cut(sent, size):
    data, decoder = b"".join(each.encoded() for each in sent), Decoder()
    cut = (data[at : at + size] for at in range(0, len(data), size))
    assert [each for part in cut for each in decoder(part)] == sent


@given(packets, packets, st.integers(0, 3000), st.sampled_from(FAULTS))
def test_a_fault_spoils_its_packet_and_not_the_one_after_the_next(first, second, at, fault):
    data = first.encoded()
    spoilt = Spoiler([(at % len(data), fault)])(data)
    found = list(Decoder()(spoilt + second.encoded() + second.encoded()))
    assert found[-1] == second
    assert set(found) <= {first, second, None}


def test_what_is_too_long_is_damaged():
    decoder = Decoder()
    assert list(decoder(b"\x7e" + bytes(3 * MOST) + b"\x7e")) == [None]
    assert Packet.of(bytes(6)) is None


def test_a_board_says_what_it_is():
    info = Info.of(about(JOB, "icebreaker", 12e6, 1234))
    assert isinstance(info, Info) and info.job == JOB
    assert (info.board, info.clock_hz, info.cycles) == ("icebreaker", 12_000_000, 1234)


@pytest.mark.parametrize("job", [JOB, GROWING])
def test_frames_come_back_pooled(job):
    host, frames = Host(ModelLine(ModelBoard(job)), seed=1), frames_of(job, 3)
    told = []
    assert host.info().job == job
    out = host.pool(job, frames, progress=lambda *each: told.append(each))
    assert np.array_equal(out, pool(job.spec, frames))
    assert told[-1][0] == told[-1][1] == out.nbytes // job.shape[0] * job.lanes * job.fold
    assert host.counts["repeated"] == host.counts["sessions_lost"] == 0


schedules = st.lists(st.tuples(st.integers(0, 900), st.sampled_from(FAULTS)), max_size=30)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(schedules, schedules, st.integers(0, 99))
def test_no_fault_on_the_line_gives_a_wrong_picture_or_a_hang(there, back, seed):
    line = ModelLine(ModelBoard(JOB), Spoiler(there), Spoiler(back))
    frames = frames_of(JOB, 4, seed)
    host, out, said = Host(line, seed=seed), None, ""
    try:
        assert host.info().job == JOB
        out = host.pool(JOB, frames)
    except LinkError as error:
        said = str(error)
    if out is None:
        assert len(there) + len(back) > 9  # a request has ten tries
        assert "no board answers" in said
    else:
        assert np.array_equal(out, pool(JOB.spec, frames))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, 6000), schedules, st.integers(0, 99))
def test_a_host_that_ends_anywhere_leaves_nothing_for_the_next(ends, there, seed):
    class Ended(Exception):
        pass

    left = ends

    def until(data: bytes) -> bytes:
        nonlocal left
        if not left:
            return data
        passed, left = data[:left], max(0, left - len(data))
        if not left:
            board(passed)
            raise Ended
        return passed

    board = ModelBoard(JOB)
    line = ModelLine(board, until)
    frames = frames_of(JOB, 5, seed)
    with contextlib.suppress(Ended):
        Host(line, seed=seed).pool(JOB, frames)
    left = 0
    other = frames_of(JOB, 2, seed + 1)
    assert np.array_equal(Host(line, seed=seed + 1).pool(JOB, other), pool(JOB.spec, other))


@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_button_in_the_middle_costs_a_frame_and_no_more(times):
    board, presses = ModelBoard(JOB), iter(range(times))
    passed = 0

    def press(data: bytes) -> bytes:
        nonlocal passed
        passed += 1
        if passed % 2 == 0 and next(presses, None) is not None:
            board.press()
        return data

    host, frames = Host(ModelLine(board, press), seed=3), frames_of(JOB, 4)
    if times < 3:
        assert np.array_equal(host.pool(JOB, frames), pool(JOB.spec, frames))
        assert host.counts["sessions_lost"] == times
    else:
        with pytest.raises(LinkError, match=r"lost frame 0 3 times"):
            host.pool(JOB, frames)


def test_nothing_there_is_told():
    host = Host(ModelLine(lambda data: b""), seed=0)
    with pytest.raises(BoardMissing, match=r"no board answers .* did not answer in time"):
        host.info()
    assert host.counts["silent"] == 10


@pytest.mark.parametrize("said", [b"$GPGGA,123519,4807.038,N\r\n", b"~", bytes(range(256))])
def test_what_babbles_is_no_board_and_nothing_waits_for_its_end(said):
    class Babbler:
        name = "a port"

        def write(self, data: bytes) -> None:
            pass

        def read(self, seconds: float) -> bytes:
            return said * 40

    with pytest.raises(LinkError, match=r"no board answers on a port"):
        Host(Babbler(), seed=0).info()


def test_another_version_is_told():
    later = b'{"protocol":7,"else":"unknown"}'

    def board(data: bytes) -> bytes:
        [asked] = Decoder()(data)
        assert asked is not None
        return Packet(Kind.INFO_IS, asked.sequence, asked.session, later).encoded()

    with pytest.raises(LinkError, match=r"speaks version 7 of the link, and this is version 1"):
        Host(ModelLine(board), seed=0).info()


def answering(kind: Kind, payload: bytes) -> ModelLine:
    """Return a line on which everything is answered by the same."""

    def board(data: bytes) -> bytes:
        return b"".join(
            Packet(kind, asked.sequence, asked.session, payload).encoded()
            for asked in Decoder()(data)
            if asked is not None
        )

    return ModelLine(board)


@pytest.mark.parametrize(
    "change",
    [
        {"board": "\x1b[2J"},
        {"streampool": 1},
        {"clock_hz": "12"},
        {"cycles": 0},
        {"spec": []},
        {"shape": "4x4"},
        {"protocol": float("inf")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_board_that_talks_nonsense_of_itself_is_none(change):
    said = {**json.loads(about(JOB, "icebreaker", 12e6, 1)), **change}
    line = answering(Kind.INFO_IS, json.dumps(said, separators=(",", ":")).encode())
    with pytest.raises(LinkError, match="answers, but not as a board of this link"):
        Host(line, seed=0).info()


@pytest.mark.parametrize(
    ("kind", "payload"),
    [(Kind.INFO_IS, b"[" * MOST), (Kind.INFO_IS, b"{}"), (Kind.REFUSED, bytes((Reason.SEQUENCE,)))],
)
def test_what_says_something_else_is_no_board(kind, payload):
    with pytest.raises(LinkError, match="answers, but not as a board of this link"):
        Host(answering(kind, payload), seed=0).info()


def test_a_core_of_a_later_version_is_told():
    said = json.loads(about(JOB, "icebreaker", 12e6, 1))
    said["spec"]["novel"], said["streampool"] = 3, "9.9"
    line = answering(Kind.INFO_IS, json.dumps(said, separators=(",", ":")).encode())
    with pytest.raises(LinkError, match=r"of streampool 9\.9 that .* novel is no field"):
        Host(line, seed=0).info()


def test_what_drips_is_no_board_and_is_not_waited_for(monkeypatch):
    now = 0.0

    class Drip:
        name = "a port"

        def write(self, data: bytes) -> None:
            pass

        def read(self, seconds: float) -> bytes:
            nonlocal now
            now += min(seconds, 0.3)
            return b"." if seconds >= 0.3 else b""

    monkeypatch.setattr(time, "monotonic", lambda: now)
    with pytest.raises(LinkError, match=r"no board answers on a port: of 10 tries, its answers"):
        Host(Drip(), seed=0).info()
    assert now < 60


@pytest.mark.parametrize(("more", "what"), [(9, "gave more than"), (-9, "stopped after")])
def test_a_core_that_gives_more_or_less_is_told(more, what):
    board = ModelBoard(JOB)
    get, first = board._core.get, iter([True])

    def spoilt(most: int) -> bytes:
        part = get(most)
        if part and next(first, False):
            return part + bytes(more) if more > 0 else part[:more]
        return part

    board._core.get = spoilt
    with pytest.raises(LinkError, match=what):
        Host(ModelLine(board), seed=0).pool(JOB, frames_of(JOB, 1))
