"""A run-time core's job as data: brute-forced with symbolic partials, its bubble to the clock."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from runtime_model import Stage, expected
from streampool_golden import Axis, PoolJob, PoolSpec, SpecError, UnevenAxis
from streampool_golden.networks import networks
from streampool_hw.export.runtime_verilog import write_runtime_verilog
from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.job import RuntimeJob, StageJob, _stage_job, lost
from streampool_hw.runtime.maxima import NEAR, Maxima, StageMaxima
from streampool_hw.schedule.plans import plan_of

MOST = Maxima(max_partials=6, max_row=4096, max_words=64)
POOL = PoolSpec("max", 3)


def random_axis(rng: random.Random, kernel: int, stride: int, length: int) -> Axis:
    """Return an axis with any padding, dilation and ceil mode, or of windows of two lengths."""
    while True:
        k, n = rng.randint(1, kernel), rng.randint(1, length)
        if rng.random() < 0.1:
            axis = Axis.to_size(n, rng.randint(1, n))
            if isinstance(axis, UnevenAxis) and axis.growth > 0:
                continue
            return axis
        pads = 2 * [rng.randint(0, k // 2)]
        if rng.random() < 0.4:
            pads = [rng.randint(-1, k - 1), rng.randint(-1, k - 1)]
        dilation, ceil = rng.choice((1, 1, 1, 2)), rng.random() < 0.4
        try:
            return Axis.resolve(n, k, rng.randint(1, stride), (pads[0], pads[1]), dilation, ceil)
        except SpecError:
            continue


def random_job(
    rng: random.Random, most: StageMaxima, kernel: int, stride: int
) -> tuple[Axis, StageJob, tuple[tuple[int, int], ...]]:
    """Return an axis that fits, what a stage is told of it, and its windows as what differs."""
    while True:
        axis = random_axis(rng, kernel, stride, 14)
        m = rng.choice((1, 2, 3, 5, 6, 7, 8, 11, most.m, rng.randint(1, most.m)))
        windows = rng.choice(WINDOWS)
        try:
            job = _stage_job(axis, m, rng.randint(1, 3), most, windows)
        except SpecError:
            continue
        if axis.identity and len(set(windows(axis))) == 1:
            axis = Axis.resolve(job.slots, 1, 1, (0, 0))
        return axis, job, windows(axis)


def _counted(axis: Axis, pads: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    each = [(1,) * axis.outputs, *(axis.counts(pad) for pad in pads)]
    return tuple(zip(each[-1], each[0 if len(pads) < 2 else 1], strict=True))


WINDOWS = [partial(_counted, pads=pads) for pads in ((), (True,), (False,), (False, True))]
"""What windows of an axis may be divided by, and their taps, as pairs."""


@pytest.mark.parametrize(
    ("kernel", "stride", "partials", "m", "words"),
    [(3, 3, 2, 32, 16), (7, 7, 6, 32, 32), (5, 3, 4, 64, 32), (13, 5, 12, 16, 64)],
)
def test_sequences_of_jobs_give_every_window_and_lose_what_the_formula_says(
    kernel: int, stride: int, partials: int, m: int, words: int
):
    most = StageMaxima(partials, partials, m, words, 256, 3, kind_bits=3)
    changes = free = differ = 0
    for seed in range(30):
        rng = random.Random(seed)
        jobs = [random_job(rng, most, kernel, stride) for _ in range(5)]
        stage, want = Stage(most), []
        old: StageJob | None = None
        axis, job, windows = jobs[0]
        gaps = rng.choice((0, 0, 0.3))
        for frame in range(12):
            if frame == 0 or rng.random() < 0.6:
                axis, job, windows = rng.choice(jobs)
            differ += len(set(windows)) > 1
            gap = rng.choice((0, 0, 0, rng.randint(1, 40)))
            if frame:
                for _ in range(gap):
                    stage.step(None)
            stage.take_over(job)
            waited, before = stage.waited, old
            for run in range(job.runs):
                for slot in range(job.slots):
                    for p in range(job.m):
                        while rng.random() < gaps:
                            stage.step(None)
                        while not stage.step((frame * 3 + run, p, slot)):
                            pass
                if run == 0 and not gaps and not gap and before is not None:
                    rests = (job.slots - 1) * job.rest + max(before.rest, job.rest)
                    assert stage.waited - waited == lost(before, job) + rests
                    changes += before is not job
                    free += before is not job and not lost(before, job)
                want += expected(axis, frame * 3 + run, job.m, windows)
            old = job
        for _ in range(most.partials * most.m + 40):
            stage.step(None)
        assert stage.out == want, seed
    assert changes > 30 and free > 15 and differ > 30


def test_a_frame_of_the_same_job_waits_for_growth_and_idle_slots_alone():
    rng = random.Random(0)
    most = StageMaxima(12, 12, 64, 64, 256, 1)
    for _ in range(120):
        axis, job, _ = random_job(rng, most, 9, 4)
        if job.rest or axis.identity:
            continue
        plan = plan_of(axis)
        assert lost(job, job) == (plan.period - axis.length) * job.m


def test_every_layer_of_two_axes_has_a_job():
    for layer in networks():
        job = PoolJob(layer.spec, layer.shape, MOST.lanes)
        most = replace(MOST, operations=("max", "min", "avg", "sum"))
        if layer.spec.ndim == 3:
            with pytest.raises(SpecError, match="has three axes"):
                RuntimeJob(job, maxima=most)
            continue
        told = RuntimeJob(job, maxima=most)
        slow = any(stage.rest for stage in told.stages)
        assert told.cycles_bound == job.limit_cycles or (slow and job.fold < NEAR)
        assert RuntimeJob(job, maxima=most).blob() == told.blob()


AVG: dict[str, Any] = {"op": "avg", "count_include_pad": False}
SUMS: dict[str, Any] = {"operations": ("max", "avg"), "max_partials": 4}

REFUSED: list[tuple[dict[str, Any], tuple[int, ...], dict[str, Any], str, str]] = [
    ({"kernel": 5, "stride": 1}, (8, 9, 9), {}, "max_partials", "4 partials a position"),
    ({"kernel": 20, "stride": 1}, (8, 50, 50), {}, "max_partials", "use PoolCore: 12 are the most"),
    (
        *({"kernel": 3, "stride": 1, "padding": ((0, 2), (0, 0))}, (8, 9, 9), {}, "max_drain"),
        "2 windows that leave .*max_drain=2",
    ),
    (
        *({"op": "sum", "kernel": 3}, (8, 9, 9), {"operations": ("sum",), "max_taps": 4}),
        *("max_taps", "9 taps of a window"),
    ),
    ({"kernel": 3, "stride": 1}, (8, 9, 900), {"max_row": 800}, "max_row", "898 beats of a row"),
    ({"kernel": 3}, (80, 9, 9), {"max_fold": 8}, "max_fold", "10 beats per position"),
    ({"kernel": 3, "stride": 2, "padding": 1}, (8, 9, 8), {"max_words": 2}, "max_words", "words"),
    ({"kernel": 3}, (8, 9, 90), {"max_length": 64}, "max_length", "90 positions of an axis"),
    ({"kernel": (2, 1)}, (1, 16, 4099), {"max_length": 8192, "max_row": 2000}, "max_row", "4,099"),
    ({"kernel": (2, 1)}, (1, 263, 257), {"max_length": 263}, "max_length", "unchanged make no"),
    ({"kernel": 3, "op": "avg"}, (8, 9, 9), {}, "op", "op avg is not one that the core"),
    ({"kernel": 3, "dtype": "int16"}, (8, 9, 9), {}, "dtype", "use int8 or uint8"),
    ({"kernel": 3, "dtype": "float16"}, (8, 9, 9), {}, "dtype", "use int8 or uint8"),
    ({"kernel": 3, "indices": "plane"}, (8, 9, 9), {}, "indices", "use PoolCore"),
    ({"kernel": 3, "ndim": 3}, (8, 9, 9, 9), {}, "shape", "has three axes"),
    ({"adaptive": (3, 7)}, (8, 9, 5), {}, "adaptive", "adaptive .* grows 5 to 7"),
    ({"kernel": 3, "clamp": (0, 6)}, (8, 9, 9), {}, "clamp", "a core of max has; make one with"),
    ({"kernel": 3, "out_dtype": "int16"}, (8, 9, 9), {}, "out_dtype", "a core of max has"),
    (
        *(AVG | {"kernel": 5, "stride": 1, "padding": 2}, (8, 9, 9), SUMS | {"max_kinds": 2}),
        *("max_kinds", "3 kinds .*max_kinds=4"),
    ),
    (AVG | {"kernel": 9}, (8, 9, 9), SUMS | {"max_taps": 80}, "max_taps", "81 taps of a window"),
    (AVG | {"kernel": 3, "divisor_override": -300}, (8, 9, 9), SUMS, "max_taps", "300 taps that"),
    (AVG | {"kernel": 3, "out_dtype": "int9"}, (8, 9, 9), SUMS, "out_dtype", "than the 8 bits"),
    (AVG | {"kernel": 3, "scale": "2/3"}, (8, 9, 9), SUMS, "scale", "2/27 of a sum"),
    (AVG | {"kernel": 3, "scale": "1/5000001"}, (8, 9, 9), SUMS, "scale", "wider quotients"),
    (
        *(AVG | {"kernel": 16, "divisor_override": 7}, (8, 16, 16), SUMS, "divisor_override"),
        "takes wider quotients of 7",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "shape", "most", "field", "said"), REFUSED)
def test_what_passes_a_maximum_is_refused_by_its_name(
    spec: dict[str, Any], shape: tuple[int, ...], most: dict[str, Any], field: str, said: str
):
    spec = {"op": "max", **spec}
    with pytest.raises(SpecError, match=said) as refused:
        RuntimeJob(PoolSpec(**spec), shape, Maxima(**most))
    assert refused.value.field == field
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_words": 12}, "max_words 12 is no power of two"),
        ({"operations": ("max", "l2")}, "are not what a run-time core has"),
        ({"operations": ()}, "are not what a run-time core has"),
        ({"max_row": 3}, "max_row must be"),
        ({"lanes": 0}, "lanes must be"),
        ({"max_kinds": 3}, "max_kinds 3 is no power of two"),
        ({"max_taps": 1}, "max_taps must be"),
        ({"max_drain": -1}, "max_drain must be"),
        ({"max_drain": 3}, "max_drain 3 is more than max_partials 2"),
        ({"bits": 20, "operations": ("avg",)}, "max_taps 256 of 20 bits make sums of 28, and 26"),
        ({"max_partials": 12, "operations": ("sum",)}, "max_partials 12 with max_kinds 4 take"),
    ],
)
def test_maxima_that_cannot_be_are_refused(given: dict[str, Any], said: str):
    with pytest.raises(SpecError, match=said):
        Maxima(**given)


EIGHT: Any = 8
WRONG: list[tuple[Callable[[], object], str, str]] = [
    (lambda: RuntimePoolCore(EIGHT), "maxima", "maxima must be Maxima, such as .*, not 8"),
    (lambda: RuntimeJob(POOL, (8, 9, 9), EIGHT), "maxima", "maxima must be Maxima"),
    (lambda: RuntimePoolCore(MOST).job(POOL, EIGHT), "shape", "shape must be 3 .*, not 8"),
    (lambda: RuntimeJob(PoolJob(POOL, (8, 9, 9)), (8, 9, 9)), "shape", "no meaning with a job"),
    (lambda: RuntimeJob(PoolSpec("l2", 3), (8, 9, 9)), "op", "op l2 is nothing .* use max, min,"),
    (lambda: write_runtime_verilog(EIGHT, "."), "core", "core must be a RuntimePoolCore or Maxima"),
]


@pytest.mark.parametrize(("make", "field", "said"), WRONG)
def test_what_is_no_maxima_or_no_shape_is_refused(
    make: Callable[[], object], field: str, said: str
):
    with pytest.raises(SpecError, match=said) as refused:
        make()
    assert refused.value.field == field
