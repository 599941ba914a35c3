"""Arrays to beats and back: the beat order of a core's streams."""

import numpy as np
from streampool_golden import PoolJob, UnpoolJob


def pack(job: PoolJob | UnpoolJob, x: np.ndarray, seed: int | None = 0) -> np.ndarray:
    """Cut frames into beats.

    Beat `position * fold + group` of a frame carries, in lane `l`, channel `group * lanes + l` of
    that position; positions go in raster order, the last axis fastest.

    Parameters
    ----------
    job : PoolJob or UnpoolJob
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
    dtype = job.input.raw
    x = np.ascontiguousarray(x, job.input.numpy).view(dtype.numpy)
    unused = job.fold * job.lanes - job.shape[0]
    rubbish = None
    if unused and seed is not None:
        rng = np.random.default_rng(seed)
        shape = (len(x), int(np.prod(job.shape[1:])), unused)
        rubbish = rng.integers(dtype.low, dtype.high, shape, np.int64, endpoint=True)
    return _cut(job, x, rubbish)


def pack_indices(job: UnpoolJob, indices: np.ndarray, seed: int | None = 0) -> np.ndarray:
    """Cut the indices of frames into beats, int64, as `pack` cuts their values.

    Lanes that carry no channel get numbers that are out of range, too.
    """
    unused = job.fold * job.lanes - job.shape[0]
    rubbish = None
    if unused and seed is not None:
        rng = np.random.default_rng(seed)
        shape = (len(indices), int(np.prod(job.shape[1:])), unused)
        rubbish = rng.integers(0, job.index_in.high, shape, np.int64, endpoint=True)
    return _cut(job, indices.astype(np.int64, copy=False), rubbish)


def _cut(job: PoolJob | UnpoolJob, x: np.ndarray, rubbish: np.ndarray | None) -> np.ndarray:
    """Cut frames into beats; lanes that carry no channel get what `rubbish` has for them."""
    count, channels = x.shape[:2]
    positions = int(np.prod(job.shape[1:]))
    beats = np.zeros((count, positions, job.fold * job.lanes), x.dtype)
    if rubbish is not None:
        beats[:, :, channels:] = rubbish
    beats[:, :, :channels] = x.reshape(count, channels, positions).transpose(0, 2, 1)
    return beats.reshape(count, positions * job.fold, job.lanes)


def unpack(job: PoolJob | UnpoolJob, beats: np.ndarray) -> np.ndarray:
    """Put output beats together to frames.

    Parameters
    ----------
    job : PoolJob
        As of `pack`.
    beats : ndarray, shape (frames * beats_out, lanes)
        Output beats in the order in which they left.

    Returns
    -------
    ndarray, shape (frames, C, *out_size)
        The unused lanes of the last channel group left out; floats, where the job gives them.
    """
    frames = _put_together(job, beats)
    return frames.view(job.output.numpy) if job.output.is_float else frames


def unpack_indices(job: PoolJob, indices: np.ndarray) -> np.ndarray:
    """Put the indices beside output beats together to frames, as `unpack` does with values."""
    return _put_together(job, indices)


def _put_together(job: PoolJob | UnpoolJob, beats: np.ndarray) -> np.ndarray:
    """Put output beats together to frames, the unused lanes of the last group left out."""
    channels, *size = job.out_shape
    positions = int(np.prod(size))
    split = beats.reshape(-1, positions, job.fold * job.lanes)[:, :, :channels]
    return np.ascontiguousarray(split.transpose(0, 2, 1)).reshape(-1, channels, *size)
