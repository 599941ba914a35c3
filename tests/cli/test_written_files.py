"""What is written is whole or not there, whatever comes between; and what fails is named."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from streampool_hw import files
from streampool_sim.sweep import BATCH

MODULE = [sys.executable, "-m", "streampool_sim"]


@pytest.fixture
def array(folder: Path) -> str:
    np.save(folder / "map.npy", np.arange(64, dtype=np.int8).reshape(8, 8))
    return "map.npy"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_files_are_written_or_none(folder: Path):
    old, new = folder / "old", folder / "new"
    old.write_text("before")

    def half() -> None:
        with files.replacing_all(old, new) as parts:
            parts[0].write_text("after")
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        half()
    assert names(folder) == ["old"] and old.read_text() == "before"
    files.write_whole({old: "after", new: b"\xff"})
    assert (old.read_text(), new.read_bytes()) == ("after", b"\xff")


def test_where_one_cannot_take_its_place_all_are_put_back(folder: Path, monkeypatch):
    first, second = folder / "first", folder / "second"
    first.write_text("before")
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == "second":
            raise OSError(errno.EIO, "Input/output error", str(source))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="second"):
        files.write_whole({first: "after", second: "after"})
    assert names(folder) == ["first"] and first.read_text() == "before"


def test_a_full_disk_is_said_with_the_file(folder: Path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as failure:
        files.write_whole({folder / "table.json": "text"})
    assert failure.value.filename == str(folder / "table.json")
    assert names(folder) == []


def test_permissions_and_links_stay(folder: Path):
    (folder / "file").write_text("before")
    (folder / "file").chmod(0o640)
    (folder / "link").symlink_to("file")
    files.write_whole({folder / "link": "after"})
    assert (folder / "link").is_symlink()
    assert (folder / "file").read_text() == "after"
    assert (folder / "file").stat().st_mode & 0o777 == 0o640


def test_statistics_that_cannot_be_written_leave_no_output(
    array: str, folder: Path, command: Command, monkeypatch
):
    real = Path.write_text

    def full(path: Path, *arguments: object, **options: object) -> int:
        if path.suffix == ".json":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *arguments, **options)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Path, "write_text", full)
    done = command("run", array, "--kernel", 2, "--stats", "stats.json")
    assert (done.status, done.out) == (2, "")
    assert done.err == "streampool: stats.json: No space left on device.\n"
    assert names(folder) == ["map.npy"]


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("run map.npy --kernel 2", "map-max.npy"),
        ("run map.npy --kernel 2 --stats s.json", "s.json"),
        ("run map.npy --kernel 2 --vcd w.vcd", "w.vcd"),
        ("run map.npy --kernel 2 --indices i.npy", "i.npy"),
        ("verilog --kernel 2 --shape 1x4x4 --name it", "it_inst.vh"),
        ("synth --device ecp5-25k-6 --kernel 2 --shape 1x4x4 --json p.json", "p.json"),
        ("bench --quick --json b.json", "b.json"),
        ("sweep 1 --results r.jsonl", "r.jsonl"),
    ],
)
def test_what_is_read_only_is_not_replaced(
    words: str, target: str, array: str, folder: Path, refused: Command
):
    (folder / target).write_text("mine")
    (folder / target).chmod(0o444)
    said = refused(*words.split()).err
    assert target in said and "read-only" in said
    assert (folder / target).read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("run map.npy --kernel 2 -o loop.npy", "loop.npy is a link that leads to itself"),
        ("run loop.npy", "loop.npy cannot be read"),
        (
            "verilog --kernel 2 --shape 1x4x4 -o loop",
            "directory 'loop' is not there",
        ),
        ("build --board icebreaker --kernel 2 --shape 1x4x4 -o loop", "loop is a link that"),
        ("synth --device ecp5-25k-6 --kernel 2 --shape 1x4x4 --json loop", "loop is a link that"),
        ("boards -o loop", "loop is a link that"),
        ("sweep 1 --results loop", "loop is a link that"),
        ("bench --from loop", "--from loop cannot be read"),
        ("bench --quick --folder loop", "loop is a link that"),
    ],
)
def test_a_link_that_leads_to_itself(
    words: str, says: str, array: str, folder: Path, refused: Command
):
    for name in ("loop", "loop.npy"):
        (folder / name).symlink_to(name)
    assert says in refused(*words.split()).err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", ["explain", "--version"])
def test_standard_output_that_is_full_is_named(words: str):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*MODULE, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "streampool: standard output: No space left on device.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_statistics_that_cannot_be_printed_leave_no_output(tmp_path: Path):
    words = ["run", "-o", str(tmp_path / "out.npy"), "--kernel", "80", "--stats", "-"]
    with open("/dev/full", "w") as full:
        done = subprocess.run([*MODULE, *words], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())


def stopped(words: list[str], folder: Path, number: int, begun: str) -> subprocess.Popen[str]:
    """Run a command in `folder`, send it a signal when a file named so is there; returns it."""
    environment = {**os.environ, "STREAMPOOL_CACHE": str(folder / "cache"), "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [*MODULE, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not list(folder.rglob(begun)) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(60)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_simulation_leaves_nothing(number: int, folder: Path):
    np.save(folder / "map.npy", np.zeros((600, 600), np.int8))
    words = ["run", "map.npy", "--engine", "amaranth", "--vcd", "map.vcd"]
    process = stopped(words, folder, number, ".*.vcd")
    assert process.returncode == 128 + number
    assert process.stderr is not None
    with process.stderr as said:
        text = said.read()
    assert text.endswith("streampool: stopped\n") and "Traceback" not in text
    assert names(folder) == ["map.npy"]


def test_a_stopped_compile_leaves_nothing(folder: Path):
    np.save(folder / "map.npy", np.zeros((600, 600), np.int8))
    words = ["run", "map.npy", "--engine", "fast"]
    process = stopped(words, folder, signal.SIGTERM, "build-*/model.cc")
    assert process.returncode == 143
    assert names(folder) == ["cache", "map.npy"]
    assert names(folder / "cache") == []


def test_a_stopped_sweep_ends_its_workers_and_leaves_its_results_alone(folder: Path):
    # the second batch is of two cases, which are being compiled while the first one is simulated
    words = ["sweep", str(BATCH + 2), "--jobs", "2", "--results", "kept.jsonl"]
    process = stopped(words, folder, signal.SIGTERM, "running/*/batch-*")
    assert process.returncode == 143
    assert names(folder) == ["build", "kept.jsonl"]
    left = (folder / "build" / "store").rglob("*")
    assert {path.name for path in left} == {"leases", "results", "running"}
    assert len((folder / "kept.jsonl").read_text().splitlines()) == 1
