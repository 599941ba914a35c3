"""Small cores that between them have each kind of part: what netlists are mutated of."""

from streampool_golden import PoolJob, PoolSpec

CORES = {
    "max, registers": PoolJob(PoolSpec("max", 3, 2, 1, dtype="int4"), (2, 6, 7), 1),
    "max, RAM": PoolJob(PoolSpec("max", 3, 1, 1, dtype="int3"), (8, 4, 5), 1),
    "average": PoolJob(
        PoolSpec("avg", 3, 2, 1, dtype="int6", count_include_pad=False), (1, 6, 7), 1
    ),
    "columns": PoolJob(PoolSpec("max", 3, 1, 1, dtype="int3"), (1, 5, 8), 1, 4),
    "indices": PoolJob(PoolSpec("max", 2, indices="flat", dtype="int3"), (2, 4, 6), 2),
    "root": PoolJob(PoolSpec("l2", 2, dtype="int4"), (1, 4, 6), 1),
    "requantised": PoolJob(
        PoolSpec("avg", 3, 2, 1, dtype="int5", scale="3/4", zero_points=(2, -3)), (1, 5, 5), 1
    ),
    "two lengths": PoolJob(PoolSpec("sum", adaptive=29, ndim=1, dtype="int3"), (1, 97), 1),
    "grows": PoolJob(PoolSpec("max", 2, 1, 1, dtype="int4"), (1, 4, 5), 1),
}
"""By what each has."""
