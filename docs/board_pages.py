"""Write docs/boards/: a page for each board with a link, from ``make boards`` and a simulation.

``python docs/board_pages.py [BOARD ...]`` takes what stands beside the bitstreams in build/boards,
and lets the command line talk to each board's simulated top level, bit by bit.
"""

import argparse
import contextlib
import io
import json
import shlex
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import blocks
from streampool_golden import PoolJob, PoolSpec
from streampool_hw.boards import BOARDS, Board
from streampool_hw.boards.link.protocol import BAUD
from streampool_sim import cli
from streampool_sim.link import host
from streampool_sim.link.simulated import SimulatedBoard
from streampool_sim.link.terminal import Terminal
from streampool_sim.words import by, describe

FOLDER = blocks.ROOT / "docs" / "boards"
BUILT = blocks.ROOT / "build" / "boards"
PORT = "/dev/ttyUSB1"
"""What stands in a page for the port, whose name differs from machine to machine."""
USB_PORT = "/dev/ttyACM0"
"""The same for a port that the board's chip plays."""
_SLOW = 60.0
"""Seconds that a simulated board may take to answer."""


def build_command(board: Board, report: dict[str, Any]) -> str:
    """Return the command that makes a board's bitstream of the job that was built."""
    spec = PoolSpec.from_json(report["spec"])
    kernel, stride, padding = spec.kernel, spec.stride, spec.padding
    words = f"streampool build --board {board.name} --link"
    if report["asked_mhz"] is not None:
        words += f" --freq {report['asked_mhz']:g}"
    words += f" --op {spec.op} --kernel {by(kernel)} --stride {by(stride)}"
    words += f" --padding {'x'.join(f'{before}:{after}' for before, after in padding)}"
    return f"{words} --dtype {spec.dtype} --shape {by(report['shape'])} --lanes {report['lanes']}"


def simulated(board: Board, job: PoolJob) -> tuple[str, float, int]:
    """Return what `streampool run` says of a simulated board, the seconds and the requests."""
    host.PATIENCE = _SLOW
    simulation, said = SimulatedBoard(board.name, job), io.StringIO()
    before = simulation.cycles
    with (
        Terminal(simulation) as terminal,
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(said),
    ):
        status = cli.main(["run", "--engine", f"board:{terminal.name}", "--stats", "stats.json"])
        stats = json.loads(Path("stats.json").read_text("utf-8"))
    assert status == 0, said.getvalue()
    seconds = (simulation.cycles - before) / simulation.clock_hz
    # how long the simulation took is nothing to the board
    lines = [line for line in said.getvalue().splitlines() if not line.startswith("link ")]
    simulation.close()
    return "\n".join(lines).replace(terminal.name, PORT), seconds, stats["link"]["requests"]


def measured(board: Board, job: PoolJob) -> tuple[str, str, str]:
    """Return of a simulated board: what is said, how fast its link is, and what that figure is."""
    said, seconds, requests = simulated(board, job)
    values = job.beats_in * job.lanes * job.input.numpy.itemsize
    values += job.beats_out * job.lanes * job.output.numpy.itemsize
    return (
        f"\nThe last one says, beside how fast the link was:\n\n```\n{said}\n```\n",
        f"{1 / seconds:.2f} frames per second, {values / seconds / 1000:.1f} kB/s",
        f"""\
The link's figure is of the top level simulated bit by bit at {BAUD:,} baud, with a host that
answers at once. What a computer and its USB take comes on top: some milliseconds for each of the
{requests} requests.""",
    )


def on_usb() -> tuple[str, str, str]:
    """Return the same where the chip itself is a device on USB, of which nothing is measured."""
    return (
        "",
        "not measured",
        """\
The chip itself is the USB device, by [LUNA](https://luna.readthedocs.io): a serial port of the
class CDC-ACM at full speed, for which Linux, macOS and Windows have a driver. The core runs at the
device's clock. This has not been on a board, and USB itself is not simulated. What is tested is the
core with its end of the link, byte by byte. All of it reaches USB's clocks when placed.""",
    )


def page(board: Board, report: dict[str, Any]) -> str:
    """Return the page of a board."""
    job = PoolJob(PoolSpec.from_json(report["spec"]), tuple(report["shape"]), report["lanes"])
    serial = board.serial
    assert serial is not None
    said, over, of_link = on_usb() if serial.on_usb else measured(board, job)
    extras, port = ("fpga,link,usb", USB_PORT) if serial.on_usb else ("fpga,link", PORT)
    core = report["clock_mhz"] * 1e6 / report["cycles_per_frame"]
    rows = [
        ("device", board.chip.part),
        ("core", f"{describe(job.spec)} on {by(job.shape)} of {job.input}, {job.lanes} lanes"),
        ("clock", f"{report['clock_mhz']:g} MHz; {report['most_mhz']:.1f} MHz could be reached"),
        *(
            (cells, f"{used:,} of {report['available'][cells]:,}")
            for cells, used in Counter(report["used"]).most_common(3)
            if report["available"][cells]
        ),
        ("serial port", serial.label),
        *((f"LED {lamp['led']}", lamp["means"]) for lamp in report["lamps"]),
        ("button", f"{report['button']}: ends what is going on" if report["button"] else "-"),
        ("the core alone", f"{core:,.1f} frames per second"),
        ("over its link", over),
        ("built by", ", ".join(f"{tool} {number}" for tool, number in report["tools"].items())),
    ]
    load = shlex.join([*board.loader, board.file_name(link=True)])
    return f"""# {board.title}

<!-- written by docs/board_pages.py -->

From `git clone` to a picture that the board has pooled:

```sh
# in the clone: the command line, the tools that make bitstreams, the serial port
python3 -m venv .venv && . .venv/bin/activate && pip install '.[{extras}]'
# make {board.file_name(link=True)}; minutes
{build_command(board, report)}
# load it: {load}
streampool load {board.name} --link
# which serial port answers
streampool ports
# pool the photograph that comes along, or a picture of yours of the same size
streampool run --engine board:{port}
```
{said}
The core takes frames of one shape: for a picture of another size, build again with its `--shape`,
channels x rows x columns. [boards.md](../boards.md) says more, and [link.md](../link.md) what
crosses the line.

{blocks.table("what | figure", [list(row) for row in rows])}
{of_link}
"""


def main() -> int:
    """Write pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boards", nargs="*", metavar="BOARD")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for board in BOARDS.values():
        report = BUILT / board.file_name(link=True, suffix="json")
        if options.boards and board.name not in options.boards:
            continue
        if not report.is_file():
            if board.serial is not None:
                print(f"{report} is not there; its page stays as it is", file=sys.stderr)
            continue
        path = FOLDER / f"{board.name}.md"
        path.write_text(page(board, json.loads(report.read_text("utf-8"))), encoding="utf-8")
        print(path.relative_to(blocks.ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
