"""Pictures that Pillow reads, as long as it gives the values that the file has.

Pillow cuts colours to 8 bits and takes some values for others without a word. So whatever is not
known to come out right is refused here, by what the file itself says.
"""

import contextlib
import logging
import os
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from streampool_sim.refusals import Refused

from .opening import EXACT, reason

# By name: among Pillow's others are some that start programs. MPO is a JPEG with more behind it.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "AVIF", "SGI", "QOI")

# How the files of these formats start, to tell a damaged one from something else.
STARTS = {
    "PNG": rb"\x89PNG",
    "JPEG": rb"\xff\xd8\xff",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "BMP": rb"BM",
    "GIF": rb"GIF8",
    "WebP": rb"RIFF....WEBP",
    "JPEG 2000": rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  ",
    "AVIF": rb"....ftyp(?:avi|mi|ms)",
    "SGI": rb"\x01\xda[\0\x01]",
    "QOI": rb"qoif",
}

# What ImageJ and tifffile write in front of pages that have no header of their own.
PAGES = re.compile(r'(?m)^ImageJ=[\s\S]*^images=(?!1$)|"truncated": true')

# Pillow also logs what it cannot read, which would be a second message.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def read_picture(path: Path, file: BinaryIO) -> tuple[np.ndarray, str]:
    """Read one picture from a file at its start, or refuse it; returns it as HW or HWC.

    It is uint8, or uint16 of grey above 8 bits, turned as its orientation says. Black and white is
    0 and 255, grey of 2 or 4 bits is spread from 0 to 255, and a palette gives its colours, without
    their transparency. A signed TIFF with values below zero gives int8 or int16.
    """
    start = file.read(16)
    file.seek(0)
    try:
        with warnings.catch_warnings():
            # Pillow's remarks on odd metadata are no business of the pooling.
            warnings.simplefilter("ignore")
            Image.init()
            known = [name for name in FORMATS if name in Image.OPEN]  # AVIF needs Pillow 11.3
            with Image.open(file, formats=known) as picture:
                return _pixels(path, file, picture)
    except Refused:
        raise
    except UnidentifiedImageError:
        raise Refused(_unknown(path, start)) from None
    except Image.DecompressionBombError:
        raise Refused(
            f"{path} has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, the most that "
            "Pillow reads; use a .npy"
        ) from None
    except MemoryError:
        raise Refused(f"{path} does not fit into memory") from None
    # A damaged file can make Pillow's decoders raise almost anything.
    except Exception as error:
        raise Refused(
            f"{path} is cut short or damaged, or of a rare kind: {reason(error)}"
        ) from None


def _unknown(path: Path, start: bytes) -> str:
    for name, pattern in STARTS.items():
        if re.match(pattern, start, re.DOTALL):
            return (
                f"{path} is no {name} that is read: it is cut short, damaged or of a rare kind; "
                f"use {EXACT}"
            )
    return f"{path} is no picture of a kind that is read, and no .npy file; use PNG, TIFF or .npy"


def _pixels(path: Path, file: BinaryIO, picture: Image.Image) -> tuple[np.ndarray, str]:
    # A phone's MPO holds a preview behind the photograph.
    frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    if frames > 1:
        raise Refused(
            f"{path} has {frames} pictures in it; use one, or a .npy of all of them (NHWC)"
        )
    finish = CHECKS.get(picture.format or "", _check_others)(path, file, picture)
    with _silent() if picture.format == "TIFF" else contextlib.nullcontext():
        picture.load()
    picture = ImageOps.exif_transpose(picture)
    mode = picture.mode
    if mode in ("1", "P", "PA"):
        picture = picture.convert("L" if mode == "1" else "RGB")
    elif not mode.startswith("I") and mode not in ("L", "LA", "RGB", "RGBA"):
        raise Refused(f"{path} is a picture of mode {mode}; use grey, RGB or RGBA")
    data = np.array(picture)
    if finish is not None:
        data = finish(data)
    if mode.startswith("I") and data.dtype != np.int16:
        if data.min() < 0 or data.max() > 0xFFFF:
            raise Refused(f"{path} has grey of 32 bits; use 16-bit grey, or a .npy")
        data = data.astype(np.uint16)
    return data, "HW" if data.ndim == 2 else "HWC"


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep libtiff from writing its own remarks to the process' standard error."""
    try:
        stderr = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


Finish = Callable[[np.ndarray], np.ndarray]
"""From what Pillow gives to what the file has."""


def _too_deep(path: Path, what: str) -> Refused:
    return Refused(f"{path} has {what}; use {EXACT}")


def _raw_modes(picture: Image.Image) -> str:
    """Return what Pillow's decoders are told of the pixels in the file."""
    return str([tile[3] for tile in getattr(picture, "tile", ())])


def _check_others(path: Path, _file: BinaryIO, picture: Image.Image) -> Finish | None:
    if picture.mode in ("LA", "RGB", "RGBA") and ";16" in _raw_modes(picture):
        raise _too_deep(path, "colours of 16 bits")


def _check_png(path: Path, file: BinaryIO, picture: Image.Image) -> Finish | None:
    # Pillow does not look at the checksums of the pixels.
    file.seek(8)
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind != b"IDAT":
            file.seek(length + 4, os.SEEK_CUR)
        elif struct.pack(">I", zlib.crc32(kind + file.read(length))) != file.read(4):
            raise Refused(f"{path} is cut short or damaged: its checksum is wrong")
    _check_others(path, file, picture)


def _check_bmp(path: Path, file: BinaryIO, picture: Image.Image) -> Finish | None:
    file.seek(14)
    header = file.read(16)
    bits = header[14] if header[0] > 12 else header[10]
    if bits == 16:
        raise _too_deep(path, "colours of 5 bits")
    # Pillow takes the depth from the palette, where that is all grey.
    if bits != {"1": 1, "L": 8}.get(picture.mode, bits):
        raise Refused(f"{path} has {bits} bits and a palette of few greys; use a PNG")


def _check_sgi(path: Path, file: BinaryIO, _picture: Image.Image) -> Finish | None:
    file.seek(0)
    header = file.read(108)
    if header[3] != 1:
        raise _too_deep(path, "values of 16 bits in an SGI file, which are not read")
    if header[104:108] != bytes(4):
        raise Refused(f"{path} has indices of colours that are not in it; use RGB")


def _check_avif(path: Path, file: BinaryIO, _picture: Image.Image) -> Finish | None:
    file.seek(0)
    for configuration in re.finditer(rb"av1C\x81.(.)", file.read(), re.DOTALL):
        if configuration[1][0] & 0x40:
            raise _too_deep(path, "colours of 10 or 12 bits")


def _check_jpeg2000(path: Path, file: BinaryIO, picture: Image.Image) -> Finish | None:
    file.seek(0)
    content = file.read()
    start = re.search(rb"(?:^|jp2c(?:.{8})?)\xff\x4f\xff\x51", content, re.DOTALL)
    if start is None or content.find(b"\xff\xd9", start.end()) < 0:
        raise Refused(f"{path} is cut short or damaged: its codestream has no end")
    (components,) = struct.unpack_from(">H", content, start.end() + 36)
    depths = set(content[start.end() + 38 :][: 3 * components : 3])
    if len(depths) != 1 or picture.mode not in ("L", "LA", "RGB", "RGBA", "I;16"):
        raise _too_deep(path, "components of several kinds")
    (depth,) = depths
    if depth & 0x80:
        raise _too_deep(path, "signed values in a JPEG 2000, which are not read")
    bits, most = depth + 1, 16 if picture.mode == "I;16" else 8
    if bits > most:
        raise _too_deep(path, f"colours of {bits} bits")
    return lambda data: data >> (most - bits)  # Pillow shifts them to the top


def _check_tiff(path: Path, _file: BinaryIO, picture: Image.Image) -> Finish | None:
    tags: Any = getattr(picture, "tag_v2", {})
    if re.search(PAGES, str(tags.get(270))):
        raise Refused(f"{path} has several pictures behind one header; use a .npy of all (NHWC)")
    _check_whole(path, picture, tags)
    bits = max(tags.get(258, (1,)))
    colours = tags.get(277, 1) > 1
    if colours and bits > 8:
        raise _too_deep(path, f"colours of {bits} bits")
    extra = tags.get(338, ())
    if 0 in extra:
        raise _too_deep(path, "a channel of which it does not say what it means")
    if 1 in extra:
        raise _too_deep(path, "colours that are multiplied by their alpha")
    if tags.get(284, 1) == 2 and picture.mode in ("LA", "PA"):
        raise _too_deep(path, "its alpha in a plane of its own")
    if tags.get(262, 0) == 3 and not _is_exact(tags.get(320, ())):
        raise _too_deep(path, "a palette of colours of 16 bits")
    if re.search(r"'I;(16|32)BS'", _raw_modes(picture)) and tags.get(259, 1) != 1:
        # Pillow takes them as little-endian.
        raise _too_deep(path, f"big-endian signed values of {bits} bits, compressed")
    signed = max(tags.get(339, (1,))) == 2
    white_is_zero = tags.get(262, 0) == 0
    # Values of 8 bits and less are inverted by Pillow.
    inverted = white_is_zero and bits > 8 and re.search(r"'I;16[NB]?'", _raw_modes(picture))

    def finish(data: np.ndarray) -> np.ndarray:
        if inverted:
            data = 0xFFFF - data
        if signed and bits in (8, 16):
            data = data.view(np.int8) if bits == 8 else data.astype(np.int16)
            if data.min() >= 0:  # so that it can be written as a picture again
                data = data.view(f"u{data.itemsize}")
        return data

    return finish


def _check_whole(path: Path, picture: Image.Image, tags: Any) -> None:
    """Refuse a TIFF of fewer strips than rows need: Pillow makes the other rows black."""
    boxes = [tile[1] for tile in getattr(picture, "tile", ())]
    planes = tags.get(277, 1) if tags.get(284, 1) == 2 and tags.get(259, 1) == 1 else 1
    covered = sum((right - left) * (below - above) for left, above, right, below in boxes)
    if covered < picture.width * picture.height * planes:
        raise Refused(f"{path} is cut short or damaged: it lacks a part of the picture")


def _is_exact(palette: tuple[int, ...]) -> bool:
    """Return whether 8 bits hold a palette of 16, whose high byte is all that Pillow takes."""
    values = np.array(palette, np.int64)
    return bool(np.all((values & 0xFF == 0) | (values % 257 == 0)))


CHECKS: dict[str, Callable[[Path, BinaryIO, Image.Image], Finish | None]] = {
    "AVIF": _check_avif,
    "BMP": _check_bmp,
    "JPEG2000": _check_jpeg2000,
    "PNG": _check_png,
    "SGI": _check_sgi,
    "TIFF": _check_tiff,
}
