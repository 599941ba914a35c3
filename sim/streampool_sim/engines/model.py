"""Compiled models: core to RTLIL to C++ (CXXRTL) to a shared object, kept by content.

Yosys' `write_cxxrtl` flattens a core into one C++ class; `driver.cc` is instantiated for it, and
both are compiled into one shared object. Several cores may share one: reading the headers once
for many small cores is what makes a sweep of thousands quick.
"""

import ctypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from streampool_golden import Field
from streampool_hw import Core
from streampool_hw.export import yosys

from streampool_sim.frames import container

from .compiled import SharedObject
from .netlist import Netlist, cpp_class, gates_source
from .trace import EngineError


@dataclass(frozen=True)
class Model:
    """A compiled core: three functions of a loaded shared object (see `driver.cc`).

    `make` returns the address of an instance in its state after power-up, which `free` frees; it
    takes the `variant`, which goes to the input of this name where the design has one. `run` takes
    that address, the address of a batch and a number of clocks, and returns a status.
    """

    make: Callable[[int], int]
    free: Callable[[int], None]
    run: Callable[[int, Any, int], int]
    variant: int = 0


class Build(SharedObject):
    """Cores that are to be compiled into one shared object, each to a model of its own.

    They are elaborated at once, since the key is their RTLIL. The compiler's level `optimise` is
    ``-O3`` for one core and long runs, ``-O0`` for many cores and short runs. With `netlists` each
    core's netlist after synthesis is played in its place, and with `rtlil` a module ``top`` of the
    same ports.
    """

    def __init__(
        self,
        cores: Sequence[Core],
        *,
        optimise: str = "-O3",
        folder: Path | None = None,
        netlists: Sequence[Netlist] | None = None,
        rtlil: Sequence[str] | None = None,
    ):
        self._driver = (
            resources.files("streampool_sim.engines").joinpath("driver.cc").read_text("utf-8")
        )
        self._netlists = netlists
        if netlists is None:
            self._texts = list(rtlil or (yosys.to_rtlil(core, "top") for core in cores))
        else:
            self._texts = [gates_source(), *(cpp_class(each, "_") for each in netlists)]
        self._runs = [_run_type(core) for core in cores]
        super().__init__([self._driver, *self._runs, *self._texts], optimise, folder)

    def load(self) -> list[Model]:
        """Compile what is not there yet, load it, and return a model for each core."""
        library = self.library(self._source)
        return [self._model(library, index) for index in range(len(self._runs))]

    def _model(self, library: ctypes.CDLL, index: int) -> Model:
        make, free, run = (
            library[f"{verb}_{self.name}_{index}"] for verb in ("make", "free", "run")
        )
        make.argtypes, make.restype = [ctypes.c_uint32], ctypes.c_void_p
        free.argtypes, free.restype = [ctypes.c_void_p], None
        run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
        run.restype = ctypes.c_int32
        return Model(make, free, run)

    def _source(self) -> str:
        names = [f"model_{self.name}_{index}" for index in range(len(self._runs))]
        if self._netlists is None:
            parts = [cxxrtl_classes(self._texts, names), self._driver]
        else:
            classes = map(cpp_class, self._netlists, names)
            parts = ["#include <cxxrtl/cxxrtl.h>", self._texts[0], *classes, self._driver]
        for index, run in enumerate(self._runs):
            suffix, top = f"{self.name}_{index}", f"{names[index]}::p_top"
            parts.append(
                f"""
#define TOP {top}
EXPORT void *make_{suffix}(uint32_t variant) {{ return streampool::made<TOP>(variant); }}
EXPORT void free_{suffix}(void *top) {{ delete static_cast<TOP *>(top); }}
EXPORT int32_t run_{suffix}(void *top, void *batch, int64_t clocks) {{
    using namespace streampool;
    return run<TOP, {run}>(
        *static_cast<TOP *>(top), *static_cast<Batch *>(batch), clocks);
}}
#undef TOP
"""
            )
        return "\n".join(parts)


def cxxrtl_classes(texts: Iterable[str], names: Iterable[str]) -> str:
    """Return C++ of each RTLIL's class, in a namespace of its own: a process has many."""
    script: list[str] = []
    for text, name in zip(texts, names, strict=True):
        script.append(f"read_rtlil <<rtlil\n{text}\nrtlil")
        script.append(f"write_cxxrtl -g0 -namespace {name}")
        script.append("delete")
    try:
        return yosys.run("\n".join(script) + "\n")
    except yosys.ToolError as error:
        raise EngineError(f"the core cannot be turned into C++: {error}") from None


def _run_type(core: Core) -> str:
    """The driver's template arguments for a core, without the model's class."""
    job = core.job
    sides = []
    marks = [f"Field<1, {len(core.marks)}, uint8_t>"] if core.marks else []
    for fields, layout, more in (
        (job.fields_in, job.layout_in, marks),
        (job.fields_out, job.layout_out, []),
    ):
        types = [f"Field<{layout.values}, {each.port.bits}, {_c_type(each)}>" for each in fields]
        sides.append(f"Fields<{', '.join([*types, *more])}>")
    return ", ".join(sides)


def _c_type(field: Field) -> str:
    """The C++ type of a value in memory; what is unsigned at the port is not sign-extended."""
    return f"{'' if field.port.signed else 'u'}int{8 * container(field).itemsize}_t"
