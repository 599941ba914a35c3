"""The plan of an axis of either kind, and what plays it."""

from typing import TypeAlias

from streampool_golden import Axis, PoolJob, UnevenAxis

from .accumulator import Accumulator
from .columns import ColumnPlan, column_plan
from .plan import AxisPlan
from .program import Program
from .sequencer import Sequencer
from .settings import Settings
from .uneven import Rounds, UnevenPlan

Plan: TypeAlias = AxisPlan | UnevenPlan


def plan_of(axis: Axis) -> Plan:
    """Return the plan of an axis."""
    return UnevenPlan(axis) if isinstance(axis, UnevenAxis) else AxisPlan(axis)


def plans_of(job: PoolJob) -> tuple[Plan | ColumnPlan, ...]:
    """Return the plan of each stage of a job."""
    idempotent = job.operation.selects is not None
    return tuple(
        column_plan(stage.columns, idempotent=idempotent) if stage.columns else plan_of(stage.along)
        for stage in job.stages
    )


def words_of(plan: Plan) -> Program | Rounds:
    """Return the control words of a plan as what gives them in gates has them."""
    if isinstance(plan, UnevenPlan) and plan.words.accumulates:
        return plan.words
    return plan.program


def player_of(
    words: Program | Rounds, width: int, m: int, settings: Settings, family: str
) -> Sequencer | Accumulator:
    """Return what plays words of `width` bits, each for `m` steps."""
    if isinstance(words, Rounds):
        return Accumulator(words, width, m, settings=settings, family=family)
    return Sequencer(words, width, m, settings=settings, family=family)
