"""Arrays to beats and back."""

import numpy as np
import pytest
from streampool_golden import PoolJob, PoolSpec
from streampool_sim.frames import pack, unpack


def test_beats_are_in_raster_order_with_channel_groups_fastest():
    job = PoolJob(PoolSpec("max", 1), (4, 1, 3), lanes=2)
    x = np.array([[10, 11, 12], [20, 21, 22], [30, 31, 32], [40, 41, 42]]).reshape(1, 4, 1, 3)
    [beats] = pack(job, x)
    assert beats[0].tolist() == [[10, 20], [30, 40], [11, 21], [31, 41], [12, 22], [32, 42]]


def test_one_axis():
    job = PoolJob(PoolSpec("max", 1, ndim=1), (2, 3), lanes=1)
    [beats] = pack(job, np.arange(6).reshape(1, 2, 3))
    assert beats[0, :, 0].tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize(("channels", "lanes"), [(1, 1), (5, 2), (3, 4), (8, 8)])
def test_unpack_undoes_pack(channels, lanes):
    job = PoolJob(PoolSpec("max", 1, dtype="int5"), (channels, 3, 4), lanes)
    x = np.random.default_rng(0).integers(-16, 16, (2, channels, 3, 4)).astype(np.int8)
    [beats] = pack(job, x)
    assert beats.shape == (2, job.beats_in, lanes)
    assert beats.dtype == np.int8
    assert np.array_equal(unpack(job, beats.reshape(-1, lanes)), x)


def test_lanes_without_a_channel_carry_rubbish_of_the_dtype():
    job = PoolJob(PoolSpec("max", 1, dtype="int3"), (3, 20, 20), lanes=2)
    [beats] = pack(job, np.zeros((1, 3, 20, 20), np.int8), seed=1)
    assert set(beats[0, 1::2, 1].tolist()) == set(range(-4, 4))
    [beats] = pack(job, np.zeros((1, 3, 20, 20), np.int8), seed=None)
    assert not beats.any()


def test_frames_of_another_shape_are_refused():
    job = PoolJob(PoolSpec("max", 1), (3, 4, 5))
    with pytest.raises(ValueError, match=r"use \(frames, 3, 4, 5\)"):
        pack(job, np.zeros((1, 4, 5, 3), np.int8))
