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
        Whether it takes the input in; where steps may sum no register, and a clock earlier.
    """

    new: Value
    old: Value
    takes: Value


@dataclass(frozen=True)
class Asked:
    """What a step asks of a place, in registers that all lanes share.

    Parameters
    ----------
    adds_none, keeps_none : Value
        Whether its partial counts for no sum, and for no selection; as the store's word comes.
    skip : Value
        Whether it does not take the input in, whatever that is; a clock later.
    """

    adds_none: Value
    keeps_none: Value
    skip: Value


@dataclass(frozen=True)
class QueueGates:
    """What a place of the queue becomes: one of four things, all but one of them cleared.

    These are what the place itself and the one behind, which shifts, become by the input or
    without it. Registers in front clear three of them, so the choice is an or, of a LUT for each
    bit::

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
        Whether steps may sum. Then there are many wide registers to clear, and what does that has
        far to go: it is worked out a clock earlier, and is a register, for some LUTs more.
    """

    m: Module
    partial: Shape
    key_bits: int
    sums: bool

    def cleared(self, clears: Value, value: ValueLike, name: str) -> Value:
        """Return a register of a partial's bits that is 0 where it is cleared."""
        register = Signal(self.partial, name=name, reset_less=True)
        self.m.d.sync += register.eq(Mux(clears, 0, value))
        return register

    def place(
        self, j: int, now: Value, x: Value, alone: Value, partial: Value, asked: Asked
    ) -> Place:
        """Return what place `j` of a lane may become.

        The partial comes with the store's word, beside the input as it is `now`. A clock later `x`
        is the input in a register, 0 for a sum where it is no tap, and again later `alone` the
        input as it is.
        """
        m, bits, new = self.m, self.key_bits, alone
        if self.sums:
            total = x + self.cleared(asked.adds_none, partial, f"added_{j}")
            new = delay(m, total[: len(x)], name=f"new_{j}")
        takes, key = Const(1, 1), Const(0, 1)
        if bits:
            key = self.cleared(asked.keeps_none, partial[:bits], f"key_{j}")[:bits]
            if self.sums:
                larger = Mux(asked.keeps_none, 1, (partial[:bits] - now[:bits])[-1])
                takes = ~asked.skip & delay(m, larger, name=f"larger_{j}")
            else:
                larger = Mux(asked.skip, 0, (key - x[:bits])[-1])
                takes = delay(m, larger, name=f"takes_{j}")
        return Place(new, delay(m, key, name=f"partial_{j}"), takes)

    def behind(self, j: int, x: Value, alone: Value, skip: Value) -> Place:
        """Return the same of the virtual place behind the queue, which is the input alone."""
        if self.sums:
            return Place(delay(self.m, x, name=f"new_{j}"), Const(0, 1), Const(1, 1))
        return Place(alone, Const(0, 1), ~delay(self.m, skip, name="skip"))

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
        """Return a register that has a value where a bit, of `takes`, says so, and else 0."""
        clears = delay(self.m, ~bit, name=f"not_{name}") if self.sums else ~bit
        return self.cleared(clears, value, name)
