"""TFLite files: their pooling layers, without LiteRT."""

import random

import pytest
from streampool_golden import PoolSpec
from streampool_models.tflite.model import TfliteModel
from streampool_sim.refusals import Refused
from tflite_files import (
    Graph,
    Operator,
    Struct,
    Tensor,
    Vector,
    axes,
    model,
    pool,
    reduce,
    written,
)

FRAME = (1, 8, 6, 3)


def graph(operator: Operator, shape=FRAME, dtype="int8", *more: Tensor, **out) -> Graph:
    """Return a graph of one operator from `x` to `y`."""
    taken = Tensor("x", shape, dtype, **{k: out.pop(k) for k in ("signature",) if k in out})
    return Graph([taken, Tensor("y", (1,), dtype, **out), *more], [operator])


def only(*graphs: Graph):
    """Return the one layer of a model."""
    [layer] = TfliteModel(model(*graphs)).layers
    return layer


@pytest.mark.parametrize(
    ("operator", "dtype", "spec"),
    [
        (
            pool("MAX_POOL_2D", (3, 2), (2, 1), "same"),
            "int8",
            PoolSpec("max", (3, 2), (2, 1), "same"),
        ),
        (
            pool("AVERAGE_POOL_2D", (2, 2), (2, 2), "same"),
            "uint8",
            PoolSpec("avg", 2, padding="same", dtype="uint8"),
        ),
        (
            pool("AVERAGE_POOL_2D", (2, 3)),
            "int16",
            PoolSpec("avg", (2, 3), 1, "valid", count_include_pad=False, dtype="int16"),
        ),
        (
            pool("MAX_POOL_2D", (2, 2), activation="relu"),
            "int8",
            PoolSpec("max", (2, 2), 1, "valid", clamp=(0, 127)),
        ),
        (
            pool("AVERAGE_POOL_2D", (2, 2), padding="same", activation="relu6"),
            "int8",
            PoolSpec("avg", (2, 2), 1, "same", clamp=(0, 12)),
        ),
        (
            pool("AVERAGE_POOL_2D", (2, 2), padding="same", activation="relu1"),
            "int8",
            PoolSpec("avg", (2, 2), 1, "same", clamp=(-2, 2)),
        ),
        (
            pool("MAX_POOL_2D", (3, 3), (2, 2), "same"),
            "float32",
            PoolSpec("max", 3, 2, "same", dtype="float32", nan="ignore"),
        ),
        (
            pool("MAX_POOL_2D", (3, 3), (2, 2), "same", activation="relu"),
            "float32",
            PoolSpec("max", 3, 2, "same", dtype="float32", nan="ignore", clamp=(0, "inf")),
        ),
        (
            pool("MAX_POOL_2D", (3, 3), (2, 2), "same", activation="relu1"),
            "float32",
            PoolSpec("max", 3, 2, "same", dtype="float32", nan="ignore", clamp=(-1, 1)),
        ),
    ],
)
def test_an_operator_with_windows_is_read_whole(operator, dtype, spec):
    layer = only(graph(operator, dtype=dtype))
    assert layer.spec == spec
    assert (layer.name, layer.op, layer.shape) == ("y", operator.op, (3, 8, 6))
    assert layer.refusal is None


@pytest.mark.parametrize(
    ("op", "along", "shape", "spec", "frame"),
    [
        ("REDUCE_MAX", (1, 2), FRAME, PoolSpec("max", "global", ndim=2), (3, 8, 6)),
        ("REDUCE_MIN", (-3, -2), FRAME, PoolSpec("min", "global", ndim=2), (3, 8, 6)),
        ("REDUCE_MAX", (2,), FRAME, PoolSpec("max", (1, 6)), (3, 8, 6)),
        ("REDUCE_MAX", (3, 2), FRAME, PoolSpec("max", "global", ndim=2), (8, 6, 3)),
        ("REDUCE_MAX", (1,), (1, 9, 4), PoolSpec("max", "global", ndim=1), (4, 9)),
        ("REDUCE_MAX", (1, 2, 3), (2, 4, 5, 6, 7), PoolSpec("max", "global", ndim=3), (7, 4, 5, 6)),
        (
            "MEAN",
            (1, 2),
            FRAME,
            PoolSpec("avg", "global", ndim=2, rounding="half_even"),
            (3, 8, 6),
        ),
    ],
)
def test_a_reduction_of_spatial_axes_is_pooling(op, along, shape, spec, frame):
    layer = only(graph(reduce(op, 2), shape, "int8", axes(*along)))
    assert (layer.spec, layer.shape) == (spec, frame)
    assert layer.refusal is None


@pytest.mark.parametrize(
    ("along", "shape"),
    [((3,), FRAME), ((0, 1), FRAME), ((2,), (1, 9, 4)), ((1,), (4, 5)), ((), FRAME)],
)
def test_a_reduction_of_other_axes_is_none(along, shape):
    made = model(graph(reduce("REDUCE_MAX", 2), shape, "int8", axes(*along)))
    assert not TfliteModel(made).layers


def test_a_mean_rescales_from_its_inputs_scale_to_its_outputs():
    operator = reduce("MEAN", 2)
    layer = only(graph(operator, FRAME, "int8", axes(1, 2), scale=(0.25,), zero=(-7,)))
    assert layer.spec is not None
    assert (layer.spec.scale, layer.spec.zero_points) == (2, (0, -7))


def test_a_mean_of_int16_says_where_litert_differs():
    layer = only(graph(reduce("MEAN", 2), FRAME, "int16", axes(1, 2)))
    assert layer.job is not None
    assert "may differ by 1" in layer.notes[0]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (graph(pool("AVERAGE_POOL_2D", (2, 2)), scale=(0.25,)), "does not rescale"),
        (graph(pool("MAX_POOL_2D", (2, 2)), zero=(3,)), "does not rescale"),
        (graph(pool("MAX_POOL_2D", (2, 2)), scale=(0.5, 1.0, 2.0)), "scale per channel"),
        (graph(pool("MAX_POOL_2D", (2, 2), activation="tanh")), "fused activation is tanh"),
        (
            graph(pool("AVERAGE_POOL_2D", (2, 2), activation="relu"), dtype="float32"),
            "relu clamps an average of float32",
        ),
        (graph(pool("AVERAGE_POOL_2D", (2, 2)), dtype="float32"), "use --calibrate or --scale"),
        (graph(pool("L2_POOL_2D", (2, 2)), dtype="float32"), "use --calibrate or --scale"),
        (graph(pool("L2_POOL_2D", (2, 2))), "no L2_POOL_2D of int8"),
        (graph(pool("MAX_POOL_2D", (2, 2)), dtype="int32"), "no MAX_POOL_2D of int32"),
        (graph(pool("MAX_POOL_2D", (2, 2)), (1, 8, 6)), "3 axes"),
        (graph(pool("MAX_POOL_2D", (0, 2))), "kernel"),
        (graph(pool("MAX_POOL_2D", (9, 9))), "kernel"),
        (graph(pool("MAX_POOL_2D", (2, 2), options=None)), "lacks a tensor or its options"),
        (
            graph(pool("MAX_POOL_2D", (2, 2), options=(5, {0: Struct("Int8", 7)}))),
            "padding is number 7",
        ),
        (graph(pool("MAX_POOL_2D", (2, 2)), signature=(-1, -1, 6, 3)), "use --input-shape"),
        (graph(reduce("REDUCE_MAX", 0)), "axes are known only when it runs"),
        (graph(reduce("MEAN", 2), FRAME, "int32", axes(1, 2)), "truncates"),
        (graph(Operator("STABLEHLO_REDUCE_WINDOW", (0,), (1,))), "windows that are not read"),
        (graph(Operator("CUSTOM", (0,), (1,), custom="MaxPool3D")), "MaxPool3D"),
    ],
)
def test_what_no_core_computes_is_listed_with_its_reason(made, reason):
    layer = only(made)
    assert layer.job is None
    assert reason in (layer.refusal or "")


def test_a_batch_that_is_open_leaves_the_frame_known():
    layer = only(graph(pool("MAX_POOL_2D", (2, 2)), signature=(-1, 8, 6, 3)))
    assert layer.shape == (3, 8, 6)


def test_layers_of_a_body_have_its_name_and_no_two_the_same():
    one = graph(pool("MAX_POOL_2D", (2, 2)))
    twice = Graph(one.tensors, [*one.operators, *one.operators], name="body")
    nameless = Graph([Tensor("", FRAME), Tensor("", FRAME)], one.operators, name="")
    layers = TfliteModel(model(one, twice, nameless)).layers
    assert [layer.name for layer in layers] == ["y", "body/y", "body/y #2", "graph 2/max_pool_2d_0"]


def test_the_operators_are_listed():
    tensors = [Tensor(name, FRAME) for name in "xyz"]
    relu = Operator("RELU", (0,), (2,))
    made = model(Graph(tensors, [relu, pool("MAX_POOL_2D", (2, 2), inputs=(2,))]))
    first, second = TfliteModel(made).nodes
    assert (first.op, first.outputs, first.layer) == ("RELU", ("z",), None)
    assert (second.op, second.inputs, second.layer) == ("MAX_POOL_2D", ("z",), "y")


def test_a_name_cannot_steer_a_terminal():
    tensors = [Tensor("x", FRAME), Tensor("\x1b[2Jy\n", FRAME)]
    assert only(Graph(tensors, [pool("MAX_POOL_2D", (2, 2))])).name == "\ufffd[2Jy\ufffd"


WHOLE = model(
    graph(pool("MAX_POOL_2D", (2, 2))), graph(reduce("MEAN", 2), FRAME, "int8", axes(1, 2))
)


def read(content: bytes) -> str:
    """Return what is said of a file, whether it is read or refused."""
    try:
        return str([layer.to_json() for layer in TfliteModel(content).layers])
    except Refused as error:
        return str(error)


def test_damage_anywhere_is_refused_or_read():
    rng = random.Random(5)
    refused = 0
    for _ in range(300):
        content = bytearray(WHOLE)
        for _ in range(rng.choice([1, 2, 8])):
            content[rng.randrange(len(content))] = rng.choice([0, 1, 127, 128, 255])
        said = read(bytes(content[: rng.choice([None, rng.randrange(1, len(content))])]))
        assert said[0] == "[" or "the model is no TFLite model that can be read: " in said
        refused += said[0] != "["
    assert 100 < refused < 300


def test_a_table_that_stands_for_many_is_not_read_for_ever():
    tensors = Vector("table", [{3: "x"}], times=3000)
    graphs = Vector("table", [{0: tensors}], times=3000)
    assert "again and again" in read(written({0: Struct("Uint32", 3), 2: graphs}))
