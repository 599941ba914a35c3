"""A few mutants of a small core, and of sources: killed, or proved equal, and some of each."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mutants import equal, netlists
from mutants.cores import CORES
from mutants.listed import NETLISTS, SOURCES
from mutants.run import COUNT, DRAWN
from mutants.sources import CLASSES, GROUPS, all_mutants, drawn

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


def test_enough_is_drawn_of_each_class():
    assert len(CORES) * COUNT >= 1000
    mutants = [mutant for group in GROUPS for mutant in drawn(group, DRAWN)]
    assert len(mutants) >= 150
    assert len({mutant.name for mutant in mutants}) == len(mutants)
    assert set(Counter(mutant.kind for mutant in mutants)) == set(CLASSES)


def test_what_is_listed_is_there_and_has_a_reason():
    names = {mutant.name for group in GROUPS for mutant in all_mutants(group)}
    assert names >= SOURCES.keys()
    assert {name for name, _ in NETLISTS} <= CORES.keys()
    assert all((*SOURCES.values(), *NETLISTS.values()))


_SOME = """
import json, sys
from mutants import share
whole = share.jobs
share.jobs = lambda group: {"max k3 s2": whole(group)["max k3 s2"]}
what, group, *more = sys.argv[1:]
if what == "known":
    print(json.dumps(share.known(group)))
else:
    number, due = map(json.loads, more)
    print(json.dumps(share.judge(group, number, due)))
"""


def _share(*words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", _SOME, *words],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("group", "change"),
    [("sequencer", "advance & at_loop_end"), ("golden", "first - real * self.dilation")],
)
def test_a_module_is_loaded_as_its_mutant(group: str, change: str):
    number = next(n for n, each in enumerate(all_mutants(group)) if change in each.change)
    due = json.dumps(_share("known", group))
    assert _share("judge", group, str(number), due)


def test_a_mutant_that_only_costs_time_is_told_from_nothing_by_cores():
    due = json.dumps(_share("known", "schedule"))
    change = "max(first, reached) -> min(first, reached)"
    number = next(n for n, each in enumerate(all_mutants("schedule")) if each.change == change)
    assert _share("judge", "schedule", str(number), due) is None
