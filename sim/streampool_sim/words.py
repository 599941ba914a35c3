"""Sizes, numbers and specifications in words, as the command line and the pages say them."""

from collections.abc import Iterable, Sequence

from streampool_golden import OPERATIONS, PoolSpec
from streampool_golden.fields import CAFFE, GLOBAL


def by(sizes: Sequence[int]) -> str:
    """Return sizes as the options take them."""
    return "x".join(map(str, sizes))


def count(number: int, noun: str) -> str:
    """Return how many there are of something."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return what there is to say of something, a line for each name."""
    return "\n".join(f"{name:<8} {text}" for name, text in rows if text)


def checked(done: bool, why_not: str | None) -> str:
    """Say whether a netlist was checked."""
    if done:
        return "checked: what went through it equals the golden model, bit for bit"
    return f"not checked: {why_not or '--no-check was given'}"


def describe(spec: PoolSpec) -> str:
    """Describe a specification in a few words, leaving out what is as usual."""
    if spec.adaptive is None:
        words = [f"{spec.op} {by(spec.kernel)}", f"stride {by(spec.stride)}"]
    elif spec.adaptive == GLOBAL:
        words = [f"{GLOBAL} {spec.op}"]
    else:
        words = [f"{spec.op} to {'x'.join(str(n or 'all') for n in spec.adaptive)}"]
    if isinstance(spec.padding, str):
        words.append(f"padding {spec.padding.replace('_', '-')}")
    elif any(map(any, spec.padding)):
        words.append("padding " + "x".join(f"{before}:{after}" for before, after in spec.padding))
    if any(step != 1 for step in spec.dilation):
        words.append(f"dilation {by(spec.dilation)}")
    if spec.ceil_mode:
        words.append("Caffe's ceil mode" if spec.ceil_mode == CAFFE else "ceil mode")
    if spec.nan == "ignore" and spec.in_dtype.is_float and OPERATIONS[spec.op].selects:
        words.append("NaN ignored")
    if spec.scale != 1:
        words.append(f"times {spec.scale}")
    if spec.zero_points != (0, 0):
        words.append("zero points {}:{}".format(*spec.zero_points))
    if spec.indices is not None:
        words.append(f"indices {spec.indices.replace('_', '-')}")
    if spec.clamp is not None:
        words.append("clamped to {}:{}".format(*spec.clamp))
    return ", ".join(words)
