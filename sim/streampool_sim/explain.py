"""The schedule of a job, slot by slot, as a drawing for the terminal."""

from bisect import bisect_left
from collections.abc import Sequence

from streampool_golden import Axis, PoolJob, PoolSpec, UnevenAxis
from streampool_golden.fields import GLOBAL
from streampool_golden.geometry import AXIS_NAMES
from streampool_hw.schedule.plans import Plan, plan_of, words_of
from streampool_hw.schedule.program import Program

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
        lines += ["", *_axis_lines(plan_of(stage.along), name, stage.m)]
    if not job.stages:
        lines += ["", "Every window is one input: beats pass as they are."]
    return "\n".join(lines)


def _axis_lines(plan: Plan, name: str, m: int) -> list[str]:
    axis, words = plan.axis, words_of(plan)
    store = plan.partials * m
    control = count(len(words.words), "control word") if isinstance(words, Program) else ""
    lines = [
        f"{name}: {axis.length} in, {count(axis.outputs, 'window')} {_windows(axis)};"
        f" neighbours {count(m, 'beat')} apart",
        f"  period {count(plan.period, 'slot')}"
        + (f" ({plan.idle} idle)" if plan.idle else "")
        + f"; store {count(plan.partials, 'partial')} per position x {m} = {count(store, 'word')};"
        f" {control or 'control words by an accumulator'}",
        "",
    ]
    slots = _shown(plan.period if plan.pauses else axis.length)
    rows = [(_paused_row if plan.pauses else _slot_row)(plan, slot) for slot in slots]
    wide, width = len(f"x{axis.length - 1}"), max(len(live) for live, _ in rows)
    head = f"  {'slot':>5}  {'in':<{wide}} | {'live':<{width}} |"
    lines += [head, "  " + "-" * (len(head) + 5)]
    for at, (slot, (live, leaves)) in enumerate(zip(slots, rows, strict=True)):
        if at and slot > slots[at - 1] + 1:
            lines.append(f"  {'...':>5}")
        taken = _taken(plan, slot)
        x = "" if taken is None else f"x{taken}"
        start = f"  {slot:>5}  {x:<{wide}} | {live:<{width}} |"
        lines.append(f"{start} {leaves}".rstrip())
    drained = [i for i, leave in enumerate(plan.leave) if plan.drain and leave >= axis.length]
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


def _windows(axis: Axis) -> str:
    """Describe an axis' windows."""
    if isinstance(axis, UnevenAxis):
        lengths = sorted(set(axis.counts(False)))
        return f"of {' or '.join(map(str, lengths))} inputs"
    return (
        f"of kernel {axis.kernel}, stride {axis.stride}, padding {axis.before}:{axis.after},"
        f" dilation {axis.dilation}"
    )


def _taken(plan: Plan, slot: int) -> int | None:
    """Return the input that a slot takes; None where it pauses."""
    if not plan.pauses:
        return slot
    last = plan.axis.taps(slot)[-1]
    return None if slot and plan.axis.taps(slot - 1)[-1] == last else last


def _paused_row(plan: Plan, slot: int) -> tuple[str, str]:
    """Return a slot's one window, where a slot is a window."""
    now = _taken(plan, slot) is not None
    return f"w{slot} {_marks(len(plan.axis.taps(slot)) - now, now, 0)}", f"-> w{slot}"


def _slot_row(plan: Plan, slot: int) -> tuple[str, str]:
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
