"""The random numbers of stalls and rubbish."""

import numpy as np
import pytest
from streampool_sim.engines import stalls


def test_hashes_are_splitmix64():
    # The first five outputs of SplitMix64 for the seed 1234567, as published on Rosetta Code.
    assert stalls.hashes(1234567, 1, 5).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize("first", [0, 4096, 2**40])
def test_array_and_integer_forms_agree(first):
    start = stalls.base(-5, stalls.SINK)
    one_by_one = [stalls.mix(start + i * stalls.GOLDEN_GAMMA) for i in range(first, first + 9)]
    assert stalls.hashes(start, first, 9).tolist() == one_by_one


def test_streams_of_a_seed_differ():
    starts = [
        stalls.base(seed, purpose)
        for seed in (0, 1)
        for purpose in (stalls.SOURCE, stalls.SINK, stalls.RUBBISH)
    ]
    assert len(set(starts)) == 6


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_threshold_is_met_as_often_as_asked(probability):
    hashes = stalls.hashes(stalls.base(3, stalls.SOURCE), 0, 100_000)
    share = np.mean(hashes < np.uint64(stalls.threshold(probability)))
    assert abs(share - probability) < 0.006  # four standard deviations


def test_no_stalls_is_never():
    assert stalls.threshold(0) == 0


@pytest.mark.parametrize("probability", [1, -0.1, 2, float("nan")])
def test_probabilities_that_are_none(probability):
    with pytest.raises(ValueError, match="use 0 <= stall < 1"):
        stalls.threshold(probability)


@pytest.mark.parametrize("bits", [1, 31, 32, 33, 72])
def test_rubbish_fills_the_payload_and_no_more(bits):
    seen = 0
    for cycle in range(200):
        value = stalls.rubbish(7, cycle, bits)
        assert 0 <= value < 1 << bits
        seen |= value
    assert seen == (1 << bits) - 1
