"""The planner in C: what it plans is what Python plans, word for word."""

import ctypes
import random
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streampool_golden import Axis, PoolJob, PoolSpec, SpecError, UnevenAxis
from streampool_golden.networks import networks
from streampool_hw.export.register_texts import c_header, c_planner
from streampool_hw.runtime.control import places
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima
from streampool_sim.runtime.cases import random_job

SMALL = Maxima(*(2, 8, ("max", "min"), 4), max_fold=64, max_row=256, max_words=32, max_length=64)
PLANNED, TOO_IRREGULAR = 0, 9
FIELD = {
    **{"max_partials": 3, "max_drain": 4, "max_words": 5},
    **{"max_fold": 6, "max_row": 7, "max_length": 8},
}
"""What the planner says where a maximum is passed."""


class CAxis(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int32)
        for name in ("length", "kernel", "stride", "before", "after", "dilation", "ceil_mode")
    ]


class CJob(ctypes.Structure):
    _fields_ = [
        *(("channels", ctypes.c_uint32), ("is_signed", ctypes.c_int), ("smallest", ctypes.c_int)),
        *(("rows", CAxis), ("columns", CAxis)),
    ]


def compiled(maxima: Maxima, folder: Path) -> Any:
    (folder / "pool.h").write_text(c_header("pool", maxima, places(maxima), "0"))
    (folder / "pool_plan.h").write_text(c_planner("pool", "0"))
    source = folder / "plan.c"
    source.write_text(
        '#include "pool_plan.h"\n'
        "int room(void) { return POOL_PLAN_ROOM; }\n"
        "int plan(const struct pool_job *job, uint32_t *blob, size_t *words)"
        " { return pool_plan(job, blob, words); }\n"
    )
    how = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC"]
    subprocess.run(["cc", *how, source, "-o", folder / "plan.so"], check=True)
    return ctypes.CDLL(str(folder / "plan.so"))


def axis_in_c(axis: Axis, *, ceil_mode: bool) -> CAxis | None:
    """Return an axis as the planner takes it, if it can be said so."""
    if isinstance(axis, UnevenAxis):
        return None
    # what is dropped or overhangs is what ceil mode says; padding is resolved already
    how = (axis.length, axis.kernel, axis.stride, axis.before, axis.after, axis.dilation)
    pads = (axis.before, axis.after)
    for each in (ceil_mode, not ceil_mode):
        try:
            again = Axis.resolve(axis.length, axis.kernel, axis.stride, pads, axis.dilation, each)
        except SpecError:
            continue
        if again.outputs == axis.outputs:
            return CAxis(*how, each)
    return None


def planned(library: Any, job: PoolJob) -> tuple[int, list[tuple[int, int]]] | None:
    """Return what the planner says, and the writes."""
    rows, columns = (Axis.resolve(1, 1, 1, (0, 0)), *job.axes)[-2:]
    axes = [axis_in_c(axis, ceil_mode=bool(job.spec.ceil_mode)) for axis in (rows, columns)]
    if None in axes:
        return None
    told = CJob(job.shape[0], job.input.signed, job.operation.selects == "smallest", *axes)
    blob = (ctypes.c_uint32 * library.room())()
    words = ctypes.c_size_t()
    why = library.plan(ctypes.byref(told), blob, ctypes.byref(words))
    found = blob[: words.value] if why == PLANNED else []
    return why, [*zip(found[::2], found[1::2], strict=True)]


def held_against_python(library: Any, told: RuntimeJob) -> bool:
    """Compare a job's plan in C with Python's; return whether there is one."""
    made = planned(library, told.job)
    if made is None or made[0] == TOO_IRREGULAR:
        return False
    assert made == (PLANNED, [*told.writes])
    return True


def test_all_layers_of_networks(tmp_path: Path):
    maxima = Maxima(max_partials=4, max_row=2304, max_length=4096)
    library, done = compiled(maxima, tmp_path), 0
    for layer in networks():
        if layer.spec.ndim < 3:
            said = layer.spec.to_json()
            kept = ("kernel", "stride", "padding", "dilation", "ceil_mode", "adaptive")
            how = {name: said[name] for name in kept if said.get(name) is not None}
            spec = PoolSpec("max", ndim=layer.spec.ndim, dtype=layer.spec.dtype, **how)
            assert held_against_python(library, RuntimeJob(spec, layer.shape, maxima))
            done += 1
    assert done > 70


def test_random_jobs(tmp_path: Path):
    maxima = SMALL
    library = compiled(maxima, tmp_path)
    rng, done = random.Random(1), 0
    for _ in range(400):
        done += held_against_python(library, random_job(rng, maxima))
    assert done > 300


def field_of(job: PoolJob, maxima: Maxima) -> str | None:
    """Return the maximum that a job passes."""
    try:
        RuntimeJob(job, maxima=maxima)
    except SpecError as error:
        return error.field
    return None


def test_a_maximum_that_is_passed_is_named_as_python_names_it(tmp_path: Path):
    maxima = Maxima(lanes=2, max_fold=8, max_row=40, max_words=8, max_length=32)
    maxima = replace(maxima, max_partials=2, max_drain=1)
    library = compiled(maxima, tmp_path)
    rng, seen = random.Random(2), set()
    wide = replace(maxima, max_fold=64, max_row=4096, max_words=64, max_length=256)
    wide = replace(wide, max_partials=6, max_drain=6)
    for _ in range(600):
        job = random_job(rng, wide).job
        made = planned(library, job)
        passed = field_of(job, maxima)
        if passed is None:
            assert made is None or made[0] in (PLANNED, TOO_IRREGULAR)
        elif made is not None:
            assert made[0] not in (PLANNED, 1, 2), passed
            seen |= {passed} if FIELD.get(passed) == made[0] else set()
    assert seen == {*FIELD}


@pytest.mark.parametrize(
    ("axis", "why"),
    [
        (CAxis(4, 5, 1, 0, 0, 1, 0), 1),
        (CAxis(4, 1, 1, -2, -2, 1, 0), 1),
        (CAxis(4, 2, 1, 4, 0, 1, 0), 2),
        (CAxis(0, 1, 1, 0, 0, 1, 0), 1),
    ],
)
def test_axes_that_cannot_be_are_refused(axis: CAxis, why: int, tmp_path: Path):
    library = compiled(Maxima(), tmp_path)
    one = CAxis(1, 1, 1, 0, 0, 1, 0)
    blob, words = (ctypes.c_uint32 * library.room())(), ctypes.c_size_t()
    for rows, columns in ((one, axis), (axis, one)):
        job = CJob(8, 1, 0, rows, columns)
        assert library.plan(ctypes.byref(job), blob, ctypes.byref(words)) == why
