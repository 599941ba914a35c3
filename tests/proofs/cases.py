"""What is proved: the FIFO, the sequencer, and stages, each a theorem of its own to a solver."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from amaranth.hdl import Shape, signed, unsigned
from streampool_golden import Axis, ColumnAxis, PoolJob, PoolSpec, SpecError, UnevenAxis
from streampool_golden.columns import windows_out
from streampool_golden.networks import networks
from streampool_hw import PoolCore
from streampool_hw.asked import asked
from streampool_hw.datapath.fifo import BlockFifo, Credit, PipelineFifo, ShiftFifo
from streampool_hw.reduce.columns import ApartStage, ColumnStage, column_stage
from streampool_hw.reduce.reduction import extremes, sums
from streampool_hw.reduce.stage import AxisStage
from streampool_hw.schedule.columns import UniformPlan, column_plan
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.schedule.plans import plan_of
from streampool_hw.schedule.program import Program

from . import apart, columns, groups, path, rate, rule, sequencer
from .fifo import Fifo
from .harness import Verdict, prove, rtlil_of
from .stage import Join, ProvedStage, largest, total

SEED = 1
RANDOM_AXES = 200
COLUMNS = (4, 2, 8)
"""Columns a beat that the layers are proved with."""

_MAXIMA = PoolJob(PoolSpec("max", 2), (1, 2, 2))
"""Of which a reduction is asked for."""


@dataclass(frozen=True)
class Case:
    """A theorem: what makes the module that claims it, and how deep the induction has to be.

    `make` gives a new one each time, as a component is elaborated once. Theorems of other kinds
    say in their own way what their text is, of which a digest is kept, and how it is proved.
    """

    name: str
    group: str
    depth: int | str
    make: Callable[[], Any] = field(compare=False)

    def text(self) -> str:
        """Return all that the proof is about."""
        return rtlil_of(self.make())

    def prove(self, text: str, folder: Path, limit: float) -> Verdict:
        """Prove what a text claims, in a folder."""
        assert isinstance(self.depth, int)
        return prove(text, folder, depth=self.depth, limit=limit)


@dataclass(frozen=True)
class Bounded(Case):
    """A theorem about the first clocks alone."""

    def prove(self, text: str, folder: Path, limit: float) -> Verdict:
        """Prove what a text claims, of so many clocks."""
        clocks = int(str(self.depth).removeprefix("first "))
        return prove(text, folder, depth=clocks, limit=limit, bounded=True)


LEMMAS: tuple[tuple[str, type[ProvedStage], int], ...] = (
    ("path", path.Path, path.DEPTH),
    ("rule", rule.Rule, rule.DEPTH),
    ("rate", rate.Rate, rate.DEPTH),
)


COLUMN_LEMMAS: tuple[tuple[str, Any, int], ...] = (
    ("columns path", columns.Path, columns.DEPTH),
    ("columns rule", groups.Rule, groups.DEPTH),
    ("columns rate", groups.Rate, groups.DEPTH),
)
"""Of a stage whose groups are all alike."""

APART_LEMMAS: tuple[tuple[str, Any, int], ...] = (
    ("columns front", apart.Front, apart.DEPTH),
    ("columns front's rate", apart.Rate, apart.DEPTH),
)
"""Of what stands before an `AxisStage` where no two groups take from one beat."""


def fifos() -> Iterator[Case]:
    """Yield the FIFO in one to three banks behind pipelines of one to all clocks that it allows.

    Each in its three forms: in LUT RAM, the same with pointers that shift, and in block RAM; with
    the FIFO's own credit, and with one that counts the beats.
    """
    kinds = {"fifo": PipelineFifo, "shift fifo": ShiftFifo, "block fifo": BlockFifo}
    for (form, kind), widths in itertools.product(kinds.items(), ((8,), (8, 9), (128, 128, 129))):
        for clocks in (1, 7, Credit.IN_FLIGHT - 1):
            counted = clocks > PipelineFifo.IN_FLIGHT
            name = f"{form} {'+'.join(map(str, widths))} behind {clocks}"
            make = partial(Fifo, widths, clocks, kind, counted=counted)
            yield Case(name, "fifo", 1, make)


def sequencers() -> Iterator[Case]:
    """Yield sequencers of programs of each form: with and without what is around a loop."""
    shapes = ((1, 0, 1, 1), (1, 0, 1, 9), (4, 1, 3, 1), (4, 1, 3, 50), (3, 0, 2, 7), (5, 4, 5, 3))
    for words, start, stop, repeats in shapes:
        program = Program(tuple(range(1, words + 1)), start, stop, repeats)
        for rows in (1, 2, 168):
            yield Case(
                f"sequencer of {words} words, {start}:{stop} x {repeats}, {rows} rows",
                "sequencer",
                sequencer.DEPTH,
                lambda p=program, r=rows: sequencer.Plays(p, 3, r),
            )


def of_core(job: PoolJob, axis: int, lemma: type[ProvedStage], bank: int) -> ProvedStage:
    """Return a lemma on the stage that a core has for an axis."""
    stage = asked(PoolCore(job)).stages[axis]
    assert isinstance(stage, AxisStage)
    return lemma(stage, _join(job), bank)


def _join(job: PoolJob) -> Join:
    return largest if job.operation.selects else total


def layers(lanes: Sequence[int | None] = (None,)) -> Iterator[Case]:
    """Yield each different stage of the networks' layers, in all of their banks that differ."""
    seen = set()
    for layer in networks():
        for number in lanes:
            job = PoolJob(layer.spec, layer.shape, number)
            core = asked(PoolCore(job))
            for axis, stage in core.stages.items():
                if not isinstance(stage, AxisStage) or not isinstance(stage.plan, AxisPlan):
                    continue
                shapes = (stage.i.payload.shape(), stage.o.payload.shape())
                how = (stage._marks, stage._in_ram, stage.timing, stage._banks)
                key = repr((stage.plan.axis, stage.m, shapes, how, bool(job.operation.selects)))
                if key in seen:
                    continue
                seen.add(key)
                title = f"{layer.name}, axis {axis} of {'x'.join(map(str, job.shape))}"
                title += "" if number is None else f", {number} lanes"
                for bank in sorted({0, len(stage._banks) - 1}):
                    for name, lemma, depth in LEMMAS:
                        yield Case(
                            f"{name}: {title}, bank {bank}",
                            "layers",
                            depth,
                            lambda a=(job, axis, lemma, bank): of_core(*a),
                        )


def _column_stage(job: PoolJob) -> Any:
    """Return the stage that a core has for several columns a beat, if any."""
    stages = asked(PoolCore(job)).stages.values()
    return next((stage for stage in stages if isinstance(stage, ColumnStage)), None)


def of_columns(job: PoolJob, lemma: Any) -> Any:
    """Return a lemma on the stage that a core has for several columns a beat."""
    return lemma(_column_stage(job), _join(job))


def _of_columns(
    title: str, group: str, make: Callable[[], tuple[Any, Join]], lanes: Sequence[int]
) -> Iterator[Case]:
    """Yield the lemmas on a column stage of either kind, of some of its lanes."""
    stage, _ = make()
    kinds = COLUMN_LEMMAS
    if isinstance(stage, ApartStage):
        kinds = APART_LEMMAS
        for name, lemma, depth in LEMMAS:
            yield Case(
                f"columns' {name}: {title}, behind the front",
                group,
                depth,
                lambda lemma=lemma: _behind(make, lemma),
            )
    for lane in lanes:
        for name, lemma, depth in kinds:
            yield Case(
                f"{name}: {title}, lane {lane}",
                group,
                depth,
                lambda lemma=lemma, lane=lane: lemma(*make(), lane),
            )


def _behind(make: Callable[[], tuple[Any, Join]], lemma: type[ProvedStage]) -> ProvedStage:
    """Return a lemma on the `AxisStage` inside an apart column stage."""
    stage, join = make()
    assert isinstance(stage, ApartStage)
    return lemma(stage._groups, join)


def column_layers(*, every: bool = False) -> Iterator[Case]:
    """Yield column stages of the networks' layers at `COLUMNS` a beat, their first lane.

    One of each form of the schedule and kind of store, whatever the row's length and the channel
    groups are; or `every` one, and the last lane, too.
    """
    seen = set()
    for wanted in COLUMNS:
        for layer in networks():
            job = PoolJob(layer.spec, layer.shape, None, wanted)
            stage = _column_stage(job)
            if stage is None:
                continue
            plan, program, lanes = stage.plan, stage.plan.program, len(stage._lanes)
            schedule: list[Any] = [plan.axis, stage.m]
            if not every:
                schedule = [program.words, program.start, program.stop, program.repeats > 1]
                schedule += [stage.m >= AxisStage.DEPTH, stage.m == 1, plan.axis.groups == 1]
                if isinstance(plan, UniformPlan):
                    schedule += [plan.runs, plan.kept, plan.distance, plan.drain]
                    schedule += [plan.masked_ages, plan.masked_columns]
                else:
                    schedule.append(plan.used)
            how = (wanted, lanes, stage._shape(1), stage._o_shape, bool(job.operation.selects))
            key = repr((schedule, how))
            if key in seen:
                continue
            seen.add(key)

            def make(job=job) -> tuple[Any, Join]:
                return _column_stage(job), _join(job)

            title = f"{layer.name}, {wanted} columns of {'x'.join(map(str, job.shape))}"
            which = sorted({0, lanes - 1}) if every else [0]
            yield from _of_columns(title, "column layers", make, which)


def column_axes(count: int) -> Iterator[Case]:
    """Yield the column stages of random axes: crops, dilation, ceil mode, some that wait."""
    rng = random.Random(SEED)
    for axis in random_axes(count):
        number, rows, is_sum = rng.randint(2, 5), rng.choice((1, 2, 8, 9)), rng.random() < 0.5
        along = ColumnAxis(axis, number, windows_out(axis, number))
        if along.identity:
            continue

        def make(along=along, rows=rows, is_sum=is_sum) -> tuple[Any, Join]:
            reduction = sums if is_sum else extremes
            most = along.axis.most_taps

            def shape(columns: int) -> Shape:
                if not is_sum:
                    return unsigned(4)
                return signed(4 + (min(columns, most) - 1).bit_length())

            plan = column_plan(along, idempotent=not is_sum)
            stage = column_stage(
                *(plan, rows, 1, reduction(_MAXIMA, 0), shape, shape(most)),
                idempotent=not is_sum,
            )
            return stage, total if is_sum else largest

        title = (
            f"K {axis.kernel}, S {axis.stride}, d {axis.dilation}, pads {axis.before}:{axis.after},"
            f" {axis.length} to {axis.outputs}, {number} columns, {rows} rows,"
            f" {'sum' if is_sum else 'maximum'}"
        )
        yield from _of_columns(title, "column axes", make, [0])


def random_axes(count: int) -> Iterator[Axis]:
    """Yield axes with every field drawn: borders, dilation, ceil mode, some that grow or idle."""
    rng = random.Random(SEED)
    while count:
        kernel, stride, dilation = rng.randint(1, 6), rng.randint(1, 4), rng.randint(1, 3)
        pads = [rng.randint(-2, (kernel - 1) * dilation) for _ in range(2)]
        try:
            axis = Axis.resolve(
                rng.randint(2, 20), kernel, stride, (pads[0], pads[1]), dilation, rng.random() < 0.5
            )
        except SpecError:
            continue
        if not axis.identity:
            count -= 1
            yield axis


def _alone(axis: Axis, rows: int, is_sum: bool, marks_last: bool) -> tuple[AxisStage, Join]:
    plan = plan_of(axis)
    reduction = sums if is_sum else extremes
    shapes: tuple[Shape, Shape] = (unsigned(4), unsigned(4))
    if is_sum:
        shapes = (signed(4), signed(9))
    stage = AxisStage(
        *(plan, rows, 1, reduction(_MAXIMA, 0), *shapes),
        marks_last=marks_last and plan.ends_with_window,
    )
    return stage, total if is_sum else largest


def axes(count: int = RANDOM_AXES) -> Iterator[Case]:
    """Yield stages of random axes, with registers, delay lines and RAM for their stores."""
    rng = random.Random(SEED)
    for axis in random_axes(count):
        rows = rng.choice((1, 2, 3, 5, 8, 9, 13))
        how = (axis, rows, rng.random() < 0.5, rng.random() < 0.5)
        for name, lemma, depth in LEMMAS:

            def make(how=how, lemma=lemma):
                return lemma(*_alone(*how))

            title = (
                f"{name}: K {axis.kernel}, S {axis.stride}, d {axis.dilation}, pads"
                f" {axis.before}:{axis.after}, {axis.length} to {axis.outputs}, {rows} rows"
            )
            yield Case(title, "axes", depth, make)


def uneven_axes() -> Iterator[Case]:
    """Yield stages of axes of windows of two lengths that shrink, by program and by accumulator."""
    for (length, outputs), rows, is_sum in (
        ((14, 4), 1, False),
        ((10, 7), 2, True),
        ((9, 6), 9, False),
        ((16, 7), 3, True),
        ((28, 5), 8, False),
        ((45, 28), 2, False),
        ((64, 14), 1, True),
        ((82, 34), 1, False),
    ):
        axis = UnevenAxis.of(length, outputs)
        for name, lemma, depth in LEMMAS:
            yield Case(
                f"{name}: {length} to {outputs} adaptively, {rows} rows",
                "uneven axes",
                depth,
                lambda a=(axis, rows, is_sum, True), lemma=lemma: lemma(*_alone(*a)),
            )
