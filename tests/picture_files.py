"""Picture files: as Pillow writes them, and byte for byte where it does not."""

import io
import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

ASCII, SHORT, LONG = 2, 3, 4
LETTERS = {ASCII: "B", SHORT: "H", LONG: "I"}


def written(x: np.ndarray, kind: str, **how: object) -> bytes:
    """Return a picture as Pillow writes it."""
    file = io.BytesIO()
    Image.fromarray(x).save(file, kind, **how)
    return file.getvalue()


def planes(x: np.ndarray) -> list[bytes]:
    """Return each channel of H x W x C on its own."""
    return [np.ascontiguousarray(x[..., i]).tobytes() for i in range(x.shape[-1])]


def tiff(
    size: tuple[int, int],
    data: bytes | Sequence[bytes],
    bits: int | Sequence[int] = 8,
    *,
    order: str = "<",
    tags: Mapping[int, int | bytes | Sequence[int]] | None = None,
) -> bytes:
    """Return a TIFF of one page.

    Parameters
    ----------
    size : (int, int)
        Height and width, as stored.
    data : bytes or list of them
        Of one strip; or of one strip per plane, of all rows.
    bits : int or list of int
        A sample's; or each sample's.
    order : str
        ``<`` or ``>``.
    tags : dict, optional
        What else it says, over what is said here: bytes as text, what is above 16 bits as a LONG.
    """
    strips = [data] if isinstance(data, bytes) else list(data)
    depths = [bits] if isinstance(bits, int) else list(bits)
    said: dict[int, int | bytes | Sequence[int]] = {
        256: size[1],
        257: size[0],
        258: depths,
        259: 1,
        262: 2 if len(depths) > 2 else 1,
        273: [0] * len(strips),
        277: len(depths),
        278: size[0],
        279: [len(strip) for strip in strips],
        284: 1 if isinstance(data, bytes) else 2,
        **(tags or {}),
    }
    entries = {
        tag: list(value) if isinstance(value, Sequence) else [value] for tag, value in said.items()
    }
    head = 8 + 2 + 12 * len(entries) + 4
    kinds = {
        tag: LONG if tag == 273 or max(entries[tag]) > 0xFFFF else SHORT for tag in entries
    } | {tag: ASCII for tag, value in said.items() if isinstance(value, bytes)}
    sizes = {tag: struct.calcsize(LETTERS[kinds[tag]]) * len(entries[tag]) for tag in entries}
    place = head + sum(size for size in sizes.values() if size > 4)
    if 273 not in (tags or {}):
        entries[273] = [place + sum(map(len, strips[:i])) for i in range(len(strips))]
    directory, behind = b"", b""
    for tag, values in sorted(entries.items()):
        packed = struct.pack(order + LETTERS[kinds[tag]] * len(values), *values)
        if len(packed) > 4:
            packed, behind = struct.pack(order + "I", head + len(behind)), behind + packed
        directory += struct.pack(order + "HHI", tag, kinds[tag], len(values)) + packed.ljust(
            4, b"\0"
        )
    start = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    count = struct.pack(order + "H", len(entries))
    return start + count + directory + bytes(4) + behind + b"".join(strips)


def png(width: int, height: int, bits: int, colour: int, rows: bytes) -> bytes:
    """Return a PNG: `colour` is 0 for grey, 2 RGB, 4 grey with alpha, 6 RGBA."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    stride = len(rows) // height
    lines = b"".join(b"\0" + rows[i * stride : (i + 1) * stride] for i in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def bmp(width: int, height: int, bits: int, rows: bytes, palette: Sequence[int] = ()) -> bytes:
    """Return a BMP, the lowest row first, each of a multiple of 4 bytes; a palette is of greys."""
    colours = b"".join(bytes([grey, grey, grey, 0]) for grey in palette)
    start, used = 54 + len(colours), len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, len(rows), 0, 0, used, 0)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + colours + rows


def sgi(width: int, height: int, channels: int, size: int, rows: bytes, colours: int = 0) -> bytes:
    """Return an SGI picture of `size` bytes per value, plane after plane, the lowest row first.

    `colours` other than 0 makes the values indices of colours.
    """
    header = struct.pack(
        ">HBBHHHHII4x80sI",
        474,
        0,
        size,
        3 if channels > 1 else 2,
        width,
        height,
        channels,
        0,
        255,
        b"",
        colours,
    )
    return header.ljust(512, b"\0") + rows
