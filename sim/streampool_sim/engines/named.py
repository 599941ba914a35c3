"""The signals of a core that a person may want to see, with their plain names.

Waveforms and the page of ``streampool show`` have the same list. A signal's path is the names that
the code has, from the core down, with the axes by their names: ``core.columns.fifo.level``.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from amaranth.hdl import DomainRenamer, Fragment, Signal
from streampool_golden.geometry import AXIS_NAMES
from streampool_hw import Core
from streampool_hw.reduce.stage import AxisStage

_AXIS = "planes|rows|columns|steps"

PLAIN = {
    r"cycle": "clock since the reset",
    r"rst": "reset",
    r"i__valid": "input: offered",
    r"i__ready": "input: can be taken",
    r"o__valid": "output: offered",
    r"o__ready": "output: can be taken",
    rf"({_AXIS})\.slot": "position that comes in",
    rf"({_AXIS})\.slot_beat": "which of the beats between two positions comes in",
    rf"({_AXIS})\.window": "window that leaves the FIFO",
    rf"({_AXIS})\.window_beat": "which of the beats between two windows leaves the FIFO",
    rf"({_AXIS})\.i__valid": "stage's input: offered",
    rf"({_AXIS})\.i__ready": "stage's input: can be taken",
    rf"({_AXIS})\.o__valid": "stage's output: offered",
    rf"({_AXIS})\.o__ready": "stage's output: can be taken",
    rf"core\.({_AXIS})\.take": "an input is taken",
    rf"core\.({_AXIS})\.draining": "windows of the pass before are left to leave",
    rf"core\.({_AXIS})\.between": "the next pass has not begun",
    rf"core\.({_AXIS})\.blocked": "the next pass has to wait for the drain",
    rf"core\.({_AXIS})\.i__payload": "value that comes in",
    rf"core\.({_AXIS})\.sequencer\.word": "control word",
    rf"core\.({_AXIS})\.fifo\.credit": "FIFO: room for new work",
    rf"core\.({_AXIS})\.fifo\.level": "FIFO: beats in it",
    rf"core\.({_AXIS})\.fifo\.write": "FIFO: a beat goes in",
    rf"core\.({_AXIS})\.fifo\.i": "FIFO: the beat that goes in",
    rf"core\.({_AXIS})\.bank_\d+\.store_\d+\.write_en": "store: a word is written",
    rf"core\.({_AXIS})\.bank_\d+\.store_\d+\.write_data": "store: the word that is written",
    rf"core\.({_AXIS})\.bank_\d+\.store_\d+\.read_data": "store: the word that was read",
    rf"core\.({_AXIS})\.bank_\d+\.x_\d+": "pipeline: the input, for a place",
    rf"core\.({_AXIS})\.bank_\d+\.partial_\d+": "pipeline: the partial of a place",
    rf"core\.({_AXIS})\.bank_\d+\.found_\d+": "pipeline: compared, or added",
    rf"core\.({_AXIS})\.bank_\d+\.new_\d+": "pipeline: the new partial of a place",
    r"core\.(preprocess|postprocess)\.fifo_\d+\.credit": "FIFO: room for new work",
    r"core\.(preprocess|postprocess)\.fifo_\d+\.level": "FIFO: beats in it",
    r"core\.(preprocess|postprocess)\.fifo_\d+\.write": "FIFO: a beat goes in",
    r"core\.(preprocess|postprocess)\.fifo_\d+\.read": "FIFO: a beat leaves",
    r"core\.(resync)\.flushing": "frames before a broken one are to leave",
    r"core\.(resync)\.restart": "the next frame starts anew",
}
"""Plain names, by patterns of whole paths; a group in them is the part that the signal is of."""

# a core that follows its frames' marks has another one inside
_PATTERNS = [
    (re.compile(pattern.replace(r"core\.", r"core\.(?:pool\.)?")), plain)
    for pattern, plain in PLAIN.items()
]


class Named(NamedTuple):
    """A signal on the list: its path, its plain name, and the part of the core that it is of.

    The part is ``input``, ``output``, ``clock``, the name of an axis, or of a pipeline.
    """

    path: str
    plain: str
    part: str


def named(path: str) -> Named | None:
    """Return what the list has of a path; None of a signal that nobody wants to see."""
    for pattern, plain in _PATTERNS:
        if match := pattern.fullmatch(path):
            sides = {"i_": "input", "o_": "output"}
            part = match[1] if match.lastindex else sides.get(path[:2], "clock")
            return Named(path, plain, str(part))
    return None


def stages(core: Core) -> dict[str, AxisStage]:
    """Return the stages of a core that has some, by the names of their axes."""
    names = AXIS_NAMES[len(core.job.size)]
    inside = getattr(core, "core", core)  # of one that follows its frames' marks
    return {names[axis]: stage for axis, stage in getattr(inside, "stages", {}).items()}


def scopes(core: Core) -> dict[str, str]:
    """Return the names of the axes by the code's: ``axis_1`` are the columns of a map."""
    return {f"axis_{axis}": name for axis, name in enumerate(AXIS_NAMES[len(core.job.size)])}


def signals(core: Core, bench: Fragment) -> Iterator[tuple[Named, Signal]]:
    """Yield the signals of a bench that are on the list; an outer name of a port counts as none."""
    names = scopes(core)
    copy = DomainRenamer({})(bench)  # the simulator names the signals itself, which is once
    for info in copy.prepare().fragments.values():
        scope = [names.get(name, name) for name in map(str, info.name[1:])]
        for signal, name in info.signal_names.items():
            if (found := named(".".join((*scope, name)))) is not None:
                yield found, signal
