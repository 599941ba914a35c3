"""A run-time core as a Verilog file with AXI ports, and the files beside it."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from streampool_golden import __version__
from streampool_golden.errors import meaningless, refuse_unknown, wrong

from ..files import write_whole
from ..runtime.maxima import Maxima
from ..runtime.registers import ADDRESS_BITS
from ..runtime.resync import RuntimeCore, runtime_core
from . import ipxact, register_texts, texts
from .axi import lane_width
from .axi_runtime import LITE, AxiRuntimeCore
from .verilog import check_target, ports_of, verilog_body

NAME = "streampool_runtime"
"""What the module is called if nothing is said."""


class RuntimeWritten(NamedTuple):
    """The files of a run-time core: those of `Written`, and its registers."""

    verilog: Path
    about: Path
    core: Path
    template: Path
    constraints: Path
    component: Path
    header: Path  # NAME.h: the registers, for C
    driver: Path  # NAME_driver.h: what writes jobs, in C
    planner: Path  # NAME_plan.h: what plans them, of maxima and minima
    registers: Path  # NAME.rdl: the registers, in SystemRDL


def write_runtime_verilog(
    core: RuntimeCore | Maxima,
    directory: str | os.PathLike[str],
    name: str = NAME,
    *,
    freq_mhz: float = 100.0,
    **options: Any,
) -> RuntimeWritten:
    """Write a run-time core as ``NAME.v``, and what describes it and its registers.

    As `write_verilog` does for a core of one job; the ports are those of :class:`AxiRuntimeCore`.

    Parameters
    ----------
    core : RuntimePoolCore, RuntimeResyncCore or Maxima
        A core, or what it is made for.
    directory : path
        Where to write; it has to be there.
    name : str, optional
        The module, and the files without their suffix.
    freq_mhz : float, optional
        The clock that the example of a timing constraint asks for.
    **options
        ``family``, where maxima are given, and ``resync`` and ``marks``, as of a
        `RuntimeResyncCore`.

    Returns
    -------
    RuntimeWritten
        The files: all, or none when something fails.

    Raises
    ------
    SpecError
        If the core, the name, the directory or an option is not what it must be.
    OSError
        If the files cannot be written.
    """
    folder = check_target(directory, name, freq_mhz)
    refuse_unknown(options, ["family", "resync", "marks"], "option")
    if isinstance(core, Maxima):
        core = runtime_core(core, **options)
    elif not isinstance(core, RuntimeCore):
        raise wrong("core", "a RuntimePoolCore or Maxima", core)
    elif options:
        name, value = next(iter(options.items()))
        raise meaningless(name, value, "a core that is there")
    axi, maxima = AxiRuntimeCore(core), core.maxima
    body, cells = verilog_body(axi, name, str(maxima.lanes))
    about = describe(axi, name, cells)
    summary = f"{name}: {_title(maxima)}, whose job is written to registers"
    contents = (  # in the order of `RuntimeWritten`
        texts.verilog_file(_heading(axi, about), about, body),
        json.dumps(about, indent=2) + "\n",
        texts.fusesoc_core(about, summary),
        texts.instantiation(about, summary),
        texts.constraints(about, freq_mhz),
        ipxact.component(about, summary),
        register_texts.c_header(name, maxima, axi.places, __version__),
        register_texts.c_driver(name, __version__),
        register_texts.c_planner(name, __version__),
        register_texts.system_rdl(name, maxima, axi.places, __version__),
    )
    written = runtime_files_of(folder, name)
    write_whole(dict(zip(written, contents, strict=True)))
    return written


def runtime_files_of(folder: Path, name: str) -> RuntimeWritten:
    """Return where `write_runtime_verilog` writes a core of this name."""
    endings = (".v", ".json", ".core", "_inst.vh", ".sdc", ".xml")
    endings += (".h", "_driver.h", "_plan.h", ".rdl")
    return RuntimeWritten(*(folder / f"{name}{end}" for end in endings))


def describe(axi: AxiRuntimeCore, name: str, black_boxes: Iterable[str]) -> dict[str, Any]:
    """Return what ``NAME.json`` holds: docs/runtime.md has the keys."""
    core = axi.core
    lanes = core.maxima.lanes

    def side(lane_bits: int) -> dict[str, int]:
        width = lane_width(lane_bits)
        return {"lane_bits": lane_bits, "lane_width": width, "tdata_bits": lanes * width}

    return {
        "name": name,
        "version": __version__,
        "family": core.family,
        "black_boxes": list(black_boxes),
        "maxima": asdict(core.maxima),
        "lanes": lanes,
        "input": side(core.maxima.bits),
        "output": side(len(core.o.payload.data[0])),
        "beat_order": "positions in raster order, their channel groups one after the other",
        "lane_order": "lane 0 has the first channel of a group, in the lowest bits of tdata; lanes"
        " beyond the last channel hold anything",
        "latency_cycles": core.latency,
        "take_over_cycles": core.TAKE_OVER,
        **({"resync": True} if axi.resync else {}),
        "address_bits": len(axi.s_axil_awaddr),
        "registers": [
            {
                "name": place.name,
                "address": place.byte,
                "count": place.register.many,
                "access": place.register.access,
                "fields": {
                    field.name: [field.low, field.bits]
                    for field in place.register.fields
                    if field.bits
                },
            }
            for place in axi.places
        ],
        "ports": ports_of(axi),
    }


def _title(maxima: Maxima) -> str:
    return (
        f"{' and '.join(maxima.operations)} pooling of {maxima.lanes} lanes of {maxima.bits} bits"
    )


def _errors(axi: AxiRuntimeCore) -> list[str]:
    """Say what becomes of frames whose marks are out of place."""
    until = "until it is cleared in the status, or reset"
    if axi.resync:
        return [f"frame_error: a frame was out of step; {until}", *texts.RESYNCED]
    return [
        "frame_error: an s_axis_tlast was missing or out of place, which changes no data; until it",
        "    is cleared in the status, or reset",
    ]


def _heading(axi: AxiRuntimeCore, about: dict[str, Any]) -> list[str]:
    most = axi.core.maxima
    return [
        *texts.title(about, "run-time pooling"),
        f"{_title(most)}; a job's sizes, kernel and stride are written over AXI4-Lite",
        f"at most {most.max_partials} partials of a position, {most.max_fold:,} beats of one,"
        f" {most.max_row:,} beats of",
        f"    a row of outputs, {most.max_words} words of a program, {most.max_length:,} positions"
        " of an axis",
        f"for {texts.family_of(about)}",
        f"{LITE}*: the registers, {4 << ADDRESS_BITS:,} bytes; {about['name']}.h and"
        f" {about['name']}.rdl have them",
        "s_axis: frames of the job at work; before the first job s_axis_tready is low",
        f"{about['beat_order']};",
        f"{about['lane_order']}",
        "m_axis: frames pooled; m_axis_tlast is high on a frame's last beat",
        f"latency {about['latency_cycles']} clocks; a job is that of the first frame that begins"
        f" {about['take_over_cycles']} clocks or",
        "    more after its arming",
        "aresetn: low at one rising edge of aclk or more; from it on m_axis_tvalid is low. Lost",
        "    are all that was under way, the job and the registers",
        *_errors(axi),
        "irq: a flag of the status is set that the interrupt register asks for",
    ]
