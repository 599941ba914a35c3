"""A run-time core between AXI4-Stream ports, with its registers behind AXI4-Lite."""

from collections.abc import Iterable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..resync import COUNT_BITS
from ..runtime.control import BYTE_BITS, CONTROL, STICKY, Place, constants, places
from ..runtime.registers import ADDRESS_BITS, ARM, RESET
from ..runtime.resync import RuntimeCore, RuntimeResyncCore
from .axi import lane_width
from .axi_lite import ANSWER, AxiLite, axi_lite_ports

LITE = "s_axil_"
"""What the ports of AXI4-Lite begin with."""

RESET_CLOCKS = 8
"""Clocks in which a soft reset goes through the core, with one or two to spare."""


class AxiRuntimeCore(wiring.Component):
    """A run-time core whose job a host writes over AXI4-Lite while frames cross AXI4-Stream ports.

    Frames, their beats, the throughput and the latency are those of the core; its docstring says
    when a job is that of a frame. Every lane is padded to whole bytes, lane 0 in the lowest, and
    zeros are in the padding of a lane out. Of marks there is ``tlast``, high on a frame's last
    beat. The core counts the beats of a frame as its job says: a ``tlast`` at another place changes
    no data, and sets `frame_error` when the next beat after it, or after the frame's end, is taken.
    A `RuntimeResyncCore` goes by ``tlast`` and ``tuser``, and each broken frame sets it.

    The registers are those of `places`. A word is written as a whole. Refused, by SLVERR, are
    addresses off the map, writes of what is only read and reads of what is only written, words
    without all of their bytes, a job's words and its tag while `busy`, and an arming with a wrong
    checksum; nothing changes then but the status.

    A soft reset forgets the job, all frames under way, counters, tags and sticky flags; the
    interrupt's enable stays. A beat that waits at the output leaves first. It takes
    `RESET_CLOCKS` clocks behind that, in which no beat is taken and none given.

    Reset is as that of an `AxiCore`, and of all registers.

    Parameters
    ----------
    core : RuntimePoolCore or RuntimeResyncCore
        What stands between the ports.

    Members
    -------
    s_axil_* : AXI4-Lite slave, 14 bits of address, 32 of data
        `axi_lite_ports`.
    s_axis_tdata : In(lanes * whole bytes)
    m_axis_tdata : Out(lanes * whole bytes)
    s_axis_tvalid, s_axis_tlast, m_axis_tready : In(1)
    s_axis_tready, m_axis_tvalid, m_axis_tlast : Out(1)
    s_axis_tuser : In(1)
    m_axis_tuser : Out(1)
        Only of a `RuntimeResyncCore` that goes by it: start of frame.
    frame_error : Out(1)
        The flag of the status.
    broken_frames : Out(16)
        Only of a `RuntimeResyncCore`: frames that were out of step; also in a register.
    irq : Out(1)
        High as long as a flag is that the interrupt register asks for.

    Attributes
    ----------
    core, latency
        The core inside, and its latency in clocks.
    places : tuple of Place
        The map.
    """

    s_axis_tdata: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    s_axis_tlast: Signal
    s_axis_tuser: Signal
    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal
    m_axis_tuser: Signal
    broken_frames: Signal
    s_axil_awaddr: Signal
    frame_error: Signal
    irq: Signal

    def __init__(self, core: RuntimeCore):
        self.core, self.latency = core, core.latency
        self.places = places(core.maxima)
        self.resync = isinstance(core, RuntimeResyncCore)
        self._marks = core.marks if isinstance(core, RuntimeResyncCore) else ()
        self._in = core.i.payload.data if self.resync else core.i.payload
        (self._i_lane, *_), (self._o_lane, *_) = self._in, core.o.payload.data
        lanes = core.maxima.lanes
        ports: dict[str, wiring.Member] = {}
        for side, lane, forth, back in (
            ("s_axis", self._i_lane, In, Out),
            ("m_axis", self._o_lane, Out, In),
        ):
            ports |= {
                f"{side}_tdata": forth(lanes * lane_width(len(lane))),
                f"{side}_tvalid": forth(1),
                f"{side}_tready": back(1),
                f"{side}_tlast": forth(1),
                **({f"{side}_tuser": forth(1)} if "first" in self._marks else {}),
            }
        ports |= axi_lite_ports(ADDRESS_BITS + BYTE_BITS, LITE)
        ports |= {"broken_frames": Out(COUNT_BITS)} if self.resync else {}
        super().__init__({**ports, "frame_error": Out(1), "irq": Out(1)})

    def elaborate(self, platform):
        m, core = Module(), self.core
        m.submodules.core = core
        m.submodules.lite = lite = AxiLite(ADDRESS_BITS + BYTE_BITS)
        for port, member in axi_lite_ports(ADDRESS_BITS + BYTE_BITS).items():
            inner, outer = getattr(lite, port), getattr(self, LITE + port)
            m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
        asked, resetting, shut = Signal(), Signal(), Signal()
        resets = Signal(RESET_CLOCKS)
        with m.If(asked):
            m.d.sync += resetting.eq(1)
        # a beat that is shown stays until it is taken
        waits = self.m_axis_tvalid & ~self.m_axis_tready
        m.d.sync += resets.eq(Cat(resetting & ~shut & ~waits, resets))
        with m.If(resetting & ~waits):
            m.d.sync += shut.eq(1)
        with m.If(resets[-1]):
            m.d.sync += [shut.eq(0), resetting.eq(0)]
        self._streams(m, shut)
        self._registers(m, lite, asked, resetting, resets[0])
        return m

    def _streams(self, m: Module, shut: Signal) -> None:
        core = self.core
        for values, tdata, lane in (
            (self._in, self.s_axis_tdata, self._i_lane),
            (core.o.payload.data, self.m_axis_tdata, self._o_lane),
        ):
            width = lane_width(len(lane))
            for number, value in enumerate(values):
                raw = tdata[number * width : (number + 1) * width]
                m.d.comb += value.eq(raw) if lane is self._i_lane else raw.eq(value)
        m.d.comb += [
            core.i.valid.eq(self.s_axis_tvalid & ~shut),
            self.s_axis_tready.eq(core.i.ready & ~shut),
            self.m_axis_tvalid.eq(core.o.valid & ~shut),
            core.o.ready.eq(self.m_axis_tready & ~shut),
            self.m_axis_tlast.eq(core.o.payload.last),
        ]
        for mark in self._marks:
            port = {"first": "s_axis_tuser", "last": "s_axis_tlast"}[mark]
            m.d.comb += core.i.payload[mark].eq(getattr(self, port))
        if "first" in self._marks:
            m.d.comb += self.m_axis_tuser.eq(core.o.payload.first)

    def _registers(
        self, m: Module, lite: AxiLite, asked: Signal, resetting: Signal, reset: Value
    ) -> None:
        core = self.core
        by_name = {place.name: place for place in self.places}
        busy = core.busy | resetting
        here = {  # registers, of an address that has been steady for a clock
            name: Signal(name=f"is_{name}")
            for name, place in by_name.items()
            if name in _ALONE or (place.block == CONTROL and "w" in place.register.access)
        }
        for name, is_here in here.items():
            m.d.sync += is_here.eq(_within(lite.address, by_name[name]))
        jobs = [place for place in self.places if place.block != CONTROL]
        cleared = by_name[f"{CONTROL}_status"]
        known, is_job, is_status = Signal(), Signal(), Signal()
        m.d.sync += [
            is_job.eq(_any(_within(lite.address, place) for place in jobs)),
            is_status.eq(_within(lite.address, cleared)),
        ]
        m.d.comb += known.eq(is_job | is_status | _any(here.values()))
        is_reset, is_arm, is_tag = (here[name] for name in (*_ALONE, f"{CONTROL}_tag"))
        waits = (is_job & ~is_reset | is_tag) & busy
        refuses, refused = Signal(), Signal()
        m.d.comb += refuses.eq(~known | ~lite.whole | waits)
        takes = lite.write & ~refuses
        arms = Signal(ANSWER)  # the core says in its second clock whether the checksum was wrong
        m.d.sync += arms.eq(Cat(takes & is_arm, arms))
        with m.If(lite.write):
            m.d.sync += refused.eq(refuses)
        m.d.comb += [
            lite.refused.eq(refused | is_arm & core.bad),
            asked.eq(takes & is_reset & lite.data[0]),
            core.write.eq(takes & is_job & ~is_reset | reset),
            core.address.eq(Mux(reset, by_name[_ALONE[0]].address, lite.address)),
            core.data.eq(Mux(reset, 1, lite.data)),
        ]

        # ---- what a host looks at
        names = [field.name for field in cleared.register.fields]
        flags = {name: Signal(name=name) for name in names}
        status = Cat(flags.values())
        was_busy, left, enable = Signal(), Signal(), Signal(len(status))
        m.d.sync += was_busy.eq(core.busy)
        m.d.comb += [
            *(flags["busy"].eq(busy), flags["out_of_step"].eq(core.out_of_step)),
            left.eq(self.m_axis_tvalid & self.m_axis_tready & self.m_axis_tlast),
            self.frame_error.eq(flags["frame_error"]),
        ]
        turned = was_busy & ~core.busy & ~resetting
        events = {
            "bad": arms[1] & core.bad,
            "refused": lite.write & refuses,
            "frame_error": self._misplaced(m, reset),
            "turned": turned,
            "left": left,
        }
        for name in STICKY:
            with m.If(events[name]):
                m.d.sync += flags[name].eq(1)
            with m.Elif(takes & is_status & lite.data[names.index(name)] | reset):
                m.d.sync += flags[name].eq(0)
        m.d.sync += self.irq.eq((status & enable).any())
        counts = {name: Signal(32, name=name) for name in ("begun", "done", "tag", "at_work")}
        for name, event in (("begun", core.began), ("done", left)):
            with m.If(event):
                m.d.sync += counts[name].eq(counts[name] + 1)
        with m.If(turned):
            m.d.sync += counts["at_work"].eq(counts["tag"])
        with m.If(takes & is_tag):
            m.d.sync += counts["tag"].eq(lite.data)
        with m.If(takes & here[f"{CONTROL}_interrupt"]):
            m.d.sync += enable.eq(lite.data)
        with m.If(reset):
            m.d.sync += [each.eq(0) for each in counts.values()]

        fixed = constants(core.maxima)
        values = {"status": status, "interrupt": enable, **counts}
        values["broken"] = self.broken_frames if self.resync else Const(0, COUNT_BITS)
        with m.Switch(lite.read_address):
            for place in self.places:
                if "r" in place.register.access:
                    with m.Case(place.address):
                        name = place.register.name
                        word = values.get(name)
                        if word is None:
                            fields = place.register.fields
                            word = Const(sum(each.put(fixed[each.name]) for each in fields), 32)
                        m.d.comb += lite.read_data.eq(word)
            with m.Default():
                m.d.comb += lite.unreadable.eq(1)

    def _misplaced(self, m: Module, reset: Value) -> Value:
        """Return whether the beat before the one taken a clock ago was marked wrongly.

        The core tells a clock later that a beat was its frame's first: the one before was the last.
        One that follows marks says it itself.
        """
        if isinstance(self.core, RuntimeResyncCore):
            m.d.comb += self.broken_frames.eq(self.core.broken_frames)
            return self.core.broken
        taken, marked, before = Signal(), Signal(init=1), Signal(init=1)
        step = self.s_axis_tvalid & self.s_axis_tready
        m.d.sync += taken.eq(step)
        with m.If(step):
            m.d.sync += [marked.eq(self.s_axis_tlast), before.eq(marked)]
        with m.If(reset):
            m.d.sync += [taken.eq(0), marked.eq(1)]
        return taken & (before != self.core.began)


_ALONE = tuple(f"core_{register.name}" for register in (RESET, ARM))
"""Registers of the core's own block that are looked at one by one."""


def _any(values: Iterable[Value]) -> Value:
    return Cat(values).any()


def _within(address: Value, place: Place) -> Value:
    """Return whether an address is one of a place's."""
    if place.register.many == 1:
        return address == place.address
    return (address >= place.address) & (address < place.end)
