"""ONNX's own pooling cases through the golden model and the core: ``make conformance``.

Its 53 node cases and the 16 older ones that come with the package. A case runs *bit for bit* where
the expected output is what leaves, *quantised* where reals are taken in steps of a power of two
and what leaves is the expected output to within the roundings that this brings along.
"""

import importlib
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from onnx_pools import spec_of
from streampool_golden import (
    DType,
    PoolJob,
    PoolSpec,
    SpecError,
    UnpoolJob,
    plane_indices,
    pool,
    pool_with_indices,
    unpool,
)
from streampool_hw import PoolCore, UnpoolCore
from streampool_sim.frames import unpack

from .cases import LANES
from .simulated import core_of, indices_of, traces

OLDER = ("pytorch-converted", "pytorch-operator")
QUANTISED = {1: ("int32", 2.0**-20), 2: ("int24", 2.0**-12), 3: ("int19", 2.0**-15)}
QUANTISED[4] = ("int15", 2.0**-11)
"""What a real is quantised to, and counted in, by the power that it is raised to."""

BATCH = 16
"""Cores at once."""

EXACT, STEPPED, NOT = "bit for bit", "quantised", "no"


@dataclass
class Run:
    """What a core does, what goes in, and what the golden model gives.

    `indices` go in beside `x` where the core is MaxUnpool's, and come out where it pools.
    """

    job: PoolJob | UnpoolJob
    x: np.ndarray
    values: np.ndarray
    indices: np.ndarray | None = None

    @classmethod
    def of(
        cls, spec: PoolSpec, x: np.ndarray, values: np.ndarray, indices: np.ndarray | None = None
    ) -> "Run":
        """Return that of a pooling."""
        return cls(PoolJob(spec, x.shape[1:], min(x.shape[1], LANES)), x, values, indices)


@dataclass
class Case:
    """A case as ONNX has it, and what came of it.

    Attributes
    ----------
    name, op_type : str
        Its name and its pooling operator.
    attributes : dict
        The operator's.
    inputs, outputs : list of ndarray
        What goes in, and is to come out.
    verdict : {"bit for bit", "quantised", "no"}
        How the golden model runs it.
    core : {"yes", "DIFFERS", "no", "-"}
        Whether a simulated core gave what the golden model gave; ``no`` where none can be made,
        ``-`` where none is to.
    note : str
        Why not, or in what way.
    """

    name: str
    op_type: str
    attributes: dict[str, Any]
    inputs: list[np.ndarray]
    outputs: list[np.ndarray]
    verdict: str = NOT
    core: str = "-"
    note: str = ""
    run: "Run | None" = field(default=None, repr=False)

    def row(self) -> dict[str, str]:
        """Return what came of it, for a table."""
        names = ("name", "op_type", "verdict", "core", "note")
        return {name: getattr(self, name) for name in names}


def collected() -> list[Case]:
    """Return ONNX's pooling cases, the node cases first."""
    onnx: Any = importlib.import_module("onnx")
    node: Any = importlib.import_module("onnx.backend.test.case.node")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' cases overflow as they are made
        found = [
            _case(case.name, case.model, *case.data_sets[0])
            for case in node.collect_testcases(None)
            if case.model is not None and case.data_sets
        ]
    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for folder in sorted(path for group in OLDER for path in (data / group).glob("test_*")):
        sets = [
            [onnx.numpy_helper.to_array(onnx.load_tensor(str(file))) for file in files]
            for files in (
                sorted((folder / "test_data_set_0").glob(f"{kind}_*.pb"))
                for kind in ("input", "output")
            )
        ]
        found.append(_case(folder.name, onnx.load(folder / "model.onnx"), *sets))
    return [case for case in found if case is not None]


def _case(name: str, model: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Case | None:
    helper: Any = importlib.import_module("onnx.helper")
    nodes = [n for n in model.graph.node if "Pool" in n.op_type or n.op_type == "MaxUnpool"]
    others = {n.op_type for n in model.graph.node} - {"Squeeze", "Unsqueeze"}
    if len(nodes) != 1 or others != {nodes[0].op_type} or "Roi" in nodes[0].op_type:
        return None
    [node] = nodes
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    given, expected = ([np.asarray(a) for a in each] for each in (inputs, outputs))
    if len(model.graph.node) == 3:  # one axis, which the model makes two of
        axes = given[0].ndim - 2
        attributes = {k: _along(k, v, axes) for k, v in attributes.items()}
    return Case(name, node.op_type, attributes, given, expected)


def _along(name: str, values: Any, axes: int) -> Any:
    """Return an attribute's values along the first axes, of a model that has one more."""
    if name == "pads":
        return [*values[:axes], *values[axes + 1 : 2 * axes + 1]]
    return values[:axes] if isinstance(values, list) else values


def judge(case: Case) -> None:
    """Run a case through the golden model, and put what came of it into it."""
    try:
        if case.op_type == "MaxUnpool":
            _unpooled(case)
        else:
            _pooled(case)
    except SpecError as refusal:
        case.verdict, case.note = NOT, str(refusal)


def _pooled(case: Case) -> None:
    x, *_ = case.inputs
    y = case.outputs[0]
    if "Max" in case.op_type:
        spec = spec_of(case.op_type, case.attributes, x.shape[2:], dtype=x.dtype.name)
        if len(case.outputs) == 2:
            order = case.attributes.get("storage_order", 0)
            spec = spec.replace(indices=("flat", "flat_columns")[order])
            values, indices = pool_with_indices(spec, x)
            same = np.array_equal(indices, case.outputs[1])
            case.note = f"with indices, storage_order {order}"
        else:
            values, indices, same = pool(spec, x), None, True
        if not (same and values.dtype == y.dtype and values.tobytes() == y.tobytes()):
            raise AssertionError(f"{case.name}: the golden model differs")
        case.verdict, case.run = EXACT, Run.of(spec, x, values, indices)
        return
    power = case.attributes.get("p", 2) if case.op_type == "LpPool" else 1
    dtype, step = QUANTISED[power]
    quantised = {"dtype": dtype, "rounding": "half_even", "out_dtype": "int32"}
    spec = spec_of(case.op_type, case.attributes, x.shape[2:], **quantised)
    steps = np.rint(x.astype(np.float64) / step).astype(np.int64)
    values = pool(spec, steps)
    taps = float(np.prod(spec.kernel)) if case.op_type == "LpPool" else 1.0
    # an input is off by half a step, which means pass on, and a norm no more than the norm of that
    allowed = step / 2 * (1 + taps ** (1 / power))
    off = np.abs(values * step - y)
    whole = "inputs are whole" if np.array_equal(x, np.rint(x)) else "inputs are reals"
    case.note = f"{whole}, in steps of 2^{int(np.log2(step))}"
    if (off > allowed + 2e-6 * np.abs(y)).any():
        digits = np.array_equal(np.round(y, 4), y)
        if not (digits and (off <= allowed + 6e-5).all()):
            raise AssertionError(f"{case.name}: the golden model is off by {off.max()}")
        case.note += "; the expected values are printed to four digits"
    case.verdict = STEPPED
    case.run = Run.of(spec, steps.astype(spec.in_dtype.numpy), values)


def _unpooled(case: Case) -> None:
    x, indices, *shape = case.inputs
    kernel, stride = case.attributes["kernel_shape"], case.attributes["strides"]
    plain = [(n - 1) * s + k for n, k, s in zip(x.shape[2:], kernel, stride, strict=True)]
    size = [int(n) for n in shape[0][2:]] if shape else plain
    found = unpool(x, indices, size, indices_base="flat", index_size=plain)
    if found.tobytes() != case.outputs[0].tobytes():
        raise AssertionError(f"{case.name}: the golden model differs")
    case.verdict = EXACT
    places = np.unravel_index(plane_indices(indices, "flat", plain), plain)
    job = UnpoolJob(x.shape[1:], size, min(x.shape[1], LANES), DType.of(x.dtype))
    case.run = Run(job, x, found, np.ravel_multi_index(places, size))


def through_cores(cases: Sequence[Case], tell: Callable[[str], None]) -> None:
    """Simulate the core of every case that the golden model runs, and compare them."""
    made: list[tuple[Case, Run, PoolCore | UnpoolCore]] = []
    for case in cases:
        if case.run is None:
            continue
        try:
            made.append((case, case.run, core_of(case.run.job)))
        except SpecError as refusal:
            case.core, case.note = "no", f"{case.note}; {refusal}".lstrip("; ")
    for at in range(0, len(made), BATCH):
        _, runs, cores = zip(*made[at : at + BATCH], strict=True)
        seen = traces(cores, [run.x for run in runs], [run.indices for run in runs])
        for (case, run, core), trace in zip(made[at : at + BATCH], seen, strict=True):
            found = unpack(core.job, trace.out)
            same = found.tobytes() == run.values.tobytes()
            places = indices_of(core, trace)
            if isinstance(run.job, PoolJob) and run.indices is not None:
                same = same and places is not None and np.array_equal(places, run.indices)
            case.core = "yes" if same else "DIFFERS"
        tell(f"onnx: {min(at + BATCH, len(made))}/{len(made)} cores")


def held(tell: Callable[[str], None] = lambda text: print(text, file=sys.stderr)) -> list[Case]:
    """Judge all cases, through the golden model and the cores."""
    cases = collected()
    for case in cases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            judge(case)
    tell(f"onnx: {len(cases)} cases through the golden model")
    through_cores(cases, tell)
    return cases
