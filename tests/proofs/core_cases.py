"""What is proved of a whole core: what is behind its stages, and small ones at their ports."""

from collections.abc import Iterator
from typing import Any

from streampool_golden import PoolJob, PoolSpec
from streampool_golden.networks import networks
from streampool_hw import PoolCore
from streampool_hw.schedule.columns import ApartPlan

from . import finish, whole
from . import kinds as window_kinds
from .cases import Bounded, Case


def finishing() -> Iterator[Case]:
    """Yield what is behind the stages: of each form that the layers have, at 1 and 4 columns.

    A form is how the pipeline is cut, who tells `last`, and how many kinds of windows there are;
    where there are several, the numbers of the kinds are proved, too.
    """
    seen = set()
    for wide in (1, 4):
        for layer in networks():
            job = PoolJob(layer.spec, layer.shape, columns=wide)
            core = PoolCore(job)
            pieces = [sum(s.clocks for s in piece) for piece in core._postprocess._pieces]
            kinds = core._windows.kinds
            key = repr((pieces, core._counts_beats, kinds, job.lanes, wide))
            if not pieces or not core.stages or key in seen:
                continue
            seen.add(key)
            title = f"{layer.name}, {'x'.join(map(str, job.shape))}, {wide} columns"
            for name, lemma in (("order", finish.Finish), ("rate", finish.Flow)):
                yield Case(
                    f"{name}: {title}",
                    "finishing",
                    finish.DEPTH,
                    lambda job=job, lemma=lemma: lemma(PoolCore(job)),
                )
            if len(kinds) > 1:
                yield Case(
                    f"kinds: {title}", "finishing", 1, lambda job=job: window_kinds.Kinds(job)
                )
    for spec, shape, lanes, wide in (
        (PoolSpec("avg", 3, 1, 1, count_include_pad=False), (8, 6, 9), 2, 1),
        (PoolSpec("avg", 3, 2, 1, count_include_pad=False, ceil_mode=True), (4, 11, 17), 2, 4),
        (PoolSpec("avg", adaptive=(5, 7)), (2, 12, 16), 1, 1),
        (PoolSpec("avg", adaptive=(34, 3)), (1, 82, 7), 1, 1),
    ):
        job = PoolJob(spec, shape, lanes, wide)
        yield Case(
            f"kinds: {spec.adaptive or spec.kernel} of {'x'.join(map(str, shape))}",
            "finishing",
            window_kinds.DEPTH,
            lambda job=job: window_kinds.Kinds(job),
        )


def small_cores() -> Iterator[Case]:
    """Yield small whole cores at their ports, a frame and more deep."""
    line: dict[str, Any] = {"ndim": 1, "dtype": "int3"}
    for depth, spec, shape, lanes, wide in (
        (18, PoolSpec("max", 2, **line), (1, 4), 1, 1),
        (14, PoolSpec("min", 3, stride=2, **line), (1, 5), 1, 1),
        (14, PoolSpec("sum", 2, **line), (1, 4), 1, 1),
        (18, PoolSpec("avg", 2, **line), (1, 4), 1, 1),
        (14, PoolSpec("max", 2, **line), (2, 4), 1, 1),
        (14, PoolSpec("max", 2, **line), (2, 4), 2, 1),
        (14, PoolSpec("max", 2, indices="plane", **line), (1, 4), 1, 1),
        (14, PoolSpec("max", 2, **line), (1, 8), 1, 4),
        (12, PoolSpec("max", 3, stride=1, padding=1, **line), (1, 3), 1, 1),
        (12, PoolSpec("max", 2, stride=1, padding=1, **line), (1, 2), 1, 1),
        (14, PoolSpec("max", adaptive=3, **line), (1, 5), 1, 1),
        (18, PoolSpec("max", 2, dtype="int3"), (1, 2, 2), 1, 1),
    ):
        job = PoolJob(spec, shape, lanes, wide)
        how = f"to {spec.adaptive}" if spec.adaptive else f"{spec.kernel} / {spec.stride}"
        title = f"{spec.op} {how} of {'x'.join(map(str, shape))}, {lanes} lanes, {wide} columns"
        kinds: list[tuple[str, Any]] = [("ports", whole.Whole)]
        at_once = (isinstance(plan, ApartPlan) or not plan.drain for plan in PoolCore(job).plans)
        if wide == 1 and all(at_once):
            kinds.append(("flow", whole.Flows))
        for name, lemma in kinds:
            yield Bounded(
                f"{name}: {title}",
                "small cores",
                f"first {depth}",
                lambda job=job, lemma=lemma: lemma(PoolCore(job)),
            )
