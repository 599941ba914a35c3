"""Where compiled models are kept: a run goes on where there is no such place, or no room in it."""

import errno
import os
import pwd
from pathlib import Path

import numpy as np
import pytest
from streampool_golden import PoolSpec
from streampool_sim import CompilerMissing, EngineWarning, simulate
from streampool_sim.engines import compiled

X = np.arange(48, dtype=np.int8).reshape(1, 3, 4, 4)


def test_a_user_without_a_home(monkeypatch):
    def nobody(_: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_CACHE_HOME", "STREAMPOOL_CACHE"):
        monkeypatch.delenv(name, raising=False)
    folder = compiled.cache_folder()
    assert folder.is_dir() and os.access(folder, os.W_OK)
    assert folder.name.startswith("streampool-")


@pytest.mark.parametrize(
    ("cxx", "says"),
    [
        ('g++ "', "whose quotes do not match"),
        ("no-such-compiler -O2", "'no-such-compiler', which is no program here"),
        ("{folder}/empty", "cannot be started"),
    ],
)
def test_a_compiler_that_is_none(cxx: str, says: str, monkeypatch, tmp_path: Path):
    (tmp_path / "empty").write_bytes(b"\x7fELF")
    (tmp_path / "empty").chmod(0o755)
    monkeypatch.setenv("CXX", cxx.format(folder=tmp_path))
    with pytest.raises(CompilerMissing, match=says):
        compiled.SharedObject(["x"], "-O0")
    with pytest.warns(EngineWarning, match=says):
        result = simulate(PoolSpec("max", 2), X, engine="fast")
    assert result.stats["matches_golden"]
    assert result.stats["engine"] == "amaranth"


def test_a_full_disk_under_the_cache(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("STREAMPOOL_CACHE", str(tmp_path))
    real = Path.write_text

    def full(path: Path, *arguments: str, **options: str) -> int:
        if tmp_path in path.parents:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    library = compiled.SharedObject(["full"], "-O0").library(
        lambda: 'extern "C" __attribute__((visibility("default"))) int seven() { return 7; }'
    )
    assert library.seven() == 7
    assert list(tmp_path.iterdir()) == []


def test_no_room_anywhere(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("STREAMPOOL_CACHE", str(tmp_path))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.warns(EngineWarning, match="cannot be written to .*: No space left on device"):
        result = simulate(PoolSpec("max", 2), X, engine="fast")
    assert result.stats["engine"] == "amaranth"
