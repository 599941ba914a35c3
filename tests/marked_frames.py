"""Frames whose marks are out of step: what is sent, and what may come out of it.

What becomes of a sequence of beats is worked out here once more, from the marks alone.
"""

import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from core_bench import random_frames
from streampool_golden import Field, PoolJob, SpecWarning
from streampool_hw.export.axi import lane_width, record_width
from streampool_sim.frames import container, pack

KINDS = (
    *("good",) * 6, "cut", "ends early", "one beat", "too long", "surplus", "no last", "no first",
    "rubbish",
)  # fmt: skip


@dataclass(frozen=True)
class Beat:
    """A beat that is sent: its values, and its marks."""

    values: tuple[int, ...]
    first: bool
    last: bool

    def bits(self, job: PoolJob, marks: Sequence[str]) -> int:
        """Return its payload in a core with these marks."""
        payload = joined(job, self.values)
        at = len(self.values) * job.fields_in[0].port.bits
        for place, mark in enumerate(marks):
            payload |= getattr(self, mark) << (at + place)
        return payload


@dataclass
class Part:
    """Beats that a core takes for a frame, and whether they are one."""

    beats: list[Beat]
    whole: bool = False


def joined(job: PoolJob, values: Sequence[int]) -> int:
    """Return the bits of a beat's values."""
    bits = job.fields_in[0].port.bits
    return sum((value % (1 << bits)) << (bits * k) for k, value in enumerate(values))


def random_beats(
    job: PoolJob,
    count: int,
    rng: random.Random,
    *,
    line: int | None = None,
    kinds: Sequence[str] = KINDS,
) -> list[Beat]:
    """Return so many frames, good and bad, one after the other; lines of so many beats end."""
    found: list[Beat] = []
    size = job.beats_in
    frames = pack(job, random_frames(job, count, rng.getrandbits(32)))[0].tolist()
    for frame in frames:
        rows = [tuple(values) for values in frame]
        ends = [at % (line or size) == (line or size) - 1 for at in range(size)]
        marks = [[at == 0, ends[at]] for at in range(size)]
        kind, cut = rng.choice(kinds), rng.randrange(size)
        surplus = rng.randrange(1, size + 2)
        if kind == "cut":
            marks = marks[:cut]
        elif kind == "ends early":
            marks = marks[: cut + 1]
            marks[-1][1] = True
        elif kind == "one beat":
            marks = [[True, True]]
        elif kind == "too long":
            marks[-1][1] = False
            marks += [[False, at == surplus - 1] for at in range(surplus)]
        elif kind == "surplus":
            marks += [[False, at == surplus - 1] for at in range(surplus)]
        elif kind == "no last":
            marks[-1][1] = False
        elif kind == "no first":
            marks[0][0] = False
        elif kind == "rubbish":
            marks = [[rng.random() < 0.3, rng.random() < 0.3] for _ in range(cut + 1)]
        found += [
            Beat(rng.choice(rows) if at >= size else rows[at], *each)
            for at, each in enumerate(marks)
        ]
    return found


def parts_of(
    beats: Sequence[Beat], size: int, marks: Sequence[str], line: int | None = None
) -> tuple[list[Part], int]:
    """Return what a core with frames of `size` beats takes for frames, and how many broke."""
    parts: list[Part] = []
    broken, at, lost = 0, 0, False
    for beat in beats:
        if "first" in marks:
            if beat.first and at:
                broken, at = broken + 1, 0
            elif not beat.first and not at:
                broken, lost = broken + (not lost), True
                continue
        elif lost:
            lost = not beat.last
            continue
        if not at:
            parts.append(Part([]))
            lost = False
        parts[-1].beats.append(beat)
        at += 1
        ends = at % (line or size) == 0
        parts[-1].whole = at == size
        if "last" in marks and beat.last != ends:
            broken += 1
            lost = "first" in marks or at == size
            at = 0
        at %= size
    return parts, broken


def _bits(array: np.ndarray, field: Field) -> np.ndarray:
    """Return the bits of what a field holds."""
    if field.dtype.is_float:
        array = np.ascontiguousarray(array, field.dtype.numpy).view(container(field))
    return array.astype(np.int64) & ((1 << field.port.bits) - 1)


def outputs(job: PoolJob, beats: np.ndarray, line: int | None = None) -> list[list[int]]:
    """Return what leaves for frames of beats, payload by payload; what is spare is 0."""
    frames = job.layout_in.unpack(beats).reshape(-1, *job.shape).view(job.input.numpy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecWarning)
        golden = job.reference(frames)
    found = [[0] * job.beats_out for _ in frames]
    at = 0
    for array, field in zip(golden, job.fields_out, strict=True):
        for frame, rows in enumerate(job.layout_out.pack(_bits(array, field)).tolist()):
            for beat, values in enumerate(rows):
                for k, value in enumerate(values):
                    found[frame][beat] |= value << (at + field.port.bits * k)
        at += field.port.bits * job.layout_out.values
    for payloads in found:
        payloads[0] |= 1 << at + 1
        for beat in range(line or job.beats_out, job.beats_out + 1, line or job.beats_out):
            payloads[beat - 1] |= 1 << at
    return found


def used_bits(job: PoolJob, *, first: bool) -> list[int]:
    """Return the bits that count, of each beat of a frame out: marks, and what is not spare."""
    spare, found = job.layout_out.spare, []
    for row in spare:
        bits = at = 0
        for field in job.fields_out:
            for k, each in enumerate(row):
                if not each:
                    bits |= ((1 << field.port.bits) - 1) << (at + field.port.bits * k)
            at += field.port.bits * len(row)
        found.append(bits | (1 + 2 * first) << at)
    return found * (job.beats_out // len(spare))


def completed(job: PoolJob, part: Part, how: int) -> np.ndarray:
    """Return a frame that begins with a part's beats, in beats; `how` says what follows."""
    rows = [beat.values for beat in part.beats]
    if job.input.is_float:
        rest = pack(job, random_frames(job, 1, how))[0][0].tolist()
    else:
        end = (job.input.low, job.input.high)[how]
        rest = [(end,) * job.layout_in.values] * job.beats_in
    rows += rest[len(rows) :]
    return np.array(rows, dtype=np.int64).astype(container(job.fields_in[0]))


def assert_right(
    job: PoolJob,
    parts: Sequence[Part],
    payloads: Sequence[int],
    *,
    line: int | None = None,
    first: bool = True,
) -> None:
    """Check that each whole frame left whole, and of each other at most beats that are right.

    Those are the ones that no beat changes that was not there. `payloads` are those of a core with
    marks; `line` is the beats of a line out where `last` is high at each line's end, and `first`
    says whether that mark is there.
    """
    both = [
        outputs(job, np.array([completed(job, part, how) for part in parts]), line)
        for how in (0, 1)
    ]
    used = used_bits(job, first=first)
    ways = {0}  # how many of those that left can belong to the frames so far
    for number, part in enumerate(parts):
        further = set()
        for at in ways:
            came = 0
            for came, payload in enumerate((*payloads[at:][: job.beats_out], None)):
                right = payload is not None and all(
                    not (payload ^ each[number][came]) & used[came] for each in both
                )
                if not part.whole:
                    further.add(at + came)
                if not right:
                    break
            if part.whole and came == job.beats_out:
                further.add(at + came)
        ways = further
        what = "whole" if part.whole else "broken"
        assert ways, f"frame {number} of {len(parts)}, which is {what}, did not leave"
    assert len(payloads) in ways, f"{len(payloads)} beats left, {max(ways)} of frames sent"


def tdata(job: PoolJob, values: Sequence[int]) -> int:
    """Return the bits of a beat's values at an AXI4-Stream port."""
    bits, width = job.fields_in[0].port.bits, record_width(job.fields_in)
    return sum((value % (1 << bits)) << (width * k) for k, value in enumerate(values))


def payload(job: PoolJob, word: int, *, last: int, first: int) -> int:
    """Return what leaves by an AXI4-Stream port as what leaves a core with marks."""
    found, at, offset = 0, 0, 0
    for field in job.fields_out:
        bits = field.port.bits
        for k in range(job.layout_out.values):
            value = word >> (record_width(job.fields_out) * k + offset) & ((1 << bits) - 1)
            found |= value << at
            at += bits
        offset += lane_width(field.dtype.bits)
    return found | last << at | first << (at + 1)
