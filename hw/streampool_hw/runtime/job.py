"""A job of a run-time core, worked out before any gate: what its stages are told."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from streampool_golden import Axis, PoolJob, PoolSpec, SpecError, UnevenAxis
from streampool_golden.errors import meaningless

from ..blocks.windows import Kind
from ..schedule.plans import plan_of
from .maxima import KNOWN, MOST, Maxima, StageMaxima, check_maxima
from .quotients import Finish, kinds_of, windows_of
from .registers import FINISH, STAGES, WORDS, RegisterMap, checksum


@dataclass(frozen=True)
class StageJob:
    """What one stage is told: an axis' schedule, for a queue of the core's most partials.

    Attributes
    ----------
    slots : int
        Positions of the axis, N.
    m : int
        Beats from a position to its neighbour.
    words : tuple of int
        The program, as `StageMaxima.word_bits` has it.
    start : int
        The place of the loop's first word.
    repeats : int
        Turns of the loop.
    runs : int
        How often the axis passes in a frame.
    drain : int
        D, windows that leave after the last input.
    first : int
        L, the slot in which the first window leaves.
    outputs : int
        Windows.
    left : tuple of int
        The kinds of the windows that leave after the last input.
    least : int
        The least clocks of a slot.
    """

    slots: int
    m: int
    words: tuple[int, ...]
    start: int
    repeats: int
    runs: int
    drain: int
    first: int
    outputs: int
    left: tuple[int, ...]
    least: int

    @property
    def slot_clocks(self) -> int:
        """Clocks that a slot takes: a beat each, and `least` at least."""
        return max(self.m, self.least)

    @property
    def rest(self) -> int:
        """Clocks of a slot in which nothing is taken."""
        return self.slot_clocks - self.m

    def fields(self, kind_bits: int) -> dict[str, int]:
        """Return the fields of its registers beside the program, by name."""
        return {
            "m1": self.m - 1,
            "rest": self.rest,
            "repeats1": self.repeats - 1,
            "start": self.start,
            "runs1": self.runs - 1,
            "drain": 1 << self.drain - 1 if self.drain else 0,
            "kinds": sum(kind << n * kind_bits for n, kind in enumerate(self.left)),
        }

    @property
    def cycles(self) -> int:
        """Clocks that a frame takes this stage in the steady state."""
        behind = lost(self, self)
        return self.runs * (self.slots * self.slot_clocks + behind)


def lost(old: StageJob, new: StageJob) -> int:
    """Return the clocks that a frame waits for the one before, of the same job or another.

    What is left of the old frame leaves beat by beat while the new one comes in; the new one waits
    only where a window of its own would leave before all of that has.
    """
    return max(0, old.drain * old.m - new.first * new.slot_clocks)


class RuntimeJob:
    """A job for a core of given maxima: `PoolJob`'s schedule as numbers for its registers.

    Parameters
    ----------
    spec : PoolSpec or PoolJob
        What to compute; a job says `shape`, too.
    shape : tuple of int
        A frame: channels, then rows and columns, or steps.
    maxima : Maxima
        What the core is made for.

    Raises
    ------
    SpecError
        If `spec` does not work on `shape`, if it is of a kind that a run-time core does not have,
        or if it passes a maximum, which the sentence names.
    """

    def __init__(
        self,
        spec: PoolSpec | PoolJob,
        shape: Sequence[int] = (),
        maxima: Maxima = Maxima(),  # noqa: B008 (frozen)
    ):
        self.maxima = check_maxima(maxima)
        if isinstance(spec, PoolJob):
            if not (isinstance(shape, tuple) and not shape):
                raise meaningless("shape", shape, "a job, which has it")
            job = spec
        else:
            job = PoolJob(spec, shape, maxima.lanes)
        self.job = job
        _check_kind(job, maxima)
        rows, columns = (_no_axis(), *job.axes) if len(job.axes) == 1 else job.axes
        _within("max_fold", "beats per position", job.fold, maxima.max_fold)
        for axis in (rows, columns):
            for positions in (axis.length, axis.outputs):
                _within("max_length", "positions of an axis", positions, maxima.max_length)
        windows = partial(windows_of, job)
        self.columns = _stage_job(columns, job.fold, rows.length, maxima.columns, windows)
        row = job.fold * columns.outputs
        if not rows.identity:
            _within("max_row", "beats of a row of outputs", row, maxima.max_row)
        self.rows = _stage_job(rows, row, 1, maxima.rows, windows)
        self.finish = Finish.of(job, columns, rows, maxima) if maxima.sums else None

    @property
    def stages(self) -> tuple[StageJob, StageJob]:
        """What the columns' stage and the rows' are told."""
        return self.columns, self.rows

    @cached_property
    def writes(self) -> tuple[tuple[int, int], ...]:
        """What a host writes, in order: addresses and words of 32 bits, the arming last."""
        registers, job, bits = RegisterMap(self.maxima), self.job, self.maxima.kind_bits
        selects, both = job.operation.selects, self.maxima.selects and self.maxima.sums
        found = registers.writes(
            "core",
            {
                "signed": int(job.input.signed),
                "smallest": int(selects == "smallest"),
                "sums": int(both and selects is None),
            },
        )
        for name, stage in zip(STAGES, self.stages, strict=True):
            found += registers.writes(name, stage.fields(bits))
            for place, word in enumerate(stage.words):
                found.append((registers.address(name, WORDS + place), word))
        if self.finish is not None:
            found += registers.writes(FINISH, self.finish.limits)
            for kind, values in self.finish.table.items():
                found += registers.writes(FINISH, values, kind)
        total = checksum(word for _, word in found)
        return *found, *registers.writes("core", {"checksum": total})

    def blob(self) -> bytes:
        """Return `writes` as little-endian words of 32 bits: address, word, address and so on."""
        return b"".join(struct.pack("<II", *write) for write in self.writes)

    @property
    def limit_cycles(self) -> int:
        """The least that any core takes for a frame: the more of the beats in and out."""
        return self.job.limit_cycles

    @property
    def cycles_bound(self) -> int:
        """The most clocks that a frame takes while the job stays, valid and ready always high.

        The beats in, out, and between the two stages, where columns that grow stand before rows
        that shrink; of a slot of few beats its clocks. Where columns shrink and
        rows grow, what these may wait comes on top, as in a `PoolCore`.
        """
        least = max(self.job.beats_out, *(stage.cycles for stage in self.stages))
        rows_wait = self.columns.outputs < self.columns.slots
        return least + lost(self.rows, self.rows) * rows_wait

    @property
    def is_steady(self) -> bool:
        """Whether no stage waits for the frame before while the job stays.

        Else frames may take less than `cycles_bound`.
        """
        return not any(lost(stage, stage) for stage in self.stages)

    def bubble_after(self, old: "RuntimeJob") -> int:
        """Return the most clocks lost at the input when this job's first frame follows an old one.

        They are over what its frames take anyway, where the job was armed in time. What the columns
        lose is lost at once. What the rows lose may be hidden, or come frames later, when what the
        columns give finds no room any more.
        """
        both = [*zip(old.stages, self.stages, strict=True)]
        late = sum(before.least - 2 for before, _ in both if before.rest)
        return late + sum(max(0, lost(*each) - lost(each[1], each[1])) for each in both)


def _no_axis() -> Axis:
    return Axis.resolve(1, 1, 1, (0, 0))


def check_op(op: str) -> None:
    """Refuse an operation that no run-time core has."""
    if op not in KNOWN:
        raise SpecError(
            "op",
            f"op {op} is nothing that a run-time core has; use {', '.join(KNOWN[:-1])} or"
            f" {KNOWN[-1]}, or PoolCore.",
        )


def _check_kind(job: PoolJob, maxima: Maxima) -> None:
    spec = job.spec
    check_op(job.op)
    if job.op not in maxima.operations:
        raise SpecError(
            "op",
            f"op {job.op} is not one that the core is made for;"
            f" use {' or '.join(maxima.operations)}, or make the core with operations"
            f" that have it.",
        )
    if len(job.axes) > 2:
        raise SpecError(
            "shape",
            f"shape {job.shape} has three axes, and a run-time core pools along two; use PoolCore.",
        )
    if job.input.is_float or job.input.bits != maxima.bits:
        raise SpecError(
            "dtype",
            f"dtype {job.input} does not fit a core of integers of {maxima.bits} bits;"
            f" use int{maxima.bits} or uint{maxima.bits}.",
        )
    for field, plain in (("indices", None), ("columns", 1), ("columns_out", 1)):
        value = getattr(spec if field == "indices" else job, field)
        if value != plain:
            raise _nothing(field, value)
    _check_finish(job, maxima)
    if job.lanes != maxima.lanes:
        raise SpecError(
            "lanes", f"lanes {job.lanes} are not the core's; use {maxima.lanes}, which it has."
        )
    for axis in job.axes:
        if isinstance(axis, UnevenAxis) and axis.growth > 0:
            raise SpecError(
                "adaptive",
                f"adaptive {spec.adaptive} grows {axis.length} to {axis.outputs} by windows of two"
                " lengths, which a run-time core does not have; use PoolCore.",
            )


def _nothing(field: str, value: object) -> SpecError:
    return SpecError(field, f"{field} {value} is nothing that a run-time core has; use PoolCore.")


def _check_finish(job: PoolJob, maxima: Maxima) -> None:
    """Refuse what is done to an exact value, where the core has nothing or not enough for it."""
    spec, narrow = job.spec, (job.input.low, job.input.high)
    if not maxima.sums and (job.output != job.input or job.bounds != narrow):
        field = "out_dtype" if spec.clamp is None else "clamp"
        raise SpecError(
            field,
            f"{field} {getattr(spec, field)} is nothing that a core of"
            f" {' and '.join(maxima.operations)} has; make one with avg or sum, too.",
        )
    if job.operation.selects is None:
        _within("max_taps", "taps of a window", job.most_taps, maxima.max_taps)
        most = max(abs(divisor) for divisor in (int(job.divisors.min()), int(job.divisors.max())))
        _within("max_taps", "taps that a window is divided by", most, maxima.max_taps)
    if job.output.bits > maxima.out_bits:
        raise SpecError(
            "out_dtype",
            f"out_dtype {job.output} is wider than the {maxima.out_bits} bits that leave the core;"
            " use a narrower one, or make a core with sum.",
        )


def _within(field: str, what: str, value: int, most: int, power: bool = False) -> None:
    """Refuse what is more than a maximum, which may have to be a power of two."""
    if value > most:
        least = 1 << (value - 1).bit_length() if power else value
        use = f"make a core with {field}={least}"
        if least > MOST[field]:
            use = f"use PoolCore: {MOST[field]:,} are the most that a run-time core is made for"
        raise SpecError(field, f"{value:,} {what} are more than {field} {most:,}; {use}.")


def _stage_job(
    axis: Axis, m: int, runs: int, most: StageMaxima, windows: Callable[[Axis], tuple[Kind, ...]]
) -> StageJob:
    """Return what a stage is told of an axis whose neighbours are `m` beats apart.

    `windows` gives each of an axis' windows as what is divided alike.
    """
    kinds = kinds_of(windows(axis))
    _within(
        "max_kinds", "kinds of windows along an axis", len(kinds), 1 << most.kind_bits, power=True
    )
    if axis.identity and len(kinds) == 1:  # slots of any length that make up the frame do
        axis, m, runs = _other_slots(axis.length, m, runs, most)
    plan = plan_of(axis)
    _within("max_partials", "partials a position", plan.partials, most.partials)
    _within("max_drain", "windows that leave after the last input", plan.drain, most.drains)
    # above `own` whether a window is the last, and its kind
    short = plan.short
    each = windows(short) if len(kinds) > 1 else kinds * short.outputs
    numbers = [kinds.index(kind) for kind in each]
    marks = [(i == len(numbers) - 1) | kind << 1 for i, kind in enumerate(numbers)]
    program = plan.program_for(most.partials, marks)
    _within("max_words", "words of a program", len(program.words), most.words, power=True)
    words = list(program.words)
    words[program.stop - 1] |= 1 << most.loop_bit
    words[-1] |= 1 << most.loop_bit + 1
    return StageJob(
        *(axis.length, m, tuple(words), program.start, program.repeats, runs),
        *(plan.drain, plan.leave[0], axis.outputs),
        *(tuple(numbers[len(numbers) - plan.drain :]), most.slot),
    )


def _other_slots(length: int, m: int, runs: int, most: StageMaxima) -> tuple[Axis, int, int]:
    """Return an axis of kernel 1, its `m` and its runs that make up as many beats as those do."""
    if not most.slot <= m <= most.m:
        total, runs = length * m * runs, 1
        fits = [n for n in range(1, most.m + 1) if total % n == 0 and total // n <= most.length]
        if not fits:
            raise SpecError(
                "max_length",
                f"{total:,} beats that pass along an axis unchanged make no slots of up to"
                f" {most.m:,} beats, {most.length:,} of them at most; make a core with a larger"
                " max_length.",
            )
        m = fits[-1]
        length = total // m
    return Axis.resolve(length, 1, 1, (0, 0)), m, runs
