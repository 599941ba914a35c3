"""The plain engine: Amaranth's own simulator. Always there, slow, and it writes waveforms."""

import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import field as default
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import ClockDomain, Fragment, Module, Value
from amaranth.lib.wiring import Component
from amaranth.sim import Simulator
from streampool_golden import Job
from streampool_hw import Core

from streampool_sim.frames import container, marks

from . import waveforms
from .stalls import hashes, rubbish
from .trace import EngineError, Progress, RunPlan, Stall, Trace

_BLOCK = 4096
"""Clocks whose stalls are worked out at a time."""
_TELL = 64
"""Output beats between two looks at the progress: with waveforms, a tenth of a second or so."""


@dataclass
class Watch:
    """What is recorded of a run, clock by clock, beside what crosses the ports.

    `values` is asked once for what there is to record, of the elaborated bench, in which the core
    is ``core``. `samples` has for each clock their values in the order given. After so many
    `clocks` the run ends, wherever it is.
    """

    values: Callable[[Fragment], Sequence[Value]]
    clocks: int
    samples: list[tuple[int, ...]] = default(default_factory=list)


def run(
    core: Core,
    beats: Sequence[np.ndarray],
    *,
    count: int | None = None,
    stall: Stall = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    vcd: Path | str | None = None,
    freq_mhz: float = 100.0,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Trace:
    """Stream frames back to back through a core in Amaranth's simulator.

    The parameters are those of the fast engine's `run`, with the same meaning to the clock, but for
    `vcd` and `freq_mhz`: where to write waveforms of every signal, and their clock. In the file the
    ports stand first, lane by lane, then each stage's slot and window. A view of them for GTKWave,
    ``.gtkw``, is written beside it. `watch` records signals of the core's inside.
    """
    plan = RunPlan(core, beats, count, stall, seed)
    bench = _Bench(core, observed=vcd is not None or watch is not None)
    session = _Session(bench, beats, plan, reset_at, progress)
    fragment = Fragment.get(bench, None)
    if watch is not None:
        session.watch, session.watched = watch, tuple(watch.values(fragment))
    simulator = Simulator(fragment)
    simulator.add_clock(1e-6 / freq_mhz)
    simulator.add_process(session.process)
    start = time.perf_counter()
    with waveforms.recorded(simulator, core, vcd) if vcd is not None else nullcontext():
        simulator.run()
    seconds = time.perf_counter() - start
    if session.error is not None:  # raised here, where the waveforms that show it are whole
        raise session.error
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
        beats: Sequence[np.ndarray],
        plan: RunPlan,
        reset_at: int | None,
        progress: Progress | None,
    ):
        self.bench, self.core, self.plan = bench, bench.core, plan
        self.beats = _joined(bench.core, beats)
        self.reset_at, self.progress = reset_at, progress
        self.error: EngineError | None = None
        self.watch: Watch | None = None
        self.watched: tuple[Value, ...] = ()
        self.cycle = 0
        self._start()

    def _start(self) -> None:
        self.payloads: list[int] = []
        self.in_cycles, self.out_cycles = array("q"), array("q")

    def trace(self, seconds: float) -> Trace:
        fields, last = _parted(self.core.job, self.payloads)
        return Trace(
            fields=fields,
            last=last,
            in_cycles=np.array(self.in_cycles, dtype=np.int64),
            out_cycles=np.array(self.out_cycles, dtype=np.int64),
            cycles=self.cycle,
            seconds=seconds,
            engine="amaranth",
        )

    def _idle(self, start: int, threshold: int, block: int) -> list[bool]:
        if not threshold:
            return [False] * _BLOCK
        return (hashes(start, block * _BLOCK, _BLOCK) < np.uint64(threshold)).tolist()

    async def process(self, ctx: Any) -> None:
        # A process, as its assignments wait for the others, where a testbench settles the whole
        # design after each; and only what changes is assigned.
        with ctx.critical():
            await self._clock(ctx)

    async def _clock(self, ctx: Any) -> None:
        core, beats, plan = self.core, self.beats, self.plan
        i_payload, i_bits = core.i.payload.as_value(), len(core.i.payload.as_value())
        controls, before = (core.i.valid, core.o.ready, self.bench.reset), None
        tick = ctx.tick().sample(
            core.i.ready, core.o.valid, core.o.payload.as_value(), *self.watched
        )
        held = False
        waits: int | None = None  # the payload that waits to be taken
        sent = quiet = extra = 0
        source_idle: list[bool] = []
        sink_idle: list[bool] = []
        while True:
            cycle = self.cycle
            at = cycle % _BLOCK
            if at == 0:
                block = cycle // _BLOCK
                source_idle = self._idle(plan.source, plan.source_threshold, block)
                sink_idle = self._idle(plan.sink, plan.sink_threshold, block)
            reset = cycle == self.reset_at
            # A beat once shown stays until it is taken.
            valid = not reset and (held or (sent < plan.beats_in and not source_idle[at]))
            ready = not sink_idle[at]
            if not valid:
                ctx.set(i_payload, rubbish(plan.rubbish, cycle, i_bits))
            elif not held or reset:
                ctx.set(i_payload, beats[sent % len(beats)])
            now = (valid, ready, reset)
            if now != before:
                for signal, value in zip(controls, now, strict=True):
                    ctx.set(signal, value)
                before = now
            _, _, i_ready, o_valid, payload, *watched = await tick
            self.cycle += 1
            if self.watch is not None:
                self.watch.samples.append(tuple(watched))
            if reset:
                self._start()
                self.cycle = sent = quiet = extra = 0
                self.reset_at, held, waits = None, False, None
                continue
            taken, given = valid and bool(i_ready), ready and bool(o_valid)
            if waits is not None and not (o_valid and payload == waits):
                self.error = plan.unstable(cycle)
                return
            waits = payload if o_valid and not ready else None
            if given:
                if len(self.payloads) == plan.beats_out:
                    self.error = plan.surplus(cycle)
                    return
                self.payloads.append(payload)
                self.out_cycles.append(cycle)
                if self.progress is not None and len(self.payloads) % _TELL == 0:
                    self.progress(len(self.payloads), plan.beats_out)
            if taken:
                self.in_cycles.append(cycle)
                sent += 1
            held = valid and not taken
            if self.watch is not None and self.cycle == self.watch.clocks:
                return
            # A frame's last inputs may be after its last output, where no window reads them.
            if len(self.payloads) == plan.beats_out and sent == plan.beats_in:
                extra += 1
                if extra > plan.surplus_clocks:
                    return
            elif given or taken:
                quiet = 0
            elif ready and (valid or sent == plan.beats_in):
                quiet += 1
                if quiet > plan.quiet_bound:
                    self.error = plan.stuck(len(self.payloads), cycle)
                    return


def _joined(core: Core, beats: Sequence[np.ndarray]) -> list[int]:
    """Return payloads as integers: field after field, of each lane 0 in the lowest bits; marks."""
    job = core.job
    payloads, at = [0] * beats[0].shape[0] * job.beats_in, 0
    for field, values in zip(job.fields_in, beats, strict=True):
        bits = field.port.bits
        mask = (1 << bits) - 1
        for lane in values.reshape(-1, job.layout_in.values).T.tolist():
            payloads = [
                payload | (value & mask) << at
                for payload, value in zip(payloads, lane, strict=True)
            ]
            at += bits
    marked = marks(core)[:, 0].tolist()
    return [payload | marked[k % len(marked)] << at for k, payload in enumerate(payloads)]


def _parted(job: Job, payloads: Sequence[int]) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Take payloads apart: an array for each field, and `last`, the bit above them."""
    fields, at, count = [], 0, job.layout_out.values
    for field in job.fields_out:
        bits = field.port.bits
        mask, sign = (1 << bits) - 1, (1 << bits - 1) if field.port.signed else 0
        lanes = range(at, at + bits * count, bits)
        values = [[((each >> lane & mask) ^ sign) - sign for lane in lanes] for each in payloads]
        fields.append(np.array(values, dtype=container(field)).reshape(-1, count))
        at += bits * count
    return tuple(fields), np.array([each >> at & 1 for each in payloads], dtype=np.bool_)
