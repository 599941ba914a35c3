"""`streampool model` on ONNX files, good and bad ones."""

import json

import numpy as np
import pytest
from commands import Command
from onnx_models import model_of, node, pool_model

X = (np.float32, (1, 3, 8, 8))
MODEL = pool_model("MaxPool", X, kernel_shape=[3, 3], strides=[2, 2])


def test_layers_are_listed_and_written_as_json(command: Command, folder):
    (folder / "net.onnx").write_bytes(MODEL.SerializeToString())
    done = command("model", "net.onnx", "--json", "layers.json")
    assert (done.status, done.err) == (0, "")
    assert "pool" in done.out
    [layer] = json.loads((folder / "layers.json").read_text())["layers"]
    assert (layer["name"], layer["op"], layer["supported"]) == ("pool", "MaxPool", True)
    assert (layer["shape"], layer["out_shape"]) == ([3, 8, 8], [3, 3, 3])
    assert layer["spec"]["kernel"] == [3, 3]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\0" * 64, "is no ONNX model"),
        (b"hello, this is text", "is no ONNX model"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "is no ONNX model"),
        (b"PK\3\4" + b"\0" * 99, "is no ONNX model"),
        (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + b"\0" * 9, "is no ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of git-lfs"),
        (MODEL.SerializeToString()[:1], "is no ONNX model"),
        (MODEL.SerializeToString()[:2], "is no ONNX model"),
        (MODEL.SerializeToString()[:-5], "is no ONNX model"),
        (MODEL.SerializeToString()[:60], "is no ONNX model"),
    ],
)
def test_what_is_no_model_is_refused_in_one_sentence(refused, folder, data, said):
    (folder / "net.onnx").write_bytes(data)
    assert said in refused("model", "net.onnx").err


def test_any_cut_or_flipped_model_is_listed_or_refused(command: Command, folder):
    data, numbers = MODEL.SerializeToString(), np.random.default_rng(1)
    for k in range(60):
        broken = bytearray(data[: numbers.integers(1, len(data) + 1)])
        for _ in range(k % 3):
            broken[numbers.integers(len(broken))] = numbers.integers(256)
        (folder / "net.onnx").write_bytes(bytes(broken))
        done = command("model", "net.onnx")
        assert done.status in (0, 2), done
        assert done.err.count("\n") == (done.status == 2)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("3x8x8", "--input-shape 3x8x8 does not fit the input x, which has 4 axes"),
        ("1x3x8x8,1x3", "--input-shape has 2 shapes, and the model 1 input (x)"),
        ("1x0x8x8", "use positive lengths"),
        ("1y3", "no size"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(refused, folder, shape, said):
    (folder / "net.onnx").write_bytes(MODEL.SerializeToString())
    (before,) = [folder / "net.onnx"]
    assert before.is_file()
    assert said in refused("model", "net.onnx", "--input-shape", shape).err


def test_several_inputs_have_a_shape_each(command: Command, folder):
    pool = {"kernel_shape": [2, 2]}
    nodes = [node("MaxPool", "a", "y", name="p", **pool), node("MaxPool", "b", "z", **pool)]
    free = (np.float32, ("N", "C", "H", "W"))
    model = model_of(nodes, {"a": free, "b": free}, ["y", "z"])
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    done = command("model", "net.onnx", "--input-shape", "1x3x8x8,2x4x5x6")
    assert done.status == 0
    assert "3x8x8" in done.out
    assert "4x5x6" in done.out
