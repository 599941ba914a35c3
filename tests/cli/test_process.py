"""The command as a process: its entry points, its pipes, its signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from streampool_sim.signals import STOPS, Stopped, stopping

MODULE = [sys.executable, "-m", "streampool_sim"]
ENTRY_POINT = [str(Path(sys.executable).with_name("streampool"))]


def ended(*words: object, cwd: Path, program: list[str] = MODULE) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*program, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("program", [MODULE, ENTRY_POINT], ids=["module", "entry point"])
def test_a_run(program: list[str], tmp_path: Path):
    np.save(tmp_path / "map.npy", np.arange(16, dtype=np.int8).reshape(4, 4))
    done = ended("run", "map.npy", "--kernel", 2, cwd=tmp_path, program=program)
    assert (done.returncode, done.stderr) == (0, "")
    assert "map-max.npy" in done.stdout
    assert np.load(tmp_path / "map-max.npy").tolist() == [[5, 7], [13, 15]]


def test_a_refusal_is_one_sentence(tmp_path: Path):
    done = ended("run", "nothing.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "streampool: nothing.png is not there.\n"


def test_nobody_reads_the_results(tmp_path: Path):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*MODULE, "explain"],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_standard_output_is_closed(tmp_path: Path):
    np.save(tmp_path / "map.npy", np.arange(16, dtype=np.int8).reshape(4, 4))
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m streampool_sim run map.npy --kernel 2 >&-', sys.executable],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "map-max.npy").exists()


def test_a_terminal_without_our_characters(tmp_path: Path):
    done = subprocess.run(
        [*MODULE, "explain"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path):
    # Large enough that Amaranth's simulator would take minutes.
    np.save(tmp_path / "map.npy", np.zeros((1000, 1000), np.int8))
    with subprocess.Popen(
        [*MODULE, "run", "map.npy", "--engine", "amaranth", "--vcd", "map.vcd"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        # a job in the background starts with interrupts ignored, and would hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stderr is not None
        # It tells how far it is, which is when it is under way.
        assert process.stderr.readline().startswith("streampool: ")
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.endswith("streampool: interrupted\n")
    assert "Traceback" not in rest
    assert [path.name for path in tmp_path.iterdir()] == ["map.npy"]


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_in_a_destructor_is_not_lost(number: int):
    class Passing:
        def __del__(self) -> None:
            signal.raise_signal(number)

    def pass_by() -> None:
        with stopping():
            Passing()
            time.sleep(30)

    with pytest.raises(Stopped) as stop:
        pass_by()
    assert stop.value.status == 128 + number
