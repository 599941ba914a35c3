"""ONNX's pooling nodes as specifications, for tests that check the golden model against them."""

from streampool_golden import PoolSpec

OPS = {
    "MaxPool": "max",
    "AveragePool": "avg",
    "GlobalMaxPool": "max",
    "GlobalAveragePool": "avg",
}


def spec_of(op_type: str, attributes: dict, size: tuple[int, ...], **integers) -> PoolSpec:
    """Return the specification of a node on spatial lengths `size`.

    SAME is taken as onnxruntime has it: with a total below 0 it crops.
    """
    if op_type.startswith("Global"):
        return PoolSpec(OPS[op_type], size, **integers)
    kernel = tuple(attributes["kernel_shape"])
    axes = range(len(kernel))
    stride = tuple(attributes.get("strides", (1,) * len(kernel)))
    dilation = tuple(attributes.get("dilations", (1,) * len(kernel)))
    pads = attributes.get("pads", (0,) * (2 * len(kernel)))
    padding = [(pads[i], pads[len(kernel) + i]) for i in axes]
    auto = attributes.get("auto_pad", "NOTSET")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    if auto.startswith("SAME"):
        for i in axes:
            last = (-(-size[i] // stride[i]) - 1) * stride[i]
            total = last + (kernel[i] - 1) * dilation[i] + 1 - size[i]
            # Halved toward zero, as C does it: an odd crop comes off the end.
            before = int((total + (auto == "SAME_LOWER")) / 2)
            padding[i] = (before, total - before)
    return PoolSpec(
        f"lp{attributes.get('p', 2)}" if op_type == "LpPool" else OPS[op_type],
        kernel,
        stride,
        padding,
        dilation,
        bool(attributes.get("ceil_mode", 0)),
        bool(attributes.get("count_include_pad", 0)),
        **integers,
    )
