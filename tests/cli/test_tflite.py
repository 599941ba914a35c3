"""TFLite files at the command line."""

import sys

import pytest
from commands import Command
from streampool_models import from_tflite
from tflite_files import Graph, Tensor, axes, model, pool, reduce

FRAME = (1, 8, 6, 3)
TENSORS = [Tensor("x", FRAME), Tensor("y", (1,)), axes(1, 2)]
WHOLE = model(Graph(TENSORS, [pool("MAX_POOL_2D", (2, 2))]), Graph(TENSORS, [reduce("MEAN", 2)]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x08\x07\x12\x04onnx" * 40, "TFL3"),
        (WHOLE[:40], "it points to byte"),
        (WHOLE[: len(WHOLE) // 2], "it points to byte"),
        (b"\xff\xff\xff\x7fTFL3" + WHOLE[8:], "it points to byte"),
        (b"\x08\x00\x00\x00TFL3" + b"\xff" * 60, "it points to byte"),
    ],
)
def test_a_file_that_is_no_model_is_one_sentence(content, said, command: Command, tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(content)
    done = command("model", path)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert said in done.err


def test_the_layers_are_listed_as_they_are(command: Command, tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(WHOLE)
    assert command("model", path).out.endswith("2 pooling layers\n")
    assert [layer.name for layer in from_tflite(path)] == ["y", "main/y"]


def test_what_needs_litert_says_how_to_get_it(command: Command, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.delitem(sys.modules, "streampool_models.tflite.running", raising=False)
    path = tmp_path / "net.tflite"
    path.write_bytes(WHOLE)
    done = command("model", path, "--input-shape", "1x8x8x3")
    assert done.status == 2
    assert "pip install 'streampool[tflite]'" in done.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--device", "ecp5-25k-6"), "--device has no meaning without --emit"),
        (("--emit", "out", "--place"), "--place has no meaning without --device"),
        (("--emit", "."), "has other files in it"),
    ],
)
def test_what_is_emitted_where_is_checked_first(more, said, refused: Command, folder):
    (folder / "net.tflite").write_bytes(WHOLE)
    assert said in refused("model", "net.tflite", *more).err


def test_cores_are_emitted(command: Command, folder):
    (folder / "net.tflite").write_bytes(WHOLE)
    done = command("model", "net.tflite", "--emit", "out")
    assert done.status == 0
    assert "2 cores with Verilog and benches" in done.out
    assert {path.name for path in (folder / "out" / "cores").glob("*.v")} == {"y.v", "main_y.v"}
