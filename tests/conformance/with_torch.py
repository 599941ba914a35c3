"""torch as an oracle: pooling of integers, floats and quantized tensors, and MaxUnpool."""

import importlib
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from streampool_golden import ROUNDINGS, DType, PoolJob, PoolSpec, SpecError, UnpoolJob, preset
from streampool_sim.cases import random_floats

from .cases import AXES, LANES, TAPS, Case, UnpoolCase, bits, every_sum, rounded, sizes, values

PACKAGE = "torch"
torch: Any = None  # no types without it, and no import where it is not installed


def load() -> str:
    """Import torch; return its version."""
    global torch
    torch = importlib.import_module(PACKAGE)
    warnings.filterwarnings("ignore", module="torch")
    return torch.__version__.split("+")[0]


def draw(rng: random.Random) -> Case | UnpoolCase | None:
    """Return a random case; None where torch or a specification refuses it."""
    kinds = [_max, _average, _quantized_average, _quantized_max, _adaptive, _norm]
    kinds += [_max_of_floats, _average_of_floats, _unpool]
    kind = rng.choice([*kinds, _quantized_average])
    try:
        return kind(rng)
    except (RuntimeError, SpecError):
        return None


def _fields(rng: random.Random, axes: int) -> dict[str, Any]:
    kernel = tuple(rng.randint(1, 5) for _ in range(axes))
    return {
        "kernel": kernel,
        "stride": rng.choice([kernel, tuple(rng.randint(1, 4) for _ in range(axes))]),
        "padding": tuple(rng.randint(0, k // 2) for k in kernel),
        "ceil_mode": rng.random() < 0.5,
    }


def _call(name: str, tensor: Any, fields: dict[str, Any]) -> Any:
    arguments = {"kernel_size" if k == "kernel" else k: v for k, v in fields.items()}
    return getattr(torch.nn.functional, f"{name}{len(fields['kernel'])}d")(tensor, **arguments)


def _input(rng: random.Random, dtype: str, axes: int) -> np.ndarray:
    return values(rng, dtype, (2, rng.randint(1, 3), *sizes(rng, axes)))


def _max(rng: random.Random) -> Case:
    axes = rng.choice(AXES)
    fields = _fields(rng, axes)
    fields["dilation"] = tuple(rng.choice([1, 1, 2, 3]) for _ in range(axes))
    x = _input(rng, rng.choice(["int8", "uint8", "int16", "int32"]), axes)
    # torch finds indices of these, in three dimensions, for floats alone
    dtype = np.float64 if axes == 3 else x.dtype
    tensor = torch.from_numpy(x.astype(dtype))
    y, indices = _call("max_pool", tensor, {**fields, "return_indices": True})
    spec = PoolSpec("max", dtype=x.dtype, indices="plane", **fields)
    return Case("max_pool with indices", spec, x, y.numpy().astype(x.dtype), 0, indices.numpy())


def _tensor(x: np.ndarray) -> Any:
    """Return floats as a tensor of their type, by way of their bits: NumPy has no bfloat16."""
    signed = bits(x).view(f"i{x.itemsize}")
    return torch.from_numpy(signed.copy()).view(getattr(torch, x.dtype.name))


def _max_of_floats(rng: random.Random) -> Case:
    """NaNs, zeros of either sign and infinities among them, held to the bit."""
    axes = rng.choice(AXES)
    dtype = DType.of(rng.choice(["float16", "bfloat16", "float32"]))
    fields = _fields(rng, axes)
    fields["dilation"] = tuple(rng.choice([1, 1, 2]) for _ in range(axes))
    shape = (2, rng.randint(1, 3), *sizes(rng, axes))
    x = random_floats(np.random.default_rng(rng.getrandbits(64)), dtype, shape)
    # what NaNs of 16 bits leave as is that of a float32: a quiet one, of bfloat16 torch's own
    if dtype.name == "bfloat16":
        x = np.where(np.isnan(x), np.array(np.nan, dtype.numpy), x)
    if dtype.name == "float16":
        quiet = bits(x) | np.uint16(1 << (dtype.fraction - 1))
        x = np.where(np.isnan(x), quiet.view(x.dtype), x)
    y, indices = _call("max_pool", _tensor(x), {**fields, "return_indices": True})
    spec = PoolSpec("max", dtype=dtype.name, nan="propagate", indices="plane", **fields)
    signed = getattr(torch, f"int{dtype.bits}")
    found = y.view(signed).numpy().view(dtype.raw.numpy).view(dtype.numpy)
    return Case(f"max_pool of {dtype.name}, with indices", spec, x, found, 0, indices.numpy())


def _average_of_floats(rng: random.Random) -> Case:
    """Sums that float64 holds, whose quotients it keeps apart from what is halfway.

    A value is a whole number up to 255 times a power of two from -12 to 7, so a sum has less than
    40 bits.
    """
    axes = rng.choice(AXES)
    dtype = rng.choice(["float16", "bfloat16"])
    fields = _fields(rng, axes)
    fields["count_include_pad"] = rng.random() < 0.5
    numbers = np.random.default_rng(rng.getrandbits(64))
    shape = (2, rng.randint(1, 3), *sizes(rng, axes))
    x = numbers.integers(-255, 255, shape, endpoint=True) * 2.0 ** numbers.integers(-12, 7, shape)
    if rng.random() < 0.3:
        few = numbers.random(shape) < 0.05
        x = np.where(few, numbers.choice([np.inf, -np.inf, np.nan], shape), x)
    y = _call("avg_pool", torch.from_numpy(x), fields).numpy()
    if dtype == "bfloat16":  # whose conversion from float64 rounds to float32 first
        fraction, exponent = np.frexp(y)
        y = np.ldexp(np.rint(np.ldexp(fraction, 8)), exponent - 8)
    kind = DType.of(dtype)
    spec = PoolSpec("avg", dtype=dtype, **fields)
    quiet = np.array(np.nan, kind.numpy)  # which NaN a sum makes is nobody's rule
    y = np.where(np.isnan(y), quiet, y.astype(kind.numpy))
    return Case(f"avg_pool in float64, to {dtype}", spec, x.astype(kind.numpy), y)


def _unpool(rng: random.Random) -> UnpoolCase:
    """Indices of any place, some of them twice; a stride of 1 allows every size."""
    axes = rng.choice(AXES)
    size = sizes(rng, axes)
    inside = tuple(rng.randint(1, n) for n in size)
    x = values(rng, "int8", (2, rng.randint(1, 3), *inside))
    numbers = np.random.default_rng(rng.getrandbits(64))
    indices = numbers.integers(0, np.prod(size), x.shape)
    y = getattr(torch.nn.functional, f"max_unpool{axes}d")(
        *(torch.from_numpy(x.astype(np.float32)), torch.from_numpy(indices)),
        kernel_size=[n - m + 1 for n, m in zip(size, inside, strict=True)],
        stride=1,
        output_size=size,
    )
    job = UnpoolJob(x.shape[1:], size, LANES)
    return UnpoolCase("max_unpool", job, x, indices, y.numpy().astype(np.int8))


def _adaptive(rng: random.Random) -> Case:
    """Sizes of any ratio."""
    axes = rng.choice(AXES)
    out = tuple(rng.randint(1, 9 if axes < 3 else 4) for _ in range(axes))
    size = sizes(rng, axes)
    x = values(rng, rng.choice(["int8", "uint8", "int16"]), (2, rng.randint(1, 3), *size))
    op = rng.choice(["max", "avg"])
    spec = PoolSpec(op, adaptive=out, dtype=x.dtype, rounding=rng.choice(ROUNDINGS))
    function = getattr(torch.nn.functional, f"adaptive_{op}_pool{axes}d")
    y = function(torch.from_numpy(x.astype(np.float64)), out).numpy()
    return Case(f"adaptive_{op}_pool", spec, x, rounded(y, spec))


def _norm(rng: random.Random) -> Case:
    """torch takes no magnitude for odd p, and scales what overhangs: neither occurs here."""
    axes, p = rng.choice(AXES), rng.choice([1, 2, 3, 4])
    fields = _fields(rng, axes)
    fields = {"kernel": fields["kernel"], "stride": fields["stride"]}
    # in float64 the root of the fourth power of a 16-bit number is not exact enough
    dtypes = {2: ["int8", "uint8", "int16"], 4: ["int8", "uint8"]}
    dtype = rng.choice(dtypes.get(p, ["uint8"]))
    x = values(rng, dtype, (2, rng.randint(1, 3), *sizes(rng, axes)))
    # by way of a mean, so that a whole number may come out just below itself
    nearest = rng.choice([name for name in ROUNDINGS if name.startswith("half")])
    spec = PoolSpec(f"lp{p}", dtype=x.dtype, rounding=nearest, out_dtype="int32", **fields)
    PoolJob(spec, x.shape[1:])
    kernel, stride = (fields[name] if axes > 1 else fields[name][0] for name in fields)
    arguments = {"norm_type": p, "kernel_size": kernel, "stride": stride}
    function = getattr(torch.nn.functional, f"lp_pool{axes}d")
    y = function(torch.from_numpy(x.astype(np.float64)), **arguments).numpy()
    return Case(f"lp_pool, p = {p}, in float64", spec, x, rounded(y, spec))


def _average(rng: random.Random) -> Case:
    """In float64 a quotient of such integers is a half only where it truly is one."""
    axes = rng.choice(AXES)
    fields = _fields(rng, axes)
    fields["count_include_pad"] = rng.random() < 0.5
    if axes == 2 and rng.random() < 0.3:
        fields["divisor_override"] = rng.choice([-5, -2, 1, 3, 7, 100])
    x = _input(rng, rng.choice(["int8", "uint8", "int16"]), axes)
    spec = PoolSpec("avg", dtype=x.dtype, rounding=rng.choice(ROUNDINGS), **fields)
    y = _call("avg_pool", torch.from_numpy(x.astype(np.float64)), fields).numpy()
    return Case("avg_pool in float64", spec, x, rounded(y, spec))


def _quantized(rng: random.Random, x: np.ndarray) -> tuple[Any, int]:
    info = np.iinfo(x.dtype)
    zero = rng.choice([0, rng.randint(int(info.min), int(info.max))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what torch will drop
        scale = rng.choice([0.5, rng.uniform(0.001, 1)])
        return torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), scale, zero), zero


def _quantized_average(rng: random.Random) -> Case:
    axes = rng.choice([1, 2, 2])
    fields = _fields(rng, axes)
    fields["count_include_pad"] = rng.random() < 0.5
    if axes == 2 and rng.random() < 0.2:
        fields["divisor_override"] = rng.choice([1, 2, 3, 7, 100])
    x = _input(rng, rng.choice(["int8", "uint8"]), axes)
    if x[0, 0].size == 1 < x.shape[1]:
        # torch takes one position for channels last, and gives its outputs in another order
        x = np.concatenate([x, x], axis=-1)
    q, zero = _quantized(rng, x)
    y = _call("avg_pool", q, fields).int_repr().numpy()
    spec = preset("torch-quantized", "avg", dtype=x.dtype, zero_points=zero, **fields)
    # a multiplier, a product, a sum
    return Case("avg_pool of a quantized tensor", spec, x, y, operations=4)


def _quantized_max(rng: random.Random) -> Case:
    axes = rng.choice([1, 2, 2])
    fields = _fields(rng, axes)
    fields["dilation"] = (rng.choice([1, 1, 2]),) * axes
    x = _input(rng, rng.choice(["int8", "uint8"]), axes)
    q, zero = _quantized(rng, x)
    y = _call("max_pool", q, fields).int_repr().numpy()
    spec = preset("torch-quantized", "max", dtype=x.dtype, zero_points=zero, **fields)
    return Case("max_pool of a quantized tensor", spec, x, y)


def exhaustive() -> Iterator[Case]:
    """Yield the quantized average of every sum of some numbers of values."""
    for taps in TAPS:
        for zero in (0, 3):
            x = every_sum(taps)[np.newaxis, np.newaxis]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                q = torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), 0.1, zero)
            y = torch.nn.functional.avg_pool2d(q, (1, taps)).int_repr().numpy()
            spec = preset("torch-quantized", "avg", (1, taps), dtype="uint8", zero_points=zero)
            yield Case("avg_pool of a quantized tensor", spec, x, y, operations=4)
