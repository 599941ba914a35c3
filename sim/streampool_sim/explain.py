"""The schedule of a job, slot by slot, as a drawing for the terminal."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeAlias

from streampool_golden import Axis, PoolJob, PoolSpec, UnevenAxis
from streampool_golden.fields import GLOBAL
from streampool_golden.geometry import AXIS_NAMES
from streampool_hw.schedule.columns import ApartPlan, ColumnPlan
from streampool_hw.schedule.plans import Plan, plans_of, words_of
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

BESIDE = "Several {name} come in a slot, and the windows of a beat leave side by side."

Drawn: TypeAlias = Plan | ColumnPlan


def explain_text(
    spec: PoolSpec,
    shape: Sequence[int],
    lanes: int | None = None,
    columns: int = 1,
    columns_out: int | None = None,
) -> str:
    """Draw what comes in, which partials live and what leaves, for each axis in stream order."""
    job = PoolJob(spec, tuple(shape), lanes, columns, columns_out)
    size, out = (" x ".join(map(str, sizes)) for sizes in (job.shape, job.out_shape))
    beside = f" of {job.columns} columns in and {job.columns_out} out" if job.has_columns else ""
    lines = [
        f"{spec.op} pooling of {size} into {out}, {count(job.lanes, 'lane')}{beside}:"
        f" {count(job.beats_in, 'beat')} in, {job.beats_out} out,"
        f" at least {count(job.limit_cycles, 'cycle')} per frame",
        "",
        *LEGEND.splitlines(),
    ]
    names = AXIS_NAMES[spec.ndim]
    if job.has_columns:
        lines.append(BESIDE.format(name=names[-1]))
    for plan, stage in zip(plans_of(job), job.stages, strict=True):
        name = " x ".join(names) if spec.adaptive == GLOBAL else names[stage.axis]
        lines += ["", *_axis_lines(plan, name, stage.m)]
    if not job.stages:
        lines += ["", "Every window is one input: beats pass as they are."]
    return "\n".join(lines)


def _axis_lines(plan: Drawn, name: str, m: int) -> list[str]:
    slots = _shown(plan.period if _pauses(plan) else _beats(plan))
    rows = [(_paused_row if _pauses(plan) else _slot_row)(plan, slot) for slot in slots]
    taken = [_taken(plan, slot) for slot in slots]
    wide, width = max(map(len, taken)), max(len(live) for live, _ in rows)
    head = f"  {'slot':>5}  {'in':<{wide}} | {'live':<{width}} |"
    lines = [*_facts(plan, name, m), "", head, "  " + "-" * (len(head) + 5)]
    for at, (slot, x, (live, leaves)) in enumerate(zip(slots, taken, rows, strict=True)):
        if at and slot > slots[at - 1] + 1:
            lines.append(f"  {'...':>5}")
        lines.append(f"  {slot:>5}  {x:<{wide}} | {live:<{width}} | {leaves}".rstrip())
    return lines + _drain_lines(plan, m)


def _facts(plan: Drawn, name: str, m: int) -> list[str]:
    """Say what an axis is, and what its schedule keeps."""
    axis = plan.axis.axis if isinstance(plan, ColumnPlan) else plan.axis
    store = plan.partials * m
    if isinstance(plan, ColumnPlan):
        words, what = plan.program, "partial" if isinstance(plan, ApartPlan) else "column"
        beside = (
            f"; beats of {plan.axis.columns} in and {plan.axis.windows} out, {count(m, 'beat')}"
            " apart"
        )
    else:
        words, what = words_of(plan), "partial"
        beside = f"; neighbours {count(m, 'beat')} apart"
    control = count(len(words.words), "control word") if isinstance(words, Program) else ""
    return [
        f"{name}: {axis.length} in, {count(axis.outputs, 'window')} {_windows(axis)}{beside}",
        f"  period {count(plan.period, 'slot')}"
        + (f" ({plan.idle} idle)" if plan.idle else "")
        + f"; store {count(plan.partials, what)} per position x {m} = {count(store, 'word')};"
        f" {control or 'control words by an accumulator'}",
    ]


def _drain_lines(plan: Drawn, m: int) -> list[str]:
    """Say which windows leave after the last input, and who waits for them."""
    lines: list[str] = []
    inner = plan.inner if isinstance(plan, ApartPlan) else plan
    first = bisect_left(plan.leave, _beats(plan)) if inner.drain else len(plan.leave)
    drained = range(first * _beside(plan), _outputs(plan))
    if drained:
        many = len(drained) > 1
        windows = f"w{drained[0]} to w{drained[-1]} drain" if many else f"w{drained[0]} drains"
        them, themselves = ("them", "themselves") if many else ("it", "itself")
        lines.append("")
        wait = inner.drain - inner.overlap
        if wait:
            lines.append(
                f"  {windows} after the last input; the next frame waits"
                f" {count(wait * m, 'cycle')} for {them}"
                + ("; the rest with its first slots." if inner.overlap else ".")
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


def _pauses(plan: Drawn) -> bool:
    """Return whether a slot is a window, some of which take no input."""
    return not isinstance(plan, ColumnPlan) and plan.pauses


def _beats(plan: Drawn) -> int:
    """Return how many slots of an axis take an input."""
    return plan.axis.beats if isinstance(plan, ColumnPlan) else plan.axis.length


def _outputs(plan: Drawn) -> int:
    return (plan.axis.axis if isinstance(plan, ColumnPlan) else plan.axis).outputs


def _beside(plan: Drawn) -> int:
    """Return how many windows leave in a slot."""
    return plan.axis.windows if isinstance(plan, ColumnPlan) else 1


def _taps(plan: Drawn, window: int) -> Sequence[int]:
    """Return the slots in which a window's taps come in."""
    if not isinstance(plan, ColumnPlan):
        return plan.axis.taps(window)
    axis, taps = plan.axis, plan.axis.axis.taps(window)
    return [row * axis.row_beats + x // axis.columns for row in range(axis.rows) for x in taps]


def _begin(plan: Drawn, window: int) -> int:
    """Return the slot in which a window begins, be it in padding."""
    axis = plan.axis.axis if isinstance(plan, ColumnPlan) else plan.axis
    columns = plan.axis.columns if isinstance(plan, ColumnPlan) else 1
    return (window * axis.stride - axis.before) // columns


def _taken(plan: Drawn, slot: int) -> str:
    """Name the input that a slot takes, or those; nothing where it pauses."""
    if isinstance(plan, ColumnPlan):
        row, beat = divmod(slot, plan.axis.row_beats)
        first, last = (
            beat * plan.axis.columns,
            min((beat + 1) * plan.axis.columns, plan.axis.axis.length) - 1,
        )
        name = f"x{first}" if first == last else f"x{first}-{last}"
        return f"row {row} {name}" if plan.axis.rows > 1 else name
    if not plan.pauses:
        return f"x{slot}"
    last = plan.axis.taps(slot)[-1]
    return "" if slot and plan.axis.taps(slot - 1)[-1] == last else f"x{last}"


def _paused_row(plan: Drawn, slot: int) -> tuple[str, str]:
    """Return a slot's one window, where a slot is a window."""
    now = bool(_taken(plan, slot))
    return f"w{slot} {_marks(len(_taps(plan, slot)) - now, now, 0)}", f"-> w{slot}"


def _slot_row(plan: Drawn, slot: int) -> tuple[str, str]:
    """Return the windows that live in a slot, and those that leave."""
    leaves: list[str] = []
    live: list[str] = []
    beside, outputs = _beside(plan), _outputs(plan)
    ahead = bisect_left(plan.leave, slot + plan.period) * beside
    for i in range(ahead, outputs):  # what is left of the frame before
        live.append(f"w{i}' {_marks(len(_taps(plan, i)), 0, 0)}")
        if plan.leave[i // beside] - plan.period == slot:
            leaves.append(f"w{i}'")
    for i in range(bisect_left(plan.leave, slot) * beside, outputs):
        if _begin(plan, i) > slot:
            break  # it and all after it begin later
        taps, leave = _taps(plan, i), plan.leave[i // beside]
        if taps[0] <= slot or leave == slot:
            before = bisect_left(taps, slot)
            now = bisect_left(taps, slot + 1) - before
            live.append(f"w{i} {_marks(before, now, len(taps) - before - now)}")
            if leave == slot:
                leaves.append(f"w{i}")
    return "  ".join(live), f"-> {' '.join(leaves)}" if leaves else ""


def _marks(before: int, now: int, to_come: int) -> str:
    """Draw a window's taps; of a large window write how many."""
    taps = before + now + to_come
    if taps > MOST_MARKS:
        return f"{before + now}/{taps}{'◆' if now else ''}"
    return "■" * before + "◆" * now + "□" * to_come
