"""A column stage's graph of pairs in its pipeline: what a lane has in each clock of each piece."""

from collections.abc import Mapping, Sequence

from amaranth.hdl import Cat, Module, Shape, Signal, Value
from streampool_hw.reduce.columns import ApartStage, UniformStage
from streampool_hw.schedule.graph import Run

from .harness import Inside, OneRow, Platform
from .pieces import Pieces, Place
from .stage import Join, ago

Runs = Mapping[Run, Value]
"""What has been reduced, by what of."""


def part_of(word: Value, number: int, width: int) -> Value:
    """Return one of the parts that a word has side by side."""
    return word[number * width : (number + 1) * width]


def value_of(beat: Value, shape: Shape, lanes: int, number: int, lane: int) -> Value:
    """Return what a lane has in one of a beat's columns or windows."""
    shape = Shape.cast(shape)
    part = part_of(beat[number * shape.width * lanes :], lane, shape.width)
    return part.as_signed() if shape.signed else part


def fifos_of(platform: Platform) -> list[OneRow]:
    """Return the memories that are read without a clock."""
    return [row for row in platform.rows if row.memory.read_ports[0].domain == "comb"]


class Levels:
    """A stage's graph, and where its pipeline is cut.

    Attributes
    ----------
    clocks : list of int
        The clocks of each piece.
    ends : list of (int, bool)
        For each piece the level of the graph that it ends with, and whether it ends between a
        comparison and its choice.
    """

    def __init__(self, stage: UniformStage | ApartStage, join: Join):
        self.stage, self.join, self.graph = stage, join, stage._graph
        self.lanes, pieces = len(stage._lanes), stage._pipeline._pieces
        self.clocks = [sum(step.clocks for step in piece) for piece in pieces]
        steps, self.ends = -1, []  # the first step makes the operands
        for piece in pieces:
            steps += len(piece)
            self.ends.append(divmod(steps, stage._reduction.clocks))

    def then(self, m: Module, runs: Runs, first: int, last: int, name: str) -> dict[Run, Value]:
        """Return what is there after a level of the graph, given what is there after another."""
        found = dict(runs)
        for level in self.graph.levels[first:last]:
            for run, (left, right) in level.items():
                if left in found and right in found:
                    value = Signal(self.stage._shape(run[1]), name=f"{name}_{len(found)}")
                    m.d.comb += value.eq(self.join(found[left], found[right]))
                    found[run] = value
        return found

    def cone(self, result: Run) -> set[Run]:
        """Return the runs that a result is made of, with it."""
        found, wanted = {result}, [result]
        pairs = {run: parts for level in self.graph.levels for run, parts in level.items()}
        while wanted:
            for part in pairs.get(wanted.pop(), ()):
                if part not in found:
                    found.add(part)
                    wanted.append(part)
        return found


class Words:
    """What a lane has in each clock of each piece, and what each piece owes to its FIFO.

    Parameters
    ----------
    m : Module
        To put the ghosts into.
    levels : Levels
        The graph.
    pieces : Pieces
        The pieces of its pipeline.
    inside : Inside
        What they are inside of.
    given : sequence of mapping
        What the graph started from in the step, and so many clocks ago.
    lane : int
        The lane that is looked at.
    """

    def __init__(
        self,
        m: Module,
        levels: Levels,
        pieces: Pieces,
        inside: Inside,
        given: Sequence[Runs],
        lane: int,
    ):
        self._m, self._levels, self._pieces, self._lane = m, levels, pieces, lane
        # beside what there is, whether a comparison is right that came with it
        self._at: list[list[tuple[Runs, Runs]]] = [[(runs, {}) for runs in given]]
        for j, clocks in enumerate(pieces.clocks[1:]):
            left = inside(f"fifo_{j}.o__payload")
            past = [left, *ago(m, left, clocks, f"word_{j}", control=False)]
            self._at.append([self._unpacked(word, j) for word in past])

    def _unpacked(self, word: Value, piece: int) -> tuple[Runs, Runs]:
        """Return what the lane has in a piece's FIFO, and whether what was compared is right."""
        levels = self._levels
        level, halfway = levels.ends[piece]
        runs = levels.graph.alive(level)
        shapes = [Shape.cast(levels.stage._shape(run[1])) for run in runs]
        each = sum(shape.width for shape in shapes)
        mine, first = part_of(word, self._lane, each), 0
        found: dict[Run, Value] = {}
        for run, shape in zip(runs, shapes, strict=True):
            part = mine[first : first + shape.width]
            found[run] = part.as_signed() if shape.signed else part
            first += shape.width
        if not halfway:
            return found, {}
        pairs, compare = levels.graph.levels[level], levels.stage._reduction.first
        bits = part_of(word[each * levels.lanes :], self._lane, len(pairs))
        return found, {
            run: bits[k] == compare(found[left], found[right])
            for k, (run, (left, right)) in enumerate(pairs.items())
        }

    def owed(self, seen: Value, fine: Runs) -> dict[str, tuple[Value, Value | int]]:
        """Return what each piece owes to its FIFO, by name: a claim, and when it is claimed.

        Of what the first piece writes only what was `seen` at its step, and is made of operands
        that were `fine`.
        """
        owed: dict[str, tuple[Value, Value | int]] = {}
        levels, pieces, start = self._levels, self._pieces, 0
        for j, (row, clocks) in enumerate(zip(pieces.rows, pieces.clocks, strict=True)):
            (port,) = row.memory.write_ports
            started = pieces.started[j][clocks]
            owed[f"write_{j}"] = (port.en == started, 1)
            end, _ = levels.ends[j]
            given, good = self._at[j][clocks]
            if not j:
                started, good = started & seen, fine
            made = levels.then(self._m, given, start, end, f"made_{j}")
            data, right = self._unpacked(port.data, j)
            claimed = [("data", run, value == made[run]) for run, value in data.items()]
            claimed += [("found", run, value) for run, value in right.items()]
            for what, run, holds in claimed:
                parts = [good[part] for part in sorted(levels.cone(run)) if part in good]
                when = started & Cat(parts).all() if parts else started
                owed[f"{what}_{j}_{run[1]}_{len(owed)}"] = (holds, when)
            start = end
        return owed

    def same(self, place: Place, tree: Runs) -> list[Value]:
        """Return what has to hold where a beat of the values `tree` is at a place."""
        if place.clock:
            word, right = self._at[place.piece][place.clock]
        else:
            word, right = self._unpacked(self._pieces.rows[place.piece].kept, place.piece)
        same = [word[run] == value for run, value in tree.items() if run in word]
        return same + [value for run, value in right.items() if run in tree]
