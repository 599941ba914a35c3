"""A wide core made of slices: narrow cores side by side that share out the lanes."""

from collections.abc import Mapping, Sequence

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import PoolJob
from streampool_golden.fields import integer
from streampool_golden.slices import slice_job

from .base import Core
from .core import PoolCore
from .datapath.pipeline import copies, delay, lane_shape
from .families import GENERIC, check_family
from .schedule.settings import CONSTANTS, Settings
from .vendor.ecp5 import LUT_WORDS
from .vendor.memories import fifo_of


def slice_core(job: PoolJob, family: str = GENERIC, settings: Settings = CONSTANTS) -> PoolCore:
    """Return the core of what a slice does: beside others, its ends are placed far apart."""
    return PoolCore(job, family=family, block_from=LUT_WORDS + 1, far=True, settings=settings)


class Slices:
    """Cores side by side that know nothing of each other, and what they come to together.

    Each has its own control, and may start, stall and be late by itself. The credit of its FIFOs
    comes back through registers. A store of up to `LUT_WORDS` words is LUT RAM, which clocks faster
    than block RAM and lies where the rest of its slice does.

    Parameters
    ----------
    job : PoolJob
        What all of them do together.
    slices : int
        How many there are; they divide the lanes.
    family : str, optional
        The family of devices, one of `FAMILIES`.
    settings : Settings, optional
        Where the numbers of the schedules come from: constants by default.

    Attributes
    ----------
    job, slice_job : PoolJob
        What all do, and what of it each does.
    cores : tuple of PoolCore
        The slices.
    latency, cycles_bound, flags, clear_cycles, notes
        As `Core` has them, of each slice.
    store_bits : int
        Bits of all stores.

    Raises
    ------
    SpecError
        If so many slices do not divide the lanes, or indices number all channels.
    """

    clear_cycles = 0
    marks: tuple[str, ...] = ()

    def __init__(
        self,
        job: PoolJob,
        slices: int,
        *,
        family: str = GENERIC,
        settings: Settings = CONSTANTS,
    ):
        self.job, self.slice_job = job, slice_job(job, slices)
        self.family, self.settings = check_family(family), settings
        self.cores = tuple(
            slice_core(self.slice_job, family, settings.part(f"slice_{k}")) for k in range(slices)
        )
        first, lanes = self.cores[0], self.slice_job.lanes
        self.flags: Mapping[str, str] = {}
        self.notes = (f"each of {slices} slices has {lanes} lane{'s'[: lanes > 1]} of its own",)
        self.cycles_bound, self.latency = first.cycles_bound, first.latency
        self.store_bits = sum(each.store_bits for each in self.cores)

    def channels(self, number: int) -> list[int]:
        """Return the channels of a slice, those of its lanes of every beat, in their order."""
        job, lanes = self.job, self.slice_job.lanes
        return [
            channel
            for group in range(0, job.fold * job.lanes, job.lanes)
            for channel in range(group + number * lanes, group + (number + 1) * lanes)
            if channel < job.shape[0]
        ]

    def facts(self) -> dict[str, int]:
        """Return what ``NAME.json`` says: ``slices``, and `store_bits`."""
        return {"slices": len(self.cores), "store_bits": self.store_bits}

    def resources(self) -> dict[str, int]:
        """Return the words of each slice's stores, their limits, and `facts`."""
        return self.cores[0].resources() | self.facts()

    def memory(self) -> str:
        """Say what the stores have, and may have."""
        return f"in each of {len(self.cores)} slices {self.cores[0].memory()}"


class StreamSlices(wiring.Component):
    """Slices, each with streams of its own.

    Stream s carries the lanes ``s * lanes / slices ...`` of the job's beats, in its order: beats of
    ``slices.slice_job``. No slice waits for another. Throughput and latency are those of a
    `PoolCore`, whatever the number of slices.

    Parameters
    ----------
    job, slices, family, settings
        As `Slices` takes them.

    Attributes
    ----------
    slices : Slices
        The cores.

    Members
    -------
    i, o : array of streams
        Those of the slices, as a `PoolCore` has them.

    Raises
    ------
    SpecError
        As `Slices` does.
    """

    i: Sequence[stream.Interface]
    o: Sequence[stream.Interface]

    def __init__(
        self,
        job: PoolJob,
        slices: int,
        *,
        family: str = GENERIC,
        settings: Settings = CONSTANTS,
    ):
        self.slices = made = Slices(job, slices, family=family, settings=settings)
        members = made.cores[0].signature.members
        super().__init__({name: members[name].array(slices) for name in ("i", "o")})

    def elaborate(self, platform):
        m = Module()
        for k, core in enumerate(self.slices.cores):
            m.submodules[f"slice_{k}"] = core
            wiring.connect(m, wiring.flipped(self.i[k]), core.i)
            wiring.connect(m, core.o, wiring.flipped(self.o[k]))
        return m


class SlicedCore(wiring.Component):
    """Cores side by side behind one wide stream: a `PoolCore` of many lanes that holds its clock.

    All slices are started together and are alike, so that they do the same in the same clock,
    always: the first one's handshakes are those of all. What the wide stream says reaches them
    through registers, and its FIFOs cover the clocks that this takes::

           step                  +------+   +-------+           +------+
        i -+---> register ---+-> | FIFO |-->| slice |-> reg -+->| bank |-+-> o
           |                 |   +------+   +-------+        |  +------+ |
         ready               +-> | FIFO |-->| slice |-> reg -+->| bank |-+
           ^                     +------+   +-------+           +------+
           +--- register --- credit of the first    <---------- credit

    Throughput: that of a slice: the joint handshake costs no clock. Latency: `JOINT` clocks more
    than a slice's.

    Parameters
    ----------
    job : PoolJob
        What to do.
    slices : int
        How many there are; they divide the lanes.
    family, settings
        As `PoolCore` takes them.

    Attributes
    ----------
    slices : Slices
        The cores.
    streams : StreamSlices
        The same with their streams, which are this core's own.
    cycles_bound, latency, store_bits, flags, clear_cycles, notes
        As `Core` has them.

    Members
    -------
    i : In(stream)
    o : Out(stream)
        As of a `PoolCore` of the job.
    """

    LEVELS = 2
    """Registers between the wide stream and a slice, each way: trees of four leaves for bits that
    go to all slices."""
    JOINT = 2 * (LEVELS + 1)
    """Clocks to a slice and back: the registers and a FIFO each way."""

    i: stream.Interface
    o: stream.Interface
    clear_cycles = 0
    marks: tuple[str, ...] = ()

    def __init__(
        self,
        job: PoolJob,
        slices: int,
        *,
        family: str = GENERIC,
        settings: Settings = CONSTANTS,
    ):
        self.streams = StreamSlices(job, slices, family=family, settings=settings)
        self.slices = made = self.streams.slices
        self.job, self.family, self.settings = job, made.family, settings
        self.flags, self.notes = made.flags, made.notes
        self.cycles_bound, self.store_bits = made.cycles_bound, made.store_bits
        self.latency = made.latency + self.JOINT
        taken = data.ArrayLayout(lane_shape(job.input), job.layout_in.values)
        given = {
            field.name: data.ArrayLayout(lane_shape(field.dtype), job.layout_out.values)
            for field in job.fields_out
        }
        super().__init__(
            {
                "i": In(stream.Signature(taken)),
                "o": Out(stream.Signature(data.StructLayout({**given, "last": 1}))),
            }
        )

    def facts(self) -> dict[str, int]:
        """Return what ``NAME.json`` says: ``slices``, and ``store_bits`` of all."""
        return self.slices.facts()

    def resources(self) -> dict[str, int]:
        """Return the words of each slice's stores, their limits, and ``store_bits`` of all."""
        return self.slices.resources()

    def memory(self) -> str:
        """Say what the stores have, and may have."""
        return self.slices.memory()

    def elaborate(self, platform):
        m = Module()
        m.submodules.slices = streams = self.streams
        number = len(self.slices.cores)
        lanes, columns = self.slices.slice_job.lanes, self.job.columns

        fifo_type = fifo_of(self.family)

        # in: the step and its beat go through registers into a FIFO in front of each slice
        fifos = []
        going = copies(m, self.LEVELS, self.i.valid & self.i.ready, reset=True)
        for k in range(number):
            beat = Cat(
                self.i.payload[u * self.job.lanes + k * lanes + lane]
                for u in range(columns)
                for lane in range(lanes)
            )
            m.submodules[f"fifo_{k}"] = fifo = fifo_type([len(beat)])
            to, fro = streams.i[k], fifo.o
            m.d.comb += [
                fifo.i.eq(delay(m, beat, self.LEVELS, name=f"beat_{k}")),
                fifo.write.eq(going[k * len(going) // number]),
                to.payload.eq(fro.payload),
                to.valid.eq(fro.valid),
                fro.ready.eq(to.ready),
            ]
            fifos.append(fifo)
        m.d.comb += self.i.ready.eq(delay(m, fifos[0].credit, name="ready", init=1, reset=True))

        # out: what leaves a slice goes through registers into its bank of one FIFO
        parts = [
            [Value.cast(streams.o[k].payload[field.name]) for field in self.job.fields_out]
            for k in range(number)
        ]
        parts[0].append(streams.o[0].payload.last)
        banks = [Cat(each) for each in parts]
        m.submodules.joined = joined = fifo_type([len(each) for each in banks])
        room = copies(m, self.LEVELS, joined.credit, reset=True)
        late = []
        for k, bank in enumerate(banks):
            fro = streams.o[k]
            m.d.comb += [
                fro.ready.eq(room[k * len(room) // number]),
                joined.write[k].eq(
                    delay(m, fro.valid & fro.ready, self.LEVELS, name="leaves", reset=True)
                ),
            ]
            late.append(delay(m, bank, self.LEVELS, name=f"bank_{k}"))
        m.d.comb += [
            joined.i.eq(Cat(late)),
            self.o.valid.eq(joined.o.valid),
            joined.o.ready.eq(self.o.ready),
        ]
        self._hand_out(m, joined.o.payload, [len(each) for each in late])
        return m

    def _hand_out(self, m: Module, joined: Value, widths: Sequence[int]) -> None:
        """Put the values of each bank where they leave: column by column their lanes."""
        lanes, out = self.slices.slice_job.lanes, self.o.payload
        at = 0
        for k, width in enumerate(widths):
            left = joined[at : at + width]
            at += width
            for field in self.job.fields_out:
                bits = lane_shape(field.dtype).width
                for value in range(lanes * self.job.columns_out):
                    column, lane = divmod(value, lanes)
                    target = out[field.name][column * self.job.lanes + k * lanes + lane]
                    m.d.comb += target.eq(left[value * bits : (value + 1) * bits])
                left = left[lanes * self.job.columns_out * bits :]
            if not k:
                m.d.comb += out.last.eq(left)


def cut_core(
    job: PoolJob,
    *,
    slices: int = 1,
    family: str = GENERIC,
    settings: Settings = CONSTANTS,
) -> Core:
    """Return the core of a job: a `PoolCore`, or a `SlicedCore` of several."""
    if integer("slices", slices, 1) == 1:
        return PoolCore(job, family=family, settings=settings)
    return SlicedCore(job, slices, family=family, settings=settings)
