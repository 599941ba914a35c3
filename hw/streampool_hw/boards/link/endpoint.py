"""The board's end of the link: packets in, one at a time, and the answer of each."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import (
    crc,  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
    stream,
    wiring,
)
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from .protocol import CHECK, ESCAPE, FLAG, HEADER, MOST, TOGGLED, Kind, Reason
from .uart import RECEIVED

QUIET_BITS = 8
"""A request is answered when nothing has moved for this many bits of clocks."""


class Endpoint(wiring.Component):
    """Carry out requests as docs/link.md says: bytes of the line here, bytes of the core there.

    While it works or answers it does not listen. A payload waits in a memory until its CRC is
    right, and only then goes to the core. What the core gives stays in another one until the next
    request that is new.

    Parameters
    ----------
    info : bytes
        What the board says of itself.

    Members
    -------
    i : In(stream)
        Bytes from the line, which is always ready.
    o : Out(stream(8))
        Bytes to the line.
    to_core : Out(stream(8))
        Bytes of beats in.
    from_core : In(stream(8))
        Bytes of beats out.
    clear : Out(1)
        High for a clock: what is in the core is of no use any more.
    open : Out(1)
        There is a session.
    damaged : Out(1)
        A packet was damaged since the last reset.
    """

    i: stream.Interface
    o: stream.Interface
    to_core: stream.Interface
    from_core: stream.Interface
    clear: Signal
    open: Signal
    damaged: Signal

    def __init__(self, info: bytes):
        self._info = info
        byte = stream.Signature(8)
        super().__init__(
            {
                "i": In(stream.Signature(RECEIVED)),
                "o": Out(byte),
                "to_core": Out(byte),
                "from_core": In(byte),
                "clear": Out(1),
                "open": Out(1),
                "damaged": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = check = crc.Processor(crc.catalog.CRC32_ISO_HDLC(data_width=8))
        head = Signal(8 * HEADER)  # the header, shifted in, and out
        heads = Signal(range(HEADER + 1))  # how many bytes of it
        at = Signal(range(MOST + CHECK + 2))  # bytes behind it
        m.d.comb += self.i.ready.eq(1)

        # What comes in: the payload in a memory, from which it goes to the core
        m.submodules.taken = taken = Memory(shape=8, depth=MOST, init=[])
        write, fetch = taken.write_port(), taken.read_port()
        left = Signal(range(MOST + 1))  # bytes that still wait
        fetched = Signal()
        passed = self.to_core.valid & self.to_core.ready
        m.d.comb += [
            self.to_core.payload.eq(fetch.data),
            self.to_core.valid.eq(fetched),
            fetch.en.eq(1),
        ]
        next_byte = Signal(range(MOST))
        m.d.comb += fetch.addr.eq(next_byte)
        m.d.sync += fetched.eq((left != 0) & ~passed)
        with m.If(passed):
            m.d.sync += [next_byte.eq(next_byte + 1), left.eq(left - 1)]

        # What goes out: it is kept until the next request
        m.submodules.given = given = Memory(shape=8, depth=MOST, init=[])
        keep, send = given.write_port(), given.read_port()
        kept = Signal(range(MOST + 1))
        # all that its address can reach is there
        depth = 1 << ceil_log2(len(self._info))
        m.submodules.about = about = Memory(shape=8, depth=depth, init=self._info)
        tell = about.read_port()
        m.d.comb += [
            keep.addr.eq(kept),
            keep.data.eq(self.from_core.payload),
            keep.en.eq(self.from_core.valid & self.from_core.ready),
            send.addr.eq(at),
            tell.addr.eq(at),
            send.en.eq(1),
            tell.en.eq(1),
        ]
        with m.If(keep.en):
            m.d.sync += kept.eq(kept + 1)

        kind, sequence, session, length = head[:8], head[8:16], head[16:32], head[32:48]
        last, mine = Signal(8), Signal(16)  # the last request that was carried out, and its session
        escaped, broken = Signal(), Signal()
        shut = Signal()  # bytes waited when the packet began, so that its payload is not there
        quiet = Signal(QUIET_BITS)
        size = Signal(range(MOST + 1))  # of the answer's payload
        tails = Signal(range(CHECK + 1))
        byte = Signal(8)
        source = Signal(2)  # of the answer's payload
        of_core, of_info, of_damage, of_sequence = range(4)
        ending = Signal()
        flag, escape = self.i.payload.data == FLAG, self.i.payload.data == ESCAPE
        plain = self.i.payload.data ^ Mux(escaped, TOGGLED, 0)
        m.d.comb += [write.addr.eq(at), write.data.eq(plain)]
        m.d.sync += self.clear.eq(0)

        def answer(what: int, bytes_: int | Signal, of: int = of_core) -> None:
            """Begin the answer of the packet whose header is there."""
            m.d.sync += [
                head.eq(Cat(Const(what, 8), head[8:32], Const(0, 16) | bytes_)),
                size.eq(bytes_),
                source.eq(of),
                ending.eq(0),
            ]
            m.next = "FLAG"

        with m.FSM():
            with m.State("HUNT"), m.If(self.i.valid & flag):
                m.d.sync += [heads.eq(0), at.eq(0), escaped.eq(0), broken.eq(0)]
                m.d.sync += shut.eq(left != 0)
                m.d.comb += check.start.eq(1)
                m.next = "LISTEN"
            with m.State("LISTEN"), m.If(self.i.valid):
                m.d.sync += broken.eq(broken | self.i.payload.broken)
                with m.If(flag), m.If((heads != 0) | escaped | broken):
                    m.next = "JUDGE"
                with m.Elif(escape):
                    m.d.sync += escaped.eq(1)
                with m.Else():
                    m.d.sync += escaped.eq(0)
                    m.d.comb += [check.valid.eq(1), check.data.eq(plain)]
                    with m.If(heads != HEADER):
                        m.d.sync += [heads.eq(heads + 1), head.eq(Cat(head[8:], plain))]
                    with m.Elif(at != MOST + CHECK + 1):  # more is damaged, however much
                        m.d.sync += at.eq(at + 1)
                        m.d.comb += write.en.eq((at < MOST) & ~shut)
            with m.State("JUDGE"):
                fits = self.open & (session == mine)
                fresh = fits & (sequence == (last + 1)[:8]) & ~(shut & (length != 0))
                whole = (at == length + CHECK) & (length <= MOST) & ~escaped & ~broken
                m.d.sync += [quiet.eq(0)]
                with m.If(~(check.match_detected & whole)):
                    m.d.sync += self.damaged.eq(1)
                    answer(Kind.REFUSED, 1, of_damage)
                with m.Elif(kind == Kind.INFO):
                    answer(Kind.INFO_IS, len(self._info), of_info)
                with m.Elif(kind == Kind.RESET):
                    m.d.sync += [
                        self.clear.eq(1),
                        self.open.eq(1),
                        self.damaged.eq(0),
                        last.eq(sequence),
                        mine.eq(session),
                        left.eq(0),
                        fetched.eq(0),
                        kept.eq(0),
                    ]
                    answer(Kind.WAS_RESET, 0)
                with m.Elif((kind == Kind.DATA) & fresh):
                    m.d.sync += [last.eq(sequence), kept.eq(0)]
                    with m.If(length != 0):
                        m.d.sync += [left.eq(length), next_byte.eq(0)]
                    m.next = "MOVE"
                with m.Elif((kind == Kind.DATA) & fits & (sequence == last)):
                    m.next = "REPLY"
                with m.Else():
                    answer(Kind.REFUSED, 1, of_sequence)
            with m.State("MOVE"):
                m.d.comb += self.from_core.ready.eq(kept != MOST)
                m.d.sync += quiet.eq(Mux(keep.en | passed, 0, quiet + 1))
                with m.If(quiet.all() | (kept == MOST)):
                    m.next = "REPLY"
            with m.State("REPLY"):
                with m.If(left != 0):
                    answer(Kind.WAITING, kept)
                with m.Else():
                    answer(Kind.TAKEN, kept)
            with m.State("FLAG"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(FLAG), check.start.eq(1)]
                m.d.sync += [heads.eq(0), at.eq(0), tails.eq(0), escaped.eq(0)]
                with m.If(self.o.ready):
                    m.next = "FETCH"
                    with m.If(ending):
                        m.next = "HUNT"
            with m.State("FETCH"):  # the memories are read
                m.next = "PICK"
            with m.State("PICK"):
                payload = Signal(8)
                with m.Switch(source):
                    with m.Case(of_core):
                        m.d.comb += payload.eq(send.data)
                    with m.Case(of_info):
                        m.d.comb += payload.eq(tell.data)
                    with m.Case(of_damage):
                        m.d.comb += payload.eq(Reason.DAMAGED)
                    with m.Case(of_sequence):
                        m.d.comb += payload.eq(Reason.SEQUENCE)
                m.next = "BYTE"
                with m.If(heads != HEADER):
                    m.d.sync += [heads.eq(heads + 1), byte.eq(head[:8]), head.eq(head >> 8)]
                    m.d.comb += [check.valid.eq(1), check.data.eq(head[:8])]
                with m.Elif(at != size):
                    m.d.sync += [at.eq(at + 1), byte.eq(payload)]
                    m.d.comb += [check.valid.eq(1), check.data.eq(payload)]
                with m.Elif(tails != CHECK):
                    m.d.sync += [tails.eq(tails + 1), byte.eq(check.crc.word_select(tails[:2], 8))]
                with m.Else():
                    m.d.sync += ending.eq(1)
                    m.next = "FLAG"
            with m.State("BYTE"):
                special = (byte == FLAG) | (byte == ESCAPE)
                m.d.comb += self.o.valid.eq(1)
                with m.If(special & ~escaped):
                    m.d.comb += self.o.payload.eq(ESCAPE)
                    m.d.sync += escaped.eq(self.o.ready)
                with m.Else():
                    m.d.comb += self.o.payload.eq(byte ^ Mux(escaped, TOGGLED, 0))
                    with m.If(self.o.ready):
                        m.d.sync += escaped.eq(0)
                        m.next = "FETCH"
        return m
