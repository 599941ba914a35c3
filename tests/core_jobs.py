"""Small jobs that between them reach every part of a core."""

from streampool_golden import PoolJob, PoolSpec
from streampool_hw.reduce.stage import AxisStage

DEPTH = AxisStage.DEPTH
"""Positions from which on a store is a RAM."""


def _one(channels: int, steps: int, op: str, *args, lanes: int = 1, **fields) -> PoolJob:
    return PoolJob(PoolSpec(op, *args, ndim=1, **fields), (channels, steps), lanes)


def _two(
    channels: int, rows: int, columns: int, op: str, *args, lanes: int = 1, **fields
) -> PoolJob:
    return PoolJob(PoolSpec(op, *args, **fields), (channels, rows, columns), lanes)


def _three(channels: int, size: tuple[int, int, int], op: str, *args, lanes=1, **fields) -> PoolJob:
    return PoolJob(PoolSpec(op, *args, ndim=3, **fields), (channels, *size), lanes)


JOBS = {
    # positions from one to beyond the pipeline's depth, in both kinds of store
    **{f"max k3 s2, m {m}": _one(m, 11, "max", 3, 2, 1) for m in range(1, DEPTH + 3)},
    **{
        f"sum k4 s1, m {m}": _one(m, 7, "sum", 4, 1, ((2, 1),), dtype="int5")
        for m in (1, 2, DEPTH - 1, DEPTH)
    },
    # one axis
    "max k2 s2": _one(1, 14, "max", 2),
    "max k5 s1 dilated": _one(3, 19, "max", 3, 1, 2, 2),
    "min k3 s2 dilated, RAM": _one(7, 23, "min", 3, 2, ((1, 3),), 3, dtype="int16"),
    "max, kernel beyond the input": _one(2, 3, "max", 9, 1, 4),
    "max, kernel beyond the input, ceil": _one(8, 3, "max", 4, 2, 0, 1, True),
    "max, crops": _one(4, 17, "max", 3, 2, ((-2, -1),)),
    "sum, crop and pad": _one(9, 12, "sum", 3, 1, ((-1, 2),)),
    "sum, padding before alone": _one(2, 9, "sum", 4, 3, ((3, 0),), dtype="uint7"),
    "sum, padding after alone": _one(6, 9, "sum", 4, 2, ((0, 3),), dtype="uint7"),
    "max, stride beyond the kernel": _one(7, 20, "max", 2, 5),
    "subsampling": _one(3, 13, "max", 1, 3),
    "global average": _one(5, 16, "avg", 16, lanes=2),
    "one value": _one(1, 1, "max", 1),
    "one value of many taps": _one(1, 1, "avg", 3, 1, 1),
    "one step, two out": _one(1, 1, "max", 2, 1, 1),
    "one step, RAM": _one(7, 1, "sum", 3, 2, 1),
    "grows": _one(3, 6, "max", 2, 1, 1),
    "grows, RAM": _one(8, 5, "avg", 4, 1, ((3, 3),), count_include_pad=False),
    "grows much": _one(2, 2, "max", 8, 1, ((7, 7),)),
    "grows, stride 2": _one(2, 3, "sum", 7, 2, ((6, 6),), dtype="int4"),
    "grows, stride 2, RAM": _one(6, 1, "max", 7, 2, ((6, 5),)),
    "pads that need idle slots": _one(2, 3, "max", 3, 2, 2),
    "pads that need idle slots, RAM": _one(6, 5, "min", 7, 2, ((4, 6),)),
    "identity": _one(3, 5, "max", 1, lanes=2),
    # two axes
    "max k3 s2": _two(3, 9, 8, "max", 3, 2, 1, lanes=2),
    "max k3 s1, one lane": _two(1, 6, 7, "max", 3, 1, 1),
    "min k2x3": _two(5, 7, 9, "min", (2, 3), lanes=4, dtype="uint8"),
    "rows alone": _two(2, 8, 5, "max", (3, 1), (2, 1), ((1, 1), (0, 0))),
    "columns alone": _two(2, 5, 8, "max", (1, 3), (1, 2), ((0, 0), (1, 0))),
    "avg same": _two(3, 5, 6, "avg", (2, 3), 1, "same", lanes=2),
    "avg same_lower ceil": _two(2, 7, 5, "avg", 3, 2, "same_lower", 1, True, lanes=2),
    "avg k3 pads not counted": _two(1, 5, 6, "avg", 3, 2, 1, 1, True, False, None, "half_even"),
    "avg pads counted, ceil": _two(1, 6, 6, "avg", 3, 2, 1, 1, True, True, None, "half_up"),
    "avg restoring": _two(
        *(1, 6, 5, "avg", (5, 3), 1, (2, 1)),
        rounding="half_even",
        dtype="int20",
        count_include_pad=False,
    ),
    "sum of all bits": _two(1, 5, 5, "sum", 3, 1, 1, dtype="int32"),
    "lanes beyond the channels": _two(2, 5, 5, "max", 2, 1, lanes=5),
    "one pixel": _two(1, 1, 1, "sum", 3, 1, 1),
    "one column": _two(1, 9, 1, "max", 3, 2, 1),
    "one row": _two(1, 1, 9, "max", 3, 2, 1),
    # three axes
    "max k3 s2, planes": _three(3, (5, 4, 6), "max", 3, 2, 1, lanes=2),
    "avg k2x3x1, planes": _three(1, (4, 5, 3), "avg", (2, 3, 1), 1, "same"),
    "planes alone": _three(2, (6, 2, 3), "min", (3, 1, 1), (2, 1, 1)),
    "planes grow": _three(1, (2, 3, 3), "sum", (2, 1, 1), 1, (1, 0, 0)),
    # all axes as one, and to a size
    "global max": _two(5, 4, 5, "max", "global", lanes=2),
    "global avg, planes": _three(2, (3, 2, 4), "avg", "global"),
    "global sum, RAM": _two(DEPTH, 3, 4, "sum", "global"),
    "global l2, steps": _one(3, 11, "l2", "global", lanes=2),
    "global of one pixel": _two(2, 1, 1, "min", "global"),
    "to 2 x 3": _two(3, 4, 9, "avg", adaptive=(2, 3), lanes=2),
    # to a size that does not divide
    "to 4 of 14": _one(1, 14, "max", adaptive=4),
    "to 5 of 8, RAM": _one(DEPTH, 8, "sum", adaptive=5, dtype="int6"),
    "to 6 of 9, always shifting": _one(2, 9, "min", adaptive=6),
    "to 29 of 97, by an accumulator": _one(2, 97, "avg", adaptive=29, rounding="half_even"),
    "to 7 of 3": _one(2, 3, "max", adaptive=7),
    "to 8 of 2, RAM": _one(DEPTH + 1, 2, "avg", adaptive=8),
    "to 41 of 17, by an accumulator": _one(1, 17, "avg", adaptive=41),
    "to 4 x 5 of 14 x 7": _two(3, 14, 7, "avg", adaptive=(4, 5), lanes=2),
    "to 7 x 9 of 3 x 4": _two(2, 3, 4, "max", adaptive=(7, 9)),
    "to 7 x 4 of 5 x 11": _two(1, 5, 11, "sum", adaptive=(7, 4), dtype="uint8"),
    "to 4 x 9 of 10 x 5": _two(3, 10, 5, "avg", adaptive=(4, 9), lanes=2, scale="3/4"),
    "to 4 x 3 x 8 of 6 x 5 x 6": _three(2, (6, 5, 6), "avg", adaptive=(4, 3, 8), lanes=2),
    # roots
    "l2 k2 s2": _two(3, 6, 4, "l2", 2, lanes=2),
    "l2 k3 s2, pads not counted": _two(1, 7, 6, "l2", 3, 2, 1, rounding="half_even"),
    "l2, pads counted": _two(1, 5, 5, "l2", 3, 2, 1, 1, True, True, None, "floor", "uint5"),
    "lp2 k3 s1": _two(1, 5, 6, "lp2", 3, 1, 1, dtype="int5"),
    "lp1 k3 s2": _two(2, 6, 7, "lp1", 3, 2, 1, dtype="int4"),
    "lp1 of what has no sign": _one(2, 9, "lp1", 3, dtype="uint6"),
    "lp3 k3 s2": _two(2, 6, 7, "lp3", 3, 2, 1, dtype="int6"),
    "lp4 k2": _one(1, 14, "lp4", 2, dtype="uint7", rounding="floor"),
    "gem3, global": _two(3, 3, 5, "gem3", "global", lanes=2, rounding="half_even"),
    "gem4, pads counted": _two(1, 5, 5, "gem4", 3, 2, 1, dtype="int5", rounding="half_even"),
    "both grow": _two(1, 4, 3, "max", 2, 1, 1),
    "columns shrink, rows grow": _two(1, 3, 10, "max", (2, 2), (1, 2), ((1, 1), (0, 0))),
    "rows shrink, columns grow": _two(2, 10, 3, "sum", (3, 3), (3, 1), ((0, 0), (2, 2))),
    "identity of two axes": _two(2, 3, 4, "avg", 1),
    # what waits for a stage that grows has to go on without a gap
    "planes of one grow behind rows": _three(
        *(1, (1, 6, 4), "sum", (2, 3, 1), 1, (1, 1, 0)), dtype="int24"
    ),
    "l2 that grows": _two(
        *(5, 12, 2, "l2", (4, 3), 1, (2, 1)), dtype="int6", rounding="half_up", lanes=2
    ),
    "avg bfloat16 that grows": _two(
        *(6, 14, 9, "avg", (1, 4), 1, ((0, 0), (1, 3))), dtype="bfloat16", lanes=4
    ),
    # floats
    "max float16": _two(3, 7, 8, "max", 3, 2, 1, dtype="float16", lanes=2),
    "max float32, NaN ignored": _two(1, 6, 7, "max", 3, 1, 1, dtype="float32", nan="ignore"),
    "min bfloat16": _two(2, 9, 7, "min", (3, 2), 2, 1, dtype="bfloat16"),
    "avg float16, pads not counted": _two(
        *(2, 6, 7, "avg", 3, 2, 1), dtype="float16", count_include_pad=False
    ),
    "avg float16 by a large number": _one(
        *(1, 9, "avg", 2, 1), dtype="float16", divisor_override=-(2**31 - 1)
    ),
    "avg bfloat16": _one(2, 9, "avg", 3, 2, 1, dtype="bfloat16"),
}
"""By what is odd about each."""
