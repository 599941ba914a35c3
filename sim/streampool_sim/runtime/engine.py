"""Frames of changing jobs through one run-time core, in its compiled model.

Cycle by cycle what the gates do: the core's CXXRTL model, its host and its streams are clocked
together in C++, by `jobs.cc`.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import resources
from pathlib import Path

import numpy as np
from streampool_hw.export import yosys
from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.registers import RESET, RegisterMap
from streampool_hw.runtime.resync import RuntimeCore, RuntimeResyncCore

from ..engines.compiled import SharedObject
from ..engines.model import cxxrtl_classes
from ..engines.netlist import Netlist, cpp_class, gates_source
from ..engines.stalls import RUBBISH, SINK, SOURCE, base, threshold
from ..engines.trace import EngineError
from ..frames import pack, unpack

_FRAMES = (6, 64)
"""So many of a job are measured; more where these do not all take the same."""
CHUNK = 1 << 20
"""Clocks between two looks at the progress (and at Ctrl-C)."""

_RUNNING, _DONE, _STUCK, _SURPLUS, _FEEDBACK, _UNSTABLE, _REFUSED = range(7)

_SAID = {
    _STUCK: "no beat moved for {quiet} clocks with both sides willing",
    _SURPLUS: "more beats came than the frames hold",
    _FEEDBACK: "it has combinational feedback",
    _UNSTABLE: "a beat once shown changed before it was taken",
    _REFUSED: "it refused a job, or found itself out of step",
}

_ADDRESSES = (
    "in_ out last marks in_cycles out_cycles offered frame_beats write_end delays gaps writes"
)
_COUNTS = "frames beats_in beats_out loose"
_RANDOM = "source sink rubbish source_threshold sink_threshold"
_LIMITS = "quiet_bound surplus_clocks margin reset_at noise"
_STATE = "cycle sent got quiet extra frame left gap host place waits armed_at"


class _Play(ctypes.Structure):
    """`streampool::Play` of jobs.cc, field by field."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in _ADDRESSES.split()),
        *((name, ctypes.c_int64) for name in _COUNTS.split()),
        *((name, ctypes.c_uint64) for name in _RANDOM.split()),
        *((name, ctypes.c_int64) for name in _LIMITS.split()),
        ("noise_writes", ctypes.c_void_p), ("noise_count", ctypes.c_int64),
        ("reset_address", ctypes.c_uint32),
        *((name, ctypes.c_int64) for name in _STATE.split()),
        ("noise_taken", ctypes.c_int64), ("noise_refused", ctypes.c_int64),
        ("held", ctypes.c_int32), ("shown", ctypes.c_int32),
    ]  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """A frame, and how it comes.

    Parameters
    ----------
    job : RuntimeJob
        Its job; written where it is not the one of the frame before.
    frame : numpy.ndarray
        ``(C, *size)``, of the job's type.
    delay : int
        Clocks that the host lets pass before it writes the job.
    gap : int
        Clocks before the frame's first beat is offered.
    marks : numpy.ndarray, optional
        Of a core that follows them the marks of each beat that is sent, a bit each; as many beats
        of the frame, and behind its last one any. By default those of a whole frame.
    """

    job: RuntimeJob
    frame: np.ndarray
    delay: int = 0
    gap: int = 0
    marks: np.ndarray | None = None


@dataclass(frozen=True)
class Played:
    """What came of some turns.

    Attributes
    ----------
    frames : list of numpy.ndarray
        What left of each, ``(C, *out_size)``.
    last : list of numpy.ndarray
        The flags of each frame's beats.
    in_cycles, out_cycles : list of numpy.ndarray
        The cycles in which each frame's beats crossed.
    offered : list of int
        The first cycle in which each frame could come: where its job is new, once it is armed.
    cycles : int
        Clocks in all.
    beats, marks : numpy.ndarray
        All that left, ``(beats, lanes)`` as bits, and the marks of each, `last` lowest. Where marks
        were given there is nothing by frames.
    """

    frames: list[np.ndarray]
    last: list[np.ndarray]
    in_cycles: list[np.ndarray]
    out_cycles: list[np.ndarray]
    offered: list[int]
    cycles: int
    beats: np.ndarray
    marks: np.ndarray


@dataclass(frozen=True)
class Noise:
    """Clocks of random beats and of writes of any words before the turns, and a soft reset."""

    clocks: int
    writes: Sequence[tuple[int, int]] = field(default=((0, 0),))


class RuntimeModel(SharedObject):
    """A run-time core's compiled model, for `run`, or with `netlist` that of its netlist."""

    def __init__(
        self,
        core: RuntimeCore,
        *,
        optimise: str = "-O2",
        folder: Path | None = None,
        netlist: Netlist | None = None,
    ):
        engines = resources.files("streampool_sim.engines")
        own = resources.files("streampool_sim.runtime")
        self._drivers = [
            engines.joinpath("driver.cc").read_text("utf-8"),
            own.joinpath("jobs.cc").read_text("utf-8"),
        ]
        self.core, maxima = core, core.maxima
        self._steady: dict[RuntimeJob, Fraction] = {}
        self._marks = core.marks if isinstance(core, RuntimeResyncCore) else ()
        self._netlist = netlist
        if netlist is None:
            self._text = yosys.to_rtlil(core, "top")
        else:
            self._text = gates_source() + cpp_class(netlist, "_")
        self._in, self._out = (_container(bits) for bits in (maxima.bits, maxima.out_bits))
        self._beats = ", ".join(
            f"Field<{maxima.lanes}, {bits}, {held}_t>"
            for bits, held in ((maxima.bits, self._in), (maxima.out_bits, self._out))
        )
        super().__init__(
            [*self._drivers, self._beats, str(self._marks), self._text], optimise, folder
        )
        library = self.library(self._source)
        self._make, self._free, self._play = (
            library[f"{verb}_{self.name}"] for verb in ("make", "free", "play")
        )
        self._make.argtypes, self._make.restype = [], ctypes.c_void_p
        self._free.argtypes, self._free.restype = [ctypes.c_void_p], None
        self._play.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
        self._play.restype = ctypes.c_int32

    def _source(self) -> str:
        name = f"model_{self.name}"
        if self._netlist is None:
            classes = [cxxrtl_classes([self._text], [name])]
        else:
            parts = gates_source(), cpp_class(self._netlist, name)
            classes = ["#include <cxxrtl/cxxrtl.h>", *parts]
        return "\n".join(
            [
                *classes,
                *self._drivers,
                f"using Top = {name}::p_top;",
                f"EXPORT void *make_{self.name}() {{ return new Top; }}",
                f"EXPORT void free_{self.name}(void *top) {{ delete static_cast<Top *>(top); }}",
                f"EXPORT int32_t play_{self.name}(void *top, void *b, int64_t clocks) {{",
                "    using namespace streampool;",
                f"    return play<Top, {self._beats}, {len(self._marks)}>(",
                "        *static_cast<Top *>(top), *static_cast<Play *>(b), clocks);",
                "}",
            ]
        )

    def run(
        self,
        turns: Sequence[Turn],
        *,
        stalls: tuple[float, float] = (0.0, 0.0),
        seed: int = 0,
        reset_at: int | None = None,
        noise: Noise | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> Played:
        """Send frames back to back, each by its job; the host writes one while the one before runs.

        `stalls` are how probably the source and the sink are idle in a clock. In cycle `reset_at` a
        reset of one clock falls, and all is sent from the start again; cycles count from there.

        Raises
        ------
        EngineError
            If the core gets stuck, gives too many beats, breaks the stream's handshake, or refuses
            a job.
        """
        maxima, ints = self.core.maxima, np.int64
        beats = [self._packed(turn, seed + k) for k, turn in enumerate(turns)]
        sizes = np.array([len(each) for each in beats], ints)
        flat, ends, before = [], [], None
        for turn in turns:
            if turn.job is not before:
                flat += turn.job.writes
            before = turn.job
            ends.append(len(flat))
        outs = [turn.job.job.beats_out for turn in turns]
        loose = any(turn.marks is not None for turn in turns)
        data = np.concatenate(beats)
        out = np.zeros((sum(outs), maxima.lanes), self._out)
        last, in_cycles = np.zeros(len(out), np.uint8), np.zeros(len(data), ints)
        arrays: dict[str, np.ndarray] = {
            "in_": data,
            "out": out,
            "last": last,
            "marks": np.concatenate([self._marked(turn) for turn in turns]),
            "in_cycles": in_cycles,
            "out_cycles": np.zeros(len(out), ints),
            "offered": np.zeros(len(turns), ints),
            "frame_beats": sizes,
            "write_end": np.array(ends, ints),
            "delays": np.array([turn.delay for turn in turns], ints),
            "gaps": np.array([turn.gap for turn in turns], ints),
            "writes": np.array(flat, np.uint32).reshape(-1, 2),
            "noise_writes": np.array(noise.writes if noise else [(0, 0)], np.uint32),
        }
        b = _Play(**{name: array.ctypes.data for name, array in arrays.items()})
        b.frames, b.beats_in, b.beats_out, b.loose = len(turns), len(data), len(out), loose
        b.source, b.sink, b.rubbish = (base(seed, use) for use in (SOURCE, SINK, RUBBISH))
        b.source_threshold, b.sink_threshold = map(threshold, stalls)
        b.quiet_bound = 4000 + 4 * maxima.max_row * maxima.max_partials
        b.surplus_clocks = 200 + min(4096, maxima.max_row)
        b.margin = RuntimePoolCore.TAKE_OVER
        b.reset_at = -1 if reset_at is None else reset_at
        b.noise, b.noise_count = (noise.clocks, len(noise.writes)) if noise else (0, 1)
        b.reset_address = RegisterMap(maxima).address("core", RESET.address)
        b.host, b.armed_at = -1, -b.margin - 1
        b.left, b.gap = int(sizes[0]), turns[0].gap
        status = self._clocked(b, progress)
        if status != _DONE:
            said = _SAID[status].format(quiet=b.quiet_bound)
            raise EngineError(
                f"the core failed in cycle {b.cycle}, after {b.got} of {b.beats_out} beats: {said}"
            )
        frames = [
            unpack(turn.job.job, self._signed(turn.job, each))[0]
            for turn, each in zip(turns, _split(out, outs), strict=True)
            if not loose
        ]
        return Played(
            frames,
            [] if loose else _split(last & 1, outs),
            _split(in_cycles, sizes),
            [] if loose else _split(arrays["out_cycles"], outs),
            arrays["offered"].tolist(),
            b.cycle,
            out[: b.got],
            last[: b.got],
        )

    def steady_cycles(self, job: RuntimeJob) -> Fraction:
        """Return the clocks that a frame takes while its job stays, on average.

        Where frames wait for the ones before, the job knows a bound alone: there it is measured.
        """
        if job.is_steady:
            return Fraction(job.cycles_bound)
        if job not in self._steady:
            frame, took = np.zeros(job.job.shape, job.job.input.numpy), np.arange(2)
            for count in _FRAMES:
                played = self.run([Turn(job, frame)] * count)
                took = np.diff([int(each[-1]) for each in played.in_cycles])[-count // 2 :]
                if np.ptp(took) == 0:
                    break
            self._steady[job] = Fraction(int(took.sum()), len(took))
        return self._steady[job]

    def _signed(self, job: RuntimeJob, beats: np.ndarray) -> np.ndarray:
        """Return beats, which are bits, as values of the job's type."""
        dtype = job.job.output
        sign = 1 << dtype.bits - 1 if dtype.signed else 0
        value = beats.astype(np.int64) & (1 << dtype.bits) - 1
        return ((value ^ sign) - sign).astype(dtype.numpy)

    def _clocked(self, b: _Play, progress: Callable[[int, int], object] | None) -> int:
        top = self._make()
        try:
            status = _RUNNING
            while status == _RUNNING:
                status = self._play(top, ctypes.byref(b), CHUNK)
                if progress is not None:
                    progress(b.got, b.beats_out)
        finally:
            self._free(top)
        return status

    def _packed(self, turn: Turn, seed: int) -> np.ndarray:
        (beats,) = pack(turn.job.job, turn.frame[None], seed=seed)
        found = np.ascontiguousarray(beats.reshape(-1, self.core.maxima.lanes)).view(self._in)
        return found[np.arange(len(self._marked(turn))) % len(found)]

    def _marked(self, turn: Turn) -> np.ndarray:
        """Return the marks of the beats that are sent."""
        if turn.marks is not None:
            return turn.marks
        found = np.zeros(turn.job.job.beats_in, np.uint8)
        for bit, mark in enumerate(self._marks):
            found[0 if mark == "first" else -1] |= 1 << bit
        return found


def _container(bits: int) -> np.dtype:
    return np.dtype(f"uint{next(size for size in (8, 16, 32) if size >= bits)}")


def _split(array: np.ndarray, sizes: Sequence[int] | np.ndarray) -> list[np.ndarray]:
    """Cut an array into pieces of these sizes."""
    return np.split(array, np.cumsum(sizes)[:-1])
