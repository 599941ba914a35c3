"""The verb that this package adds to the command line."""

from streampool_sim.cli.registry import Verb

MODEL = Verb(
    "List the pooling layers of an ONNX, PyTorch, TFLite or Keras model, and run it with cores.",
    "streampool_models.command",
)
