"""Calls of a PyTorch model, as layers: without torch."""

from typing import Any

import pytest
from streampool_models.names import Names
from streampool_models.pytorch.calls import Call, Fact, Trace, named
from streampool_models.pytorch.pools import sites

F32 = Fact((1, 4, 12, 12), "float32")


def trace_of(*calls: tuple[str, str, dict[str, Any]], **facts: Fact) -> Trace:
    """Return a chain of calls ``function, values`` such as ``"relu", "x y"``; x is of float32."""
    trace = Trace([], {"x": F32, **facts})
    for function, values, arguments in calls:
        first, *outs = values.split()
        for value in outs:
            trace.facts.setdefault(value, trace.facts[first])
        trace.calls.append(Call(function, function, function, arguments, (first,), tuple(outs)))
    return trace


def spec_of(function: str, fact: Fact = F32, **arguments: Any):
    [site] = sites(trace_of((function, "x y", arguments), x=fact))
    return site.layer


@pytest.mark.parametrize(
    ("function", "arguments", "fields"),
    [
        ("max_pool2d", {"kernel_size": 3}, {"kernel": (3, 3), "stride": (3, 3)}),
        ("max_pool2d", {"kernel_size": [3, 2], "stride": []}, {"stride": (3, 2)}),
        ("max_pool2d", {"kernel_size": [3], "stride": [2]}, {"kernel": (3, 3), "stride": (2, 2)}),
        (
            "max_pool2d",
            {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True},
            {"padding": ((1, 1),) * 2, "dilation": (2, 2), "ceil_mode": True},
        ),
        ("max_pool2d_with_indices", {"kernel_size": 2}, {"indices": "plane"}),
        ("_adaptive_max_pool2d", {"output_size": (4, None)}, {"adaptive": (4, None)}),
        ("adaptive_max_pool2d", {"output_size": 1}, {"adaptive": "global"}),
        ("amax", {"dim": [-1, -2]}, {"adaptive": "global", "op": "max"}),
    ],
)
def test_arguments_are_taken_whole(function, arguments, fields):
    layer = spec_of(function, **arguments)
    assert layer.refusal is None
    assert {name: getattr(layer.spec, name) for name in fields} == fields


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_pools_of_every_number_of_axes(ndim):
    fact = Fact((2, 4, *(8,) * ndim), "float16")
    for function, arguments in (
        (f"max_pool{ndim}d", {"kernel_size": 2}),
        (f"avg_pool{ndim}d", {"kernel_size": 2, "count_include_pad": False, "padding": 1}),
        (f"adaptive_avg_pool{ndim}d", {"output_size": 2}),
    ):
        layer = spec_of(function, fact, **arguments)
        assert layer.refusal is None
        assert layer.shape == (4, *(8,) * ndim)
        assert layer.spec is not None and layer.spec.ndim == ndim


def test_a_frame_may_come_without_a_batch():
    assert spec_of("max_pool2d", Fact((4, 6, 6), "float32"), kernel_size=2).shape == (4, 6, 6)


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        ("fractional_max_pool2d", {"kernel_size": 2}, "draws its windows at random"),
        ("max_unpool2d", {"kernel_size": 2}, "unpooling is no pooling"),
        ("roi_align", {}, "its windows come with its input"),
        ("max_pool2d", {"kernel_size": 2, "padding": -1}, "padding must be from 0 to half"),
        ("max_pool2d", {"kernel_size": 2, "padding": 2}, "padding must be from 0 to half"),
        ("max_pool2d", {"kernel_size": 0}, "kernel_size must be a positive integer"),
        ("max_pool2d", {"kernel_size": 2, "strange": 1}, "strange"),
        ("lp_pool2d", {"norm_type": 2.0, "kernel_size": 2, "ceil_mode": True}, "ceil_mode"),
        ("lp_pool2d", {"norm_type": 2.5, "kernel_size": 2}, "norm_type"),
        ("avg_pool2d", {"kernel_size": 2, "divisor_override": 0}, "divisor_override"),
        ("avg_pool2d", {"kernel_size": 2}, "an average of float32 has no exact core"),
        ("adaptive_avg_pool2d", {"output_size": 1}, "an average of float32 has no exact core"),
        ("max_pool2d", {"kernel_size": 13}, "gives no output"),
    ],
)
def test_what_has_no_core_says_why(function, arguments, reason):
    assert reason in (spec_of(function, **arguments).refusal or "")


def test_types_without_a_core_are_refused_by_name():
    for dtype in ("float64", "int64", "bool", "complex64"):
        layer = spec_of("max_pool2d", Fact((1, 1, 4, 4), dtype), kernel_size=2)
        assert dtype in (layer.refusal or "")


@pytest.mark.parametrize("axes", [1, [1], [1, 2, 3], [0, 2, 3], [3], None])
def test_reductions_of_something_else_are_no_layers(axes):
    assert sites(trace_of(("mean", "x y", {"dim": axes}))) == []


def test_a_mean_over_positions_is_one():
    layer = spec_of("mean", Fact((1, 4, 6, 6), "float16"), dim=(2, 3))
    assert layer.spec is not None and (layer.spec.op, layer.spec.adaptive) == ("avg", "global")


U8 = Fact((1, 4, 12, 12), "uint8", (0.1, 7))
PAIR = {"scale": 0.5, "zero_point": 3, "quant_min": -128, "quant_max": 127}
OUT = {**PAIR, "scale": 0.25, "zero_point": -4}
INTEGERS = Fact((1, 4, 12, 12), "int8")
REALS = {"y": F32, "z": F32, "a": F32}


def test_a_relu_before_a_maximum_of_a_quantized_tensor_is_its_clamp():
    calls = (("relu", "x y", {}), ("max_pool2d", "y z", {"kernel_size": 2}))
    [site] = sites(trace_of(*calls, x=U8))
    assert site.source == "x"
    assert site.layer.spec is not None
    assert (site.layer.spec.dtype, site.layer.spec.clamp) == ("uint8", (7, 255))


def test_a_relu_before_an_average_is_not():
    calls = (("relu", "x y", {}), ("avg_pool2d", "y z", {"kernel_size": 2}))
    [site] = sites(trace_of(*calls, x=U8))
    assert site.source == "y"
    assert site.layer.spec is not None
    assert (site.layer.spec.clamp, site.layer.spec.zero_points) == (None, (7, 7))


INF = float("inf")


@pytest.mark.parametrize(
    ("function", "arguments", "clamp"),
    [
        ("relu", {}, (0, INF)),
        ("relu_", {}, (0, INF)),
        ("relu6", {}, (0, 6)),
        ("hardtanh", {}, (-1, 1)),
        ("hardtanh", {"min_val": 0.0, "max_val": 6.0}, (0, 6)),
        ("clamp", {"min": 0}, (0, INF)),
        ("clamp", {"max": 0.1}, (-INF, 0.10000000149011612)),
        ("clip", {"min": -2, "max": 1}, (-2, 1)),
        ("clamp_min", {"min": 0}, (0, INF)),
    ],
)
def test_an_activation_before_a_maximum_of_floats_is_its_clamp(function, arguments, clamp):
    calls = ((function, "x y", arguments), ("max_pool2d", "y z", {"kernel_size": 2}))
    [site] = sites(trace_of(*calls, y=F32))
    assert site.layer.spec is not None
    assert (site.source, site.layer.spec.clamp) == ("x", clamp)
    assert "its core clamps, too" in site.layer.notes[0]


@pytest.mark.parametrize(
    ("function", "arguments", "pool", "more"),
    [
        ("relu", {}, "max_pool2d_with_indices", {}),
        ("clamp", {"min": 3, "max": 1}, "max_pool2d", {}),
        ("clamp", {"min": float("nan")}, "max_pool2d", {}),
        ("clamp", {"min": "a tensor"}, "max_pool2d", {}),
    ],
)
def test_an_activation_that_cannot_be_a_clamp_stays(function, arguments, pool, more):
    calls = ((function, "x y", arguments), (pool, "y z", {"kernel_size": 2, **more}))
    [site] = sites(trace_of(*calls, y=F32))
    assert site.layer.spec is not None
    assert (site.source, site.layer.spec.clamp) == ("y", None)
    assert "stays before its core" in site.layer.notes[0]


def test_a_relu_stays_before_indices_of_integers():
    calls = (("relu", "x y", {}), ("max_pool2d_with_indices", "y z", {"kernel_size": 2}))
    [site] = sites(trace_of(*calls, x=U8, y=U8))
    assert (site.source, site.layer.spec and site.layer.spec.clamp) == ("y", None)


@pytest.mark.parametrize("activation", [("relu6", {}), ("clamp", {"min": 1}), ("gelu", {})])
def test_other_activations_stay_before_the_core(activation):
    calls = ((activation[0], "x y", activation[1]), ("max_pool2d", "y z", {"kernel_size": 2}))
    [site] = sites(trace_of(*calls, x=U8))
    assert site.source == "y"
    assert site.layer.spec is not None and site.layer.spec.clamp is None


def between(pool: str, *more: str, **arguments: Any):
    """Return a pool between a node that makes reals of integers and one that makes them back."""
    views = [(name, f"z{k} z{k + 1}", {}) for k, name in enumerate(more)]
    calls = [
        ("dequantize_per_tensor", "x y", PAIR),
        (pool, "y z0", arguments),
        *views,
        ("quantize_per_tensor", f"z{len(more)} q", OUT),
    ]
    facts = {f"z{k}": F32 for k in range(len(more) + 1)}
    [site] = sites(trace_of(*calls, x=INTEGERS, y=F32, q=INTEGERS, **facts))
    return site


def test_an_average_between_quantisers_has_both_their_scales():
    for views in ((), ("flatten",), ("flatten", "dropout")):
        site = between("avg_pool2d", *views, kernel_size=2)
        spec = site.layer.spec
        assert spec is not None
        assert (spec.scale, spec.zero_points, spec.dtype) == (2, (3, -4), "int8")
        assert (site.source, site.inside, site.outside) == ("x", (0.5, 3), (0.25, -4))


def test_what_is_not_quantised_behind_is_an_average_of_floats():
    site = between("avg_pool2d", "softmax", kernel_size=2)
    assert site.source == "y"
    assert "average of float32" in (site.layer.refusal or "")


def test_a_maximum_of_what_a_relu_makes_of_integers_is_clamped():
    calls = (
        ("dequantize_per_tensor", "x y", PAIR),
        ("relu", "y z", {}),
        ("max_pool2d", "z a", {"kernel_size": 2}),
    )
    [site] = sites(trace_of(*calls, x=INTEGERS, **REALS))
    assert site.source == "x"
    assert site.layer.spec is not None
    assert (site.layer.spec.dtype, site.layer.spec.clamp) == ("int8", (3, 127))


def test_a_scale_per_channel_commutes_with_a_maximum_alone():
    found = []
    for pool in ("max_pool2d", "avg_pool2d"):
        calls = (("dequantize_per_channel", "x y", {}), (pool, "y z", {"kernel_size": 2}))
        [site] = sites(trace_of(*calls, x=INTEGERS, **REALS))
        found.append(site.layer)
    assert found[0].spec is not None and found[0].spec.dtype == "float32"
    assert "its scale is per channel" in (found[1].refusal or "")


def test_names_are_given_once():
    names = Names(["pool", "pool_1"])
    assert [names("pool"), names("pool_1"), names("pool"), names("relu"), names("relu")] == [
        *("pool", "pool_1", "pool_2", "relu", "relu_1")
    ]


def test_arguments_go_by_place_or_name():
    assert named("avg_pool", (2, 2), {"ceil_mode": True}) == {
        **{"kernel_size": 2, "stride": 2, "ceil_mode": True}
    }
