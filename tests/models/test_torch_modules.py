"""Modules of PyTorch, as they run."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from streampool_models import from_torch, read_model
from streampool_models.activations import matched, read_given
from streampool_sim.refusals import Refused

torch = pytest.importorskip("torch")
F, nn = torch.nn.functional, torch.nn

from streampool_models.pytorch.modules import TorchModule  # noqa: E402


class Beginner(nn.Module):
    """The usual beginner's network, whose one pool is called twice."""

    def __init__(self):
        super().__init__()
        self.conv1, self.pool, self.conv2 = (
            nn.Conv2d(3, 6, 5),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(6, 16, 5),
        )
        self.fc = nn.Linear(400, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return self.fc(torch.flatten(x, 1))


class Mixed(nn.Module):
    """Functional calls, a nested part, a loop over data, and indices."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AvgPool2d(2).half())

    def forward(self, x, times=None):
        x = self.features[0](x)
        y = self.features[1](x.half())
        for _ in range(2 if x.sum() > -1e9 else 1):
            x = F.max_pool2d(x, 3, stride=1, padding=1)
        values, indices = F.max_pool2d_with_indices(x, 2)
        return {"y": y, "rest": [values, indices, F.adaptive_max_pool2d(x[0], 2)]}


def golden(layer, frames, own):
    if layer.job is None:  # it waits for a scale
        return own
    out = layer.job.reference(frames)
    assert all(map(np.array_equal, out, own)), layer.name
    return out


def test_a_picture_comes_from_0_to_1(tmp_path):
    (tmp_path / "net.py").write_text("import torch\nnet = torch.nn.MaxPool2d(2)\n")
    Image.new("RGB", (8, 8), "white").save(tmp_path / "white.png")
    model = read_model(f"{tmp_path / 'net.py'}:net", [(1, 3, 8, 8)])
    [x] = matched(model.inputs, read_given(tmp_path / "white.png"))
    assert x.dtype == np.float32
    assert x.min() == x.max() == 1


def test_what_leaves_a_core_lies_in_memory_as_what_the_module_gives():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 10, 3), nn.MaxPool2d(2), nn.Conv2d(10, 16, 3))
    model = TorchModule(net, [(1, 3, 40, 40)])
    x = torch.rand(1, 3, 40, 40).to(memory_format=torch.channels_last).numpy()
    [plain], [swapped] = model.run([x]), model.run([x], golden)
    assert np.array_equal(plain, swapped)  # sums of another order have other bits


def test_a_module_that_is_called_twice_is_two_layers():
    layers = from_torch(Beginner(), (1, 3, 32, 32))
    assert [(layer.name, layer.op, layer.shape) for layer in layers] == [
        ("pool", "MaxPool2d", (6, 28, 28)),
        ("pool_1", "MaxPool2d", (16, 10, 10)),
    ]
    assert all("relu" in layer.notes[0] for layer in layers)
    assert [layer.spec and layer.spec.clamp for layer in layers] == [(0, float("inf"))] * 2


class Activated(nn.Module):
    """Activations before maxima: in place, with ends, and of what is changed in place since."""

    def __init__(self, dtype: Any):
        super().__init__()
        self.conv, self.six = nn.Conv2d(2, 4, 3, dtype=dtype), nn.ReLU6()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.conv(x)
        a = F.max_pool2d(F.relu(x), 2)
        b = F.max_pool2d(self.six(4 * x), 2)
        c = F.max_pool2d(torch.clamp(x, max=0.1), 2)
        d = F.adaptive_max_pool2d(F.hardtanh(x), (3, None))
        y = F.relu(x)
        x += 1
        e = F.max_pool2d(y, 2)
        f = F.max_pool2d(self.relu(x - 1), 3)
        return a, b, c, d, e, f


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_core_takes_what_an_activation_takes(dtype):
    torch.manual_seed(1)
    model = TorchModule(Activated(getattr(torch, dtype)), [(1, 2, 12, 12)])
    clamps = [layer.spec.clamp for layer in model.layers if layer.spec]
    inf = float("inf")
    assert clamps[:2] == [(0, inf), (0, 6)]
    assert clamps[3:] == [(-1, 1), (0, inf), (0, inf)]
    assert clamps[2] == (-inf, float(torch.tensor(0.1, dtype=getattr(torch, dtype))))
    taken = []

    def through(layer, frames, own):
        taken.append(frames)
        return golden(layer, frames, own)

    x = torch.randn(1, 2, 12, 12).numpy()
    for plain, swapped in zip(model.run([x]), model.run([x], through), strict=True):
        assert np.array_equal(plain, swapped)
    assert [bool((frames < 0).any()) for frames in taken] == [True] * 4 + [False] * 2


def test_functional_calls_and_control_flow_are_seen():
    model = TorchModule(Mixed(), [(2, 1, 10, 10)])
    assert [layer.name for layer in model.layers] == [
        *("features.1", "max_pool2d", "max_pool2d_1", "max_pool2d_with_indices"),
        "adaptive_max_pool2d",
    ]
    assert model.layers[0].spec is not None and model.layers[0].spec.dtype == "float16"
    x = np.random.default_rng(0).random((2, 1, 10, 10), np.float32)
    plain, through = model.run([x]), model.run([x], golden)
    assert len(plain) == 4
    assert all(map(np.array_equal, plain, through))


def test_what_leaves_the_core_goes_on_in_the_model():
    model = TorchModule(Beginner(), [(1, 3, 32, 32)])
    x = np.random.default_rng(0).random((1, 3, 32, 32), np.float32)

    def nothing(layer, frames, own):
        return tuple(np.zeros_like(each) for each in own)

    [plain], [swapped] = model.run([x]), model.run([x], nothing)
    assert not np.array_equal(plain, swapped)
    bias = model._module.get_parameter("fc.bias").detach().numpy()
    assert np.array_equal(swapped[0], bias)


@pytest.mark.parametrize("engine", ["x86", "qnnpack"])
def test_quantized_tensors_are_pooled_as_their_integers(engine):
    tools = torch.ao.quantization
    before, torch.backends.quantized.engine = torch.backends.quantized.engine, engine
    try:
        module = nn.Sequential(
            *(tools.QuantStub(), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.AvgPool2d(2, 2, 1), nn.AdaptiveAvgPool2d(1), tools.DeQuantStub()),
        ).eval()
        module.qconfig = tools.get_default_qconfig(engine)
        tools.prepare(module, inplace=True)
        x = torch.rand(8, 3, 10, 10, generator=torch.Generator().manual_seed(3)) - 0.5
        module(x)
        tools.convert(module, inplace=True)
        model = TorchModule(module, [(1, 3, 10, 10)])
        assert [layer.spec.dtype for layer in model.layers if layer.spec] == ["uint8"] * 3
        clamp = model.layers[0].spec and model.layers[0].spec.clamp
        assert clamp is not None and clamp[1] == 255
        plain, through = model.run([x.numpy()]), model.run([x.numpy()], golden)
        assert all(map(np.array_equal, plain, through))
    finally:
        torch.backends.quantized.engine = before


@pytest.mark.parametrize("engine", ["x86", "qnnpack"])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_halves_of_quantized_averages_are_rounded_as_the_engine_does(engine, dtype):
    before, torch.backends.quantized.engine = torch.backends.quantized.engine, engine
    try:
        x = np.random.default_rng(1).integers(0, 100, (1, 4, 8, 8)).astype(dtype)

        class Average(nn.Module):
            def forward(self, x):
                x = torch.quantize_per_tensor(x, 1.0, 3, getattr(torch, f"q{dtype}"))
                return F.avg_pool2d(x, 2).dequantize()

        model = TorchModule(Average(), [(1, 4, 8, 8)])
        about = model.layers[0].spec and model.layers[0].spec.rounding_about
        assert about == ("zero_point" if (engine, dtype) == ("qnnpack", "uint8") else "raw")
        model.run([x.astype(np.float32) - 3], golden)
    finally:
        torch.backends.quantized.engine = before


def test_a_module_is_left_as_it_was():
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(), nn.MaxPool2d(2))
    module[1].eval()
    state = {name: value.clone() for name, value in module.state_dict().items()}
    seed = torch.initial_seed()
    from_torch(module, (2, 3, 8, 8))
    assert [each.training for each in module.modules()] == [True, True, False, True]
    assert all(torch.equal(state[name], value) for name, value in module.state_dict().items())
    assert not module._forward_hooks and not module[2]._forward_pre_hooks
    assert torch.initial_seed() == seed


def test_several_inputs_and_whole_numbers():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.pool = nn.Embedding(10, 4), nn.MaxPool1d(2)

        def forward(self, tokens, more):
            return self.pool(self.table(tokens).transpose(1, 2)) + more.sum()

    [layer] = from_torch(Two(), [(1, 6), (1, 2)])
    assert layer.shape == (4, 6)


def test_a_pool_that_does_not_fit_is_named():
    model = TorchModule(nn.Sequential(nn.MaxPool2d(4), nn.MaxPool2d(4)), [(1, 1, 8, 8)])
    assert [layer.name for layer in model.layers] == ["0", "1"]
    assert "gives no output" in (model.layers[1].refusal or "")
    assert "does not go on behind 1" in model.warnings[0]


def test_an_exported_program_is_looked_into():
    program = torch.export.export(Beginner().eval(), (torch.rand(1, 3, 32, 32),))
    names = [layer.name for layer in from_torch(program, (1, 3, 32, 32))]
    assert names == ["max_pool2d", "max_pool2d_1"]


@pytest.mark.parametrize(
    ("module", "shape", "said"),
    [
        (3, (1, 2), "is no torch.nn.Module"),
        (nn.MaxPool2d(2), (), "the shape of a module's input is not known"),
        (nn.Linear(3, 4), (1, 2), "does not run on inputs of 1x2"),
        (torch.jit.script(nn.MaxPool2d(2)), (1, 1, 4, 4), "a TorchScript module"),
    ],
)
def test_what_cannot_be_looked_into_is_refused(module, shape, said):
    with pytest.raises(Refused, match=said):
        from_torch(module, shape)


NET = """
import torch
from torch import nn

net = nn.MaxPool2d(2)
number = 3


class Net(nn.Module):
    def __init__(self, wide=False):
        super().__init__()
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        return self.pool(x)


def factory():
    return nn.Sequential(Net(), nn.MaxPool2d(3))


def needs(size):
    return nn.MaxPool2d(size)


def fails():
    raise OSError("no such\\nweights")


def other():
    return 3


def leaves():
    raise SystemExit(0)
"""


@pytest.mark.parametrize(
    ("name", "layers"), [("net", [""]), ("Net", ["pool"]), ("factory", ["0.pool", "1"])]
)
def test_a_file_gives_a_module_a_class_or_what_makes_one(tmp_path, name, layers):
    (tmp_path / "net.py").write_text(NET)
    model = read_model(f"{tmp_path}/net.py:{name}", [(1, 1, 8, 8)])
    found = [layer.name for layer in model.layers]
    assert found == layers or (name == "net" and len(found) == 1)
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Nett", "has no 'Nett', did you mean Net"),
        ("number", "number of .*net.py is 3; use a torch.nn.Module"),
        ("needs", "needs size; use a function without arguments"),
        ("fails", "fails: OSError: no such weights$"),
        ("other", "3 is no torch.nn.Module"),
        ("leaves", "it ends the program"),
    ],
)
def test_a_file_that_gives_none_is_refused(tmp_path, name, said):
    (tmp_path / "net.py").write_text(NET)
    with pytest.raises(Refused, match=said):
        read_model(f"{tmp_path}/net.py:{name}", [(1, 1, 8, 8)])


def test_a_file_does_not_run_unless_its_attribute_is_named(tmp_path):
    (tmp_path / "net.py").write_text("raise RuntimeError('ran')\n")
    with pytest.raises(Refused, match="is run only with the name of what in it is the model"):
        read_model(f"{tmp_path}/net.py", [(1, 1, 8, 8)])
    with pytest.raises(Refused, match="fails: RuntimeError: ran"):
        read_model(f"{tmp_path}/net.py:Net", [(1, 1, 8, 8)])


def test_the_current_folder_is_not_imported_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.py").write_text("open('ran', 'w')\n")
    (tmp_path / "net.py").write_text("import beside\n")
    with pytest.raises(Refused, match="No module named 'beside'"):
        read_model("net.py:Net", [(1, 1, 8, 8)])
    assert not (tmp_path / "ran").exists()


def test_pickles_are_told_apart_and_not_loaded(tmp_path):
    torch.save(nn.MaxPool2d(2), tmp_path / "whole.pt")
    torch.save(nn.Conv2d(1, 1, 3).state_dict(), tmp_path / "weights.pth")
    torch.jit.script(nn.MaxPool2d(2)).save(str(tmp_path / "script.pt"))
    for name, said in (
        ("whole.pt", "is a pickle that makes 'torch.nn.modules.pooling.MaxPool2d'"),
        ("weights.pth", "holds weights alone"),
        ("script.pt", "is a TorchScript archive"),
    ):
        with pytest.raises(Refused, match=said):
            read_model(str(tmp_path / name))
