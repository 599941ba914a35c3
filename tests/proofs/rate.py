"""Lemma "rate": with `ready` held high a stage takes an input in each clock.

With all of lemma "rule" taken for granted, which holds for any `ready`. An input is refused only
where the schedule has the next frame wait for the drain. So a frame takes as many clocks as its
schedule has slots, times the beats of a slot.
"""

from amaranth.hdl import Value

from .harness import assume
from .rule import Rule

DEPTH = 1


class Rate(Rule):
    """A stage whose output is always ready."""

    granted = True
    """Whether what is said of the stage is known already."""

    def claim(self, what: Value | bool, name: str, when: Value | int = 1) -> None:
        """Assume what lemma "rule" claims, and claim what comes after."""
        if self.granted:
            assume(self.top, what, when)
        else:
            super().claim(what, name, when)

    def _lemma(self) -> None:
        super()._lemma()
        self.granted = False
        assume(self.top, self.ready)
        waits = self.inside("blocked") if self.plan.waits else 0
        self.claim(self.stage.i.ready | waits, "never_refused")
        # one beat at the most, which is on its way out
        self.claim(self.level <= 1, "no_queue")
