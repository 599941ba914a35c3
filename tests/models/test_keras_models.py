"""Models of Keras, as they run."""

import zipfile

import numpy as np
import pytest
from streampool_models import from_keras, read_model
from streampool_sim.refusals import Refused

keras = pytest.importorskip("keras")
L = keras.layers

from streampool_models.keras3.model import KerasModel  # noqa: E402


def golden(layer, frames, own):
    if layer.job is None:
        return own
    out = layer.job.reference(frames)
    assert all(map(np.array_equal, out, own)), layer.name
    return out


def nested():
    """Return a functional model with a nested one and a pool that is shared."""
    block = keras.Sequential([L.Conv2D(4, 3), L.MaxPooling2D()], name="block")
    x = entry = keras.Input((24, 20, 3))
    pool = L.MaxPooling2D(pool_size=2, name="pool")
    x = pool(block(pool(L.Conv2D(3, 3, activation="relu")(x))))
    y = keras.ops.max_pool(x, 2, 1, "same")
    first = L.MaxPooling2D((2, 1), 3, "same", data_format="channels_first", name="first")(entry)
    return keras.Model(entry, [L.GlobalMaxPooling2D(name="last")(y), first])


class Own(keras.Model):
    """A subclassed model that pools in its own call."""

    def __init__(self):
        super().__init__()
        self.pool = L.AveragePooling1D(pool_size=2, name="average_pooling")

    def call(self, x):
        for _ in range(2):
            x = self.pool(x)
        return keras.ops.max_pool(x, 3, padding="same")


def test_a_shared_layer_takes_no_other_layers_name():
    first, second = L.MaxPooling2D(2, name="pool"), L.MaxPooling2D(2, name="pool_1")
    entry = keras.Input((16, 16, 3))
    layers = from_keras(keras.Model(entry, second(first(first(entry)))))
    assert [each.name for each in layers] == ["pool", "pool_2", "pool_1"]


def test_a_model_is_listed_in_its_order_with_its_axes():
    layers = from_keras(nested())
    said = [(each.name, each.op, each.shape) for each in layers]
    assert sorted(said) == sorted(
        [
            ("pool", "MaxPooling2D", (3, 22, 18)),
            (f"block/{layers[1].name.rpartition('/')[2]}", "MaxPooling2D", (4, 9, 7)),
            ("pool_1", "MaxPooling2D", (4, 4, 3)),
            ("max_pool", "max_pool", (4, 2, 1)),
            ("first", "MaxPooling2D", (24, 20, 3)),
            ("last", "GlobalMaxPooling2D", (4, 2, 1)),
        ]
    )
    specs = {each.name: each.spec for each in layers}
    first, shared = specs["first"], specs["pool"]
    assert first is not None and shared is not None
    assert (first.kernel, first.stride, first.padding, first.layout) == (
        (2, 1),
        (3, 3),
        "same",
        "NCHW",
    )
    assert (shared.stride, shared.padding, shared.layout, shared.nan) == (
        *((2, 2), "valid", "NHWC"),
        "ignore" if keras.backend.backend() == "tensorflow" else "propagate",
    )


def test_a_model_runs_through_golden_and_keras_is_left_as_it_was():
    before = keras.Layer.__call__, L.GlobalMaxPooling2D.call
    made = nested()
    model = KerasModel(made)
    x = np.random.default_rng(0).random((3, 24, 20, 3), np.float32)
    alone, plain, through = made(x), model.run([x]), model.run([x], golden)
    for a, b, c in zip(alone, plain, through, strict=True):
        assert np.array_equal(np.asarray(a), b)
        assert np.array_equal(b, c)
    assert (keras.Layer.__call__, L.GlobalMaxPooling2D.call) == before
    names = [node.layer for node in model.nodes if node.layer]
    assert sorted(names) == sorted(layer.name for layer in model.layers if layer.name != "max_pool")


def test_what_leaves_the_core_goes_on():
    model = KerasModel(keras.Sequential([keras.Input((8, 2)), L.MaxPooling1D(2), L.Flatten()]))
    [out] = model.run([np.ones((1, 8, 2), np.float32)], lambda layer, x, own: (x[..., :4] * 7,))
    assert (out == 7).all()


def test_a_subclassed_model_needs_a_shape():
    with pytest.raises(Refused, match="use --input-shape"):
        from_keras(Own())
    layers = from_keras(Own(), (2, 16, 3))
    names = [each.name.rpartition("_")[0] for each in layers]
    assert (names[0], names[1], layers[2].name) == ("average", layers[0].name, "max_pool")
    assert [(each.shape, each.waits) for each in layers] == [
        *(((3, 16), True), ((3, 8), True), ((3, 4), False))
    ]


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_every_layer_is_as_keras_has_it(ndim, data_format):
    shape = (9, 8, 7)[:ndim]
    shape = (*shape, 2) if data_format == "channels_last" else (2, *shape)
    x = entry = keras.Input(shape)
    made = [
        L.__dict__[f"MaxPooling{ndim}D"](2, padding="same", data_format=data_format),
        L.__dict__[f"MaxPooling{ndim}D"](3, 1, data_format=data_format),
        L.__dict__[f"AveragePooling{ndim}D"](pool_size=2, data_format=data_format),
        L.__dict__[f"GlobalMaxPooling{ndim}D"](data_format=data_format),
        L.__dict__[f"GlobalAveragePooling{ndim}D"](keepdims=True, data_format=data_format),
    ]
    model = KerasModel(keras.Model(entry, [each(x) for each in made]))
    assert len(model.layers) == 5
    assert sum(layer.waits for layer in model.layers) == 2
    values = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    assert all(map(np.array_equal, model.run([values]), model.run([values], golden)))


def test_an_average_over_a_mask_is_refused():
    made = keras.Sequential(
        [keras.Input((6,)), L.Embedding(5, 3, mask_zero=True), L.GlobalAveragePooling1D()]
    )
    [layer] = from_keras(made)
    assert "a mask takes steps out of its mean" in (layer.refusal or "")


def test_half_floats_are_pooled_as_they_are():
    made = keras.Sequential([keras.Input((8, 2)), L.AveragePooling1D(2, dtype="float16")])
    [layer] = from_keras(made)
    assert layer.spec is not None and (layer.spec.dtype, layer.spec.op) == ("float16", "avg")


def test_a_file_is_read_and_one_with_a_lambda_is_not(tmp_path):
    nested().save(tmp_path / "net.keras")
    assert len(read_model(str(tmp_path / "net.keras")).layers) == 6
    with pytest.raises(Refused, match=r"takes \?x24x20x3 for .*, not 1x24x20x4"):
        read_model(str(tmp_path / "net.keras"), [(1, 24, 20, 4)])
    made = keras.Sequential([keras.Input((4, 2)), L.Lambda(lambda x: x + 1), L.MaxPooling1D(2)])
    made.save(tmp_path / "code.keras")
    with pytest.raises(Refused, match="a Lambda layer, whose Python code would have to run"):
        read_model(str(tmp_path / "code.keras"))
    [layer] = from_keras(made)
    assert layer.job is not None


@pytest.mark.parametrize(
    ("model", "shape", "said"),
    [
        (3, (), "3 is no model of Keras"),
        (keras.Sequential([L.MaxPooling1D(2)]), (), "use --input-shape"),
        (keras.Sequential([L.MaxPooling1D(2)]), (1, 4, 4, 4), "does not run on inputs of 1x4x4x4"),
    ],
)
def test_what_cannot_be_looked_into_is_refused(model, shape, said):
    with pytest.raises(Refused, match=said):
        from_keras(model, shape)


@pytest.mark.parametrize("kind", ["link", "storage"])
def test_weights_in_other_files_are_refused(tmp_path, kind):
    h5py = pytest.importorskip("h5py")
    made = keras.Sequential([keras.Input((8, 2)), L.Conv1D(2, 1), L.MaxPooling1D(2)])
    made.save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as old:
        members = {name: old.read(name) for name in old.namelist()}
    with h5py.File(tmp_path / "model.weights.h5", "w") as weights:
        group = weights.create_group("layers/conv1d/vars")
        if kind == "link":
            group["0"] = h5py.ExternalLink("secret.h5", "/all")
        else:
            group.create_dataset("0", (4,), "u1", external=[("secret.bin", 0, 4)])
    members["model.weights.h5"] = (tmp_path / "model.weights.h5").read_bytes()
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as new:
        for name, data in members.items():
            new.writestr(name, data)
    with pytest.raises(Refused, match="weights '0' that are in another file"):
        read_model(str(tmp_path / "net.keras"))
