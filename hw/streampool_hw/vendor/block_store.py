"""A store in a family's own block RAM: what the families share."""

from typing import Any, ClassVar

from amaranth.hdl import Const, Module, Signal, Value

from ..datapath.store import RamStore


class BlockStore(RamStore):
    """A store in instances of a family's block RAM.

    A block holds a power of two of rows. Both pointers go round them, the write pointer `depth`
    rows ahead, so that neither has to be compared with anything. Where the store restarts, both go
    back to where they began.
    """

    ROWS: ClassVar[dict[int, int]]
    """Bits of a block's word by its number of rows."""

    FIRST = 0
    """The row that pointers begin with."""
    GROUP = 6
    """Blocks that a pair of pointers drives."""

    @property
    def rows(self) -> int:
        """How many rows a block has."""
        return next(rows for rows in self.ROWS if rows >= self.depth)

    @property
    def used(self) -> int:
        """How many of them the pointers go round."""
        return self.rows

    def after(self, row: Any) -> Any:
        """Return the row after another, a value or an integer; a value may have more bits."""
        return row + 1

    @property
    def words(self) -> list[range]:
        """The bits that each block keeps."""
        bits = self.ROWS[self.rows]
        return [range(self.width)[low : low + bits] for low in range(0, self.width, bits)]

    @property
    def writers(self) -> int:
        """One for each pair of pointers where it restarts; else one."""
        return -(-len(self.words) // self.GROUP) if self._restarts else 1

    def elaborate(self, platform):
        m = Module()
        assert self.depth <= max(self.ROWS), "more than a block is deep"
        rows, words = self.rows, self.words
        bits = self.ROWS[rows]
        # Where they are more than the words, the write pointer stands at a row that nobody
        # reads before it is written, so many blocks far apart may write in every clock.
        spare = self.depth < self.used and not self._restarts
        always = len(words) > self.GROUP and spare
        for group, first in enumerate(range(0, len(words), self.GROUP)):
            # each group starts elsewhere, or synthesis would find the pointers equal
            start, writer = self._row(group), group % self.writers
            write = Const(1, 1) if always else self.write_en[writer]
            ahead = start if self._restarts else self._row(group + self.depth)
            how: dict[str, Any] = {"reset_less": self._restarts}
            read_at = Signal(range(rows), name=f"read_at_{group}", init=start, **how)
            write_at = Signal(range(rows), name=f"write_at_{group}", init=ahead, **how)
            with m.If(self.read_en):
                m.d.sync += read_at.eq(self.after(read_at))
            with m.If(self.write_en[writer]):
                m.d.sync += write_at.eq(self.after(write_at))
            if self._restarts:  # a reset of the counter, not a choice in front of it
                with m.If(self.read_last):
                    m.d.sync += read_at.eq(start)
                with m.If(self.write_last[writer]):
                    m.d.sync += write_at.eq(start)
            for number, word in enumerate(words[first : first + self.GROUP], first):
                part, old = slice(word.start, word.stop), Signal(bits, name=f"old_{number}")
                new = self.write_data[part]
                self.block(m, f"block_{number}", read_at, write_at, write, new, old)
                m.d.comb += self.read_data[part].eq(old)
        return m

    def _row(self, steps: int) -> int:
        row = self.FIRST
        for _ in range(steps):
            row = self.after(row) % self.rows
        return row

    def block(
        self,
        m: Module,
        name: str,
        read_at: Signal,
        write_at: Signal,
        write: Value,
        new: Value,
        old: Signal,
    ) -> None:
        """Add a block of words of ``len(old)`` bits; `old` comes two clocks after its address."""
        raise NotImplementedError
