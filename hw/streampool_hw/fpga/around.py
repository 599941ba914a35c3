"""What stands around a core that is placed, so that no pin is in any of its paths."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..base import Core
from ..resync import ResyncCore
from ..runtime.core import FLAGS
from ..runtime.resync import RuntimeCore, RuntimeResyncCore
from ..slices import SlicedCore, StreamSlices


class BetweenRegisters(wiring.Component):
    """Keep pins out of a core's paths: all that it has is fed and read by shift registers.

    What it does with the core, its submodule ``core``, makes no sense: its clock alone counts.
    """

    pin_in: Signal
    pin_out: Signal

    def __init__(self, core: Core | StreamSlices | RuntimeCore):
        self._core = core
        super().__init__({"pin_in": In(1), "pin_out": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = self._core
        inputs, outputs = self._inside()
        shifted = Signal(len(inputs))
        before = Signal(len(inputs))  # the registers in front of the core
        behind = Signal(len(outputs))
        out = Signal(len(outputs))
        m.d.sync += [
            shifted.eq(Cat(self.pin_in, shifted)),
            before.eq(shifted),
            behind.eq(outputs),
            out.eq(Mux(self.pin_in, behind, out >> 1)),
            self.pin_out.eq(out[0]),
        ]
        m.d.comb += inputs.eq(before)
        return m

    def _inside(self) -> tuple[Value, Value]:
        """Return what the core is fed with, and what it gives."""
        core = self._core
        if isinstance(core, StreamSlices):
            raise TypeError("slices with streams of their own have no one stream")
        i, o = core.i, core.o
        inputs = Cat(i.valid, o.ready, i.payload.as_value())
        outputs = Cat(o.valid, i.ready, o.payload.as_value())
        if isinstance(core, ResyncCore | RuntimeResyncCore):
            outputs = Cat(outputs, core.broken_frames)
        if isinstance(core, RuntimeCore):
            inputs = Cat(inputs, core.write, core.address, core.data)
            outputs = Cat(outputs, *(getattr(core, name) for name in FLAGS))
        return inputs, outputs


class BetweenPipelines(BetweenRegisters):
    """The same around a wide core: nothing that it adds reaches far in one clock.

    Where `BetweenRegisters` has one line that chooses for every bit out, a tree of registers takes
    their parity, four to a level, stream by stream and then of all.
    """

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = self._core
        onward, parities = self.pin_in, []
        for k, (i, o) in enumerate(_streams(self._core)):
            inputs = Cat(i.valid, o.ready, i.payload.as_value())
            outputs = Cat(o.valid, i.ready, o.payload.as_value())
            shifted, before, behind = (
                Signal(len(bits), name=f"{name}_{k}", reset_less=True)
                for name, bits in (("shifted", inputs), ("before", inputs), ("behind", outputs))
            )
            m.d.sync += [
                shifted.eq(Cat(onward, shifted)),
                before.eq(shifted),
                behind.eq(outputs),
            ]
            m.d.comb += inputs.eq(before)
            onward = shifted[-1]
            parities.append(_parity(m, behind, f"parity_{k}"))
        m.d.comb += self.pin_out.eq(_parity(m, Cat(parities), "parity"))
        return m


def around(core: Core | StreamSlices | RuntimeCore) -> BetweenRegisters:
    """Return what a core is placed between."""
    wide = isinstance(core, (SlicedCore, StreamSlices))
    return (BetweenPipelines if wide else BetweenRegisters)(core)


def _streams(
    core: Core | StreamSlices | RuntimeCore,
) -> Sequence[tuple[stream.Interface, stream.Interface]]:
    if isinstance(core, StreamSlices):
        return [*zip(core.i, core.o, strict=True)]
    return [(core.i, core.o)]


def _parity(m: Module, bits: Value, name: str) -> Value:
    """Return the parity of some bits, by a tree of registers: four to a level."""
    while len(bits) > 1:
        level = Signal(-(-len(bits) // 4), name=name, reset_less=True)
        m.d.sync += [bit.eq(bits[4 * k : 4 * k + 4].xor()) for k, bit in enumerate(level)]
        bits = level
    return bits
