"""The kind of window that a beat is of: by what it is divided, however the beats come."""

from functools import partial
from math import prod

from amaranth.hdl import Const, Elaboratable, Module, Signal, Value
from streampool_golden import PoolJob
from streampool_hw.blocks.windows import Windows, _numbers
from streampool_hw.schedule.program import Program
from streampool_hw.schedule.settings import CONSTANTS
from streampool_hw.schedule.uneven import Rounds

from .harness import Inside, Platform, claim
from .linear import by_table
from .sequencer import Played
from .whole import Raster

DEPTH = 1


class Kinds(Elaboratable):
    """A core's `Windows` with a free `step`.

    Theorem: whichever beat of a frame comes, the number beside each of its windows is that of the
    window's divisor, and of its real inputs where they matter.

    Invariants: the sequencer of each axis' counts stands at the beat's place along that axis.
    """

    def __init__(self, job: PoolJob):
        self.job = job
        self.platform = Platform()
        self.step = Signal()
        self.ports = [self.step]

    def elaborate(self, platform: Platform) -> Module:
        m, part, job = Module(), Module(), self.job
        windows = Windows(job, CONSTANTS)
        numbers = windows.follow(part, self.step)
        inside = Inside(part, platform)
        m.submodules.part = inside.fragment
        wide = job.columns_out
        sizes = [axis.outputs for axis in job.axes]
        sizes[-1] = -(-sizes[-1] // wide)
        raster = Raster(m, [*sizes, job.fold], self.step, "out")
        for axis, counts in enumerate(windows._axes):
            kinds = sorted(set(counts))
            if len(kinds) == 1 or len(windows.kinds) == 1:
                continue
            across = wide if axis == len(sizes) - 1 else 1
            bits = (len(kinds) - 1).bit_length()
            found = _numbers(job.axes[axis], [kinds.index(kind) for kind in counts], bits, across)
            words = tuple(found)
            program = (
                found if isinstance(found, Program) else Program(words, 0, len(words), found.rounds)
            )
            played = Played(
                *(m, partial(claim, m), inside, program, prod([*sizes[axis + 1 :], job.fold])),
                self.step,
                prefix=f"count_{axis}.",
                rounds=found if isinstance(found, Rounds) else None,
                named=f"axis_{axis}_",
            )
            claim(m, played.p == raster.at[axis], f"place_{axis}")
            place: Value = Const(0, 1)
            for at, size in zip(raster.at[axis + 1 :], [*sizes[axis + 1 :], job.fold], strict=True):
                place = place * size + at
            claim(m, played.c == place, f"step_{axis}")

        sources = [(0, job.axis_divisors)]
        if job.requantisation:
            sources.append((1, job.axis_taps))
        for q, number in enumerate(numbers):
            there = raster.at[len(sizes) - 1] * wide + q < job.axes[-1].outputs
            for which, counts in sources:
                wanted: Value = Const(1, 1)
                for axis, along in enumerate(counts):
                    each = list(along)
                    if axis == len(sizes) - 1:
                        ends = range(q, sizes[axis] * wide, wide)
                        each = [each[min(k, len(each) - 1)] for k in ends]
                    wanted = wanted * by_table(each, raster.at[axis])
                has = by_table([kind[which] for kind in windows.kinds], number)
                claim(m, has == wanted, f"kind_{which}_{q}", there)
        return m
