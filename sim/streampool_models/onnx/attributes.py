"""The attributes that operators have, by opset."""

import onnx

from .graphs import STANDARD

FLOAT, INT, INTS, STRING = (
    int(each)
    for each in (
        onnx.AttributeProto.FLOAT,
        onnx.AttributeProto.INT,
        onnx.AttributeProto.INTS,
        onnx.AttributeProto.STRING,
    )
)

_WINDOWS = {
    "auto_pad": STRING,
    "ceil_mode": INT,
    "kernel_shape": INTS,
    "pads": INTS,
    "strides": INTS,
}
CONTRIB = {
    "QLinearAveragePool": {**_WINDOWS, "channels_last": INT, "count_include_pad": INT},
    "QLinearGlobalAveragePool": {"channels_last": INT},
    "NhwcMaxPool": {**_WINDOWS, "dilations": INTS, "storage_order": INT},
}
"""Those of onnxruntime's own operators, which onnx does not know."""


def known(node: onnx.NodeProto, version: int) -> dict[str, int] | None:
    """Return the attributes of an operator with the numbers of their types.

    None where there is no such operator.
    """
    if node.domain not in STANDARD:
        return CONTRIB.get(node.op_type)
    try:
        schema = onnx.defs.get_schema(node.op_type, version, "")
    except onnx.defs.SchemaError:
        return None
    # pyright knows no value of what ONNX makes in C++
    return {name: int(getattr(each.type, "value")) for name, each in schema.attributes.items()}  # noqa: B009
