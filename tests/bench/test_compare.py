"""The arithmetic of the comparison, on figures made up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streampool_bench.report import compare
from streampool_bench.report.layers import Layer
from streampool_bench.report.links import LINKS
from streampool_golden import PoolJob, PoolSpec

DEVICE = "ecp5-25k-6"
LAYER = Layer("net-1", PoolSpec("max", 2), (64, 8, 8), {"net": 2})
OTHER = Layer("net-2", PoolSpec("max", 2), (64, 4, 4), {"net": 1})


def software(contender: str, median_s: float | None, **more):
    return {
        "layer": LAYER.name, "contender": contender, "runtime": "R", "dtype": "float32",
        "layout": "NCHW", "threads": 1, "cache": "warm", "median_s": median_s, "correct": True,
        "crop": None, **more,
    }  # fmt: skip


def core(
    lanes: int,
    mhz: float,
    source: str = "placed",
    layer: Layer = LAYER,
    lut4: int = 100,
    *,
    fits: bool | None = True,
):
    cycles = PoolJob(layer.spec, layer.shape, lanes).limit_cycles
    return {
        "layer": layer.name, "device": DEVICE, "lanes": lanes, "freq_mhz": mhz,
        "freq_source": source, "placed_job": "J" if source == "placed" else None,
        "seconds": cycles / mhz / 1e6, "frames_per_second": mhz * 1e6 / cycles,
        "latency_s": 10 / mhz / 1e6, "lut4": lut4 if source == "placed" else None,
        "placed_seeds": 3 if source == "placed" else None, "fits": fits,
        "freq_bound": "silicon" if source == "placed" else None,
    }  # fmt: skip


def test_only_right_and_whole_results_are_the_best():
    rows = [
        software("wrong", None, correct=False),
        software("part", 1e-9, crop=[1, 2, 2]),
        software("cold", 1e-8, cache="cold"),
        software("other layer", 1e-8, layer="net-2"),
        software("slow", 2e-3),
        software("fast", 1e-3, dtype="int8"),
    ]
    found = compare.best(rows, LAYER.name)
    assert found is not None and found["contender"] == "fast"
    assert compare.best(rows, "none") is None


def test_the_usual_call_is_torchs_on_floats():
    rows = [
        software("torch", 5e-3, threads=1),
        software("torch", 3e-3, threads=2),
        software("torch", 1e-3, layout="NHWC"),
        software("torch", 1e-3, dtype="uint8"),
        software("torch-quantized", 1e-3),
    ]
    found = compare.usual(rows, LAYER.name)
    assert found is not None and (found["median_s"], found["threads"]) == (3e-3, 2)


def test_a_row_of_the_comparison():
    rows = [software("torch", 8e-6), software("fast", 2e-6, dtype="int8")]
    rows += [software("torch", 9e-5, cache="cold"), software("fast", 7e-5, cache="cold")]
    cores = [core(1, 100), core(8, 64), core(64, 1000, "assumed")]
    [found] = compare.comparison([LAYER], rows, cores)
    assert found["lanes"] == 8 and found["freq_source"] == "placed"
    assert (found["freq_bound"], found["cold_s"]) == ("silicon", 7e-5)
    assert found["seconds"] == pytest.approx(512 / 64e6)  # 64 positions in 8 beats each
    assert found["ratio_best"] == pytest.approx(2e-6 / 8e-6)
    assert found["ratio_usual"] == pytest.approx(1)
    assert found["latency_ratio"] == pytest.approx(2e-6 / (10 / 64e6))
    assert found["best"]["contender"] == "fast" and found["usual"]["contender"] == "torch"
    fabric, usb = found["links"]["fabric"], found["links"]["usb2"]
    assert (fabric["limit"], fabric["frames_per_second"]) == ("core", 64e6 / 512)
    rate = LINKS["usb2"].bytes_per_s
    assert rate is not None
    carried = rate / (64 * 64 + 64 * 16)
    assert usb["link_frames_per_second"] == pytest.approx(carried)
    assert usb["frames_per_second"] == min(carried, 64e6 / 512) == carried
    assert usb["limit"] == "link" and usb["ratio_best"] == pytest.approx(carried * 2e-6)


def test_assumed_clocks_count_only_where_none_was_placed():
    [found] = compare.comparison([LAYER], [software("x", 1e-6)], [core(8, 100, "assumed")])
    assert found["freq_source"] == "assumed" and found["usual"] is None
    assert found["ratio_usual"] is found["cold_s"] is found["freq_bound"] is None
    assert found["tie"]["holds"] is False and found["tie"]["placed_lanes"] is None


@given(
    channels=st.integers(1, 300),
    size=st.integers(1, 20),
    microseconds=st.floats(0.01, 1000),
    clocks=st.lists(st.floats(50, 300), min_size=1, max_size=4),
)
def test_at_the_tie_the_core_is_as_fast_and_with_a_lane_less_it_is_not(
    channels, size, microseconds, clocks
):
    layer = Layer("any", PoolSpec("max", 1), (channels, size, size))
    rows = [
        core(lanes, mhz, layer=layer)
        for lanes, mhz in zip((1, 8, 32, 64), clocks, strict=False)
    ]  # fmt: skip
    seconds = microseconds * 1e-6
    found = compare.tie(layer, rows, seconds)

    def takes(lanes: int, mhz: float) -> float:
        return math.ceil(channels / lanes) * size * size / (mhz * 1e6)

    lanes, mhz = found["lanes"], found["freq_mhz"]
    if lanes is None:
        assert takes(channels, mhz) > seconds
        return
    assert takes(lanes, mhz) <= seconds * (1 + 1e-9)
    assert lanes == 1 or takes(lanes - 1, mhz) > seconds * (1 - 1e-9)
    assert found["holds"] == (lanes <= found["placed_lanes"])
    narrower = [row for row in rows if row["lanes"] < found["placed_lanes"]]
    assert all(takes(row["lanes"], row["freq_mhz"]) > seconds * (1 - 1e-9) for row in narrower)


@pytest.fixture
def ff(monkeypatch):
    """Set the share of the device's flip-flops, and half as much of its LUTs, that a lane takes."""

    def use(each_lane: float) -> None:
        def shares(row, lanes=None):
            if row["freq_source"] != "placed":
                return {}
            share = (lanes or row["lanes"]) * each_lane
            return {"FF": share, "LUT": share / 2}

        monkeypatch.setattr(compare.placed, "shares", shares)

    return use


def test_what_a_tie_takes_of_a_device(ff):
    ff(0.02)
    rows = [core(8, 100, lut4=400)]
    found = compare.tie(LAYER, rows, 64 * 2 / 100e6)  # two beats per position
    assert (found["lanes"], found["holds"]) == (32, False)
    assert (found["lut4"], found["device_share"], found["fits"]) == (1600, 0.64, True)
    ff(0.04)
    assert compare.tie(LAYER, rows, 64 * 2 / 100e6)["fits"] is False
    assert compare.tie(LAYER, rows, 1.0)["lut4"] == 50
    ties = compare.tie(LAYER, [core(8, 100, "assumed")], 64 * 2 / 100e6)
    assert (ties["lanes"], ties["lut4"], ties["device_share"], ties["fits"]) == (32, *[None] * 3)


def test_a_core_that_does_not_fit_is_not_compared(ff):
    ff(0.01)
    rows = [core(8, 64), core(32, 64, fits=False)]
    [found] = compare.comparison([LAYER], [software("x", 1e-6)], rows)
    assert found["lanes"] == 8 and found["tie"]["placed_lanes"] == 8
    assert compare.comparison([LAYER], [software("x", 1e-6)], rows[1:]) == []


def test_networks_add_up_their_layers(ff):
    rows = [
        software("torch", 8e-6),
        software("fast", 2e-6),
        software("fast", 1e-6, layer=OTHER.name),
    ]
    cores = [core(8, 64), core(8, 64, layer=OTHER)]
    ff(0.01)
    compared = compare.comparison([LAYER, OTHER], rows, cores)
    order = {"net": [LAYER.name, OTHER.name, LAYER.name]}
    [found] = compare.networks(order, rows, cores, compared)
    big, small = 512 / 64e6, 128 / 64e6
    assert found["best_s"] == pytest.approx(5e-6) and found["usual_s"] is None
    assert found["core_s"] == pytest.approx(2 * big + small)
    assert found["slowest_core_s"] == pytest.approx(big)
    assert found["ratio_best"] == pytest.approx(5e-6 / (2 * big + small))
    assert found["pipelined_ratio_best"] == pytest.approx(5e-6 / big)
    assert found["freq_source"] == "placed"
    assert (found["device_share"], found["fits"]) == (pytest.approx(0.24), True)
    ff(0.05)  # each of them fits, but not all
    [found] = compare.networks(order, rows, cores, compared)
    assert (found["device_share"], found["fits"]) == (pytest.approx(1.2), False)
