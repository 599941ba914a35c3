"""The sequencer: each slot's word and the program's end, for any gaps and resets."""

from collections.abc import Callable
from functools import partial

from amaranth.hdl import Elaboratable, Module, Mux, Signal, Value
from streampool_hw.schedule.program import Program
from streampool_hw.schedule.sequencer import Sequencer
from streampool_hw.schedule.uneven import Rounds

from .harness import Inside, Platform, claim
from .linear import by_table

DEPTH = 1

Claim = Callable[..., None]
"""``(what, name, when)``: `harness.claim` without its module."""


class Played:
    """Where a `Sequencer` stands in its program, and what its registers hold there, claimed.

    The invariants are that the counters of steps and turns hold what is left, and that `index` is
    of the word that comes next. What stands in the gates may be the program's endless form, or an
    accumulator of `rounds` that gives the same words.

    Attributes
    ----------
    p, c : Signal
        The slot, and the step of it, that comes next.
    wi, turns : Signal
        The slot's word, and how many turns of the loop are to go.
    next_wi, next_turns : Signal
        Those of the slot behind it.
    """

    def __init__(
        self,
        m: Module,
        claim: Claim,
        inside: Callable[[str], Signal],
        program: Program,
        rows: int,
        step: Value,
        *,
        prefix: str = "",
        endless: bool = False,
        rounds: Rounds | None = None,
        named: str = "",
    ):
        self.program, self.rows, self._claim = program, rows, claim
        start, stop, repeats = program.start, program.stop, program.repeats
        words, length = len(program.words), program.length
        self.p = p = Signal(range(length), name=f"{named}p")
        self.c = c = Signal(range(rows), name=f"{named}c")
        self.wi = wi = Signal(range(words), name=f"{named}wi")
        self.turns = turns = Signal(range(repeats), init=repeats - 1, name=f"{named}turns_left")
        self.next_wi = Signal.like(wi, name=f"{named}next_wi")
        self.next_turns = Signal.like(turns, name=f"{named}next_turns")
        again = (wi == stop - 1) & (turns != 0)
        m.d.comb += [
            self.next_wi.eq(Mux(again, start, Mux(wi == words - 1, 0, wi + 1))),
            self.next_turns.eq(
                Mux(again, turns - 1, Mux(wi == stop - 1, repeats - 1, turns)),
            ),
        ]
        with m.If(step):
            m.d.sync += c.eq(Mux(c == rows - 1, 0, c + 1))
            with m.If(c == rows - 1):
                m.d.sync += [
                    p.eq(Mux(p == length - 1, 0, p + 1)),
                    wi.eq(self.next_wi),
                    turns.eq(self.next_turns),
                ]
        claim((p < length) & (c < rows) & (wi < words) & (turns < repeats), f"{named}range")
        in_loop = (wi >= start) & (wi < stop)
        claim(in_loop | (turns == repeats - 1), f"{named}turns")
        gone = Mux(wi < start, 0, Mux(wi < stop, repeats - 1 - turns, repeats - 1))
        claim(p == wi + gone * (stop - start), f"{named}slot")

        gates = program.endless() if endless else program
        if rows > 1:
            left, more = inside(f"{prefix}slot.left"), inside(f"{prefix}slot.more")
            claim((left == rows - 1 - c) & (more == (left != 0)), f"{named}steps_left")
        if rounds is not None:
            self._accumulates(inside, prefix, named, rounds)
            return
        if words > 1:
            word = inside(f"{prefix}word")
            claim(word == by_table(program.words, wi), f"{named}word")
        if gates.length > 1:
            round_ = len(gates.words) < length and gates.repeats == 1
            following = Mux(wi == words - 1, 0, wi + 1) if round_ else self.next_wi
            claim(inside(f"{prefix}index") == following, f"{named}index")
            if not round_:
                claim(inside(f"{prefix}final") == (p == length - 1), f"{named}final")
            if gates.repeats > 1:
                left, more = inside(f"{prefix}turns.left"), inside(f"{prefix}turns.more")
                counted = (left == self.next_turns) & (more == (left != 0))
                claim(counted, f"{named}turns_counted")

    def _accumulates(
        self, inside: Callable[[str], Signal], prefix: str, named: str, rounds: Rounds
    ) -> None:
        """Claim what an `Accumulator` holds: it is a slot ahead of the word."""
        program, wi = self.program, self.wi
        words = len(program.words)
        assert program.words == tuple(rounds) and program.repeats == rounds.rounds
        ahead = [(word + 1) % words * rounds.step % rounds.whole for word in range(words)]
        self._claim(inside(f"{prefix}at") == by_table(ahead, wi), f"{named}at")
        self._claim(inside(f"{prefix}word") == by_table(program.words, wi), f"{named}word")
        final = inside(f"{prefix}final") == (self.p == program.length - 1)
        self._claim(final, f"{named}final")
        if rounds.rounds > 1:
            left, more = inside(f"{prefix}rounds.left"), inside(f"{prefix}rounds.more")
            counted = (left == self.next_turns) & (more == (left != 0))
            self._claim(counted, f"{named}rounds")

    @property
    def in_loop(self) -> Value:
        """Whether the slot is one of the loop's."""
        return (self.wi >= self.program.start) & (self.wi < self.program.stop)

    def by_slot(self, values: list[int]) -> Value:
        """Return a slot's number, where those of the loop grow by the same in each turn.

        That they do is checked. `values` are those of all slots, in order.
        """
        program = self.program
        start, stop, repeats = program.start, program.stop, program.repeats
        length = stop - start
        late = (repeats - 1) * length
        slope = values[start + length] - values[start] if repeats > 1 else 0
        by_word = [values[i if i < stop else i + late] for i in range(len(program.words))]
        for turn in range(repeats):
            for i in range(start, stop):
                assert values[i + turn * length] == by_word[i] + turn * slope
        turn = Mux(self.in_loop, repeats - 1 - self.turns, 0)
        return by_table(by_word, self.wi) + turn * slope


class Plays(Elaboratable):
    """A `Sequencer` with a free `step`.

    Theorem: in slot `p` of the program it shows word `p`, for `rows` steps; `last` is high in the
    last step of the last slot. That the loop unrolled is the list of words is what `Program` says
    of itself.
    """

    def __init__(self, program: Program, width: int, rows: int):
        self.program, self.width, self.rows = program, width, rows
        self.platform = Platform()
        self.step = Signal()
        self.ports = [self.step]

    def elaborate(self, platform: Platform) -> Module:
        m = Module()
        program, rows = self.program, self.rows
        sequencer = Sequencer(program, self.width, rows)
        inside = Inside(sequencer, platform)
        m.submodules.sequencer = inside.fragment
        m.d.comb += sequencer.step.eq(self.step)
        played = Played(m, partial(claim, m), inside, program, rows, self.step)
        claim(m, sequencer.word == by_table(program.words, played.wi), "word_shown")
        ends = (played.p == program.length - 1) & (played.c == rows - 1)
        claim(m, sequencer.last == ends, "last")
        return m
