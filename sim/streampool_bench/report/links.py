"""What feeds a core, and how many bytes per second it carries.

Each figure is the payload that a standard leaves after its coding and its headers, which is more
than any driver reaches: a core behind a link is at best as fast as said here.
"""

from dataclasses import dataclass

FABRIC = "fabric"


@dataclass(frozen=True)
class Link:
    """A link, as the report has it."""

    link: str
    title: str
    bytes_per_s: float | None
    """Payload of one direction; None is as much as the core takes."""
    duplex: bool
    """Whether frames in and out pass at the same time."""
    carries: str
    """``"both"`` frames in and out, or only frames ``"in"``."""
    how: str
    """How the figure comes about."""
    source: str


def _ethernet() -> float:
    """Payload of UDP in full frames: 1472 bytes of each 1538 on the wire."""
    payload = 1500 - 20 - 8
    on_wire = 7 + 1 + 14 + 1500 + 4 + 12
    return 1e9 / 8 * payload / on_wire


def _pcie() -> float:
    """Payload of a generation 2 lane: 8b/10b, and 128 bytes per packet with 24 around them."""
    return 5e9 * 8 / 10 / 8 * 128 / (128 + 24)


LINKS = {
    link.link: link
    for link in (
        Link(
            FABRIC, "fabric (next to other logic)", None, True, "both",
            "one beat per clock on both sides: the core is the limit", "the core's own handshake",
        ),
        Link(
            "hdmi", "HDMI 1080p60 in", 1920 * 1080 * 60 * 3.0, True, "in",
            "1920 x 1080 pixels of 24 bits, 60 times per second, at a pixel clock of 148.5 MHz;"
            " blanking carries nothing", "CTA-861, VIC 16",
        ),
        Link(
            "pcie", "PCIe 2.0 x1", _pcie(), True, "both",
            "5 GT/s, 8b/10b, 128 bytes per packet with 24 of headers and framing",
            "PCI Express Base Specification 2.1",
        ),
        Link(
            "usb3", "USB 3.0, bulk", 5e9 * 8 / 10 / 8 * 1024 / (1024 + 32), True, "both",
            "5 Gbit/s each way, 8b/10b, 1024 bytes per packet with 32 of header, framing and CRC",
            "USB 3.2 specification, chapters 7 and 8",
        ),
        Link(
            "ethernet", "1G Ethernet, UDP", _ethernet(), True, "both",
            "1 Gbit/s, 1472 bytes of payload in 1538 on the wire", "IEEE 802.3, RFC 768",
        ),
        Link(
            "usb2", "USB 2.0 high speed, bulk", 13 * 512 * 8000, False, "both",
            "13 bulk packets of 512 bytes in each of 8000 microframes per second; in and out share"
            " the wire", "USB 2.0 specification, table 5-10",
        ),
        Link(
            "spi", "SPI at 25 MHz", 25e6 / 8, True, "both",
            "one bit per clock each way; 25 MHz is a common clock of a microcontroller's SPI",
            "assumed clock, no standard has one",
        ),
        Link(
            "serial", "serial at 921600 baud", 921600 / 10, True, "both",
            "8 bits in 10, one start and one stop bit", "8N1 as in ITU-T V.24 practice",
        ),
    )
}  # fmt: skip
"""The links by name."""


def frames_per_second(link: Link, bytes_in: int, bytes_out: int) -> float | None:
    """Return how many frames per second a link carries; None where it is no limit."""
    if link.bytes_per_s is None:
        return None
    if link.carries == "in":
        busy = bytes_in
    elif link.duplex:
        busy = max(bytes_in, bytes_out)
    else:
        busy = bytes_in + bytes_out
    return link.bytes_per_s / busy
