"""PyTorch: the usual call, on floats and quantised, channels first and last; a GPU if there is one.

A tensor on a GPU is there already: neither way of the bus is counted.
"""

import warnings
from collections.abc import Callable
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
_MAX = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
_AVG = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


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


def _pool(task: Task, x: Tensor) -> Callable[[], Tensor]:
    """Return the call that pools `x`."""
    spec, axes = task.spec, task.job.axes
    if any(axis.before < 0 or axis.after < 0 for axis in axes):
        raise Unfit("it crops")
    if spec.op == "sum" and x.dtype != torch.float32:
        raise Unfit("sums of integers would saturate")
    even = all(axis.before == axis.after <= axis.kernel // 2 for axis in axes)
    counted = spec.count_include_pad or not any(axis.before or axis.after for axis in axes)
    pads = [axis.before if even else 0 for axis in axes]
    around = [] if even else [n for axis in reversed(axes) for n in (axis.before, axis.after)]
    more: dict[str, Any] = {}
    if spec.op == "max":
        function = _MAX[spec.ndim]
        more["dilation"] = list(spec.dilation)
    elif spec.op in ("avg", "sum") and spec.dilation == (1,) * spec.ndim:
        function = _AVG[spec.ndim]
        more["count_include_pad"] = spec.count_include_pad
        divisor = 1 if spec.op == "sum" else spec.divisor_override
        if divisor is not None:
            more["divisor_override"] = divisor
        if around and not counted:
            raise Unfit("uneven padding is not counted")
    else:
        raise Unfit(f"torch has no such {spec.op}")
    value = float("-inf") if spec.op == "max" else 0.0
    if around and x.dtype != torch.float32:
        raise Unfit("uneven padding of integers")
    arguments: dict[str, Any] = {
        "kernel_size": list(spec.kernel), "stride": list(spec.stride), "padding": pads,
        "ceil_mode": spec.ceil_mode, **more,
    }  # fmt: skip

    def run() -> Tensor:
        y = functional.pad(x, around, value=value) if around else x
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
    spec, axes = task.spec, task.job.axes
    if any(axis.outputs > 1 or axis.before or axis.after for axis in axes) or any(
        axis.kernel != axis.length for axis in axes
    ):
        raise Unfit("a window is not all of the frame")
    over = tuple(range(2, 2 + spec.ndim))
    x = _laid_out(_tensor(task), layout)
    if spec.op == "avg" and spec.divisor_override is None:
        return _ready(lambda: x.mean(over, keepdim=True), threads)
    if spec.op == "max":
        return _ready(lambda: x.amax(over, keepdim=True), threads)
    raise Unfit("neither a mean nor a maximum")


def _on_gpu(task: Task, layout: str, threads: int) -> Ready:
    inner = _pool(task, _laid_out(_tensor(task).cuda(), layout))

    def run() -> Tensor:
        y = inner()
        torch.cuda.synchronize()
        return y

    return Ready(run, lambda y: y.cpu().numpy())
