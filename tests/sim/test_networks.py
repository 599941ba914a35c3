"""A share of the layers of known networks; ``streampool networks`` runs them all."""

import pytest
from streampool_golden import PoolJob, PoolSpec
from streampool_hw import PoolCore
from streampool_sim import networks
from streampool_sim.engines.model import Build

SHARE = 5


@pytest.mark.parametrize("op", ["max", "avg"])
def test_the_smallest_layers_of_each_operation(op):
    chosen = [(i, job) for i, job in enumerate(networks.jobs()) if job.spec.op == op]
    chosen = sorted(chosen, key=lambda pair: pair[1].limit_cycles)[:SHARE]
    cores = [PoolCore(job) for _, job in chosen]
    models = Build(cores, optimise="-O0").load()
    for (index, job), core, model in zip(chosen, cores, models, strict=True):
        result = networks.check(core, model, index)
        assert result["faults"] == []
        assert result["cycles_per_frame"] == max(job.beats_in, job.beats_out)


def test_what_is_wrong_is_said():
    """A core of another operation than the job says: every kind of fault but cycles."""
    job = PoolJob(PoolSpec("max", 2), (2, 4, 4))
    core = PoolCore(PoolSpec("min", 2), job.shape, job.lanes)
    [model] = Build([core], optimise="-O0").load()
    core.job = job
    [fault] = networks.check(core, model, 0)["faults"]
    assert "left the core where the golden model has" in fault


def test_a_stopped_run_goes_on(tmp_path, monkeypatch, capsys):
    few = sorted(networks.jobs(), key=lambda job: job.limit_cycles)[:3]
    monkeypatch.setattr(networks, "jobs", lambda: few)
    path = tmp_path / "networks.jsonl"
    first = networks.run(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:3]) + "\n" + lines[3][:20])
    capsys.readouterr()
    again = networks.run(path)
    assert capsys.readouterr().err.count("layers,") == 1
    assert [r["cycles_per_frame"] for r in again.values()] == [job.limit_cycles for job in first]
