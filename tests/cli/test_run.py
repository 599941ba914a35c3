"""`streampool run`, with the simulated core."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import Command
from PIL import Image
from streampool_golden import AvgPool2d, MaxPool2d, PoolJob, PoolSpec, __version__, pool
from streampool_sim import EngineError
from streampool_sim.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::streampool_golden.SpecWarning")

RNG = np.random.default_rng(2)
MAP = RNG.integers(-128, 128, (2, 3, 9, 8), np.int8)

STATS = {
    "version",
    "spec",
    "shape",
    "out_shape",
    "lanes",
    "engine",
    "frames",
    "frames_simulated",
    "beats_in",
    "beats_out",
    "cycles",
    "cycles_per_frame",
    "limit_cycles_per_frame",
    "latency_cycles",
    "first_output_cycles",
    "row_store_words",
    "column_store_words",
    "limit_row_store_words",
    "store_bits",
    "matches_golden",
    "freq_mhz",
    "frames_per_second",
    "seconds",
    "cycles_per_second",
    "stall",
    "warnings",
}


@pytest.fixture
def source(folder: Path) -> Path:
    """Return a .npy of two frames of three channels."""
    np.save(folder / "map.npy", MAP)
    return Path("map.npy")


def test_the_usual_first_pooling(source: Path, command: Command):
    done = command("run", source, "--stats", "stats.json")
    assert done.status == 0
    spec = MaxPool2d(3, 2, 1)
    assert np.array_equal(np.load("map-max.npy"), pool(spec, MAP))
    assert "equals the golden model bit for bit" in done.out
    assert "map-max.npy" in done.out
    assert "72 per frame, limit 72" in done.out
    assert "at 100 MHz (assumed)" in done.out
    stats = json.loads(Path("stats.json").read_text())
    assert stats.keys() >= STATS
    assert stats["version"] == __version__
    assert PoolSpec.from_json(stats["spec"]) == spec
    assert stats["shape"] == [3, 9, 8]
    assert stats["out_shape"] == [3, 5, 4]
    assert stats["lanes"] == 3
    assert stats["frames"] == 2
    assert stats["frames_simulated"] >= 5
    assert stats["beats_in"] == 72
    assert stats["beats_out"] == 20
    assert stats["cycles_per_frame"] == stats["limit_cycles_per_frame"] == 72
    assert stats["row_store_words"] <= stats["limit_row_store_words"] == 4
    assert stats["matches_golden"] is True
    assert stats["freq_mhz"] == 100
    assert stats["frames_per_second"] == pytest.approx(1e8 / 72)
    assert stats["warnings"] == []


def test_statistics_on_standard_output_are_json_alone(source: Path, command: Command):
    done = command("run", source, "--op", "avg", "--kernel", 2, "--freq", 200, "--stats", "-")
    assert done.status == 0
    stats = json.loads(done.out)
    assert stats.keys() >= STATS
    assert stats["output"] == "map-avg.npy"
    assert stats["frames_per_second"] == pytest.approx(2e8 / 72)
    assert "equals the golden model bit for bit" in done.err
    assert np.array_equal(np.load("map-avg.npy"), pool(AvgPool2d(2), MAP))


def test_stalls_change_the_cycles_and_no_value(source: Path, command: Command):
    words = ("run", source, "--kernel", 3, "--stall", 0.4, "--stats", "-")
    first, again, other = (json.loads(command(*words, "--seed", n).out) for n in (1, 1, 2))
    assert first["stall"] == 0.4
    assert first["cycles_per_frame"] > first["limit_cycles_per_frame"]
    assert first["cycles"] == again["cycles"] != other["cycles"]
    assert np.array_equal(np.load("map-max.npy"), pool(MaxPool2d(3), MAP))


def test_lanes_fold_the_channels(source: Path, command: Command):
    stats = json.loads(command("run", source, "--kernel", 2, "--lanes", 2, "--stats", "-").out)
    assert stats["lanes"] == 2
    assert stats["beats_in"] == 144
    assert stats["cycles_per_frame"] == 144


def test_one_axis(folder: Path, command: Command):
    steps = RNG.integers(0, 32, (1, 20, 2), np.uint8)
    np.save("steps.npy", steps)
    done = command(
        *("run", "steps.npy", "--layout", "NWC", "--op", "sum", "--kernel", 4, "--dtype", "uint5"),
        *("--stats", "-"),
    )
    assert done.status == 0
    assert json.loads(done.out)["row_store_words"] == 0
    assert np.array_equal(
        np.load("steps-sum.npy"), steps.reshape(1, 5, 4, 2).sum(2).astype(np.uint8)
    )


def test_a_picture(folder: Path, command: Command):
    rgb = RNG.integers(0, 256, (7, 9, 3), np.uint8)
    Image.fromarray(rgb).save("cat.png")
    assert command("run", "cat.png", "-o", "small.png").status == 0
    with Image.open("small.png") as image:
        small = np.array(image)
    assert np.array_equal(small, pool(MaxPool2d(3, 2, 1).replace(dtype="uint8"), rgb, "NHWC"))


def test_waveforms(folder: Path, command: Command):
    np.save("map.npy", MAP[0, 0, :4, :4])
    assert command("run", "map.npy", "--kernel", 2, "--vcd", "map.vcd").status == 0
    assert Path("map.vcd").read_text().count("$enddefinitions") == 1
    assert Path("map.gtkw").read_text().startswith('[dumpfile] "map.vcd"')


@pytest.mark.parametrize(("frames", "kept"), [(1, 1), (2, 2), (9, 3)])
def test_the_first_frames_alone(folder: Path, command: Command, frames: int, kept: int):
    maps = RNG.integers(-128, 128, (3, 1, 4, 4)).astype(np.int8)
    np.save("maps.npy", maps)
    how = ("--layout", "NCHW", "--kernel", 2, "--stats", "stats.json", "-o", "small.npy")
    assert command("run", "maps.npy", *how, "--frames", frames).status == 0
    assert np.array_equal(np.load("small.npy"), pool(PoolSpec("max", 2), maps[:kept]))
    assert json.loads(Path("stats.json").read_text())["frames_simulated"] == kept


def test_a_warning_is_said_once(folder: Path, command: Command):
    np.save("map.npy", MAP[0, 0, :8, :8])
    done = command("run", "map.npy", "--kernel", 1, "--stride", 3, "--stats", "stats.json")
    assert done.status == 0
    told = json.loads(Path("stats.json").read_text())["warnings"]
    assert told
    for message in told:
        assert done.err.count(message) == 1


def test_a_jpeg_is_said_to_be_rough(folder: Path, command: Command, model: SimpleNamespace):
    Image.fromarray(MAP[0, 0].view(np.uint8)).save("cat.jpg")
    done = command("run", "cat.jpg", "--kernel", 2)
    assert done.status == 0
    assert "warning: cat-max.jpg is a JPEG" in done.err


def test_a_mismatch_is_told_and_ends_with_1(
    source: Path, command: Command, monkeypatch: pytest.MonkeyPatch
):
    # A golden model that is wrong in one value.
    right = PoolJob.reference

    def wrong(job: PoolJob, x: np.ndarray) -> tuple[np.ndarray, ...]:
        [result] = right(job, x)
        result[1, 2, 0, 1] ^= 1
        return (result,)

    monkeypatch.setattr(PoolJob, "reference", wrong)
    done = command("run", source, "--kernel", 2, "--stats", "stats.json")
    assert done.status == 1
    assert "DIFFERS from the golden model" in done.out
    assert "channel 2" in done.out
    assert json.loads(Path("stats.json").read_text())["matches_golden"] is False


def test_a_core_that_gets_stuck_ends_with_1(
    source: Path, command: Command, monkeypatch: pytest.MonkeyPatch
):
    def stuck(*_: object, **__: object) -> None:
        raise EngineError("the core stopped")

    monkeypatch.setattr("streampool_sim.cli.run.simulate", stuck)
    done = command("run", source, "--kernel", 2)
    assert done.status == 1
    assert done.err == "streampool: the core stopped.\n"
    assert not Path("map-max.npy").exists()


def test_control_c_ends_with_130(source: Path, command: Command, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("streampool_sim.cli.run.simulate", interrupted)
    done = command("run", source, "--kernel", 2)
    assert done.status == 130
    assert done.err == "streampool: interrupted\n"
    assert [path.name for path in Path().iterdir()] == ["map.npy"]


def test_a_full_disk_leaves_what_was_there(
    source: Path, command: Command, model: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    Path("map-max.npy").write_text("old")

    def full(file: object, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "map-max.npy")

    monkeypatch.setattr(np, "save", full)
    done = command("run", source)
    assert done.status == 2
    assert done.err == "streampool: map-max.npy: No space left on device.\n"
    assert Path("map-max.npy").read_text() == "old"
    assert sorted(path.name for path in Path().iterdir()) == ["map-max.npy", "map.npy"]


@pytest.mark.parametrize("word", ["run", "verilog", "explain"])
def test_help_has_examples(word: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main([word, "--help"])
    assert end.value.code == 0
    assert f"examples:\n  streampool {word} " in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"streampool {__version__}\n"
