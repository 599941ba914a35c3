"""The command line: one function a verb.

Results go to standard output, everything else to standard error. A run ends with 0 if the core and
the golden model agree bit for bit, 1 if they do not, and 2 if something was refused, which takes
one sentence and leaves no file behind.
"""

import argparse
import io
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from streampool_bench import command as benching
from streampool_golden import PoolJob, SpecError, __version__
from streampool_hw.boards import board_named
from streampool_hw.export.yosys import YosysError
from streampool_hw.fpga import device_named

from streampool_sim import EngineError, build, run, synth, verilog
from streampool_sim import options as opt
from streampool_sim.options import Refused

__all__ = ["main"]

EQUAL, MISMATCH, REFUSED, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141

EXPLAIN_EXAMPLES = """\
examples:
  streampool explain --kernel 3 --stride 2 --shape 1x6x6
  streampool explain --op avg --kernel 3 --padding same --shape 1x9
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

    running = verbs.add_parser(
        "run",
        help="pool a picture or an array through the simulated core",
        description="Pool a picture or a .npy of integers or floats through the simulated core.",
        epilog=run.EXAMPLES,
    )
    run.add_options(running)
    running.set_defaults(function=_run, parser=running)

    writing = verbs.add_parser(
        "verilog",
        help="write a core as Verilog with AXI4-Stream ports",
        description="Write a core as one Verilog file with AXI4-Stream ports.",
        epilog=verilog.EXAMPLES,
    )
    opt.add_spec_options(writing, dtype_note="int8", more_ops=("unpool",))
    group = writing.add_argument_group("what is written")
    opt.add_shape_option(group, None)
    opt.add_lanes_option(group)
    verilog.add_options(group)
    writing.set_defaults(function=_verilog, parser=writing)

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
    opt.add_lanes_option(group)
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
    opt.add_lanes_option(group)
    build.add_options(group)
    building.set_defaults(function=_build, parser=building)

    comparing = verbs.add_parser(
        "bench",
        help="time software on pooling layers, and hold the core against the fastest",
        description="Time software on pooling layers here and now, and hold the core, as it was "
        "placed, against the fastest.",
        epilog=benching.EXAMPLES,
    )
    opt.add_spec_options(comparing, dtype_note="int8")
    group = comparing.add_argument_group("what is measured, and how")
    opt.add_shape_option(group, None, required=False)
    benching.add_options(group)
    comparing.set_defaults(function=_bench, parser=comparing)
    return parser


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


def _run(options: argparse.Namespace, tell: Any) -> int:
    return EQUAL if run.pooled(options, tell, _Progress()) else MISMATCH


def _verilog(options: argparse.Namespace, tell: Any) -> int:
    if options.op == "unpool":
        with _Progress("making the core"):
            print(verilog.unpool_summary(*verilog.unpool_written(options)))
        return EQUAL
    opt.check_no_size(options)
    spec = opt.spec_of(options, dtype="int8", ndim=len(options.shape) - 1, size=options.shape[1:])
    job = opt.job_of(spec, options.shape, options.lanes)
    with _Progress("making the core"):
        files = verilog.written(job, options)
    for message in job.warnings:
        tell(message)
    print(verilog.summary(job, files))
    return EQUAL


def _synth(options: argparse.Namespace, tell: Any) -> int:
    spec = opt.spec_of(options, dtype="int8", ndim=len(options.shape) - 1, size=options.shape[1:])
    job = opt.job_of(spec, options.shape, options.lanes)
    device = device_named(options.device)
    with _Progress("synthesizing and placing", "done") as progress:
        placement = synth.placed(job, device, options, progress)
    for message in job.warnings:
        tell(message)
    if placement.reason is not None:
        return _say(placement.reason, REFUSED)
    print(synth.summary(placement))
    return EQUAL


def _build(options: argparse.Namespace, tell: Any) -> int:
    spec = opt.spec_of(options, dtype="int8", ndim=len(options.shape) - 1, size=options.shape[1:])
    job = opt.job_of(spec, options.shape, options.lanes)
    board = board_named(options.board)
    with _Progress("making the bitstream", "done") as progress:
        result = build.built(job, board, options, progress)
    for message in job.warnings:
        tell(message)
    print(build.summary(result))
    return EQUAL


def _explain(options: argparse.Namespace, tell: Any) -> int:
    shape: tuple[int, ...] = options.shape
    spec = opt.spec_of(options, dtype="int8", ndim=len(shape) - 1, size=shape[1:])
    for message in PoolJob(spec, shape).warnings:
        tell(message)

    from streampool_sim.explain import explain_text

    with _Progress("working out the schedule"):
        drawn = explain_text(spec, shape).rstrip("\n")
    print(drawn)
    return EQUAL


def _bench(options: argparse.Namespace, tell: Any) -> int:
    benching.bench(options)
    return EQUAL
