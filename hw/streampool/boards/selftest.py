"""A core that is fed a pattern, and whose outputs are held against the golden model's checksum."""

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import crc, wiring
from amaranth.lib.wiring import Out
from streampool_golden import Job

from ..core import PoolCore
from ..sequencer import Countdown

__all__ = ["SelfTest", "expected_crc", "pattern"]

CRC = crc.catalog.CRC32_ETHERNET
FRAMES = 2
"""Frames of a pass: the pattern goes on from one into the next, and the second drains the first."""

_TAPS, _BITS = 0x80200003, 32  # a polynomial of greatest period
_STALL_TAPS, _STALL_BITS = 0xB400, 16
_STEPS = 7  # a beat: neighbours would be each other's shifts otherwise


def _seed(chunk: int) -> int:
    return (0x1234567 + 0x9E3779B9 * chunk) % (1 << _BITS) | 1


def _stepped(value: Signal) -> Cat:
    """Return what a generator's register is a beat later."""
    bits = [value[k] for k in range(_BITS)]
    for _ in range(_STEPS):
        out = bits[0]
        bits = [*bits[1:], Const(0, 1)]
        bits = [bit ^ out if _TAPS >> k & 1 else bit for k, bit in enumerate(bits)]
    return Cat(bits)


def pattern(job: Job, frames: int = FRAMES) -> np.ndarray:
    """Return the frames of a pass, as the hardware makes them.

    Returns
    -------
    ndarray of the input's dtype, shape (frames, channels, ...)
    """
    dtype, lanes = job.spec.in_dtype, job.lanes
    width = lanes * dtype.bits
    states = [_seed(chunk) for chunk in range(-(-width // _BITS))]
    beats = np.zeros((frames * job.beats_in, lanes), np.int64)
    for beat in beats:
        word = sum(state << _BITS * chunk for chunk, state in enumerate(states))
        for lane in range(lanes):
            value = word >> lane * dtype.bits & (1 << dtype.bits) - 1
            beat[lane] = value - (1 << dtype.bits) if value > dtype.high else value
        for chunk, state in enumerate(states):
            for _ in range(_STEPS):
                state = state >> 1 ^ (_TAPS if state & 1 else 0)
            states[chunk] = state
    places = beats.reshape(frames, -1, job.fold * lanes)[:, :, : job.shape[0]]
    return np.moveaxis(places, 2, 1).reshape(frames, *job.shape).astype(dtype.numpy)


def expected_crc(job: Job, frames: int = FRAMES) -> int:
    """Return the checksum of a pass, by the golden model.

    Spare lanes of the last channel group count as 0, and every word has `last` above its lanes.
    """
    pooled = job.spec(pattern(job, frames)).astype(np.int64)
    channels, bits = job.shape[0], job.output.bits
    places = np.moveaxis(pooled.reshape(frames, channels, -1), 1, 2)
    spare = job.fold * job.lanes - channels
    beats = np.pad(places, ((0, 0), (0, 0), (0, spare))).reshape(frames, job.beats_out, job.lanes)
    words = []
    for frame in beats.tolist():
        for number, beat in enumerate(frame):
            word = sum((value & (1 << bits) - 1) << bits * lane for lane, value in enumerate(beat))
            last = number == job.beats_out - 1
            words.append(word | last << bits * job.lanes)
    return CRC(data_width=bits * job.lanes + 1).compute(words)


class SelfTest(wiring.Component):
    """Stream frames of a pattern through a core, over and over, and check every pass.

    Both sides stall at random, one clock in four. A pass is good if the checksum of all that came
    out, frame ends included, is the golden model's.

    Parameters
    ----------
    core : PoolCore
        The core.
    expected : int
        The checksum of a pass: `expected_crc`.
    blink_bits : int, optional
        `running` changes every ``2 ** (blink_bits - 1)`` clocks.
    fault : bool, optional
        Whether one bit of a pass is turned over behind the core, to see the test fail.

    Members
    -------
    running : Out(1)
        Blinks while beats come out.
    good : Out(1)
        Whether all passes were right so far, and one was.
    bad : Out(1)
        Whether one was wrong, or nothing came for long; stays until reset.
    """

    running: Signal
    good: Signal
    bad: Signal

    def __init__(self, core: PoolCore, expected: int, *, blink_bits: int = 24, fault: bool = False):
        self._core, self._expected = core, expected
        self.blink_bits, self._fault = blink_bits, fault
        super().__init__({"running": Out(1), "good": Out(1), "bad": Out(1)})

    def elaborate(self, platform):
        """Build the gates."""
        m = Module()
        m.submodules.core = core = self._core
        job = core.job
        restart = Signal()  # a pass is over

        # what is sent, and when
        data = core.i.payload.as_value()
        chunks = -(-len(data) // _BITS)
        states = [Signal(_BITS, name=f"pattern_{k}", init=_seed(k)) for k in range(chunks)]
        dice = [Signal(_STALL_BITS, name=f"dice_{k}", init=0xACE1 + 77 * k) for k in range(2)]
        for die in dice:
            m.d.sync += die.eq((die >> 1) ^ Mux(die[0], _STALL_TAPS, 0))
        m.submodules.to_send = to_send = Countdown(FRAMES * job.beats_in)
        sending, shown = Signal(init=1), Signal()
        taken = Signal()
        m.d.comb += [
            data.eq(Cat(states)),
            core.i.valid.eq(shown),
            taken.eq(shown & core.i.ready),
            to_send.step.eq(taken),
        ]
        with m.If(taken | ~shown):  # once shown, a beat stays until it is taken
            m.d.sync += shown.eq(sending & ~(taken & to_send.last) & dice[0][:2].any())
        with m.If(taken):
            m.d.sync += [state.eq(_stepped(state)) for state in states]
            with m.If(to_send.last):
                m.d.sync += sending.eq(0)
        with m.If(restart):
            m.d.sync += sending.eq(1)
            m.d.sync += [state.eq(state.init) for state in states]

        # what comes back
        m.submodules.to_come = to_come = Countdown(FRAMES * job.beats_out)
        m.submodules.group = group = Countdown(job.fold)
        got = Signal()
        spare = job.fold * job.lanes - job.shape[0]
        lanes = [core.o.payload.data[lane].as_unsigned() for lane in range(job.lanes)]
        for lane in range(job.lanes - spare, job.lanes):
            lanes[lane] = Mux(group.last, 0, lanes[lane])
        flip = to_come.last if self._fault else Const(0, 1)
        m.d.comb += [
            core.o.ready.eq(dice[1][:2].any()),
            got.eq(core.o.valid & core.o.ready),
            to_come.step.eq(got),
            group.step.eq(got),
        ]

        # and whether it is right: a clock to get there, one to add it, one to compare
        width = job.output.bits * job.lanes + 1
        m.submodules.crc = check = CRC(data_width=width).create()
        word, fresh = Signal(width), Signal()
        over = Signal(3)
        passed = Signal()
        m.d.comb += [check.data.eq(word), check.valid.eq(fresh), check.start.eq(restart)]
        m.d.comb += restart.eq(over[-1])
        m.d.sync += [
            word.eq(Cat(lanes, core.o.payload.last) ^ flip),
            fresh.eq(got),
            over.eq(Cat(got & to_come.last, over)),
        ]
        with m.If(restart):
            with m.If(check.crc != self._expected):
                m.d.sync += self.bad.eq(1)
            with m.Else():
                m.d.sync += passed.eq(1)

        silence = Signal((job.beats_in + job.beats_out).bit_length() + 4)
        m.d.sync += silence.eq(Mux(got, 0, silence + 1))
        with m.If(silence.all()):
            m.d.sync += self.bad.eq(1)
        blink = Signal(self.blink_bits)
        m.d.sync += blink.eq(blink + ~silence[-1])
        m.d.comb += [self.running.eq(blink[-1]), self.good.eq(passed & ~self.bad)]
        return m
