"""What a stranger hands to `streampool model`: one sentence, nothing written, no code run."""

import json
import os
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from streampool_models import read_model
from streampool_models.zips import copied
from streampool_sim.cli import main
from streampool_sim.refusals import Refused

RECORDED = Path(__file__).parent / "recorded" / "pools.pt2"
SUFFIXES = (".onnx", ".tflite", ".keras", ".pt2", ".pt", ".py")


def net(*nodes: onnx.NodeProto, element: int = onnx.TensorProto.FLOAT, **tensors: list) -> bytes:
    """Return a model of nodes from x, of 1x3x8x8, to y."""
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", element, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.array(v), name) for name, v in tensors.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def pool(source: str = "x", name: str = "pool") -> onnx.NodeProto:
    return helper.make_node("MaxPool", [source], ["y"], name=name, kernel_shape=[2, 2])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_file_is_refused(tmp_path, suffix):
    kinds = {
        "is a folder": Path.mkdir,
        "is no plain file": os.mkfifo,
        "is not there": lambda path: path.symlink_to(path),
    }
    for k, (said, make) in enumerate(kinds.items()):
        path = tmp_path / f"{k}{suffix}"
        make(path)
        with pytest.raises(Refused, match=said):
            read_model(str(path))


def test_a_file_may_be_called_as_an_attribute_is(tmp_path):
    path = tmp_path / "net.py:Net.onnx"
    path.write_bytes(net(pool()))
    assert [layer.name for layer in read_model(str(path)).layers] == ["pool"]


def written(path: Path, name: str, data: bytes) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return str(path)


@pytest.mark.parametrize(
    ("name", "member"),
    [("a.keras", "config.json"), ("a.pt2", "a/models/model.json"), ("a.pt", "a/data.pkl")],
)
def test_a_member_that_unpacks_to_more_than_it_says_is_refused(tmp_path, name, member):
    path = Path(written(tmp_path / name, member, bytes(1 << 24)))
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = struct.pack("<I", 10)
    path.write_bytes(data)
    with pytest.raises(Refused, match=r"no model of Keras 3|cut or damaged|a pickle or damaged"):
        read_model(str(path))
    with pytest.raises(zipfile.BadZipFile):
        copied(str(path), tmp_path / "copy")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize(
    ("name", "member"),
    [("a.keras", "config.json"), ("a.pt2", "a/models/model.json"), ("a.pt", "a/data.pkl")],
)
def test_a_member_of_another_method_is_not_unpacked(tmp_path, name, member, method):
    with zipfile.ZipFile(tmp_path / name, "w", method) as file:
        file.writestr(member, bytes(1 << 20))
    with pytest.raises(Refused):
        read_model(str(tmp_path / name))
    with pytest.raises(zipfile.BadZipFile, match="no method that is read"):
        copied(str(tmp_path / name), tmp_path / "copy")


BROKEN = [
    ("signature", {"input_specs": [1, 2]}),
    ("signature", {"input_specs": None}),
    ("graph", {"tensor_values": {}}),
    ("graph", {"nodes": [None]}),
    ("sizes", []),
    ("sizes", [{"as_int": float("inf")}] * 4),
    ("sizes", [{"as_expr": {"expr_str": "__import__('os')._exit(3)"}}] * 4),
]


@pytest.mark.parametrize(("part", "change"), BROKEN)
def test_a_graph_of_anything_is_listed_or_refused_in_a_sentence(tmp_path, capfd, part, change):
    with zipfile.ZipFile(RECORDED) as file:
        document = json.loads(file.read("pools/models/model.json"))
    module = document["graph_module"]
    if part == "sizes":
        for meta in module["graph"]["tensor_values"].values():
            meta["sizes"] = change
    else:
        module[part] |= change
    path = written(tmp_path / "net.pt2", "net/models/model.json", json.dumps(document).encode())
    status = main(["model", path])
    said = capfd.readouterr().err
    assert (status, said.count("\n")) == (2, 1) or (status == 0 and "expr" in str(change))


BOMBS = {
    "Pad": [0, 0, 0, 0, 0, 0, 1 << 19, 1 << 19],
    "Tile": [1, 1, 1 << 16, 1 << 16],
    "Expand": [1 << 40, 3, 8, 8],
}


@pytest.mark.parametrize("op", BOMBS)
def test_a_node_that_would_take_all_memory_is_listed(tmp_path, op):
    path = tmp_path / "net.onnx"
    nodes = helper.make_node(op, ["x", "sizes"], ["large"]), pool("large")
    path.write_bytes(net(*nodes, sizes=BOMBS[op]))
    assert [layer.name for layer in read_model(str(path)).layers] == ["pool"]


def test_a_type_that_is_none_is_said(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(net(pool(), element=99))
    [layer] = read_model(str(path)).layers
    assert layer.refusal == "its values are of type 99, which no core takes; use float32"


def test_no_name_steers_the_terminal(tmp_path, capsys):
    path = tmp_path / "\x1b[31mnet.onnx"
    path.write_bytes(net(pool(name="\x1b]0;red\nline")))
    assert main(["model", str(path)]) == 0
    path.write_bytes(b"")
    assert main(["model", str(path)]) == 2
    said = "".join(capsys.readouterr())
    assert "\ufffd]0;red\ufffdline" in said
    assert "\ufffd[31mnet.onnx is empty" in said
    assert "\x1b" not in said


def test_json_goes_over_no_model_and_no_input(tmp_path, capsys):
    path, x, link = (tmp_path / name for name in ("net.onnx", "x.npy", "nowhere.json"))
    path.write_bytes(net(pool()))
    np.save(x, np.zeros((1, 3, 8, 8), np.float32))
    link.symlink_to(tmp_path / "missing" / "layers.json")
    cases = {
        f"--json {path}": "would write JSON over a model",
        f"--run {x} --json {x}": "is --run too",
        f"--calibrate {x} --json {x}": "is --calibrate too",
        f"--json {link}": "is not there",
    }
    before = [path.read_bytes(), x.read_bytes()]
    for words, said in cases.items():
        assert main(["model", str(path), *words.split()]) == 2
        out, err = capsys.readouterr()
        assert said in err
        assert not out
    assert [path.read_bytes(), x.read_bytes()] == before


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ValueError('a\\nb')", "fails: ValueError: a b"),
        ("exit(3)", "fails: it ends the program"),
        ("class Odd(BaseException): pass\nraise Odd('x')", "fails: Odd: x"),
        ("def Net(): raise SystemExit", "Net of .* fails: it ends the program"),
        ("Net = 3", "Net of .* is 3"),
        ("Nat = 3", "has no 'Net'"),
        ("from torch.nn import *\nclass Net(Module):\n def forward(s, x): exit(5)", "ends the"),
    ],
)
def test_python_that_goes_wrong_is_one_sentence(tmp_path, code, said):
    path = tmp_path / "net.py"
    path.write_text(code)
    with pytest.raises(Refused, match=said):
        read_model(f"{path}:Net", [(1, 1, 4, 4)])
