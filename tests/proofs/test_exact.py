"""Divisions, roots and sums on numbers, and wrong ones, which have to be found."""

from itertools import islice
from pathlib import Path

import pytest
from amaranth.hdl import signed
from streampool_golden import Axis
from streampool_hw.blocks.division import Division
from streampool_hw.schedule.plan import AxisPlan

from proofs import exact, sums
from proofs.harness import prove, rtlil_of


@pytest.mark.parametrize("check", [*exact.quick()], ids=lambda check: check.name)
def test_exact(check: exact.Check):
    assert not list(islice(check.wrong(), 3))


def test_a_constant_of_a_bit_less_is_found(monkeypatch: pytest.MonkeyPatch):
    def less(divisors: tuple[int, ...], largest: int) -> tuple[int, tuple[int, ...]]:
        shift, _ = reciprocal(divisors, largest)
        shift = max(0, shift - 1)
        return shift, tuple(-(-(1 << shift) // d) for d in divisors)

    reciprocal = exact.reciprocal
    monkeypatch.setattr(exact, "reciprocal", less)
    assert [*exact.every_divisor(7)] == [f"divisor {d}" for d in range(2, 8)]


def test_an_offset_that_is_one_too_large_is_found(monkeypatch: pytest.MonkeyPatch):
    right = Division.offset
    monkeypatch.setattr(
        Division, "offset", lambda *how: tuple(offset + 1 for offset in right(*how))
    )
    assert [*exact.averages((3, 3), "int8", exact.every)]
    assert [*exact.roots_of_sums("l2", (3, 3), "int4", borders=False)]


def test_taps_that_a_plan_does_not_take_are_found():
    plan = AxisPlan(Axis.resolve(9, 3, 2, (1, 1)))
    assert not [*sums.counts(plan)]
    plan.axis = Axis.resolve(9, 3, 2, (0, 2))
    assert [*sums.counts(plan)]


def test_a_register_of_a_bit_less_wraps(tmp_path: Path):
    for bits, failed in ((12, ()), (11, ("same",))):
        text = rtlil_of(sums.Accumulates(9, -128, 127, signed(8), signed(bits)))
        assert prove(text, tmp_path, depth=1).failed == failed
