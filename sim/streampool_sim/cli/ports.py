"""The verb `ports`."""

from .. import link
from ..refusals import Refused
from ..words import by, describe
from .command import Options, argument, verb

EXAMPLES = """\
examples:
  streampool ports
  streampool ports /dev/ttyUSB1

Each is asked what it is, by a few bytes; name those that may be asked where other things are
attached, too.
Needs the extra streampool[link]. Exit: 0 a board answered, 1 none did, 2 refused.
"""


@verb(
    "ports",
    EXAMPLES,
    argument("ports", str, "PORT", "serial ports to ask (all)", several=True),
)
def command(options: Options) -> int:
    """List serial ports, and what answers there."""
    answered = there = 0
    try:
        for port in link.attached(options.ports):
            info = port.info
            there += 1
            if info is None:
                print(f"{port.name:<16} {port.about}: {port.why}", flush=True)
                continue
            answered += 1
            job = info.job
            print(
                f"{port.name:<16} {info.board}, {info.clock_hz / 1e6:g} MHz, streampool"
                f" {info.streampool}: {describe(job.spec)} on {by(job.shape)} of {job.input},"
                f" {info.lanes} lanes",
                flush=True,
            )
    except link.LinkError as error:
        raise Refused(str(error)) from None
    if not there:
        print("no serial port is there")
    return 0 if answered else 1
