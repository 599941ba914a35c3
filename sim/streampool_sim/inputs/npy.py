"""``.npy`` files: every array of numbers that NumPy writes."""

import math
import os
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from streampool_golden import DType

from streampool_sim.refusals import Refused

NPY_MAGIC = b"\x93NUMPY"

# Of a file -> (layout of the frames, whether a leading axis of one frame has to be added).
LAYOUTS = {
    "HW": ("NCHW", (None, None)),
    "CHW": ("NCHW", (None,)),
    "HWC": ("NHWC", (None,)),
    "NCHW": ("NCHW", ()),
    "NHWC": ("NHWC", ()),
    "NCW": ("NCW", ()),
    "NWC": ("NWC", ()),
    "CDHW": ("NCDHW", (None,)),
    "DHWC": ("NDHWC", (None,)),
    "NCDHW": ("NCDHW", ()),
    "NDHWC": ("NDHWC", ()),
}

# As of a dtype: float16, float32, and what numpy.save makes of ml_dtypes' bfloat16, whose name it
# cannot write.
FLOAT_KINDS = (("f", 2), ("f", 4), ("V", 2))

# A header of version 3 is one of version 2 in another encoding, which shows in the names of
# fields alone.
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(
    path: Path, file: BinaryIO, layout: str | None, *, integers: bool
) -> tuple[np.ndarray, str]:
    """Read a ``.npy`` of integers or floats, or of integers alone, from a file at its start.

    Returns the array, in native byte order, and its layout, one of `LAYOUTS`.
    """
    shape, dtype = _begun(path, file, integers=integers)
    layout = _layout(path, shape, layout)
    return _values(path, file, shape, dtype), layout


def read_array(path: Path, file: BinaryIO) -> np.ndarray:
    """Read a ``.npy`` of integers, whatever its axes are, from a file at its start."""
    return _values(path, file, *_begun(path, file, integers=True))


def _begun(path: Path, file: BinaryIO, *, integers: bool) -> tuple[tuple[int, ...], np.dtype]:
    """Read what a file says of its array, or refuse what nothing here takes."""
    if file.read(len(NPY_MAGIC)) != NPY_MAGIC:
        raise Refused(f"{path} is no .npy file; use numpy.save, which writes one")
    file.seek(0)
    shape, dtype = _header(path, file)
    _check_dtype(path, dtype, integers)
    if math.prod(shape) == 0:
        raise Refused(f"{path} has no values: its shape is {shape}")
    return shape, dtype


def _values(path: Path, file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Read the array behind a header that was read, in native byte order."""
    promised = math.prod(shape) * dtype.itemsize
    start = file.tell()
    there = file.seek(0, os.SEEK_END) - start
    if there < promised:
        raise Refused(
            f"{path} is cut short: {promised} bytes of values were promised, {there} are there"
        )
    file.seek(0)
    try:
        data = np.lib.format.read_array(file, allow_pickle=False)
    except MemoryError:
        raise Refused(f"{path} does not fit into memory: its shape is {shape}") from None
    if dtype.kind == "V":
        return data.view(DType.of("bfloat16").numpy)
    return data.astype(dtype.newbyteorder("="), copy=False)


def _header(path: Path, file: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    try:
        version = np.lib.format.read_magic(file)
        if version not in HEADERS:
            raise Refused(
                f"{path} is damaged, or of a version of the format that is not known: "
                f"{version[0]}.{version[1]}; use numpy.save"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on how the header is written
            shape, _, dtype = HEADERS[version](file)
        # NumPy lets True pass for a length.
        if not all(type(length) is int and 0 <= length < 1 << 63 for length in shape):
            raise ValueError
    except Refused:
        raise
    # NumPy evaluates the header as Python, so a damaged one can raise what Python can.
    except Exception:
        raise Refused(f"{path} is cut short or damaged: it has no readable header") from None
    if not 2 <= len(shape) <= 5:
        lengths = shape if len(shape) < 9 else f"{shape[:8]} and {len(shape) - 8} lengths more"
        raise Refused(f"{path} has the shape {lengths}; use 2 to 5 dimensions")
    return shape, dtype


def _check_dtype(path: Path, dtype: np.dtype, integers: bool) -> None:
    kinds = "integers" if integers else "integers or floats"
    name, use = str(dtype), f"an array of {kinds}"
    if dtype.hasobject:
        name, use = "objects", "an array of integers"
    elif dtype.names is not None or dtype.subdtype is not None:
        name = "records"
    elif dtype.kind in "iu" or (not integers and (dtype.kind, dtype.itemsize) in FLOAT_KINDS):
        return
    elif dtype.kind == "V":  # such as of ml_dtypes' int4
        name = f"{dtype.itemsize} bytes per value that says no type"
        use = "a type of NumPy's, such as x.astype(np.int8)"
    elif dtype.kind == "f" and not integers:
        use = "x.astype(np.float32)"
    elif dtype.kind == "b" and not integers:
        use = "x.astype(np.uint8)"
    raise Refused(f"{path} is an array of {name}; use {use}")


def _layout(path: Path, shape: tuple[int, ...], layout: str | None) -> str:
    fitting = [name for name in LAYOUTS if len(name) == len(shape)]
    use = " or ".join(fitting)
    if layout is None:
        if len(shape) == 3:
            raise Refused(
                f"{path} has the shape {shape}, so its layout has to be said; use --layout {use}"
            )
        return fitting[0]
    if layout not in fitting:
        raise Refused(f"--layout {layout} does not fit {path} of shape {shape}; use {use}")
    return layout
