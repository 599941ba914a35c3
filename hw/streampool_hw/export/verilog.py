"""A pooling core as a Verilog file with AXI4-Stream ports, and the files beside it."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from amaranth.lib.wiring import Flow
from streampool_golden import DType, PoolJob, PoolSpec, SpecError, UnpoolJob, __version__

from ..files import write_whole
from ..vendor.families import GENERIC, check_family
from . import integration, yosys
from .axi import AxiCore, AxiPoolCore, AxiUnpoolCore, lane_width, record_width
from .cells import black_boxes, empty_cells
from .names import CLOCKING, check_name, inner_name
from .wrapper import verilog_file


class Written(NamedTuple):
    """The files of a core.

    Attributes
    ----------
    verilog : Path
        ``NAME.v``: the core.
    about : Path
        ``NAME.json``: what `describe` says of it.
    core : Path
        ``NAME.core``: a FuseSoC core file.
    template : Path
        ``NAME_inst.vh``: an instance and its wires, to paste or to include.
    constraints : Path
        ``NAME.sdc``: an example of a timing constraint.
    """

    verilog: Path
    about: Path
    core: Path
    template: Path
    constraints: Path


def write_verilog(
    spec: PoolSpec,
    shape: tuple[int, ...],
    lanes: int | None,
    directory: str | os.PathLike[str],
    name: str | None = None,
    *,
    family: str = GENERIC,
    tkeep: bool = False,
    tuser: bool = False,
    freq_mhz: float = 100.0,
) -> Written:
    """Write a core as ``NAME.v``, describe it in ``NAME.json``, and what helps to fit it in.

    The module `name` has exactly the ports ``aclk``, ``aresetn`` (active low, synchronous),
    ``s_axis_tdata``, ``s_axis_tvalid``, ``s_axis_tready``, ``s_axis_tlast``, the same of
    ``m_axis``, and ``frame_error``, and of both sides ``tkeep`` and ``tuser`` where these are
    asked for; they do what :class:`AxiPoolCore` says. It is Verilog-2005, with nothing beside it
    to compile but the vendor's own cells, where the family has some that pay. Its other modules
    are called ``NAME.core`` and ``NAME.core.*``, so that several cores fit in one design. The
    same arguments give the same files.

    Parameters
    ----------
    spec : PoolSpec
        What to compute.
    shape : tuple of int
        A frame: channels, then the spatial sizes, rows first.
    lanes : int or None
        Channels of a beat; None is all of them, 8 at most.
    directory : path
        Where to write; it has to be there.
    name : str, optional
        The module, and the files without their suffix; by default ``streampool_OP``.

    family : str, optional
        The family of devices, one of `FAMILIES`, whose own memory is used where that pays.
    tkeep, tuser : bool, optional
        Have these ports too, as :class:`AxiPoolCore` says.
    freq_mhz : float, optional
        The clock that the example of a timing constraint asks for.

    Returns
    -------
    Written
        The files. Files of these names are replaced: all, or none when something fails.

    Raises
    ------
    SpecError
        If the specification does not fit the shape, the lanes do not, the name is no Verilog
        identifier or is a keyword, there is no such family, the clock is not above 0, or the
        directory is not there.
    OSError
        If the files cannot be written.
    """
    name = f"streampool_{spec.op}" if name is None else name
    folder = _check(directory, name, freq_mhz)
    # refused before there is a component, which warns of being unused
    check_family(family)
    PoolJob(spec, shape, lanes)
    core = AxiPoolCore(spec, shape, lanes, family=family, tkeep=tkeep, tuser=tuser)
    return _write(core, folder, name, freq_mhz)


def write_unpool_verilog(
    job: UnpoolJob,
    directory: str | os.PathLike[str],
    name: str = "streampool_unpool",
    *,
    frames: int = 2,
    tkeep: bool = False,
    tuser: bool = False,
    freq_mhz: float = 100.0,
) -> Written:
    """Write a MaxUnpool core, as `write_verilog` writes a pooling core.

    Besides the ports of that one, the module has ``index_error``; they do what
    :class:`AxiUnpoolCore` says.

    Parameters
    ----------
    job : UnpoolJob
        What to do.
    directory, name, tkeep, tuser, freq_mhz
        As `write_verilog` takes them.
    frames : {2, 1}
        Frames that are kept, as :class:`UnpoolCore` takes it.

    Returns
    -------
    Written
        The files.

    Raises
    ------
    SpecError, OSError
        As `write_verilog`.
    """
    folder = _check(directory, name, freq_mhz)
    core = AxiUnpoolCore(job, frames=frames, tkeep=tkeep, tuser=tuser)
    return _write(core, folder, name, freq_mhz)


def _check(directory: str | os.PathLike[str], name: str, freq_mhz: float) -> Path:
    """Refuse what cannot be written; returns the folder."""
    check_name(name)
    folder = Path(directory)
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "is not there"
        raise SpecError(
            "directory", f"directory {str(folder)!r} {what}; name a folder that exists."
        )
    if not 0 < freq_mhz < math.inf:
        raise SpecError("freq_mhz", f"freq_mhz {freq_mhz} is no clock; a number above 0 would do.")
    return folder


def _write(core: AxiPoolCore | AxiUnpoolCore, folder: Path, name: str, freq_mhz: float) -> Written:
    """Write a core and what stands beside it."""
    try:
        rtlil = yosys.to_rtlil(core, inner_name(name))
    except OverflowError:  # Amaranth's, whose limit is what the Verilog standard promises
        raise SpecError(
            "lanes",
            f"lanes {core.job.lanes} would need signals of more than 65536 bits,"
            " which Verilog need not take; fewer would do.",
        ) from None
    about = describe(core, name, black_boxes(rtlil))
    if name in about["black_boxes"]:
        raise SpecError(
            "name", f"name {name!r} is a cell of the vendor's; {name}_core, for one, would do."
        )
    texts = {
        "verilog": (".v", verilog_file(about, yosys.to_verilog(rtlil), empty_cells(rtlil))),
        "about": (".json", json.dumps(about, indent=2) + "\n"),
        "core": (".core", integration.fusesoc_core(about)),
        "template": ("_inst.vh", integration.instantiation(about)),
        "constraints": (".sdc", integration.constraints(about, freq_mhz)),
    }
    written = Written(**{key: folder / f"{name}{end}" for key, (end, _) in texts.items()})
    write_whole({getattr(written, key): text for key, (_, text) in texts.items()})
    return written


def describe(
    core: AxiPoolCore | AxiUnpoolCore, name: str, black_boxes: Sequence[str]
) -> dict[str, Any]:
    """Return what ``NAME.json`` holds.

    Parameters
    ----------
    core : AxiPoolCore or AxiUnpoolCore
        The core, elaborated.
    name : str
        Its module.
    black_boxes : sequence of str
        The modules that it instantiates and does not have, as `black_boxes` finds them.

    Returns
    -------
    dict
        ``name``, ``version``, ``family`` (of devices), ``black_boxes`` (the vendor's cells that
        it instantiates), ``spec`` (as `PoolSpec.from_json` takes it, or what `UnpoolJob` takes,
        with ``"op": "unpool"``), ``shape``, ``out_shape``, ``lanes``, ``fold`` (beats of a
        position); ``input`` and ``output``, each with ``dtype``, ``signed``, ``lane_bits``,
        ``lane_width`` (bits of a lane in tdata), ``tdata_bits`` and ``beats`` (of a frame), and
        where a lane is a record of a value and its index, ``index`` with its ``dtype``, ``bits``
        and ``offset`` in the lane; ``beat_order`` and ``lane_order`` in words;
        ``cycles_per_frame`` (the most in the steady state with valid and ready always high, and
        exact where it equals ``limit_cycles_per_frame``), ``latency_cycles``, ``store_bits``;
        of a MaxUnpool core ``frames_kept``, ``store_words`` and ``clear_cycles``, those after a
        reset in which it takes nothing; ``ports``, name to direction and width.
    """
    job = core.job
    fold = f"b // {job.fold}" if job.fold > 1 else "b"
    group = f"(b % {job.fold}) * {job.lanes} + l" if job.fold > 1 else "l"

    ports = _ports(core)
    spare = "are null bytes" if "m_axis_tkeep" in ports else "hold anything"

    def side(fields: Sequence[DType], beats: int) -> dict[str, Any]:
        dtype, *index = fields
        about = {
            "dtype": str(dtype),
            "signed": dtype.signed,
            "lane_bits": dtype.bits,
            "lane_width": record_width(fields),
            "tdata_bits": job.lanes * record_width(fields),
            "beats": beats,
        }
        for each in index:
            offset = lane_width(dtype.bits)
            about["index"] = {"dtype": str(each), "bits": each.bits, "offset": offset}
        return about

    keeps: dict[str, int] = {}
    if isinstance(core, AxiUnpoolCore):
        words, clear = core.core.store_words, core.core.clear_cycles
        keeps = {"frames_kept": words // job.beats_out, "store_words": words, "clear_cycles": clear}
    return {
        "name": name,
        "version": __version__,
        "family": core.core.family if isinstance(core, AxiPoolCore) else GENERIC,
        "black_boxes": list(black_boxes),
        "spec": job.to_json() if isinstance(job, UnpoolJob) else job.spec.to_json(),
        "shape": list(job.shape),
        "out_shape": list(job.out_shape),
        "lanes": job.lanes,
        "fold": job.fold,
        "input": side(core.fields_in, job.beats_in),
        "output": side(core.fields_out, job.beats_out),
        "beat_order": f"beat b of a frame is position {fold}, positions in raster order",
        "lane_order": f"lane l of beat b is channel {group}; lane 0 in the lowest bits of tdata;"
        f" lanes beyond the last channel {spare}",
        "cycles_per_frame": core.core.cycles_bound,
        "limit_cycles_per_frame": job.limit_cycles,
        "latency_cycles": core.latency,
        "store_bits": core.core.store_bits,
        **keeps,
        "ports": {port: list(kind) for port, kind in ports.items()},
    }


def _ports(core: AxiCore) -> dict[str, tuple[str, int]]:
    """Return the module's ports in order: direction and width."""
    directions = {Flow.In: "input", Flow.Out: "output"}
    members = core.signature.members.items()
    return dict.fromkeys(CLOCKING, ("input", 1)) | {
        port: (directions[member.flow], len(getattr(core, port))) for port, member in members
    }
