"""The spatial axes of a pooling job: their windows, and what arrays have under these."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .errors import SpecError

MOST_POSITIONS = 1 << 24
"""Positions that an axis may have, in or out: what is counted window by window stays small."""

MOST_RANKED = 1 << 30
"""Positions of a plane that fit in one int64 with a key."""

AXIS_NAMES = {1: ("steps",), 2: ("rows", "columns"), 3: ("planes", "rows", "columns")}
"""What the spatial axes are called, by their number."""


@dataclass(frozen=True)
class Axis:
    """One spatial axis, resolved for a length.

    `resolve` makes one that is known to work; made by hand it is not checked.

    Attributes
    ----------
    length : int
        Positions in, N.
    kernel : int
        Taps of a window, K, those on padding included.
    stride : int
        Positions from a window to the next, S.
    before, after : int
        Padding at the axis' start and end; a negative one crops that many inputs.
    dilation : int
        Positions from a tap to the next, d.
    outputs : int
        Windows, No.
    """

    length: int
    kernel: int
    stride: int
    before: int
    after: int
    dilation: int
    outputs: int

    @classmethod
    def resolve(
        cls,
        length: int,
        kernel: int,
        stride: int,
        padding: str | tuple[int, int],
        dilation: int = 1,
        ceil_mode: bool = False,
        name: str = "positions",
        *,
        keeps_last: bool = False,
    ) -> "Axis":
        """Return the axis of `length` positions by the frameworks' rules.

        ``"same"`` and ``"same_lower"`` are TensorFlow's (ceil(N / S) outputs, the
        total padding never below 0, the odd one after respectively before). Everything
        else is torch's and onnxruntime's rule: with `ceil_mode` a last window that
        would start in the padding after is dropped, unless `keeps_last`.

        Raises
        ------
        SpecError
            If nothing is left of the input, no window fits, or one sees no input.
        """
        span = (kernel - 1) * dilation + 1
        if isinstance(padding, str) and padding != "valid":
            outputs = -(-length // stride)
            total = max((outputs - 1) * stride + span - length, 0)
            before = total // 2 if padding == "same" else total - total // 2
            after = total - before
        else:
            before, after = (0, 0) if isinstance(padding, str) else padding
            room = length + before + after - span
            outputs = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
            # a window that starts where only padding (or what is cropped) is left is dropped
            if ceil_mode and (outputs - 1) * stride >= length + before + min(after, 0):
                if keeps_last:
                    raise SpecError(
                        "ceil_mode",
                        f"ceil_mode caffe leaves the last of {outputs} windows along the {name}"
                        f" without any of the {length} inputs, as Caffe does where there is no"
                        " padding; use ceil_mode=True, which drops it.",
                    )
                outputs -= 1
        if length + min(before, 0) + min(after, 0) < 1:
            raise SpecError(
                "padding",
                f"padding ({before}, {after}) crops all of the {length} {name};"
                " use one that leaves at least one.",
            )
        if outputs < 1:
            dilated = f" (dilated to {span})" if dilation > 1 else ""
            raise SpecError(
                "kernel",
                f"kernel {kernel}{dilated} gives no output on"
                f" {length + before + after} padded {name}"
                f" ({length} with padding ({before}, {after}));"
                " use a smaller kernel or more padding.",
            )
        _check_positions(length, outputs, name)
        axis = cls(length, kernel, stride, before, after, dilation, outputs)
        empty = np.flatnonzero(axis._real_taps[1] == 0)
        if empty.size:
            first = int(empty[0])
            raise SpecError(
                "padding",
                f"padding ({before}, {after}) leaves window {first} of {outputs} along the {name}"
                f" without any of the {length} inputs"
                f" (kernel {kernel}, stride {stride}, dilation {dilation});"
                " use less padding.",
            )
        return axis

    @classmethod
    def to_size(cls, length: int, outputs: int, name: str = "positions") -> "Axis":
        """Return the axis of adaptive pooling: window i from i N / No down to (i + 1) N / No up.

        Where one kernel, stride and padding give those windows it is an axis like any other: N mod
        No is 0, 1 or No - 1 there, as for every No up to 3 below N. Else it is an `UnevenAxis`.

        Raises
        ------
        SpecError
            If it has more positions than an axis may have.
        """
        _check_positions(length, outputs, name)
        whole, rest = divmod(length, outputs)
        if rest == 0:
            return cls.resolve(length, whole, whole, (0, 0))
        if rest == 1 and whole:
            return cls.resolve(length, whole + 1, whole, (0, 0))
        if rest == outputs - 1:
            return cls.resolve(length, whole + 2, whole + 1, (1, 1))
        return UnevenAxis.of(length, outputs)

    @property
    def span(self) -> int:
        """Positions from a window's first tap to its last, both counted."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def kept(self) -> range:
        """The inputs that negative padding leaves."""
        return range(max(0, -self.before), self.length + min(0, self.after))

    @property
    def limit_partials(self) -> int:
        """The most partials that a plan needs alive at once: ceil((K - 1) d / S)."""
        return -(-(self.kernel - 1) * self.dilation // self.stride)

    @property
    def idle_bound(self) -> int:
        """The most slots per frame beyond max(N, No) that keep the partials at their limit.

        Only where the paddings together, as far as windows reach into them, are more than the
        window reaches beyond its first tap, and the stride is above 1; 0 with every framework's
        own pads (up to K / 2).
        """
        reached = (self.outputs - 1) * self.stride + self.span - self.before - self.length
        excess = self.before + min(self.after, reached) - (self.span - 1)
        return -(-max(0, excess) // self.stride) if self.stride > 1 else 0

    def taps(self, i: int) -> range:
        """Return the real input positions under window `i`, ascending, never empty."""
        if not 0 <= i < self.outputs:
            raise IndexError(f"window {i} of {self.outputs}")
        first, real = (int(of_each[i]) for of_each in self._real_taps)
        return range(first, first + real * self.dilation, self.dilation)

    def counts(self, include_pad: bool) -> tuple[int, ...]:
        """Return the taps that each window's average is divided by.

        With `include_pad` those on the padded input (what overhangs it with ceil_mode
        is not counted), else the real ones alone.
        """
        if not include_pad:
            return tuple(self._real_taps[1].tolist())
        padded = self.length + self.before + self.after
        start = np.arange(self.outputs, dtype=np.int64) * self.stride
        return tuple(np.minimum(self.kernel, (padded - 1 - start) // self.dilation + 1).tolist())

    @property
    def most_taps(self) -> int:
        """The most real taps that a window has."""
        return int(self._real_taps[1].max())

    @property
    def growth(self) -> int:
        """Positions that leave beyond those that come in; below 0 where fewer do."""
        return self.outputs - self.length

    @property
    def identity(self) -> bool:
        """Whether every window i is input i alone: pooling along it changes nothing."""
        first, real = self._real_taps
        return bool((real == 1).all() and np.array_equal(first, np.arange(self.length)))

    @property
    def dropped(self) -> int:
        """How many inputs no window reads, but one more after the last would."""
        begins = max(0, self.outputs * self.stride - self.before)
        return int(np.count_nonzero(~self._seen[begins : self.kept.stop]))

    @property
    def read(self) -> int:
        """How many of the inputs at least one window reads."""
        return int(np.count_nonzero(self._seen))

    def slices(self) -> Iterator[tuple[slice | np.ndarray, slice | np.ndarray]]:
        """Yield, tap by tap, ``(windows, inputs)``: two slices, or arrays, of equal length.

        Tap j of the windows in the one is the input in the other. Taps that no window
        has on real input are left out, so a huge kernel costs no more than its input.
        """
        d, s, kept = self.dilation, self.stride, self.kept
        most = (self.outputs - 1) * s - self.before
        first = max(0, -((most - kept.start) // d))
        last = min(self.kernel - 1, (kept.stop - 1 + self.before) // d)
        for j in range(first, last + 1):
            at = j * d - self.before  # where tap j of window 0 is
            i0 = max(0, -((at - kept.start) // s))
            i1 = min(self.outputs - 1, (kept.stop - 1 - at) // s)
            if i0 <= i1:
                yield slice(i0, i1 + 1), slice(i0 * s + at, i1 * s + at + 1, s)

    @cached_property
    def _seen(self) -> np.ndarray:
        """Per input, whether a window reads it."""
        # of each residue, how many windows begin to read at an input, less those that have ended
        d = self.dilation
        first, real = self._real_taps
        change = np.zeros((-(-self.length // d) + 1) * d, dtype=np.int64)
        np.add.at(change, first, 1)
        np.add.at(change, first + real * d, -1)
        return (change.reshape(-1, d).cumsum(axis=0) > 0).reshape(-1)[: self.length]

    @cached_property
    def _real_taps(self) -> tuple[np.ndarray, np.ndarray]:
        """Per window, its first real tap and how many it has."""
        start = np.arange(self.outputs, dtype=np.int64) * self.stride - self.before
        first = np.maximum(0, -((start - self.kept.start) // self.dilation))
        last = np.minimum(self.kernel - 1, (self.kept.stop - 1 - start) // self.dilation)
        return start + first * self.dilation, np.maximum(0, last - first + 1)


@dataclass(frozen=True)
class UnevenAxis(Axis):
    """An axis whose windows are of two lengths, a tap apart, as adaptive pooling has them.

    Window i has the inputs from floor(i N / No) to below ceil((i + 1) N / No): neighbours share one
    at the most, and every input is read. `kernel` is the longer window's taps, `stride` the fewest
    positions from a window to the next, or 1.
    """

    @classmethod
    def of(cls, length: int, outputs: int) -> "UnevenAxis":
        """Return that of so many positions in and out."""
        axis = cls(length, 1, max(1, length // outputs), 0, 0, 1, outputs)
        return replace(axis, kernel=int(axis._real_taps[1].max()))

    @property
    def repeats(self) -> int:
        """How often the axis has the same pattern of windows, one after the other."""
        return math.gcd(self.length, self.outputs)

    @property
    def limit_partials(self) -> int:
        """The most partials that a plan needs alive at once: 1."""
        return 1

    @property
    def idle_bound(self) -> int:
        """The most slots per frame beyond max(N, No): 0."""
        return 0

    def counts(self, include_pad: bool) -> tuple[int, ...]:
        """Return the taps that each window's average is divided by; there is no padding."""
        return tuple(self._real_taps[1].tolist())

    def slices(self) -> Iterator[tuple[slice | np.ndarray, slice | np.ndarray]]:
        """Yield, tap by tap, ``(windows, inputs)``, as of any axis."""
        first, real = self._real_taps
        for j in range(self.kernel):
            windows = np.flatnonzero(real > j)
            yield (slice(None) if len(windows) == self.outputs else windows), first[windows] + j

    @cached_property
    def _real_taps(self) -> tuple[np.ndarray, np.ndarray]:
        ends = np.arange(self.outputs + 1, dtype=np.int64) * self.length
        first, behind = ends[:-1] // self.outputs, -(-ends[1:] // self.outputs)
        return first, behind - first


def _check_positions(length: int, outputs: int, name: str) -> None:
    """Refuse an axis of too many positions, in or out."""
    if max(length, outputs) > MOST_POSITIONS:
        raise SpecError(
            "size",
            f"size of {length} {name} with {outputs} outputs is too large;"
            f" use at most {MOST_POSITIONS} of each.",
        )


def doubts(axes: Sequence[Axis]) -> list[str]:
    """Return what works but may not be meant, a sentence each."""
    said = []
    for axis, name in zip(axes, AXIS_NAMES[len(axes)], strict=True):
        dilated = f" (dilated to {axis.span})" if axis.dilation > 1 else ""
        if axis.span > axis.length:
            said.append(
                f"kernel {axis.kernel}{dilated} is larger than the input's {axis.length} {name}."
            )
        if axis.dropped:
            said.append(
                f"no window reads {axis.dropped} of {axis.length} {name} at the end;"
                " use ceil_mode=True or padding after, so that one does."
            )
    if any(axis.stride > axis.span and axis.outputs > 1 for axis in axes):
        share = 1 - math.prod(axis.read / len(axis.kept) for axis in axes)
        kernel, stride, dilation = (
            tuple(getattr(axis, field) for axis in axes)
            for field in ("kernel", "stride", "dilation")
        )
        dilated = f" dilated by {dilation}" if max(dilation) > 1 else ""
        said.append(
            f"stride {stride} steps beyond kernel {kernel}{dilated}:"
            f" no window reads {share:.1%} of the inputs."
        )
    return said


def products(per_axis: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the product for each window of what the axes have: int64, or objects beyond it."""
    most = math.prod(max(map(abs, counts)) for counts in per_axis)
    found = np.ones((1,) * len(per_axis), np.int64 if most < 1 << 63 else object)
    for i, counts in enumerate(per_axis):
        along = [1] * len(per_axis)
        along[i] = len(counts)
        found = found * np.array(counts, found.dtype).reshape(along)
    return found


def reduced(
    combine: np.ufunc, x: np.ndarray, axes: Sequence[Axis], start: np.ndarray
) -> np.ndarray:
    """Return the windows of `x` reduced, one tap of all windows of an axis at a time.

    `start` is what changes no partial, of their type.
    """
    for i in reversed(range(len(axes))):
        at, inner = x.ndim - len(axes) + i, (slice(None),) * (len(axes) - 1 - i)
        shape = (*x.shape[:at], axes[i].outputs, *x.shape[at + 1 :])
        out = np.full(shape, start, start.dtype)
        for windows, inputs in axes[i].slices():
            part = out[(..., windows, *inner)]
            combine(part, x[(..., inputs, *inner)], out=part)
            if not isinstance(windows, slice):  # else it was done in place
                out[(..., windows, *inner)] = part
        x = out
    return x


def first_of_largest(keys: np.ndarray, axes: Sequence[Axis]) -> np.ndarray:
    """Return the row-major position of the largest key of each window, the first of equal ones.

    A key is of at most 32 bits and a sign.
    """
    size = keys.shape[keys.ndim - len(axes) :]
    count = math.prod(size)
    kind = np.int64 if count < MOST_RANKED else object
    later = np.arange(count - 1, -1, -1).reshape(size)
    ranked = reduced(np.maximum, keys.astype(kind) * count + later, axes, np.array(-1 << 63, kind))
    return (count - 1 - ranked % count).astype(np.int64)
