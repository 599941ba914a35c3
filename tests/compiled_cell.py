"""Verilog of one module, compiled by way of CXXRTL, with its pins to set and to look at."""

import ctypes
import re
import subprocess
from pathlib import Path
from typing import Any

from streampool_hw.export import yosys
from streampool_hw.fpga import tools
from streampool_sim.engines.compiled import cxxrtl_headers, find_compiler


class _Object(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("width", ctypes.c_size_t),
        ("lsb_at", ctypes.c_size_t),
        ("depth", ctypes.c_size_t),
        ("zero_at", ctypes.c_size_t),
        ("curr", ctypes.POINTER(ctypes.c_uint32)),
        ("next", ctypes.POINTER(ctypes.c_uint32)),
    ]


class CompiledCell:
    """A module with ports of one bit, or of several.

    Parameters
    ----------
    verilog : str
        Where the module is in.
    module : str
        Its name.
    parameters : dict
        Of the module.
    folder : Path
        For what is compiled.
    """

    def __init__(self, verilog: str, module: str, parameters: dict[str, Any], folder: Path):
        source, library = folder / "cell.cc", folder / "cell.so"
        for name, value in parameters.items():
            text = f'"{value}"' if isinstance(value, str) else str(value)
            verilog = re.sub(rf"(parameter {name} = )[^;]+;", rf"\g<1>{text};", verilog)
        (folder / "cell.v").write_text(verilog)
        script = (
            "read_verilog cell.v",
            f"hierarchy -top {module}",
            "rename -top cell",
            *("proc", "flatten", "memory_collect", "write_rtlil cell.il"),
        )
        done = tools.run(tools.SYNTHESIZER, ["-q", "-p", "; ".join(script)], folder)
        assert not done.returncode, done.stderr
        rtlil = (folder / "cell.il").read_text()
        text = yosys.run(f"read_rtlil <<rtlil\n{rtlil}\nrtlil\nwrite_cxxrtl -g2\n")
        source.write_text(text)
        flags = ["-std=c++17", "-O0", "-w", "-shared", "-fPIC", "-DCXXRTL_INCLUDE_CAPI_IMPL"]
        command = [
            *find_compiler(),
            *flags,
            f"-I{cxxrtl_headers()}",
            str(source),
            "-o",
            str(library),
        ]
        subprocess.run(command, check=True)
        self._library = loaded = ctypes.CDLL(str(library))
        for name in ("cxxrtl_design_create", "cxxrtl_create"):
            getattr(loaded, name).restype = ctypes.c_void_p
        loaded.cxxrtl_create.argtypes = [ctypes.c_void_p]
        loaded.cxxrtl_step.argtypes = [ctypes.c_void_p]
        loaded.cxxrtl_get_parts.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        loaded.cxxrtl_get_parts.restype = ctypes.POINTER(_Object)
        self._handle = loaded.cxxrtl_create(loaded.cxxrtl_design_create())
        self.step()

    def step(self) -> None:
        self._library.cxxrtl_step(self._handle)

    def _pin(self, name: str) -> Any:
        count = ctypes.c_size_t()
        found = self._library.cxxrtl_get_parts(self._handle, name.encode(), ctypes.byref(count))
        assert count.value == 1, name
        return found[0]

    def set(self, name: str, value: int, width: int | None = None) -> None:
        """Set a pin, or the pins of a bus of `width`."""
        if width is None:
            pin = self._pin(name)
            pin.next[0] = value
            return
        for k in range(width):
            self.set(f"{name}{k}", value >> k & 1)

    def get(self, name: str, width: int) -> int:
        return sum((self._pin(f"{name}{k}").curr[0] & 1) << k for k in range(width))

    def set_port(self, name: str, value: int) -> None:
        """Set a port of any width."""
        pin = self._pin(name)
        for k in range(0, pin.width, 32):
            pin.next[k // 32] = (value & (1 << pin.width) - 1) >> k & 0xFFFFFFFF

    def get_port(self, name: str) -> int:
        pin = self._pin(name)
        return sum(pin.curr[k // 32] << k for k in range(0, pin.width, 32))

    def clock(self, *names: str) -> None:
        for value in (0, 1):
            for name in names:
                self.set(name, value)
            self.step()
        self.step()  # what hangs on registers alone follows in another
