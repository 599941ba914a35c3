"""A picture's values are those that its file has, or it is refused."""

import base64
import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from picture_files import bmp, planes, png, sgi, tiff, written
from PIL import EpsImagePlugin, Image
from streampool_sim.pictures import read_input
from streampool_sim.refusals import Refused

RNG = np.random.default_rng(4)
GREY = RNG.integers(0, 256, (4, 7), np.uint8)
DEEP = RNG.integers(0, 1 << 16, (4, 7), np.uint16)
RGB = RNG.integers(0, 256, (4, 7, 3), np.uint8)
RGBA = RNG.integers(0, 256, (4, 7, 4), np.uint8)
COLOURS = RNG.integers(0, 256, (256, 3), np.uint8)

# Of an array -> how it is turned, by orientation.
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}

TURN = tiff((2, 3), bytes(range(0, 60, 10)), tags={274: 6})
SIGNED = tiff((2, 2), bytes([0, 0xFF, 5, 0x83]), tags={339: 2})
RGB_12 = b"P6\n2 2\n4095\n" + struct.pack(">12H", *range(100, 1300, 100))
GREY_12 = b"P5\n2 2\n4095\n" + struct.pack(">4H", *range(100, 500, 100))

# Of 2 x 2, written by OpenJPEG and libavif: 100 to 400 in 12 bits; the same cut to 9 bits; 12 bits
# per colour; -1, -2, 3, 4; 400 in 10 bits per colour.
J2K_GREY_12 = base64.b64decode(
    "/0//UQApAAAAAAACAAAAAgAAAAAAAAAAAAAAAgAAAAIAAAAAAAAAAAABCwEB/1IADAAAAAEAAAQEAAH/XAAEQGD/ZA"
    "AlAAFDcmVhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAAAZAAH/k8/kIAiAvox+cf9//9k="
)
JP2_GREY_12 = base64.b64decode(
    "AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAAgAAAAIAAQsHAAAAAAAPY2"
    "9scgEAAAAAABEAAACLanAyY/9P/1EAKQAAAAAAAgAAAAIAAAAAAAAAAAAAAAIAAAACAAAAAAAAAAAAAQsBAf9SAAwA"
    "AAABAAAEBAAB/1wABEBg/2QAJQABQ3JlYXRlZCBieSBPcGVuSlBFRyB2ZXJzaW9uIDIuNS40/5AACgAAAAAAGQAB/5"
    "PP5CAIgL6MfnH/f//Z"
)
JP2_GREY_9 = base64.b64decode(
    "AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAAgAAAAIAAQgHAAAAAAAPY2"
    "9scgEAAAAAABEAAACIanAyY/9P/1EAKQAAAAAAAgAAAAIAAAAAAAAAAAAAAAIAAAACAAAAAAAAAAAAAQgBAf9SAAwA"
    "AAABAAAEBAAB/1wABEBI/2QAJQABQ3JlYXRlZCBieSBPcGVuSlBFRyB2ZXJzaW9uIDIuNS40/5AACgAAAAAAFgAB/5"
    "PPwBQG49AA7//Z"
)
J2K_RGB_12 = base64.b64decode(
    "/0//UQAvAAAAAAACAAAAAgAAAAAAAAAAAAAAAgAAAAIAAAAAAAAAAAADCwEBCwEBCwEB/1IADAAAAAEBAAQEAAH/XA"
    "AEQGD/ZAAlAAFDcmVhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAAAqAAH/k8/kHAejJINsWn/D"
    "8wYB14kqRr/D8wYIj50qRr//2Q=="
)
J2K_SIGNED = base64.b64decode(
    "/0//UQApAAAAAAACAAAAAgAAAAAAAAAAAAAAAgAAAAIAAAAAAAAAAAABhwEB/1IADAAAAAEAAAQEAAH/XAAEQED/ZA"
    "AlAAFDcmVhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAAATAAH/k8D4Qg9h/9k="
)
AVIF_10 = base64.b64decode(
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAA"
    "AAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAIAAAAChpaW5mAAAAAAAB"
    "AAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAAgAAAAIAAAAQcG"
    "l4aQAAAAADCgoKAAAADGF2MUOBIEAAAAAAE2NvbHJuY2x4AAIAAgAAgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAA"
    "KG1kYXQSAAoHOAA+cCAgCTITEAAAAA/6PyGyDHqQ0NXKhF178A=="
)


def read(folder: Path, content: bytes) -> np.ndarray:
    (folder / "in.dat").write_bytes(content)
    source = read_input(folder / "in.dat", None)
    assert source.layout == ("HW" if source.data.ndim == 2 else "HWC")
    return source.data


def refusal(folder: Path, content: bytes) -> str:
    (folder / "in.dat").write_bytes(content)
    with pytest.raises(Refused) as refused:
        read_input(folder / "in.dat", None)
    return str(refused.value)


def palette() -> list[int]:
    return (COLOURS.T.astype(int) * 257).ravel().tolist()


def test_a_turned_tiff_is_pooled_turned(folder: Path, command: Command):
    (folder / "turn.tif").write_bytes(TURN)
    assert command("run", "turn.tif", "--kernel", 1, "-o", "turned.npy").status == 0
    assert np.load("turned.npy").tolist() == [[30, 0], [40, 10], [50, 20]]


def test_a_signed_tiff_keeps_its_sign(folder: Path, command: Command):
    (folder / "s8.tif").write_bytes(SIGNED)
    assert command("run", "s8.tif", "--kernel", 2, "-o", "most.npy").status == 0
    assert np.load("most.npy").tolist() == [[5]]
    assert np.load("most.npy").dtype == np.int8


def test_a_pgm_keeps_its_values_and_the_largest_that_it_states(folder: Path, command: Command):
    (folder / "grey12.pgm").write_bytes(GREY_12)
    assert command("run", "grey12.pgm", "--kernel", 2).status == 0
    assert (folder / "grey12-max.pgm").read_bytes() == b"P5\n1 1\n4095\n" + (400).to_bytes(2, "big")
    assert command("run", "grey12.pgm", "--kernel", 1, "-o", "same.pgm").status == 0
    assert (folder / "same.pgm").read_bytes() == GREY_12
    # A sum of 17 bits fits no picture, and one of 9 bits is no longer what the file says.
    assert command("run", "grey12.pgm", "--kernel", 2, "--op", "sum").status == 2
    (folder / "small.pgm").write_bytes(b"P5\n2 1\n15\n\x0f\x0f")
    assert command("run", "small.pgm", "--kernel", "1x2", "--op", "sum").status == 0
    assert (folder / "small-sum.pgm").read_bytes() == b"P5\n1 1\n65535\n\x00\x1e"


def test_deep_colours_of_a_ppm_are_refused(folder: Path, refused: Command):
    (folder / "rgb12.ppm").write_bytes(RGB_12)
    assert "colours of 12 bits; use 8 bits per colour" in refused("run", "rgb12.ppm").err


@pytest.mark.parametrize("orientation", TURNS)
def test_every_orientation(orientation: int, folder: Path):
    turn, tags = TURNS[orientation], {274: orientation}
    negative = DEEP.view(np.int16)
    files = [
        (GREY, tiff(GREY.shape, GREY.tobytes(), tags=tags)),
        (DEEP, tiff(DEEP.shape, DEEP.astype("<u2").tobytes(), 16, tags=tags)),
        (DEEP, tiff(DEEP.shape, DEEP.astype(">u2").tobytes(), 16, order=">", tags=tags)),
        (negative, tiff(DEEP.shape, DEEP.astype("<u2").tobytes(), 16, tags=tags | {339: 2})),
        (RGB, tiff(GREY.shape, RGB.tobytes(), [8] * 3, tags=tags)),
        (RGB, tiff(GREY.shape, planes(RGB), [8] * 3, tags=tags)),
        (RGBA, tiff(GREY.shape, RGBA.tobytes(), [8] * 4, tags=tags | {338: 2})),
        (COLOURS[GREY], tiff(GREY.shape, GREY.tobytes(), tags=tags | {262: 3, 320: palette()})),
    ]
    exif = Image.Exif()
    exif[274] = orientation
    for x in (GREY, DEEP, RGB, RGBA):
        files.append((x, written(x, "TIFF", compression="tiff_lzw", tiffinfo=tags)))
        files.append((x, written(x, "PNG", exif=exif)))
    for x in (RGB, RGBA):
        files.append((x, written(x, "WEBP", exif=exif, lossless=True, exact=True)))
    for i, (x, content) in enumerate(files):
        assert np.array_equal(read(folder, content), turn(x)), i
    # One value a block, which even a JPEG keeps.
    blocks = np.kron([[10, 200, 90], [90, 250, 30]], np.ones((16, 16), int)).astype(np.uint8)
    content = written(blocks, "JPEG", quality=100, exif=exif)
    assert np.array_equal(read(folder, content), turn(blocks))


@pytest.mark.parametrize("order", "<>")
def test_signed_tiffs(order: str, folder: Path):
    small = np.array([[-128, -1], [0, 127]], np.int8)
    assert np.array_equal(read(folder, tiff((2, 2), small.tobytes(), tags={339: 2})), small)
    deep = np.array([[-(1 << 15), -1], [0, 32767]], order + "i2")
    data = read(folder, tiff((2, 2), deep.tobytes(), 16, order=order, tags={339: 2}))
    assert np.array_equal(data, deep)
    assert data.dtype == np.int16
    # Where nothing is below zero, a picture can hold what comes of it.
    for dtype in (np.int8, np.int16, np.int32):
        x = np.array([[3, 127], [0, 1]], np.dtype(f"{order}{np.dtype(dtype).str[1:]}"))
        data = read(folder, tiff((2, 2), x.tobytes(), x.itemsize * 8, order=order, tags={339: 2}))
        assert np.array_equal(data, x)
        assert data.dtype == (np.uint8 if dtype is np.int8 else np.uint16)
    for value in (-1, 1 << 16):
        x = np.array([[value, 0]], order + "i4")
        says = refusal(folder, tiff((1, 2), x.tobytes(), 32, order=order, tags={339: 2}))
        assert "grey of 32 bits" in says


def test_signed_tiffs_that_are_compressed(folder: Path):
    x = np.array([[-300, -1], [0, 1 << 14]], np.int16)
    # PackBits: one byte less than there are, then the bytes.
    for order in "<>":
        packed = b"\x07" + x.astype(order + "i2").tobytes()
        content = tiff((2, 2), packed, 16, order=order, tags={339: 2, 259: 32773})
        if order == "<":
            assert np.array_equal(read(folder, content), x)
        else:  # which Pillow takes as little-endian
            assert "big-endian signed values of 16 bits, compressed" in refusal(folder, content)


def test_white_is_zero(folder: Path):
    for bits, x in ((8, GREY), (16, DEEP)):
        packed = tiff(x.shape, x.tobytes(), bits, tags={262: 0})
        assert np.array_equal(read(folder, packed), np.iinfo(x.dtype).max - x)
    few = np.array([[0, 1, 2, 3]], np.uint8)
    assert read(folder, tiff(few.shape, b"\x1b", 2, tags={262: 0})).tolist() == [[255, 170, 85, 0]]
    black = tiff((1, 4), b"\x50", 1, tags={262: 0})
    assert read(folder, black).tolist() == [[255, 0, 255, 0]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (tiff((4, 7), [bytes(56)] * 3, [16] * 3), "colours of 16 bits"),
        (tiff((4, 7), bytes(168), [16] * 3), "colours of 16 bits"),
        (tiff((4, 7), bytes(112), [16] * 2, tags={338: 2}), "is no TIFF that is read"),
        (tiff((4, 7), [bytes(28)] * 2, [8] * 2, tags={338: 2}), "in a plane of its own"),
        (tiff((4, 7), bytes(112), [8] * 4, tags={338: 1}), "multiplied by their alpha"),
        (tiff((4, 7), bytes(112), [8] * 4, tags={338: 0}), "does not say what it means"),
        (tiff((4, 7), bytes(56), [8] * 2, tags={338: 0}), "does not say what it means"),
        (tiff((4, 7), bytes(112), [8] * 4, tags={262: 5}), "mode CMYK"),
        (tiff((4, 7), bytes(84), [8] * 3, tags={262: 6}), "mode YCbCr"),
        (tiff((4, 7), bytes(112), 32, tags={339: 3}), "mode F"),
        (tiff((4, 7), bytes(112), 32, tags={339: 3, 262: 0}), "mode F"),
        (tiff((1, 1), b"\xff" * 4, 32), "grey of 32 bits"),
        (tiff((4, 7), bytes(28), tags={262: 3, 320: list(range(768))}), "palette of colours of 16"),
        (png(2, 1, 8, 0, bytes(2))[:-14] + bytes(14), "its checksum is wrong"),
        (png(2, 1, 16, 2, bytes(12)), "colours of 16 bits"),
        (png(2, 1, 16, 4, bytes(8)), "colours of 16 bits"),
        (png(2, 1, 16, 6, bytes(16)), "colours of 16 bits"),
        (tiff((4, 7), bytes(14), tags={278: 2}), "lacks a part"),
        (tiff((4, 7), [bytes(28)] * 2, [8] * 3), "lacks a part"),
        (tiff((4, 7), bytes(28), tags={270: b"ImageJ=1\nimages=5\n\0"}), "several pictures behind"),
        (tiff((4, 7), bytes(28), tags={270: b'{"truncated": true}\0'}), "several pictures behind"),
        (bmp(2, 1, 16, bytes(4)), "colours of 5 bits"),
        (bmp(4, 1, 8, bytes(4), [0, 255]), "8 bits and a palette of few greys"),
        (bmp(4, 1, 4, bytes(4), [0, 255]), "4 bits and a palette of few greys"),
        (bmp(4, 1, 4, bytes(4), range(16)), "4 bits and a palette of few greys"),
        (JP2_GREY_12[:-20], "its codestream has no end"),
        (sgi(2, 1, 1, 2, bytes(4)), "values of 16 bits in an SGI"),
        (sgi(2, 1, 3, 2, bytes(12)), "values of 16 bits in an SGI"),
        (sgi(2, 1, 1, 1, bytes(2), colours=2), "indices of colours"),
        (JP2_GREY_9, "colours of 9 bits"),
        (J2K_RGB_12, "colours of 12 bits"),
        (J2K_SIGNED, "signed values in a JPEG 2000"),
        (AVIF_10, "colours of 10 or 12 bits"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "no picture of a kind that is read"),
        (b"Pf\n1 1\n-1.0\n\0\0\0\0", "no picture of a kind that is read"),
    ],
)
def test_what_would_come_out_as_something_else(content: bytes, says: str, folder: Path):
    assert says in refusal(folder, content)


def test_other_formats(folder: Path):
    bits = np.unpackbits(GREY, axis=1)[:, :7].astype(bool)
    packed = np.packbits(bits, axis=1).tobytes()
    assert np.array_equal(read(folder, png(7, 4, 1, 0, packed)), bits * 255)
    assert read(folder, png(4, 1, 2, 0, b"\x1b")).tolist() == [[0, 85, 170, 255]]
    assert read(folder, png(2, 1, 4, 0, b"\x0b")).tolist() == [[0, 187]]
    assert np.array_equal(read(folder, png(7, 4, 16, 0, DEEP.astype(">u2").tobytes())), DEEP)
    alpha = RGBA[..., :2]
    assert np.array_equal(read(folder, png(7, 4, 8, 4, alpha.tobytes())), alpha)
    assert np.array_equal(read(folder, sgi(7, 4, 1, 1, GREY[::-1].tobytes())), GREY)
    assert np.array_equal(read(folder, sgi(7, 4, 3, 1, b"".join(planes(RGB[::-1])))), RGB)
    for x in (GREY, DEEP, RGB, RGBA, RGBA[..., :2].copy()):
        assert np.array_equal(read(folder, written(x, "JPEG2000")), x)
    assert read(folder, J2K_GREY_12).tolist() == [[100, 200], [300, 400]]
    assert read(folder, JP2_GREY_12).tolist() == [[100, 200], [300, 400]]
    assert np.array_equal(read(folder, written(RGB, "QOI")), RGB)
    assert read(folder, bmp(4, 1, 1, b"\x60\0\0\0", [0, 255])).tolist() == [[0, 255, 255, 0]]
    assert read(folder, bmp(4, 1, 8, bytes(range(4)), range(256))).tolist() == [[0, 1, 2, 3]]
    assert np.array_equal(read(folder, bmp(3, 1, 8, b"\2\0\1\0", [9, 8, 7]))[..., 0], [[7, 9, 8]])
    flat = np.full((8, 8, 3), 77, np.uint8)
    assert np.array_equal(read(folder, written(flat, "AVIF", quality=100)), flat)


def test_a_picture_that_is_postscript_starts_no_program(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
):
    def start(*_: object, **__: object) -> None:
        raise AssertionError("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", start)
    (folder / "cat.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\nshowpage\n%%EOF\n"
    )
    done = command("run", "cat.png")
    assert done.status == 2
    assert "cat.png is no picture of a kind that is read" in done.err


def test_several_pages(folder: Path):
    first, second = Image.fromarray(RGB), Image.fromarray(RGB[::-1])
    for kind in ("TIFF", "GIF", "WEBP", "PNG"):
        file = io.BytesIO()
        first.save(file, kind, save_all=True, append_images=[second])
        assert "2 pictures in it" in refusal(folder, file.getvalue())


def test_more_pixels_than_pillow_reads(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 13)
    says = refusal(folder, png(7, 4, 8, 0, GREY.tobytes()))
    assert says.endswith("has more than 26 pixels, the most that Pillow reads; use a .npy")
    # A header alone, of which nothing is there.
    huge = png(30000, 30000, 8, 0, b"\0" * 30000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 89_478_485)
    assert "has more than 178,956,970 pixels" in refusal(folder, huge)


@pytest.mark.parametrize("most", [1, 2, 15, 100, 254, 255, 256, 1023, 4095, 65534, 65535])
def test_every_largest_value_of_a_pgm(most: int, folder: Path):
    x = RNG.integers(0, most + 1, (4, 7))
    x[0, 0] = most
    raw = x.astype(">u2" if most > 255 else "u1").tobytes()
    text = " ".join(str(value) for value in x.ravel()).encode()
    for content in (b"P5 7 4 %d\n" % most + raw, b"P2\n# grey\n7 4\n%d\n" % most + text):
        data = read(folder, content)
        assert np.array_equal(data, x)
        assert data.dtype == (np.uint16 if most > 255 else np.uint8)
    if most < 256:
        rgb = RNG.integers(0, most + 1, (4, 7, 3))
        text = " ".join(str(value) for value in rgb.ravel()).encode()
        raw = rgb.astype(np.uint8).tobytes()
        for content in (b"P6 7 4 %d\n" % most + raw, b"P3 7 4 %d\n" % most + text + b" # end"):
            assert np.array_equal(read(folder, content), rgb)


def test_black_and_white_in_netpbm(folder: Path):
    bits = RNG.integers(0, 2, (4, 11), np.uint8)
    packed = np.packbits(bits, axis=1).tobytes()
    text = b"\n".join(b"".join(b"%d" % bit for bit in row) for row in bits)
    for content in (b"P4 11 4\n" + packed, b"P1 11 4\n" + text, b"P1 11 4# wide\n" + text):
        assert np.array_equal(read(folder, content), 255 * (1 - bits))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"P5 2 2 255\n\1\2\3", "cut short: 4"),
        (b"P2 2 2 255\n1 2 3", "cut short: 4"),
        (b"P1 2 2\n011", "cut short: 4"),
        (b"P4 9 2\n\1\2\3", "cut short: 4"),
        (b"P5 2 2 ", "no readable header"),
        (b"P5 2 2 255", "no readable header"),
        (b"P5 2 2 0\n1234", "no readable header"),
        (b"P5 2 2 65536\n12345678", "no readable header"),
        (b"P5 0 2 255\n", "no readable header"),
        (b"P5 2 -2 255\n1234", "no readable header"),
        (b"P5 2 99999999999 255\n1234", "no readable header"),
        (b"P5 1 2 15\n\x0f\x10", "has the value 16, and states 15"),
        (b"P2 1 2 15\n3 16", "has the value 16, and states 15"),
        (b"P1 2 1\n02", "has the value 2, and states 1"),
        (b"P2 1 2 15\n3 x", "'x' is no value"),
        (b"P2 1 2 15\n3 99999999999", "is no value"),
        (b"P5 1 1 255\n\1P5 1 1 255\n\2", "several pictures"),
        (b"P4 1 1\n\1\nP4 1 1\n\2", "several pictures"),
    ],
)
def test_netpbm_that_is_none(content: bytes, says: str, folder: Path):
    assert says in refusal(folder, content)
