"""`streampool model` on PyTorch's files and Keras', good and bad ones, without either installed."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import pytest
from commands import Command

RECORDED = Path(__file__).parents[1] / "models" / "recorded"


def zipped(**members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return data.getvalue()


def test_an_archive_is_listed_and_written_as_json(command: Command, folder):
    done = command("model", RECORDED / "quantised.pt2", "--json", "layers.json")
    assert (done.status, done.err) == (0, "")
    layers = json.loads((folder / "layers.json").read_text())["layers"]
    assert [layer["name"] for layer in layers] == [
        *("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d")
    ]
    assert [layer["op"] for layer in layers] == [layer["name"] for layer in layers]
    assert all(layer["supported"] for layer in layers)
    assert layers[0]["spec"]["dtype"] == "int8"
    assert layers[0]["out_shape"] == [4, 10, 10]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("net.pt2", b"", "is no archive of torch.export"),
        ("net.pt2", b"PK\3\4" + bytes(99), "is no archive of torch.export"),
        ("net.pt2", pickle.dumps(1), "is no archive of torch.export"),
        ("net.pt2", zipped(net__models__model_dot_json=b"{"), "is no graph of torch.export"),
        ("net.pt2", zipped(config_dot_json=b"{}"), "holds no program of torch.export"),
        ("net.pt", b"", "is a pickle or damaged, and a pickle runs code"),
        ("net.pth", pickle.dumps(1), "is a pickle or damaged, and a pickle runs code"),
        (
            "net.pt",
            zipped(a__data_dot_pkl=pickle.dumps(Path("x"))),
            "is a pickle that makes 'pathlib",
        ),
        ("net.pt", zipped(a__constants_dot_pkl=b""), "is a TorchScript archive"),
        ("net.pt", zipped(a=b""), "holds nothing that torch.save wrote"),
        ("net.py", b"raise SystemExit", "is run only with the name of what in it is the model"),
        ("net.keras", b"", "is no model of Keras 3"),
        ("net.keras", zipped(a__models__model_dot_json=b"{}"), "has no config.json"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,  # a zip file has the time in it
)
def test_what_is_no_model_is_refused_in_one_sentence(refused, folder, name, data, said):
    (folder / name).write_bytes(data)
    assert said in refused("model", name, "--input-shape", "1x3x8x8").err
