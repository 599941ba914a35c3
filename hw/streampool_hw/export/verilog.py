"""A core as a Verilog file with AXI4-Stream ports, and the files beside it."""

import itertools
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from amaranth.lib import wiring
from amaranth.lib.wiring import Flow
from streampool_golden import BeatLayout, Field, Job, SpecError, __version__
from streampool_golden.errors import meaningless

from ..base import Core
from ..files import write_whole
from ..registry import check_options, make_core
from ..resync import check_resync
from ..slices import Slices
from . import ipxact, texts, yosys
from .axi import AxiCore, check_marks, lane_width, record_width
from .axi_slices import AxiSlices
from .names import CLOCKING, check_inside, check_name, inner_name


class Written(NamedTuple):
    """The files of a core."""

    verilog: Path  # NAME.v: the core
    about: Path  # NAME.json: what there is to say of it
    core: Path  # NAME.core: a FuseSoC core file
    template: Path  # NAME_inst.vh: an instance and its wires, to paste or to include
    constraints: Path  # NAME.sdc: an example of a timing constraint
    component: Path  # NAME.xml: an IP-XACT component, for a catalogue such as Vivado's


def write_verilog(
    core: Core | Slices | Job,
    directory: str | os.PathLike[str],
    name: str | None = None,
    *,
    tkeep: bool = False,
    tuser: bool = False,
    tlast: str = "frame",
    resync: bool = False,
    freq_mhz: float = 100.0,
    **options: Any,
) -> Written:
    """Write a core as ``NAME.v``, describe it in ``NAME.json``, and what helps to fit it in.

    The module `name` has the ports ``aclk`` and ``aresetn`` (active low, synchronous) and the
    members of :class:`AxiCore`, which says what they do. It is Verilog-2005, with nothing beside it
    to compile but the vendor's own cells, where the family has some that pay. Its other modules
    are called ``NAME.core`` and ``NAME.core.*``, so that several cores fit in one design. The
    same arguments give the same files.

    Parameters
    ----------
    core : Core, Slices or Job
        A core, or what it has to do: a `PoolJob`, an `UnpoolJob`. Each of `Slices` has ports of
        its own, as :class:`AxiSlices` says.
    directory : path
        Where to write; it has to be there.
    name : str, optional
        The module, and the files without their suffix; by default ``streampool_OP``.
    tkeep, tuser : bool, optional
        Have these ports too, as :class:`AxiCore` says.
    tlast : {"frame", "line"}, optional
        What ``tlast`` marks the end of.
    resync : bool, optional
        Follow the marks at the input, as :class:`AxiCore` says.
    freq_mhz : float, optional
        The clock that the example of a timing constraint asks for.
    **options
        As `make_core` takes them, where a job is given. ``family`` is the family of devices, one of
        `FAMILIES`, whose own memory is used where that pays.

    Returns
    -------
    Written
        The files. Files of these names are replaced: all, or none when something fails.

    Raises
    ------
    SpecError
        If the name is no Verilog identifier or is reserved, the directory is not there, or an
        option is not what it must be.
    OSError
        If the files cannot be written.
    """
    job = core if isinstance(core, Job) else core.job
    name = f"streampool_{job.op}" if name is None else name
    folder = check_target(directory, name, freq_mhz)
    check_marks(tuser=tuser, tlast=tlast, resync=resync)
    if resync:
        check_resync(job)
    if isinstance(core, Job):
        check_options(core, options, write_verilog)
        core = make_core(core, **options)
    elif options:
        option, value = next(iter(options.items()))
        raise meaningless(option, value, "a core that is there")
    if isinstance(core, Slices):
        if resync:
            raise meaningless("resync", resync, "slices that have streams of their own")
        axi: AxiCore | AxiSlices = AxiSlices(core, tkeep=tkeep, tuser=tuser, tlast=tlast)
    else:
        axi = AxiCore(core, tkeep=tkeep, tuser=tuser, tlast=tlast, resync=resync)
    columns = f" of {job.columns} columns" if job.has_columns else ""
    body, cells = verilog_body(axi, name, f"{job.lanes}{columns}")
    about, summary = describe(axi, name, cells), texts.summary(job, name)
    contents = (  # in the order of `Written`
        texts.verilog_file(texts.heading(axi, about), about, body),
        json.dumps(about, indent=2) + "\n",
        texts.fusesoc_core(about, summary),
        texts.instantiation(about, summary),
        texts.constraints(about, freq_mhz),
        ipxact.component(about, summary),
    )
    written = files_of(folder, name)
    write_whole(dict(zip(written, contents, strict=True)))
    return written


def check_target(directory: str | os.PathLike[str], name: str, freq_mhz: float) -> Path:
    """Return the folder that a core is written to; refuses it, the name or the clock."""
    check_name(name)
    folder = Path(directory)
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "is not there"
        raise SpecError("directory", f"directory {str(folder)!r} {what}; use a folder that exists.")
    if not 0 < freq_mhz < math.inf:
        raise SpecError("freq_mhz", f"freq_mhz {freq_mhz} is no clock; use a number above 0.")
    return folder


def verilog_body(axi: wiring.Component, name: str, lanes: str) -> tuple[str, Iterable[str]]:
    """Return the modules within the module `name`, and the vendor's cells that they have."""
    try:
        rtlil = yosys.to_rtlil(axi, inner_name(name))
    except OverflowError:  # Amaranth's, whose limit is what the Verilog standard promises
        raise SpecError(
            "lanes",
            f"lanes {lanes} would need signals of more than 65536 bits, which Verilog need not"
            " take; use fewer.",
        ) from None
    cells = texts.vendor_cells(rtlil)
    check_inside(name, axi.signature.members, cells)
    return yosys.to_verilog(rtlil) + texts.empty_cells(cells), cells


def ports_of(core: wiring.Component) -> dict[str, tuple[str, int]]:
    """Return the module's ports, in order: direction and width."""
    found: dict[str, tuple[str, int]] = {}
    found |= dict.fromkeys(CLOCKING, ("input", 1))
    for port, member in core.signature.members.items():
        direction = "input" if member.flow is Flow.In else "output"
        found[port] = direction, len(getattr(core, port))
    return found


def files_of(folder: Path, name: str) -> Written:
    """Return where `write_verilog` writes a core of this name."""
    endings = (".v", ".json", ".core", "_inst.vh", ".sdc", ".xml")
    return Written(*(folder / f"{name}{end}" for end in endings))


def describe(core: AxiCore | AxiSlices, name: str, black_boxes: Iterable[str]) -> dict[str, Any]:
    """Return what ``NAME.json`` holds of an elaborated core: docs/integration.md has the keys."""
    job = core.job
    ports = ports_of(core)
    first = "value 0" if job.has_columns else "lane 0"
    beyond = "and columns beyond a row's end " if job.has_columns else ""
    spare = "are null bytes" if f"{core.sides[0][1]}_tkeep" in ports else "hold anything"

    def side(fields: Sequence[Field], layout: BeatLayout) -> dict[str, Any]:
        dtype = fields[0].dtype
        about = {
            "dtype": str(dtype),
            "signed": dtype.signed,
            "lane_bits": dtype.bits,
            "lane_width": record_width(fields),
            "tdata_bits": layout.values * record_width(fields),
            "beats": layout.beats,
        }
        if job.has_columns:
            about["columns"] = layout.columns
            about["beat_order"] = layout.beat_order
            about["values"] = [
                {"bit": value * record_width(fields), "column": column, "lane": lane}
                for value, (column, lane) in enumerate(
                    itertools.product(range(layout.columns), range(job.lanes))
                )
            ]
        for field in fields[1:]:
            place = {"bits": field.dtype.bits, "offset": lane_width(dtype.bits)}
            about[field.name] = {"dtype": str(field.dtype), **place}
        return about

    return {
        "name": name,
        "version": __version__,
        "family": core.core.family,
        "black_boxes": list(black_boxes),
        "spec": job.to_json(),
        "shape": list(job.shape),
        "out_shape": list(job.out_shape),
        "lanes": job.lanes,
        "fold": job.fold,
        "input": side(job.fields_in, job.layout_in),
        "output": side(job.fields_out, job.layout_out),
        "beat_order": job.layout_in.beat_order,
        "lane_order": f"{job.layout_in.lane_order}; {first} in the lowest bits of tdata;"
        f" lanes beyond the last channel {beyond}{spare}",
        **({"tlast": "line"} if core.marks_lines else {}),
        **({"resync": True} if core.resync else {}),
        "cycles_per_frame": core.core.cycles_bound,
        "limit_cycles_per_frame": job.limit_cycles,
        "latency_cycles": core.latency,
        **core.core.facts(),
        **_streams(core),
        "ports": ports,
    }


def _streams(core: AxiCore | AxiSlices) -> dict[str, Any]:
    """Return what there is to say of several pairs of streams; nothing of one."""
    if not isinstance(core, AxiSlices):
        return {}
    slices = core.core
    return {
        "whole_shape": list(slices.job.shape),
        "whole_lanes": slices.job.lanes,
        "streams": [
            {"in": into, "out": out, "channels": slices.channels(number)}
            for number, (into, out) in enumerate(core.sides)
        ],
    }
