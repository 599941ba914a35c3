"""Arrays to beats and back: the beat order of a core's streams."""

import numpy as np
from streampool_golden import Job


def pack(job: Job, x: np.ndarray, seed: int | None = 0) -> np.ndarray:
    """Cut frames into beats.

    Beat `position * fold + group` of a frame carries, in lane `l`, channel `group * lanes + l` of
    that position; positions go in raster order, the last axis fastest.

    Parameters
    ----------
    job : Job
        Its `shape`, `lanes` and `fold` say how.
    x : ndarray, shape (frames, C, *size)
        Frames, channels first.
    seed : int or None
        Lanes of the last channel group that carry no channel are filled with numbers of this
        seed, so that a core that lets one of them out is found; None fills them with zeros.

    Returns
    -------
    ndarray, shape (frames, beats_in, lanes)
        In the container of what a lane carries: the input's, of floats that of their bits.
    """
    if x.ndim != len(job.shape) + 1 or x.shape[1:] != tuple(job.shape):
        raise ValueError(
            f"frames of shape {x.shape}; take (frames, {', '.join(map(str, job.shape))})"
        )
    dtype = job.spec.in_dtype.raw
    x = np.ascontiguousarray(x, job.spec.in_dtype.numpy).view(dtype.numpy)
    count, channels = x.shape[:2]
    positions = int(np.prod(job.shape[1:]))
    beats = np.zeros((count, positions, job.fold * job.lanes), dtype.numpy)
    unused = beats.shape[2] - channels
    if unused and seed is not None:
        rng = np.random.default_rng(seed)
        beats[:, :, channels:] = rng.integers(
            dtype.low, dtype.high, (count, positions, unused), np.int64, endpoint=True
        )
    beats[:, :, :channels] = x.reshape(count, channels, positions).transpose(0, 2, 1)
    return beats.reshape(count, positions * job.fold, job.lanes)


def unpack(job: Job, beats: np.ndarray) -> np.ndarray:
    """Put output beats together to frames.

    Parameters
    ----------
    job : Job
        As of `pack`.
    beats : ndarray, shape (frames * beats_out, lanes)
        Output beats in the order in which they left.

    Returns
    -------
    ndarray, shape (frames, C, *out_size)
        The unused lanes of the last channel group left out; floats, where the job gives them.
    """
    channels, *size = job.out_shape
    positions = int(np.prod(size))
    split = beats.reshape(-1, positions, job.fold * job.lanes)[:, :, :channels]
    frames = np.ascontiguousarray(split.transpose(0, 2, 1)).reshape(-1, channels, *size)
    return frames.view(job.output.numpy) if job.output.is_float else frames
