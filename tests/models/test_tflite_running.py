"""TFLite models in LiteRT: whole, and with their pooling layers' activations led through golden."""

import importlib
from itertools import product

import numpy as np
import pytest
from streampool_models.tflite.model import TfliteModel
from streampool_models.tflite.names import OPERATORS, TYPES
from streampool_sim.refusals import Refused
from tflite_files import Graph, Operator, Struct, Tensor, axes, model, pool, reduce

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert runs TFLite models")

SHAPE = (2, 9, 7, 5)


def values(dtype: str, shape=SHAPE, seed: int = 3) -> np.ndarray:
    """Return random values of a type, the same whatever tests ran before."""
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        return rng.standard_normal(shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max + 1, shape).astype(dtype)


def compared(content: bytes, *inputs: np.ndarray) -> list[int]:
    """Return how much each layer differs, having checked that the cuts change nothing."""
    made = TfliteModel(content)
    worst = []

    def through(layer, x, y):
        assert layer.job is not None and x.shape[1:] == layer.job.shape
        [golden] = layer.job.reference(x)
        worst.append(int(np.abs(golden.astype(np.float64) - y[0].astype(np.float64)).max()))
        return (golden,)

    whole = made.run(inputs)
    cut = made.run(inputs, lambda layer, x, y: y)
    replaced = made.run(inputs, through)
    assert all(np.array_equal(one, other) for one, other in zip(whole, cut, strict=True))
    if not any(worst):
        assert all(np.array_equal(one, other) for one, other in zip(whole, replaced, strict=True))
    assert len(worst) == sum(layer.job is not None for layer in made.layers)
    return worst


def test_the_names_are_those_of_the_schema():
    schema = importlib.import_module("ai_edge_litert.schema_py_generated")
    for names, kind in ((OPERATORS, "BuiltinOperator"), (TYPES, "TensorType")):
        known = vars(getattr(schema, kind))
        numbers = {value: key for key, value in known.items() if isinstance(value, int)}
        assert [numbers[i].lower() for i in range(len(names))] == [each.lower() for each in names]


@pytest.mark.parametrize(
    ("op", "dtype", "activation"),
    [
        *product(
            ["MAX_POOL_2D", "AVERAGE_POOL_2D"],
            ["int8", "uint8", "int16"],
            ["none", "relu", "relu1", "relu6"],
        ),
        *product(["MAX_POOL_2D"], ["float32"], ["none", "relu", "relu1", "relu6"]),
    ],
)
def test_windows_are_as_in_litert(op, dtype, activation):
    zero = (0 if dtype == "int16" else 5,)
    sizes = {"same": (2, 5, 4, 5), "valid": (2, 4, 3, 5)}
    for padding, out in sizes.items():
        tensors = [
            Tensor("x", SHAPE, dtype, (0.1,), zero),
            Tensor("y", out, dtype, (0.1,), zero),
        ]
        operator = pool(op, (3, 2), (2, 2), padding, activation)
        assert compared(model(Graph(tensors, [operator])), values(dtype)) == [0]


@pytest.mark.parametrize("op", ["REDUCE_MAX", "REDUCE_MIN"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "float32"])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    ("along", "left"), [((1, 2), (1, 1, 5)), ((2,), (9, 1, 5)), ((2, 3), (9, 1, 1))]
)
def test_reductions_are_as_in_litert(op, dtype, keep, along, left):
    out = (2, *(left if keep else (size for size in left if size != 1)))
    tensors = [Tensor("x", SHAPE, dtype), Tensor("y", out, dtype), axes(*along)]
    content = model(Graph(tensors, [reduce(op, 2, keep)]))
    assert compared(content, values(dtype)) == [0]


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize(
    ("scales", "zeros"),
    [((0.5, 0.5), (3, 3)), ((0.25, 0.5), (3, 8)), ((0.5, 0.125), (7, 0)), ((0.3, 0.7), (1, 2))],
)
@pytest.mark.parametrize("size", [(2, 4), (7, 7), (3, 1)])
def test_a_mean_is_rounded_as_in_litert(dtype, scales, zeros, size):
    shape = (2, *size, 300)
    tensors = [
        Tensor("x", shape, dtype, scales[:1], zeros[:1]),
        Tensor("y", (2, 300), dtype, scales[1:], zeros[1:]),
        axes(1, 2),
    ]
    # an even number of taps has halves, and float32 has not those of a ratio such as 3 / 7
    off = int(size == (2, 4) and scales == (0.3, 0.7))
    assert compared(model(Graph(tensors, [reduce("MEAN", 2)])), values(dtype, shape)) == [off]


def test_a_mean_at_a_half_that_float32_does_not_have_may_differ_by_1():
    shape = (2, 2, 4, 900)
    tensors = [
        Tensor("x", shape, scale=(0.3,)),
        Tensor("y", (2, 900), scale=(0.1,)),
        axes(1, 2),
    ]
    content = model(Graph(tensors, [reduce("MEAN", 2)]))
    assert compared(content, values("int8", shape)) == [1]
    [layer] = TfliteModel(content).layers
    assert "may differ by 1" in layer.notes[0]


def test_a_mean_of_int16_differs_by_1_at_the_most():
    tensors = [Tensor("x", (1, 7, 7, 900), "int16"), Tensor("y", (1, 900), "int16"), axes(1, 2)]
    content = model(Graph(tensors, [reduce("MEAN", 2)]))
    assert compared(content, values("int16", (1, 7, 7, 900))) == [1]


DRAWN = Operator("RANDOM_UNIFORM", (), (2,))

# x -> relu -> max -> z, and relu + max -> sum, whose mean leaves too
BRANCHES = Graph(
    [
        Tensor("x", SHAPE),
        Tensor("relu", SHAPE),
        Tensor("max", SHAPE),
        Tensor("sum", SHAPE, scale=(1.0,)),
        axes(1, 2),
        Tensor("mean", (2, 5), scale=(1.0,)),
    ],
    [
        Operator("RELU", (0,), (1,), version=2),
        pool("MAX_POOL_2D", (3, 3), padding="same", inputs=(1,), outputs=(2,)),
        Operator("ADD", (1, 2), (3,), (11, {}), version=2),
        reduce("MEAN", 4, inputs=(3, 4), outputs=(5,)),
    ],
    outputs=(2, 5, 3),
)


def test_a_value_that_is_used_on_both_sides_of_a_cut_is_kept():
    assert compared(model(BRANCHES), values("int8")) == [0, 0]


def test_what_goes_back_in_is_what_the_rest_of_the_model_takes():
    made = TfliteModel(model(BRANCHES))

    def zero(layer, x, y):
        return (np.zeros_like(y[0]) if layer.name == "max" else y[0],)

    x = np.maximum(values("int8"), 0) // 2 * 2
    largest, mean, total = made.run([x], zero)
    assert not largest.any()
    assert np.array_equal(total, x // 2)
    assert mean.shape == (2, 5)


def test_a_body_is_listed_and_left_to_litert():
    ends = [Tensor("in", (2, 4, 3, 5)), Tensor("out", (2, 4, 3, 5))]
    main = Graph(
        [
            Tensor("x", SHAPE),
            Tensor("pooled", (2, 4, 3, 5)),
            Tensor("which", (1,), "bool", (), (), b"\1"),
            Tensor("y", (2, 4, 3, 5)),
        ],
        [
            pool("MAX_POOL_2D", (3, 2), (2, 2)),
            Operator("IF", (2, 1), (3,), (92, {0: Struct("Int32", 1), 1: Struct("Int32", 2)})),
        ],
        outputs=(3,),
    )
    then = Graph(ends, [pool("AVERAGE_POOL_2D", (2, 2), padding="same")], name="then")
    other = Graph(ends, [Operator("RELU", (0,), (1,), version=2)], name="else")
    made = TfliteModel(model(main, then, other))
    assert [layer.name for layer in made.layers] == ["pooled", "then/out"]
    x, seen = values("int8"), []

    def through(layer, x, y):
        seen.append(layer.name)
        return layer.job.reference(x)

    [whole], [cut] = made.run([x]), made.run([x], through)
    assert seen == ["pooled"]
    assert np.array_equal(whole, cut)


def test_what_keeps_a_state_is_not_cut():
    tensors = [Tensor("x", SHAPE), Tensor("y", SHAPE)]
    operator = pool("MAX_POOL_2D", (3, 3), padding="same")
    made = TfliteModel(model(Graph([*tensors, Tensor("z", (1,))], [operator, DRAWN])), "net")
    with pytest.raises(Refused, match="keeps a state or draws numbers"):
        made.run([values("int8")], lambda layer, x, y: y)


def test_reals_are_quantised_where_the_input_is():
    made = TfliteModel(model(BRANCHES))
    x = values("int8")
    for one, other in zip(made.run([x]), made.run([x * 0.5]), strict=True):
        assert np.array_equal(one, other)


def test_a_given_shape_leads_to_those_of_the_layers():
    made = TfliteModel(model(BRANCHES), "net", [(1, 20, 30, 5)])
    assert [layer.shape for layer in made.layers] == [(5, 20, 30), (5, 20, 30)]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "has 1 inputs, and 0 are given"),
        ([np.zeros(SHAPE, np.int32)], "is of int8"),
        ([np.zeros((2, 9, 7), np.int8)], "LiteRT does not run net"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs, said):
    with pytest.raises(Refused, match=said):
        TfliteModel(model(BRANCHES), "net").run(inputs)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [([SHAPE, SHAPE], "has 1 inputs"), ([(2, 9)], "does not fit net, which takes 2x9x7x5")],
)
def test_shapes_that_do_not_fit_are_refused(shapes, said):
    with pytest.raises(Refused, match=said):
        TfliteModel(model(BRANCHES), "net", shapes)
