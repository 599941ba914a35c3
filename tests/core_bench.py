"""Drive a streaming component clock by clock in Amaranth's simulator, and keep all that is seen."""

import random
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator
from streampool_golden import PoolJob, SpecWarning, pool
from streampool_hw import PoolCore
from streampool_sim.cases import random_floats
from streampool_sim.frames import pack, unpack


@dataclass
class Log:
    """What the ports of a component showed, one entry per clock.

    Attributes
    ----------
    i_valid, i_ready, o_valid, o_ready : list of int
        The handshakes.
    o_payload : list of int
        The payload's bits.
    watched : list of tuple of int
        What was to be watched beside them.
    """

    i_valid: list[int] = field(default_factory=list)
    i_ready: list[int] = field(default_factory=list)
    o_valid: list[int] = field(default_factory=list)
    o_ready: list[int] = field(default_factory=list)
    o_payload: list[int] = field(default_factory=list)
    watched: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def takes(self) -> list[int]:
        """The clocks in which an input beat crossed."""
        return [
            t for t, both in enumerate(zip(self.i_valid, self.i_ready, strict=True)) if all(both)
        ]

    @property
    def offers(self) -> list[int]:
        """The clock from which each input beat stood there."""
        valid, ready = self.i_valid, self.i_ready
        return [
            t for t in range(len(valid)) if valid[t] and (not t or not valid[t - 1] or ready[t - 1])
        ]

    @property
    def gives(self) -> list[int]:
        """The clocks in which an output beat crossed."""
        return [
            t for t, both in enumerate(zip(self.o_valid, self.o_ready, strict=True)) if all(both)
        ]

    @property
    def beats(self) -> list[int]:
        """The output beats."""
        return [self.o_payload[t] for t in self.gives]

    def assert_stable(self, resets: Iterable[int] = ()) -> None:
        """Check that a beat once shown stays as it is until it is taken."""
        for t in set(range(len(self.o_valid) - 1)) - set(resets):
            if self.o_valid[t] and not self.o_ready[t]:
                assert self.o_valid[t + 1], f"valid fell in clock {t + 1}"
                assert self.o_payload[t + 1] == self.o_payload[t], f"changed in clock {t + 1}"


def drive(
    component: Any,
    beats: Sequence[int],
    *,
    gaps: Callable[[int], int] = lambda beat: 0,
    ready: Callable[[int], bool] = lambda clock: True,
    clocks: int,
    resets: Iterable[int] = (),
    seed: int = 0,
    watch: Sequence[Signal] = (),
) -> Log:
    """Run a component with streams `i` and `o` for a number of clocks.

    Parameters
    ----------
    component : Component
        What is run; once only.
    beats : sequence of int
        Bits of the input payloads.
    gaps : callable
        Clocks without an input before each beat, counted from the one before being taken.
        Rubbish stands on the payload there.
    ready : callable
        Whether the output is taken in a clock.
    clocks : int
        How long.
    resets : iterable of int
        Clocks in which the reset is high; all beats are sent from the first again.
    seed : int
        Of the rubbish.
    watch : sequence of Signal
        What else is to be kept of each clock.
    """
    rng = random.Random(seed)
    reset = Signal()
    log = Log()
    resets = set(resets)
    i, o = component.i, component.o
    payload = i.payload if isinstance(i.payload, Signal) else i.payload.as_value()
    o_payload = o.payload if isinstance(o.payload, Signal) else o.payload.as_value()

    async def process(ctx: Any) -> None:
        with ctx.critical():  # so that the simulation ends when this does
            await run(ctx)

    async def run(ctx: Any) -> None:
        sent, wait = 0, gaps(0)
        tick = ctx.tick().sample(i.ready, o.valid, o_payload, *watch)
        for clock in range(clocks):
            now = clock in resets
            valid = sent < len(beats) and wait <= 0 and not now
            taking = ready(clock)
            ctx.set(reset, now)
            ctx.set(i.valid, valid)
            ctx.set(payload, beats[sent] if valid else rng.getrandbits(len(payload)))
            ctx.set(o.ready, taking)
            _, _, i_ready, o_valid, word, *watched = await tick
            log.i_valid.append(int(valid))
            log.i_ready.append(i_ready)
            log.o_valid.append(o_valid)
            log.o_ready.append(int(taking))
            log.o_payload.append(word)
            log.watched.append(tuple(watched))
            wait -= 1
            if now:
                sent, wait = 0, gaps(0)
            elif valid and i_ready:
                sent += 1
                wait = gaps(sent) if sent < len(beats) else 0

    simulator = Simulator(ResetInserter(reset)(component))
    simulator.add_clock(1e-6)
    simulator.add_process(process)
    simulator.run()
    return log


def core_of(job: PoolJob) -> PoolCore:
    """Make the core of a job."""
    return PoolCore(job)


def random_frames(job: PoolJob, count: int, seed: int = 0) -> np.ndarray:
    """Return frames of random values of the whole range, every second one of extremes alone.

    Of floats those of the sweep.
    """
    rng, dtype = np.random.default_rng(seed), job.spec.in_dtype
    if dtype.is_float:
        return random_floats(rng, dtype, (count, *job.shape))
    frames = rng.integers(dtype.low, dtype.high, (count, *job.shape), np.int64, endpoint=True)
    frames[1::2] = rng.choice([dtype.low, dtype.high], frames[1::2].shape)
    return frames.astype(dtype.numpy)


def golden(job: PoolJob, frames: np.ndarray) -> np.ndarray:
    """Return what the golden model makes of frames, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecWarning)
        return pool(job.spec, frames)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two arrays are equal bit for bit, NaNs and the signs of zeros included."""
    return (
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )


def to_bits(job: PoolJob, frames: np.ndarray) -> list[int]:
    """Return the input payloads of frames."""
    bits = job.spec.in_dtype.bits
    beats = pack(job, frames)[0].reshape(-1, job.layout_in.values).tolist()
    return [sum((v % (1 << bits)) << (bits * k) for k, v in enumerate(beat)) for beat in beats]


def from_bits(job: PoolJob, payloads: Sequence[int]) -> tuple[np.ndarray, list[int]]:
    """Return the frames that output payloads make up, and their `last` flags."""
    out, count = job.output, job.layout_out.values
    mask, sign = (1 << out.bits) - 1, (1 << out.bits - 1) if out.signed else 0
    values = [
        [((word >> (out.bits * k) & mask) ^ sign) - sign for k in range(count)] for word in payloads
    ]
    array = np.array(values, np.int64).reshape(-1, count).astype(out.numpy)
    return unpack(job, array), [word >> (out.bits * count) for word in payloads]
