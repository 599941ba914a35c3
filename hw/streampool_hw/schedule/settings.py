"""What a schedule says, told apart from what sizes the gates."""

from collections.abc import Sequence

from amaranth.hdl import Const, Shape, Value


class Settings:
    """The numbers that a schedule says, as values: constants, of a core made for one job.

    What sizes the gates is a plain integer where they are made: words of a program, bits of a
    counter, rows of a store, partials, lanes. What a schedule says within that is asked of an
    object of this class, by name: control words, turns of a loop, beats from a position to the
    next, beats to drain, offsets and reciprocals. A core that is to be told another schedule
    takes another source, which gives registers.

    Attributes
    ----------
    FIXED : bool
        Whether no number ever changes, so that what is the same in all words, or in all entries
        of a table, is a constant.
    """

    FIXED = True

    def part(self, name: str) -> "Settings":
        """Return the settings of a part, whose names are its own."""
        return self

    def number(self, name: str, value: int, most: int) -> Value:
        """Return a number.

        Parameters
        ----------
        name : str
            What it is.
        value : int
            What the schedule says, 0 or more.
        most : int
            The largest that the gates have room for.
        """
        return Const(value)

    def table(self, name: str, values: Sequence[int], shape: Shape) -> Sequence[Value]:
        """Return numbers of one shape, to be looked up by their place."""
        return [Const(value, shape) for value in values]


CONSTANTS = Settings()
"""Every number a constant."""
