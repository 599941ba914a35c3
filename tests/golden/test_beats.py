"""How frames are cut into beats: every lane of every beat, and back."""

import numpy as np
import pytest
from streampool_golden import BeatLayout, PoolJob, PoolSpec, SpecError, UnpoolJob


@pytest.mark.parametrize(("channels", "lanes"), [(1, 1), (4, 2), (5, 2), (3, 4), (8, 8)])
def test_every_lane_carries_the_channel_that_the_layout_says(channels, lanes):
    layout = BeatLayout(channels, 6, lanes)
    frames = np.arange(2 * channels * 6).reshape(2, channels, 2, 3)
    fill = np.full((2, 6, layout.spare_lanes), -1)
    beats = layout.pack(frames, fill)
    assert beats.shape == (2, layout.beats, lanes)
    for beat in range(layout.beats):
        for lane in range(lanes):
            channel, position = layout.channel(beat, lane), layout.position(beat, lane)
            assert (channel is None) == layout.spare[beat % layout.fold, lane]
            flat = frames.reshape(2, channels, 6)
            expected = [-1, -1] if channel is None else flat[:, channel, position].tolist()
            assert beats[:, beat, lane].tolist() == expected
    assert layout.spare.sum() == layout.spare_lanes
    assert np.array_equal(layout.unpack(beats), frames.reshape(2, channels, 6))
    assert np.array_equal(layout.unpack(beats.reshape(-1, lanes)), frames.reshape(2, channels, 6))


def test_spare_lanes_hold_zeros_where_nothing_is_said():
    assert BeatLayout(1, 2, 2).pack(np.array([[[7, 8]]])).tolist() == [[[7, 0], [8, 0]]]


def test_the_layouts_of_jobs():
    pooling = PoolJob(PoolSpec("max", 2), (5, 4, 6), 2)
    assert (pooling.layout_in, pooling.layout_out) == (BeatLayout(5, 24, 2), BeatLayout(5, 6, 2))
    unpooling = UnpoolJob((5, 2, 3), (4, 6), 2)
    assert (unpooling.layout_in, unpooling.layout_out) == (pooling.layout_out, pooling.layout_in)


def test_the_order_in_words():
    folded, whole = BeatLayout(5, 6, 2), BeatLayout(2, 6, 2)
    assert folded.beat_order == "beat b of a frame is position b // 3, positions in raster order"
    assert folded.lane_order == "lane l of beat b is channel (b % 3) * 2 + l"
    assert whole.beat_order == "beat b of a frame is position b, positions in raster order"
    assert whole.lane_order == "lane l of beat b is channel l"


def test_one_column_to_a_beat():
    with pytest.raises(SpecError, match="columns must be 1, not 2"):
        BeatLayout(1, 2, 1, columns=2)
