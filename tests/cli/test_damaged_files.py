"""Files that are cut, longer than they were or damaged: their values, or one sentence."""

import io
from pathlib import Path

import numpy as np
import pytest
from picture_files import bmp, planes, png, sgi, tiff, written
from PIL import Image
from streampool_sim.pictures import read_input
from streampool_sim.refusals import Refused

RNG = np.random.default_rng(6)
GREY = RNG.integers(0, 256, (4, 7), np.uint8)
DEEP = RNG.integers(0, 1 << 16, (4, 7), np.uint16)
RGB = RNG.integers(0, 256, (4, 7, 3), np.uint8)
RGBA = RNG.integers(0, 256, (4, 7, 4), np.uint8)


def saved(x: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, x)
    return file.getvalue()


FILES = {
    "npy": saved(DEEP),
    "Fortran.npy": saved(np.asfortranarray(DEEP)),
    "grey.png": png(7, 4, 8, 0, GREY.tobytes()),
    "deep.png": png(7, 4, 16, 0, DEEP.astype(">u2").tobytes()),
    "rgba.png": written(RGBA, "PNG"),
    "palette.png": written(np.array(Image.fromarray(RGB).quantize(16).convert("RGB")), "PNG"),
    "turned.tif": tiff((4, 7), GREY.tobytes(), tags={274: 6}),
    "signed.tif": tiff((4, 7), DEEP.tobytes(), 16, tags={339: 2}),
    "planes.tif": tiff((4, 7), planes(RGB), [8] * 3),
    "palette.tif": tiff((4, 7), GREY.tobytes(), tags={262: 3, 320: [*range(0, 65536, 256)] * 3}),
    "lzw.tif": written(RGB, "TIFF", compression="tiff_lzw"),
    "deflate.tif": written(DEEP, "TIFF", compression="tiff_adobe_deflate"),
    "packbits.tif": written(GREY, "TIFF", compression="packbits"),
    "fax.tif": written(GREY > 99, "TIFF", compression="group4"),
    "grey.jpg": written(np.kron(GREY, np.ones((8, 8), np.uint8)), "JPEG"),
    "rgb.webp": written(RGB, "WEBP", lossless=True),
    "grey.gif": written(GREY, "GIF"),
    "rgb.bmp": written(RGB, "BMP"),
    "palette.bmp": bmp(4, 1, 8, bytes(range(4)), [9, 8, 7, 6]),
    "rgb.sgi": sgi(7, 4, 3, 1, RGB.tobytes()),
    "rgb.qoi": written(RGB, "QOI"),
    "deep.jp2": written(DEEP, "JPEG2000"),
    "rgb.jp2": written(RGB, "JPEG2000"),
    "rgb.avif": written(RGB, "AVIF", quality=90),
    "deep.pgm": b"P5\n7 4\n65535\n" + DEEP.astype(">u2").tobytes(),
    "plain.pgm": b"P2\n# four\n2 2\n300\n1 2\n3 4\n",
    "rgb.ppm": b"P6 7 4 255\n" + RGB.tobytes(),
    "plain.pbm": b"P1\n4 2\n0101\n1010\n",
    "pbm": b"P4\n9 2\n\xaa\x80\x55\0",
}


def values(folder: Path, content: bytes) -> np.ndarray | None:
    """Return what is read, or None if it is refused properly."""
    (folder / "in").write_bytes(content)
    try:
        return read_input(folder / "in", None).data
    except Refused as refused:
        says = str(refused)
        assert says.startswith(str(folder / "in"))
        assert "\n" not in says
        assert len(says) < 500
        return None


@pytest.mark.parametrize("name", FILES)
def test_damage(name: str, folder: Path, capfd: pytest.CaptureFixture[str]):
    rng, whole = np.random.default_rng(7), FILES[name]
    right = values(folder, whole)
    assert right is not None
    # Bytes behind it change nothing, and what is cut is refused where a value goes with it.
    for extra in (b"\0", b"\n", rng.bytes(3), rng.bytes(40), whole[:1]):
        longer = values(folder, whole + extra)
        assert longer is not None and np.array_equal(longer, right)
    refused = 0
    for length in {*rng.integers(0, len(whole), 12).tolist(), 1, len(whole) // 2, len(whole) - 1}:
        shorter = values(folder, whole[:length])
        refused += shorter is None
        assert shorter is None or np.array_equal(shorter, right)
    assert refused
    # Damage may look like another file, but ends in values or a sentence.
    for _ in range(10):
        place, bit = int(rng.integers(len(whole))), 1 << int(rng.integers(8))
        values(folder, whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        values(folder, whole[:place] + whole[place + 1 + int(rng.integers(4)) :])
        values(folder, whole[:place] + rng.bytes(1 + int(rng.integers(4))) + whole[place:])
    assert capfd.readouterr() == ("", "")
