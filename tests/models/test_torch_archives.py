"""Archives of torch.export: listed without torch, run with it, and never unpickled."""

import json
import pickle
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from streampool_models import from_torch, read_model
from streampool_sim.refusals import Refused

RECORDED = Path(__file__).parent / "recorded"
MARK = "streampool-was-here"


class Evil:
    """Something that leaves a file where it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path(MARK),))


def graph_of(name: str) -> dict:
    with zipfile.ZipFile(RECORDED / f"{name}.pt2") as file:
        [member] = [each for each in file.namelist() if each.endswith("models/model.json")]
        return json.loads(file.read(member))


def written(folder: Path, document: object, more: dict[str, bytes] | None = None) -> str:
    """Write an archive with a graph of any kind."""
    path = folder / "net.pt2"
    with zipfile.ZipFile(path, "w") as file:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        file.writestr("net/models/model.json", data)
        for name, content in (more or {}).items():
            file.writestr(name, content)
    return str(path)


def ran_through(model, x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], list[str]]:
    """Return a model's outputs, those with every layer as golden has it, and the layers."""
    seen = []

    def golden(layer, frames, own):
        if layer.job is None:  # it waits for a scale
            return own
        out = layer.job.reference(frames)
        assert [each.shape for each in out] == [each.shape for each in own]
        assert frames.dtype == layer.job.input.numpy
        if layer.job.operation.selects:
            assert all(map(np.array_equal, out, own))
        seen.append(layer.name)
        return out

    return model.run([x]), model.run([x], golden), seen


def test_every_pooling_of_a_graph_is_listed_by_its_own_name():
    layers = {layer.name: layer for layer in read_model(str(RECORDED / "pools.pt2")).layers}
    assert list(layers) == [
        "max_pool2d",
        "max_pool2d_1",
        "submod_1.avg_pool2d",
        "max_pool2d_with_indices",
        "max_pool1d",
        "adaptive_avg_pool2d",
        "mean",
    ]
    first, second = layers["max_pool2d"], layers["max_pool2d_1"]
    assert (first.shape, second.shape) == ((4, 20, 20), (4, 8, 8))
    assert first.spec is not None and first.spec.kernel == first.spec.stride == (2, 2)
    assert first.spec.dtype == "float32" and first.spec.nan == "propagate"
    assert "relu" in first.notes[0]
    inner = layers["submod_1.avg_pool2d"].spec
    assert inner is not None
    assert (inner.dtype, inner.ceil_mode, inner.count_include_pad) == ("float16", True, False)
    line = layers["max_pool1d"].spec
    assert line is not None and (line.dilation, line.padding) == ((2,), ((1, 1),))
    indexed = layers["max_pool2d_with_indices"].spec
    assert indexed is not None and indexed.indices == "plane"


def test_a_mean_over_positions_is_a_global_average_and_one_over_channels_is_none():
    layers = [each for each in read_model(str(RECORDED / "pools.pt2")).layers if each.op == "mean"]
    assert [layer.spec.adaptive for layer in layers if layer.spec] == ["global"]
    assert layers[0].refusal == (
        "an average of float32 has no exact core; use --calibrate or --scale"
    )


def test_pools_in_branches_are_listed():
    names = [layer.name for layer in from_torch(RECORDED / "branches.pt2")]
    assert names == ["true_graph_0.max_pool2d", "false_graph_0.max_pool2d"]


def test_what_stands_between_quantisers_is_a_core_of_integers():
    layers = {layer.name: layer for layer in from_torch(RECORDED / "quantised.pt2")}
    assert list(layers) == ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"]
    largest, *means = (layer.spec for layer in layers.values())
    assert largest is not None and (largest.op, largest.dtype) == ("max", "int8")
    for spec in means:
        assert spec is not None and (spec.op, spec.dtype) == ("avg", "int8")
        assert (spec.rounding, spec.rounding_about) == ("half_even", "zero_point")
        assert spec.zero_points != (0, 0)
    assert "may differ at halves" in layers["avg_pool2d"].notes[0]


@pytest.mark.parametrize("name", ["pools", "branches", "quantised"])
def test_a_program_runs_and_its_pools_go_through_golden(name):
    pytest.importorskip("torch")
    model = read_model(str(RECORDED / f"{name}.pt2"))
    x = np.random.default_rng(1).random((2, 3, 22, 22), np.float32)
    plain, swapped, seen = ran_through(model, x)
    assert seen
    assert set(seen) <= {layer.name for layer in model.layers}
    for before, after in zip(plain, swapped, strict=True):
        assert before.shape == after.shape
        # averages of integers may differ by one step where a half is rounded
        assert np.array_equal(before, after) == (name != "quantised") or np.allclose(
            before, after, atol=0.05
        )


def test_a_program_runs_as_torch_runs_it(tmp_path):
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU6(), torch.nn.MaxPool2d(3, 2, 1, ceil_mode=True)
    ).eval()
    x = torch.rand(1, 3, 9, 9)
    torch.export.save(torch.export.export(module, (x,)), tmp_path / "net.pt2")
    model = read_model(str(tmp_path / "net.pt2"))
    [out] = model.run([x.numpy()])
    assert np.array_equal(out, module(x).detach().numpy())
    assert model.layers[0].shape == (4, 7, 7)


def test_a_batch_that_varies_may_be_another_and_a_fixed_length_not():
    with pytest.raises(Refused, match=r"exported for an input x of \?x3x22x22, not 1x3x23x22"):
        read_model(str(RECORDED / "pools.pt2"), [(1, 3, 23, 22)])
    with pytest.raises(Refused, match="has 1 input, and --input-shape 2 shapes"):
        read_model(str(RECORDED / "pools.pt2"), [(1, 3, 22, 22)] * 2)
    pytest.importorskip("torch")
    layers = read_model(str(RECORDED / "pools.pt2"), [(5, 3, 22, 22)]).layers
    assert layers[0].shape == (4, 20, 20)


def test_nothing_in_an_archive_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = pickle.dumps(Evil())
    document = graph_of("branches")
    document["guards_code"] = [f"open({MARK!r}, 'w')"]
    more = {"net/data/sample_inputs/model.pt": evil, "net/data/constants/custom_obj_0": evil}
    path = written(tmp_path, document, more)
    assert len(read_model(path).layers) == 2
    if find_spec("torch"):
        read_model(path).run([np.ones((2, 3, 22, 22), np.float32)])
    assert not Path(MARK).exists()


def test_pickled_weights_are_loaded_as_weights_alone(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    document = graph_of("pools")
    names = [spec["parameter"]["parameter_name"] for spec in document["graph_module"]["signature"][
        "input_specs"] if "parameter" in spec]  # fmt: skip
    config = {name: {"path_name": "weight_0", "use_pickle": True} for name in names}
    more = {
        "net/data/weights/model_weights_config.json": json.dumps({"config": config}).encode(),
        "net/data/weights/weight_0": pickle.dumps(Evil()),
    }
    path = written(tmp_path, document, more)
    with pytest.raises(Refused, match=r"is damaged \(UnpicklingError\)"):
        read_model(path).run([np.ones((2, 3, 22, 22), np.float32)])
    assert not Path(MARK).exists()


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.save.default",
        "torch.ops.aten.from_file.default",
        "os.system",
        "torch.os.system",
        "builtins.eval",
        "_operator.methodcaller",
        "torch.ops.higher_order.auto_functionalized",
    ],
)
def test_only_what_computes_is_called(tmp_path, target):
    pytest.importorskip("torch")
    document = graph_of("branches")
    document["graph_module"]["graph"]["nodes"][0]["target"] = target
    path = written(tmp_path, document)
    assert read_model(path).layers
    with pytest.raises(Refused, match="is not run"):
        read_model(path).run([np.ones((2, 3, 22, 22), np.float32)])


def bombed(folder: Path) -> str:
    """Write an archive whose graph says that it is huge."""
    path = Path(written(folder, {}))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2") + 24
    data[at : at + 4] = struct.pack("<I", 1 << 30)
    path.write_bytes(data)
    return str(path)


def with_version(major: int) -> dict:
    document = graph_of("branches")
    document["schema_version"]["major"] = major
    return document


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda folder: written(folder, b""), "is no graph of torch.export"),
        (lambda folder: written(folder, b"[" * 100_000), "is no graph of torch.export"),
        (lambda folder: written(folder, {}), "is no graph of torch.export"),
        (lambda folder: written(folder, []), "is no graph of torch.export"),
        (lambda folder: written(folder, with_version(99)), "has version 99"),
        (lambda folder: written(folder, {}, {"net/models/b.json": b"{}"}), "several programs"),
        (bombed, "1,073,741,824 bytes"),
    ],
)
def test_archives_that_are_none_are_refused(tmp_path, made, said):
    with pytest.raises(Refused, match=said):
        read_model(made(tmp_path))


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("x/code/a.py constants.pkl", "TorchScript archive"),
        ("serialized_exported_program.json", "older torch"),
        ("net/data/aotinductor/model/a.so", "compiled code"),
        ("hello.txt", "holds no program"),
    ],
)
def test_other_archives_are_told_apart(tmp_path, member, said):
    path = tmp_path / "net.pt2"
    with zipfile.ZipFile(path, "w") as file:
        for each in member.split():
            file.writestr(each, b"")
    with pytest.raises(Refused, match=said):
        read_model(str(path))


def outcome(path: str) -> str:
    """Return why a file is refused; nothing where it is read."""
    try:
        read_model(path)
    except Refused as refusal:
        return str(refusal)
    return ""


def test_any_cut_or_flipped_archive_is_listed_or_refused(tmp_path):
    data = (RECORDED / "branches.pt2").read_bytes()
    numbers = np.random.default_rng(1)
    path = tmp_path / "net.pt2"
    outcomes = []
    for k in range(80):
        broken = bytearray(data if k % 2 else data[: numbers.integers(len(data))])
        for _ in range(k % 4):
            if broken:
                broken[numbers.integers(len(broken))] = numbers.integers(256)
        path.write_bytes(bytes(broken))
        outcomes.append(outcome(str(path)))
    assert any(outcomes)
    assert all("\n" not in said for said in outcomes)


def test_values_of_the_wrong_kind_in_a_graph_are_refused_or_listed(tmp_path):
    numbers = np.random.default_rng(2)
    for _ in range(60):
        document = graph_of("branches")
        spots: list[tuple] = []
        stack: list = [document["graph_module"]["graph"]]
        while stack:
            here = stack.pop()
            for key in here if isinstance(here, dict) else range(len(here)):
                spots.append((here, key))
                if isinstance(here[key], (dict, list)):
                    stack.append(here[key])
        where, key = spots[numbers.integers(len(spots))]
        where[key] = [None, -1, "x", [], {}, [[]], 1 << 80, {"a": 1}][numbers.integers(8)]
        assert "\n" not in outcome(written(tmp_path, document))
