"""What cores have to be seen doing: bins by name, and what of a run falls into each.

The bins follow from the code: what kinds of stages there are from the stages of many cores, what
rounds from the tables of operations and roundings.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from streampool_golden import OPERATIONS
from streampool_golden.fields import ROUNDINGS
from streampool_hw import PoolCore
from streampool_hw.reduce.columns import ApartStage, UniformStage
from streampool_hw.reduce.stage import AxisStage
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.schedule.plans import words_of
from streampool_hw.schedule.program import Program
from streampool_hw.schedule.uneven import UnevenPlan

Pools: TypeAlias = AxisStage | UniformStage
"""A stage that decides on steps; that of columns apart has one inside."""

EVENTS = ("steps", "input stalls", "output stalls", "reset")
ROOTS = {op.root: name for name, op in reversed(OPERATIONS.items()) if op.root and op.mean}
"""An operation for each root; without a division none is half-way between two numbers."""
SIDES = ("below 0", "above 0")
FLOORS = ("even", "odd")


def stages(core: PoolCore) -> Iterator[tuple[str, Pools]]:
    """Yield the stages of a core that decide on steps, by their paths."""
    for axis, stage in core.stages.items():
        if isinstance(stage, ApartStage):
            yield f"core.axis_{axis}.groups", stage._groups
        elif isinstance(stage, AxisStage | UniformStage):
            yield f"core.axis_{axis}", stage


def form(stage: Pools) -> str:
    """Return what kind of stage it is: its schedule, its store, and what is left behind a frame."""
    plan = stage.plan
    if isinstance(stage, UniformStage):
        what = ["several columns"]
    else:
        player = "program" if isinstance(words_of(stage.plan), Program) else "accumulator"
        lengths = "two lengths, " if isinstance(plan, UnevenPlan) else ""
        what = [f"{lengths}{player}"]
        what.append("always shifts" if stage.plan.always_shifts else "holds")
    what.append(_store(stage))
    return ", ".join([*what, _drain(stage)])


def _store(stage: Pools) -> str:
    if not stage.plan.partials:
        return "no store"
    if stage.m >= AxisStage.DEPTH:
        return "RAM"
    if isinstance(stage, UniformStage):
        return "registers"
    return "registers in one clock" if stage.timing.looped else "registers in turn"


def _drain(stage: Pools) -> str:
    plan = stage.plan
    if getattr(plan, "pauses", False):
        return "pauses"
    if not plan.drain:
        return "no drain"
    if not plan.waits:
        return "drain"
    return "drain that holds up the next frame" + (", in part" if plan.overlap else "")


PHASES = {
    "no drain": ("frame",),
    "pauses": ("slot with an input", "slot without one"),
    "drain": ("frame", "drain alone", "drain beside a frame"),
    "drain that holds up the next frame": ("frame", "drain that blocks"),
    "drain that holds up the next frame, in part": (
        *("frame", "drain that blocks", "drain alone", "drain beside a frame"),
    ),
}


class Moment(NamedTuple):
    """What a stage shows in a clock; what it does not have is 0."""

    valid: int
    ready: int
    credit: int
    draining: int
    between: int
    blocked: int
    word: int

    def phase(self, stage: Pools) -> str:
        """Return in which phase the stage is."""
        if isinstance(stage, AxisStage) and stage.plan.pauses:
            takes = self.word >> stage.plan.word_bits - 1
            return PHASES["pauses"][not takes]
        if not self.draining:
            return "frame"
        if self.blocked:
            return "drain that blocks"
        return "drain alone" if self.between else "drain beside a frame"

    def events(self, phase: str) -> Iterator[str]:
        """Yield what happens, but for a reset."""
        alone = phase in ("drain that blocks", "drain alone", "slot without one")
        if self.credit and (alone or self.valid):
            yield "steps"
        if not self.valid:
            yield "input stalls"
        if not self.credit:
            yield "output stalls"


def of_form(name: str) -> list[str]:
    """Return the bins of a kind of stage."""
    drain = max((drain for drain in PHASES if name.endswith(f", {drain}")), key=len)
    return [happens(name, phase, event) for phase in PHASES[drain] for event in EVENTS]


def happens(name: str, phase: str, event: str) -> str:
    """Return the bin of an event in a phase of a kind of stage."""
    return f"{name}: {phase}: {event}"


def of_plans(core: PoolCore) -> set[str]:
    """Return what is special in the schedules of a core, of `PLANS`."""
    plans = {name for name, has in PLANS.items() if any(map(has, core.plans))}
    return plans | {name for name, has in COLUMNS.items() if any(map(has, core.stages.values()))}


def _program(plan: Any) -> Program | None:
    return plan.program if isinstance(plan, AxisPlan | UnevenPlan) else None


def _loops(plan: Any, before: bool, behind: bool) -> bool:
    program = _program(plan)
    if program is None or program.repeats == 1:
        return False
    return before == bool(program.start) and behind == (program.stop < len(program.words))


PLANS: Mapping[str, Callable[[Any], bool]] = {
    "one word": lambda plan: bool(p := _program(plan)) and len(p.words) == 1,
    "no loop": lambda plan: bool(p := _program(plan)) and p.repeats == 1 and len(p.words) > 1,
    "a loop alone": lambda plan: _loops(plan, False, False),
    "a loop with words before it": lambda plan: _loops(plan, True, False),
    "a loop with words behind it": lambda plan: _loops(plan, False, True),
    "a loop with words at both ends": lambda plan: _loops(plan, True, True),
    "a middle that was left out": lambda p: isinstance(p, AxisPlan) and p.short != p.axis,
    "idle slots": lambda plan: plan.idle > 0,
    "growth": lambda p: isinstance(p, AxisPlan) and p.axis.outputs > p.axis.length,
    "inputs behind the last window": lambda p: isinstance(p, AxisPlan) and not p.ends_with_window,
}


def _uniform(stage: Any) -> Any:
    return stage.plan if isinstance(stage, UniformStage) else None


COLUMNS: Mapping[str, Callable[[Any], bool]] = {
    "columns: ages masked": lambda s: bool(p := _uniform(s)) and bool(p.masked_ages),
    "columns: columns masked": lambda s: bool(p := _uniform(s)) and bool(p.masked_columns),
    "columns: nothing masked": lambda s: (
        bool(p := _uniform(s)) and not (p.masked_ages or p.masked_columns)
    ),
    "columns: a group in each slot": lambda s: bool(p := _uniform(s)) and p.axis.stride == 1,
    "columns: a group in some slots": lambda s: bool(p := _uniform(s)) and p.axis.stride > 1,
    "columns: apart, of a row": lambda s: isinstance(s, ApartStage) and s.plan.axis.rows == 1,
    "columns: apart, of several rows": lambda s: isinstance(s, ApartStage) and s.plan.axis.rows > 1,
}


def ties() -> list[str]:
    """Return the bins of quotients and roots half-way between two numbers."""
    quotients = [
        tie(rounding, side, floor) for rounding in ROUNDINGS for side in SIDES for floor in FLOORS
    ]
    roots = [
        tie(rounding, f"root {degree}", floor)
        for rounding in ROUNDINGS
        for degree in ROOTS
        for floor in FLOORS
    ]
    return quotients + roots


def tie(rounding: str, what: str, floor: str) -> str:
    """Return the bin of a tie: of a quotient of that sign or of a root, with `floor` below it."""
    return f"{rounding}: {what}, {floor} below"


def every(cores: Iterable[PoolCore]) -> dict[str, list[str]]:
    """Return all bins by groups; there is what kinds of stages these cores have."""
    forms = sorted({form(stage) for core in cores for _, stage in stages(core)})
    return {
        **{name: of_form(name) for name in forms},
        "schedules": [*PLANS, *COLUMNS],
        "ties": ties(),
    }
