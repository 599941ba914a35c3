"""QONNX's operators as ONNX's own, which onnxruntime runs."""

import numpy as np
import onnx

from .graphs import Scope
from .grids import QUANTS
from .shapes import QONNX

ROUND = {
    "ROUND": ("Round",),
    "HALF_EVEN": ("Round",),
    "FLOOR": ("Floor",),
    "CEIL": ("Ceil",),
}
ROUND_SIZES = {"DOWN": ("Floor", 0.0), "UP": ("Ceil", 0.0), "HALF_UP": ("Floor", 0.5)}
ROUND_SIZES["HALF_DOWN"] = ("Ceil", -0.5)
"""Those that round the size of a number, something added first, and keep its sign."""

MOST_BITS = 32
"""Of a Quant or Trunc; a Trunc's scale is not above that either."""

INPUTS = {**dict.fromkeys(QUANTS, (4,)), "Trunc": (5, 6), "BipolarQuant": (2,)}


def has_qonnx(graph: onnx.GraphProto) -> bool:
    """Return whether a graph has operators of QONNX's."""
    return any(node.domain in QONNX for node in graph.node)


def expand(graph: onnx.GraphProto) -> None:
    """Put ONNX's operators in the place of Quant, Trunc and BipolarQuant where widths are known."""
    scope = Scope(graph, {})
    nodes = []
    for node in graph.node:
        if node.domain in QONNX and node.op_type in INPUTS:
            nodes += _Expansion(node, scope).nodes() or [node]
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


class _Expansion:
    def __init__(self, node: onnx.NodeProto, scope: Scope) -> None:
        self._node, self._scope = node, scope
        self._made: list[onnx.NodeProto] = []

    def nodes(self) -> list[onnx.NodeProto]:
        """Return the nodes; none where it cannot be expressed."""
        if len(self._node.input) not in INPUTS[self._node.op_type] or not self._node.output:
            return []
        given = {each.name: onnx.helper.get_attribute_value(each) for each in self._node.attribute}
        mode = given.get("rounding_mode", b"FLOOR" if self._node.op_type == "Trunc" else b"ROUND")
        rounding = mode.decode("utf-8", "replace").upper()
        signed, narrow = bool(given.get("signed", 1)), bool(given.get("narrow", 1))
        x, scale, *rest = self._node.input
        if self._node.op_type == "BipolarQuant":
            return self._ended(self._bipolar(self._op("Div", x, scale)), scale)
        zero = rest[0]
        if rounding not in (*ROUND, *ROUND_SIZES):
            return []
        widths = [self._scope.constant(name) for name in rest[1:]]
        if any(each is None or each.size != 1 for each in widths):
            return []
        numbers = [float(each.ravel()[0]) for each in widths if each is not None]
        if not all(0 < each <= MOST_BITS for each in numbers):
            return []
        y = self._op("Add", self._op("Div", x, scale), zero)
        if self._node.op_type != "Trunc":
            if numbers[0] == 1 and signed:
                y = self._bipolar(y)
            else:
                y = self._rounded(self._bounded(y, numbers[0], signed, narrow), rounding)
            return self._ended(self._op("Sub", y, zero), scale)
        y = self._op("Round", y)
        if len(numbers) == 2:
            y = self._op("Div", y, self._number(2.0 ** (numbers[0] - numbers[1])))
            return self._ended(self._op("Sub", self._rounded(y, rounding), zero), scale)
        old = self._scope.constant(scale)
        if old is None or old.size != 1:
            return []
        shift = self._number(2.0 ** np.rint(np.log2(numbers[1] / float(old.ravel()[0]))))
        y = self._op("Div", y, shift)
        y = self._bounded(y, numbers[2], signed, bool(given.get("narrow", 0)))
        y = self._op("Sub", self._rounded(y, rounding), self._op("Div", zero, shift))
        return self._ended(y, rest[2])

    def _bounded(self, y: str, bits: float, signed: bool, narrow: bool) -> str:
        high = 2 ** (bits - signed) - 1 - (narrow and not signed)
        low = -(2 ** (bits - 1)) + narrow if signed else 0
        y = self._op("Min", y, self._number(high))
        return self._op("Max", y, self._number(low))

    def _bipolar(self, y: str) -> str:
        """Return 1 where a value is 0 or more, and else -1."""
        above = self._op("GreaterOrEqual", y, self._number(0.0))
        return self._op("Where", above, self._number(1.0), self._number(-1.0))

    def _rounded(self, y: str, mode: str) -> str:
        if mode in ROUND:
            return self._op(*ROUND[mode], y)
        op, more = ROUND_SIZES[mode]
        size = self._op("Add", self._op("Abs", y), self._number(more))
        return self._op("Mul", self._op("Sign", y), self._op(op, size))

    def _ended(self, y: str, scale: str) -> list[onnx.NodeProto]:
        self._op("Mul", y, scale)
        self._made[-1].output[0] = self._node.output[0]
        return self._made

    def _number(self, value: float) -> str:
        name = f"{self._node.name}/{len(self._made)}"
        tensor = onnx.numpy_helper.from_array(np.array(value, np.float32))
        self._made.append(onnx.helper.make_node("Constant", [], [name], name=name, value=tensor))
        return name

    def _op(self, op: str, *inputs: str) -> str:
        name = f"{self._node.name}/{len(self._made)}"
        self._made.append(onnx.helper.make_node(op, list(inputs), [name], name=name))
        return name
