"""The square root of a number, digit by digit, one result a clock."""

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ..datapath.pipeline import State, Step

__all__ = ["root_steps", "rounds_to_nearest"]


def rounds_to_nearest(rounding: str) -> bool:
    """Return whether a root is rounded to the nearest, and so four times its square is needed."""
    return rounding not in ("floor", "trunc")


def root_steps(bits: int, rounding: str) -> list[Step]:
    """Return the steps from a number to its root, rounded once.

    The root of ``v`` is found bit by bit from the top, one a clock: the remainder, with the next
    two bits of ``v`` behind it, is compared with ``4 * root + 1``, and the difference kept where
    there is one (the schoolbook method in base 2; Woo, "Square root by abacus algorithm", 1985).
    To the nearest, ``v`` is four times the number, whose root is ``(isqrt(v) + 1) >> 1``.

    Parameters
    ----------
    bits : int
        Of ``v``, unsigned.
    rounding : str
        As ``PoolSpec.rounding``.

    Returns
    -------
    list of Step
        From a lane's ``value``, ``v`` rounded down, and ``exact``, whether it is no more than
        that, to its ``value``.
    """
    digits = -(-bits // 2)
    steps = [_digit(done, digits) for done in range(digits)]
    if not rounds_to_nearest(rounding):
        return [*steps, Step(lambda m, lane, beat: {"value": lane["root"]})]

    def choose(m: Module, lane: State, beat: State) -> State:
        root = Value.cast(lane["root"])
        # halfway: the smaller one where that is even
        tie = lane["exact"] & (lane["remainder"] == 0) & ~(root >> 1)[0]
        return {"root": root, "up": root[0] & ~(tie if rounding == "half_even" else Const(0, 1))}

    def add(m: Module, lane: State, beat: State) -> State:
        root = Value.cast(lane["root"])
        return {"value": ((root >> 1) + lane["up"])[: max(1, digits)]}

    return [*steps, Step(choose), Step(add)]


def _digit(done: int, digits: int) -> Step:
    """Find one more bit of the root, of which there are `done`."""
    left = 2 * (digits - done)  # bits not looked at yet

    def find(m: Module, lane: State, beat: State) -> State:
        if done:
            root, remainder, rest = lane["root"], lane["remainder"], Value.cast(lane["rest"])
        else:
            root, remainder, rest = Const(0, 0), Const(0, 0), lane["value"] | Const(0, left)
        trial = Cat(rest[left - 2 : left], remainder)
        # a remainder is 2 * root at the most
        difference = (trial - Cat(Const(1, 2), root))[: done + 3]
        below = difference[-1]
        return {
            "root": Cat(~below, root),
            "remainder": Mux(below, trial, difference)[: done + 2],
            "rest": rest[: left - 2],
            "exact": lane["exact"],
        }

    return Step(find)
