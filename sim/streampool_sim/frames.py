"""Arrays to beats and back, field by field: what a job's layouts say, with rubbish in between."""

import numpy as np
from streampool_golden import Field, Job
from streampool_hw import Core


def container(field: Field) -> np.dtype:
    """Return the type of NumPy's that a field's values cross an engine in."""
    return np.dtype(np.int64 if field.name == "index" else field.dtype.raw.numpy)


def pack(job: Job, *frames: np.ndarray, seed: int | None = 0) -> tuple[np.ndarray, ...]:
    """Cut frames, channels first, into beats as ``job.layout_in`` says, for each of its fields.

    Each array of frames, ``(frames, C, *size)``, becomes one of ``(frames, beats_in, values)`` in
    the field's `container`. Spare lanes and columns are filled with numbers of the seed, so that a
    core that lets one of them out is found; None fills them with zeros.
    """
    return tuple(
        _packed(job, field, x, seed) for field, x in zip(job.fields_in, frames, strict=True)
    )


def _packed(job: Job, field: Field, x: np.ndarray, seed: int | None) -> np.ndarray:
    if x.ndim != len(job.shape) + 1 or x.shape[1:] != tuple(job.shape):
        raise ValueError(
            f"frames of shape {x.shape}; use (frames, {', '.join(map(str, job.shape))})"
        )
    layout = job.layout_in
    held = np.int64 if field.name == "index" else field.dtype.numpy
    x = np.ascontiguousarray(x, held).view(container(field))
    fill = None
    spare = int(layout.spare.sum())
    if spare and seed is not None:
        rng = np.random.default_rng(seed)
        shape = (len(x), layout.rows, spare)
        raw = field.port.raw  # an index there may be out of range, too
        fill = rng.integers(raw.low, raw.high, shape, np.int64, endpoint=True)
    return layout.pack(x, fill)


def marks(core: Core) -> np.ndarray:
    """Return what a frame's beats bear of the core's marks, ``(beats_in, 1)``, the first lowest."""
    beats = core.job.beats_in
    found = np.zeros((beats, 1), np.uint8)
    for bit, mark in enumerate(core.marks):
        found[0 if mark == "first" else beats - 1] |= 1 << bit
    return found


def unpack(job: Job, beats: np.ndarray, field: int = 0) -> np.ndarray:
    """Put the beats of a field, ``(beats, values)``, together to frames as ``job.layout_out`` says.

    Spare lanes and columns are left out. What the job has as floats is floats.
    """
    frames = job.layout_out.unpack(beats).reshape(-1, *job.out_shape)
    dtype = job.fields_out[field].dtype
    return frames.view(dtype.numpy) if dtype.is_float else frames
