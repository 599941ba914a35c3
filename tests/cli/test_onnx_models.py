"""`streampool model` on ONNX files, good and bad ones."""

import dataclasses
import json

import numpy as np
import pytest
from commands import Command
from onnx import TensorProto
from onnx_models import model_of, node, pool_model
from PIL import Image
from streampool_sim.simulation import simulate

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


def test_a_run_says_what_came_of_each_layer(command: Command, folder):
    (folder / "net.onnx").write_bytes(MODEL.SerializeToString())
    np.save(folder / "x.npy", np.random.default_rng(1).normal(size=X[1]))
    done = command("model", "net.onnx", "--run", "x.npy", "--lanes", "1", "--json", "run.json")
    assert (done.status, done.err) == (0, "")
    assert "the same bit for bit with cores" in done.out
    run = json.loads((folder / "run.json").read_text())["run"]
    [layer] = run["layers"]
    assert run["good"]
    assert layer["matches_golden"]
    assert layer["differing_from_framework"] == 0
    assert layer["cycles_per_frame"] == layer["limit_cycles_per_frame"] == 3 * 64


def test_a_core_that_differs_gives_1(command: Command, folder, monkeypatch):
    from streampool_models import running

    def broken(*args, **options):
        return dataclasses.replace(simulate(*args, **options), mismatch="frame 0: 1 left, not 2")

    monkeypatch.setattr(running, "simulate", broken)
    (folder / "net.onnx").write_bytes(MODEL.SerializeToString())
    np.save(folder / "x.npy", np.ones(X[1], np.float32))
    done = command("model", "net.onnx", "--run", "x.npy")
    assert done.status == 1
    assert "pool differs from the golden model: frame 0" in done.out


@pytest.mark.parametrize(("name", "mode"), [("cat.png", "RGB"), ("cat.jpg", "L")])
def test_a_picture_is_fitted_to_the_input(command: Command, folder, name, mode):
    (folder / "net.onnx").write_bytes(MODEL.SerializeToString())
    Image.new(mode, (30, 20), 77 if mode == "L" else (1, 2, 3)).save(folder / name)
    done = command("model", "net.onnx", "--run", name)
    assert (done.status, done.err) == (0, "")


def test_a_picture_is_fitted_to_the_shape_that_is_said(command: Command, folder):
    free = pool_model("MaxPool", (np.float32, ("N", 3, "H", "W")), kernel_shape=[2, 2])
    (folder / "net.onnx").write_bytes(free.SerializeToString())
    Image.new("RGB", (30, 20)).save(folder / "cat.png")
    done = command("model", "net.onnx", "--run", "cat.png", "--input-shape", "1x3x4x6")
    assert (done.status, done.err) == (0, "")
    assert "3x4x6" in done.out


def test_what_it_is_run_on_says_the_shape_where_the_model_does_not(command: Command, folder):
    free = pool_model("MaxPool", (np.float32, ("N", 3, "H", "W")), kernel_shape=[2, 2])
    (folder / "net.onnx").write_bytes(free.SerializeToString())
    np.save(folder / "x.npy", np.ones((2, 3, 4, 5), np.float32))
    done = command("model", "net.onnx", "--run", "x.npy")
    assert done.status == 0
    assert "3x4x5" in done.out


def test_arrays_of_a_npz_go_where_their_names_say(command: Command, folder):
    nodes = [node("MaxPool", "a", "p", name="pool", kernel_shape=[1, 1]), node("Sub", "p b", "y")]
    model = model_of(nodes, {"a": (np.float32, (1, 1, 2, 2)), "b": (np.float32, (1,))})
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    np.savez(folder / "x.npz", b=np.ones(1, np.float32), a=np.ones((1, 1, 2, 2), np.float32))
    assert command("model", "net.onnx", "--run", "x.npz").status == 0


def test_a_float_average_runs_with_a_scale(command: Command, folder):
    average = pool_model("GlobalAveragePool", (np.float32, (1, 3, 4, 4)))
    (folder / "net.onnx").write_bytes(average.SerializeToString())
    np.save(folder / "x.npy", np.random.default_rng(1).normal(size=(2, 3, 4, 4)))
    np.save(folder / "one.npy", np.random.default_rng(1).normal(size=(1, 3, 4, 4)))
    (folder / "some").mkdir()
    np.save(folder / "some" / "y.npy", np.random.default_rng(2).normal(size=(1, 3, 4, 4)))
    for more in ("--scale", "0.05"), ("--calibrate", "x.npy"), ("--calibrate", "some"):
        done = command("model", "net.onnx", "--run", "one.npy", *more)
        assert (done.status, done.err) == (0, "")
        assert "is taken as int8 in steps of" in done.out
        assert "its floats are taken in steps of" in done.out


def test_a_map_that_is_gone_in_the_middle_is_warned_of(command: Command, folder):
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        node("MaxPool", "x", "a", name="one", **pool),
        node("MaxPool", "a", "b", name="two", **pool),
        node("MaxPool", "b", "y", name="three", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    ]
    model = model_of(nodes, {"x": (np.float32, (1, 1, 4, 4))})
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    done = command("model", "net.onnx")
    assert done.status == 0
    assert "two pools 2x2 down to 1x1, and 1 pooling layer follows" in done.err
    assert "three: kernel 3 is larger than the input's 1 rows" in done.err


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (
            "x.npy",
            np.ones((1, 3, 9, 8), np.float32),
            "x.npy has the shape 1x3x9x8, and the input x",
        ),
        ("x.npy", np.ones((1, 3, 8), np.float32), "takes 1x3x8x8"),
        ("x.npy", np.ones(X[1], complex), "has complex128, and the input x takes float32"),
        ("x.npy", np.array(["a"]), "takes float32"),
        ("x.npy", b"\x93NUMPY\1\0v\0{'descr': '<f4', 'shape': (9999999999,", "cut short"),
        ("x.npy", b"", "x.npy is empty"),
        ("x.npz", b"PK\3\4", "x.npz is no .npz"),
        ("x.png", b"\x89PNG\r\n\x1a\n", "cut short"),
        ("x.txt", b"hello", "is no picture"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(refused, folder, name, data, said):
    (folder / "net.onnx").write_bytes(MODEL.SerializeToString())
    if isinstance(data, bytes):
        (folder / name).write_bytes(data)
    else:
        np.save(folder / name, data)
    assert said in refused("model", "net.onnx", "--run", name).err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--run", "nothing.npy"), "nothing.npy is not there"),
        (("--run", "x.npy", "--scale", "-1"), "--scale"),
        (("--scale", "0"), "--scale"),
        (("--calibrate", "empty"), "empty is a folder without files"),
        (("--scale", "1", "--calibrate", "x.npy"), "use one of them"),
        (("--run", "x.npy,x.npy"), "--run has 2 arrays, and the model 1 input (x)"),
        (("--lanes", "0"), "--lanes"),
        (("--json", "nowhere/l.json"), "nowhere"),
    ],
)
def test_options_that_cannot_be_are_refused(refused, folder, options, said):
    (folder / "net.onnx").write_bytes(MODEL.SerializeToString())
    np.save(folder / "x.npy", np.ones(X[1], np.float32))
    (folder / "empty").mkdir()
    assert said in refused("model", "net.onnx", *options).err


def test_external_data_that_is_not_there_is_said_when_it_runs(refused, folder):
    nodes = [node("Add", "x w", "a"), node("MaxPool", "a", "y", name="pool", kernel_shape=[2, 2])]
    model = model_of(nodes, {"x": X})
    for place in "nowhere.bin", "../../../etc/passwd":
        del model.graph.initializer[:]
        tensor = model.graph.initializer.add(name="w", dims=[8], data_type=1)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=place)
        (folder / "net.onnx").write_bytes(model.SerializeToString())
        np.save(folder / "x.npy", np.ones(X[1], np.float32))
        assert "net.onnx" in refused("model", "net.onnx", "--run", "x.npy").err
