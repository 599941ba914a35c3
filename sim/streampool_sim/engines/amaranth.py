"""The plain engine: Amaranth's own simulator. Always there, slow, and it writes waveforms."""

import time
from array import array
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import ClockDomain, Module
from amaranth.lib.wiring import Component
from amaranth.sim import Simulator
from streampool_golden import DType
from streampool_hw import Core

from . import waveforms
from .stalls import RUBBISH, SINK, SOURCE, base, hashes, rubbish, threshold
from .trace import (
    EngineError,
    Progress,
    Trace,
    check_beats,
    index_port,
    quiet_bound,
    stuck_message,
    surplus_clocks,
    surplus_message,
)

_BLOCK = 4096
"""Clocks whose stalls are worked out at a time."""
_TELL = 64
"""Output beats between two looks at the progress: with waveforms, a tenth of a second or so."""


def run(
    core: Core,
    frames: np.ndarray,
    *,
    indices: np.ndarray | None = None,
    count: int | None = None,
    stall: float = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    vcd: Path | str | None = None,
    freq_mhz: float = 100.0,
    progress: Progress | None = None,
) -> Trace:
    """Stream frames back to back through a core in Amaranth's simulator.

    Parameters
    ----------
    core, frames, indices, count, stall, seed, reset_at, progress
        As of the fast engine's `run`, with the same meaning to the clock.
    vcd : path, optional
        Where to write waveforms of every signal, in ps; the ports stand first, lane by lane, then
        each stage's slot and window. A view of them for GTKWave, ``.gtkw``, is written beside it.
    freq_mhz : float
        Clock of the waveforms in MHz.

    Raises
    ------
    EngineError
        If the core gets stuck, or gives more beats than its frames hold.
    """
    check_beats(core.job, frames, indices)
    bench = _Bench(core, observed=vcd is not None)
    count = len(frames) if count is None else count
    session = _Session(bench, frames, indices, count, stall, seed, reset_at, progress)
    simulator = Simulator(bench)
    simulator.add_clock(1e-6 / freq_mhz)
    simulator.add_process(session.process)
    start = time.perf_counter()
    with waveforms.recorded(simulator, core, vcd) if vcd is not None else nullcontext():
        simulator.run()
    seconds = time.perf_counter() - start
    if session.error:
        raise EngineError(session.error)
    return session.trace(seconds)


class _Bench(Component):
    """A core in a clock domain whose reset can be driven."""

    def __init__(self, core: Core, *, observed: bool = False):
        self.core, self._observed = core, observed
        self._domain = ClockDomain("sync")
        # amaranth-stubs has no attributes of a domain
        self.reset = self._domain.rst  # pyright: ignore[reportAttributeAccessIssue]
        super().__init__({})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = self._domain
        if self._observed:
            waveforms.observe(m, self.core)
        m.submodules.core = self.core
        return m


class _Session:
    """Source, sink and bookkeeping of one run, clock by clock as `driver.cc` has them."""

    def __init__(
        self,
        bench: _Bench,
        frames: np.ndarray,
        indices: np.ndarray | None,
        count: int,
        stall: float,
        seed: int,
        reset_at: int | None,
        progress: Progress | None,
    ):
        self.bench, self.core, self.job = bench, bench.core, bench.core.job
        self.beats = self._pack(frames, indices)
        self.beats_in, self.beats_out = count * self.job.beats_in, count * self.job.beats_out
        self.threshold = threshold(stall)
        self.seed, self.reset_at, self.progress = seed, reset_at, progress
        self.error = ""
        self.cycle = 0
        self._start()

    def _start(self) -> None:
        self.payloads: list[int] = []
        self.in_cycles, self.out_cycles = array("q"), array("q")

    def _pack(self, frames: np.ndarray, indices: np.ndarray | None) -> list[int]:
        """Payloads of the beats as integers: values, lane 0 in the lowest bits, then indices."""
        job = self.job
        beats = _joined(frames.reshape(-1, job.lanes), job.input.bits)
        port = index_port(job.fields_in)
        if indices is None or port is None:
            return beats
        above = _joined(indices.reshape(-1, job.lanes), port.bits)
        low = job.input.bits * job.lanes
        return [beat | index << low for beat, index in zip(beats, above, strict=True)]

    def trace(self, seconds: float) -> Trace:
        job = self.job
        values, rest = _parted(self.payloads, job.output, job.lanes)
        indices = None
        port = index_port(job.fields_out)
        if port is not None:
            indices, rest = _parted(rest, port, job.lanes)
            indices = indices.astype(np.int64)
        return Trace(
            out=values,
            last=np.array(rest, dtype=np.bool_),
            in_cycles=np.array(self.in_cycles, dtype=np.int64),
            out_cycles=np.array(self.out_cycles, dtype=np.int64),
            cycles=self.cycle,
            seconds=seconds,
            engine="amaranth",
            indices=indices,
        )

    def _idle(self, start: int, block: int) -> list[bool]:
        if not self.threshold:
            return [False] * _BLOCK
        return (hashes(start, block * _BLOCK, _BLOCK) < np.uint64(self.threshold)).tolist()

    async def process(self, ctx: Any) -> None:
        # A process, as its assignments wait for the others, where a testbench settles the whole
        # design after each; and only what changes is assigned.
        with ctx.critical():
            await self._clock(ctx)

    async def _clock(self, ctx: Any) -> None:
        core, job, beats = self.core, self.job, self.beats
        bound, surplus = quiet_bound(job, core.latency), surplus_clocks(job, core.latency)
        source, sink, waste = (base(self.seed, purpose) for purpose in (SOURCE, SINK, RUBBISH))
        i_payload, i_bits = core.i.payload.as_value(), len(core.i.payload.as_value())
        controls, before = (core.i.valid, core.o.ready, self.bench.reset), None
        tick = ctx.tick().sample(core.i.ready, core.o.valid, core.o.payload.as_value())
        held = False
        sent = quiet = extra = 0
        source_idle: list[bool] = []
        sink_idle: list[bool] = []
        while True:
            cycle = self.cycle
            at = cycle % _BLOCK
            if at == 0:
                source_idle = self._idle(source, cycle // _BLOCK)
                sink_idle = self._idle(sink, cycle // _BLOCK)
            reset = cycle == self.reset_at
            # A beat once shown stays until it is taken.
            valid = not reset and (held or (sent < self.beats_in and not source_idle[at]))
            ready = not sink_idle[at]
            if not valid:
                ctx.set(i_payload, rubbish(waste, cycle, i_bits))
            elif not held or reset:
                ctx.set(i_payload, beats[sent % len(beats)])
            now = (valid, ready, reset)
            if now != before:
                for signal, value in zip(controls, now, strict=True):
                    ctx.set(signal, value)
                before = now
            _, _, i_ready, o_valid, payload = await tick
            self.cycle += 1
            if reset:
                self._start()
                self.cycle = sent = quiet = extra = 0
                self.reset_at, held = None, False
                continue
            taken, given = valid and bool(i_ready), ready and bool(o_valid)
            if given:
                if len(self.payloads) == self.beats_out:
                    self.error = surplus_message(self.beats_out, cycle)
                    return
                self.payloads.append(payload)
                self.out_cycles.append(cycle)
                if self.progress is not None and len(self.payloads) % _TELL == 0:
                    self.progress(len(self.payloads), self.beats_out)
            if taken:
                self.in_cycles.append(cycle)
                sent += 1
            held = valid and not taken
            # A frame's last inputs may be after its last output, where no window reads them.
            if len(self.payloads) == self.beats_out and sent == self.beats_in:
                extra += 1
                if extra > surplus:
                    return
            elif given or taken:
                quiet = 0
            elif ready and (valid or sent == self.beats_in):
                quiet += 1
                if quiet > bound:
                    self.error = stuck_message(len(self.payloads), self.beats_out, cycle, bound)
                    return


def _joined(lanes: np.ndarray, bits: int) -> list[int]:
    """Return each row as one integer, lane 0 in the lowest bits."""
    mask = (1 << bits) - 1
    return [
        sum((value & mask) << (bits * lane) for lane, value in enumerate(row))
        for row in lanes.tolist()
    ]


def _parted(payloads: list[int], dtype: DType, lanes: int) -> tuple[np.ndarray, list[int]]:
    """Take an array of lanes off the lowest bits; returns (payloads, lanes), and what is left."""
    bits = dtype.bits
    mask, sign = (1 << bits) - 1, (1 << bits - 1) if dtype.signed else 0
    values = [
        [((payload >> at & mask) ^ sign) - sign for at in range(0, bits * lanes, bits)]
        for payload in payloads
    ]
    array = np.array(values, dtype=dtype.raw.numpy).reshape(-1, lanes)
    return array, [payload >> bits * lanes for payload in payloads]
