"""A layer of a model: what follows from it, and how it is listed."""

import re

import pytest
from amaranth.hdl import Fragment
from streampool_golden import AdaptiveMaxPool2d, PoolSpec
from streampool_hw import PoolCore
from streampool_models.layer import Layer, Model
from streampool_models.listing import listed


class Toy(Model):
    layers = (
        Layer("pool1", "MaxPool", PoolSpec("max", 3, stride=4, ndim=2), (3, 8, 8)),
        Layer("pool2", "LpPool", None, (3, 8, 8), "p is 7; use 1 to 4"),
    )

    def run(self, inputs, through=None):
        return list(inputs)


def test_a_layer_says_what_a_core_does_for_it():
    said = Toy.layers[0].to_json()
    assert said["out_shape"] == [3, 2, 2]
    assert said["cycles_per_frame"] == 64
    assert said["lanes"] == 3
    assert said["seen"] == pytest.approx((6 / 8) ** 2)
    assert (said["supported"], said["reason"]) == (True, None)


def test_a_layer_without_a_core_says_why():
    said = Toy.layers[1].to_json()
    assert (said["supported"], said["spec"]) == (False, None)
    assert said["reason"] == "p is 7; use 1 to 4"


def test_a_plan_that_takes_long_is_left_out():
    layer = Layer("pool", "Pool", PoolSpec("max", 100_000, 1, ndim=1), (1, 1_000_000))
    assert layer.to_json()["store_bits"] is None
    assert layer.seen == 1


def test_a_layer_says_what_its_core_stores():
    for spec, shape in (
        (PoolSpec("max", 3, 2, 1, dtype="float32"), (9, 12, 12)),
        (PoolSpec("avg", "global", ndim=2), (20, 7, 7)),
        (PoolSpec("max", (3, 2), indices="flat"), (4, 9, 8)),
        (PoolSpec("lp2", 3, 1, ndim=1), (4, 30)),
        (AdaptiveMaxPool2d((20, 3)), (4, 17, 8)),
    ):
        layer = Layer("pool", "Pool", spec, shape)
        core = PoolCore(layer.job) if layer.job else None
        assert core is not None
        Fragment.get(core, None)
        assert layer.store_bits == core.store_bits


@pytest.mark.parametrize(
    ("shape", "reason"),
    [(None, "its input's size is not known"), ((3, 2, 2), "kernel")],
)
def test_what_the_size_does_not_allow_is_refused(shape, reason):
    layer = Layer("pool", "MaxPool", PoolSpec("max", 3, ndim=2), shape)
    assert layer.job is None
    assert reason in (layer.refusal or "")


def test_the_list_says_what_a_layer_computes_that_waits_for_a_scale():
    model = Toy()
    spec = PoolSpec("avg", 2, ndim=2, rounding="half_even")
    model.layers = (Layer("mean", "AveragePool", spec, (3, 8, 8), float_dtype="float32"),)
    said = r"^mean +avg 2x2, stride 2x2, float32 +3x8x8 +3x4x4 +-  "
    assert re.search(said, listed(model), re.M)


def test_the_list_has_every_layer():
    text = listed(Toy())
    assert "3x8x8" in text
    assert "pool2 (LpPool) has no core: p is 7; use 1 to 4." in text
    assert re.search(r"^pool2 +no core +3x8x8 +\? ", text, re.M)
    assert text.endswith("2 pooling layers, 1 of them without a core")
