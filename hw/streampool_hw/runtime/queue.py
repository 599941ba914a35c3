"""The gates of a run-time stage's queue: what its places become at a step, in few LUTs."""

from dataclasses import dataclass

from amaranth.hdl import Const, Module, Mux, Shape, Signal, Value, ValueLike

from ..datapath.pipeline import delay


@dataclass(frozen=True)
class Place:
    """What a place of a lane's queue may become, in registers.

    Parameters
    ----------
    new : Value
        Its partial where it takes the input in: the input alone, or a sum.
    old : Value
        Its partial where it does not, from what is selected.
    takes : Value
        Whether it takes the input in: no register, and a clock before the others are there.
    """

    new: Value
    old: Value
    takes: Value


@dataclass(frozen=True)
class QueueGates:
    """What a place of the queue becomes: one of four things, all but one of them cleared.

    These are what the place itself and the one behind, which shifts, become by the input or
    without it. Registers in front clear three of them, so the choice is an or, of a LUT for each
    bit. What clears them is a register, too, as it has far to go::

        x ---------+--> x or sum --> cleared but where it takes and stays ------+
                   |            +--> of place j + 1: but where that one shifts -|
                   +--> takes? ----> controls                                   or --> kept
                   |            +--> cleared but where it does not, and stays --|
        partial ---+----------- +--> of place j + 1: but where that one shifts -+

    Parameters
    ----------
    m : Module
        Where the gates are.
    partial : Shape
        A partial.
    key_bits : int
        Bits of keys, of which the largest is selected; 0 where all steps sum.
    sums : bool
        Whether steps may sum.
    selects : Value
        Whether the step selects, and does not sum, whose word came from the store a clock ago.
    """

    m: Module
    partial: Shape
    key_bits: int
    sums: bool
    selects: Value

    def cleared(self, clears: Value, value: ValueLike, name: str) -> Value:
        """Return a register of a partial's bits that is 0 where it is cleared."""
        register = Signal(self.partial, name=name, reset_less=True)
        self.m.d.sync += register.eq(Mux(clears, 0, value))
        return register

    def place(
        self,
        j: int,
        x: Value,
        alone: Value,
        partial: Value,
        adds_none: Value,
        keeps_none: Value,
        skip: Value,
    ) -> Place:
        """Return what place `j` of a lane may become.

        `x` is the input in a register, 0 for a sum where it is no tap; `alone` the input as it is,
        a clock later. The partial is there in the clock in which the store's word comes; so is
        whether it counts for no sum, `adds_none`, and for no selection, `keeps_none`. Whether the
        input is no tap of it, `skip`, comes a clock later.
        """
        m, bits, new = self.m, self.key_bits, alone
        if self.sums:
            total = x + self.cleared(adds_none, partial, f"added_{j}")
            new = delay(m, total[: len(x)], name=f"new_{j}")
        takes, key = Const(1, 1), Const(0, 1)
        if bits:
            key = self.cleared(keeps_none, partial[:bits], f"key_{j}")[:bits]
            takes = (key - x[:bits])[-1]
            takes = Mux(self.selects, takes, 1) if self.sums else Mux(skip, 0, takes)
        return Place(new, delay(m, key, name=f"partial_{j}"), takes)

    def behind(self, j: int, x: Value, alone: Value, skip: Value) -> Place:
        """Return the same of the virtual place behind the queue, which is the input alone."""
        if self.sums:
            return Place(delay(self.m, x, name=f"new_{j}"), Const(0, 1), Const(1, 1))
        return Place(alone, Const(0, 1), ~skip)

    def kept(self, j: int, here: Place, next_: Place, shift: Value, moves: Value) -> Value:
        """Return what place `j` becomes; `shift` and `moves` are two copies of one bit."""
        if self.sums:
            found = self._chosen(~shift & here.takes, here.new, f"takes_{j}")
            found |= self._chosen(shift & next_.takes, next_.new, f"takes_behind_{j}")
        else:  # both are the input
            found = self._chosen(Mux(shift, next_.takes, here.takes), here.new, f"takes_{j}")
        found |= self._chosen(~moves & ~here.takes, here.old, f"stays_{j}")
        if not isinstance(next_.old, Const):
            found |= self._chosen(moves & ~next_.takes, next_.old, f"shifts_{j}")
        return found

    def leaving(self, oldest: Place, none: Value) -> Value:
        """Return the oldest partial, new, as it leaves; 0 where `none` of the queue does."""
        own = self._chosen(~none & oldest.takes, oldest.new, "own_taken")
        return own | self._chosen(~none & ~oldest.takes, oldest.old, "own_kept")

    def _chosen(self, bit: Value, value: Value, name: str) -> Value:
        """Return a register that has a value where a bit said so a clock before, and else 0."""
        return self.cleared(delay(self.m, ~bit, name=f"not_{name}"), value, name)
