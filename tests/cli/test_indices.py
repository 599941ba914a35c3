"""`--indices` and `--op unpool`, with the simulated cores."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from streampool_golden import BASES, PoolJob, PoolSpec, UnpoolJob, pool_with_indices, unpool

pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")

RNG = np.random.default_rng(4)
MAP = RNG.integers(-3, 4, (2, 3, 5, 8), np.int8)


@pytest.fixture
def source(folder: Path) -> Path:
    """Return a .npy of two frames of three channels with many equal values."""
    np.save(folder / "map.npy", MAP)
    return Path("map.npy")


@pytest.mark.parametrize("base", BASES)
def test_indices_are_written_beside_values(source: Path, command: Command, base: str):
    option = base.replace("_", "-")
    done = command(
        *("run", source, "-o", "small.npy", "--kernel", "2", "--indices", "where.npy"),
        *(() if base == "plane" else ("--index-base", option)),
        *("--engine", "amaranth"),
    )
    assert done.status == 0
    assert f"indices {option}" in done.out and "where.npy" in done.out
    values, indices = pool_with_indices(PoolSpec("max", 2, indices=base), MAP)
    assert np.array_equal(np.load("small.npy"), values)
    written = np.load("where.npy")
    assert written.dtype == np.int64 and np.array_equal(written, indices)


def test_there_and_back(source: Path, command: Command):
    """Channels last, with stalls: each maximum is where it was, zero everywhere else."""
    np.save("last.npy", np.moveaxis(MAP, 1, -1))
    pooled = ("run", "last.npy", "-o", "small.npy", "--kernel", "2x3", "--layout", "NHWC")
    assert command(*pooled, "--indices", "where.npy", "--engine", "amaranth").status == 0
    done = command(
        *("run", "small.npy", "--layout", "NHWC", "--op", "unpool", "--indices", "where.npy"),
        *("--size", "5x8", "-o", "back.npy", "--lanes", "2", "--stats", "stats.json"),
        *("--stall", "0.3", "--engine", "amaranth"),
    )
    assert done.status == 0, done.err
    assert "equals the golden model bit for bit" in done.out
    values, indices = pool_with_indices(PoolSpec("max", (2, 3), indices="plane"), MAP)
    back = np.moveaxis(np.load("back.npy"), -1, 1)
    assert np.array_equal(back, unpool(values, indices, (5, 8)))
    assert ((back == MAP) | (back == 0)).all()
    stats = json.loads(Path("stats.json").read_text())
    job = UnpoolJob(values.shape[1:], (5, 8), 2)
    assert stats["matches_golden"] is True
    assert stats["spec"]["op"] == "unpool" and stats["out_shape"] == [3, 5, 8]
    assert stats["store_words"] == 2 * job.beats_out and stats["clear_cycles"] == job.beats_out
    assert stats["bound_cycles_per_frame"] == job.limit_cycles


@pytest.mark.parametrize("base", BASES)
def test_back_from_every_base(source: Path, command: Command, base: str):
    """A frame goes back to the same places, however its indices are numbered."""
    values, indices = pool_with_indices(PoolSpec("max", 2, indices=base), MAP)
    np.save("small.npy", values)
    np.save("where.npy", indices)
    done = command(
        *("run", "small.npy", "--op", "unpool", "--indices", "where.npy", "--size", "5x8"),
        *("-o", "back.npy", "--index-base", base, "--engine", "amaranth"),
    )
    assert done.status == 0, done.err
    assert np.array_equal(np.load("back.npy"), unpool(values, indices, (5, 8), indices_base=base))


def test_a_wrong_index_is_a_mismatch(source: Path, command: Command, monkeypatch):
    right = PoolJob.indices

    def wrong(job: PoolJob, x: np.ndarray):
        indices = right(job, x)
        return indices + (np.arange(indices.size) == 7).reshape(indices.shape)

    monkeypatch.setattr(PoolJob, "indices", wrong)
    done = command(
        *("run", source, "-o", "small.npy", "--kernel", "2", "--indices", "where.npy"),
        *("--engine", "amaranth"),
    )
    assert done.status == 1
    assert "mismatch frame 0, channel 0, position (1, 3): index " in done.out
    assert "(1 indices differ)" in done.out


def test_verilog(folder: Path, command: Command):
    done = command(
        *("verilog", "--kernel", "2", "--index-base", "flat-columns", "--shape", "3x4x8"),
        *("--lanes", "1", "--name", "there"),
    )
    assert done.status == 0, done.err
    about = json.loads(Path("there.json").read_text())
    assert about["spec"]["indices"] == "flat_columns" and about["output"]["index"]["bits"] == 7
    done = command("verilog", "--op", "unpool", "--shape", "3x2x4", "--size", "4x8", "--lanes", "1")
    assert done.status == 0 and "MaxUnpool of 3x2x4 to 3x4x8" in done.out
    about = json.loads(Path("streampool_unpool.json").read_text())
    assert about["out_shape"] == [3, 4, 8] and about["output"]["beats"] == 96


BUILD = ("build", "--board", "icebreaker", "--kernel", "2")
BACK = ("run", "map.npy", "--op", "unpool")
REFUSED = [
    (("run", "map.npy", "--indices", "where.png"), "--indices where.png"),
    (("run", "map.npy", "--indices", "map.npy"), "--indices map.npy is INPUT too"),
    (("run", "map.npy", "--indices", "map-max.npy"), "map-max.npy is --indices too"),
    (("run", "map.npy", "-o", "out.npy", "--indices", "../work/out.npy"), "is --indices too"),
    (("run", "map.npy", "-o", "../work/map.npy"), "--output ../work/map.npy is INPUT too"),
    (("run", "map.npy", "--op", "avg", "--indices", "where.npy"), "op avg"),
    (("run", "map.npy", "--index-base", "flat"), "--indices FILE.npy"),
    (("run", "map.npy", "--index-base", "rows"), "rows"),
    (("run", "map.npy", "--size", "4x4"), "--size"),
    ((*BACK, "--size", "9x9", "--indices", "where.npy", "-o", "map.npy"), "is INPUT too"),
    ((*BACK, "--size", "9x9", "--indices", "where.npy", "-o", "where.npy"), "is --indices too"),
    ((*BACK, "--indices", "where.npy"), "--size HxW"),
    ((*BACK, "--size", "9x9"), "--indices FILE.npy"),
    ((*BACK, "--size", "9x9", "--indices", "gone.npy"), "gone.npy is not there"),
    ((*BACK, "--size", "9x9", "--indices", "where.png"), "where.png"),
    ((*BACK, "--size", "9x9", "--indices", "few.npy"), "(2, 3, 5, 7)"),
    ((*BACK, "--size", "5x7", "--indices", "where.npy"), "one is 39"),
    ((*BACK, "--size", "9x9", "--indices", "where.npy", "--index-base", "flat"), "plane 0"),
    ((*BACK, "--size", "9", "--indices", "where.npy"), "2 spatial axes"),
    ((*BACK, "--size", "9x9", "--indices", "where.npy", "--kernel", "2"), "--kernel"),
    ((*BACK, "--size", "9x9", "--indices", "where.npy", "--nan", "propagate"), "--nan"),
    (
        (*BACK, "--size", "9x9", "--indices", "where.npy", "--no-count-include-pad"),
        "--no-count-include-pad",
    ),
    ((*BACK, "--size", "0x4", "--indices", "where.npy"), "size must be"),
    ((*BACK, "--size", "9x9", "--indices", "real.npy"), "float64; use an array of integers"),
    ((*BACK, "--size", "9x9", "--indices", "where.npy", "--dtype", "int4"), "int4"),
    ((*BACK, "--size", "9x9", "--indices", "where.npy", "--lanes", "4"), "--lanes 4"),
    (("run", "--op", "unpool", "--size", "9x9", "--indices", "where.npy"), "INPUT"),
    (("verilog", "--op", "unpool", "--shape", "1x2x2"), "--size HxW"),
    (("verilog", "--op", "unpool", "--shape", "1x2x2", "--size", "4"), "shape"),
    (("verilog", "--kernel", "2", "--shape", "1x4x4", "--size", "4x4"), "--size"),
    (
        ("verilog", "--op", "unpool", "--shape", "1x2x2", "--size", "4x4", "--family", "ecp5"),
        "--family",
    ),
    (
        ("verilog", "--op", "unpool", "--shape", "1x2x2", "--size", "4x4", "--index-base", "flat"),
        "--index-base flat",
    ),
    (("explain", "--op", "unpool"), "unpool"),
    (
        (*BUILD, "--shape", "1x4x4", "--index-base", "plane"),
        "--index-base",
    ),
]


@pytest.mark.parametrize(("words", "says"), REFUSED)
def test_refusals(source: Path, refused: Command, words: tuple[str, ...], says: str):
    np.save("where.npy", np.arange(MAP.size).reshape(MAP.shape) % 40)
    np.save("real.npy", np.zeros(MAP.shape))
    np.save("few.npy", np.zeros((2, 3, 5, 7), np.int64))
    assert says in refused(*words).err
