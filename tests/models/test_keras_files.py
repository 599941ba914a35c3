"""Files of Keras: what is looked at before Keras sees them."""

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from streampool_models.keras3.files import checked
from streampool_sim.refusals import Refused


def layer(name: str, module: str | None = "keras.layers", **config: object) -> dict:
    return {
        "module": module,
        "class_name": name,
        "config": {"name": "it", **config},
        "registered_name": None,
    }


def model(*layers: dict) -> dict:
    return layer("Sequential", "keras", layers=list(layers))


def written(folder: Path, document: object, more: dict[str, bytes] | None = None) -> str:
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        file.writestr("config.json", data)
        for name, content in (more or {}).items():
            file.writestr(name, content)
    return str(path)


def test_what_is_keras_own_is_let_through(tmp_path):
    dense = layer("Dense", kernel_initializer=layer("Zeros", "keras.initializers"))
    checked(written(tmp_path, model(layer("MaxPooling1D", pool_size=2), dense)))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (layer("Lambda"), r"a Lambda layer, whose Python code would have to run \('it'\)"),
        ({"class_name": "__lambda__", "config": {"value": ["e30="]}}, "a lambda, whose Python"),
        (layer("TorchModuleWrapper"), "a pickled module of torch"),
        (layer("JaxLayer"), "a function of JAX"),
        (layer("FlaxLayer"), "a module of Flax"),
        (layer("TFSMLayer"), "a TensorFlow SavedModel"),
        (layer("system", "os"), "'system' of 'os'"),
        (layer("load", "keras_hub.models"), "'load' of 'keras_hub.models'"),
        (
            {**layer("Mine", None), "registered_name": "my>Mine"},
            "'my>Mine' .*, a class of its author's own",
        ),
        (layer("StringLookup", vocabulary="/etc/passwd"), "names a file of a vocabulary"),
    ],
)
def test_what_holds_code_or_reads_files_is_refused_wherever_it_is(tmp_path, made, said):
    nested = layer("Bidirectional", layer=layer("Wrapper", deep=[{"a": made}]))
    for document in (made, model(made), model(nested)):
        with pytest.raises(Refused, match=said):
            checked(written(tmp_path, document))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no model of Keras 3, which is a zip file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "is no model of Keras 3, which is a zip file"),
        (b"PK\3\4" + bytes(99), "is no model of Keras 3, which is a zip file"),
    ],
)
def test_what_is_no_zip_file_is_refused(tmp_path, data, said):
    (tmp_path / "net.keras").write_bytes(data)
    with pytest.raises(Refused, match=said):
        checked(str(tmp_path / "net.keras"))


@pytest.mark.parametrize(
    "document", [b"", b"[1]", b'{"a": 1}', b"[" * 100_000, b"\xff\xfe", b'{"class_name": [1'[:9]]
)
def test_an_architecture_that_is_none_is_refused(tmp_path, document):
    with pytest.raises(Refused, match=r"config.json of .* is damaged"):
        checked(written(tmp_path, document))


def test_a_zip_file_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as file:
        file.writestr("hello.txt", "hello")
    with pytest.raises(Refused, match=r"has no config\.json"):
        checked(str(tmp_path / "net.keras"))


def test_what_unpacks_to_far_more_is_refused(tmp_path):
    bomb = {"model.weights.h5": bytes(1 << 25)}
    with pytest.raises(Refused, match=r"33,554,432 bytes, more than the 16,777,216"):
        checked(written(tmp_path, model(), bomb))


def test_a_header_that_says_huge_is_refused(tmp_path):
    path = Path(written(tmp_path, model()))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2") + 24
    data[at : at + 4] = struct.pack("<I", 1 << 31)
    path.write_bytes(data)
    with pytest.raises(Refused, match="2,147,483,648 bytes"):
        checked(str(path))


def outcome(path: Path) -> str:
    """Return why a file is refused; nothing where it is let through."""
    try:
        checked(str(path))
    except Refused as refusal:
        return str(refusal)
    return ""


def test_any_cut_or_flipped_file_is_let_through_or_refused(tmp_path):
    path = Path(written(tmp_path, model(layer("MaxPooling1D", pool_size=2))))
    data, numbers, said = path.read_bytes(), np.random.default_rng(1), []
    for k in range(100):
        broken = bytearray(data if k % 2 else data[: numbers.integers(len(data))])
        for _ in range(k % 4):
            if broken:
                broken[numbers.integers(len(broken))] = numbers.integers(256)
        path.write_bytes(bytes(broken))
        said.append(outcome(path))
    assert sum(map(bool, said)) > 40
    assert not any("\n" in each for each in said)
