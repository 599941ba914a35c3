"""Several columns a beat on the command line."""

import json

import numpy as np
import pytest
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_sim import simulate


def test_run_takes_columns_and_says_so(command, folder):
    np.save(folder / "x.npy", np.arange(-60, 60, dtype=np.int8).reshape(1, 2, 6, 10))
    done = command(
        *[
            "run",
            "x.npy",
            "--kernel",
            "2",
            "--columns",
            "4",
            "--lanes",
            "1",
            "--engine",
            "amaranth",
            "--stats",
            "-",
        ]
    )
    assert done.status == 0
    stats = json.loads(done.out)
    assert (stats["columns"], stats["columns_out"], stats["lanes"]) == (4, 2, 1)
    assert stats["cycles_per_frame"] == stats["limit_cycles_per_frame"] == 2 * 6 * 3
    assert stats["matches_golden"]


def test_one_column_is_said_nowhere(command, folder):
    np.save(folder / "x.npy", np.zeros((1, 1, 4, 4), np.int8))
    done = command(
        *["run", "x.npy", "--kernel", "2", "--columns", "1", "--engine", "amaranth", "--stats", "-"]
    )
    assert done.status == 0 and "columns" not in json.loads(done.out)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--columns 65", "columns must be an integer from 1 to 64, for rows of 4, not 65"),
        ("--columns 0", "--columns '0' is not possible; use a whole number of 1 or more"),
        ("--kernel 2x1 --stride 1 --columns 4 --columns-out 3", "3 does not fit stride 1"),
        ("--op unpool --size 8x8 --columns 2", "--columns has no meaning with --op unpool"),
        ("--op unpool --size 8x8 --columns-out 2", "--columns-out has no meaning with --op unpool"),
    ],
)
def test_refusals(command, options, sentence):
    done = command("verilog", "--shape", "1x6x4", *options.split())
    assert done.status == 2 and sentence in done.err.replace("\n", " ")


def test_simulate_takes_columns_of_a_specification_alone():
    x = np.arange(-40, 40, dtype=np.int8).reshape(1, 1, 4, 20)
    spec = PoolSpec("max", 3, 1, 1)
    result = simulate(spec, x, columns=4, engine="amaranth")
    assert result.mismatch is None and result.core.job.columns == 4
    job = PoolJob(spec, (1, 4, 20), 1, 4)
    with pytest.raises(SpecError, match="columns 2 is not the job's 4; leave it out"):
        simulate(job, x, columns=2)


def test_waveforms_follow_beats_of_several_columns(command, folder):
    np.save(folder / "x.npy", np.zeros((1, 1, 4, 10), np.int8))
    done = command(
        *("run", "x.npy", "--kernel", 2, "--columns", 4, "--vcd", "x.vcd", "--frames", 1)
    )
    assert done.status == 0 and (folder / "x.gtkw").is_file()


def test_the_table_of_columns_stands_alone(refused):
    done = refused("fpga", "--columns", "--devices", "ice40-hx8k")
    assert "--devices has no meaning with --columns; leave it out" in done.err
