"""The schedule of a job, slot by slot, as a drawing for the terminal."""

from bisect import bisect_left
from collections.abc import Sequence

from streampool_golden import PoolJob, PoolSpec
from streampool_golden.fields import GLOBAL
from streampool_golden.geometry import AXIS_NAMES
from streampool_hw.schedule.plan import AxisPlan

from .words import count

MOST_SLOTS = 32
"""Slots of an axis that are drawn; of a longer one the first and last."""

MOST_MARKS = 9
"""Taps of a window that are drawn one by one."""

LEGEND = """\
In a slot one position passes. wK is the window of output K, with a mark for each of its taps:
  ■ taken in before   ◆ taken in now   □ still to come
A window leaves (->) when its last tap is in and the one before it has left. Padding is no slot:
windows at a border just have fewer taps. wK' is a window of the frame before that still drains."""


def explain_text(spec: PoolSpec, shape: Sequence[int], lanes: int | None = None) -> str:
    """Draw what comes in, which partials live and what leaves, for each axis in stream order."""
    job = PoolJob(spec, tuple(shape), lanes)
    size, out = (" x ".join(map(str, sizes)) for sizes in (job.shape, job.out_shape))
    lines = [
        f"{spec.op} pooling of {size} into {out}, {count(job.lanes, 'lane')}:"
        f" {count(job.beats_in, 'beat')} in, {job.beats_out} out,"
        f" at least {count(job.limit_cycles, 'cycle')} per frame",
        "",
        *LEGEND.splitlines(),
    ]
    names = AXIS_NAMES[spec.ndim]
    for stage in job.stages:
        name = " x ".join(names) if spec.adaptive == GLOBAL else names[stage.axis]
        lines += ["", *_axis_lines(AxisPlan(stage.along), name, stage.m)]
    if not job.stages:
        lines += ["", "Every window is one input: beats pass as they are."]
    return "\n".join(lines)


def _axis_lines(plan: AxisPlan, name: str, m: int) -> list[str]:
    axis = plan.axis
    store = plan.partials * m
    lines = [
        f"{name}: {axis.length} in, {count(axis.outputs, 'window')} of kernel {axis.kernel},"
        f" stride {axis.stride}, padding {axis.before}:{axis.after}, dilation {axis.dilation};"
        f" neighbours {count(m, 'beat')} apart",
        f"  period {count(plan.period, 'slot')}"
        + (f" ({plan.idle} idle)" if plan.idle else "")
        + f"; store {count(plan.partials, 'partial')} per position x {m} = {count(store, 'word')};"
        f" {count(len(plan.program.words), 'control word')}",
        "",
    ]
    slots = _shown(axis.length)
    rows = [_slot_row(plan, slot) for slot in slots]
    wide, width = len(f"x{axis.length - 1}"), max(len(live) for live, _ in rows)
    head = f"  {'slot':>5}  {'in':<{wide}} | {'live':<{width}} |"
    lines += [head, "  " + "-" * (len(head) + 5)]
    for at, (slot, (live, leaves)) in enumerate(zip(slots, rows, strict=True)):
        if at and slot > slots[at - 1] + 1:
            lines.append(f"  {'...':>5}")
        start = f"  {slot:>5}  {f'x{slot}':<{wide}} | {live:<{width}} |"
        lines.append(f"{start} {leaves}".rstrip())
    drained = [i for i, leave in enumerate(plan.leave) if leave >= axis.length]
    if drained:
        many = len(drained) > 1
        windows = f"w{drained[0]} to w{drained[-1]} drain" if many else f"w{drained[0]} drains"
        them, themselves = ("them", "themselves") if many else ("it", "itself")
        lines.append("")
        wait = plan.drain - plan.overlap
        if wait:
            lines.append(
                f"  {windows} after the last input; the next frame waits"
                f" {count(wait * m, 'cycle')} for {them}"
                + ("; the rest with its first slots." if plan.overlap else ".")
            )
        else:
            lines.append(
                f"  {windows}: with the next frame's first slots, or by {themselves}"
                " when no frame comes."
            )
    return lines


def _shown(length: int) -> list[int]:
    """Return the slots to draw."""
    if length <= MOST_SLOTS:
        return list(range(length))
    half = MOST_SLOTS // 2
    return [*range(half), *range(length - half, length)]


def _slot_row(plan: AxisPlan, slot: int) -> tuple[str, str]:
    """Return the windows that live in a slot, and the one that leaves."""
    leaves = ""
    live: list[str] = []
    ahead = bisect_left(plan.leave, slot + plan.period)
    for i, leave in enumerate(plan.leave[ahead:], ahead):  # what is left of the frame before
        live.append(f"w{i}' {_marks(len(plan.axis.taps(i)), 0, 0)}")
        if leave - plan.period == slot:
            leaves = f"-> w{i}'"
    for i in range(bisect_left(plan.leave, slot), plan.axis.outputs):
        if i * plan.axis.stride - plan.axis.before > slot:
            break  # it and all after it begin later
        taps, leave = plan.axis.taps(i), plan.leave[i]
        if taps[0] <= slot:
            before = bisect_left(taps, slot)
            now = slot in taps
            live.append(f"w{i} {_marks(before, now, len(taps) - before - now)}")
            if leave == slot:
                leaves = f"-> w{i}"
    return "  ".join(live), leaves


def _marks(before: int, now: int, to_come: int) -> str:
    """Draw a window's taps; of a large window write how many."""
    taps = before + now + to_come
    if taps > MOST_MARKS:
        return f"{before + now}/{taps}{'◆' if now else ''}"
    return "■" * before + "◆" * now + "□" * to_come
