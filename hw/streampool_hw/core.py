"""A pooling core: preprocessing, one stage per axis, postprocessing."""

from collections.abc import Mapping
from itertools import pairwise

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from streampool_golden import PoolJob, PoolSpec

from .blocks.block import Chain
from .blocks.indices import place_of
from .blocks.postprocess import Postprocess
from .blocks.preprocess import Preprocess
from .blocks.windows import Windows
from .reduce.operations import gates_of, postprocessing
from .reduce.stage import AxisStage
from .schedule.plan import AxisPlan
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
        reduction = gates.reduce(job, place.bits if place else 0)
        self.plans = tuple(AxisPlan(stage.along) for stage in job.stages)
        self.cycles_bound = job.cycles_bound - sum(
            (plan.axis.idle_bound - plan.idle) * stage.m * stage.runs
            for plan, stage in zip(self.plans, job.stages, strict=True)
        )
        shapes = [reduction.shape(job.partial(1))]
        shapes += [reduction.shape(stage.accumulator) for stage in job.stages]
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
        preprocess = Preprocess(job, encoding.steps, reduction.encode, shapes[0], before)
        postprocess = Postprocess(
            *(job, windows, decoding.steps, reduction.decode, shapes[-1], self._counts, after)
        )
        self._preprocess, self._postprocess = preprocess, postprocess
        parts = (preprocess, *self.stages.values(), postprocess)
        self.latency = sum(part.latency for part in parts)
        self.store_words = {axis: built.store_words for axis, built in self.stages.items()}
        self.store_bits = sum(stage.store_bits for stage in self.stages.values())
        i, o = preprocess.signature.members["i"], postprocess.signature.members["o"]
        super().__init__({"i": i, "o": o})

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
        m.submodules.preprocess = preprocess = self._preprocess
        wiring.connect(m, wiring.flipped(self.i), preprocess.i)
        beats = preprocess.o
        for axis, stage in self.stages.items():
            m.submodules[f"axis_{axis}"] = stage
            wiring.connect(m, beats, stage.i)
            beats = stage.o
        m.submodules.postprocess = postprocess = self._postprocess
        wiring.connect(m, beats, postprocess.i)
        if not self._counts:
            m.d.comb += postprocess.i_last.eq(self.stages[self.job.stages[-1].axis].last)
        wiring.connect(m, postprocess.o, wiring.flipped(self.o))
        return m
