"""A pooling core: preprocessing, one stage per axis, postprocessing."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import PoolJob, PoolSpec
from streampool_golden.errors import meaningless
from streampool_golden.fields import GLOBAL

from .blocks.block import Chain, Number, Window
from .blocks.indices import Indexed, index_parts, place_of, with_indices
from .blocks.windows import Windows
from .datapath.pipeline import Bundle, Nothing, Pipeline, Step, lane_shape
from .families import GENERIC, check_family
from .reduce.columns import ColumnStage, column_stage
from .reduce.operations import gates_of, postprocessing
from .reduce.stage import AxisStage
from .schedule.columns import ColumnPlan
from .schedule.counters import modulo_counter
from .schedule.plans import plans_of
from .schedule.settings import CONSTANTS, Settings
from .vendor.memories import fifo_of


class PoolCore(wiring.Component):
    """Pool frames of one size, at one beat per clock.

    A beat is `lanes` channels of one position. The beats of a frame come in raster order, the
    channel groups of a position one after the other: beat ``b`` holds the channels
    ``(b % fold) * lanes ...`` of position ``b // fold``. Where the lanes do not divide the
    channels, the last group's spare lanes are never read, and hold anything at the output.

    With several columns a beat it is `lanes` channels of each of so many adjacent positions of a
    row, the channels of a position side by side, and each row begins a beat of its own. Columns
    beyond a row's end are never read, and hold anything at the output. `BeatLayout` says all this.

    The core counts beats; frames follow each other with no gap or any, and may be stalled
    anywhere. The last beats of a frame come out though no next frame comes.

    Throughput: with valid and ready always high a frame takes at most `cycles_bound` clocks;
    that is ``max(job.beats_in, job.beats_out)``, but for axes of which one shrinks while
    another grows, paddings beyond any framework's, and rows of several columns a beat whose
    groups are several beats apart and that have more than ceil(N / S) windows. Latency: `latency`
    clocks from the step in which the schedule lets a window leave (the beat that completes it, or
    its drain step) to its beat at `o`, while ``o.ready`` is high. Behind an axis that grows it is
    counted from that axis' own step, since its input has to wait.

    Parameters
    ----------
    spec : PoolSpec or PoolJob
        What to compute; a job says `shape`, `lanes` and columns, too.
    shape : tuple of int
        A frame: channels, then rows and columns (or steps).
    lanes : int, optional
        Channels side by side in a beat; the channels by default, 8 at most.
    columns, columns_out : int, optional
        Columns side by side in a beat in, 1 by default, and windows side by side in a beat out, by
        default as many as `PoolJob` says.
    family : str, optional
        The family of devices, one of `FAMILIES`: its own memory is used where that pays. Beats
        and cycles are the same in all; only ``"generic"`` runs in Amaranth's simulator.
    block_from : int, optional
        Words from which a store is in a block RAM, where the family has a cell for it; a smaller
        one is left to synthesis, which takes LUT RAM or registers.
    far : bool, optional
        Have the credit of each FIFO come back through a register, for designs that fill a device,
        where a stage's two ends are far apart.
    settings : Settings, optional
        Where the numbers of the schedule come from: constants by default.

    Attributes
    ----------
    job : PoolJob
        The specification on this shape and lanes: beats, limits, ranges.
    plans : tuple of AxisPlan, UnevenPlan or ColumnPlan
        The schedules in stream order, as ``job.stages``.
    stages : dict of int to AxisStage or ColumnStage
        The components that pool, by the axis that each pools along, in the same order.
    cycles_bound : int
        The most clocks that a frame takes in the steady state: ``job.cycles_bound``, which
        allows for the most idle slots that an axis of its kind can need, with the schedules' own.
    store_words : dict of int to int
        Words in each stage's store, by the axis it pools: of `lanes` values for the columns, where
        a beat holds several, and of a beat for the others.
    store_bits : int
        Bits of all stores.

    Members
    -------
    i : In(stream)
        Beats in: an array of ``columns * lanes`` values of ``spec.dtype``.
    o : Out(stream)
        Beats out: `data`, an array of ``columns_out * lanes`` values of ``job.output``; where
        ``spec.indices`` asks for them `index`, an array of as many indices of ``job.index_out``,
        counted within the frame; and `last`, high on a frame's last beat.

    Raises
    ------
    SpecError
        If `spec` does not work on `shape`, or a parameter is not what it must be.
    """

    i: stream.Interface
    o: stream.Interface
    clear_cycles = 0
    notes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    def __init__(
        self,
        spec: PoolSpec | PoolJob,
        shape: tuple[int, ...] = (),
        lanes: int | None = None,
        columns: int | None = None,
        columns_out: int | None = None,
        *,
        family: str = GENERIC,
        block_from: int = 0,
        far: bool = False,
        settings: Settings = CONSTANTS,
    ):
        self._how = {"block_from": block_from, "far": far}
        self.family, self.settings = check_family(family), settings
        self.flags: Mapping[str, str] = {}
        given = {"shape": shape, "lanes": lanes, "columns": columns, "columns_out": columns_out}
        if isinstance(spec, PoolJob):
            for field, value in given.items():
                if value not in ((), None):
                    raise meaningless(field, value, "a job, which has it")
            self.job = job = spec
        else:
            columns = 1 if columns is None else columns
            self.job = job = PoolJob(spec, shape, lanes, columns, columns_out)
        gates, self._place = gates_of(job), place_of(job)
        below = self._place.bits if self._place else 0
        self._reduction = reduction = gates.reduce(job, below)
        self.plans = plans_of(job)
        self.cycles_bound = job.cycles_bound - sum(
            (stage.idle_bound - plan.idle) * stage.m * stage.runs
            for plan, stage in zip(self.plans, job.stages, strict=True)
        )
        shapes = [reduction.shape(job.partial(1))]
        shapes += [reduction.shape(stage.accumulator) for stage in job.stages]
        self._first_shape = shapes[0]
        # where the outermost axis is pooled last, its stage knows the frame's last beat
        self._counts_beats = not job.stages or not (
            job.stages[-1].axis == 0
            and not isinstance(self.plans[-1], ColumnPlan)
            and self.plans[-1].ends_with_window
        )
        self.stages = self._stages(family, shapes)
        before, after = settings.part("preprocess"), settings.part("postprocess")
        self._windows = Windows(job, after, family)
        encoding = Chain(gates.preprocess(job))
        decoding = Chain(postprocessing(job, self._windows.kinds))
        encoding.build_for(family, before)
        decoding.build_for(family, after)
        fifo = fifo_of(family)
        self._preprocess = Pipeline(encoding.steps, seamless=True, fifo=fifo)
        steps: Sequence[Step] = decoding.steps
        self._indices = None if job.index_out is None else self._place
        if self._indices is not None:
            steps = with_indices(steps, job, self._indices)
        # a core of nothing else still decouples the two handshakes
        self._postprocess = Pipeline(steps, far=far, decouples=not job.stages, fifo=fifo)
        parts = (self._preprocess, *self.stages.values(), self._postprocess)
        self.latency = sum(part.latency for part in parts)
        self.store_words = {axis: built.store_words for axis, built in self.stages.items()}
        self.store_bits = sum(stage.store_bits for stage in self.stages.values())
        beat = {
            field.name: data.ArrayLayout(lane_shape(field.dtype), job.layout_out.values)
            for field in job.fields_out
        }
        taken = data.ArrayLayout(lane_shape(job.input), job.layout_in.values)
        super().__init__(
            {
                "i": In(stream.Signature(taken)),
                "o": Out(stream.Signature(data.StructLayout({**beat, "last": 1}))),
            }
        )

    def _stages(self, family: str, shapes: Sequence[Shape]) -> dict[int, AxisStage | ColumnStage]:
        """Return the components that pool; what goes from one to the next has the `shapes`."""
        job, taps, columns = self.job, 1, self.job.columns
        stages: dict[int, AxisStage | ColumnStage] = {}
        for number, (plan, stage) in enumerate(zip(self.plans, job.stages, strict=True)):
            how: dict[str, Any] = {
                "seamless": any(later.waits for later in self.plans[number + 1 :]),
                **self._how,
                "settings": self.settings.part(f"axis_{stage.axis}"),
            }
            i_shape, o_shape = shapes[number : number + 2]
            if not isinstance(plan, ColumnPlan):
                stages[stage.axis] = AxisStage(
                    *(plan, stage.m, columns * job.lanes, self._reduction),
                    *(i_shape, o_shape, family),
                    marks_last=stage is job.stages[-1] and not self._counts_beats,
                    **how,
                )
            else:
                shape = partial(self._partial_shape, taps, stage.along.most_taps)
                idempotent = job.operation.selects is not None
                stages[stage.axis] = column_stage(
                    *(plan, stage.m, job.lanes, self._reduction, shape, o_shape, family),
                    idempotent=idempotent,
                    **how,
                )
                columns = job.columns_out
            taps *= stage.along.most_taps
        return stages

    def _partial_shape(self, taps: int, most: int, columns: int) -> Shape:
        """Return the shape of a partial of so many columns, each of so many taps."""
        return self._reduction.shape(self.job.partial(taps * min(columns, most)))

    def facts(self) -> dict[str, int]:
        """Return what ``NAME.json`` says of its memory: ``store_bits``."""
        return {"store_bits": self.store_bits}

    @property
    def words_bound(self) -> dict[int, int]:
        """Words that each stage's store may have at most, by the axis it pools."""
        return {
            stage.axis: stage.m
            * (plan if isinstance(plan, ColumnPlan) else stage.along).limit_partials
            for plan, stage in zip(self.plans, self.job.stages, strict=True)
        }

    def resources(self) -> dict[str, int]:
        """Return the words of the stores and their limits, and `store_bits`, by name."""
        *row, column = range(len(self.job.axes))  # one axis alone is columns
        words, bound = self.store_words, self.words_bound
        return {
            "row_store_words": sum(words.get(axis, 0) for axis in row),
            "column_store_words": words.get(column, 0),
            "limit_row_store_words": sum(bound.get(axis, 0) for axis in row),
            "limit_column_store_words": bound.get(column, 0),
            "store_bits": self.store_bits,
        }

    def memory(self) -> str:
        """Say what the stores have, and may have."""
        has = self.resources()
        row, column, row_limit, column_limit = (
            has[f"{name}_store_words"] for name in ("row", "column", "limit_row", "limit_column")
        )
        if self.job.spec.adaptive == GLOBAL:  # all axes as one
            number, limit = row + column, row_limit + column_limit
            words = f"{number} word{'s'[: number != 1]} for the frame, limit {limit:,}"
        else:
            rows = "planes and rows" if len(self.job.size) == 3 else "rows"
            words = (
                f"{row:,} words for the {rows}, limit {row_limit:,};"
                f" {column:,} for the columns, limit {column_limit:,}"
            )
        return f"{words}; {self.store_bits:,} bits in all"

    def elaborate(self, platform):
        m = Module()
        beats, last = self._build_preprocess(m), Signal()  # 0, where there is no stage
        for axis, stage in self.stages.items():
            m.submodules[f"axis_{axis}"] = stage
            wiring.connect(m, beats, stage.i)
            beats, last = stage.o, stage.last
        self._build_postprocess(m, beats, last)
        return m

    def _build_preprocess(self, m: Module) -> stream.Interface:
        """Turn what comes in into partials of one input each: by a pipeline, or by wires alone."""
        m.submodules.preprocess = part = Module()
        job, place, below = self.job, self._place, [Const(0, 0)]
        values = [Number(value) for value in self.i.payload]
        valid, ready, lanes, _ = self._preprocess.build(
            part, self.i.valid, self.i.ready, values, Nothing()
        )
        if place is not None:
            settings = self.settings.part("preprocess").part("places")
            below = place.follow(part, valid & ready, job.layout_in, settings)
        beats = stream.Signature(data.ArrayLayout(self._first_shape, len(lanes))).create()
        part.d.comb += [beats.valid.eq(valid), ready.eq(beats.ready)]
        for number, (target, lane) in enumerate(zip(beats.payload, lanes, strict=True)):
            key = self._reduction.encode(lane.value, job.input)
            part.d.comb += target.eq(Cat(below[number // job.lanes], key) if place else key)
        return beats

    def _build_postprocess(self, m: Module, beats: stream.Interface, last: Value) -> None:
        """Turn exact partials into what leaves: divide with one rounding, saturate, clamp.

        Where nothing of it is needed it is wires, or a FIFO in a core without stages.
        """
        m.submodules.postprocess = part = Module()
        job, settings, o = self.job, self.settings.part("postprocess"), self.o.payload
        valid, ready, kinds = beats.valid, beats.ready, [Const(0, 0)]
        step = valid & ready
        lanes: list[Bundle] = [
            Number(self._reduction.decode(partial, job.input)) for partial in beats.payload
        ]
        if self._indices is not None:
            channels = settings.part("channels")
            parts = index_parts(part, step, job, self._indices, beats.payload, channels)
            lanes = [Indexed(*both) for both in zip(lanes, parts, strict=True)]
        if self._postprocess.latency:
            kinds = self._windows.follow(part, step)
        shared = [Window(last if not k else Const(0, 1), kind) for k, kind in enumerate(kinds)]
        valid, ready, done, beat = self._postprocess.build(part, valid, ready, lanes, *shared)
        last = beat.last
        if self._counts_beats:
            frame = modulo_counter(
                job.beats_out, settings=settings.part("frame"), family=self.family
            )
            part.submodules.frame = frame
            part.d.comb += frame.step.eq(valid & ready)
            last = frame.last
        part.d.comb += [self.o.valid.eq(valid), ready.eq(self.o.ready), o.last.eq(last)]
        for number, lane in enumerate(done):
            if self._indices is not None:
                part.d.comb += o.index[number].eq(lane.index[0])
                lane = lane.value
            part.d.comb += o.data[number].eq(lane.value)
