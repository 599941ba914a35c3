"""The core's side: whose clock a row has, where cycles come from, and what a link leaves."""

import gc

import pytest
from bench_results import few_layers
from streampool_bench.fpga import clocks, placed, wide
from streampool_bench.report import hardware
from streampool_bench.report.layers import Layer, network_layers, network_names
from streampool_bench.report.links import LINKS, Link, frames_per_second
from streampool_golden import PoolJob, PoolSpec

DEVICE = "ecp5-85k-6"


def placement(name: str, spec: PoolSpec, shape: tuple[int, ...], lanes: int, mhz: float, **more):
    return {
        "job": name, "device": DEVICE, "spec": spec.to_json(), "shape": list(shape), "lanes": lanes,
        "placed": True, "fmax_mhz": [mhz], "fmax_median_mhz": mhz, "clock_mhz": mhz,
        "bound_by": "placer", "lut4": 100, "ff": 1,
        "block_ram": 4, "dsp": 0, "placer_cells": {"TRELLIS_FF": 100, "DP16KD": 4},
        "placer_available": {"TRELLIS_FF": 1000, "DP16KD": 16, "DCCA": 1}, **more,
    }  # fmt: skip


@pytest.fixture
def table(monkeypatch):
    """Set the placements that are known."""

    def use(*rows) -> None:
        monkeypatch.setattr(placed, "known", lambda: list(rows))
        monkeypatch.setattr(placed, "wide", tuple)
        placed.placements.cache_clear()
        wide.cores_of.cache_clear()

    yield use
    placed.placements.cache_clear()
    wide.cores_of.cache_clear()


POOL = PoolSpec("max", 3, 2, 1)
WIDER = PoolSpec("max", 5, 1, 2)
SMALLER = PoolSpec("max", 2)


def clock(spec, shape, lanes=8):
    with clocks.unused_cores():
        return clocks.clock_of(spec, shape, lanes, DEVICE, None)


def test_the_layer_itself_comes_first(table):
    table(
        placement("other", POOL, (64, 56, 56), 8, 300.0),
        placement("it", POOL, (64, 112, 112), 8, 250.0),
    )
    found = clock(POOL, (64, 112, 112))
    assert (found.freq_mhz, found.source, found.same) == (250.0, "placed", True)
    assert found.placed is not None and found.placed["job"] == "it"


def test_then_the_same_window_on_another_size_and_of_several_the_slowest(table):
    table(
        placement("fast", POOL, (64, 80, 80), 8, 300.0),
        placement("slow", POOL, (64, 112, 112), 8, 250.0),
    )
    found = clock(POOL, (64, 96, 96))
    assert found.placed is not None and found.placed["job"] == "slow"
    assert (found.source, found.same) == ("placed", False)
    assert found.why == "the same operation, window and lanes on frames of another size"


def test_then_a_harder_window_but_never_an_easier_one(table):
    table(placement("hard", WIDER, (64, 56, 56), 8, 200.0))
    found = clock(POOL, (64, 56, 56))
    assert found.placed is not None and found.placed["job"] == "hard"
    assert "asks as much or more" in found.why
    table(placement("easy", SMALLER, (64, 56, 56), 8, 300.0))
    assert clock(POOL, (64, 56, 56)).source == "assumed"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (placement("a", POOL, (64, 56, 56), 32, 300.0), "other lanes"),
        (placement("a", POOL, (64, 56, 56), 8, 300.0, device="ice40-hx8k"), "another device"),
        (placement("a", POOL, (64, 56, 56), 8, 300.0, placed=False), "not placed"),
        (placement("a", POOL, (64, 56, 56), 8, 300.0, stale=True), "another design since"),
        (placement("a", PoolSpec("avg", 3, 2, 1), (64, 56, 56), 8, 300.0), "another operation"),
        (
            placement("a", PoolSpec("max", 3, 2, 1, dtype="int4"), (64, 56, 56), 8, 300.0),
            "narrower",
        ),
        (placement("a", PoolSpec("max", (9,)), (64, 56), 8, 300.0), "fewer stages"),
        (placement("a", POOL, (8, 56, 56), 8, 300.0, block_ram=0), "stores far smaller"),
        (placement("a", POOL.replace(clamp=(0, 6)), (64, 56, 56), 8, 300.0), "another finish"),
    ],
)
def test_nothing_else_is_called_placed(table, row, why):
    table(row)
    found = clock(POOL, (64, 56, 56))
    assert (found.freq_mhz, found.source, found.placed) == (100.0, "assumed", None), why


def test_a_minimum_costs_what_a_maximum_does_and_a_sum_less_than_an_average(table):
    table(
        placement("max", POOL, (8, 56, 56), 8, 300.0),
        placement("avg", PoolSpec("avg", 2), (8, 56, 56), 8, 200.0),
    )
    assert clock(PoolSpec("min", 3, 2, 1), (8, 56, 56)).freq_mhz == 300.0
    assert clock(PoolSpec("sum", 2), (8, 56, 56)).freq_mhz == 200.0
    table(placement("sum", PoolSpec("sum", 2), (8, 56, 56), 8, 300.0))
    assert clock(PoolSpec("avg", 2), (8, 56, 56)).source == "assumed"


def test_a_division_stands_only_for_one_that_is_as_hard(table):
    shift, other = PoolSpec("avg", 2), PoolSpec("avg", 2, divisor_override=5)
    table(placement("shift", shift, (8, 56, 56), 8, 300.0))
    assert clock(shift.replace(padding=1, divisor_override=8), (8, 56, 56)).source == "placed"
    assert clock(other, (8, 56, 56)).source == "assumed"
    varies = PoolSpec("avg", 2, padding=1, count_include_pad=False)
    table(placement("five", other, (8, 56, 56), 8, 300.0))
    assert clock(shift, (8, 56, 56)).source == "placed"
    assert clock(varies, (8, 56, 56)).source == "assumed"
    table(placement("varies", varies, (8, 56, 56), 8, 300.0))
    assert clock(other, (8, 56, 56)).source == "placed"


def test_an_assumed_clock_is_none_that_as_wide_a_core_missed(table):
    table(placement("wide", SMALLER, (64, 56, 56), 64, 80.0))
    assert clock(POOL, (64, 56, 56), 64).freq_mhz == clock(POOL, (64, 56, 56), 8).freq_mhz == 80.0
    with clocks.unused_cores():
        assert clocks.clock_of(POOL, (64, 56, 56), 64, DEVICE, 150.0).freq_mhz == 150.0


def test_an_assumed_clock_is_none_that_the_silicon_cannot_take(table):
    table(placement("other", WIDER, (64, 56, 56), 64, 300.0))
    with clocks.unused_cores():
        found = clocks.clock_of(PoolSpec("avg", 2), (8, 9, 9), 8, DEVICE, 900.0)
    assert (found.freq_mhz, found.source, found.bound_by) == (476.19, "assumed", None)


def test_a_layer_has_the_lower_clock_of_placer_and_silicon(table):
    bound = {"clock_mhz": 211.954, "bound_by": "silicon"}
    table(placement("it", POOL, (64, 112, 112), 8, 300.0, **bound))
    found = clock(POOL, (64, 112, 112))
    assert (found.freq_mhz, found.bound_by) == (211.954, "silicon")


def test_stores_that_no_block_ram_holds_have_no_placed_clock(table):
    table(placement("it", POOL, (64, 112, 112), 8, 300.0))
    room = 16 * 18_432
    big = (64, 8, 9000)
    with clocks.unused_cores():
        assert clocks.figures(POOL, big, 8, "ecp5").store_bits > room
    assert "more than all block RAM" in clock(POOL, big).why
    rows = hardware.rows([Layer("big", POOL, big)])
    assert [(row["fits"], row["freq_source"], row["lut4"]) for row in rows] == [
        (False, "assumed", None)
    ]


def test_shares_grow_with_the_lanes_and_block_ram_with_the_stores(table):
    table(placement("it", POOL, (64, 112, 112), 8, 300.0))
    [row] = hardware.rows([Layer("it", POOL, (64, 112, 112))])
    assert placed.shares(row) == {"TRELLIS_FF": 0.1, "DP16KD": 0.25}
    assert placed.shares(row, 32) == {"TRELLIS_FF": 0.4, "DP16KD": 1.0}
    assert (row["device_share"], row["fits"], row["placed_seeds"]) == (0.25, True, 1)
    more = row | {"store_bits": 6 * 18_432 - 5}
    assert placed.shares(more)["DP16KD"] == 6 / 16


def test_rows_of_the_real_table():
    found = network_layers(["resnet50"]).layers
    rows = hardware.rows(found, assumed_mhz=50.0)
    assert {row["layer"] for row in rows} == {layer.name for layer in found}
    by_name = {(row["job"], row["device"]): row for row in (*placed.placements(), *placed.wide())}
    for row in rows:
        spec = next(layer for layer in found if layer.name == row["layer"])
        job = PoolJob(spec.spec, spec.shape, row["lanes"], row["columns"])
        assert row["cycles"] == row["limit_cycles"] == max(job.beats_in, job.beats_out)
        assert row["seconds"] == pytest.approx(row["cycles"] / row["freq_mhz"] / 1e6)
        assert row["frames_per_second"] * row["seconds"] == pytest.approx(1)
        assert row["latency_s"] == pytest.approx(row["latency_cycles"] / row["freq_mhz"] / 1e6)
        if row["freq_source"] == "placed":
            stands = by_name[row["placed_job"], row["device"]]
            assert stands["clock_mhz"] == row["freq_mhz"] <= stands["fmax_median_mhz"]
            assert stands["bound_by"] == row["freq_bound"]
            if row["slices"] > 1:  # any share of as many values
                assert row["slices"] <= stands["slices"]
                values = row["lanes"] * row["columns"] // row["slices"]
                assert values <= stands["lanes"] * stands["columns"][0] // stands["slices"]
                continue
            lanes, channels = stands["lanes"], spec.shape[0]
            assert lanes == row["lanes"] or row["lanes"] == channels < lanes
            itself = (stands["spec"], tuple(stands["shape"])) == (spec.spec.to_json(), spec.shape)
            assert row["same_job"] >= itself
        else:
            assert (row["freq_mhz"], row["placed_job"], row["lut4"]) == (50.0, None, None)


def test_lanes_that_channels_have_a_use_for(table):
    table(*(placement(str(n), POOL, (n, 8, 8), n, 1.0) for n in (1, 8, 32, 64)))
    assert placed.lanes_on(DEVICE, 1) == [1]
    assert placed.lanes_on(DEVICE, 6) == [1, 6]
    assert placed.lanes_on(DEVICE, 48) == [1, 8, 32, 48]
    assert placed.lanes_on(DEVICE, 32) == [1, 8, 32]
    assert placed.lanes_on(DEVICE, 500) == [1, 8, 32, 64]


def test_channels_in_parallel_have_the_clock_of_the_next_wider_core(table):
    table(*(placement(str(n), SMALLER, (n, 8, 8), n, 400.0 - n) for n in (8, 32, 64, 224)))
    rows = hardware.rows([Layer("x", SMALLER, (48, 26, 26))])
    assert [(row["lanes"], row["freq_mhz"], row["placed_job"]) for row in rows] == [
        (8, 392.0, "8"),
        (32, 368.0, "32"),
        (48, 336.0, "64"),
    ]
    assert rows[-1]["cycles"] == 26 * 26
    assert rows[-1]["stands_for"].endswith(", placed with 64 lanes")
    assert not any(row["same_job"] for row in rows)


def test_no_core_of_a_report_has_lanes_without_a_channel():
    results = few_layers()
    channels = {row["layer"]: row["shape"][0] for row in results["layers"]}
    for row in (*results["hardware"], *results["comparison"]):
        assert row["lanes"] <= channels[row["layer"]]


def test_simulated_cycles_are_the_schedules():
    layer = Layer("small", PoolSpec("max", 3, 2, 1), (3, 9, 8))
    counted = hardware.simulate_cycles([(layer, 2)])
    job = PoolJob(layer.spec, layer.shape, 2)
    assert counted == {(layer.spec, layer.shape, 2): job.limit_cycles}
    core = clocks.figures(layer.spec, layer.shape, 2, "generic")
    assert hardware.cycles(core, counted) == (job.limit_cycles, "simulated")
    assert hardware.cycles(core, {}) == (job.limit_cycles, "schedule")


def test_where_the_bounds_do_not_meet_it_says_so():
    spec = PoolSpec("max", (2, 3), (1, 2), (1, 1))  # one axis grows, the other shrinks
    core = clocks.figures(spec, (4, 6, 24), 1, "generic")
    found = hardware.cycles(core, {})
    assert found == (core.cycles_bound, "bound")
    assert found[0] > core.job.limit_cycles


def test_each_device_says_what_it_has():
    for row in hardware.placements():
        assert 0 < row["device_share"] <= 1, (row["job"], row["device"])


def test_no_core_is_left_to_complain_that_it_was_not_used(recwarn):
    clocks.figures.cache_clear()
    hardware.rows([Layer("any", PoolSpec("max", 2), (2, 4, 4))])
    gc.collect()
    assert [str(each.message) for each in recwarn] == []


def test_what_a_link_carries():
    def link(duplex: bool, carries: str) -> Link:
        return Link("x", "x", 1000.0, duplex, carries, "", "")

    assert frames_per_second(link(True, "both"), 100, 50) == 10
    assert frames_per_second(link(True, "both"), 50, 200) == 5
    assert frames_per_second(link(False, "both"), 150, 50) == 5
    assert frames_per_second(link(True, "in"), 50, 500) == 20
    assert frames_per_second(LINKS["fabric"], 1, 1) is None


def test_links_are_below_their_raw_rates():
    raw = {"pcie": 5e9, "usb3": 5e9, "ethernet": 1e9, "usb2": 480e6, "spi": 25e6, "serial": 921600}
    for name, bits in raw.items():
        rate = LINKS[name].bytes_per_s
        assert rate is not None and 0.5 * bits / 8 < rate <= bits / 8
    assert LINKS["usb2"].bytes_per_s == 53_248_000  # what the standard's table says
    assert all(link.source and link.how for link in LINKS.values())


def test_layers_of_networks_are_each_measured_once():
    whole = network_layers()
    assert len({(layer.spec, layer.shape) for layer in whole.layers}) == len(whole.layers)
    assert list(whole.order) == network_names()
    names = {layer.name for layer in whole.layers}
    for net, order in whole.order.items():
        assert set(order) <= names
        own = [layer for layer in whole.layers if net in layer.nets]
        assert sum(layer.nets[net] for layer in own) == len(order)
    assert len(network_layers(quick=True).layers) == 6
    assert [layer.title for layer in network_layers(["resnet50"]).layers] == [
        "max 3x3 /2 pad 1, 64x112x112",
        "avg 7x7 /7, 2048x7x7",
    ]
