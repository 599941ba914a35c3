"""Between tensors and arrays: what PyTorch's types are called, and a layer through a core."""

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
import torch  # pyright: ignore[reportMissingImports]  # an extra

from ..layer import Arrays, Through
from .calls import Fact
from .pools import Site

QUANTIZED = {torch.quint8: "uint8", torch.qint8: "int8", torch.qint32: "int32"}


def fact(tensor: torch.Tensor) -> Fact:
    """Return what is known of a tensor."""
    shape = tuple(map(int, tensor.shape))
    if tensor.is_quantized:
        kind = QUANTIZED.get(tensor.dtype, str(tensor.dtype))
        per_tensor = tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric)
        ends = (float(tensor.q_scale()), int(tensor.q_zero_point())) if per_tensor else None
        by_qnnpack = torch.backends.quantized.engine == "qnnpack" and kind == "uint8"
        about = "zero_point" if by_qnnpack else "raw"
        return Fact(shape, kind, ends, about, not tensor.is_contiguous())
    return Fact(shape, str(tensor.dtype).removeprefix("torch."))


def array(tensor: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array: a quantized one's integers."""
    tensor = (tensor.int_repr() if tensor.is_quantized else tensor).detach().cpu().contiguous()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def tensor(values: np.ndarray) -> torch.Tensor:
    """Return an array as a tensor."""
    values = np.ascontiguousarray(values)
    if values.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(values.copy())


def taken(site: Site, source: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return what a site's core takes, where a pool is called with a `value`.

    An activation's input may be another since, as some calls change a tensor in place. What the
    activation gave does as well, since a core's clamp leaves it.
    """
    spec = site.layer.spec
    if spec is None or spec.clamp is None or not source.is_floating_point():
        return source
    activated = source.clamp(*spec.clamp)
    same = (activated == value) | (activated.isnan() & value.isnan())
    return source if bool(same.all()) else value


def through_core(site: Site, source: torch.Tensor, result: Any, through: Through) -> Any:
    """Return what goes on instead of a pool's own `result`, of the same kind.

    `source` is what the site's core takes. Frames are those of a batch of one where the model has
    none.
    """
    several = isinstance(result, (tuple, list))
    own: Sequence[torch.Tensor] = result if several else (result,)
    job = site.layer.windows
    if job is None:
        return result
    rank = len(job.shape)
    frames = array(source).reshape(-1, *job.shape)
    outs: Arrays = tuple(
        array(_coded(each, site)).reshape(-1, *job.out_shape) for each in own[: len(job.fields_out)]
    )
    given = through(site.layer, frames, outs)
    assert all(each.ndim == rank + 1 for each in given)
    back = [_as(values, like, site) for values, like in zip(given, own, strict=False)]
    back += own[len(back) :]  # indices that nobody asked for
    return type(result)(back) if several else back[0]


def _coded(result: torch.Tensor, site: Site) -> torch.Tensor:
    """Return reals as the integers that stand for them, as torch's own nodes do it."""
    job = site.layer.windows
    if site.outside is None or job is None or not result.is_floating_point():
        return result
    (scale, zero), out = site.outside, job.output
    integers = torch.round(result * (1.0 / scale)) + zero
    return integers.clamp(out.low, out.high).to(torch.int64).to(getattr(torch, out.name))


def _as(values: np.ndarray, like: torch.Tensor, site: Site) -> torch.Tensor:
    """Return what left a core as what the model's own pooling gives."""
    made = tensor(values).reshape(like.shape)
    if like.is_quantized:
        make = torch._make_per_tensor_quantized_tensor  # pyright: ignore[reportPrivateImportUsage]
        return make(made, like.q_scale(), like.q_zero_point())
    if site.outside is not None and like.is_floating_point():
        scale, zero = site.outside
        return ((made.to(torch.float32) - zero) * scale).to(like.dtype)
    # as it lies in memory, too: what comes next may sum in another order otherwise
    return torch.empty_like(like).copy_(made)
