"""The verb `bench`: its options, and what it runs."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streampool.fpga import device_named

from .. import options as opt
from ..engines.model import find_compiler
from ..files import check_writable, replacing
from ..options import Refused
from . import hardware, layers, machine, report, table, timing
from .contenders import RUNTIMES

__all__ = ["EXAMPLES", "add_options", "bench"]

EXAMPLES = """\
examples:
  streampool bench --quick
  streampool bench --net resnet50,vgg16 --device ecp5-25k-6
  streampool bench --kernel 3 --stride 2 --padding 1 --shape 64x112x112 --json here.json
  streampool bench --folder build/bench --json bench.json

Without --net, --quick or --shape all layers of the known networks are measured: some minutes.
Runtimes that are not installed are skipped by name; the extra streampool[bench] brings them.
"""


def add_options(group: argparse._ArgumentGroup) -> None:
    """Add the verb's own options, but for the layer's."""
    add = group.add_argument
    add("--net", metavar="NETS", help="only these networks, with commas between")
    add("--quick", action="store_true", help="a few layers only, in under a minute")
    add("--device", metavar="DEVICE", help="the device of the table and of what is said of it")
    add(
        "--freq",
        type=opt.megahertz,
        default=hardware.ASSUMED_MHZ,
        metavar="MHZ",
        help=f"clock where none was placed; said to be assumed ({hardware.ASSUMED_MHZ:g})",
    )
    add(
        "--rounds",
        type=_rounds,
        default=timing.LEAST_ROUNDS,
        metavar="N",
        help=f"samples of each contender ({timing.LEAST_ROUNDS})",
    )
    add(
        "--runtimes",
        type=_runtimes,
        metavar="NAMES",
        help="only these, with commas between: " + ", ".join(runtime.name for runtime in RUNTIMES),
    )
    add(
        "--simulate",
        action="store_true",
        help="count cycles in the simulated core too, frame by frame against the golden model",
    )
    add(
        "--folder",
        type=Path,
        metavar="DIR",
        help="keep each layer's figures there until all are measured: what was stopped goes on",
    )
    add("--json", metavar="FILE.json", help="write everything there; - prints it")
    add("--html", metavar="FILE.html", help="write it as a page; needs the extra [report]")


def _rounds(text: str) -> int:
    value = opt.positive(text)
    if value < timing.LEAST_ROUNDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is too few to say anything; {timing.LEAST_ROUNDS} or more would do"
        )
    return value


def _runtimes(text: str) -> tuple[str, ...]:
    known = {runtime.name.lower(): runtime.name for runtime in RUNTIMES}
    names = [name.strip().lower() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(
                f"{name!r} is no runtime; {', '.join(known.values())} would do"
            )
    return tuple(known[name] for name in names)


def _chosen(options: argparse.Namespace) -> layers.Layers:
    """Return the layers that were asked for."""
    if options.shape is None:
        if options.kernel is not None:
            raise Refused("--kernel says what is pooled, but not on what; --shape CxHxW would do")
        nets = None if options.net is None else options.net.split(",")
        return layers.network_layers(nets, options.quick)
    if options.net or options.quick:
        name = "--net" if options.net else "--quick"
        raise Refused(
            f"--shape is a layer of yours and {name} chooses others; one of both would do"
        )
    spec = opt.spec_of(options, dtype="int8", ndim=len(options.shape) - 1)
    if spec.dtype != "int8":
        raise Refused(f"--dtype {spec.dtype} is not compared with software; int8 would do")
    spec.job(options.shape)
    return layers.layer_of(spec, options.shape)


class _Told:
    """Tells on stderr which layer is measured, how many are done and how long the rest may take."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        spent = time.monotonic() - self._start
        left = f", about {spent / done * (total - done):.0f} s left" if done else ""
        print(f"streampool: {done + 1}/{total} {what}{left}", file=sys.stderr, flush=True)


def bench(options: argparse.Namespace) -> None:
    """Measure and compare as the options say; prints the table, and writes the JSON.

    Raises
    ------
    Refused
        If an option cannot be followed; before anything is measured.
    SpecError
        If a network or a device is not known, or the layer does not work.
    """
    chosen = _chosen(options)
    if options.device is not None and device_named(options.device).name not in hardware.devices():
        raise Refused(
            f"--device {options.device} has no placed core;"
            f" {', '.join(hardware.devices())} would do"
        )
    target, page = _target(options.json, "json"), _target(options.html, "html")
    write_page = None if page is None else _page_writer()
    made = make(chosen, options)
    text = report.text(made)
    if target is not None:
        _write(target, text)
    if page is not None and write_page is not None:
        _write(page, write_page(made))
    to_stdout = options.json == "-"
    if to_stdout:
        sys.stdout.write(text)
    print(
        table.terminal(made, options.device), end="", file=sys.stderr if to_stdout else sys.stdout
    )


def make(chosen: layers.Layers, options: argparse.Namespace) -> dict[str, Any]:
    """Make the report of the chosen layers."""
    processors = machine.threads()
    simulated = {}
    if options.simulate:
        find_compiler()
        wanted = [(layer, _width(layer)) for layer in chosen.layers]
        simulated = hardware.simulate_cycles(wanted, _counting)
    return report.make(
        chosen,
        settings=report.Settings(options.rounds, tuple(dict.fromkeys((1, processors)))),
        assumed_mhz=options.freq,
        simulated=simulated,
        runtimes=options.runtimes,
        folder=options.folder,
        progress=_Told(),
    )


def _width(layer: layers.Layer) -> int:
    """Return the lanes that a layer is simulated with: those of the first device, 8 at most."""
    lanes = hardware.lanes_on(hardware.devices()[0], layer.shape[0])
    return max((each for each in lanes if each <= 8), default=lanes[0])


def _counting(done: int, total: int) -> None:
    print(f"streampool: {done}/{total} cores simulated", file=sys.stderr, flush=True)


def _page_writer() -> Callable[[dict[str, Any]], str]:
    """Return what makes the page, before anything is measured."""
    try:
        from .page.page import html
    except ImportError as error:
        raise Refused(
            f"--html needs {error.name}, which is not here;"
            " pip install 'streampool[report]' would do"
        ) from None
    return html


def _write(target: Path, text: str) -> None:
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _target(name: str | None, kind: str) -> Path | None:
    """Return the file that is to be written, if any; refuses what cannot be."""
    if name is None or (name == "-" and kind == "json"):
        return None
    target = Path(name)
    if target.suffix.lower() != f".{kind}":
        also = " or -" if kind == "json" else ""
        raise Refused(f"--{kind} {name} would write {kind.upper()}; FILE.{kind}{also} would do")
    check_writable(target)
    return target
