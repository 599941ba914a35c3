"""The public names of `streampool_models`, which `__init__` gives when they are asked for."""

from .layer import Layer as Layer
from .layer import Model as Model
from .layer import Node as Node
from .reading import from_keras as from_keras
from .reading import from_onnx as from_onnx
from .reading import from_tflite as from_tflite
from .reading import from_torch as from_torch
from .reading import read_model as read_model
