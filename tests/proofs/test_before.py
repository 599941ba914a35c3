"""A small proof of what stands before the stages, and a fault, which has to be noticed."""

from pathlib import Path

from streampool_golden import PoolJob, PoolSpec
from streampool_hw import PoolCore
from streampool_hw.asked import asked
from streampool_hw.datapath.pipeline import Step

from proofs import before
from proofs.harness import covers, prove, rtlil_of

JOB = PoolJob(PoolSpec("max", 2, dtype="bfloat16"), (1, 4, 4))


def test_preprocessing_is_proved_and_its_claims_leave_room(tmp_path: Path):
    for lemma in (before.Before, before.Flow):
        text = rtlil_of(lemma(asked(PoolCore(JOB))))
        assert prove(text, tmp_path, depth=before.DEPTH).failed == ()
        assert covers(text, tmp_path, depth=12)


def test_a_step_that_changes_what_goes_beside_is_noticed(tmp_path: Path):
    core = asked(PoolCore(JOB))
    [[first, *others]] = core._preprocess._pieces
    wrong = Step(first.lane, lambda beat: beat.map(lambda name, value: ~value), first.clocks)
    core._preprocess._pieces = [[wrong, *others]]
    failed = prove(rtlil_of(before.Before(core)), tmp_path, depth=before.DEPTH).failed
    assert any("mark" in name for name in failed)
