"""Pictures and ``.npy`` files: into arrays of frames and back, whole or not at all."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from streampool_golden import DType
from streampool_hw.files import replacing

from streampool_sim.refusals import Refused

from .files import check_writable
from .inputs.netpbm import is_netpbm, read_netpbm, write_netpbm
from .inputs.npy import LAYOUTS, NPY_MAGIC, read_npy
from .inputs.opening import opened
from .inputs.pillow import read_picture

# What a picture file holds exactly (JPEG: as near as it comes): numbers of channels, and whether
# 16-bit grey.
PICTURES = {
    ".png": ((1, 2, 3, 4), True),
    ".tif": ((1, 3, 4), True),
    ".tiff": ((1, 3, 4), True),
    ".bmp": ((1, 3), False),
    ".webp": ((3, 4), False),
    ".gif": ((1,), False),
    ".jpg": ((1, 3), False),
    ".jpeg": ((1, 3), False),
    ".pgm": ((1,), True),
    ".ppm": ((3,), False),
}

# As exact as the format can.
SAVING: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 95, "subsampling": 0},
    ".jpeg": {"quality": 95, "subsampling": 0},
    ".webp": {"lossless": True, "exact": True},
}
LOSSY = (".jpg", ".jpeg")

CHANNEL_NAMES = {1: "grey", 2: "grey with alpha", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class Input:
    """Frames read from a file.

    Attributes
    ----------
    path : Path
        The file.
    data : ndarray of integers
        In the file's layout, in native byte order.
    layout : str
        One of `LAYOUTS`: of the file.
    picture : bool
        Whether it was a picture, and not a ``.npy``.
    most : int, optional
        The largest value that a PGM or PPM says it could have.
    """

    path: Path
    data: np.ndarray
    layout: str
    picture: bool
    most: int | None = None

    @property
    def frames(self) -> np.ndarray:
        """The data with the leading axes that `frame_layout` names."""
        return self.data[LAYOUTS[self.layout][1]]

    @property
    def frame_layout(self) -> str:
        """One of golden's: ``NCHW``, ``NHWC``, ``NCW``, ``NWC``, ``NCDHW`` or ``NDHWC``."""
        return LAYOUTS[self.layout][0]

    @property
    def shape(self) -> tuple[int, ...]:
        """A frame's shape, channels first."""
        sizes = dict(zip(self.frame_layout, self.frames.shape, strict=True))
        return tuple(sizes[axis] for axis in "CDHW" if axis in sizes)

    @property
    def count(self) -> int:
        """How many frames."""
        return self.frames.shape[0]

    def first(self, count: int | None) -> "Input":
        """Return the input with its first frames alone; None leaves all."""
        if count is None or LAYOUTS[self.layout][1]:  # one frame without an axis for them
            return self
        return replace(self, data=self.data[:count])

    def unframed(self, frames: np.ndarray) -> np.ndarray:
        """Take the axes that `frames` added off an output again."""
        return frames[(0,) * len(LAYOUTS[self.layout][1])]


def narrowest(low: int, high: int) -> str | None:
    """Name the narrowest input type that holds `low` to `high`, None if none does.

    At least two bits signed and one unsigned, at most 32.
    """
    bits = max(high.bit_length(), (~low).bit_length() if low < 0 else 0)
    if low >= 0:
        return f"uint{max(bits, 1)}" if bits <= 32 else None
    return f"int{max(bits + 1, 2)}" if bits < 32 else None


def read_input(path: Path, layout: str | None, *, integers: bool = False) -> Input:
    """Read a picture or a ``.npy`` of integers or floats.

    Parameters
    ----------
    path : Path
        Of the file. What it is, its first bytes say, not its suffix.
    layout : str, optional
        One of `LAYOUTS`, for a ``.npy`` alone.
    integers : bool
        Whether a ``.npy`` of anything else is refused.

    Returns
    -------
    Input
        With the values that the file has. A picture is grey (HW) or has its colours last (HWC).

    Raises
    ------
    Refused
        If there is no such file, or it holds nothing that can be pooled.
    """
    with opened(path) as file:
        start = file.read(len(NPY_MAGIC))
        file.seek(0)
        if start == NPY_MAGIC or path.suffix.lower() == ".npy":
            return Input(path, *read_npy(path, file, layout, integers=integers), picture=False)
        if layout is not None:
            raise Refused(f"--layout {layout} is for .npy files, and {path} has its own layout")
        if is_netpbm(start):
            data, most = read_netpbm(path, file)
            return Input(path, data, "HW" if data.ndim == 2 else "HWC", True, most)
        return Input(path, *read_picture(path, file), picture=True)


def check_output(path: Path, source: Input, dtype: DType) -> None:
    """Refuse an output that could not be written, before anything is simulated.

    Parameters
    ----------
    path : Path
        The file to be written; its suffix says what it will be.
    source : Input
        What is pooled.
    dtype : DType
        Of the result.

    Raises
    ------
    Refused
        If the suffix is not known, cannot hold the result, or the folder is not there.
    """
    suffix = path.suffix.lower()
    if suffix != ".npy":
        if suffix not in PICTURES:
            raise Refused(
                f"{path} has {'the suffix ' + path.suffix if suffix else 'no suffix'}, which is "
                f"not known; .npy, {', '.join(PICTURES)} would do"
            )
        _check_fits(path, suffix, source, dtype)
    check_writable(path)


def _check_fits(path: Path, suffix: str, source: Input, dtype: DType) -> None:
    array = f"an output such as {path.with_suffix('.npy').name} would do"
    axes = {1: "one axis", 3: "three axes"}.get(len(source.shape) - 1)
    if axes is not None:
        raise Refused(f"{path} cannot hold frames of {axes}; {array}")
    if source.count > 1:
        raise Refused(f"{path} cannot hold {source.count} frames; {array}")
    if dtype.is_float or dtype.low < 0 or dtype.high > 0xFFFF:
        raise Refused(f"{path} cannot hold {dtype.name}, as no picture can; {array}")
    channels = source.shape[0]
    fitting, deep = PICTURES[suffix]
    if dtype.high > 0xFF:
        if channels > 1 or not deep:
            raise Refused(f"{path} cannot hold {channels} x {dtype.name}; {array}")
    elif channels not in fitting:
        name = CHANNEL_NAMES.get(channels, f"{channels} channels")
        png = channels in CHANNEL_NAMES
        raise Refused(
            f"{path} cannot hold {name}; an output such as "
            f"{path.with_suffix('.png' if png else '.npy').name} would do"
        )


def write_output(path: Path, source: Input, frames: np.ndarray) -> None:
    """Write a result in its input's layout, all or nothing.

    Parameters
    ----------
    path : Path
        As `check_output` let it pass.
    source : Input
        What was pooled.
    frames : ndarray
        The result, with the axes of the source's `frame_layout`.
    """
    suffix = path.suffix.lower()
    with replacing(path) as temporary:
        if suffix == ".npy":
            with temporary.open("wb") as file:
                np.save(file, source.unframed(frames), allow_pickle=False)
        elif suffix in (".pgm", ".ppm"):
            write_netpbm(temporary, _picture_of(source, frames), source.most)
        else:
            Image.fromarray(_picture_of(source, frames)).save(temporary, **SAVING.get(suffix, {}))


def _picture_of(source: Input, frames: np.ndarray) -> np.ndarray:
    """Rearrange one frame as HW for one channel, else HWC."""
    frame = frames[0]
    if source.frame_layout == "NCHW":
        frame = np.moveaxis(frame, 0, -1)
    if frame.shape[-1] == 1:
        frame = frame[..., 0]
    return np.ascontiguousarray(frame)
