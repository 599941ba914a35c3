"""What is proved: the FIFO, the sequencer, and stages, each a theorem of its own to a solver."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amaranth.hdl import Shape, signed, unsigned
from streampool_golden import Axis, PoolJob, PoolSpec, SpecError
from streampool_golden.networks import networks
from streampool_hw import PoolCore
from streampool_hw.reduce.reduction import extremes, sums
from streampool_hw.reduce.stage import AxisStage
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.schedule.program import Program

from . import path, rate, rule, sequencer
from .fifo import Fifo
from .harness import Verdict, prove, rtlil_of
from .stage import Join, ProvedStage, largest, total

SEED = 1
RANDOM_AXES = 200

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


LEMMAS: tuple[tuple[str, type[ProvedStage], int], ...] = (
    ("path", path.Path, path.DEPTH),
    ("rule", rule.Rule, rule.DEPTH),
    ("rate", rate.Rate, rate.DEPTH),
)


def fifos() -> Iterator[Case]:
    """Yield the FIFO in one to three banks behind pipelines of one to all clocks that it allows."""
    for widths in ((8,), (8, 9), (128, 128, 129)):
        for clocks in (1, 7):
            name = f"fifo {'+'.join(map(str, widths))} behind {clocks}"
            yield Case(name, "fifo", 1, lambda w=widths, c=clocks: Fifo(w, c))


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
    stage = PoolCore(job).stages[axis]
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
            core = PoolCore(job)
            for axis, stage in core.stages.items():
                if not isinstance(stage, AxisStage) or not isinstance(stage.plan, AxisPlan):
                    continue
                shapes = (stage.i.payload.shape(), stage.o.payload.shape())
                how = (stage._marks_last, stage._in_ram, stage.timing, stage._banks)
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
    plan = AxisPlan(axis)
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
