"""Jobs with several columns a beat: what follows of beats, stages and cycles."""

import pytest
from streampool_golden import Axis, BeatLayout, ColumnAxis, PoolJob, PoolSpec, SpecError


def _job(*args, shape=(1, 6, 16), lanes=1, columns=4, columns_out=None, **fields) -> PoolJob:
    return PoolJob(PoolSpec("max", *args, **fields), shape, lanes, columns, columns_out)


def test_one_column_changes_nothing():
    job = PoolJob(PoolSpec("max", 3, 2, 1), (3, 9, 8), 2)
    assert PoolJob(job.spec, job.shape, job.lanes, 1) == job
    assert "columns" not in repr(job) and "column" not in job.title
    assert all(stage.columns is None for stage in job.stages)


@pytest.mark.parametrize(
    ("kernel", "stride", "columns", "out"),
    [(2, 2, 4, 2), (3, 1, 4, 4), (3, 3, 4, 4), (4, 4, 2, 1), (3, 2, 1, 1), (2, 6, 4, 2)],
)
def test_the_natural_columns_out_let_a_row_leave_as_it_comes(kernel, stride, columns, out):
    job = _job((1, kernel), (1, stride), shape=(2, 3, 48), lanes=2, columns=columns)
    assert job.columns_out == out
    assert job.beats_out <= job.beats_in == 3 * 48 // columns


def test_more_windows_than_there_are_need_no_place():
    assert _job("global", columns=8).columns_out == 1
    assert _job(3, 1, shape=(1, 4, 3), columns=8).columns_out == 1


def test_beats_and_their_layouts():
    job = _job(3, 1, 1, shape=(3, 5, 7), lanes=2)
    assert job.layout_in == BeatLayout(3, 35, 2, 4, 5) == job.layout_out
    assert job.beats_in == job.beats_out == 5 * 2 * 2 == job.limit_cycles == job.cycles_bound
    assert job.title == "max pooling of 3x5x7 to 3x5x7, 4 columns x 2 lanes of int8"
    halved = _job(2, shape=(3, 4, 7), lanes=3)
    assert halved.title.endswith("4 to 2 columns x 3 lanes of int8")
    assert (halved.beats_in, halved.beats_out) == (4 * 2, 2 * 2)
    assert repr(halved).endswith("lanes=3, columns=4, columns_out=2)")


def test_the_next_core_takes_what_leaves():
    one = _job(2, shape=(1, 8, 16), columns=8)
    other = PoolJob(PoolSpec("max", 3, 1, 1), one.out_shape, 1, one.columns_out)
    assert other.layout_in == one.layout_out


def test_stages_count_in_beats():
    columns, rows = _job(3, 2, 1, shape=(4, 9, 14), lanes=2).stages
    assert columns.columns == ColumnAxis(columns.along, 4, 2)
    assert (columns.axis, columns.m, columns.runs) == (1, 2, 9)
    assert (rows.axis, rows.m, rows.columns) == (0, 4 * 2, None)
    [whole] = _job("global", shape=(1, 3, 6)).stages
    assert whole.columns is not None and (whole.columns.beats, whole.columns.groups) == (6, 1)
    # what goes on as it is has no stage, what is packed anew has one
    assert [stage.axis for stage in _job((3, 1), 1).stages] == [0]
    assert [stage.axis for stage in _job((3, 1), 1, columns_out=8).stages] == [1, 0]


def test_an_axis_grows_where_its_beats_do():
    grown = _job(2, 1, 1, shape=(1, 4, 7), columns=4)  # 8 columns, but 2 beats both ways
    assert [stage.axis for stage in grown.stages] == [1, 0]
    grown = _job(2, 1, 1, shape=(1, 4, 8), columns=4)
    assert [stage.growth for stage in grown.stages if stage.axis] == [1]


def test_where_groups_are():
    axis = ColumnAxis(Axis.resolve(16, 3, 2, (1, 0)), 4, 2)
    assert axis.stride == 1 and axis.idle_bound == 0 and axis.limit_partials == 2 + 2
    assert [axis.place(q, k) for q in range(2) for k in range(3)] == [
        *((-1, 3), (0, 0), (0, 1)),
        *((0, 1), (0, 2), (0, 3)),
    ]
    # of one group alone the next is a row away
    assert ColumnAxis(Axis.resolve(16, 3, 2, (1, 0)), 4, 12).stride == 4


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"columns": 0}, "columns must be an integer from 1 to 64, for rows of 16, not 0."),
        ({"columns": "4"}, "columns must be an integer from 1 to 64, for rows of 16, not '4'."),
        ({"columns_out": 0}, "columns_out must be an integer from 1 to 64, for rows of 14, not 0."),
        (
            {"columns_out": 65},
            "columns_out must be an integer from 1 to 64, for rows of 14, not 65.",
        ),
        (
            {"columns_out": 3},
            "columns_out 3 does not fit stride 1 at 4 columns a beat: beats out would differ in"
            " where their windows lie; use a multiple of 4, or 14, all of a row.",
        ),
    ],
)
def test_refusals(given, sentence):
    with pytest.raises(SpecError) as caught:
        _job(3, 1, **given)
    assert str(caught.value) == sentence
    assert caught.value.field in given


def test_windows_of_two_lengths_come_one_by_one():
    spec = PoolSpec("avg", adaptive=(2, 5))
    with pytest.raises(SpecError) as caught:
        PoolJob(spec, (1, 4, 8), 1, 4)
    assert str(caught.value) == (
        "columns 4 a beat need windows of one length, and adaptive (2, 5) has two on 8; use"
        " columns 1, or a size that divides 8."
    )
    assert PoolJob(spec, (1, 7, 10), 1, 4).columns_out == 2  # rows of two lengths are as before
