"""Pictures and ``.npy`` files: into arrays of frames and back, whole or not at all."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from streampool_golden import DType
from streampool_golden.spec import MOST_BITS_IN
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
    """Frames read from a file: in its layout, one of `LAYOUTS`, and in native byte order.

    A PGM or PPM also says what the largest value is that it could have, `most`.
    """

    path: Path
    data: np.ndarray
    layout: str
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
    """Name the narrowest input type that holds `low` to `high`, None if none does."""
    dtype = DType.holding(low, high)
    return dtype.name if dtype.bits <= MOST_BITS_IN else None


def read_input(path: Path, layout: str | None, *, integers: bool = False) -> Input:
    """Read a picture, or a ``.npy`` of integers or floats, or refuse it.

    The file's first bytes say what it is, not its suffix. A picture is grey (HW) or has its colours
    last (HWC); a `layout` is for a ``.npy`` alone, as is to take nothing but `integers`.
    """
    with opened(path) as file:
        start = file.read(len(NPY_MAGIC))
        file.seek(0)
        if start == NPY_MAGIC or path.suffix.lower() == ".npy":
            return Input(path, *read_npy(path, file, layout, integers=integers))
        if layout is not None:
            raise Refused(f"--layout {layout} is for .npy files, and {path} has its own layout")
        if is_netpbm(start):
            data, most = read_netpbm(path, file)
            return Input(path, data, "HW" if data.ndim == 2 else "HWC", most)
        return Input(path, *read_picture(path, file))


def check_output(path: Path, source: Input, dtype: DType) -> None:
    """Refuse an output that could not be written, before anything is simulated.

    Its suffix says what it will be, which has to hold a result of `dtype` of the `source`.
    """
    suffix = path.suffix.lower()
    if suffix != ".npy":
        if suffix not in PICTURES:
            raise Refused(
                f"{path} has {'the suffix ' + path.suffix if suffix else 'no suffix'}, which is "
                f"not known; use .npy, {', '.join(PICTURES)}"
            )
        _check_fits(path, suffix, source, dtype)
    check_writable(path)


def _check_fits(path: Path, suffix: str, source: Input, dtype: DType) -> None:
    channels, *size = source.shape
    fitting, deep = PICTURES[suffix]
    other, what = ".npy", ""
    if len(size) != 2:
        what = f"frames of {'one axis' if len(size) == 1 else 'three axes'}"
    elif source.count > 1:
        what = f"{source.count} frames"
    elif dtype.is_float or dtype.low < 0 or dtype.high > 0xFFFF:
        what = f"{dtype.name}, as no picture can"
    elif dtype.high > 0xFF and (channels > 1 or not deep):
        what = f"{channels} x {dtype.name}"
    elif dtype.high <= 0xFF and channels not in fitting:
        what = CHANNEL_NAMES.get(channels, f"{channels} channels")
        other = ".png" if channels in CHANNEL_NAMES else ".npy"
    if what:
        raise Refused(
            f"{path} cannot hold {what}; use an output such as {path.with_suffix(other).name}"
        )


def write_output(path: Path, source: Input, frames: np.ndarray) -> None:
    """Write a result, with the axes of the source's `frame_layout`, in the layout of its file.

    All or nothing, to what `check_output` let pass.
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
