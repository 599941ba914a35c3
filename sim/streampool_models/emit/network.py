"""A network as few boxes: its pooling layers, and what lies between them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..layer import Layer, Model, Node


@dataclass
class Box:
    """A pooling layer, or all operations that lie between the same ones.

    `rank` is the number of boxes on the longest way to it.
    """

    layer: Layer | None = None
    operations: Counter[str] = field(default_factory=Counter)
    rank: int = 0


@dataclass
class Network:
    """Boxes in an order in which each follows those that lead to it, and their edges by number."""

    boxes: list[Box]
    edges: list[tuple[int, int]]


def network(model: Model) -> Network:
    """Return a model as boxes.

    Operations are put together if they are connected and the same number of pooling layers lies
    before them, on the longest way. What follows from constants alone is left out. Layers that are
    no node of the main graph, as in the body of a loop, have boxes by themselves.
    """
    layers = {layer.name: layer for layer in model.layers}
    nodes = _live(model)
    makers = {value: k for k, node in enumerate(nodes) for value in node.outputs}
    before = [sorted({makers[each] for each in node.inputs if each in makers}) for node in nodes]
    pools = [layers.get(node.layer or "") for node in nodes]
    levels: list[int] = []
    for k in range(len(nodes)):
        levels.append(max((levels[p] + (pools[p] is not None) for p in before[k]), default=0))
    group = _groups(before, pools, levels)
    boxes: list[Box] = []
    numbers: dict[int, int] = {}
    for k, node in enumerate(nodes):
        number = numbers.setdefault(group[k], len(boxes))
        if number == len(boxes):
            boxes.append(Box(pools[k]))
        boxes[number].operations[node.op] += 1
    edges = {
        (numbers[group[p]], numbers[group[k]])
        for k in range(len(nodes))
        for p in before[k]
        if group[p] != group[k]
    }
    there = {id(layer) for layer in pools if layer is not None}
    boxes += [Box(layer, Counter([layer.op])) for layer in model.layers if id(layer) not in there]
    return _ranked(boxes, edges)


def _live(model: Model) -> list[Node]:
    """Return the nodes that an input of the model leads to.

    All are where no node takes an input by its name, as in what is written down as it runs.
    """
    known = {each.name for each in model.inputs}
    if not any(known & set(node.inputs) for node in model.nodes):
        return list(model.nodes)
    live: list[Node] = []
    for node in model.nodes:
        if known & set(node.inputs):
            live.append(node)
            known |= set(node.outputs)
    return live


def _groups(
    before: Sequence[Sequence[int]], pools: Sequence[Layer | None], levels: Sequence[int]
) -> list[int]:
    """Return for each node one that stands for its box."""
    above = list(range(len(before)))

    def top(k: int) -> int:
        while above[k] != k:
            above[k] = above[above[k]]
            k = above[k]
        return k

    for k, sources in enumerate(before):
        for p in sources:
            if pools[k] is None and pools[p] is None and levels[k] == levels[p]:
                above[top(k)] = top(p)
    return [top(k) for k in range(len(before))]


def _ranked(boxes: list[Box], edges: set[tuple[int, int]]) -> Network:
    """Return boxes with their ranks, in the order of these."""
    after: dict[int, list[int]] = {}
    waiting = Counter(to for _, to in edges)
    for start, end in edges:
        after.setdefault(start, []).append(end)
    ready = [k for k in range(len(boxes)) if not waiting[k]]
    while ready:
        k = ready.pop()
        for to in after.get(k, ()):
            boxes[to].rank = max(boxes[to].rank, boxes[k].rank + 1)
            waiting[to] -= 1
            if not waiting[to]:
                ready.append(to)
    order = sorted(range(len(boxes)), key=lambda k: (boxes[k].rank, k))
    place = {k: number for number, k in enumerate(order)}
    return Network(
        [boxes[k] for k in order], sorted((place[start], place[end]) for start, end in edges)
    )
