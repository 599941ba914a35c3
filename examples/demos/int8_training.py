"""Train a small network on scikit-learn's digits, and convert it to TFLite with int8 throughout.

``python int8_training.py NET.tflite``: TensorFlow runs in a process of its own, which says much.
"""

import contextlib
import importlib
import os
import sys
from pathlib import Path
from typing import Any

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0")

import numpy as np

SEED, EPOCHS, TESTED = 1, 40, 360


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the pictures, 8x8 and from 0 to 1, to train and to test with, then their digits."""
    datasets = importlib.import_module("sklearn.datasets")
    selection = importlib.import_module("sklearn.model_selection")
    data = datasets.load_digits()
    images = (data.images / 16).astype(np.float32)[..., np.newaxis]
    return selection.train_test_split(
        images, data.target, test_size=TESTED, random_state=SEED, stratify=data.target
    )


def main(path: Path) -> None:
    """Train, convert and write."""
    keras: Any = importlib.import_module("keras")
    tensorflow: Any = importlib.import_module("tensorflow")
    images, _, labels, _ = digits()
    keras.utils.set_random_seed(SEED)
    tensorflow.config.experimental.enable_op_determinism()
    layers = keras.layers
    net = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1"),
            # windows of four, six and nine taps
            layers.AveragePooling2D(3, 2, padding="same", name="average"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(2, name="largest"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv3"),
            layers.GlobalAveragePooling2D(name="mean"),
            layers.Dense(10, name="scores"),
        ],
        name="digits",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile("adam", loss, metrics=["accuracy"])

    def said(epoch: int, logs: dict[str, float]) -> None:
        if epoch % 5 == 4:
            print(f"  epoch {epoch + 1} of {EPOCHS}: {logs['accuracy']:.1%}", flush=True)

    each = keras.callbacks.LambdaCallback(on_epoch_end=said)
    net.fit(images, labels, epochs=EPOCHS, batch_size=32, verbose=0, callbacks=[each])

    print("  converting", flush=True)
    converter = tensorflow.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([images[i : i + 1]] for i in range(200))
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    with contextlib.redirect_stdout(sys.stderr):  # it prints every variable
        content = converter.convert()
    path.write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
