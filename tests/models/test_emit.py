"""A model's cores in a folder: what is in it, and its benches run."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from streampool_golden import PoolSpec
from streampool_hw.fpga import DEVICES, Placement
from streampool_models.emit import folder as emitting
from streampool_models.emit.folder import check_replaceable, emit, modules_of
from streampool_models.emit.network import network
from streampool_models.emit.page import drawing
from streampool_models.layer import Input, Layer, Model, Node
from streampool_sim.refusals import Refused


def layer(name: str, op: str = "max", **fields) -> Layer:
    return Layer(name, op.title(), PoolSpec(op, 2, ndim=2, **fields), (3, 6, 4))


class Toy(Model):
    def __init__(self, layers, nodes=(), inputs=()):
        self.layers, self.nodes, self.inputs = list(layers), list(nodes), list(inputs)

    def run(self, inputs, through=None):
        return list(inputs)


REFUSED = Layer("<b>none</b>", "LpPool", None, (3, 6, 4), "p is 7; use 1 to 4")

# x -> a, b -> pool -> c, and b -> c past it; w -> v is of constants alone
BRANCHED = Toy(
    [layer("pool"), REFUSED],
    [
        Node("Dequantize", ("w",), ("v",)),
        Node("Conv", ("x", "v"), ("a",)),
        Node("Relu", ("a",), ("b",)),
        Node("Max", ("b",), ("p",), "pool"),
        Node("Concat", ("p", "b"), ("c",)),
    ],
    [Input("x", None, None)],
)


def test_what_lies_between_the_same_layers_is_one_box():
    found = network(BRANCHED)
    names = [box.layer.name if box.layer else dict(box.operations) for box in found.boxes]
    assert names == [{"Conv": 1, "Relu": 1}, "<b>none</b>", "pool", {"Concat": 1}]
    assert [box.rank for box in found.boxes] == [0, 0, 1, 2]
    assert found.edges == [(0, 2), (0, 3), (2, 3)]


def test_a_model_whose_operations_are_not_known_is_its_layers():
    assert [box.layer for box in network(Toy([layer("a"), layer("b")])).boxes] != []


def test_operations_are_there_whatever_the_values_that_come_in_are_called():
    found = network(Toy(BRANCHED.layers, BRANCHED.nodes, [Input("input 1", None, None)]))
    assert {"Concat": 1} in [dict(box.operations) for box in found.boxes]
    assert len(found.edges) == 3


def test_a_drawing_is_well_formed_and_has_every_box():
    found = network(BRANCHED)
    rows = {id(each): f"layer-{k}" for k, each in enumerate(BRANCHED.layers)}
    root = ET.fromstring(drawing(found, rows))
    assert len(root.findall(".//rect")) == 4
    assert len(root.findall("path")) == 3
    assert [link.get("href") for link in root.findall("a")] == ["#layer-1", "#layer-0"]


def test_modules_are_called_as_their_layers():
    names = ("net/pool", "net.pool", "Net/Pool", "7", "reg", "", "x" * 90, "\u00e9t\u00e9")
    layers = [layer(name) for name in names]
    found = modules_of([*layers, REFUSED])
    assert found == [
        *("net_pool", "net_pool_2", "Net_Pool_3", "pool_7", "reg_pool", "pool"),
        *("x" * 60, "t", None),
    ]


def test_a_folder_has_all_of_it(tmp_path: Path):
    made = emit(BRANCHED, "net.onnx", tmp_path / "out")
    assert [each.module for each in made] == ["pool", None]
    there = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert there >= {
        *("cores/pool.v", "cores/pool.json", "benches/test_pool.py", "benches/pool_bench.py"),
        *("benches/run_benches.py", "manifest.json", "index.html"),
    }
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    first, second = manifest["layers"]
    # a word of 3 values per column out, and one beside it
    assert (first["module"], first["store_bits"], first["placement"]) == ("pool", 3 * 24, None)
    assert (second["module"], second["reason"]) == (None, "p is 7; use 1 to 4")
    page = (tmp_path / "out" / "index.html").read_text()
    assert "&lt;b&gt;none&lt;/b&gt;" in page and "<b>" not in page
    assert "nothing was placed" in page
    for link in re.findall(r'href="([^"#]+)"', page):
        assert (tmp_path / "out" / link).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_its_own_is_replaced_and_another_is_not(tmp_path: Path):
    emit(BRANCHED, "net.onnx", tmp_path / "out")
    emit(Toy([REFUSED]), "other.onnx", tmp_path / "out")
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["model"] == "other.onnx"
    assert not list((tmp_path / "out" / "cores").iterdir())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(Refused, match="other files"):
        check_replaceable(tmp_path / "mine")


def test_a_link_to_a_folder_stays_one(tmp_path: Path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    emit(Toy([REFUSED]), "net", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "index.html").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]


def test_what_fails_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch):
    emit(BRANCHED, "net.onnx", tmp_path / "out")
    before = sorted(tmp_path.rglob("*"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(emitting, "page", full)
    with pytest.raises(OSError, match="No space"):
        emit(Toy([layer("other")]), "other.onnx", tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_core_is_placed_once_for_all_layers_that_are_the_same(tmp_path: Path, monkeypatch):
    asked = []

    def placing(job, device, **_):
        asked.append(job)
        return Placement(
            *(device.name, device.part, {}, {}, [], 3, 24, 300.0),
            **{"placed": True, "fmax_median_mhz": 123.4, "frames_per_second": 5e6, "lut4": 77},
        )

    monkeypatch.setattr(emitting, "place", placing)
    device = DEVICES["ecp5-25k-6"]
    model = Toy([layer("a"), layer("b"), layer("c", "avg")])
    made = emit(model, "net", tmp_path / "out", device, placed=True)
    assert len(asked) == 2 and all(each.placement for each in made)
    assert "123.4" in (tmp_path / "out" / "index.html").read_text()


def test_benches_pass_and_see_what_is_wrong(tmp_path: Path):
    model = Toy(
        [
            layer("right", dtype="float32", indices="plane", padding=1),
            layer("wrong", "avg", padding=1),
        ]
    )
    emit(model, "net", tmp_path / "out")
    about = tmp_path / "out" / "cores" / "wrong.json"
    text = about.read_text()
    assert '"half_away"' in text
    about.write_text(text.replace('"half_away"', '"floor"'))
    done = subprocess.run(
        ["make", "-C", tmp_path / "out", "test", f"PYTHON={sys.executable} -P"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(r"right \.\.\. passed", done.stdout)
    assert re.search(r"wrong \.\.\. .*bench.log has why", done.stdout)
    assert "1 of 2 cores passed" in done.stdout
