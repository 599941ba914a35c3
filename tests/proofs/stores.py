"""A store in a family's own block RAM: it gives what a `RamStore` owes to a stage.

Lemma "asks": lemma "path" needs nothing of its store but the words that the stage asks for, and
the stage keeps to what a store asks for. Lemma "owes": a store of a family's cells, so used, gives
these words, whatever its blocks give for a word that is read as it is written.
"""

from itertools import combinations
from typing import Any
from unittest.mock import patch

from amaranth.hdl import Elaboratable, Module, Mux, Signal, Value
from streampool_hw.datapath.store import RamStore
from streampool_hw.reduce import columns as reduce_columns
from streampool_hw.reduce import stage as reduce_stage
from streampool_hw.schedule.settings import Settings
from streampool_hw.vendor.block_store import BlockStore
from streampool_hw.vendor.ice40 import Ice40Store

from . import columns, path
from .blocks import Block, described
from .formal import AnySeq, Cover
from .harness import Inside, Platform, assume, claim, constant
from .stage import ago

DEPTH = 1
CLOCKS = RamStore.LATENCY


class Asked(RamStore):
    """A `RamStore` that gives anything but where it is asked for a word."""

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.ram = ram = RamStore(self.width, self.depth, self._settings)
        asked = ago(m, self.read_en, CLOCKS, "asked")[-1]
        m.d.comb += [
            *(ram.read_en.eq(self.read_en), ram.write_en.eq(self.write_en)),
            ram.write_data.eq(self.write_data),
            self.read_data.eq(Mux(asked, ram.read_data, AnySeq(self.width))),
        ]
        return m


class Asks(path.Path):
    """Lemma "path" of a stage with an `Asked` store, and that it keeps to what a store asks for."""

    def elaborate(self, platform: Platform) -> Module:
        with patch.object(reduce_stage, "ram_store", _asked):
            return super().elaborate(platform)

    def _ram(self) -> None:
        super()._ram()
        out = sum(self.stepped[self.levels : self.put])
        _claim_kept(self, f"bank_{self.bank}.store_0", self.m, out)


class AsksColumns(columns.Path):
    """The same of lemma "columns path"."""

    def elaborate(self, platform: Platform) -> Module:
        with patch.object(reduce_columns, "ram_store", _asked):
            return super().elaborate(platform)

    def _ram(self) -> None:
        super()._ram()
        _claim_kept(self, "history", self.m, sum(self.stepped[: self.comes]))


def _asked(width: int, depth: int, family: str, settings: Settings, *, block_from: int) -> Asked:
    return Asked(width, depth, settings)


def _claim_kept(lemma: Asks | AsksColumns, store: str, depth: int, out: Any) -> None:
    """Claim what a store asks for; `out` words are on their way, as the lemma has them."""
    read, write = (lemma.inside(f"{store}.{way}_en") for way in ("read", "write"))
    gap = Signal(range(depth + 1), name="gap")
    lemma.top.d.sync += gap.eq(gap + read - write)
    lemma.claim(gap == out, "gap")
    for name, (holds, when) in keeps(read, write, gap, depth).items():
        lemma.claim(holds, name, when)


def keeps(read: Value, write: Value, gap: Value, depth: int) -> dict[str, tuple[Value, Value]]:
    """Return what a store asks for by name: what holds, and when; `gap` words are out.

    A word is written back after it was read, and before its position is read again. So no word is
    read in the clock in which it is written.
    """
    return {"read_again": (gap < depth, read), "write_back": (gap > 0, write)}


class Owes(Elaboratable):
    """A store of a family's cells with free inputs, which keep to what it asks for.

    Theorem: two clocks after a read `read_data` is the word that was written `depth` writes before
    the one to come; where it restarts, the last one written to that position.

    The solver chooses a write, and the word is followed to its read. `n` is how many reads come
    before that. Invariants: the pointers are where reads and writes are, in the order in which they
    go round; the followed word's row is `n` on from the read pointer, and every block has it.

    Of an iCE40's pointers, which are shift registers, the proof is told that two are equal just
    where their places in the round are: Python goes through the round, by the function that makes
    the gates, and finds each row once.
    """

    def __init__(self, kind: type[BlockStore], width: int, depth: int, restarts: bool = False):
        self.store = kind(width, depth, restarts=restarts)
        self.restarts = restarts
        self.platform = Platform()
        store = self.store
        self.ports = [store.read_en, store.write_en, store.write_data]
        self.ports += [store.read_last, store.write_last] if restarts else []

    def elaborate(self, platform: Platform) -> Module:
        m = self.top = Module()
        self.inside = Inside(self.store, platform)
        blocks = described(self.inside.fragment, platform)
        m.submodules.store = self.inside.fragment
        store = self.store
        for each in (store.write_en, *([store.write_last] if self.restarts else [])):
            assume(m, each == each[0].replicate(len(each)))  # the same bit for each group
        groups = [blocks[k : k + store.GROUP] for k in range(0, len(blocks), store.GROUP)]
        self._follow_pointers(groups)
        found, pick, followed = (Signal(name=name) for name in ("found", "pick", "followed"))
        value = Signal(store.width, name="value")
        m.d.comb += pick.eq(store.write_en[0] & (self.kept == self.write) & AnySeq(1))
        with m.If(pick):
            m.d.sync += value.eq(store.write_data)
        follow = self._restarting if self.restarts else self._going_round
        follow(pick, found, followed)

        hits = ago(m, found, CLOCKS, "found")
        values = ago(m, value, CLOCKS, "value", control=False)
        bits = len(blocks[0].port.old)
        for number, block in enumerate(blocks):
            part = slice(number * bits, (number + 1) * bits)
            claim(m, block.written & same(block.kept, value[part]), f"kept_{number}", followed)
            word, known = block.caught
            claim(m, known & same(word, values[0][part]), f"caught_{number}", hits[0])
        claim(m, store.read_data == values[-1], "read", hits[-1])
        m.d.comb += Cover(hits[-1])
        return m

    def _follow_pointers(self, groups: list[list[Block]]) -> None:
        """Say where in their round the pointers are, and the row that the blocks keep.

        A place is how many rows on from where a group's pointers begin: the same for all groups.
        """
        m, store = self.top, self.store
        used, ahead = store.used, 0 if self.restarts else store.depth
        self.kept = constant(m, range(used), "kept_at")
        assume(m, self.kept < used)
        places: dict[str, Signal] = {}
        for way, start in (("read", 0), ("write", ahead % used)):
            how: dict[str, Any] = {"init": start, "reset_less": self.restarts}
            places[way] = place = Signal(range(used), name=f"{way}_place", **how)
            with m.If(getattr(store, f"{way}_en")[0]):
                m.d.sync += place.eq(Mux(place == used - 1, 0, place + 1))
            if self.restarts:
                with m.If(getattr(store, f"{way}_last")[0]):
                    m.d.sync += place.eq(0)
            claim(m, place < used, f"{way}_place")
        self.read, self.write = places.values()
        for number, blocks in enumerate(groups):
            rows = [store._row(number)]
            while len(rows) < used:
                rows.append(store.after(rows[-1]) % store.rows)
            assert store.after(rows[-1]) % store.rows == rows[0]
            assert len(set(rows)) == used and max(rows) < store.rows
            row = blocks[0].chosen
            for block in blocks[1:]:
                assume(m, block.chosen == row)
            pointers = {way: self.inside(f"{way}_at_{number}") for way in places}
            for way, pointer in pointers.items():
                assert pointer.init == rows[places[way].init]
            if isinstance(store, Ice40Store):
                found = [(self.kept, row), *((places[way], pointers[way]) for way in places)]
                for (a, at), (b, to) in combinations(found, 2):
                    assume(m, (a == b) == (at == to))
                continue
            assume(m, row == (self.kept + number)[: len(row)])
            for way, pointer in pointers.items():
                at = (places[way] + number)[: len(pointer)]
                claim(m, pointer == at, f"{way}_at_{number}")

    def _on(self, place: Value | int, by: Value, other: Value) -> Value:
        """Return whether a place is so many on from another, round by round."""
        used = self.store.used
        return (place + by == other) | (place + by == other + used)

    def _going_round(self, pick: Value, found: Value, followed: Signal) -> None:
        """Follow a word to its read, `depth` writes on."""
        m, store = self.top, self.store
        depth = store.depth
        gap, n = Signal(range(depth + 1), name="gap"), Signal(range(depth + 1), name="n")
        m.d.sync += gap.eq(gap + store.read_en - store.write_en[0])
        for holds, when in keeps(store.read_en, store.write_en[0], gap, depth).values():
            assume(m, holds, when)
        claim(m, gap <= depth, "gap")
        m.d.comb += found.eq(followed & store.read_en & (n == 0))
        with m.If(pick):
            m.d.sync += [followed.eq(1), n.eq(depth - gap - store.read_en)]
        with m.Elif(followed & store.read_en):
            m.d.sync += [n.eq(n - 1), followed.eq(n != 0)]
        claim(m, n + gap < depth, "n", followed)
        claim(m, self._on(self.read, depth - gap, self.write), "pointers")
        claim(m, self._on(self.read, n, self.kept), "row", followed)

    def _restarting(self, pick: Value, found: Value, followed: Signal) -> None:
        """Follow the last word written to a position, counted from where it restarts."""
        m, store = self.top, self.store
        depth = store.depth
        at: dict[str, Signal] = {}
        for name, go, last, place in (
            ("read", store.read_en, store.read_last, self.read),
            ("write", store.write_en[0], store.write_last[0], self.write),
        ):
            at[name] = position = Signal(range(depth + 1), name=f"{name}_position")
            begun = Signal(name=f"{name}_begun")
            m.d.sync += [position.eq(Mux(last, 0, position + go)), begun.eq(begun | last)]
            assume(m, begun & (position < depth), go)
            claim(m, position <= depth, f"{name}_position")
            claim(m, self._on(0, position, place), f"{name}_pointer", begun)
        mine = Signal(range(depth), name="mine")
        again = store.write_en[0] & (at["write"] == mine)
        m.d.comb += found.eq(followed & store.read_en & (at["read"] == mine) & ~again)
        with m.If(pick):
            m.d.sync += [followed.eq(1), mine.eq(at["write"])]
        with m.Elif(again):
            m.d.sync += followed.eq(0)
        claim(m, self.kept == mine, "row", followed)


def same(word: Value, part: Value) -> Value:
    """Return whether a block's word holds a part of a store's, which may be narrower."""
    return word[: len(part)] == part
