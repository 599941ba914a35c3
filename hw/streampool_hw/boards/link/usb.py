"""Bytes on USB: a serial port of the class CDC-ACM, at full speed, by LUNA."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...fpga.tools import ToolError
from .core import SENT
from .uart import RECEIVED

IO_HZ = 48_000_000
"""The clock of the wires, four to a bit."""
HZ = IO_HZ // 4
"""The clock of the device, and of what it feeds."""

# pid.codes' number for tests: it is of no product, and hosts go by the class
_VENDOR, _PRODUCT = 0x1209, 0x0001


class UsbSerial(wiring.Component):
    """Be a serial port on USB; its baud rate means nothing.

    It is in the domains ``usb`` of `HZ` and ``usb_io`` of `IO_HZ`, whose edges go together.

    Parameters
    ----------
    wires : record
        ``d_p``, ``d_n`` and ``pullup``, as a platform gives them.
    product : str
        What it says it is.

    Members
    -------
    i : In(stream(SENT))
        Bytes to the host. They go once there are 64 of them, or at the last one of a packet.
    o : Out(stream(RECEIVED))
        Bytes from the host; USB repeats those that were damaged.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, wires: Any, product: str):
        self._wires, self._product = wires, product
        super().__init__({"i": In(stream.Signature(SENT)), "o": Out(stream.Signature(RECEIVED))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.device = device = luna()(
            bus=self._wires,
            idVendor=_VENDOR,
            idProduct=_PRODUCT,
            manufacturer_string="streampool",
            product_string=self._product,
        )
        m.d.comb += [
            device.connect.eq(1),
            device.tx.valid.eq(self.i.valid),
            device.tx.payload.eq(self.i.payload.data),
            device.tx.last.eq(self.i.payload.last),
            self.i.ready.eq(device.tx.ready),
            self.o.valid.eq(device.rx.valid),
            self.o.payload.data.eq(device.rx.payload),
            device.rx.ready.eq(self.o.ready),
        ]
        return m


def luna() -> Any:
    """Return LUNA's device, or say what to install."""
    try:
        # an extra of which there are no types
        from luna.full_devices import (  # pyright: ignore[reportMissingImports]
            USBSerialDevice,
        )
    except ModuleNotFoundError:
        raise ToolError(
            "luna-usb, which makes a board's chip a USB device, is not installed; use the extra"
            " streampool[usb]."
        ) from None
    return USBSerialDevice
