"""Arrays through a simulated core: frames in, frames out, statistics."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from streampool_golden import (
    LAYOUTS,
    PoolJob,
    PoolSpec,
    SpecError,
    SpecWarning,
    UnpoolJob,
    pool,
    pool_with_indices,
)
from streampool_hw import PoolCore, UnpoolCore

from .engines import EngineError, Progress, Trace, amaranth, fast
from .engines.model import Build, Model
from .engines.stalls import threshold
from .frames import pack, unpack, unpack_indices
from .stats import statistics

ENGINES = ("auto", "fast", "amaranth")

STEADY_FRAMES = 5
"""Frames that a steady state is measured on: the first two and the last are left out."""

FREQ_MHZ = (1e-3, 1e6)
"""The clocks that a rate is given for, in MHz."""

FAST_FROM = 10_000
"""Clocks from which a compile pays: what Amaranth's simulator does in the three seconds of one."""

LOOK_FROM = 1000
"""Clocks from which it pays to look for a compiled model: a fraction of a second."""


class EngineWarning(UserWarning):
    """Another engine runs than was asked for."""


@dataclass(frozen=True)
class Result:
    """What a simulation gave.

    Attributes
    ----------
    output : ndarray
        What left the core, in the input's layout: frames as often as they were given.
    stats : dict
        Cycles, limits and sizes, by name; `json.dumps` takes it. See `streampool_sim.stats`.
    mismatch : str or None
        The first difference from the golden model, in one sentence.
    indices : ndarray of int64, or None
        Where ``spec.indices`` asks for them: what left the core beside the values, counted on
        from frame to frame as `streampool_golden.pool_with_indices` counts.
    """

    output: np.ndarray
    stats: dict[str, Any]
    mismatch: str | None
    indices: np.ndarray | None = None


def simulate(
    spec: PoolSpec,
    x: Any,
    *,
    layout: str | None = None,
    lanes: int | None = None,
    engine: str = "auto",
    stall: float = 0.0,
    seed: int = 0,
    vcd: Path | str | None = None,
    repeat: int | None = None,
    freq_mhz: float = 100.0,
    progress: Progress | None = None,
) -> Result:
    """Pool an array through the core, cycle by cycle, and hold it against the golden model.

    Frames are streamed back to back. Payloads are random while they are not valid, and so are
    lanes that carry no channel.

    Parameters
    ----------
    spec : PoolSpec
        What to compute.
    x : array_like
        Frames, with the axes that `streampool_golden.pool` takes.
    layout : {"NCHW", "NHWC", "NCW", "NWC", "NCDHW", "NDHWC"}, optional
        The order of the axes; channels first by default.
    lanes : int, optional
        Channels side by side in a beat; the channels, 8 at most, by default.
    engine : {"auto", "fast", "amaranth"}
        ``"fast"`` compiles the core once and runs millions of cycles a second, ``"amaranth"``
        needs no compiler and runs thousands; ``"auto"`` takes the one that ends sooner. Without a
        C++ compiler Amaranth's simulator runs instead, with an `EngineWarning`.
    stall : float
        Probability, 0 <= stall < 1, that a side is idle in a clock.
    seed : int
        Of stalls and rubbish.
    vcd : path, optional
        Where to write waveforms; makes Amaranth's simulator the engine.
    repeat : int, optional
        How often to stream the frames; by default as often as gives five frames, which the
        steady state is measured on.
    freq_mhz : float
        The clock that frames per second are stated for, in MHz.
    progress : callable, optional
        Called now and then with output beats there and output beats due.

    Returns
    -------
    Result

    Raises
    ------
    SpecError
        If `x`, `layout` or `lanes` is not what it must be, or `spec` does not work on the size.
    ValueError
        If another argument is not what it must be.
    FileNotFoundError
        If `vcd` is to go into a folder that is not there.
    EngineError
        If the core gets stuck or gives more beats than its frames hold.

    Warns
    -----
    SpecWarning
        For each of the job's warnings.
    EngineWarning
        Where another engine runs than was asked for.
    """
    check_run(engine, stall, seed, repeat, freq_mhz, vcd)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecWarning)  # said below, from here
        golden, places = pool(spec, x, layout), None
        if spec.indices is not None:
            golden, places = pool_with_indices(spec, x, layout)
    layout = spec.layout if layout is None else layout
    frames, golden_frames = _channels_first(spec, np.asarray(x), golden, layout)
    if not len(frames):
        raise SpecError("x", f"x must have a frame at least, not shape {np.shape(x)}.")
    job = PoolJob(spec, frames.shape[1:], lanes)  # refuses what no core can be made for
    core = PoolCore(spec, job.shape, job.lanes)
    said: list[str] = []
    for message in job.warnings:
        said.append(message)
        warnings.warn(message, SpecWarning, stacklevel=2)

    repeat = repeat or -(-STEADY_FRAMES // len(frames))
    count = repeat * len(frames)
    beats = pack(job, frames, seed & 0xFFFFFFFF)
    trace, why = run_core(
        core,
        beats,
        count=count,
        engine=engine,
        stall=stall,
        seed=seed,
        vcd=vcd,
        freq_mhz=freq_mhz,
        progress=progress,
    )
    if why:
        said.append(why)
        warnings.warn(why, EngineWarning, stacklevel=2)

    first, mismatch = compare(job, trace, golden_frames)
    channels_last = layout == LAYOUTS[spec.ndim][1]
    indices = None
    if places is not None:
        _, places = _channels_first(spec, np.asarray(x), places, layout)
        indices, wrong = compare_indices(job, trace, places)
        mismatch = mismatch or wrong
        if channels_last:
            indices = np.moveaxis(indices, 1, -1)
        indices = indices.reshape(golden.shape)
    if channels_last:
        first = np.moveaxis(first, 1, -1)
    stats = statistics(
        core,
        trace,
        frames=len(frames),
        matches=mismatch is None,
        stall=stall,
        seed=seed,
        freq_mhz=freq_mhz,
        said=said,
    )
    return Result(first.reshape(golden.shape), stats, mismatch, indices)


def run_core(
    core: PoolCore | UnpoolCore,
    beats: np.ndarray,
    *,
    indices: np.ndarray | None = None,
    count: int,
    engine: str,
    stall: float,
    seed: int,
    vcd: Path | str | None,
    freq_mhz: float,
    progress: Progress | None,
) -> tuple[Trace, str]:
    """Stream beats through a core in the engine that is asked for, or ends sooner.

    The parameters are those of `simulate` and of the engines. Returns what the ports showed, and
    what there is to say of the engine, or nothing.
    """
    model, why = _choose(core, engine, count * core.job.limit_cycles / (1 - stall), vcd)
    if model is not None:
        trace = fast.run(
            core,
            beats,
            indices=indices,
            count=count,
            stall=stall,
            seed=seed,
            model=model,
            progress=progress,
        )
        return trace, why
    trace = amaranth.run(
        core,
        beats,
        indices=indices,
        count=count,
        stall=stall,
        seed=seed,
        vcd=vcd,
        freq_mhz=freq_mhz,
        progress=progress,
    )
    return trace, why


def compare(
    job: PoolJob | UnpoolJob, trace: Trace, golden: np.ndarray
) -> tuple[np.ndarray, str | None]:
    """Hold a run against the golden model.

    Parameters
    ----------
    job : PoolJob or UnpoolJob
        What ran.
    trace : Trace
        Its beats, of one or more rounds through the frames.
    golden : ndarray, shape (frames, C, *out_size)
        What each frame has to become.

    Returns
    -------
    first : ndarray, shape (frames, C, *out_size)
        The frames of the first round.
    mismatch : str or None
        The first difference, in one sentence.
    """
    out = unpack(job, trace.out)
    raw = job.output.raw.numpy  # of floats the bits count
    mismatch = _difference(out, golden, out.view(raw), golden.view(raw), "values")
    due = np.arange(1, len(trace.last) + 1) % job.beats_out == 0
    if mismatch is None and (trace.last != due).any():
        beat = int(np.flatnonzero(trace.last != due)[0])
        mismatch = (
            f"last is {int(trace.last[beat])} on output beat {beat}, "
            f"where a frame has {job.beats_out} beats"
        )
    return out[: len(golden)], mismatch


def compare_indices(
    job: PoolJob, trace: Trace, golden: np.ndarray
) -> tuple[np.ndarray, str | None]:
    """Hold the indices of a run against the golden model's, as `compare` does with its values.

    A core knows of one frame: what ONNX's bases add for those before it is added here.
    """
    assert trace.indices is not None and job.numbering is not None
    out = unpack_indices(job, trace.indices)
    number = np.arange(len(out)) % len(golden)
    out = out + (number * job.numbering.frame).reshape(-1, *(1,) * (out.ndim - 1))
    return out[: len(golden)], _difference(out, golden, out, golden, "indices")


def _difference(
    out: np.ndarray, golden: np.ndarray, bits: np.ndarray, right: np.ndarray, what: str
) -> str | None:
    """Return the first difference of rounds of frames, where their bits differ, as a sentence."""
    frames = len(golden)
    for begin in range(0, len(out), frames):
        part = bits[begin : begin + frames]
        wrong = part != right[: len(part)]
        if wrong.any():
            frame, channel, *at = (int(i) for i in np.argwhere(wrong)[0])
            where = (frame, channel, *at)
            index = "index " if what == "indices" else ""
            return (
                f"frame {frame + begin}, channel {channel}, position {tuple(at)}: "
                f"{index}{out[begin:][where]} left the core where the golden model has "
                f"{golden[where]} ({int(wrong.sum())} {what} differ)"
            )
    return None


def check_run(
    engine: str,
    stall: float,
    seed: int,
    repeat: int | None,
    freq_mhz: float,
    vcd: Path | str | None,
) -> None:
    """Refuse what no run can be made with."""
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is not known; take one of {', '.join(ENGINES)}")
    threshold(stall)
    if not isinstance(seed, int):
        raise ValueError(f"seed {seed!r} is no integer; take one, such as 0")
    if repeat is not None and repeat < 1:
        raise ValueError(f"repeat {repeat!r} streams nothing; take 1 or more")
    low, high = FREQ_MHZ
    if not low <= freq_mhz <= high:
        raise ValueError(f"freq_mhz {freq_mhz!r} is no clock; {low:g} to {high:g} MHz would do")
    if vcd is not None and not Path(vcd).parent.is_dir():
        raise FileNotFoundError(f"vcd {vcd}: there is no folder {Path(vcd).parent}")


def _channels_first(
    spec: PoolSpec, x: np.ndarray, golden: np.ndarray, layout: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Bring input and golden output to (frames, C, *size)."""
    ndim = spec.ndim
    if layout == LAYOUTS[ndim][1]:
        x, golden = (np.moveaxis(a, -1, -1 - ndim) for a in (x, golden))
    elif x.ndim == ndim:
        x, golden = x[np.newaxis], golden[np.newaxis]
    frames = x.astype(spec.in_dtype.numpy, copy=False).reshape(-1, *x.shape[-1 - ndim :])
    return frames, golden.reshape(-1, *golden.shape[-1 - ndim :])


def _choose(
    core: PoolCore | UnpoolCore, engine: str, clocks: float, vcd: Path | str | None
) -> tuple[Model | None, str]:
    """Return the model to run, or None for Amaranth's simulator, and what there is to say."""
    if engine == "amaranth":
        return None, ""
    if vcd is not None:
        why = (
            "waveforms are written by Amaranth's simulator, so that is the engine"
            if engine == "fast"
            else ""
        )
        return None, why
    auto = engine == "auto"
    if auto and clocks < LOOK_FROM:
        return None, ""
    try:
        build = Build([core])
        if auto and clocks < FAST_FROM and not build.is_built:
            return None, ""
        [model] = build.load()
    except EngineError as error:
        return None, f"Amaranth's simulator runs instead of the fast engine: {error}"
    return model, ""
