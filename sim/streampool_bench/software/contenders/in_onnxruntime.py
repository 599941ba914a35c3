"""ONNX Runtime: one pooling node, floats and integers, and its channels-last forms."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from ..task import CHANNELS_FIRST, CHANNELS_LAST, Contender, Ready, Task, Unfit

_TYPES = {
    "float32": TensorProto.FLOAT, "int8": TensorProto.INT8, "uint8": TensorProto.UINT8,
}  # fmt: skip
_MICROSOFT = "com.microsoft"
OPSET, IR_VERSION = 19, 9
"""Old enough for every ONNX Runtime that is asked for."""


def contenders() -> list[Contender]:
    """Return ONNX Runtime's contenders."""
    return [
        Contender(
            "onnxruntime", "ONNX Runtime", "a MaxPool, AveragePool or QLinearAveragePool node",
            ("float32", "int8", "uint8"), (CHANNELS_FIRST,), _node, threaded=True,
        ),
        Contender(
            "onnxruntime-nhwc", "ONNX Runtime", "NhwcMaxPool, QLinearAveragePool(channels_last=1)",
            ("int8", "uint8"), (CHANNELS_LAST,), _node, threaded=True,
        ),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Node:
    """An operator of ONNX's: its name and domain, and what it has beside a window."""

    name: str
    domain: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    scaled: bool = False
    dilates: bool = True


def _maximum(task: Task, last: bool) -> _Node:
    return _Node("NhwcMaxPool", _MICROSOFT) if last else _Node("MaxPool")


def _average(task: Task, last: bool) -> _Node:
    spec = task.spec
    if spec.divisor_override is not None:
        raise Unfit("it has a divisor of its own")
    counted = {"count_include_pad": int(spec.count_include_pad)}
    if task.dtype == "float32":
        return _Node("AveragePool", attributes=counted)
    if spec.count_include_pad and task.job.divisor_constant is None:
        raise Unfit("QLinearAveragePool divides by overhanging taps too")
    more = {"channels_last": int(last)}
    return _Node("QLinearAveragePool", _MICROSOFT, counted | more, scaled=True, dilates=False)


_NODES = {"max": _maximum, "avg": _average}


def _attributes(task: Task, dilates: bool) -> dict[str, Any]:
    spec, axes = task.spec, task.job.axes
    if any(axis.before < 0 or axis.after < 0 for axis in axes):
        raise Unfit("it crops")
    found: dict[str, Any] = {
        "kernel_shape": list(spec.kernel),
        "strides": list(spec.stride),
        "pads": [axis.before for axis in axes] + [axis.after for axis in axes],
        "ceil_mode": int(bool(spec.ceil_mode)),
    }
    if any(step > 1 for step in spec.dilation):
        if not dilates:
            raise Unfit("no dilation")
        found["dilations"] = list(spec.dilation)
    return found


def _node(task: Task, layout: str, threads: int) -> Ready:
    last = layout == CHANNELS_LAST
    node = task.among(_NODES)(task, last)
    attributes = _attributes(task, node.dilates) | node.attributes
    inputs, constants = ["x"], []
    if node.scaled:
        inputs += ["scale", "zero", "scale", "zero"]
        constants = [
            helper.make_tensor("scale", TensorProto.FLOAT, [], [1.0]),
            helper.make_tensor("zero", _TYPES[task.dtype], [], [0]),
        ]
    x = task.laid_out(layout)
    out = (1, *task.job.out_shape)
    shape = (1, *out[2:], out[1]) if last else out
    graph = helper.make_graph(
        [helper.make_node(node.name, inputs, ["y"], domain=node.domain, **attributes)],
        "pooling",
        [helper.make_tensor_value_info("x", _TYPES[task.dtype], x.shape)],
        [helper.make_tensor_value_info("y", _TYPES[task.dtype], shape)],
        constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    return _bound(model, x, shape, threads, last)


def _bound(
    model: onnx.ModelProto, x: np.ndarray, shape: tuple[int, ...], threads: int, last: bool
) -> Ready:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    # else its threads go on spinning in the next contender's turn
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        source = onnxruntime.OrtValue.ortvalue_from_numpy(x)
        target = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, x.dtype))
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", source)
        binding.bind_ortvalue_output("y", target)
        session.run_with_iobinding(binding)
    except Exception as error:  # its own classes derive from nothing else
        raise Unfit(str(error).splitlines()[0][:120]) from None

    def run() -> Any:
        session.run_with_iobinding(binding)
        return target

    return Ready(run, lambda y: np.moveaxis(y.numpy(), -1, 1) if last else y.numpy())
