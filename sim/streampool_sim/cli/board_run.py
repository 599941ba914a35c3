"""The verb `run` where the engine is a board."""

import sys
from typing import Any, TextIO

from streampool_golden import PoolJob
from streampool_hw.boards import BOARDS
from streampool_hw.boards.link.protocol import Info

from .. import link, pictures
from ..progress import Progress
from ..refusals import GREEN, RED, Refused, painted
from ..words import by, count, describe, table
from . import common, run_files, values
from .command import Options

_FREQ = common.freq_option("").default
_NOT_THERE = {
    "--stall": "stall",
    "--vcd": "vcd",
    "--indices": "indices_file",
    "--columns": "columns",
    "--columns-out": "columns_out",
    "--resync": "resync",
}


def run(source: pictures.Input, options: Options) -> int:
    """Send what was read to a board, write what comes back, print what there is to say."""
    for flag, name in _NOT_THERE.items():
        if getattr(options, name):
            raise Refused(f"{flag} has no meaning on a board; leave it out")
    if options.freq != _FREQ:
        raise Refused("--freq has no meaning on a board, which says its clock; leave it out")
    if options.op == common.UNPOOL:
        raise Refused("--op unpool is not for a board, whose core pools; use --engine auto")
    dtype = run_files.dtype_of(source, options)

    def job_for(info: Info) -> PoolJob:
        """Make the job that is meant, with as many lanes as the board has if nothing is said."""
        if options.lanes is None and info.lanes <= source.shape[0]:
            options.lanes = info.lanes
        return common.pool_job(options, source.shape, dtype)

    meant = common.pool_job(options, source.shape, dtype)
    x = run_files.checked_values(source, meant.input)
    paths = run_files.targets(options, source, meant)
    try:
        with (
            link.Port(options.engine.removeprefix(values.BOARD)) as port,
            Progress("asking the board", "back from the board", "bytes") as progress,
        ):
            result = link.pool_on_board(
                port, job_for, x, layout=source.frame_layout, progress=progress
            )
    except link.LinkError as error:
        raise Refused(str(error)) from None
    stats = {**result.stats, "input": str(source.path), "output": str(paths[0])}
    run_files.write(source, options, paths, (result.output,), stats)
    told = sys.stderr if options.stats == "-" else sys.stdout
    print(_summary(source, result, stats, told), file=told)
    if result.mismatch:
        print(f"mismatch {result.mismatch}", file=told)
    return int(result.mismatch is not None)


def _summary(
    source: pictures.Input, result: link.BoardResult, stats: dict[str, Any], told: TextIO
) -> str:
    """Say in a few lines what came back, and how fast, beside what the core could do."""
    info, seen = result.info, stats["link"]
    job, mhz = info.job, info.clock_hz / 1e6
    channels, *sizes = source.shape
    title = BOARDS[info.board].title if info.board in BOARDS else info.board
    why = {
        "silent": "no answer in time",
        "damaged": "a damaged answer",
        "refused": "a damaged request",
    }
    whys = [f"{seen[name]} for {text}" for name, text in why.items() if seen[name]]
    line = f"{count(seen['requests'], 'request')}, {seen['repeated']} repeated"
    line += f" ({', '.join(whys)})" if whys else ""
    if seen["sessions_lost"]:
        line += f"; {count(seen['sessions_lost'], 'reset')} of the board in the middle"
    rows = {
        "input": f"{source.path.name}: {by(sizes)}, {count(channels, 'channel')} of {job.input},"
        f" {count(source.count, 'frame')}",
        "pooling": describe(job.spec),
        "output": f"{stats['output']}: {by(job.out_size)} of {job.output}",
        "check": painted("equals the golden model bit for bit", GREEN, told)
        if stats["matches_golden"]
        else painted("DIFFERS from the golden model", RED, told),
        "board": f"{title} on {stats['port']}, streampool {info.streampool}",
        "link": f"{stats['frames_per_second']:,.3g} frames per second,"
        f" {stats['payload_bytes_per_second'] / 1000:,.1f} kB/s of values there and back; {line}",
        "core": f"{stats['core_frames_per_second']:,.1f} frames per second at {mhz:g} MHz,"
        f" {info.cycles:,} cycles per frame, if the link were no limit",
    }
    return table(rows.items())
