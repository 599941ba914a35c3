"""What cannot be done is refused in one sentence, before anything is simulated or written."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from PIL import Image

RGB = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a simulation begins."""

    def simulate(*_: object, **__: object) -> None:
        raise AssertionError("a simulation began")

    monkeypatch.setattr("streampool_sim.cli.run.simulate", simulate)


@pytest.fixture
def cat(folder: Path) -> str:
    """Return the name of a picture."""
    Image.fromarray(RGB).save(folder / "cat.png")
    return "cat.png"


@pytest.fixture
def array(folder: Path) -> str:
    """Return the name of an array of one 8-bit frame."""
    np.save(folder / "map.npy", RGB[..., 0].astype(np.int8))
    return "map.npy"


@pytest.mark.parametrize("name", ["cat.png", "map.npy"])
def test_missing(name: str, refused: Command):
    assert f"{name} is not there" in refused("run", name).err


@pytest.mark.parametrize("name", ["cat.png", "map.npy"])
def test_empty(name: str, folder: Path, refused: Command):
    (folder / name).touch()
    assert f"{name} is empty" in refused("run", name).err


def test_a_folder(folder: Path, refused: Command):
    (folder / "maps").mkdir()
    assert "maps is a folder" in refused("run", "maps").err


def test_a_name_that_no_file_can_have(refused: Command):
    assert "cannot be read" in refused("run", "x" * 5000 + ".png").err


@pytest.mark.parametrize("name", ["cat.png", "map.npy", "map"])
def test_something_else(name: str, folder: Path, refused: Command):
    (folder / name).write_text("This is no picture, and no array.\n" * 9)
    assert f"{name} is no " in refused("run", name).err


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".tif", ".webp"])
def test_pictures_cut_short(suffix: str, folder: Path, refused: Command):
    rng = np.random.default_rng(0)
    path = folder / f"cat{suffix}"
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    whole = path.read_bytes()
    for part in (20, len(whole) // 2, len(whole) * 9 // 10):
        path.write_bytes(whole[:part])
        assert path.name in refused("run", path.name, "-o", "out.png").err


def test_arrays_cut_short(array: str, folder: Path, refused: Command):
    whole = Path(array).read_bytes()
    for length in (3, 6, 8, 9, 10, 40, 127, 128, len(whole) - 1):
        Path(array).write_bytes(whole[:length])
        error = refused("run", array).err
        assert "cut short" in error or "no .npy file" in error


def test_an_array_with_a_damaged_header(array: str, refused: Command):
    whole = Path(array).read_bytes()
    for damaged in (
        whole.replace(b"'shape'", b"'shaqe'"),
        whole.replace(b"(6, 8)", b"(6, 8 "),
        whole.replace(b"(6, 8)", b"(-6,8)"),
        whole.replace(b"|i1", b"|i9"),
        whole[:6] + b"\x09" + whole[7:],
    ):
        assert damaged != whole
        Path(array).write_bytes(damaged)
        assert array in refused("run", array).err


def test_a_header_that_promises_too_much(array: str, refused: Command):
    whole = Path(array).read_bytes()
    Path(array).write_bytes(whole.replace(b"(6, 8), ", b"(9**9,8)"))
    assert array in refused("run", array).err
    Path(array).write_bytes(whole.replace(b"(6, 8), }    ", b"(60000, 80), }"))
    assert "cut short: 4800000 bytes" in refused("run", array).err


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((2, 2), np.float64), "use x.astype(np.float32)"),
        (np.zeros((2, 2), bool), "astype(np.uint8)"),
        (np.zeros((2, 2), complex), "use an array of integers or floats"),
        (np.array([["a"]]), "use an array of integers or floats"),
        (np.array([[None]]), "an array of objects"),
        (np.zeros((2, 2), [("a", "i4")]), "use an array of integers or floats"),
        (np.zeros((0, 2), np.int8), "has no values"),
        (np.int8(1), "2 to 5 dimensions"),
        (np.zeros(4, np.int8), "2 to 5 dimensions"),
        (np.zeros((1,) * 6, np.int8), "2 to 5 dimensions"),
        (np.zeros((2, 2, 2), np.int8), "use --layout CHW or HWC or NCW or NWC"),
        (np.array([[0, 300]]), "use --dtype uint9, the narrowest"),
        (np.array([[-1, 300]]), "use --dtype int10, the narrowest"),
        (np.array([[0, 2**63]], np.uint64), "use 32 bits at most"),
    ],
)
def test_arrays_that_no_core_takes(values: np.ndarray, says: str, folder: Path, refused: Command):
    np.save(folder / "map.npy", values)
    assert says in refused("run", "map.npy", "--kernel", 1).err


def test_an_archive_of_arrays(folder: Path, refused: Command):
    np.savez(folder / "map.npz", x=np.zeros((2, 2), np.int8))
    assert "map.npz is no picture" in refused("run", "map.npz").err


def test_a_value_out_of_range(array: str, cat: str, refused: Command):
    words = ("--dtype", "int5", "--kernel", 2)
    error = refused("run", array, *words).err
    assert "map.npy has values from -127 to 126, and int5 holds -16 to 15" in error
    error = refused("run", cat, "--dtype", "int8").err
    assert "values from 0 to 143, and int8 holds -128 to 127; use --dtype uint8" in error


def test_pictures_of_other_kinds(folder: Path, refused: Command):
    Image.fromarray(RGB).convert("CMYK").save(folder / "cmyk.jpg")
    assert "mode CMYK; use grey, RGB or RGBA" in refused("run", "cmyk.jpg").err
    Image.fromarray(np.zeros((4, 4), np.float32)).save(folder / "float.tif")
    assert "mode F" in refused("run", "float.tif").err
    Image.fromarray(np.full((4, 4), 1 << 20, np.int32)).save(folder / "deep.tif")
    assert "grey of 32 bits" in refused("run", "deep.tif").err


def test_colours_of_16_bits(folder: Path, refused: Command):
    # Pillow reads these, as 8 bits, but cannot write them.
    (folder / "deep.ppm").write_bytes(b"P6 2 2 65535\n" + bytes(range(24)))

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    (folder / "deep.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress((b"\0" + bytes(12)) * 2))
        + chunk(b"IEND", b"")
    )
    assert "colours of 16 bits" in refused("run", "deep.png").err
    assert "colours of 16 bits" in refused("run", "deep.ppm").err


def test_several_pictures_in_one(folder: Path, refused: Command):
    first, second = Image.fromarray(RGB), Image.fromarray(RGB[::-1])
    first.save(folder / "film.gif", save_all=True, append_images=[second])
    assert "2 pictures in it" in refused("run", "film.gif").err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-o there/cat.png", "the folder there of cat.png is not there"),
        ("-o cat.xyz", "the suffix .xyz, which is not known"),
        ("-o cat", "no suffix, which is not known"),
        ("-o .", "no suffix"),
        ("-o /dev/null", "no suffix"),
        ("--op sum", "cannot hold 3 x uint12; use an output such as cat-sum.npy"),
        ("--op sum --kernel 300 --padding 200", "use an output such as cat-sum.npy"),
        ("-o cat.gif", "cannot hold RGB; use an output such as cat.png"),
        ("-o cat.pgm", "cannot hold RGB"),
        ("--stats cat.png", "use FILE.json or -"),
        ("--stats there/x.json", "the folder there of x.json is not there"),
        ("--vcd cat.png", "use FILE.vcd"),
        ("--vcd there/x.vcd", "the folder there of x.vcd is not there"),
        ("--layout NHWC", "its own layout"),
        ("--lanes 4", "--lanes 4 is more than the channels; use 3 at most"),
        ("--lanes 0", "--lanes"),
        ("--lanes two", "--lanes"),
        ("--stall 1", "--stall"),
        ("--stall -0.1", "--stall"),
        ("--stall nan", "--stall"),
        ("--freq 0", "--freq"),
        ("--freq inf", "--freq"),
        ("--freq 1e-300", "--freq"),
        ("--freq 1e308", "--freq"),
        ("--seed -1", "--seed"),
        ("--seed x", "--seed"),
        ("--engine quick", "--engine"),
        ("--layout ABC", "--layout"),
        ("--kernel 0", "kernel"),
        ("--kernel -1", "kernel"),
        ("--kernel 2x2x2", "kernel"),
        ("--kernel 9", "no output"),
        ("--kernel 99999999999999999999", "kernel"),
        ("--stride 0", "stride"),
        ("--dilation 0", "dilation"),
        ("--padding 3", "padding"),
        ("--padding -4", "padding"),
        ("--divisor 0 --op avg", "divisor"),
        ("--divisor 2", "divisor"),
        ("--clamp 6:0", "clamp"),
        ("--clamp 0:999", "clamp"),
        ("--dtype int1", "dtype"),
        ("--dtype float64", "dtype"),
        ("--dtype float32", "--dtype float32 holds floats; use a .npy of float32"),
        ("--dtype uint33", "dtype"),
        ("--out-dtype uint4", "out-dtype"),
        ("--frob 3", "option --frob is not known"),
        ("surplus.png", "'surplus.png' is one argument too many"),
    ],
)
def test_options(words: str, says: str, cat: str, refused: Command):
    assert says in refused("run", cat, *words.split()).err


def test_an_output_that_is_a_pipe_or_a_folder(array: str, folder: Path, refused: Command):
    os.mkfifo(folder / "pipe.npy")
    assert "pipe.npy is no plain file" in refused("run", array, "-o", "pipe.npy").err
    (folder / "out.npy").mkdir()
    assert "out.npy is a folder" in refused("run", array, "-o", "out.npy").err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("run -o small.npy", "the folder . of small.npy cannot be written to"),
        ("verilog -o .", "--output . cannot be written to"),
        ("synth --device ecp5-25k-6 --json p.json", "the folder . of p.json cannot be written to"),
        ("build --board icebreaker -o new/one", "new/one cannot be: "),
    ],
)
def test_a_folder_that_cannot_be_written_to(
    words: str, says: str, array: str, refused: Command, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    verb, *others = words.split()
    what = (array,) if verb == "run" else ("--shape", "1x4x4")
    assert says in refused(verb, *what, "--kernel", 2, *others).err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-o out.png", "cannot hold int8, as no picture can; use an output such as out.npy"),
        ("--layout NCHW", "--layout NCHW does not fit map.npy of shape (6, 8); use HW"),
    ],
)
def test_options_of_arrays(words: str, says: str, array: str, refused: Command):
    assert says in refused("run", array, *words.split()).err


@pytest.mark.parametrize(
    ("shape", "layout", "says"),
    [
        ((2, 1, 4, 4), "NCHW", "cannot hold 2 frames"),
        ((1, 5, 4, 4), "NCHW", "cannot hold 5 channels; use an output such as out.npy"),
        ((1, 1, 4), "NCW", "cannot hold frames of one axis"),
    ],
)
def test_arrays_that_no_picture_holds(
    shape: tuple[int, ...], layout: str, says: str, folder: Path, refused: Command
):
    np.save(folder / "map.npy", np.zeros(shape, np.uint8))
    words = ("--layout", layout, "--kernel", 2, "-o", "out.png")
    assert says in refused("run", "map.npy", *words).err


def test_deep_colours_have_no_picture(folder: Path, refused: Command):
    np.save(folder / "map.npy", np.zeros((4, 4, 3), np.uint16))
    words = ("--layout", "HWC", "--kernel", 2, "-o", "out.png")
    assert "cannot hold 3 x uint16" in refused("run", "map.npy", *words).err


@pytest.mark.parametrize(
    "words",
    [
        "",
        "frob",
        "--frob",
        "verilog",
        "verilog --shape 3",
        "verilog --shape 0x4x4",
        "verilog --shape 1x4x4x4x4",
        "verilog --shape axbxc",
        "verilog --shape 1x4x4 --kernel 5",
        "verilog --shape 1x4x4 --kernel 2 --lanes 2",
        "verilog --shape 1x4x4 --kernel 2 -o there",
        "verilog --shape 1x4x4 --kernel 2 --name 2fast",
        "verilog --shape 1x4x4 --kernel 2 --name wire",
        "verilog --shape 1x4x4 --kernel 2 --family ecp6",
        "verilog --shape 1x4x4 --kernel 2 --freq 0",
        "explain --shape 6x6x",
        "explain --kernel 7",
        "explain --lanes 2",
    ],
)
def test_other_verbs(words: str, refused: Command):
    refused(*words.split())
