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


@pytest.mark.parametrize(
    ("channels", "rows", "row", "lanes", "columns"),
    [(1, 2, 8, 1, 4), (3, 2, 7, 3, 2), (5, 3, 5, 2, 3), (4, 1, 3, 2, 8), (1, 4, 1, 2, 2)],
)
def test_every_value_of_several_columns_is_what_the_layout_says(
    channels, rows, row, lanes, columns
):
    layout = BeatLayout(channels, rows * row, lanes, columns, rows)
    assert layout.beats == rows * -(-row // columns) * layout.fold
    frames = np.arange(2 * channels * rows * row).reshape(2, channels, rows, row)
    fill = np.full((2, rows, layout.spare.sum()), -1)
    beats = layout.pack(frames, fill)
    assert beats.shape == (2, layout.beats, columns * lanes)
    flat = frames.reshape(2, channels, rows * row)
    seen = set()
    for beat in range(layout.beats):
        for value in range(layout.values):
            channel, position = layout.channel(beat, value), layout.position(beat, value)
            spare = channel is None or position is None
            assert spare == layout.spare[beat % layout.row_beats, value]
            expected = [-1, -1] if spare else flat[:, channel, position].tolist()
            assert beats[:, beat, value].tolist() == expected
            seen |= set() if spare else {(channel, position)}
    assert len(seen) == channels * rows * row
    assert np.array_equal(layout.unpack(beats), flat)


def test_the_columns_of_a_beat_are_adjacent_and_those_of_one_channel_group():
    layout = BeatLayout(4, 14, 2, columns=4, rows=2)
    assert [layout.position(beat, 0) for beat in range(8)] == [0, 0, 4, 4, 7, 7, 11, 11]
    assert [layout.position(2, value) for value in range(8)] == [4, 4, 5, 5, 6, 6, None, None]
    assert [layout.channel(3, value) for value in range(4)] == [2, 3, 2, 3]


def test_the_order_of_several_columns_in_words():
    folded, whole = BeatLayout(4, 14, 2, 4, 2), BeatLayout(1, 8, 1, 4)
    assert folded.beat_order == (
        "beat b of a frame is row b // 4, columns (b % 4) // 2 * 4 onwards, rows in raster order"
    )
    assert folded.lane_order == (
        "value v of a beat is its column v // 2 and lane v % 2;"
        " lane l of beat b is channel (b % 2) * 2 + l"
    )
    assert whole.beat_order == "beat b of a frame is columns b * 4 onwards, rows in raster order"
    one_group, one_row = BeatLayout(1, 16, 1, 4, 2), BeatLayout(4, 8, 2, 4, 1)
    assert one_group.beat_order == (
        "beat b of a frame is row b // 2, columns b % 2 * 4 onwards, rows in raster order"
    )
    assert one_row.beat_order == (
        "beat b of a frame is columns b // 2 * 4 onwards, rows in raster order"
    )
    assert whole.lane_order == (
        "value v of a beat is its column v and lane 0; lane l of beat b is channel l"
    )


def test_a_beat_of_no_column_is_none():
    with pytest.raises(SpecError, match="columns must be 1 or more, not 0"):
        BeatLayout(1, 2, 1, columns=0)
