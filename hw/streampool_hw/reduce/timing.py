"""When things happen in a bank of a stage."""

from dataclasses import dataclass

from ..datapath.store import RamStore


@dataclass(frozen=True)
class Timing:
    """When things happen in a bank, in clocks after its step; the one place that says so."""

    comes: tuple[int, ...]
    """For each position of the queue, when the store gives its partial; the operands are in
    registers a clock later, unless `looped`."""
    ready: tuple[int, ...]
    """For each position, when its new partial is there."""
    looped: bool = False
    """Whether partials are combined and written back in one clock: the position may be back in the
    next."""

    COMBINE = 3
    """Clocks from a partial out of the store to the new one: operands, `first`, `second`."""

    @property
    def depth(self) -> int:
        """Clocks from the step to its beat's way into the FIFO, both counted."""
        return self.ready[0] + 1 + self.looped

    @property
    def skewed(self) -> bool:
        """Whether the positions take their turns."""
        return len(set(self.comes)) == len(self.comes)

    @classmethod
    def ram(cls, partials: int, behind: int = 0) -> "Timing":
        """All positions at once, as the RAM gives them and so many registers behind it."""
        comes = RamStore.LATENCY + behind
        return cls((comes,) * (partials + 1), (comes + cls.COMBINE,) * (partials + 1))

    @classmethod
    def skew(cls, partials: int) -> "Timing":
        """One position after the other, each when the one behind it has its new partial.

        With a queue that always shifts nothing is fed back, so nothing is left that has to be
        done in one clock.
        """
        comes, ready = [0], [1]  # the virtual position: the input alone
        for _ in range(partials):
            comes.insert(0, ready[0])
            ready.insert(0, comes[0] + cls.COMBINE)
        return cls(tuple(comes), tuple(ready))

    @classmethod
    def loop(cls, partials: int) -> "Timing":
        """All at once, and in one clock."""
        return cls((0,) * (partials + 1), (1,) * (partials + 1), True)
