"""Layers in cores of slices: how they are cut, and whose clock they have."""

import pytest
from streampool_bench.fpga import placed, wide
from streampool_bench.fpga.jobs import BAR_DEVICE, WIDE_JOBS
from streampool_golden import PoolSpec

PLACED = {"A10x32c64": (205.0, 40), "E26x13c1000": (190.0, 13)}
"""Jobs as if they were placed: clock and block RAMs."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch):
    rows = tuple(
        {
            "job": name,
            "device": BAR_DEVICE,
            "slices": WIDE_JOBS[name].slices,
            "clock_mhz": mhz,
            "bound_by": "placer",
            "block_ram": blocks,
        }
        for name, (mhz, blocks) in PLACED.items()
    )
    monkeypatch.setattr(placed, "wide", lambda: rows)
    wide.cores_of.cache_clear()
    yield
    wide.cores_of.cache_clear()


def core(spec: PoolSpec, shape: tuple[int, ...]) -> wide.Sliced:
    [found] = wide.cores_of(spec, shape, BAR_DEVICE)
    return found


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
@pytest.mark.parametrize(
    ("shape", "cycles"),
    [
        ((64, 224, 224), 224 * 7 * 7),  # 10 channels a beat, 7 times
        ((512, 64, 64), 64 * 2 * 52),
        ((832, 14, 14), 14 * 42),  # whole rows of two channels in a slice
    ],
)
def test_a_layer_is_cut_so_that_it_takes_the_fewest_clocks(made, shape, cycles):
    found = core(PoolSpec("max", 2), shape)
    assert found.job.limit_cycles == found.figures.cycles_bound == cycles
    assert found.job.shape == shape and found.slices <= 10
    assert found.job.layout_in.values <= 32 * found.slices
    assert found.clock.placed is not None
    assert (found.clock.freq_mhz, found.clock.placed["job"]) == (205.0, "A10x32c64")
    assert found.clock.same == (shape == (64, 224, 224))


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_what_asks_for_more_has_nothing_that_stands_for_it(made):
    for spec, device in (
        (PoolSpec("max", 3, 1, 1), BAR_DEVICE),  # a partial more
        (PoolSpec("max", 2, dtype="int16"), BAR_DEVICE),
        (PoolSpec("max", 2, indices="plane"), BAR_DEVICE),
        (PoolSpec("max", 2), "ecp5-85k-8"),
    ):
        assert wide.cores_of(spec, (64, 56, 56), device) == ()


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_a_smaller_mean_of_all_has_the_clock_of_a_larger_one(made):
    found = core(PoolSpec("avg", 7), (2048, 7, 7))
    assert found.clock.placed is not None and not found.clock.same
    assert found.clock.placed["job"] == "E26x13c1000"
    assert found.job.columns * found.job.lanes <= 26 * found.slices
    assert found.job.limit_cycles <= 7 * 53
