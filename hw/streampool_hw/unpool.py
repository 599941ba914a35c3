"""A MaxUnpool core: values and their indices in, the sparse map that they belong to out."""

import functools
import operator
from collections.abc import Mapping

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from streampool_golden import SpecError, UnpoolJob

from .datapath.fifo import PipelineFifo
from .datapath.pipeline import delay, lane_shape
from .families import GENERIC, check_family
from .schedule.counters import ModuloCounter
from .schedule.settings import CONSTANTS, Settings


class UnpoolCore(wiring.Component):
    """Put pooled values back where they were, zero everywhere else, at one beat per clock.

    Any value may be the last to come and the first to leave, so a whole frame out is kept: each
    lane has a memory with a word for each beat out, and with two such frames the one is filled
    while the other leaves. A word is cleared in the clock after it was read, so clearing takes no
    time of its own; only after a reset, which may fall into a frame, everything is cleared first.

    Beats are those of `PoolCore`: positions in raster order, channel groups fastest. Of values
    with one index the last to come stays. A value whose index is out of range is left out and
    sets `index_error`; nothing else changes.

    Throughput: in the steady state, with valid and ready always high, a frame takes at most
    `cycles_bound` clocks. With one frame each takes ``both = beats_in + beats_out + 2``. With two
    that is ``max(beats_in, beats_out)`` where these differ by 2 or more; where they do not, one
    memory waits for the other, and frames alternately take more and fewer: ``both / 2`` on average.

    Latency: `latency` clocks from a frame's last beat in to its first beat out, while ``o.ready``
    is high and the frame before has left. After a reset the first beat is taken `clear_cycles`
    clocks later.

    Parameters
    ----------
    job : UnpoolJob
        What to do.
    frames : {2, 1}
        Frames out that are kept. With one, the next frame is taken when this one has left.
    family : str, optional
        The family of devices, one of `FAMILIES`; the gates are the same in all.
    settings : Settings, optional
        Where the numbers of the schedule come from: constants by default.

    Raises
    ------
    SpecError
        If so many frames cannot be kept, or there is no such family.

    Attributes
    ----------
    clear_cycles : int
        Clocks after a reset in which nothing is taken: ``job.beats_out``.
    store_words : int
        Words of ``lanes * bits`` in the memories: ``frames * job.beats_out``.
    store_bits : int
        Bits of the memories.

    Members
    -------
    i : In(stream)
        Beats in: `data`, an array of `lanes` values, and `index`, the position of each in the
        plane of its channel, row by row.
    o : Out(stream)
        Beats out: `data`, and `last`, high on a frame's last beat.
    index_error : Out(1)
        An index was out of range; sticky until reset.
    """

    WRITE = 2
    """Clocks from a beat taken to its write."""
    READ = 2
    """Clocks from a read to its word's way into the FIFO."""

    marks: tuple[str, ...] = ()
    i: stream.Interface
    o: stream.Interface
    index_error: Signal

    def __init__(
        self,
        job: UnpoolJob,
        *,
        frames: int = 2,
        family: str = GENERIC,
        settings: Settings = CONSTANTS,
    ):
        if frames not in (1, 2):
            raise SpecError("frames", f"frames {frames} cannot be kept; use 1 or 2.")
        self.family, self.settings = check_family(family), settings
        self.flags: Mapping[str, str] = {
            "index_error": "an index was out of range, its value left out"
        }
        self.job, self._frames = job, frames
        self.latency = self.WRITE + 1 + self.READ + 1
        # a frame's memory is filled, then read from the clock after the last write on
        both = job.beats_in + job.beats_out + self.WRITE
        # with two, the time of the one before is gone by already
        self.cycles_bound = both if frames == 1 else max(job.limit_cycles, both - job.limit_cycles)
        self.clear_cycles = job.beats_out
        kept = f"{frames} frame{'s'[: frames > 1]} kept; after a reset it takes nothing for"
        self.notes = (f"{kept} {self.clear_cycles} clocks, in which it clears them",)
        self.store_words = frames * job.beats_out
        self.store_bits = self.store_words * job.lanes * job.output.bits
        values = data.ArrayLayout(lane_shape(job.input), job.lanes)
        indices = data.ArrayLayout(lane_shape(job.index_in), job.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"data": values, "index": indices}))),
                "o": Out(stream.Signature(data.StructLayout({"data": values, "last": 1}))),
                **{flag: Out(1) for flag in self.flags},
            }
        )

    def facts(self) -> dict[str, int]:
        """Return what ``NAME.json`` says of its memory: its resources, and the frames in it."""
        return {"frames_kept": self._frames, **self.resources()}

    def resources(self) -> dict[str, int]:
        """Return the words and bits of the memories, and the clocks that clear them, by name."""
        return {
            "clear_cycles": self.clear_cycles,
            "store_words": self.store_words,
            "store_bits": self.store_bits,
        }

    def memory(self) -> str:
        """Say what the memories have, and how long they are cleared."""
        frames = ("one frame", "two frames")[self._frames - 1]
        return (
            f"{self.store_words:,} words, {frames}; {self.store_bits:,} bits; "
            f"cleared in {self.clear_cycles:,} cycles after a reset"
        )

    def elaborate(self, platform):
        m = Module()
        frames, other = range(self._frames), self._frames - 1  # of two, a bit turns over
        fill, leave = (Signal(range(self._frames), name=name) for name in ("fill", "leave"))
        busy = Array(Signal(name=f"busy_{k}") for k in frames)  # from the last beat in ...
        full = Array(Signal(name=f"full_{k}") for k in frames)  # ... its write ... to the last read
        clearing = Signal(init=1)

        beats_in = self._counter(m, "beats_in", self.job.beats_in)
        step = Signal()
        m.d.comb += [
            self.i.ready.eq(~busy[fill] & ~clearing),
            step.eq(self.i.valid & self.i.ready),
            beats_in.step.eq(step),
        ]
        filled = step & beats_in.last
        with m.If(filled):
            m.d.sync += [busy[fill].eq(1), fill.eq(fill ^ other)]
        which = delay(m, fill, self.WRITE, name="which")
        with m.If(delay(m, filled, self.WRITE, name="filled", reset=True)):
            m.d.sync += full[which].eq(1)

        # read in the order of beats, cleared a clock later
        m.submodules.fifo = fifo = PipelineFifo([len(Cat(self.o.payload.as_value()))])
        beats_out = self._counter(m, "beats_out", self.job.beats_out)
        read, address = Signal(), self._addresses(m, beats_out)
        m.d.comb += [
            read.eq(full[leave] & fifo.credit & ~clearing),
            beats_out.step.eq(read | clearing),
        ]
        with m.If(beats_out.step & beats_out.last):
            m.d.sync += clearing.eq(0)
            with m.If(read):
                m.d.sync += [full[leave].eq(0), busy[leave].eq(0), leave.eq(leave ^ other)]
        clears = [
            delay(m, clearing | (read & (leave == k)), name=f"clear_{k}", reset=True)
            for k in frames
        ]
        words = self._words(m, step, fill, clears, address)
        word = Array(words)[delay(m, leave, self.READ, name="from")]
        last = delay(m, beats_out.last, self.READ, name="last")
        m.d.comb += [
            fifo.i.eq(Cat(word, last)),
            fifo.write.eq(delay(m, read, self.READ, name="read", reset=True)),
            self.o.valid.eq(fifo.o.valid),
            fifo.o.ready.eq(self.o.ready),
            self.o.payload.as_value().eq(fifo.o.payload),
        ]
        return m

    def _counter(self, m: Module, name: str, period: int) -> ModuloCounter:
        m.submodules[name] = counter = ModuloCounter(period, settings=self.settings.part(name))
        return counter

    def _addresses(self, m: Module, beats_out: ModuloCounter) -> Signal:
        """Return the address of the beat to read: a position's groups, then the next position."""
        job = self.job
        area = job.layout_out.positions
        back = 1 - (job.fold - 1) * area  # from a position's last group to the next position
        onward = self.settings.number("area_out", area, range(area + 1))
        back = self.settings.number("back", back, range(back, 2))
        group = self._counter(m, "group_out", job.fold)
        address = Signal(range(job.beats_out))
        m.d.comb += group.step.eq(beats_out.step)
        with m.If(beats_out.step):
            by = Mux(group.last, back, onward)
            m.d.sync += address.eq(Mux(beats_out.last, 0, address + by))
        return address

    def _words(
        self, m: Module, step: Value, fill: Value, clears: list[Value], address: Value
    ) -> list[Value]:
        """Build each frame's memory of each lane; return the words that each frame has there.

        What was read a clock ago is cleared where `clears` says so.
        """
        job = self.job
        positions = job.layout_out.positions
        area = self.settings.number("area_in", positions, range(positions + 1))
        group = self._counter(m, "group_in", job.fold)
        base = Signal(range(job.beats_out))  # where the group's words begin
        m.d.comb += group.step.eq(step)
        with m.If(step):
            m.d.sync += base.eq(Mux(group.last, 0, base + area))
        going, frame = delay(m, step, name="going", reset=True), delay(m, fill, name="frame")
        base, last = delay(m, base, name="base"), delay(m, group.last, name="group_last")
        clear_address = delay(m, address, name="clear_address")

        words: list[list[Value]] = [[] for _ in clears]
        wrong: list[Value] = []
        used = job.lanes - job.layout_in.spare_lanes
        for lane in range(job.lanes):
            index = delay(m, self.i.payload.index[lane], name=f"index_{lane}")
            value = self.i.payload.data[lane].as_unsigned()
            value = delay(m, value, self.WRITE, name=f"value_{lane}")
            within = index < area
            idle = last if lane >= used else Const(0)
            wrong.append(going & ~within & ~idle)
            # no address is ever beyond the memory, whether it is written or not
            to = delay(m, Mux(within, (index + base)[: len(base)], 0), name=f"address_{lane}")
            for k, clear in enumerate(clears):
                here = going & within & (frame == k)
                enable = delay(m, here, name=f"write_{k}_{lane}", reset=True)
                # an address has a bit at least, for the sake of simulators
                mem = memory.Memory(shape=len(value), depth=max(2, job.beats_out), init=[])
                m.submodules[f"memory_{k}_{lane}"] = mem
                write_port, read_port = mem.write_port(), mem.read_port()
                m.d.comb += [
                    # nothing is written while words leave, so the two never meet
                    write_port.en.eq(enable | clear),
                    write_port.addr.eq(Mux(clear, clear_address, to)),
                    write_port.data.eq(Mux(clear, 0, value)),
                    read_port.en.eq(1),
                    read_port.addr.eq(address),
                ]
                words[k].append(delay(m, read_port.data, name=f"word_{k}_{lane}"))
        with m.If(functools.reduce(operator.or_, wrong)):
            m.d.sync += self.index_error.eq(1)
        return [Cat(each) for each in words]
