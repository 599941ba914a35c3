"""When a stage takes a step: with an input, or while what is left of a run still leaves."""

from dataclasses import dataclass
from typing import Protocol, Self

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import stream

from ..schedule.counters import modulo_counter
from ..schedule.settings import Settings


@dataclass(frozen=True)
class Control:
    """What is decided in a clock.

    Parameters
    ----------
    step : Value
        Whether there is a step.
    word : list of Value
        Its control word bit by bit: load, not add, and shift, so that a flip-flop's reset is high
        where it clears.
    leaves : Value
        Whether a window leaves.
    last : Value
        Whether it is the frame's last beat, and what else goes with the beat.
    beside : list of Value, optional
        What else each bank has to know.
    """

    step: Value
    word: list[Value]
    leaves: Value
    last: Value
    beside: tuple[Value, ...] = ()


class Drains(Protocol):
    """A plan some of whose windows leave after the last input, `drain` slots long.

    The last `overlap` slots of it may be the next run's; where it `waits`, there are others.
    """

    @property
    def drain(self) -> int: ...

    @property
    def overlap(self) -> int: ...

    @property
    def waits(self) -> bool: ...


@dataclass(frozen=True)
class Steps:
    """The steps of a stage, as signals of the clock in which one is taken.

    Parameters
    ----------
    take : Value
        Whether an input is taken.
    step : Value
        Whether there is a step: an input is taken or, at a run's start while none is there, a
        slot of the drain goes by.
    draining : Value
        Whether something is left of the run before; 0 in a stage without a drain.
    ends : Value
        Whether the drain ends with this step, if there is one.
    """

    take: Value
    step: Value
    draining: Value
    ends: Value

    @classmethod
    def of(
        cls,
        m: Module,
        i: stream.Interface,
        credit: Value,
        last: Value,
        plan: Drains,
        each: int,
        settings: Settings,
        family: str,
    ) -> Self:
        """Build the gates that decide, ``i.ready`` among them.

        `credit` says that what comes of a step has room, `last` that the input to come is its
        run's last; a slot is `each` steps long.
        """
        take = Signal()
        m.d.comb += take.eq(i.valid & i.ready)
        if not plan.drain:
            m.d.comb += i.ready.eq(credit)
            return cls(take, take, Const(0, 1), Const(0, 1))

        draining = Signal()  # a window of the run before is still to leave
        between = Signal()  # and the next run has not begun
        blocked = Signal()  # more than what may leave during the next run: it has to wait
        step = Signal()
        drain = modulo_counter(plan.drain * each, settings=settings.part("drain"), family=family)
        m.submodules.drain = drain
        m.d.comb += [
            i.ready.eq(credit & ~blocked),
            step.eq(take | (credit & between)),
            drain.step.eq(step & draining),
        ]
        with m.If(take & last):
            m.d.sync += draining.eq(1)
        with m.Elif(step & drain.last):
            m.d.sync += draining.eq(0)
        with m.If(take):
            m.d.sync += between.eq(last)
        with m.Elif(credit & drain.last):
            m.d.sync += between.eq(0)
        if plan.waits:
            more = (plan.drain - plan.overlap) * each
            m.submodules.wait = wait = modulo_counter(
                more, settings=settings.part("wait"), family=family
            )
            m.d.comb += wait.step.eq(drain.step & blocked)
            with m.If(take & last):
                m.d.sync += blocked.eq(1)
            with m.Elif(step & wait.last):
                m.d.sync += blocked.eq(0)
        return cls(take, step, draining, draining & drain.last)
