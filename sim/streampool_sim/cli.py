"""The command line: one function a verb.

Results go to standard output, everything else to standard error. A run ends with 0 if the core and
the golden model agree bit for bit, 1 if they do not, and 2 if something was refused, which takes
one sentence and leaves no file behind.
"""

import argparse
import io
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from streampool import FAMILIES
from streampool.boards import board_named
from streampool.fpga import device_named
from streampool.verilog import write_verilog
from streampool.yosys import YosysError
from streampool_golden import DType, Job, PoolSpec, SpecError, __version__

from streampool_sim import EngineError, build, pictures, simulate, synth
from streampool_sim import options as opt
from streampool_sim.options import Refused

__all__ = ["main"]

EQUAL, MISMATCH, REFUSED, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141

PHOTOGRAPH = "chelsea.png"
CLOCK_MHZ = 100.0  # assumed where none is given

RUN_EXAMPLES = """\
examples:
  streampool run                          the photograph that comes along, 3x3 max, stride 2
  streampool run cat.jpg                  the same on a picture of yours
  streampool run cat.png -o small.png --op avg --kernel 2 --rounding half-even
  streampool run map.npy --layout NHWC --kernel 3x2 --stride 2x1 --padding 0:1x1:0
  streampool run map.npy --op sum --kernel 5 --stall 0.3 --seed 7 --stats -
  streampool run small.png --kernel 2 --vcd small.vcd

Sizes are rows x columns. Without --kernel, it is --kernel 3 --stride 2 --padding 1.
Exit: 0 equal to the golden model bit for bit, 1 a mismatch, 2 refused.
"""

VERILOG_EXAMPLES = """\
examples:
  streampool verilog --kernel 3 --stride 2 --padding 1 --shape 64x112x112 --lanes 8 -o .
  streampool verilog --op avg --kernel 7 --dtype uint8 --shape 16x7x7 --name head -o .
  streampool verilog --kernel 2 --shape 3x224x224 --family ecp5 --tkeep --tuser -o .

Writes NAME.v, with AXI4-Stream ports, and beside it NAME.json, which states the beats, cycles and
latency; NAME.core for FuseSoC; NAME_inst.vh, an instance to paste; NAME.sdc, a timing constraint.
"""

EXPLAIN_EXAMPLES = """\
examples:
  streampool explain --kernel 3 --stride 2 --shape 1x6x6
  streampool explain --op avg --kernel 3 --padding same --shape 1x1x9
"""

DESCRIPTION = """\
Streaming pooling cores, one beat a clock: simulated cycle by cycle, held against a golden model,
written as Verilog, explained.
"""


def _parser() -> opt.Parser:
    parser = opt.Parser(
        prog="streampool",
        description=DESCRIPTION,
        epilog="`streampool VERB --help` shows a verb's options, with examples.",
    )
    parser.add_argument("--version", action="version", version=f"streampool {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    run = verbs.add_parser(
        "run",
        help="pool a picture or an array through the simulated core",
        description="Pool a picture or a .npy of integers through the simulated core.",
        epilog=RUN_EXAMPLES,
    )
    run.add_argument(
        "input", nargs="?", type=Path, metavar="INPUT", help="a picture or a .npy of integers"
    )
    run.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUTPUT",
        help="a picture or .npy, by its suffix (STEM-OP with INPUT's suffix, in this folder)",
    )
    opt.add_spec_options(run, dtype_note="INPUT's")
    group = run.add_argument_group("how it is run")
    _add_lanes(group)
    group.add_argument(
        "--layout",
        type=str.upper,
        choices=tuple(pictures.LAYOUTS),
        metavar="LAYOUT",
        help="of a .npy: " + ", ".join(pictures.LAYOUTS) + " (4-D NCHW, 2-D HW)",
    )
    group.add_argument(
        "--stall",
        type=opt.probability,
        default=0.0,
        metavar="P",
        help="each side idle with probability P a clock (0)",
    )
    group.add_argument("--seed", type=opt.seed, default=0, help="of the stalls (0)")
    group.add_argument(
        "--engine",
        choices=("auto", "fast", "amaranth"),
        default="auto",
        metavar="NAME",
        help="auto, fast (compiled), amaranth (its own simulator) (auto)",
    )
    group.add_argument(
        "--freq",
        type=opt.megahertz,
        default=CLOCK_MHZ,
        metavar="MHZ",
        help=f"clock to state frames a second at; assumed, not measured ({CLOCK_MHZ:g})",
    )
    group.add_argument("--stats", metavar="FILE.json", help="write statistics there; - prints them")
    group.add_argument("--vcd", type=Path, metavar="FILE.vcd", help="write waveforms there")
    run.set_defaults(function=_run, parser=run)

    verilog = verbs.add_parser(
        "verilog",
        help="write a core as Verilog with AXI4-Stream ports",
        description="Write a core as one Verilog file with AXI4-Stream ports.",
        epilog=VERILOG_EXAMPLES,
    )
    opt.add_spec_options(verilog, dtype_note="int8")
    group = verilog.add_argument_group("what is written")
    opt.add_shape_option(group, None)
    _add_lanes(group)
    group.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="DIR", help="folder (this one)"
    )
    group.add_argument("--name", help="of the module and the files (streampool_OP)")
    group.add_argument(
        "--family",
        choices=FAMILIES,
        default=FAMILIES[0],
        metavar="FAMILY",
        help=f"of devices: {', '.join(FAMILIES)} ({FAMILIES[0]})",
    )
    group.add_argument("--tkeep", action="store_true", help="have tkeep on both sides")
    group.add_argument(
        "--tuser", action="store_true", help="have tuser, start of frame, on both sides"
    )
    group.add_argument(
        "--freq",
        type=opt.megahertz,
        default=CLOCK_MHZ,
        metavar="MHZ",
        help=f"clock that the example of a constraint asks for ({CLOCK_MHZ:g})",
    )
    verilog.set_defaults(function=_verilog, parser=verilog)

    explain = verbs.add_parser(
        "explain",
        help="draw the schedule, slot by slot",
        description="Draw the schedule slot by slot: what comes in, which partials live, "
        "what leaves.",
        epilog=EXPLAIN_EXAMPLES,
    )
    opt.add_spec_options(explain, dtype_note="int8")
    group = explain.add_argument_group("what is drawn")
    opt.add_shape_option(group, (1, 6, 6))
    explain.set_defaults(function=_explain, parser=explain)

    placing = verbs.add_parser(
        "synth",
        help="place a core on a device: its clock, its cells, its critical path",
        description="Synthesize a core with Yosys, place it between registers with nextpnr, and "
        "say what it comes to.",
        epilog=synth.EXAMPLES,
    )
    opt.add_spec_options(placing, dtype_note="int8")
    group = placing.add_argument_group("what is placed, and where")
    opt.add_shape_option(group, None)
    _add_lanes(group)
    synth.add_options(group)
    placing.set_defaults(function=_synth, parser=placing)

    building = verbs.add_parser(
        "build",
        help="make a bitstream for a board, which tests the core and shows whether it is right",
        description="Make the bitstream of a core's self-test for a board.",
        epilog=build.EXAMPLES,
    )
    opt.add_spec_options(building, dtype_note="int8")
    group = building.add_argument_group("what is built, and where")
    opt.add_shape_option(group, None)
    _add_lanes(group)
    build.add_options(group)
    building.set_defaults(function=_build, parser=building)
    return parser


def _add_lanes(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--lanes",
        type=opt.positive,
        metavar="N",
        help="channels side by side in a beat (all of them, 8 at most)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; the process' own by default.

    Returns
    -------
    int
        The exit status: 0 done and equal, 1 a mismatch, 2 refused, 130 interrupted, 141 whoever
        read the results has gone.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without our characters is no reason to fail.
            stream.reconfigure(errors="replace")
    try:
        try:
            words = opt.normalise(sys.argv[1:] if arguments is None else arguments)
            parsed, unknown = _parser().parse_known_args(words)
            parsed.parser.refuse_unknown(unknown)
            with _warnings_told() as tell:
                status = parsed.function(parsed, tell)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
        return status
    except (Refused, SpecError) as refusal:
        return _say(str(refusal), REFUSED)
    except EngineError as error:
        # The core gets stuck, or gives too much: it is wrong, and not what was asked for.
        return _say(str(error), MISMATCH)
    except YosysError as error:
        return _say(str(error), REFUSED)
    except BrokenPipeError:
        # Python flushes once more at exit, and would complain then.
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print("streampool: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _say(f"{name}{error.strerror or error}", REFUSED)
    except MemoryError:
        return _say("this does not fit into memory; a smaller input would do", REFUSED)


def _say(message: str, status: int) -> int:
    """Say one sentence on stderr; returns the status."""
    print(f"streampool: {' '.join(message.split()).rstrip('.')}.", file=sys.stderr)
    return status


@contextmanager
def _warnings_told() -> Iterator[Any]:
    """Print every warning once, as a line; yields what prints one."""
    told: set[str] = set()

    def tell(message: object) -> None:
        text = " ".join(str(message).split())
        if text not in told:
            told.add(text)
            print(f"streampool: warning: {text}", file=sys.stderr)

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if not issubclass(category, DeprecationWarning | PendingDeprecationWarning):
            tell(message)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield tell


class _Progress:
    """Tell on stderr how far a long run is: nothing at first, then a line now and then."""

    def __init__(self, doing: str = "preparing the core", done: str = "simulated") -> None:
        self._doing, self._done = doing, done
        self._next = time.monotonic() + 2
        self._quiet = threading.Timer(2, self._preparing)
        self._quiet.daemon = True

    def __enter__(self) -> "_Progress":
        self._quiet.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._quiet.cancel()

    def _preparing(self) -> None:
        print(f"streampool: {self._doing} ...", file=sys.stderr, flush=True)

    def __call__(self, done: int, total: int, /) -> None:
        self._quiet.cancel()
        if done < total and time.monotonic() >= self._next:
            self._next = time.monotonic() + 5
            print(f"streampool: {done / total:.0%} {self._done}", file=sys.stderr, flush=True)


def _read(options: argparse.Namespace) -> pictures.Input:
    """Read INPUT, or the photograph that comes along."""
    if options.input is not None:
        return pictures.read_input(options.input, options.layout)
    packaged = resources.files("streampool_sim") / "data" / PHOTOGRAPH
    with resources.as_file(packaged) as path:
        return pictures.read_input(path, options.layout)


def _run(options: argparse.Namespace, tell: Any) -> int:
    source = _read(options)
    spec, frames = _quantised(source, options)
    job = _job(spec, source.shape, options.lanes)
    output, statistics = _targets(options, source, job.output)
    with _Progress() as progress:
        result = simulate(
            spec,
            frames,
            layout=source.frame_layout,
            lanes=options.lanes,
            engine=options.engine,
            stall=options.stall,
            seed=options.seed,
            vcd=options.vcd,
            freq_mhz=options.freq,
            progress=progress,
        )
    for message in result.stats["warnings"]:
        tell(message)
    pictures.write_output(output, source, result.output)
    told: TextIO = sys.stdout
    if options.stats is not None:
        stats = {**result.stats, "input": str(source.path), "output": str(output)}
        text = json.dumps(stats, indent=2)
        if statistics is None:
            print(text)
            told = sys.stderr
        else:
            with pictures.replacing(statistics) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
    if output.suffix.lower() in pictures.LOSSY:
        tell(f"{output} is a JPEG, which keeps values only roughly; .png keeps them all")
    print(_summary(source, job, output, options, result.stats), file=told)
    if result.stats["matches_golden"]:
        return EQUAL
    print(f"mismatch {result.mismatch}", file=told)
    return MISMATCH


def _quantised(source: pictures.Input, options: argparse.Namespace) -> tuple[PoolSpec, np.ndarray]:
    """Make the specification, and frames that its dtype holds."""
    frames = source.frames
    low, high = int(frames.min()), int(frames.max())
    fits = pictures.narrowest(low, high)
    if fits is None:
        raise Refused(f"{source.path} has values from {low} to {high}; 32 bits at most would do")
    if options.dtype is None and frames.dtype.itemsize > 4:
        raise Refused(
            f"{source.path} is an array of {frames.dtype}, which no core takes; "
            f"--dtype {fits} is the narrowest that holds its values"
        )
    spec = opt.spec_of(options, dtype=frames.dtype.name, ndim=len(source.shape) - 1)
    dtype = DType.of(spec.dtype)
    if not dtype.low <= low <= high <= dtype.high:
        raise Refused(
            f"{source.path} has values from {low} to {high}, and {dtype.name} holds "
            f"{dtype.low} to {dtype.high}; --dtype {fits} would do"
        )
    return spec, frames.astype(dtype.numpy, copy=False)


def _job(spec: PoolSpec, shape: tuple[int, ...], lanes: int | None) -> Job:
    """Derive what a core has to do; refuses lanes that would never carry anything."""
    if lanes is not None and lanes > shape[0]:
        raise Refused(f"--lanes {lanes} is more than the channels; {shape[0]} at most would do")
    return spec.job(shape, lanes)


def _targets(
    options: argparse.Namespace, source: pictures.Input, dtype: DType
) -> tuple[Path, Path | None]:
    """Check every file that will be written; returns those of the result and the statistics."""
    output = options.output
    if output is None:
        output = Path(f"{source.path.stem}-{options.op}{source.path.suffix}")
    pictures.check_output(output, source, dtype)
    statistics = None
    if options.stats not in (None, "-"):
        statistics = Path(options.stats)
        # Whoever forgets the file's name must not lose the input that comes next.
        if statistics.suffix.lower() != ".json":
            raise Refused(f"--stats {statistics} would write JSON; FILE.json or - would do")
        pictures.check_writable(statistics)
    if options.vcd is not None:
        if options.vcd.suffix.lower() != ".vcd":
            raise Refused(f"--vcd {options.vcd} would write waveforms; FILE.vcd would do")
        pictures.check_writable(options.vcd)
    return output, statistics


def _by(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def _summary(
    source: pictures.Input,
    job: Job,
    output: Path,
    options: argparse.Namespace,
    stats: dict[str, Any],
) -> str:
    """Say in a few lines what came out, and how fast, against the limits."""
    channels, *sizes = source.shape
    equal = "equals the golden model bit for bit"
    limit = f"limit {stats['limit_cycles_per_frame']:,}"
    if stats["bound_cycles_per_frame"] > stats["limit_cycles_per_frame"]:
        limit += f", bound {stats['bound_cycles_per_frame']:,}"
    if options.stall:
        limit += f" without stalls (stalled with probability {options.stall:g})"
    rows = {
        "input": f"{source.path.name}: {_by(sizes)}, {channels} channel{'s'[: channels > 1]} of "
        f"{job.spec.dtype}, {source.count} frame{'s'[: source.count > 1]}",
        "pooling": describe(job.spec),
        "output": f"{output}: {_by(job.out_size)} of {job.output.name}",
        "check": equal if stats["matches_golden"] else "DIFFERS from the golden model",
        "cycles": f"{stats['cycles_per_frame']:,.10g} a frame, {limit}; "
        f"latency {stats['latency_cycles']}",
        "store": f"{stats['row_store_words']:,} words for the rows, "
        f"limit {stats['limit_row_store_words']:,}; {stats['column_store_words']:,} for the "
        f"columns, limit {stats['limit_column_store_words']:,}; "
        f"{stats['store_bits']:,} bits in all",
        "speed": f"{stats['frames_per_second']:,.1f} frames a second at {options.freq:g} MHz "
        "(assumed)",
        "engine": f"{stats['engine']}: {stats['frames_simulated']} frames, "
        f"{stats['cycles']:,} cycles in {stats['seconds']:.3g} s, "
        f"{stats['cycles_per_second'] or 0:,.0f} cycles a second",
    }
    return "\n".join(f"{name:<8} {text}" for name, text in rows.items())


def describe(spec: PoolSpec) -> str:
    """Describe a specification in a few words, leaving out what is as usual."""
    words = [f"{spec.op} {_by(spec.kernel)}", f"stride {_by(spec.stride)}"]
    if isinstance(spec.padding, str):
        words.append(f"padding {spec.padding.replace('_', '-')}")
    elif any(map(any, spec.padding)):
        words.append("padding " + "x".join(f"{before}:{after}" for before, after in spec.padding))
    if any(step != 1 for step in spec.dilation):
        words.append(f"dilation {_by(spec.dilation)}")
    if spec.ceil_mode:
        words.append("ceil mode")
    if spec.clamp is not None:
        words.append("clamped to {}:{}".format(*spec.clamp))
    return ", ".join(words)


def _verilog(options: argparse.Namespace, tell: Any) -> int:
    shape: tuple[int, ...] = options.shape
    spec = opt.spec_of(options, dtype="int8", ndim=len(shape) - 1)
    job = _job(spec, shape, options.lanes)
    with _Progress("making the core"):
        written = write_verilog(
            *(spec, shape, options.lanes, options.output, options.name),
            family=options.family,
            tkeep=options.tkeep,
            tuser=options.tuser,
            freq_mhz=options.freq,
        )
    for message in job.warnings:
        tell(message)
    lanes = f"{job.lanes} lane{'' if job.lanes == 1 else 's'}"
    print(f"{written.verilog}: {describe(spec)}, shape {_by(shape)}, {lanes} of {spec.dtype}")
    print(f"{written.about}: its beats, cycles and latency")
    print(f"{written.core}: for FuseSoC")
    print(f"{written.template}: an instance, to paste or to include")
    print(f"{written.constraints}: an example of a timing constraint")
    return EQUAL


def _synth(options: argparse.Namespace, tell: Any) -> int:
    spec = opt.spec_of(options, dtype="int8", ndim=len(options.shape) - 1)
    job = _job(spec, options.shape, options.lanes)
    device = device_named(options.device)
    with _Progress("synthesizing and placing", "placed") as progress:
        placement = synth.placed(job, device, options, progress)
    for message in job.warnings:
        tell(message)
    if placement.reason is not None:
        return _say(placement.reason, REFUSED)
    print(synth.summary(placement))
    return EQUAL


def _build(options: argparse.Namespace, tell: Any) -> int:
    spec = opt.spec_of(options, dtype="int8", ndim=len(options.shape) - 1)
    job = _job(spec, options.shape, options.lanes)
    board = board_named(options.board)
    with _Progress("making the bitstream", "built") as progress:
        result = build.built(job, board, options, progress)
    for message in job.warnings:
        tell(message)
    print(build.summary(result))
    return EQUAL


def _explain(options: argparse.Namespace, tell: Any) -> int:
    shape: tuple[int, ...] = options.shape
    spec = opt.spec_of(options, dtype="int8", ndim=len(shape) - 1)
    for message in spec.job(shape).warnings:
        tell(message)

    from streampool_sim.explain import explain_text

    with _Progress("working out the schedule"):
        drawn = explain_text(spec, shape).rstrip("\n")
    print(drawn)
    return EQUAL
