"""The sequencer alone: each slot's word and the program's end, for any gaps and resets."""

from amaranth.hdl import Elaboratable, Module, Mux, Signal
from streampool_hw.schedule.program import Program
from streampool_hw.schedule.sequencer import Sequencer

from .harness import Inside, Platform, claim
from .linear import by_table

DEPTH = 1


class Plays(Elaboratable):
    """A `Sequencer` with a free `step`.

    Theorem: in slot `p` of the program it shows word `p`, for `rows` steps; `last` is high in the
    last step of the last slot.

    Invariants: the counters of steps and turns hold what is left; `index` is of the word that comes
    next. That the loop unrolled is the list of words is what `Program` says of itself.
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
        start, stop, repeats = program.start, program.stop, program.repeats
        words, length = len(program.words), program.length
        p, c = Signal(range(length)), Signal(range(rows))
        wi, turns = Signal(range(words)), Signal(range(repeats), init=repeats - 1)
        again = (wi == stop - 1) & (turns != 0)
        next_wi, next_turns = Signal.like(wi), Signal.like(turns)
        m.d.comb += [
            next_wi.eq(Mux(again, start, Mux(wi == words - 1, 0, wi + 1))),
            next_turns.eq(Mux(again, turns - 1, Mux(wi == stop - 1, repeats - 1, turns))),
        ]
        with m.If(self.step):
            m.d.sync += c.eq(Mux(c == rows - 1, 0, c + 1))
            with m.If(c == rows - 1):
                m.d.sync += [
                    p.eq(Mux(p == length - 1, 0, p + 1)),
                    wi.eq(next_wi),
                    turns.eq(next_turns),
                ]
        claim(m, sequencer.word == by_table(program.words, wi), "word")
        claim(m, sequencer.last == ((p == length - 1) & (c == rows - 1)), "last")

        claim(m, (p < length) & (c < rows) & (wi < words) & (turns < repeats), "range")
        in_loop = (wi >= start) & (wi < stop)
        claim(m, in_loop | (turns == repeats - 1), "turns")
        gone = Mux(wi < start, 0, Mux(wi < stop, repeats - 1 - turns, repeats - 1))
        claim(m, p == wi + gone * (stop - start), "slot")
        if rows > 1:
            left, more = inside("slot.left"), inside("slot.more")
            claim(m, (left == rows - 1 - c) & (more == (left != 0)), "steps_left")
        if length > 1:
            claim(m, inside("index") == next_wi, "index")
            claim(m, inside("final") == (p == length - 1), "final")
            if repeats > 1:
                left, more = inside("turns.left"), inside("turns.more")
                claim(m, (left == next_turns) & (more == (left != 0)), "turns_left")
        return m
