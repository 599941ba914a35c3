"""Small proofs, and claims that do not hold, which have to fail."""

import json
import random
from pathlib import Path

import pytest
from amaranth.hdl import Const, Signal
from streampool_golden import PoolJob, PoolSpec
from streampool_golden.networks import networks
from streampool_hw.datapath.fifo import BlockFifo, PipelineFifo, ShiftFifo
from streampool_hw.export.yosys import top_module
from streampool_hw.fpga import DEVICES
from streampool_hw.fpga.netlist import NETLIST

from proofs import apart, chain, columns, groups, path, rate, rule, runtime, verilog
from proofs.cases import COLUMN_LEMMAS, LEMMAS, of_columns, of_core
from proofs.fifo import Fifo
from proofs.harness import covers, prove, rtlil_of
from proofs.netlists import Synthesized, differences
from proofs.verilog import KeepsRules

JOB = PoolJob(PoolSpec("max", 3, stride=2, padding=1), (2, 12, 12))


def test_the_fifo_is_proved_and_its_claims_leave_room(tmp_path: Path):
    text = rtlil_of(Fifo((8,)))
    assert prove(text, tmp_path, depth=1).failed == ()
    assert covers(text, tmp_path, depth=20)


def test_a_pipeline_longer_than_the_credit_overflows(tmp_path: Path):
    text = rtlil_of(Fifo((8,), PipelineFifo.IN_FLIGHT))
    assert "capacity" in prove(text, tmp_path, depth=2).failed


@pytest.mark.parametrize("kind", [ShiftFifo, BlockFifo])
def test_the_fifos_of_other_families_are_proved(kind, tmp_path: Path):
    assert prove(rtlil_of(Fifo((8, 3), kind=kind)), tmp_path, depth=1).failed == ()


class Stale(BlockFifo):
    """A FIFO that has no register beside its RAM: what it reads as it is written is taken."""

    def _first(self, m, number, mem, read_at, read, soon):
        return super()._first(m, number, mem, read_at, read, Const(0, 1))


def test_what_a_block_ram_reads_as_it_is_written_is_not_relied_on(tmp_path: Path):
    assert prove(rtlil_of(Fifo((8,), kind=Stale)), tmp_path, depth=4).failed


@pytest.mark.parametrize(("name", "lemma", "depth"), LEMMAS)
def test_a_stage_is_proved(name, lemma, depth, tmp_path: Path):
    assert prove(rtlil_of(of_core(JOB, 0, lemma, 0)), tmp_path, depth=depth).failed == ()


def test_a_frame_gets_out(tmp_path: Path):
    small = PoolJob(PoolSpec("max", 2, ndim=1), (1, 2))
    text = rtlil_of(of_core(small, 0, rule.Rule, 0))
    assert covers(text, tmp_path, depth=20)


class LateWord(path.Path):
    """A stage that is said to take its control word a clock late."""

    def _read_word(self) -> None:
        super()._read_word()
        late = self._signal("late", 1)
        self.top.d.sync += late.eq(self.own)
        self.own = late


class OtherTaps(rule.Rule):
    """A stage that is said to pool with one tap more than it does."""

    def _specify(self) -> None:
        axis = self.axis
        self.axis = type(axis)(
            axis.length, axis.kernel + 1, axis.stride, axis.before, axis.after, 1, axis.outputs
        )
        super()._specify()
        self.axis = axis


class NeverWaits(rate.Rate):
    """A stage that grows and is said to take an input in each clock."""

    def _lemma(self) -> None:
        super()._lemma()
        self.claim(self.stage.i.ready, "always")


GROWS = PoolJob(PoolSpec("max", 2, stride=1, padding=1, ndim=1), (1, 6))


@pytest.mark.parametrize(
    ("job", "lemma", "depth", "failed"),
    [
        (JOB, LateWord, path.DEPTH, "write"),
        (JOB, OtherTaps, rule.DEPTH, "complete"),
        (GROWS, NeverWaits, rate.DEPTH, "always"),
    ],
)
def test_what_does_not_hold_is_not_proved(job, lemma, depth, failed, tmp_path: Path):
    found = prove(rtlil_of(of_core(job, 0, lemma, 0)), tmp_path, depth=depth).failed
    assert any(failed in name for name in found)


WRONG_CELLS = (
    ("LUT4", "", "INIT", lambda bits: bits.translate(str.maketrans("01", "10")), "the outputs"),
    ("TRELLIS_FF", "o__valid", "REGSET", lambda value: "SET", "the outputs"),
    ("MULT18X18D", "", "GSR", lambda value: "ENABLED", "cells by name"),
)


def test_a_netlist_is_proved_and_a_wrong_one_is_not(tmp_path: Path):
    device = DEVICES["ecp5-25k-6"]
    theorem = Synthesized("", PoolJob(PoolSpec("avg", 3, dtype="int4", ndim=1), (1, 6), 1), device)
    text = theorem.text()
    assert theorem.prove(text, tmp_path, limit=600).failed == ()
    design = tmp_path / NETLIST
    netlist, rtlil = design.read_text(), text.partition("\n")[2]
    for kind, part, parameter, change, failed in WRONG_CELLS:
        wrong = json.loads(netlist)
        cells = top_module(wrong)["cells"].items()
        cell = next(cell for name, cell in cells if cell["type"] == kind and part in name)
        value = cell["parameters"][parameter]
        cell["parameters"][parameter] = change(value)
        assert cell["parameters"][parameter] != value
        design.write_text(json.dumps(wrong))
        assert differences(rtlil, device, tmp_path, limit=600) == (failed,), kind


class FewerOfAll(runtime.Told):
    """A job of a run-time stage that is said to pool without the last tap."""

    @property
    def taps(self) -> list[list[int]]:
        return [each[:-1] or each for each in super().taps]


def test_a_run_time_stage_is_proved_and_a_wrong_job_is_not(tmp_path: Path):
    right = runtime.JOBS["drains"]
    wrong = FewerOfAll(right.axis, right.m)
    for told in (right, wrong):
        text = rtlil_of(runtime.Changes([told]))
        failed = prove(text, tmp_path, depth=44, bounded=True).failed
        assert [name[:5] for name in failed] == ([] if told is right else ["value"])


SIDE_BY_SIDE = PoolJob(PoolSpec("max", 3, padding=1, stride=1), (1, 3, 7), columns=4)
APART = PoolJob(PoolSpec("avg", 7), (1, 7, 7), columns=4)


@pytest.mark.parametrize(("name", "lemma", "depth"), COLUMN_LEMMAS)
def test_a_stage_of_several_columns_is_proved(name, lemma, depth, tmp_path: Path):
    assert prove(rtlil_of(of_columns(SIDE_BY_SIDE, lemma)), tmp_path, depth=depth).failed == ()


def test_what_reduces_a_beat_before_its_stage_is_proved(tmp_path: Path):
    text = rtlil_of(of_columns(APART, apart.Front))
    assert prove(text, tmp_path, depth=apart.DEPTH).failed == ()


def test_a_group_gets_out(tmp_path: Path):
    assert covers(rtlil_of(of_columns(SIDE_BY_SIDE, groups.Rule)), tmp_path, depth=20)


class LateMasks(columns.Path):
    """A stage of several columns that is said to mask a clock late."""

    def _read_word(self) -> None:
        super()._read_word()
        for age, bit in self.gone.items():
            late = Signal(name=f"late_{age}")
            self.top.d.sync += late.eq(bit)
            self.gone[age] = late


class FewerTaps(groups.Rule):
    """A stage of several columns that is said to pool without the last tap."""

    def _reduced(self):
        taps = self.tap
        self.tap = taps[:-1]
        found = super()._reduced()
        self.tap = taps
        return found


class OtherColumns(apart.Front):
    """What reduces a beat, said to take in all of its columns but the first."""

    def _filled(self, columns):
        return [bits & ~1 for bits in super()._filled(columns)]


@pytest.mark.parametrize(
    ("job", "lemma", "depth", "failed"),
    [
        (SIDE_BY_SIDE, LateMasks, columns.DEPTH, "data"),
        (SIDE_BY_SIDE, FewerTaps, groups.DEPTH, "tree"),
        (APART, OtherColumns, apart.DEPTH, "value"),
    ],
)
def test_what_does_not_hold_of_several_columns_is_not_proved(
    job, lemma, depth, failed, tmp_path: Path
):
    found = prove(rtlil_of(of_columns(job, lemma)), tmp_path, depth=depth).failed
    assert any(failed in name for name in found)


@pytest.mark.parametrize("wide", [1, 4])
def test_the_stages_theorems_together_are_the_specification(wide: int):
    rng = random.Random(wide)
    for layer in networks():
        job = PoolJob(layer.spec, layer.shape, columns=wide)
        windows = [(0,) * len(job.axes), tuple(axis.outputs - 1 for axis in job.axes)]
        windows += [tuple(rng.randrange(axis.outputs) for axis in job.axes) for _ in range(8)]
        for window in windows:
            group = rng.randrange(job.fold)
            found = chain.reduced_from(job, *chain.place_of(job, window, group))
            assert found == chain.specified(job, window, group)
            assert set(found.values()) == {1}


WRONG_VERILOG = (
    # a FIFO that says it has room where it has none
    ("stays", "assign credit = ~ level[3];", "assign credit = 1'h1;", "offers_0"),
    ("marks", "assign m_axis_tlast = ", "assign m_axis_tlast = ~", "marks"),
    ("marks", "assign m_axis_tkeep = ", "assign m_axis_tkeep = ~", "marks"),
)


@pytest.mark.parametrize("kind", ["stays", "marks"])
def test_verilog_keeps_to_the_rules_of_axi_stream_and_wrong_verilog_does_not(
    kind: str, tmp_path: Path
):
    name = "max" if kind == "stays" else "columns"
    theorem = KeepsRules("", verilog.JOBS[name], verilog.EVERY, kind == "marks")
    text = theorem.text()
    assert theorem.prove(text, tmp_path, limit=600).failed == ()
    for of, right, wrong, failed in WRONG_VERILOG:
        if of == kind:
            assert right in text
            assert failed in theorem.prove(text.replace(right, wrong), tmp_path, limit=600).failed
