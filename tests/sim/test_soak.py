"""Long runs: a fault is found, made small, and shown again by the command that is printed."""

import shlex

import pytest
import streampool_sim.soak
from amaranth.hdl import Fragment, Module, Signal
from amaranth.lib import wiring
from streampool_hw import PoolCore
from streampool_sim.cli import main
from streampool_sim.soak import soak

SEED = 136
"""Of which the first core is a small one."""


class Forgetful(PoolCore):
    """A core that spoils what follows a beat that has waited for long, in frames of two steps."""

    def elaborate(self, platform) -> Module:
        # the real insides are not used, which Amaranth would warn of
        Fragment.get(super().elaborate(platform), platform)
        m, right = Module(), PoolCore(self.job)
        m.submodules.right = right
        wiring.connect(m, wiring.flipped(self.i), right.i)
        wiring.connect(m, right.o, wiring.flipped(self.o))
        waited, spoils = Signal(range(8)), Signal()
        with m.If(right.o.valid & ~right.o.ready):
            m.d.sync += waited.eq(waited + (waited != 7))
        with m.Elif(right.o.valid):
            m.d.sync += [waited.eq(0), spoils.eq(waited >= 5)]
        data = right.o.payload.data.as_value()
        if self.job.shape[-1] > 1:
            m.d.comb += self.o.payload.data.eq(data ^ spoils)
        return m


@pytest.mark.slow
def test_a_fault_is_made_small_and_shown_again(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(streampool_sim.soak, "BATCH", 1)
    failure = soak(5, SEED, Forgetful)
    said = capsys.readouterr().out
    assert said.startswith(f"seed {SEED}\n")
    assert failure is not None and failure.what.job.shape[-1] == 2
    assert all(length == 1 for length in failure.what.job.shape[:-1])
    assert f"again: {failure.command}" in said

    monkeypatch.setattr(streampool_sim.soak, "PoolCore", Forgetful)
    assert main(shlex.split(failure.command)[1:]) == 1
    assert capsys.readouterr().out.strip() == failure.fault


def test_a_right_core_soaks_for_as_long_as_is_asked(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(streampool_sim.soak, "BATCH", 1)
    assert main(["soak", "--minutes", "0.001", "--seed", str(SEED)]) == 0
    assert "1 cores, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shape", "1x2"], "--shape has no meaning without --case"),
        (["--case", "3"], "--case needs the run's --seed and --shape"),
        (["--case", "3", "--stalls", "0.5"], "'0.5' is no pair of probabilities"),
    ],
)
def test_half_a_run_is_refused(words, said, capsys):
    try:
        status = main(["soak", *words])
    except SystemExit as end:  # what click refuses
        status = end.code
    assert status == 2
    assert said in capsys.readouterr().err
