"""A few mutants of a small core: killed, or proved equal, and some of each."""

from pathlib import Path

from mutants import equal, netlists
from mutants.cores import CORES
from mutants.listed import NETLISTS
from mutants.run import COUNT

NAME = "two lengths"


def test_mutants_of_a_netlist_are_killed_or_proved_equal(tmp_path: Path):
    mutants, killed, left = netlists.judged(CORES[NAME], 24, tmp_path)
    assert len(mutants.faults) == 24
    assert sum(killed.values()) + len(left) == 24
    assert killed["values"] > 0
    for fault in left:
        assert equal.compare(mutants.flat, fault, tmp_path / "proof").said == "equal"
    # what a run tells from its core, a proof must not call equal
    other = next(fault for fault in mutants.faults if fault not in left)
    assert equal.compare(mutants.flat, other, tmp_path / "proof").said == "other"


def test_enough_is_drawn_and_what_is_listed_has_a_reason():
    assert len(CORES) >= 6
    assert len(CORES) * COUNT >= 1000
    assert {name for name, _ in NETLISTS} <= CORES.keys()
    assert all(NETLISTS.values())
