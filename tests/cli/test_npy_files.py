"""A .npy has its values, or is refused with what is true of it."""

import io
import os
import struct
import threading
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from commands import Command
from streampool_sim.inputs import opening
from streampool_sim.pictures import read_input
from streampool_sim.refusals import Refused

X = np.random.default_rng(5).integers(-999, 999, (3, 4), np.int16)


def npy(descr: str, shape: str, data: bytes = b"", order: str = "False", version: int = 1) -> bytes:
    """Return a .npy, with whatever words in its header."""
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def read(folder: Path, content: bytes, layout: str | None = None) -> np.ndarray:
    (folder / "in.npy").write_bytes(content)
    return read_input(folder / "in.npy", layout).data


def refusal(folder: Path, content: bytes, layout: str | None = None) -> str:
    with pytest.raises(Refused) as refused:
        read(folder, content, layout)
    says = str(refused.value)
    assert len(says) < 300 + len(str(folder))
    return says


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4"])
def test_every_way_to_write_an_array(
    version: int, order: str, fortran: bool, dtype: str, folder: Path
):
    x = X.astype(order + dtype)
    content = npy(
        f"'{x.dtype.str}'", "(3, 4)", x.tobytes("F" if fortran else "C"), str(fortran), version
    )
    data = read(folder, content)
    assert np.array_equal(data, x)
    assert data.dtype == np.dtype(dtype)
    assert data.dtype.isnative


def test_numpys_own_version_3(folder: Path):
    file = io.BytesIO()
    np.lib.format.write_array(file, X, version=(3, 0))
    assert np.array_equal(read(folder, file.getvalue()), X)


def test_bfloat16_has_no_name(folder: Path):
    x = X.astype(ml_dtypes.bfloat16)
    file = io.BytesIO()
    np.save(file, x)
    data = read(folder, file.getvalue())
    assert data.dtype == x.dtype
    assert np.array_equal(data, x)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (npy("'|u1'", "(True, True)", b"\1"), "no readable header"),
        (npy("'|u1'", "(2, True)", b"\1\2"), "no readable header"),
        (npy("'|u1'", "(2.0, 2)", b"\1\2\3\4"), "no readable header"),
        (npy("'|u1'", "(-2, -2)", b"\1\2\3\4"), "no readable header"),
        (npy("'|u1'", "[2, 2]", b"\1\2\3\4"), "no readable header"),
        (npy("'|u1'", "2", b"\1\2"), "no readable header"),
        (npy("'|u1'", f"({'9' * 4000}, 2)"), "no readable header"),
        (npy("'|u1'", f"({'9' * 400}, 2)"), "no readable header"),
        (npy("'|u1'", "(2, 2)", b"\1\2\3\4", order="1"), "no readable header"),
        (npy("'|u9'", "(2, 2)", bytes(36)), "no readable header"),
        (npy("__import__('os').abort()", "(2, 2)"), "no readable header"),
        (npy("'|u1'", "(" * 900 + ")" * 900), "no readable header"),
        (npy("'|u1'", "(" + "1, " * 3000 + ")", b"\1"), "2992 lengths more; use 2 to 5 dim"),
        (npy("('|u1', (2,))", "(2, 2)", bytes(8)), "an array of records"),
        (npy("('|u1', (2, 1))", "(2, 2)", bytes(8)), "an array of records"),
        (npy("'2u1'", "(2, 2)", bytes(8)), "an array of records"),
        (npy("'u1,u1'", "(2, 2)", bytes(8)), "an array of records"),
        (npy("[('a', '<u2')]", "(2, 2)", bytes(8)), "an array of records"),
        (npy("[('\u00b5', '<u2')]", "(2, 2)", bytes(8), version=3), "an array of records"),
        (npy("'|O'", "(2, 2)", bytes(8)), "an array of objects"),
        (npy("[('a', '|O')]", "(2, 2)", bytes(8)), "an array of objects"),
        (npy("'|V1'", "(2, 2)", bytes(4)), "says no type; use a type of NumPy's"),
        (npy("'<M8[s]'", "(2, 2)", bytes(32)), "an array of datetime64[s]"),
        (npy("'<U1'", "(2, 2)", bytes(16)), "an array of <U1"),
        (npy("'<f8'", "(2, 2)", bytes(32)), "x.astype(np.float32)"),
        (npy("'<f16'", "(2, 2)", bytes(64)), "x.astype(np.float32)"),
        (npy("'|u1'", "()", b"\1"), "has the shape (); use 2 to 5 dimensions"),
        (npy("'|u1'", "(4,)", b"\1\2\3\4"), "has the shape (4,); use 2 to 5 dimensions"),
        (npy("'|u1'", "(2, 0)"), "has no values"),
        (npy("'<u2'", "(2, 2)", bytes(7)), "cut short: 8 bytes of values were promised, 7 are"),
        (npy("'<u2'", f"({2**62}, {2**62})", bytes(7)), "cut short: "),
        (npy("'<u2'", "(2, 2)", bytes(8))[:40], "no readable header"),
        (npy("'<u2'", "(2, 2)", bytes(8), version=4), "version of the format that is not known"),
    ],
)
def test_headers_that_say_something_else(content: bytes, says: str, folder: Path):
    assert says in refusal(folder, content)


def test_remarks_on_a_header_are_not_printed(folder: Path, recwarn: pytest.WarningsRecorder):
    assert "no readable header" in refusal(folder, npy(r"'\i\w'", "(2, 2)", bytes(4)))
    assert not recwarn.list


class Pipe:
    """A named pipe into which a thread writes."""

    def __init__(self, path: Path, content: bytes):
        os.mkfifo(path)
        self.path = path
        self.writer = threading.Thread(target=path.write_bytes, args=(content,))

    def __enter__(self) -> None:
        self.writer.start()

    def __exit__(self, *_: object) -> None:
        self.writer.join(10)
        assert not self.writer.is_alive()


@pytest.mark.parametrize("shape", [(3, 4), (300, 400)])
def test_an_array_through_a_pipe(shape: tuple[int, int], folder: Path, command: Command):
    x = np.resize(X, shape)
    file = io.BytesIO()
    np.save(file, x)
    with Pipe(folder / "pipe.npy", file.getvalue()):
        read = read_input(folder / "pipe.npy", None)
    assert np.array_equal(read.data, x)


def test_a_picture_through_a_pipe(folder: Path, command: Command):
    with Pipe(folder / "pipe", b"P5\n2 2\n255\n\1\2\3\4"):
        done = command("run", "pipe", "--kernel", 2, "-o", "out.npy")
    assert done.status == 0
    assert np.load("out.npy").tolist() == [[4]]


def test_what_a_pipe_lacks(folder: Path):
    with (
        Pipe(folder / "pipe.npy", npy("'<u2'", "(2, 2)", bytes(7))),
        pytest.raises(Refused, match="8 bytes of values were promised, 7 are there"),
    ):
        read_input(folder / "pipe.npy", None)
    with Pipe(folder / "empty.npy", b""), pytest.raises(Refused, match="is empty"):
        read_input(folder / "empty.npy", None)


def test_a_pipe_that_nothing_writes_to(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opening, "PATIENCE", 0.05)
    os.mkfifo(folder / "pipe")
    with pytest.raises(Refused, match="is a pipe that nothing writes to"):
        read_input(folder / "pipe", None)


def test_a_writer_that_takes_its_time(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opening, "PATIENCE", 0.05)
    os.mkfifo(folder / "pipe")
    # It holds the pipe open, and writes when the reader waits no longer.
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(folder / "pipe", os.O_WRONLY)

    def write() -> None:
        os.write(writer, b"P5\n1 1\n255\n\7")
        os.close(writer)

    later = threading.Timer(0.3, write)
    later.start()
    try:
        assert read_input(folder / "pipe", None).data.tolist() == [[7]]
    finally:
        later.join()
        os.close(reader)


def test_a_device(folder: Path):
    with pytest.raises(Refused, match="is a device; use a file or a pipe"):
        read_input(Path("/dev/zero"), None)
