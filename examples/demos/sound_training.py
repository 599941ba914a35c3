"""Train a network of one axis on sounds, as a Keras user writes it.

``python sound_training.py NET.keras``: TensorFlow runs in a process of its own, which says much.
"""

import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0")

import keras  # pyright: ignore[reportMissingImports]  # of the demonstration's environment
from keras import layers  # pyright: ignore[reportMissingImports]
from sounds import KINDS, STEPS, recorded

SEED, EPOCHS, EACH = 1, 12, 100


def network() -> keras.Model:
    """Return the network."""
    return keras.Sequential(
        [
            keras.Input((STEPS, 1)),
            layers.Conv1D(8, 32, strides=4, activation="relu"),
            layers.MaxPooling1D(pool_size=2),
            layers.Conv1D(16, 16, activation="relu"),
            layers.AveragePooling1D(pool_size=2),
            layers.Conv1D(24, 8, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(len(KINDS), activation="softmax"),
        ]
    )


class Told(keras.callbacks.Callback):
    """Says how far the training is."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Say it."""
        right = (logs or {}).get("accuracy", 0.0)
        said = f"epoch {epoch + 1} of {EPOCHS}, {right:.0%} of the training's sounds right"
        print(f"streampool: {said}", flush=True)


def main(path: str) -> None:
    """Train it and save it."""
    keras.utils.set_random_seed(SEED)
    sounds, kinds = recorded(EACH, seed=SEED)
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(sounds, kinds, epochs=EPOCHS, batch_size=32, verbose=0, callbacks=[Told()])
    model.save(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
