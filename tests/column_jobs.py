"""Small jobs with several columns a beat that between them reach every part of their stages."""

from streampool_golden import PoolJob, PoolSpec


def _job(shape, columns, op, *args, lanes=1, out=None, **fields) -> PoolJob:
    spec = PoolSpec(op, *args, ndim=len(shape) - 1, **fields)
    return PoolJob(spec, shape, lanes, columns, out)


COLUMN_JOBS = {
    # at a fixed distance
    "max k2 s2": _job((1, 6, 16), 4, "max", 2),
    "max k3 s1": _job((1, 5, 16), 4, "max", 3, 1, 1),
    "max k3 s2": _job((3, 7, 13), 4, "max", 3, 2, 1, lanes=2),
    "max k3 s2, pad after": _job((1, 6, 15), 8, "max", 3, 2, ((0, 0), (0, 1))),
    "max k3 s3": _job((1, 6, 22), 4, "max", 3),
    "max k13 s1": _job((1, 3, 18), 4, "max", (1, 13), 1, (0, 6)),
    "min k5, dilated": _job((2, 4, 17), 3, "min", (2, 3), 1, (0, 3), (1, 3), lanes=2),
    "min, tap in a gap": _job((1, 3, 20), 4, "min", (1, 2), (1, 3), 0, (1, 6)),
    "sum, crop and pad": _job((2, 3, 19), 4, "sum", (1, 3), 1, ((0, 0), (-5, 2)), dtype="uint7"),
    "max, crops both": _job((1, 3, 23), 4, "max", (1, 3), (1, 2), ((0, 0), (-2, -3))),
    "max, a row within a beat": _job((2, 5, 3), 8, "max", 3, 1, 1, lanes=2),
    "max, kernel beyond the row": _job((1, 3, 5), 2, "max", (1, 9), 1, (0, 4)),
    "max, one column": _job((1, 9, 1), 4, "max", 3, 2, 1),
    "packed anew": _job((2, 3, 13), 4, "max", 1, out=8),
    "nothing along the columns": _job((2, 6, 10), 4, "max", (3, 1), (2, 1), lanes=2),
    "history in registers": _job((4, 3, 12), 4, "max", 3, 1, 1),
    "history in a RAM": _job((9, 3, 12), 4, "sum", 3, 1, 1, dtype="int6"),
    "stride beyond the kernel": _job((1, 4, 23), 4, "max", 2, 5),
    "subsampling": _job((1, 4, 17), 4, "max", 1, 3),
    "wide": _job((1, 2, 40), 16, "max", (1, 2), dtype="int4"),
    # apart
    "max k16 s16": _job((1, 4, 64), 4, "max", (2, 16), (2, 16)),
    "sum k7 s7": _job((2, 3, 30), 4, "sum", (1, 7), dtype="int5"),
    "apart, in a RAM": _job((9, 3, 20), 2, "avg", (1, 5)),
    "apart, gaps between": _job((1, 3, 41), 4, "min", (1, 5), (1, 12), ((0, 0), (2, 1))),
    "a whole row": _job((3, 4, 10), 4, "avg", (2, 10), lanes=2),
    "global max": _job((3, 4, 6), 4, "max", "global", lanes=2),
    "global avg, planes": _job((1, 3, 2, 5), 2, "avg", "global"),
    "global sum, steps": _job((2, 13), 4, "sum", "global"),
    # windows, growth, order
    "avg k3, pads not counted": _job((1, 5, 10), 4, "avg", 3, 1, 1, count_include_pad=False),
    "avg same": _job((1, 5, 9), 3, "avg", (2, 3), 1, "same"),
    "columns grow": _job((1, 3, 8), 4, "max", 2, 1, 1),
    "columns grow behind rows": _job((1, 8, 8), 4, "sum", 2, (2, 1), 1, dtype="int6"),
    "rows grow": _job((1, 3, 12), 4, "max", (2, 2), (1, 2), ((1, 1), (0, 0))),
    "idle": _job((1, 3, 10), 2, "max", (1, 6), (1, 3), (0, 3), 1, True),
    "steps": _job((2, 19), 4, "max", 3, 1, 1, lanes=2),
    # operations and types
    "l2": _job((1, 4, 12), 4, "l2", 2, dtype="int6"),
    "avg float16": _job((1, 4, 9), 2, "avg", (1, 2), dtype="float16"),
    "max bfloat16": _job((1, 5, 11), 2, "max", 3, 1, 1, dtype="bfloat16"),
    "min float16, NaN ignored": _job((2, 5, 9), 4, "min", 3, 2, 1, dtype="float16", nan="ignore"),
    "max float16, apart": _job((1, 2, 17), 2, "max", (1, 7), (1, 8), dtype="float16"),
    # where the maxima were
    "indices, plane": _job((2, 6, 11), 4, "max", 3, 2, 1, indices="plane"),
    "indices, columns first": _job((2, 5, 10), 3, "max", 3, 1, 1, indices="flat_columns"),
    "indices, channels last": _job((3, 4, 9), 4, "max", 2, lanes=2, indices="channels_last"),
    "indices, steps": _job((1, 21), 4, "max", 3, 1, indices="plane"),
    "indices, one column": _job((2, 7, 1), 4, "max", (3, 1), 1, indices="plane"),
    "indices, global": _job((2, 3, 6), 4, "max", "global", indices="plane"),
}
