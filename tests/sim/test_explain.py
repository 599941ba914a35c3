"""The schedule's drawing says what the plan says."""

import pytest
from streampool_golden import MaxPool1d, PoolJob, PoolSpec, SpecError
from streampool_hw.schedule.plan import AxisPlan
from streampool_sim.explain import MOST_SLOTS, explain_text


def test_each_window_leaves_once_and_in_order():
    text = explain_text(PoolSpec("max", (3,), 2), (1, 9))
    leaving = [line.split("->")[1].strip() for line in text.splitlines() if "| ->" in line]
    assert leaving == ["w0", "w1", "w2", "w3"]


def test_a_drawn_axis():
    text = explain_text(MaxPool1d(3, 1, 1), (1, 4))
    drawn = [line.strip() for line in text.splitlines() if line.strip()[:1].isdigit()]
    assert drawn == [
        "0  x0 | w3' ■■  w0 ◆□  w1 ◆□□ | -> w3'",
        "1  x1 | w0 ■◆  w1 ■◆□  w2 ◆□□ | -> w0",
        "2  x2 | w1 ■■◆  w2 ■◆□  w3 ◆□ | -> w1",
        "3  x3 | w2 ■■◆  w3 ■◆         | -> w2",
    ]
    assert "w3 drains: with the next frame's first slots, or by itself" in text


def test_stages_stand_in_stream_order_with_their_stores():
    text = explain_text(PoolSpec("max", 3, 2, 1), (64, 112, 112), 8)
    columns, rows = (line for line in text.splitlines() if " windows of kernel " in line)
    assert columns.startswith("columns: 112 in, 56 windows")
    assert "neighbours 8 beats apart" in columns
    assert rows.startswith("rows: 112 in, 56 windows")
    assert "1 partial per position x 448 = 448 words" in text


def test_a_long_axis_is_cut_and_a_large_window_counted():
    spec = PoolSpec("avg", (200,), 100)
    lines = explain_text(spec, (1, 1000)).splitlines()
    assert sum(line.strip().split(" ")[0].isdigit() for line in lines) == MOST_SLOTS
    assert any("1/200◆" in line for line in lines)


def test_a_growing_axis_says_how_long_the_next_frame_waits():
    spec = PoolSpec("max", (2,), 1, 1)
    text = explain_text(spec, (3, 4))
    plan = AxisPlan(PoolJob(spec, (3, 4)).axes[0])
    assert plan.drain - plan.overlap == 1
    assert "w4 drains after the last input; the next frame waits 1 cycle for it." in text


def test_nothing_to_pool():
    assert "Every window is one input" in explain_text(PoolSpec("max", 1), (1, 3, 3))


@pytest.mark.parametrize(
    ("spec", "width", "columns", "columns_out"),
    [
        (PoolSpec("max", (3,), 1, 1), 16, 4, 4),
        (PoolSpec("max", (3,), 2, 1), 21, 4, 2),
        (PoolSpec("avg", (7,), 7), 30, 4, 4),
        (PoolSpec("sum", (2,), 1, 1), 9, 1, 2),
        (PoolSpec("avg", "global", ndim=1), 9, 4, 1),
    ],
    ids=str,
)
def test_windows_side_by_side_leave_once_with_all_their_taps(spec, width, columns, columns_out):
    text = explain_text(spec, (1, width), None, columns, columns_out)
    job = PoolJob(spec, (1, width), None, columns, columns_out)
    left, taken = [], []
    for line in text.splitlines():
        if not line.strip()[:1].isdigit():
            continue
        comes, live, leaves = line.split("|")
        taken.append(comes.split()[1].removeprefix("x"))
        marks = dict(zip((words := live.split())[::2], words[1::2], strict=True))
        for window in leaves.split()[1:]:
            left.append(window)
            assert "□" not in marks[window]
    drained = [window for window in left if window.endswith("'")]
    own = [window for window in left if not window.endswith("'")]
    assert [f"w{i}" for i in range(job.axes[0].outputs)] == own + [w[:-1] for w in drained]
    ends = [int(x) for word in taken for x in word.split("-")]
    assert ends[0] == 0 and ends[-1] == width - 1
    assert (axis := job.stages[0].columns) is not None
    assert len(taken) == axis.beats


def test_what_does_not_work_is_refused():
    with pytest.raises(SpecError, match="kernel"):
        explain_text(PoolSpec("max", 9), (1, 6, 6))
