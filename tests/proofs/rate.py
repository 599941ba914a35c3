"""Lemma "rate": with `ready` held high a stage takes an input in each clock.

With all of lemma "rule" taken for granted, which holds for any `ready`. An input is refused only
where the schedule has the next frame wait for the drain. So a frame takes as many clocks as its
schedule has slots, times the beats of a slot.
"""

from .harness import Granted, assume
from .rule import Rule

DEPTH = 1


class Rate(Granted, Rule):
    """A stage whose output is always ready."""

    def _lemma(self) -> None:
        super()._lemma()
        self.granted = False
        assume(self.top, self.ready)
        waits = self.inside("blocked") if self.plan.waits else 0
        self.claim(self.stage.i.ready | waits, "never_refused")
        # one beat at the most, which is on its way out
        self.claim(self.level <= 1, "no_queue")
