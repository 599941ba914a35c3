"""Compiled models and where they are kept."""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from streampool_golden import PoolSpec
from streampool_hw import PoolCore
from streampool_sim.engines import CompilerMissing, EngineError, fast
from streampool_sim.engines.compiled import SharedObject, cache_folder, find_compiler
from streampool_sim.engines.model import Build


def core(clamp: int = 100) -> PoolCore:
    return PoolCore(PoolSpec("max", 1, clamp=(-5, clamp)), (1, 2, 2))


def build(folder: Path, clamp: int = 100) -> Build:
    return Build([core(clamp)], optimise="-O0", folder=folder)


def test_a_model_is_compiled_once_and_kept_by_content(tmp_path, monkeypatch):
    first = build(tmp_path)
    assert not first.is_built
    first.load()
    assert {path.name for path in tmp_path.iterdir()} == {
        first.path.name,
        first.path.with_suffix(".sha256").name,
    }

    made = core()
    again = Build([made], optimise="-O0", folder=tmp_path)
    assert again.path == first.path
    assert again.is_built
    assert build(tmp_path, clamp=99).path != first.path
    assert Build([core()], optimise="-O1", folder=tmp_path).path != first.path

    def refuse(*_, **__):
        raise AssertionError("compiled again")

    monkeypatch.setattr(SharedObject, "_compile", refuse)
    [model] = again.load()
    beats = np.array([[[-128], [127], [7], [-5]]], np.int8)
    assert fast.run(made, [beats], model=model).out[:, 0].tolist() == [-5, 100, 7, -5]


def test_processes_may_compile_the_same_model_at_once(tmp_path):
    script = (
        "import sys, pathlib\n"
        "from streampool import PoolCore\n"
        "from streampool_golden import PoolSpec\n"
        "from streampool_sim.engines.model import Build\n"
        "core = PoolCore(PoolSpec('max', 1), (1, 2, 2))\n"
        "Build([core], optimise='-O0', folder=pathlib.Path(sys.argv[1])).load()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "models")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: subprocess.run(command, check=False).returncode, range(2)))
    assert done == [0, 0]
    assert len(list((tmp_path / "models").glob("*.so"))) == 1


def test_a_damaged_model_is_compiled_again(tmp_path):
    first = build(tmp_path)
    first.load()
    start = first.path.read_bytes()[:1000]
    first.path.unlink()  # what is loaded stays as it is
    first.path.write_bytes(start)
    made = core()
    again = Build([made], optimise="-O0", folder=tmp_path)
    assert not again.is_built
    [model] = again.load()
    beats = np.array([[[-128], [127], [7], [-5]]], np.int8)
    assert fast.run(made, [beats], model=model).out[:, 0].tolist() == [-5, 100, 7, -5]


def test_cache_folder_by_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMPOOL_CACHE", str(tmp_path / "a"))
    assert cache_folder() == tmp_path / "a"
    monkeypatch.delenv("STREAMPOOL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert cache_folder() == tmp_path / "b" / "streampool"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "c"))
    assert cache_folder() == tmp_path / "c" / ".cache" / "streampool"


def test_a_cache_folder_that_cannot_be_is_replaced_by_a_passing_one(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("STREAMPOOL_CACHE", str(tmp_path / "file"))
    folder = cache_folder()
    assert folder.is_dir()
    assert os.access(folder, os.W_OK)
    assert folder == cache_folder()


def test_without_a_compiler(tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompilerMissing, match=r"no C\+\+ compiler"):
        Build([], folder=tmp_path)


def test_cxx_names_the_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "c++ -DSOMETHING='1 2'")
    assert find_compiler() == ["c++", "-DSOMETHING=1 2"]
    monkeypatch.setenv("CXX", "no-such-compiler -x")
    with pytest.raises(CompilerMissing, match="'no-such-compiler'"):
        find_compiler()


def test_a_compiler_that_fails_leaves_nothing(tmp_path, monkeypatch):
    compiler = tmp_path / "compiler"
    compiler.write_text("#!/bin/sh\necho 'model.cc:1: error: out of ideas' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    folder = tmp_path / "models"
    with pytest.raises(EngineError, match="out of ideas"):
        build(folder).load()
    assert list(folder.iterdir()) == []
