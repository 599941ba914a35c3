"""Frames through the core of a board, checked against the golden model."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from streampool_golden import PoolJob, __version__
from streampool_golden.arrays import FrameAxes
from streampool_hw.boards.link.protocol import Info

from ..simulation import difference
from .host import Host, Line, LinkError


@dataclass(frozen=True)
class BoardResult:
    """What a board gave.

    Attributes
    ----------
    output : ndarray
        What left the core, in the input's layout.
    stats : dict
        What was seen and how long it took, by name; `json.dumps` takes it.
    mismatch : str or None
        The first difference from the golden model, in one sentence.
    info : Info
        What the board says of itself.
    """

    output: np.ndarray
    stats: dict[str, Any]
    mismatch: str | None
    info: Info


def unlike(info: Info, job: PoolJob) -> str | None:
    """Say what a board does otherwise than a job, if it does."""
    there, here = (
        {**each.spec.to_json(), "shape": list(each.shape), "lanes": each.lanes}
        for each in (info.job, job)
    )
    said = [
        f"{name} {value}, not {here.get(name)}"
        for name, value in there.items()
        if value != here.get(name)
    ]
    return f"the core of {info.board} has {', '.join(said)}" if said else None


def pool_on_board(
    line: Line,
    job_for: Callable[[Info], PoolJob],
    x: np.ndarray,
    *,
    layout: str | None = None,
    host: Host | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> BoardResult:
    """Ask a board what it is, send it frames, and compare what comes back.

    Parameters
    ----------
    line : Line
        Where the board is.
    job_for : callable
        Makes the job that is meant, for what the board says of itself.
    x : ndarray
        Frames, with the axes that `streampool_golden.pool` takes.
    layout : str, optional
        The order of the axes; channels first by default.
    host : Host, optional
        What talks on the line.
    progress : callable, optional
        Called with the bytes that have come back and those that are due.

    Raises
    ------
    LinkError
        If nothing answers, or the board does something else than is meant.
    """
    host = host or Host(line)
    info = host.info()
    job = job_for(info)
    if wrong := unlike(info, job):
        raise LinkError(
            f"{wrong}; use options that fit it, or `streampool build --link` for a bitstream that"
            " fits them"
        )
    cut = FrameAxes.of(len(job.size), layout, {"x": x})
    frames = cut.frames(x)
    [golden] = job.reference(frames)
    start = time.perf_counter()
    out = host.pool(job, frames.astype(job.input.numpy, copy=False), progress)
    seconds = time.perf_counter() - start
    mismatch = difference(job.fields_out[0], out, golden)
    payload = frames.nbytes + out.nbytes
    stats = {
        "version": __version__,
        "spec": job.to_json(),
        "shape": list(job.shape),
        "out_shape": list(job.out_shape),
        "lanes": job.lanes,
        "engine": "board",
        "board": info.board,
        "port": line.name,
        "frames": len(frames),
        "beats_in": job.beats_in,
        "beats_out": job.beats_out,
        "limit_cycles_per_frame": job.limit_cycles,
        "bound_cycles_per_frame": info.cycles,
        "clock_hz": info.clock_hz,
        "core_frames_per_second": info.clock_hz / info.cycles,
        "seconds": seconds,
        "frames_per_second": len(frames) / seconds,
        "payload_bytes_per_second": payload / seconds,
        "link": {name: host.counts[name] for name in host.COUNTED},
        "matches_golden": mismatch is None,
    }
    return BoardResult(cut.back(out), stats, mismatch, info)
