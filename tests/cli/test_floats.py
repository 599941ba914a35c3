"""Floats on the command line: files of each type, what they become, and what is refused."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from commands import Command
from streampool_golden import PoolSpec, pool

X = np.random.default_rng(3).normal(0, 4, (1, 6, 6))
X[0, 0, :3] = np.nan, -0.0, 0.0


def bits(x: np.ndarray) -> list[int]:
    return x.view({2: np.uint16, 4: np.uint32}[x.dtype.itemsize]).ravel().tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ml_dtypes.bfloat16])
def test_the_file_says_the_type(dtype, folder: Path, command: Command):
    x = X.astype(dtype)
    np.save(folder / "map.npy", x)
    words = "map.npy --layout CHW --kernel 2 --nan ignore --engine amaranth --stats stats.json"
    done = command("run", *words.split())
    assert done.status == 0, done.err
    spec = PoolSpec("max", 2, dtype=dtype, nan="ignore")
    assert bits(np.load("map-max.npy").view(dtype)) == bits(pool(spec, x))
    assert json.loads(Path("stats.json").read_text())["spec"]["dtype"] == spec.dtype
    assert f"1 channel of {spec.dtype}" in done.out


def test_bits_of_bfloat16(folder: Path, command: Command):
    x = X.astype(ml_dtypes.bfloat16)
    np.save(folder / "map.npy", x.view(np.uint16))
    words = "map.npy --layout CHW --kernel 3 --dtype bfloat16 --op min --engine amaranth -o y.npy"
    assert command("run", *words.split()).status == 0
    expected = pool(PoolSpec("min", 3, dtype="bfloat16"), x)
    assert bits(np.load("y.npy").view(ml_dtypes.bfloat16)) == bits(expected)


@pytest.mark.parametrize(
    ("dtype", "words", "says"),
    [
        (np.float32, "--op avg", "dtype float32 has no op avg"),
        (np.float16, "--dtype int8", "--dtype int8 holds integers; quantise it first"),
        (np.int16, "--dtype bfloat16", "use a .npy of uint16, its bits"),
        (np.uint16, "--dtype float16", "use a .npy of float16"),
        (np.float32, "--dtype float16", "x must be of values that float16 holds"),
        (np.float16, "-o small.png", "small.png cannot hold float16"),
        (np.float16, "--clamp 0:0.1", "clamp 0.1 is no value of float16; use 0.0999755859375"),
        (np.float16, "--clamp 0:nan", "is no range; use LOW:HIGH"),
        (
            np.float16,
            "--op avg --rounding floor",
            "no meaning with dtype float16; use half-even",
        ),
        (np.float16, "--nan drop", "--nan 'drop' is not known; use one of propagate, ignore"),
    ],
)
def test_what_does_not_go(dtype, words, says, folder: Path, refused: Command):
    np.save(folder / "map.npy", np.nan_to_num(X).astype(dtype))
    assert says in refused("run", "map.npy", "--layout", "CHW", "--kernel", 2, *words.split()).err


def test_verilog_of_floats(folder: Path, command: Command):
    words = "--op avg --kernel 2 --dtype float16 --shape 1x4x4 --name half -o ."
    done = command("verilog", *words.split())
    assert done.status == 0, done.err
    about = json.loads(Path("half.json").read_text())
    assert about["input"]["dtype"] == about["output"]["dtype"] == "float16"
    assert about["input"]["lane_bits"] == 16
