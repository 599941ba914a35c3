"""Small proofs of stores in block RAM, and faults, which have to be noticed."""

from pathlib import Path

import pytest
from amaranth.hdl import Const, Signal
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.vendor.ecp5 import Ecp5Store
from streampool_hw.vendor.ice40 import Ice40Store

from proofs import columns, path, stores
from proofs.cases import of_columns, of_core
from proofs.harness import covers, prove, rtlil_of
from proofs.models import Model

JOB = PoolJob(PoolSpec("max", 3, stride=2, padding=1), (2, 16, 24))
SIDE_BY_SIDE = PoolJob(PoolSpec("max", 3, padding=1, stride=1), (64, 3, 21), 8, columns=4)


@pytest.mark.parametrize(
    ("kind", "restarts"),
    [
        (Ecp5Store, True),
        pytest.param(Ecp5Store, False, marks=pytest.mark.long),
        (Ice40Store, False),
        pytest.param(Ice40Store, True, marks=pytest.mark.long),
    ],
)
def test_a_store_is_proved_and_its_claims_leave_room(kind, restarts: bool, tmp_path: Path):
    text = rtlil_of(stores.Owes(kind, 8, 9, restarts))
    assert prove(text, tmp_path, depth=stores.DEPTH).failed == ()
    assert covers(text, tmp_path, depth=20)


class Late(Ecp5Store):
    """A store that writes a clock late, so that a word may be read as it is written."""

    def block(self, m, name, read_at, write_at, write, new, old):
        late_at, late, word = (Signal.like(each, name="late") for each in (write_at, write, new))
        m.d.sync += [late_at.eq(write_at), late.eq(write), word.eq(new)]
        super().block(m, name, read_at, late_at, late, word, old)


class Always(Ice40Store):
    """A store that writes in every clock, though it has no row to spare."""

    def block(self, m, name, read_at, write_at, write, new, old):
        super().block(m, name, read_at, write_at, Const(1, 1), new, old)


@pytest.mark.parametrize(
    ("kind", "depth", "restarts", "failed"),
    [
        (Late, 9, False, {"kept_0", "caught_0"}),
        pytest.param(Always, 16, False, {"kept_0"}, marks=pytest.mark.long),
        pytest.param(Late, 9, True, {"kept_0", "caught_0"}, marks=pytest.mark.long),
        (Always, 9, True, {"kept_0"}),
    ],
)
def test_a_wrong_store_is_not_proved(kind, depth: int, restarts: bool, failed, tmp_path: Path):
    text = rtlil_of(stores.Owes(kind, 8, depth, restarts))
    assert failed & set(prove(text, tmp_path, depth=stores.DEPTH).failed)


@pytest.mark.parametrize("wide", [False, pytest.param(True, marks=pytest.mark.long)])
def test_stages_need_the_words_that_they_ask_for_and_no_others(
    wide: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def failed() -> tuple[str, ...]:
        if wide:
            text = rtlil_of(of_columns(SIDE_BY_SIDE, stores.AsksColumns))
            return prove(text, tmp_path, depth=columns.DEPTH).failed
        text = rtlil_of(of_core(JOB, 0, stores.Asks, 0))
        return prove(text, tmp_path, depth=path.DEPTH).failed

    assert failed() == ()
    monkeypatch.setattr(stores, "CLOCKS", stores.CLOCKS - 1)  # known a clock early and no longer
    assert any(name.startswith("data") for name in failed())


@pytest.mark.parametrize(
    ("kind", "rows", "right", "wrong", "failed"),
    [
        (Ecp5Store, 512, "rows[adr] ^ {36{put & adw == adr}}", "rows[adr]", ()),
        (Ecp5Store, 512, "if (put & BE3)", "if (put & BE3 & ~adw[0])", ("kept",)),
        (Ecp5Store, 1024, "wire get = ", "wire get = ~put & ", ("leaves",)),
        (Ice40Store, 512, "RDATA_I <= memory[RADDR[7:0]]", "RDATA_I <= memory[1]", ("leaves",)),
    ],
)
def test_a_model_may_give_anything_where_the_vendor_says_nothing_and_nowhere_else(
    kind, rows: int, right: str, wrong: str, failed, tmp_path: Path
):
    theorem = Model("", kind, rows)
    text = theorem.text()
    assert theorem.prove(text, tmp_path, limit=600).failed == ()
    assert text.count(right) == 1
    assert theorem.prove(text.replace(right, wrong), tmp_path, limit=600).failed == failed
