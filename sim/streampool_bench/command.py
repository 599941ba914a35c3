"""The verb `bench`: its options, and what it runs."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streampool_hw.files import write_whole
from streampool_hw.fpga import device_named
from streampool_sim.cli import common, values
from streampool_sim.cli.command import Options, option, under, verb
from streampool_sim.engines.compiled import find_compiler
from streampool_sim.files import check_folder, check_writable
from streampool_sim.progress import Progress, time_left
from streampool_sim.refusals import Refused

from .fpga import placed
from .fpga.clocks import ASSUMED_MHZ
from .report import hardware, layers, reading, report, table
from .software import machine, timing
from .software.contenders import RUNTIMES

EXAMPLES = """\
examples:
  streampool bench --quick
  streampool bench --net resnet50,vgg16 --device ecp5-25k-6
  streampool bench --kernel 3 --stride 2 --padding 1 --shape 64x112x112 --json here.json
  streampool bench --folder build/bench --json bench.json --html bench.html
  streampool bench --from bench.json --html bench.html

Without --net, --quick or --shape, all layers of the known networks are measured, which takes some
minutes. Runtimes that are not installed are named and skipped. The extra streampool[bench] installs
them, and streampool[report] what the page and the plot need.
"""

SUFFIXES = {"json": (".json",), "html": (".html", ".htm"), "plot": (".svg",)}
"""The options that write a file, and the suffixes that it may have."""

MEASURING = ("net", "quick", "shape", "runtimes", "simulate", "folder", "freq", "rounds")
"""Options that say what is measured, and how, beside those of a layer."""

_MEASURED = "use what --json writes"

WITHOUT_SOFTWARE = ("--out-dtype", "--clamp", "--scale", "--zero-points", "--preset", "--nan")
WITHOUT_SOFTWARE += ("--index-base", "--rounding", "--rounding-about", "--saturate")
"""What a core can do, and no contender is asked for."""


def _rounds(text: str) -> int:
    value = values.positive(text)
    if value < timing.LEAST_ROUNDS:
        raise ValueError(f"{text!r} is too few for a median; use {timing.LEAST_ROUNDS} or more")
    return value


def _chosen(options: Options) -> layers.Layers:
    """Return the layers that were asked for."""
    if options.shape is None:
        if of_layer := list(common.given(options)):
            raise Refused(
                f"{of_layer[0]} says what is pooled, but not on what; use --shape CxHxW too"
            )
        chosen = layers.network_layers(options.net, options.quick)
        if not chosen.layers:
            raise Refused(
                f"--quick has no layer of {', '.join(options.net)}; use one of the two options"
            )
        return chosen
    if options.net or options.quick:
        name = "--net" if options.net else "--quick"
        raise Refused(
            f"--shape gives your own layer and {name} chooses others; use one of the two options"
        )
    for flag in common.given(options):
        if flag in WITHOUT_SOFTWARE:
            raise Refused(f"{flag} is not compared with software; use the layer without it")
    spec = common.pool_job(options).spec
    if spec.dtype != "int8":
        raise Refused(f"--dtype {spec.dtype} is not compared with software; use int8")
    return layers.layer_of(spec, options.shape)


@verb(
    "bench",
    EXAMPLES,
    *common.spec_options(),
    *under(
        "what is measured, and how",
        common.shape_option(required=False),
        option(
            "--net",
            values.several(layers.network_names()),
            "NETS",
            "only these networks, with commas between",
        ),
        option("--quick", help="a few layers only, in under a minute"),
        option(
            "--device",
            str,
            "DEVICE",
            "the device that the table and the sentences are about",
            choices=placed.devices(),
        ),
        common.freq_option(
            "clock where no core was placed; marked as assumed"
            f" ({ASSUMED_MHZ:g}, or less if a core that wide reached less)",
            None,
        ),
        option("--rounds", _rounds, "N", f"samples of each contender ({timing.LEAST_ROUNDS})"),
        option(
            "--runtimes",
            values.several([runtime.name for runtime in RUNTIMES]),
            "NAMES",
            "only these, with commas between: " + ", ".join(runtime.name for runtime in RUNTIMES),
        ),
        option(
            "--simulate",
            help="count cycles in simulation, too, and check frames against the golden model",
        ),
        option(
            "--folder",
            Path,
            "DIR",
            "keep each layer's figures there; a run that was stopped continues from them",
        ),
        option("--json", str, "FILE.json", "write everything there; - prints it"),
        option("--html", str, "FILE.html", "write a page with plots and tables there"),
        option("--plot", str, "FILE.svg", "write the plot of throughput alone there"),
        option(
            "--from source",
            Path,
            "FILE.json",
            "measure nothing; read what an earlier --json wrote",
        ),
    ),
)
def command(options: Options) -> int:
    """Measure and compare as the options say; prints the table, and writes what they ask for.

    What cannot be followed is refused before anything is measured.
    """
    known = placed.devices()
    if options.device is not None and device_named(options.device).name not in known:
        raise Refused(
            f"--device {options.device} has no placed core; use one of {', '.join(known)}"
        )
    writers = _writers(options)
    if options.folder is not None:
        check_folder("--folder", options.folder)
    kept: list[Path] = []
    made = make(_chosen(options), options, kept) if options.source is None else _earlier(options)
    try:  # all texts before any is written
        made = report.about(made, options.device)
        if options.device not in (None, reading.device_of(made)):
            raise Refused(_no_room(options.device))
        texts = [(target, write(made)) for target, write in writers]
        shown = table.terminal(made)
    except (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError):
        if options.source is None:
            raise
        raise Refused(f"--from {options.source} is incomplete; {_MEASURED}") from None
    write_whole(dict(texts))
    to_stdout = options.json == "-"
    if to_stdout:
        sys.stdout.write(report.text(made))
    print(shown, end="", file=sys.stderr if to_stdout else sys.stdout)
    for path in kept:
        path.unlink(missing_ok=True)
    return 0


def _no_room(device: str) -> str:
    return f"--device {device} has no room for a core of any of these layers; use another device"


def _writers(options: Options) -> list[tuple[Path, Callable[[dict[str, Any]], str]]]:
    """Return the files that are asked for, and what makes their texts of the report."""
    targets = {option: _target(option, getattr(options, option)) for option in SUFFIXES}
    writers: dict[str, Callable[[dict[str, Any]], str]] = {"json": report.text}
    drawn = [option for option in ("html", "plot") if targets[option] is not None]
    if drawn:
        try:
            from . import page
        except ImportError as error:
            raise Refused(
                f"--{drawn[0]} needs {error.name}, which is not installed; use the extra"
                " streampool[report]"
            ) from None
        writers |= {"html": page.html, "plot": page.plot}
    return [(target, writers[option]) for option, target in targets.items() if target is not None]


def _earlier(options: Options) -> dict[str, Any]:
    """Return the report of an earlier run."""
    path: Path = options.source
    others = [f"--{name}" for name in MEASURING if getattr(options, name) not in (None, False)]
    others += common.given(options)
    if others:
        raise Refused(
            f"--from measures nothing, so {others[0]} has no effect; use one of the two options"
        )
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Refused(f"--from {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise Refused(f"--from {path} is not JSON; {_MEASURED}") from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != report.SCHEMA:
        raise Refused(
            f"--from {path} has the schema {schema!r}; use what --json of this version writes,"
            f" {report.SCHEMA!r}"
        )
    for field in report.FIELDS:
        if field not in found:
            raise Refused(f"--from {path} has no {field!r}; {_MEASURED}")
    return found


def make(chosen: layers.Layers, options: Options, kept: list[Path] | None = None) -> dict[str, Any]:
    """Make the report of the chosen layers; `kept` is as `report.make` has it."""
    if options.device is not None and not hardware.has_room(chosen.layers, options.device):
        raise Refused(_no_room(options.device))
    settings = report.Settings(
        options.rounds or timing.LEAST_ROUNDS,
        tuple(dict.fromkeys((1, machine.threads()))),
        # evicting the caches takes most of the time, so --quick does it for two contenders only
        cold_within=1.0 if options.quick else report.Settings.cold_within,
    )
    simulated = {}
    if options.simulate:
        find_compiler()
        wanted = [(layer, _width(layer)) for layer in chosen.layers]
        with Progress("simulating the cores", "simulated", "cores") as bar:

            def count(done: int, total: int) -> None:
                bar.step(done, total, f"streampool: {done}/{total} cores simulated")

            simulated = hardware.simulate_cycles(wanted, count)
    start = time.monotonic()
    with Progress("measuring", "measured", "layers") as bar:

        def tell(done: int, total: int, what: str) -> None:
            spent = time.monotonic() - start
            left = f", about {time_left(spent / done * (total - done))} left" if done else ""
            bar.step(done, total, f"streampool: {done + 1}/{total} {what}{left}", what)

        return report.make(
            chosen,
            settings=settings,
            assumed_mhz=options.freq,
            simulated=simulated,
            runtimes=options.runtimes,
            folder=options.folder,
            kept=kept,
            progress=tell,
        )


def _width(layer: layers.Layer) -> int:
    """Return the lanes that a layer is simulated with: those of the first device, 8 at most."""
    lanes = placed.lanes_on(placed.devices()[0], layer.shape[0])
    return max((each for each in lanes if each <= 8), default=lanes[0])


def _target(option: str, name: str | None) -> Path | None:
    """Return the file of an option, None where there is none; refuses what cannot be written."""
    if name is None or (option, name) == ("json", "-"):
        return None
    target = Path(name)
    suffixes = SUFFIXES[option]
    if target.suffix.lower() not in suffixes:
        more = " or -" if option == "json" else ""
        raise Refused(
            f"--{option} {name} would write {suffixes[0][1:].upper()}; use FILE{suffixes[0]}{more}"
        )
    check_writable(target)
    return target
