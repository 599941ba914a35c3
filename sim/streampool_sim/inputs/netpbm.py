"""PBM, PGM and PPM, without Pillow, which scales their values to 8 or 16 bits."""

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np

from streampool_sim.refusals import Refused

from .opening import EXACT

MAGIC = re.compile(rb"P[1-6][\s#]")
NUMBER = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*([0-9]{1,10})(?![0-9])")
DELIMITER = re.compile(rb"(?:#[^\r\n]*)?\s")
COMMENT = re.compile(rb"#[^\r\n]*")
ANOTHER = re.compile(rb"\s*P[1-6]\s+[0-9#]")
WHITE_SPACE = b" \t\n\v\f\r"


def is_netpbm(start: bytes) -> bool:
    """Return whether a file that starts so is one of these."""
    return MAGIC.match(start) is not None


def read_netpbm(path: Path, file: BinaryIO) -> tuple[np.ndarray, int]:
    """Read one picture from a file at its start, or refuse it.

    Returns H x W of grey or H x W x 3 of colours, uint8 or uint16, as the file has them, and the
    largest value that it could have. Black and white is 0 and 255.
    """
    content = file.read()
    kind = int(content[1:2])
    width, height, most, start = _header(path, content, kind)
    channels = 3 if kind in (3, 6) else 1
    if channels == 3 and most > 0xFF:
        raise Refused(f"{path} has colours of {most.bit_length()} bits; use {EXACT}")
    count = height * width * channels
    if kind == 4:
        values = _bits(path, content, start, width, height)
    elif kind > 4:
        values = _raw(path, content, start, count, np.dtype(">u2" if most > 0xFF else "u1"))
    else:
        values = _plain(path, content[start:], count, digits=kind == 1)
    if values.max() > most:
        raise Refused(f"{path} is damaged: it has the value {values.max()}, and states {most}")
    if kind in (1, 4):
        values, most = (1 - values) * 255, 255
    data = values.astype(np.uint16 if most > 0xFF else np.uint8)
    return data.reshape((height, width, 3) if channels == 3 else (height, width)), most


def _header(path: Path, content: bytes, kind: int) -> tuple[int, int, int, int]:
    numbers, start = [], 2
    for _ in range(2 if kind in (1, 4) else 3):
        number = NUMBER.match(content, start)
        if number is None:
            raise Refused(f"{path} is cut short or damaged: it has no readable header")
        numbers.append(int(number[1]))
        start = number.end()
    delimiter = DELIMITER.match(content, start)
    width, height, most = (*numbers, 1)[:3]
    if delimiter is None or not (width and height and 0 < most <= 0xFFFF):
        raise Refused(f"{path} is cut short or damaged: it has no readable header")
    return width, height, most, delimiter.end()


def _raw(path: Path, content: bytes, start: int, count: int, dtype: np.dtype) -> np.ndarray:
    size = count * dtype.itemsize
    _check_length(path, size, len(content) - start)
    if ANOTHER.match(content, start + size):
        raise Refused(f"{path} has several pictures in it; use one, or a .npy of all (NHWC)")
    return np.frombuffer(content, dtype, count, start)


def _bits(path: Path, content: bytes, start: int, width: int, height: int) -> np.ndarray:
    row = -(-width // 8)
    packed = _raw(path, content, start, row * height, np.dtype("u1"))
    return np.unpackbits(packed.reshape(height, row), axis=1, count=width)


def _plain(path: Path, text: bytes, count: int, *, digits: bool) -> np.ndarray:
    text = COMMENT.sub(b"", text)
    if digits:  # which need no space between them
        found = np.frombuffer(text.translate(None, WHITE_SPACE)[:count], np.uint8) - ord("0")
        _check_length(path, count, found.size)
        return found
    tokens = text.split(None, count)[:count]
    _check_length(path, count, len(tokens))
    for token in tokens:
        if not (token.isdigit() and len(token) <= 10):
            raise Refused(f"{path} is damaged: {token[:20].decode('latin-1')!r} is no value")
    return np.array([int(token) for token in tokens])


def _check_length(path: Path, promised: int, there: int) -> None:
    if there < promised:
        raise Refused(f"{path} is cut short: {promised} were promised, {there} are there")


def write_netpbm(path: Path, data: np.ndarray, most: int | None) -> None:
    """Write H x W of grey or H x W x 3 of colours, uint8 or uint16, as a PGM or PPM.

    The largest value that the file says it could have is `most`, which what the data came from
    said, if it has the data's width. Otherwise all its bits are ones.
    """
    full = int(np.iinfo(data.dtype).max)
    if most is None or (most > 0xFF) != (full > 0xFF) or data.max() > most:
        most = full
    height, width = data.shape[:2]
    header = f"P{5 if data.ndim == 2 else 6}\n{width} {height}\n{most}\n"
    path.write_bytes(header.encode() + data.astype(data.dtype.newbyteorder(">")).tobytes())
