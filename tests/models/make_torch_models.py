"""Record small archives of torch.export for tests that run without torch.

python tests/models/make_torch_models.py, where torch 2.13.0 and torchao are installed. What tests
do not need is left out: example inputs, which are pickles, and where each node was written.
"""

import json
import tempfile
import zipfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

FOLDER = Path(__file__).parent / "recorded"


class Net(nn.Module):
    """One of each pooling, a shared layer and a part without gradients."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
        self.pool = nn.MaxPool2d(2, 2)
        self.global_ = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        with torch.no_grad():
            y = F.avg_pool2d(x.half(), 3, 2, 1, ceil_mode=True, count_include_pad=False)
        values, indices = F.max_pool2d(x, 2, return_indices=True)
        line = F.max_pool1d(x.flatten(2), 3, padding=1, dilation=2)
        return self.global_(x), y, values, indices, line, x.mean((2, 3)), x.mean(1)


class Branches(nn.Module):
    """A pooling in each branch."""

    def forward(self, x):
        def largest(y):
            return F.max_pool2d(y, 3, 1, 1)

        def smallest(y):
            return -F.max_pool2d(-y, 3, 1, 1)

        return torch.cond(x.sum() > 0, largest, smallest, (x,))


class Quantised(nn.Module):
    """What a pt2e quantizer finds."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
        self.conv3, self.linear = nn.Conv2d(4, 4, 1), nn.Linear(4, 3)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = self.conv2(self.pool(F.relu(self.conv1(x))))
        x = F.adaptive_avg_pool2d(self.conv3(F.avg_pool2d(x, 2)), 1)
        return self.linear(torch.flatten(x, 1))


def put(name: str, program) -> None:
    """Write a program without what tests do not need."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pt2"
        torch.export.save(program, path)
        with (
            zipfile.ZipFile(path) as old,
            zipfile.ZipFile(FOLDER / f"{name}.pt2", "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for member in old.namelist():
                data = old.read(member)
                if "sample_inputs" in member:
                    continue
                if member.endswith("models/model.json"):
                    data = json.dumps(bare(json.loads(data))).encode()
                new.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED)


def bare(document):
    """Return a graph without the places in files that its nodes come from."""
    if isinstance(document, dict):
        return {key: bare(value) for key, value in document.items() if key != "stack_trace"}
    return [bare(each) for each in document] if isinstance(document, list) else document


def main() -> None:
    """Record all."""
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.testing.pt2e._xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )

    torch.manual_seed(0)
    FOLDER.mkdir(exist_ok=True)
    x = torch.rand(2, 3, 22, 22)
    batch = torch.export.Dim("batch")
    put("pools", torch.export.export(Net().eval(), (x,), dynamic_shapes=({0: batch},)))
    put("branches", torch.export.export(Branches(), (x,)))
    module = torch.export.export(Quantised().eval(), (x,)).module()
    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config())
    module = prepare_pt2e(module, quantizer)
    module(x)
    put("quantised", torch.export.export(convert_pt2e(module), (x,)))


if __name__ == "__main__":
    main()
