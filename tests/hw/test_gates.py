"""The gates of the reference cores are those on record, and the digest sees what matters."""

import json

import pytest
from core_jobs import JOBS
from reference_gates import RECORDED, cores
from streampool_hw import PoolCore
from streampool_hw.export import yosys
from streampool_hw.export.gates import digest

KEPT = json.loads(RECORDED.read_text(encoding="utf-8"))
CORES = dict(cores())


def test_every_reference_core_is_on_record():
    assert list(KEPT) == list(CORES)


@pytest.mark.parametrize("name", CORES)
def test_gates_are_those_on_record(name: str):
    assert digest(yosys.to_rtlil(CORES[name](), "top")) == KEPT[name]


def _rtlil() -> str:
    job = JOBS["max k3 s2"]
    return yosys.to_rtlil(PoolCore(job), "top")


def test_a_digest_is_independent_of_names():
    rtlil = _rtlil()
    renamed = rtlil.replace("bank_0", "other").replace("sequencer", "player")
    assert renamed != rtlil
    assert digest(renamed) == digest(rtlil)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cell $sub ", "cell $add "),
        ("attribute \\init 1'0\n", "attribute \\init 1'1\n"),
        ("cell $and ", "cell $or "),
    ],
)
def test_a_digest_sees_a_change(old: str, new: str):
    rtlil = _rtlil()
    head, found, tail = rtlil.partition(old)
    assert found
    assert digest(head + new + tail) != digest(rtlil)


def test_a_digest_sees_where_a_wire_goes():
    rtlil = _rtlil()
    at = rtlil.index("cell $mux ")
    end = rtlil.index("  end\n", at)
    cell = rtlil[at:end]
    a, b = (next(x for x in cell.splitlines() if f"connect \\{p} " in x) for p in "AB")
    swapped = cell.replace(a, "#").replace(b, b.replace("\\B", "\\A"))
    swapped = swapped.replace("#", a.replace("\\A", "\\B"))
    assert digest(rtlil[:at] + swapped + rtlil[end:]) != digest(rtlil)
