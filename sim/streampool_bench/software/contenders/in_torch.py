"""PyTorch: the usual call, on floats and quantised, channels first and last; a GPU if there is one.

A tensor on a GPU is there already: neither way of the bus is counted.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from ..task import CHANNELS_FIRST, CHANNELS_LAST, Contender, Ready, Task, Unfit

# typed as anything, so that the rest is checked where torch is not installed
torch: Any = import_module("torch")
functional: Any = import_module("torch.nn.functional")
Tensor: TypeAlias = Any

BOTH = (CHANNELS_FIRST, CHANNELS_LAST)
_FORMATS = {2: torch.channels_last, 3: torch.channels_last_3d}


def contenders() -> list[Contender]:
    """Return torch's contenders."""
    found = [
        Contender(
            "torch", "PyTorch", "torch.nn.functional.max_pool2d(x, k, s, p)",
            ("float32", "uint8"), BOTH, _plain, threaded=True,
        ),
        Contender(
            "torch-quantized", "PyTorch", "max_pool2d of a qint8 or quint8 tensor",
            ("int8", "uint8"), BOTH, _quantized, threaded=True,
        ),
        Contender(
            "torch-reduce", "PyTorch", "x.mean((2, 3)) or x.amax((2, 3)), where a window is all",
            ("float32",), BOTH, _reduced, threaded=True,
        ),
    ]  # fmt: skip
    if torch.cuda.is_available():
        found.append(
            Contender(
                "torch-gpu", "PyTorch", "max_pool2d of a tensor on the GPU, until it is done",
                ("float32",), BOTH, _on_gpu,
            )
        )  # fmt: skip
    return found


def skipped() -> list[dict[str, str]]:
    """Return what of torch is not there."""
    if torch.cuda.is_available():
        return []
    return [{"what": "PyTorch on a GPU", "reason": "torch finds none here"}]


def _max_arguments(task: Task, padded: bool) -> dict[str, Any]:
    return {"dilation": list(task.spec.dilation)}


def _avg_arguments(task: Task, padded: bool) -> dict[str, Any]:
    spec = task.spec
    if any(step > 1 for step in spec.dilation):
        raise Unfit("windows with gaps")
    if padded and not spec.count_include_pad:
        raise Unfit("uneven padding is not counted")
    found: dict[str, Any] = {"count_include_pad": spec.count_include_pad}
    if spec.divisor_override is not None:
        found["divisor_override"] = spec.divisor_override
    return found


def _sum_arguments(task: Task, padded: bool) -> dict[str, Any]:
    if task.dtype != "float32":
        raise Unfit("sums of integers would saturate")
    return _avg_arguments(task, padded) | {"divisor_override": 1}


@dataclass(frozen=True)
class _Pooling:
    """A pooling of torch's: its functions by axes, what pads for it, and its own arguments.

    The arguments are of a task, and of whether its frame is padded before the call.
    """

    functions: tuple[Any, Any, Any]
    padding: float
    arguments: Callable[[Task, bool], dict[str, Any]]


_MAX = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
_AVG = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)
_POOLINGS = {
    "max": _Pooling(_MAX, -math.inf, _max_arguments),
    "avg": _Pooling(_AVG, 0.0, _avg_arguments),
    "sum": _Pooling(_AVG, 0.0, _sum_arguments),
}
_REDUCTIONS = {"max": torch.amax, "avg": torch.mean}


def _pool(task: Task, x: Tensor) -> Callable[[], Tensor]:
    """Return the call that pools `x`."""
    pooling = task.among(_POOLINGS)
    spec, axes = task.spec, task.job.axes
    if any(axis.before < 0 or axis.after < 0 for axis in axes):
        raise Unfit("it crops")
    even = all(axis.before == axis.after <= axis.kernel // 2 for axis in axes)
    pads = [axis.before if even else 0 for axis in axes]
    around = [] if even else [n for axis in reversed(axes) for n in (axis.before, axis.after)]
    if around and x.dtype != torch.float32:
        raise Unfit("uneven padding of integers")
    arguments: dict[str, Any] = {
        "kernel_size": list(spec.kernel), "stride": list(spec.stride), "padding": pads,
        "ceil_mode": bool(spec.ceil_mode), **pooling.arguments(task, bool(around)),
    }  # fmt: skip
    function = pooling.functions[spec.ndim - 1]

    def run() -> Tensor:
        y = functional.pad(x, around, value=pooling.padding) if around else x
        return function(y, **arguments)

    try:
        run()
    except (RuntimeError, TypeError) as error:
        raise Unfit(_first(error)) from None
    return run


def _first(error: Exception) -> str:
    return str(error).splitlines()[0][:120]


def _laid_out(x: Tensor, layout: str) -> Tensor:
    if layout == CHANNELS_FIRST:
        return x
    if x.ndim - 2 not in _FORMATS:
        raise Unfit("channels last needs two axes or more")
    return x.contiguous(memory_format=_FORMATS[x.ndim - 2])


def _tensor(task: Task) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(task.x))


def _ready(run: Callable[[], Tensor], threads: int, output: Any = None) -> Ready:
    return Ready(
        run, output or (lambda y: y.numpy()), prepare=lambda: torch.set_num_threads(threads)
    )


def _plain(task: Task, layout: str, threads: int) -> Ready:
    return _ready(_pool(task, _laid_out(_tensor(task), layout)), threads)


def _quantized(task: Task, layout: str, threads: int) -> Ready:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of quantised tensors, which are going to go
        kind = {"int8": torch.qint8, "uint8": torch.quint8}[task.dtype]
        x = torch.quantize_per_tensor(_tensor(task).float(), 1.0, 0, kind)
        run = _pool(task, _laid_out(x, layout))
    return _ready(run, threads, lambda y: y.int_repr().numpy())


def _reduced(task: Task, layout: str, threads: int) -> Ready:
    reduce, spec, axes = task.among(_REDUCTIONS), task.spec, task.job.axes
    if spec.divisor_override is not None:
        raise Unfit("a divisor of its own")
    if any(axis.outputs > 1 or axis.before or axis.after for axis in axes) or any(
        axis.kernel != axis.length for axis in axes
    ):
        raise Unfit("a window is not all of the frame")
    over = tuple(range(2, 2 + spec.ndim))
    x = _laid_out(_tensor(task), layout)
    return _ready(lambda: reduce(x, over, keepdim=True), threads)


def _on_gpu(task: Task, layout: str, threads: int) -> Ready:
    inner = _pool(task, _laid_out(_tensor(task).cuda(), layout))

    def run() -> Tensor:
        y = inner()
        torch.cuda.synchronize()
        return y

    return Ready(run, lambda y: y.cpu().numpy())
