"""One self-contained HTML file that plays a recording; nothing is fetched to view it."""

import base64
import html as escaping
import json
import string
import zlib
from importlib import resources

import numpy as np

from ..words import by, count, describe
from .contents import contents
from .recording import Recording

MOST_CLOCKS = 20_000
"""Clocks that are recorded at most."""

MOST_BYTES = 3_000_000
"""Bytes that a page has at most."""

GRAIN = 100
"""The clocks that fit are given in multiples of this."""

SCRIPTS = ("data", "draw", "names", "frames", "stages", "waves", "sentences", "player")
"""The page's code, in the order in which it is put there."""


class TooLong(ValueError):
    """What was asked for does not fit in a page."""


def html(recording: Recording, first: int = 0, end: int | None = None) -> str:
    """Return the page of the clocks from `first` to `end`, by default of all.

    Raises
    ------
    TooLong
        If the page would have more than `MOST_BYTES`.
    """
    end = recording.clocks if end is None else min(end, recording.clocks)
    said = json.dumps(contents(recording, first, end), separators=(",", ":"))
    packed = base64.b64encode(zlib.compress(said.encode(), 9)).decode()
    folder = resources.files("streampool_sim.show") / "page"

    def file(name: str) -> str:
        return (folder / name).read_text("utf-8")

    template = string.Template(file("page.html"))
    page = template.substitute(
        title=escaping.escape(title(recording)),
        about=escaping.escape(about(recording)),
        style=file("page.css"),
        data=packed,
        script="\n".join(file(f"{name}.js") for name in SCRIPTS),
    )
    if len(page.encode()) > MOST_BYTES:
        raise TooLong(f"a page of {end - first:,} clocks has more than {MOST_BYTES:,} bytes")
    return page


def fitted(recording: Recording, first: int, end: int) -> int:
    """Return the clock to which a page that begins at `first` fits, `end` at most.

    It is `first` where not even `GRAIN` clocks fit.
    """

    def fits(clock: int) -> bool:
        try:
            html(recording, first, clock)
        except TooLong:
            return False
        return True

    if fits(end):
        return end
    low, high = 0, max(2, -(-(end - first) // GRAIN))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(first + middle * GRAIN) else (low, middle)
    return first + low * GRAIN


def title(recording: Recording) -> str:
    """Say what the core computes."""
    job = recording.job
    return f"{describe(job.spec)} on {by(job.shape)} {job.input}"


def about(recording: Recording) -> str:
    """Say what is played, and whether it is right."""
    job = recording.job
    return (
        f"{count(recording.count, 'frame')} of {by(job.shape)} {job.input} through a simulated core"
        f" that pools each to {by(job.out_shape)}, {count(job.lanes, 'channel')} per beat. "
        + (
            "What came out equals the golden model bit for bit."
            if matches(recording)
            else "What came out DIFFERS from the golden model."
        )
    )


def matches(recording: Recording) -> bool:
    """Return whether all that came out is what the golden model has."""
    return all(np.array_equal(*each) for each in outputs(recording))


def outputs(recording: Recording) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the beats that came out, and those of the golden model, of values and of indices.

    Each (beats, lanes), as bits; the lanes that carry no channel are 0.
    """
    job, layout, count = recording.job, recording.job.layout_out, recording.count
    frames = [recording.golden, *([] if recording.indices is None else [recording.indices])]
    found = []
    for out, golden, field in zip(recording.trace.fields, frames, job.fields_out, strict=True):
        bits = np.ascontiguousarray(golden, field.dtype.numpy)
        bits = bits.view(out.dtype) if field.dtype.is_float else bits.astype(out.dtype)
        beats = layout.pack(bits)
        due = np.resize(beats, (count, *beats.shape[1:])).reshape(-1, job.lanes)[: len(out)]
        used = ~np.resize(layout.spare, out.shape) if layout.spare_lanes else True
        found.append((np.where(used, out, 0), np.where(used, due, 0)))
    return found
