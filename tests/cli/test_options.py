"""What is typed becomes the specification that it says."""

import re
from types import SimpleNamespace

import pytest
from streampool_golden import OPERATIONS, PoolSpec, float32_ratio
from streampool_golden.errors import did_you_mean
from streampool_sim.cli import main
from streampool_sim.cli.command import argument, option, verb
from streampool_sim.cli.common import spec_of, spec_options
from streampool_sim.refusals import Refused

COMMAND = verb("x", "", *spec_options())(lambda _: 0)


def parsed(*words: str) -> dict:
    with COMMAND.make_context("x", list(words)) as context:
        return context.params


def spec(*words: str, ndim: int = 2) -> PoolSpec:
    options = SimpleNamespace(**parsed(*words))
    return spec_of(options, (1, *(9,) * ndim))


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
        ("--op gem3 --adaptive 7x7", {"op": "gem3", "adaptive": (7, 7)}),
        ("--op lp4 --kernel 2 --caffe-ceil", {"op": "lp4", "kernel": 2, "ceil_mode": "caffe"}),
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
    with pytest.raises(Refused, match=words.split()[0]) as refusal:
        spec(*words.split())
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("--kernal 3", "--kernal is not known, did you mean --kernel"),
        ("--pad 3", "--pad is not known, did you mean --padding"),
        ("-kernel 3", "-kernel is not known, did you mean --kernel"),
        ("--hel", "--hel is not known, did you mean --help"),
        ("--op maxx", "--op 'maxx' is not known, did you mean max"),
        ("--op or", "--op 'or' is not known; use one of max, min, avg"),
        ("--rounding half_evn", "'half_evn' is not known, did you mean half-even"),
        ("--rounding up", "'up' is not known; use one of half-away, half-even"),
        ("--padding sam-lower", "'sam-lower' is no padding, did you mean same-lower"),
        ("--preset torch-quant", "did you mean torch-quantized"),
    ],
)
def test_what_is_nearly_right_is_named(typed: str, says: str):
    with pytest.raises(Refused, match=re.escape(says)):
        spec(*typed.split())


def test_an_operation_from_outside_is_offered(monkeypatch, capsys):
    monkeypatch.setitem(OPERATIONS, "most", OPERATIONS["max"])
    assert spec("--op", "most", "--kernel", "2").op == "most"
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "gem4, most, unpool (max)" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(Refused, match="did you mean most"):
        spec("--op", "mosst")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("--op max --divisor 2", "divisor 2 has no meaning with op max"),
        ("--op avg --rounding floor --dtype float16", "use half-even"),
        ("--op max --out-dtype int4 --kernel 2", "out-dtype int4"),
        ("--op sum --out-dtype int4", "or --saturate"),
    ],
)
def test_golden_refuses_in_what_is_typed(typed: str, says: str, capsys):
    assert main(["explain", *typed.split()]) == 2
    said = capsys.readouterr().err
    assert says in said and "_" not in said


WORDS = verb(
    "x",
    "",
    argument("words", str, "WORD", "any", several=True),
    option("--a-b", str, "B", "a value"),
    option("--flag-c", help="no value"),
    option("-o --output", str, "FILE", "a file"),
)(lambda _: 0)


def words(*typed: str) -> dict:
    with WORDS.make_context("x", list(typed)) as context:
        return {name: value for name, value in context.params.items() if value}


def test_nothing_after_two_dashes_is_an_option():
    assert words("--flag_c", "--", "--c_d") == {"flag_c": True, "words": ("--c_d",)}


def test_values_keep_their_underscores():
    assert words("--a_b=c_d", "-o", "e_f") == {"a_b": "c_d", "output": "e_f"}


@pytest.mark.parametrize("typed", ["-oe_f", "-o=e_f", "-o e_f", "--output e_f", "--output=e_f"])
def test_every_spelling_of_a_value(typed: str):
    assert words(*typed.split(), "one", "-1", "--a-b", "-1:0") == {
        "output": "e_f",
        "words": ("one", "-1"),
        "a_b": "-1:0",
    }


@pytest.mark.parametrize("typed", ["--a-b --flag-c", "--a-b -o x", "--a-b", "-o -x"])
def test_an_option_is_no_value(typed: str):
    with pytest.raises(Refused, match=f"{typed.split()[0]}.* needs a value; use "):
        words(*typed.split())


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("--folder", "--model"),
        ("--model", "--folder"),
        ("--nan", "--onnx"),
        ("--onnx", "--nan"),
        ("--preset", "--pixels"),
        ("--pixels", "--preset"),
        ("--frob", "--freq"),
        ("--model", "--ceil-mode"),
        ("--lanes", "--nan"),
    ],
)
def test_nothing_is_offered_where_nothing_is_near(typed: str, known: str):
    assert did_you_mean(typed, [known]) == ""


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("--kern", "--kernel"),
        ("-kernel", "--kernel"),
        ("--stirde", "--stride"),
        ("--lane", "--lanes"),
        ("rum", "run"),
        ("verliog", "verilog"),
    ],
)
def test_what_is_near_is_offered(typed: str, known: str):
    assert did_you_mean(typed, ["--vcd", "explain", known]) == f", did you mean {known}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("verilog", "--shape is missing; use --shape CxHxW"),
        ("synth --lanes 1", "--shape and --device are missing; use --shape CxHxW --device DEVICE"),
        ("synth --device ecp5-85k-6", "--shape is missing; use --shape CxHxW"),
        ("build", "--shape and --board are missing; use --shape CxHxW --board BOARD"),
    ],
)
def test_all_that_is_missing_is_named(words: str, said: str, capsys: pytest.CaptureFixture[str]):
    assert main(words.split()) == 2
    verb = words.partition(" ")[0]
    told = f"streampool: {said}; `streampool {verb} --help` shows what there is.\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    "words",
    [
        f"run --{'9' * 5000}",
        f"--{'9' * 5000}",
        f"verilog --kernel 2 --shape 1x4x4 --family {'9' * 5000}",
        f"synth --kernel 2 --shape 1x4x4 --device {'9' * 5000}",
        f"build --kernel 2 --shape 1x4x4 --board {'9' * 5000}",
        f"boards {'9' * 5000}",
    ],
)
def test_long_words_are_not_echoed(words: str, capsys: pytest.CaptureFixture[str]):
    assert main(words.split()) == 2
    assert "9" * 61 not in capsys.readouterr().err


def test_thousands_of_digits_are_not_echoed():
    with pytest.raises(Refused, match=r"--kernel '9{56}\.\.\. is no size"):
        spec("--kernel", "9" * 5000)
    with pytest.raises(Refused) as refusal:
        spec("--kernel", "3x" + "9" * 5000)
    assert len(str(refusal.value)) < 200
