"""A small proof of unpooling, and faults, which have to be noticed."""

from pathlib import Path

import pytest
from amaranth.hdl import Const, Signal
from streampool_golden import UnpoolJob
from streampool_hw import UnpoolCore

from proofs import unpooling
from proofs.harness import covers, prove, rtlil_of

JOB = UnpoolJob((2, 2), (3,), 1, "uint2")


def test_unpooling_is_proved_and_its_claims_leave_room(tmp_path: Path):
    text = rtlil_of(unpooling.Unpools(UnpoolCore(JOB)))
    assert prove(text, tmp_path, depth=unpooling.DEPTH).failed == ()
    assert covers(text, tmp_path, depth=25)


class Dirty(UnpoolCore):
    """A core that clears no word that it has read."""

    def _words(self, m, step, fill, clears, address):
        return super()._words(m, step, fill, [Const(0, 1)] * len(clears), address)


class Backwards(UnpoolCore):
    """A core whose frames leave from their last beat to their first."""

    def _addresses(self, m, beats_out):
        address = super()._addresses(m, beats_out)
        backwards = Signal.like(address)
        m.d.comb += backwards.eq(self.job.beats_out - 1 - address)
        return backwards


@pytest.mark.parametrize("core", [Dirty, Backwards])
def test_wrong_unpooling_is_not_proved(core, tmp_path: Path):
    found = prove(rtlil_of(unpooling.Unpools(core(JOB))), tmp_path, depth=unpooling.DEPTH).failed
    assert {"clean", "stored"} & set(found)
