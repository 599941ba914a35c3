"""Files of every kind go in and come out as what they are."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import Command
from PIL import Image
from streampool_golden import PoolSpec, pool
from streampool_hw.files import replacing
from streampool_sim.pictures import narrowest, read_input

RNG = np.random.default_rng(1)
RGB = RNG.integers(0, 256, (6, 8, 3), np.uint8)


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def golden(x: np.ndarray, layout: str, kernel: int | tuple[int, ...] = 2) -> np.ndarray:
    return pool(PoolSpec("max", kernel, dtype=x.dtype.name), x, layout)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".ppm", ".webp"])
def test_rgb_stays_rgb(suffix: str, folder: Path, command: Command, model: SimpleNamespace):
    source = folder / f"in{suffix}"
    Image.fromarray(RGB).save(source, lossless=True)  # which WebP alone asks for
    done = command("run", source, "--kernel", 2)
    assert done.status == 0
    assert f"in-max{suffix}" in done.out
    assert np.array_equal(picture(folder / f"in-max{suffix}"), golden(RGB[None], "NHWC")[0])
    assert model.calls[0]["layout"] == "NHWC"
    assert model.calls[0]["spec"].dtype == "uint8"


@pytest.mark.parametrize("suffix", [".png", ".pgm", ".bmp", ".jpg"])
def test_grey_stays_grey(suffix: str, folder: Path, command: Command, model: SimpleNamespace):
    # One value a block, which even a JPEG keeps.
    grey = np.kron(np.array([[10, 200], [90, 255]], np.uint8), np.ones((16, 16), np.uint8))
    source = folder / f"in{suffix}"
    Image.fromarray(grey).save(source, quality=100)  # which JPEG alone asks for
    assert command("run", source, "--kernel", 2).status == 0
    with Image.open(folder / f"in-max{suffix}") as image:
        assert image.convert("L").mode == "L"
        assert np.array_equal(np.array(image.convert("L")), golden(grey[None, None], "NCHW")[0, 0])


def test_rgba_has_four_channels(folder: Path, command: Command, model: SimpleNamespace):
    rgba = RNG.integers(0, 256, (6, 8, 4), np.uint8)
    Image.fromarray(rgba).save(folder / "in.png")
    assert command("run", "in.png", "--kernel", 2).status == 0
    assert np.array_equal(picture(folder / "in-max.png"), golden(rgba[None], "NHWC")[0])


def test_a_palette_is_read_as_rgb(folder: Path, command: Command, model: SimpleNamespace):
    image = Image.fromarray(RGB).quantize(16)
    image.save(folder / "in.png")
    assert command("run", "in.png", "--kernel", 2).status == 0
    rgb = np.array(image.convert("RGB"))
    assert np.array_equal(picture(folder / "in-max.png"), golden(rgb[None], "NHWC")[0])


def test_black_and_white_is_read_as_grey(folder: Path):
    Image.fromarray(RGB[..., 0] > 127).save(folder / "in.png")
    source = read_input(folder / "in.png", None)
    assert source.data.dtype == np.uint8
    assert np.array_equal(source.data, np.where(RGB[..., 0] > 127, 255, 0))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
def test_deep_grey_stays_deep(suffix: str, folder: Path, command: Command, model: SimpleNamespace):
    deep = RNG.integers(0, 1 << 16, (6, 8), np.uint16)
    Image.fromarray(deep).save(folder / f"in{suffix}")
    assert command("run", f"in{suffix}", "--kernel", 2).status == 0
    assert model.calls[0]["spec"].dtype == "uint16"
    assert np.array_equal(
        picture(folder / f"in-max{suffix}"), golden(deep[None, None], "NCHW")[0, 0]
    )


def test_a_photograph_is_turned_as_its_exif_says(folder: Path):
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was held so that the top is on the right
    image.save(folder / "in.png", exif=exif)
    assert np.array_equal(read_input(folder / "in.png", None).data, np.rot90(RGB, -1))


def test_a_picture_becomes_an_array(folder: Path, command: Command, model: SimpleNamespace):
    Image.fromarray(RGB).save(folder / "in.png")
    assert command("run", "in.png", "--kernel", 2, "--op", "sum", "-o", "out.npy").status == 0
    result = np.load(folder / "out.npy")
    assert result.shape == (3, 4, 3)
    assert result.dtype == np.uint16
    blocks = RGB.reshape(3, 2, 4, 2, 3).astype(int).sum((1, 3))
    assert np.array_equal(result, blocks)


@pytest.mark.parametrize(
    ("shape", "layout", "says"),
    [
        ((6, 8), None, "NCHW"),
        ((6, 8), "HW", "NCHW"),
        ((2, 6, 8), "CHW", "NCHW"),
        ((6, 8, 2), "HWC", "NHWC"),
        ((2, 3, 6, 8), None, "NCHW"),
        ((2, 3, 6, 8), "NCHW", "NCHW"),
        ((2, 6, 8, 3), "nhwc", "NHWC"),
        ((2, 3, 8), "NCW", "NCW"),
        ((2, 8, 3), "NWC", "NWC"),
    ],
)
def test_an_array_keeps_its_layout_and_frames(
    shape: tuple[int, ...],
    layout: str | None,
    says: str,
    folder: Path,
    command: Command,
    model: SimpleNamespace,
):
    x = RNG.integers(-128, 128, shape, np.int8)
    np.save(folder / "in.npy", x)
    words = ["--layout", layout] if layout else []
    assert command("run", "in.npy", "--kernel", 2, *words).status == 0
    assert model.calls[0]["layout"] == says
    result = np.load(folder / "in-max.npy")
    assert result.dtype == np.int8
    # Halve every spatial axis, and no other, in the layout that the file has.
    blocks = x
    for axis, name in enumerate((layout or {2: "HW", 4: "NCHW"}[len(shape)]).upper()):
        if name in "HW":
            halves = np.moveaxis(blocks, axis, 0)
            blocks = np.moveaxis(np.maximum(halves[::2], halves[1::2]), 0, axis)
    assert np.array_equal(result, blocks)


@pytest.mark.parametrize("layout", ["CHW", "HWC"])
def test_an_array_becomes_a_picture(
    layout: str, folder: Path, command: Command, model: SimpleNamespace
):
    x = RGB if layout == "HWC" else np.moveaxis(RGB, -1, 0)
    np.save(folder / "in.npy", x)
    assert command("run", "in.npy", "--layout", layout, "-o", "out.png").status == 0
    want = pool(PoolSpec("max", 3, 2, 1, dtype="uint8"), RGB[None], "NHWC")[0]
    assert np.array_equal(picture(folder / "out.png"), want)


@pytest.mark.parametrize("kind", ["big-endian", "Fortran", "strided header 2.0"])
def test_arrays_as_others_write_them(kind: str, folder: Path):
    x = RNG.integers(-999, 999, (3, 4), np.int16)
    if kind == "big-endian":
        np.save(folder / "in.npy", x.astype(">i2"))
    elif kind == "Fortran":
        np.save(folder / "in.npy", np.asfortranarray(x))
    else:
        with (folder / "in.npy").open("wb") as file:
            np.lib.format.write_array(file, x, version=(2, 0))
    read = read_input(folder / "in.npy", None).data
    assert np.array_equal(read, x)
    assert read.dtype == np.int16
    assert read.dtype.isnative


def test_an_array_is_known_by_its_first_bytes(folder: Path):
    x = np.arange(6, dtype=np.int8).reshape(2, 3)
    with (folder / "in.dat").open("wb") as file:
        np.save(file, x)
    assert np.array_equal(read_input(folder / "in.dat", None).data, x)


def test_int64_is_taken_when_its_type_is_said(
    folder: Path, command: Command, model: SimpleNamespace
):
    np.save(folder / "in.npy", np.array([[-5, 9], [3, 1]]))
    assert command("run", "in.npy", "--kernel", 2, "--dtype", "int5").status == 0
    assert model.calls[0]["x"].dtype == np.int8
    assert np.load(folder / "in-max.npy").tolist() == [[9]]


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (0, 0, "uint1"),
        (0, 1, "uint1"),
        (0, 2, "uint2"),
        (0, 255, "uint8"),
        (0, 256, "uint9"),
        (0, 2**32 - 1, "uint32"),
        (0, 2**32, None),
        (-1, 0, "int2"),
        (-2, 1, "int2"),
        (-3, 1, "int3"),
        (-1, 128, "int9"),
        (-(2**31), 2**31 - 1, "int32"),
        (-1, 2**31, None),
        (-(2**31) - 1, 0, None),
    ],
)
def test_narrowest(low: int, high: int, name: str | None):
    assert narrowest(low, high) == name


def test_a_file_is_replaced_at_once(folder: Path):
    target = folder / "out.txt"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent == folder
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(folder.iterdir()) == [target]


def test_a_failed_write_leaves_what_was_there(folder: Path):
    target = folder / "out.txt"
    target.write_text("old")

    def write() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert target.read_text() == "old"
    assert list(folder.iterdir()) == [target]


def test_a_new_file_has_the_usual_permissions(folder: Path):
    mask = os.umask(0o022)
    try:
        with replacing(folder / "new.txt"):
            pass
        old = folder / "old.txt"
        old.touch()
        old.chmod(0o600)
        with replacing(old):
            pass
    finally:
        os.umask(mask)
    assert (folder / "new.txt").stat().st_mode & 0o777 == 0o644
    assert old.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(folder: Path):
    (folder / "real.txt").write_text("old")
    (folder / "link.txt").symlink_to("real.txt")
    with replacing(folder / "link.txt") as temporary:
        temporary.write_text("new")
    assert (folder / "link.txt").is_symlink()
    assert (folder / "real.txt").read_text() == "new"
