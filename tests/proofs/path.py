"""Lemma "path": the pipeline does what one step at once would do to a queue.

Whatever the control words, what a step hands to the FIFO, and when, is what the step at once gives
on the ghost queue of `ProvedStage`: through the tree of control, the store, the operands, the two
halves of the operation and the way back. Nothing is said of which words come; that is lemma "rule".

It closes by induction over a few clocks more than the pipeline is long, with what connects the
store to the queue: a RAM's pointers are behind the steps by what is on its way, a row is the
queue's once nothing of it is on its way, and each word of a delay line is that of its row.
"""

from amaranth.hdl import Signal

from .stage import ProvedStage, ago

DEPTH = 9


class Path(ProvedStage):
    """What the pipeline owes to the FIFO, claimed."""

    def _lemma(self) -> None:
        for name, (what, when) in self.owed.items():
            self.claim(what, name, when)
        if self.ram is None:
            self._delay_lines()
        else:
            self._ram()

    def _delay_lines(self) -> None:
        m, rows, timing = self.top, self.m, self.stage.timing
        size = self.o_shape.width * self.lanes
        for j, place in enumerate(self.queue):
            line, first, late = (0, j * size, 1) if timing.looped else (j, 0, timing.comes[j])
            late += self.levels
            # a line moves on at each step, so many clocks after it
            at, kept, known = self.at, place, self.known[j]
            if late:
                at = ago(m, at, late, f"at_{j}")[-1]
                kept = ago(m, kept, late, f"kept_{j}", control=False)[-1]
                known = ago(m, known, late, f"known_{j}")[-1]
            self.claim(at < rows, f"line_{j}")
            for i in range(rows):
                word: Signal = self.inside(f"bank_{self.bank}.store_{line}.word_{i}")
                here = (at == self.row + 1 + i) | (at + rows == self.row + 1 + i)
                same = self.of_lane(word, self.o_shape, first) == kept
                self.claim(same, f"line_{j}_{i}", known & here)

    def _ram(self) -> None:
        assert self.ram is not None
        rows, size = self.m, self.o_shape.width * self.lanes
        (read,), (write,) = self.ram.memory.read_ports, self.ram.memory.write_ports

        def wrapped(row):
            return row - rows * (row >= rows)

        self.claim((read.addr < rows) & (write.addr < rows), "pointers")
        for name, pointer, clocks in (("read", read, self.levels), ("write", write, self.put)):
            behind = sum(self.stepped[:clocks])
            self.claim(self.at == wrapped(pointer.addr + behind), name)
        # what a RAM gives for a row that is written in the same clock is never needed
        together = self.stepped[self.levels - 1] & self.stepped[self.put - 1]
        self.claim(read.addr != write.addr, "collision", together)
        for i, visited in enumerate(self.visited):
            since = self.row + 1 + sum(self.stepped[:i])
            self.claim(self.stepped[i] & (self.at == wrapped(since)), f"visited_{i}", visited)
        on_its_way = sum(self.visited[: self.put])
        for j, place in enumerate(self.queue):
            same = self.of_lane(self.ram.kept, self.o_shape, j * size) == place
            self.claim(same, f"kept_{j}", (on_its_way == 0) & self.known[j])
