"""A pooling core: preprocessing, one stage per axis, postprocessing."""

from collections.abc import Mapping
from itertools import pairwise

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import PoolJob, PoolSpec

from .blocks.block import Chain
from .blocks.indices import place_of
from .blocks.postprocess import Postprocess
from .blocks.preprocess import Preprocess
from .blocks.windows import Windows
from .datapath.shapes import lane_shape
from .reduce.operations import gates_of, postprocessing
from .reduce.stage import AxisStage
from .schedule.plan import AxisPlan
from .schedule.sequencer import ModuloCounter
from .schedule.settings import CONSTANTS, Settings
from .vendor.families import GENERIC, check_family


class PoolCore(wiring.Component):
    """Pool frames of one size, at one beat per clock.

    A beat is `lanes` channels of one position. The beats of a frame come in raster order, the
    channel groups of a position one after the other: beat ``b`` holds the channels
    ``(b % fold) * lanes ...`` of position ``b // fold``. Where the lanes do not divide the
    channels, the last group's spare lanes are never read, and hold anything at the output.

    The core counts beats; frames follow each other with no gap or any, and may be stalled
    anywhere. The last beats of a frame come out though no next frame comes.

    Throughput: with valid and ready always high a frame takes at most `cycles_bound` clocks;
    that is ``max(job.beats_in, job.beats_out)``, but for axes of which one shrinks while
    another grows, and paddings beyond any framework's. Latency: `latency` clocks from the step
    in which the schedule lets a window leave (the beat that completes it, or its drain step) to
    its beat at `o`, while ``o.ready`` is high. Behind an axis that grows it is counted from that
    axis' own step, since its input has to wait.

    Parameters
    ----------
    spec : PoolSpec
        What to compute.
    shape : tuple of int
        A frame: channels, then rows and columns (or steps).
    lanes : int, optional
        Channels side by side in a beat; the channels by default, 8 at most.
    family : str, optional
        The family of devices, one of `FAMILIES`: its own memory is used where that pays. Beats
        and cycles are the same in all; only ``"generic"`` runs in Amaranth's simulator.
    settings : Settings, optional
        Where the numbers of the schedule come from: constants by default.

    Attributes
    ----------
    job : PoolJob
        The specification on this shape and lanes: beats, limits, ranges.
    plans : tuple of AxisPlan
        The schedules in stream order, as ``job.stages``.
    stages : dict of int to AxisStage
        The components that pool, by the axis that each pools along, in the same order.
    cycles_bound : int
        Clocks that a frame takes in the steady state at most: ``job.cycles_bound``, which
        allows for the most idle slots that an axis of its kind can need, with the schedules' own.
    store_words : dict of int to int
        Words in each stage's store, by the axis it pools.
    store_bits : int
        Bits of all stores.

    Members
    -------
    i : In(stream)
        Beats in: an array of `lanes` values of ``spec.dtype``.
    o : Out(stream)
        Beats out: `data`, an array of `lanes` values of ``job.output``; where ``spec.indices`` asks
        for them `index`, an array of `lanes` indices of ``job.index_out``, counted within the
        frame; and `last`, high on a frame's last beat.

    Raises
    ------
    SpecError
        If `spec` does not work on `shape`, or a parameter is not what it must be.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        spec: PoolSpec,
        shape: tuple[int, ...],
        lanes: int | None = None,
        *,
        family: str = GENERIC,
        settings: Settings = CONSTANTS,
    ):
        self.family, self.settings = check_family(family), settings
        self.flags: Mapping[str, str] = {}
        self.job = job = PoolJob(spec, shape, lanes)
        place, gates = place_of(job), gates_of(job)
        self._reduction = reduction = gates.reduce(job, place.bits if place else 0)
        self.plans = tuple(AxisPlan(stage.along) for stage in job.stages)
        self.cycles_bound = job.cycles_bound - sum(
            (plan.axis.idle_bound - plan.idle) * stage.m * stage.runs
            for plan, stage in zip(self.plans, job.stages, strict=True)
        )
        shapes = [reduction.shape(job.partial(1))]
        shapes += [reduction.shape(stage.accumulator) for stage in job.stages]
        self._first_shape = shapes[0]
        # where the outermost axis is pooled last, its stage knows the frame's last beat
        self._counts = not job.stages or bool(
            job.stages[-1].axis or not self.plans[-1].ends_with_window
        )
        self.stages = {
            stage.axis: AxisStage(
                *(plan, stage.m, job.lanes, reduction, i_shape, o_shape, family),
                marks_last=stage is job.stages[-1] and not self._counts,
                seamless=any(later.waits for later in self.plans[number + 1 :]),
                settings=settings.part(f"axis_{stage.axis}"),
            )
            for number, (plan, stage, (i_shape, o_shape)) in enumerate(
                zip(self.plans, job.stages, pairwise(shapes), strict=True)
            )
        }
        before, after = settings.part("preprocess"), settings.part("postprocess")
        windows = Windows(job, after)
        encoding, decoding = Chain(gates.preprocess(job)), Chain(postprocessing(job, windows.kinds))
        encoding.build_for(family, before)
        decoding.build_for(family, after)
        self._preprocess = None
        if encoding.steps or place is not None:
            self._preprocess = Preprocess(
                *(job, encoding.steps, reduction.encode, shapes[0], before)
            )
        self._postprocess = Postprocess(
            *(job, windows, decoding.steps, reduction.decode, shapes[-1], after)
        )
        parts = [self._preprocess, *self.stages.values(), self._postprocess]
        self.latency = sum(part.latency for part in parts if part is not None)
        self.store_words = {axis: built.store_words for axis, built in self.stages.items()}
        self.store_bits = sum(stage.store_bits for stage in self.stages.values())
        beat = {"data": data.ArrayLayout(lane_shape(job.output), job.lanes)}
        if job.index_out is not None:
            beat["index"] = data.ArrayLayout(lane_shape(job.index_out), job.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(lane_shape(spec.in_dtype), job.lanes))),
                "o": Out(stream.Signature(data.StructLayout({**beat, "last": 1}))),
            }
        )

    def facts(self) -> dict[str, int]:
        """Return what ``NAME.json`` says of its memory: ``store_bits``."""
        return {"store_bits": self.store_bits}

    @property
    def words_bound(self) -> dict[int, int]:
        """Words that each stage's store may have at most, by the axis it pools."""
        return {stage.axis: stage.along.limit_partials * stage.m for stage in self.job.stages}

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

    def elaborate(self, platform):
        m = Module()
        job = self.job

        if self._preprocess is not None:
            m.submodules.preprocess = preprocess = self._preprocess
            wiring.connect(m, wiring.flipped(self.i), preprocess.i)
            beats = preprocess.o
        else:  # wires only: into the operation's own numbers
            encoded = stream.Signature(data.ArrayLayout(self._first_shape, job.lanes)).create()
            m.d.comb += [encoded.valid.eq(self.i.valid), self.i.ready.eq(encoded.ready)]
            for source, target in zip(self.i.payload, encoded.payload, strict=True):
                m.d.comb += target.eq(self._reduction.encode(source, job.input))
            beats = encoded

        for axis, built in self.stages.items():
            m.submodules[f"axis_{axis}"] = built
            wiring.connect(m, beats, built.i)
            beats = built.o
        m.submodules.postprocess = postprocess = self._postprocess
        wiring.connect(m, beats, postprocess.i)

        m.d.comb += [
            self.o.valid.eq(postprocess.o.valid),
            postprocess.o.ready.eq(self.o.ready),
            self.o.payload.data.eq(postprocess.o.payload),
        ]
        if job.index_out is not None:
            m.d.comb += self.o.payload.index.eq(postprocess.o_index)
        if self._counts:
            settings = self.settings.part("frame")
            m.submodules.frame = frame = ModuloCounter(job.beats_out, settings=settings)
            m.d.comb += [
                frame.step.eq(self.o.valid & self.o.ready),
                self.o.payload.last.eq(frame.last),
            ]
        else:
            m.d.comb += [
                postprocess.i_last.eq(self.stages[job.stages[-1].axis].last),
                self.o.payload.last.eq(postprocess.o_last),
            ]
        return m
