"""Arrays through a simulated core: frames in, frames out, statistics."""

import operator
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import Fragment
from streampool_golden import Field, Job, PoolJob, PoolSpec, SpecError, SpecWarning
from streampool_golden.arrays import FrameAxes
from streampool_golden.errors import meaningless, wrong
from streampool_golden.fields import choice, integer
from streampool_golden.layers import specification
from streampool_hw import Core, make_core
from streampool_hw.families import GENERIC
from streampool_hw.registry import check_options

from .engines import EngineError, Progress, Trace, amaranth, fast
from .engines.model import Build, Model
from .frames import container, pack, unpack
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
    arrays : tuple of ndarray
        What left the core, one array for each of ``job.fields_out``, in the input's layout:
        frames as often as they were given. Indices are int64, counted on from frame to frame as
        `streampool_golden.pool_with_indices` counts.
    stats : dict
        Cycles, limits and sizes, by name; `json.dumps` takes it. See `streampool_sim.stats`.
    mismatch : str or None
        The first difference from the golden model, in one sentence.
    core : Core
        What ran.
    """

    arrays: tuple[np.ndarray, ...]
    stats: dict[str, Any]
    mismatch: str | None
    core: Core

    @property
    def output(self) -> np.ndarray:
        """The values: the first of `arrays`."""
        return self.arrays[0]

    @property
    def indices(self) -> np.ndarray | None:
        """The indices beside the values; None where the job gives none."""
        return self.arrays[1] if len(self.arrays) > 1 else None


def simulate(
    what: PoolSpec | Job,
    *arrays: Any,
    layout: str | None = None,
    lanes: int | None = None,
    columns: int | None = None,
    columns_out: int | None = None,
    engine: str = "auto",
    stall: float = 0.0,
    seed: int = 0,
    vcd: Path | str | None = None,
    repeat: int | None = None,
    freq_mhz: float = 100.0,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """Stream arrays through a core, cycle by cycle, and check it against the golden model.

    Frames are streamed back to back. Payloads are random while they are not valid, and so are
    lanes that carry no channel. Without a frame nothing is simulated.

    Parameters
    ----------
    what : PoolSpec or Job
        What to compute: a specification, which fits itself to the frames, or a job on frames of
        its shape.
    *arrays : array_like
        Frames, with the axes that `streampool_golden.pool` takes: one array for each of the
        job's fields, so of a pooling core its values, of one that unpools values and indices.
    layout : {"NCHW", "NHWC", "NCW", "NWC", "NCDHW", "NDHWC"}, optional
        The order of the axes; channels first by default.
    lanes : int, optional
        Channels side by side in a beat, where a specification is given; the channels, 8 at most,
        by default.
    columns, columns_out : int, optional
        Columns side by side in a beat in, and windows in a beat out, where a specification is
        given; as `PoolJob` takes them.
    engine : {"auto", "fast", "amaranth"}
        ``"fast"`` compiles the core once and runs millions of cycles per second, ``"amaranth"``
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
    **options
        As `streampool_hw.make_core` takes them, such as ``frames`` of an `UnpoolCore`; of a
        family's own cells there is no simulation.

    Returns
    -------
    Result

    Raises
    ------
    SpecError
        If an argument is not what it must be, or `what` does not work on the size.
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
    if options.get("family", GENERIC) != GENERIC:
        family = options["family"]
        raise meaningless("family", family, "a simulation: beats and cycles are the same in all")
    if not arrays:
        raise SpecError("x", "x is missing; give an array for each of the job's fields.")
    fields = ("x",) if len(arrays) == 1 else ("values", "indices")
    given: dict[str, Any] = dict(zip(fields, arrays, strict=False))
    asked_for = {"lanes": lanes, "columns": columns, "columns_out": columns_out}
    stall, seed, repeat, freq_mhz = _settled(engine, stall, seed, repeat, freq_mhz, vcd)
    if isinstance(what, Job):
        cut = FrameAxes.of(len(what.size), layout, given)
        job = what
        for name, asked in asked_for.items():
            if asked not in (None, (own := getattr(job, name))):
                raise SpecError(name, f"{name} {asked} is not the job's {own}; leave it out.")
    else:
        what = specification(what)
        cut = FrameAxes.of(what.ndim, what.layout if layout is None else layout, given)
        # refuses what no core can be made for
        job = PoolJob(what, cut.shape, lanes, 1 if columns is None else columns, columns_out)
    if len(arrays) != len(job.fields_in):
        names = " and ".join(field.name for field in job.fields_in)
        raise SpecError(
            "x", f"x is {len(arrays)} arrays, and {job.kind} takes {len(job.fields_in)}: {names}."
        )
    frames = [cut.frames(array) for array in arrays]
    golden = job.reference(*frames)
    # what left for a field is in the same container as what was given for it
    frames = [
        frame.astype(field.dtype.numpy, copy=False)
        for frame, field in zip(frames, job.fields_in, strict=True)
    ]
    check_options(job, options, simulate)
    core = make_core(job, **options)
    said: list[str] = []
    for message in job.warnings:
        said.append(message)
        warnings.warn(message, SpecWarning, stacklevel=2)

    if len(golden[0]):
        trace, why = _run(
            core,
            pack(job, *frames, seed=seed & 0xFFFFFFFF),
            engine,
            vcd,
            freq_mhz,
            count=(repeat or -(-STEADY_FRAMES // len(golden[0]))) * len(golden[0]),
            stall=stall,
            seed=seed,
            progress=progress,
        )
        if why:
            said.append(why)
            warnings.warn(why, EngineWarning, stacklevel=2)
        first, mismatch = compare(job, trace, *golden)
    else:
        Fragment.get(core, None)  # or Amaranth warns of what is never used
        trace, first, mismatch = Trace.blank(job, 0), golden, None

    stats = statistics(
        core,
        trace,
        frames=len(golden[0]),
        matches=mismatch is None,
        stall=stall,
        seed=seed,
        freq_mhz=freq_mhz,
        said=said,
    )
    return Result(tuple(map(cut.back, job.counted_on(*first))), stats, mismatch, core)


def _run(
    core: Core,
    beats: Sequence[np.ndarray],
    engine: str,
    vcd: Path | str | None,
    freq_mhz: float,
    *,
    count: int,
    stall: float,
    **how: Any,
) -> tuple[Trace, str]:
    """Run the engine that is asked for, or ends sooner; returns what there is to say of it, too."""
    model, why = _choose(core, engine, count * core.job.limit_cycles / (1 - stall), vcd)
    how |= {"count": count, "stall": stall}
    if model is not None:
        return fast.run(core, beats, model=model, **how), why
    return amaranth.run(core, beats, vcd=vcd, freq_mhz=freq_mhz, **how), why


def compare(
    job: Job, trace: Trace, *golden: np.ndarray
) -> tuple[tuple[np.ndarray, ...], str | None]:
    """Compare a run, of one or more rounds through the frames, with what each has to become.

    That is what ``job.reference`` gives. Returns the frames of the first round, for each field, and
    the first difference in one sentence.
    """
    outs = [unpack(job, beats, field) for field, beats in enumerate(trace.fields)]
    mismatches = list(map(difference, job.fields_out, outs, golden))
    due = np.arange(1, len(trace.last) + 1) % job.beats_out == 0
    if (trace.last != due).any():
        beat = int(np.flatnonzero(trace.last != due)[0])
        mismatches.insert(
            1,
            f"last is {int(trace.last[beat])} on output beat {beat}, "
            f"where a frame has {job.beats_out} beats",
        )
    return tuple(out[: len(golden[0])] for out in outs), next(filter(None, mismatches), None)


def difference(field: Field, out: np.ndarray, golden: np.ndarray) -> str | None:
    """Return the first difference of rounds of frames, as a sentence."""
    bits, right = (each.view(container(field)) for each in (out, golden))  # of floats they count
    frames = len(golden)
    index, what = ("index ", "indices") if field.name == "index" else ("", "values")
    for begin in range(0, len(out), frames):
        part = bits[begin : begin + frames]
        wrong = part != right[: len(part)]
        if wrong.any():
            frame, channel, *at = map(int, np.argwhere(wrong)[0])
            where = (frame, channel, *at)
            return (
                f"frame {frame + begin}, channel {channel}, position {tuple(at)}: "
                f"{index}{out[begin:][where]} left the core where the golden model has "
                f"{golden[where]} ({int(wrong.sum())} {what} differ)"
            )
    return None


def _settled(
    engine: str,
    stall: float,
    seed: int,
    repeat: int | None,
    freq_mhz: float,
    vcd: Path | str | None,
) -> tuple[float, int, int | None, float]:
    """Refuse what no run can be made with; returns the numbers as Python has them.

    NumPy's scalars go wherever Python's numbers go, and JSON takes no others than Python's.
    """
    choice("engine", engine, ENGINES)
    if not (isinstance(stall, Real) and 0 <= stall < 1):  # at 1 nothing would ever move
        raise wrong("stall", "a probability, 0 <= stall < 1", stall)
    low, high = FREQ_MHZ
    if not (isinstance(freq_mhz, Real) and low <= float(freq_mhz) <= high):
        raise wrong("freq_mhz", f"a number from {low:g} to {high:g}", freq_mhz)
    try:
        seed = operator.index(seed)
    except TypeError:
        raise wrong("seed", "an integer", seed) from None
    if repeat is not None:
        repeat = integer("repeat", repeat, 1)
    if vcd is not None and not Path(vcd).parent.is_dir():
        raise FileNotFoundError(f"vcd {vcd}: there is no folder {Path(vcd).parent}")
    return float(stall), seed, repeat, float(freq_mhz)


def _choose(
    core: Core, engine: str, clocks: float, vcd: Path | str | None
) -> tuple[Model | None, str]:
    """Return the model to run, or None for Amaranth's simulator, and what there is to say."""
    if vcd is not None and engine == "fast":
        return None, "waveforms are written by Amaranth's simulator, so that is the engine"
    auto = engine == "auto"
    if engine == "amaranth" or vcd is not None or (auto and clocks < LOOK_FROM):
        return None, ""
    try:
        build = Build([core])
        if auto and clocks < FAST_FROM and not build.is_built:
            return None, ""
        [model] = build.load()
    except EngineError as error:
        return None, f"Amaranth's simulator runs instead of the fast engine: {error}"
    return model, ""
