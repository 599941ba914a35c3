"""What is typed becomes the specification that it says."""

import pytest
from streampool_golden import PoolSpec, float32_ratio
from streampool_sim import options as opt


def spec(*words: str, ndim: int = 2) -> PoolSpec:
    parser = opt.Parser(prog="x")
    opt.add_spec_options(parser, dtype_note="int8")
    parsed, unknown = parser.parse_known_args(opt.normalise(words))
    parser.refuse_unknown(unknown)
    return opt.spec_of(parsed, dtype="int8", ndim=ndim, size=(9,) * ndim)


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("", {"kernel": 3, "stride": 2, "padding": 1}),
        ("--stride 1", {"kernel": 3, "stride": 1, "padding": 1}),
        ("--kernel 2", {"kernel": 2}),
        ("--kernel 3x2", {"kernel": (3, 2)}),
        ("--kernel 3 --stride 2x1", {"kernel": 3, "stride": (2, 1)}),
        ("--kernel 3 --padding 1x0", {"kernel": 3, "padding": (1, 0)}),
        ("--kernel 3 --padding 0:1x0:1", {"kernel": 3, "padding": ((0, 1), (0, 1))}),
        ("--kernel 3 --padding 1x0:1", {"kernel": 3, "padding": ((1, 1), (0, 1))}),
        ("--kernel 3 --padding -1:0x0:-2", {"kernel": 3, "padding": ((-1, 0), (0, -2))}),
        ("--kernel 3 --padding -1", {"kernel": 3, "padding": -1}),
        ("--kernel 3 --padding -1x-2", {"kernel": 3, "padding": (-1, -2)}),
        ("--kernel 3 --padding same", {"kernel": 3, "padding": "same"}),
        ("--kernel 3 --padding same-lower", {"kernel": 3, "padding": "same_lower"}),
        ("--kernel 3 --padding same_lower", {"kernel": 3, "padding": "same_lower"}),
        ("--kernel 3 --padding valid", {"kernel": 3, "padding": "valid"}),
        ("--kernel 3 --dilation 2x1", {"kernel": 3, "dilation": (2, 1)}),
        ("--kernel 3 --ceil-mode", {"kernel": 3, "ceil_mode": True}),
        ("--kernel 3 --ceil_mode", {"kernel": 3, "ceil_mode": True}),
        ("--op avg --kernel 2 --divisor -3", {"op": "avg", "kernel": 2, "divisor_override": -3}),
        (
            "--op avg --kernel 2 --no-count-include-pad",
            {"op": "avg", "kernel": 2, "count_include_pad": False},
        ),
        (
            "--op avg --kernel 2 --padding same --count_include_pad",
            {"op": "avg", "kernel": 2, "padding": "same", "count_include_pad": True},
        ),
        (
            "--op avg --kernel 2 --rounding half-even",
            {"op": "avg", "kernel": 2, "rounding": "half_even"},
        ),
        ("--kernel 2 --clamp -5:6", {"kernel": 2, "clamp": (-5, 6)}),
        ("--kernel 2 --clamp=-5:-1", {"kernel": 2, "clamp": (-5, -1)}),
        ("--kernel 2 --dtype uint5", {"kernel": 2, "dtype": "uint5"}),
        ("--op l2 --kernel global", {"op": "l2", "kernel": "global"}),
        ("--op lp1 --kernel 2", {"op": "lp1", "kernel": 2}),
        ("--op avg --adaptive 3x1", {"op": "avg", "adaptive": (3, 1)}),
        ("--adaptive 3", {"adaptive": 3}),
        (
            "--op sum --kernel 2 --out_dtype int9 --saturate",
            {"op": "sum", "kernel": 2, "out_dtype": "int9", "saturate": True},
        ),
        (
            "--op avg --kernel 2 --scale 3/4 --zero-points -3:5 --rounding-about zero-point",
            {"op": "avg", "kernel": 2, "scale": "3/4", "zero_points": (-3, 5)}
            | {"rounding_about": "zero_point"},
        ),
        (
            "--op avg --kernel 2 --scale .1 --zero-points -3",
            {"op": "avg", "kernel": 2, "scale": float32_ratio(0.1, 1), "zero_points": (-3, -3)},
        ),
        (
            "--op avg --kernel 2 --preset tflite",
            {"op": "avg", "kernel": 2, "count_include_pad": False},
        ),
        (
            "--op avg --kernel 2 --preset torch_quantized --padding 1",
            {"op": "avg", "kernel": 2, "rounding": "half_even", "padding": 1},
        ),
        (
            "--op avg --kernel 9 --preset onnxruntime-qlinear",
            {"op": "avg", "kernel": 9, "rounding": "half_even", "count_include_pad": False}
            | {"rounding_about": "zero_point"},
        ),
    ],
)
def test_words_become_fields(words: str, fields: dict):
    assert spec(*words.split()) == PoolSpec(**{"op": "max", "dtype": "int8", "ndim": 2, **fields})


def test_one_axis():
    assert spec("--kernel", "3", ndim=1) == PoolSpec("max", 3, ndim=1)


@pytest.mark.parametrize(
    "words",
    [
        "--kernel three",
        "--kernel 3x",
        "--kernel 3,2",
        "--kernel 1.5",
        "--padding all",
        "--padding 1:2:3",
        "--padding 1:",
        "--clamp 6",
        "--clamp 0:x",
        "--divisor 2.5",
        "--rounding up",
        "--op median",
        "--scale 0/3",
        "--scale 1/2/3",
        "--scale 1e400/1",
        "--scale 1e-46/1",
        "--scale 1e30/1e-30",
        "--zero-points 1:x",
        "--preset caffe",
        "--kern 3",
        "--kernel",
        "surplus",
    ],
)
def test_what_cannot_be_read_is_refused_by_name(words: str):
    with pytest.raises(opt.Refused, match=words.split()[0]) as refusal:
        spec(*words.split())
    assert "\n" not in str(refusal.value)


def test_an_option_that_is_nearly_right_is_named():
    with pytest.raises(opt.Refused, match="--kernal is not known, did you mean --kernel"):
        spec("--kernal", "3")


def test_nothing_after_two_dashes_is_an_option():
    assert opt.normalise(["--a_b", "--", "--c_d"]) == ["--a-b", "--", "--c_d"]


def test_values_keep_their_underscores():
    assert opt.normalise(["--a_b=c_d", "-o", "e_f"]) == ["--a-b=c_d", "-o", "e_f"]
