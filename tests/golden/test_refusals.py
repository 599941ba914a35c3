"""What a specification refuses: one sentence that names the field, the value and what to use."""

import pickle
from typing import Any

import numpy as np
import pytest
from streampool_golden import DType, PoolJob, PoolSpec, SpecError, pool, preset, round_div
from streampool_golden.rounding import round_root

NOT_POSITIVE: list[Any] = [
    0, -1, 2.0, 2.5, float("nan"), float("inf"), True, np.True_, "3", None, 3j, b"3", ...,
    2**31, 10**6000, (), (3, 3, 3, 3), (3, 0), (3, 2.0), (3, True), ((3, 3), (3, 3)), {3}, {3: 3},
]  # fmt: skip
NOT_PADDING: list[Any] = [
    1.0, float("nan"), True, None, "full", "SAME", "", (), (1, 1, 1, 1), (1, 0, 0, 1), ((1, 0), 1),
    (1, (1, 0)), ((1,), (1,)), ((1, 0, 0), (0, 0, 0)), ((1, 0.5), (0, 0)), ((True, 0), (0, 0)),
    (((1, 0), (0, 0)), ((0, 0), (0, 0))), 2**31, -(2**31), {1}, (1, None),
]  # fmt: skip
NOT_BOOLEAN: list[Any] = [0, 1, "yes", None, 1.0, (True, True)]
NOT_DTYPE: list[Any] = [
    "int1", "uint0", "int33", "uint33", "int64", "float64", "int", "INT8", "int08", " int8", "",
    8, None, np.float64, np.int64, int, bool, ("int8",),
]  # fmt: skip

TABLE: list[tuple[str, list[Any]]] = [
    ("op", ["mean", "MAX", "", None, 1, True, ["max"]]),
    ("kernel", NOT_POSITIVE),
    ("stride", [v for v in NOT_POSITIVE if v is not None]),
    ("dilation", NOT_POSITIVE),
    ("padding", NOT_PADDING),
    ("ceil_mode", NOT_BOOLEAN),
    ("count_include_pad", [v for v in NOT_BOOLEAN if v is not None]),
    ("saturate", NOT_BOOLEAN),
    ("divisor_override", [0, 1.0, True, "2", float("nan"), 2**31, (2,)]),
    ("rounding", ["nearest", "half", 0, True]),
    ("dtype", NOT_DTYPE),
    ("out_dtype", ["int65", "uint65", "int1", "float8", 8, np.float64]),
    ("nan", ["nan", "", None, True, "Propagate"]),
    (
        "clamp",
        [0, (0,), (1, 0), (0, 1, 2), (0.0, 6.0), (0, None), (True, 6), "0:6", (-129, 0), (0, 128)],
    ),
    ("ndim", [0, 4, -1, 1.0, True, "2", (2,)]),
    ("adaptive", [0, -1, 2.0, True, "all", (), (1,) * 4, (2, 0), {2}]),
]


def refusal(call) -> SpecError:
    with pytest.raises(SpecError) as caught:
        call()
    return caught.value


def assert_is_a_sentence(error: SpecError) -> None:
    text = str(error)
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 300


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in TABLE for value in values],
    ids=lambda v: "huge" if isinstance(v, int) and v > 2**64 else repr(v),
)
def test_a_bad_value_is_refused_by_name(field, value):
    fields: dict[str, Any] = {"op": "avg", "kernel": 3, field: value}
    error = refusal(lambda: PoolSpec(**fields))
    assert error.field == field
    assert str(error).startswith(f"{field} ")
    assert_is_a_sentence(error)
    if isinstance(value, (float, str)):
        assert repr(value) in str(error)


@pytest.mark.parametrize(
    ("fields", "near"),
    [
        ({"op": "mx"}, "max"),
        ({"op": "AVG"}, "avg"),
        ({"rounding": "half-away"}, "half_away"),
        ({"nan": "propogate"}, "propagate"),
        ({"indices": "channel_last"}, "channels_last"),
        ({"layout": "nhwc"}, "NHWC"),
        ({"padding": "SAME"}, "same"),
        ({"dtype": "INT8"}, "int8"),
        ({"dtype": "bfloat-16"}, "bfloat16"),
        ({"out_dtype": "uint_16"}, "uint16"),
    ],
    ids=str,
)
def test_the_value_that_was_meant_is_offered(fields, near):
    error = refusal(lambda: PoolSpec(**{"op": "avg", "kernel": 3, **fields}))
    assert str(error).endswith(f", did you mean {near}.")


@pytest.mark.parametrize("dtype", ["int64", "float64", "int", "float", "8", "q7"])
def test_no_type_is_offered_for_one_that_there_is_none_of(dtype):
    assert "did you mean" not in str(refusal(lambda: PoolSpec("max", 2, dtype=dtype)))


def test_names_that_were_meant_are_offered():
    assert "did you mean stride" in str(refusal(lambda: PoolSpec("max", 2).replace(strides=2)))
    assert "did you mean tflite" in str(refusal(lambda: preset("tf-lite", "max", 2)))


def test_a_refusal_shows_long_values_cut():
    assert "..." in str(refusal(lambda: PoolSpec("max", tuple(range(99)))))
    assert "too long to print" in str(refusal(lambda: PoolSpec("max", 10**6000)))


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("stride", {"kernel": (3, 3), "stride": (2,)}),
        ("kernel", {"kernel": (3, 3), "ndim": 1}),
        ("padding", {"kernel": (3,), "padding": (1, 0)}),
        ("dilation", {"kernel": 3, "padding": ((1, 0),), "dilation": (1, 1)}),
        ("divisor_override", {"op": "max", "kernel": 3, "divisor_override": 4}),
        ("divisor_override", {"op": "sum", "kernel": 3, "divisor_override": 4}),
        ("out_dtype", {"op": "sum", "kernel": 3, "out_dtype": "int8"}),
        ("out_dtype", {"op": "sum", "kernel": 3, "out_dtype": "int11"}),
        ("out_dtype", {"op": "sum", "kernel": 2**31 - 1, "dtype": "int32", "out_dtype": "int64"}),
        ("out_dtype", {"op": "max", "kernel": 3, "out_dtype": "uint8"}),
        ("out_dtype", {"op": "min", "kernel": 3, "out_dtype": "int7"}),
        ("clamp", {"kernel": 3, "dtype": "uint8", "clamp": (-1, 6)}),
        ("clamp", {"kernel": 3, "out_dtype": "int4", "clamp": (0, 8)}),
        ("clamp", {"op": "sum", "kernel": 3, "out_dtype": "int12", "clamp": (0, 2048)}),
    ],
)
def test_fields_that_do_not_go_together(field, fields):
    error = refusal(lambda: PoolSpec(**{"op": "avg", **fields}))
    assert error.field == field
    assert_is_a_sentence(error)


def test_the_narrowest_that_does_is_named_and_does():
    assert "int12 or saturate=True" in str(refusal(lambda: PoolSpec("sum", 3, out_dtype="int8")))
    assert PoolSpec("sum", 3, out_dtype="int12").out_dtype == "int12"
    assert PoolSpec("sum", 3, out_dtype="int8", saturate=True).out_dtype == "int8"
    assert PoolSpec("max", 3, dtype="uint8", out_dtype="int9").out_dtype == "int9"


@pytest.mark.parametrize(
    ("field", "fields", "size", "part"),
    [
        ("kernel", {"kernel": 5}, (4, 5), "kernel 5 gives no output on 4 padded rows"),
        ("kernel", {"kernel": 3, "padding": "valid"}, (3, 2), "2 padded columns"),
        ("kernel", {"kernel": 2, "dilation": 5}, (5, 9), "dilated to 6"),
        ("kernel", {"kernel": 9, "stride": 2, "ceil_mode": True}, (4, 9), "no output"),
        ("padding", {"kernel": 2, "padding": 2}, (4, 4), "window 0 of 4 along the rows"),
        ("padding", {"kernel": 2, "stride": 1, "padding": ((0, 0), (0, 3))}, (4, 4), "window 4 of"),
        # Taps on either side of a short input, none on it.
        ("padding", {"kernel": 2, "stride": 1, "padding": 1, "dilation": 2}, (1, 8), "window 0 of"),
        ("padding", {"kernel": 2, "padding": "same", "dilation": 4, "stride": 1}, (3, 9), "window"),
        ("padding", {"kernel": 1, "padding": -2}, (4, 9), "crops all of the 4 rows"),
        ("size", {"kernel": 1}, (4, 2**24 + 1), "too large"),
    ],
)
def test_sizes_that_a_specification_does_not_work_on(field, fields, size, part):
    spec = PoolSpec("max", **fields)
    error = refusal(lambda: PoolJob(spec, (3, *size)))
    assert error.field == field
    assert part in str(error)
    assert_is_a_sentence(error)


BAD_SIZES: list[Any] = [(4,), (4, 4, 4), 4, (4, 0), (4, -4), (4, 4.0), (4, True), None, "44", ()]


@pytest.mark.parametrize("size", BAD_SIZES, ids=repr)
def test_bad_sizes(size):
    shape = (1, *size) if isinstance(size, tuple) else size
    assert refusal(lambda: PoolJob(PoolSpec("max", 2), shape)).field == "shape"


def test_an_array_of_no_rows():
    error = refusal(lambda: pool(PoolSpec("max", 2), np.zeros((1, 0, 4), np.int8)))
    assert (error.field, "positive" in str(error)) == ("size", True)


BAD_SHAPES: list[Any] = [(4, 4), (0, 4, 4), (1.0, 4, 4), (True, 4, 4), (1, 1, 4, 4), 4, None]


@pytest.mark.parametrize("shape", BAD_SHAPES, ids=repr)
def test_bad_shapes(shape):
    assert refusal(lambda: PoolJob(PoolSpec("max", 2), shape)).field == "shape"


BAD_LANES: list[Any] = [0, -1, 1.0, True, "2"]


@pytest.mark.parametrize("lanes", BAD_LANES, ids=repr)
def test_bad_lanes(lanes):
    assert refusal(lambda: PoolJob(PoolSpec("max", 2), (1, 4, 4), lanes)).field == "lanes"


def test_a_sum_beyond_63_bits():
    spec = PoolSpec("sum", 2**16, dtype="int32", ceil_mode=True)
    assert refusal(lambda: PoolJob(spec, (1, 2**16, 2**16))).field == "kernel"
    assert PoolJob(spec, (1, 2**15, 2**16)).accumulator.bits == 63


def test_a_clamp_that_no_sum_is_in():
    spec = PoolSpec("sum", 2, clamp=(1000, 2000))
    assert refusal(lambda: PoolJob(spec, (1, 4, 4))).field == "clamp"
    assert PoolJob(PoolSpec("sum", 2, clamp=(0, 2000)), (1, 4, 4)).bounds == (0, 511)


BAD_JSON: list[tuple[Any, str]] = [
    ("{", "json"),
    ("[1]", "json"),
    ("3", "json"),
    (3, "json"),
    ('{"op": "max"}', "kernel"),
    ('{"kernel": 3}', "op"),
    ('{"op": "max", "kernel": 3, "Kernel": 3}', "Kernel"),
    ('{"op": "max", "kernel": NaN}', "kernel"),
    ('{"op": "max", "kernel": 3.0}', "kernel"),
    ('{"op": "max", "kernel": 3, "padding": [1, [1, 0]]}', "padding"),
]


@pytest.mark.parametrize(("data", "field"), BAD_JSON, ids=repr)
def test_bad_json(data, field):
    error = refusal(lambda: PoolSpec.from_json(data))
    assert error.field == field
    assert_is_a_sentence(error)


def test_replace_refuses_what_is_no_field():
    assert refusal(lambda: PoolSpec("max", 2).replace(strides=2)).field == "strides"
    assert refusal(lambda: PoolSpec("max", 2).replace(kernel=0)).field == "kernel"


BAD_ARRAYS: list[tuple[Any, str]] = [
    (np.zeros((4, 4), np.float32), "quantise"),
    (np.zeros((4, 4), bool), "bool"),
    (np.zeros((4, 4), object), "object"),
    (np.zeros((4, 4), complex), "complex"),
    ([["a"] * 4] * 4, "<U1"),
    (np.zeros(4, np.int8), "at least 2 axes"),
    (np.int8(4), "at least 2 axes"),
    (np.full((4, 4), 16), "16"),
    (np.full((4, 4), -17), "use dtype int6"),
    (np.full((4, 4), 2**63, np.uint64), "scale it first"),
]


@pytest.mark.parametrize(("x", "part"), BAD_ARRAYS, ids=lambda v: "x" if np.ndim(v) else repr(v))
def test_bad_arrays(x, part):
    error = refusal(lambda: pool(PoolSpec("max", 2, dtype="int5"), x))
    assert error.field == "x"
    assert part in str(error)
    assert_is_a_sentence(error)


BAD_LAYOUTS: list[Any] = ["NCW", "NWC", "nchw", "", "CHW", 4]


@pytest.mark.parametrize("layout", BAD_LAYOUTS, ids=repr)
def test_bad_layouts(layout):
    x = np.zeros((1, 1, 4, 4), np.int8)
    assert refusal(lambda: pool(PoolSpec("max", 2), x, layout)).field == "layout"


def test_too_few_axes_for_channels_last():
    x = np.zeros((4, 4), np.int8)
    assert refusal(lambda: pool(PoolSpec("max", 2), x, "NHWC")).field == "x"


def test_round_div_refuses():
    assert refusal(lambda: round_div(1, 2, "nearest")).field == "rounding"
    with pytest.raises(ZeroDivisionError):
        round_div([1, 2], [1, 0])


def test_types_that_do_not_exist():
    assert refusal(lambda: DType.of("int99")).field == "dtype"
    assert refusal(lambda: DType.holding(-1, 2**63)).field == "dtype"


def test_a_refusal_is_a_value_error_that_pickles():
    error = pickle.loads(pickle.dumps(SpecError("kernel", "kernel must be less.")))
    assert issubclass(SpecError, ValueError)
    assert type(error) is SpecError
    assert (error.field, str(error)) == ("kernel", "kernel must be less.")


BESIDE_ADAPTIVE: list[tuple[str, dict[str, Any]]] = [
    ("kernel", {}),
    ("kernel", {"kernel": "all"}),
    ("kernel", {"kernel": 3, "adaptive": 2}),
    ("kernel", {"kernel": "global", "adaptive": 2}),
    *(
        (name, {**windows, name: value})
        for windows in ({"kernel": "global"}, {"adaptive": (2, 2)})
        for name, value in (
            ("stride", 1),
            ("padding", 1),
            ("padding", "same"),
            ("dilation", 2),
            ("ceil_mode", True),
        )
    ),
]


@pytest.mark.parametrize(("field", "fields"), BESIDE_ADAPTIVE)
def test_windows_are_said_once(field, fields):
    assert refusal(lambda: PoolSpec("avg", **fields)).field == field


def test_global_beside_another_size_is_told_from_a_word_that_is_none():
    refused = refusal(lambda: PoolSpec("max", "global", adaptive=2))
    assert "kernel global has no meaning with adaptive 2" in str(refused)
    assert PoolSpec("max", "global", adaptive="global") == PoolSpec("max", "global")


@pytest.mark.parametrize(
    ("field", "spec", "size"),
    [
        ("size", PoolSpec("avg", adaptive=(4, 1 << 25)), (8, 7)),
        ("kernel", PoolSpec("lp4", 3, dtype="uint16"), (4, 4)),
        ("ceil_mode", PoolSpec("max", 1, 3, ceil_mode="caffe"), (4, 5)),
        ("kernel", PoolSpec("l2", 2, dtype="int32"), (4, 4)),
        ("kernel", PoolSpec("lp2", "global", dtype="uint30"), (9, 9)),
        ("out_dtype", PoolSpec("lp1", "global", out_dtype="uint8"), (4, 4)),
    ],
)
def test_what_only_the_size_tells(field, spec, size):
    assert refusal(lambda: PoolJob(spec, (1, *size))).field == field
    assert refusal(lambda: pool(spec, np.zeros((1, *size), spec.in_dtype.numpy))).field == field


def test_a_root_of_less_than_nothing():
    assert refusal(lambda: PoolSpec("l2", 2, divisor_override=-2)).field == "divisor_override"


def test_round_root_refuses():
    bad: list[tuple[str, tuple[Any, ...]]] = [
        ("num", (-1,)),
        ("num", ([4, 2**64],)),
        ("num", (2.5,)),
        ("num", ("4",)),
        ("den", (4, [2, -1])),
        ("rounding", (4, 1, "up")),
    ]
    for field, arguments in bad:
        with pytest.raises(SpecError) as refused:
            round_root(*arguments)
        assert refused.value.field == field
    with pytest.raises(ZeroDivisionError):
        round_root(4, [1, 0])
