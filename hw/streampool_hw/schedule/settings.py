"""What a schedule says, told apart from what sizes the gates."""

from collections.abc import Sequence

from amaranth.hdl import Const, ShapeLike, Value


class Settings:
    """The numbers that a schedule says, as values: constants, of a core made for one job.

    What sizes the gates is a plain integer where they are made: words of a program, bits of a
    counter, rows of a store, partials, lanes. What a schedule says within that is asked of an
    object of this class, by name: control words, turns of a loop, beats from a position to the
    next, beats to drain, offsets and reciprocals. A core hands the source that it is given to all
    its parts, each under a name of its own, and each number is asked for once. A core that is to
    be told another schedule takes another source, which gives registers.
    """

    FIXED = True
    """Whether no number ever changes: what is the same in all words or entries is a constant."""

    def part(self, name: str) -> "Settings":
        """Return the settings of a part, whose names are its own."""
        return self

    def number(self, name: str, value: int, shape: ShapeLike) -> Value:
        """Return a number, which is `value` now; the gates have room for those of `shape`."""
        return Const(value)

    def table(self, name: str, values: Sequence[int], shape: ShapeLike) -> Sequence[Value]:
        """Return numbers of one shape, to be looked up by their place."""
        return [Const(value, shape) for value in values]


CONSTANTS = Settings()
"""Every number a constant."""
