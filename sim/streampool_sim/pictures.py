"""Pictures and ``.npy`` files: into arrays of frames and back, whole or not at all."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps
from streampool_golden import DType

from streampool_sim.files import check_writable, replacing
from streampool_sim.options import Refused

__all__ = [
    "LAYOUTS",
    "LOSSY",
    "Input",
    "check_output",
    "narrowest",
    "read_input",
    "write_output",
]

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
    """

    path: Path
    data: np.ndarray
    layout: str
    picture: bool

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
        A picture as uint8 (grey HW, else HWC) or, 16-bit grey, uint16; turned as its EXIF says.

    Raises
    ------
    Refused
        If there is no such file, or it holds nothing that can be pooled.
    """
    try:
        if path.is_dir():
            raise Refused(f"{path} is a folder; a picture or a .npy file would do")
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(len(NPY_MAGIC))
    except FileNotFoundError:
        raise Refused(f"{path} is not there") from None
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: {_reason(error)}") from None
    if size == 0:
        raise Refused(f"{path} is empty")
    if start == NPY_MAGIC or path.suffix.lower() == ".npy":
        return _read_npy(path, size, start, layout, integers)
    if layout is not None:
        raise Refused(f"--layout {layout} is for .npy files, and {path} has its own layout")
    return _read_picture(path)


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def _read_npy(path: Path, size: int, start: bytes, layout: str | None, integers: bool) -> Input:
    if start != NPY_MAGIC:
        raise Refused(f"{path} is no .npy file; numpy.save writes one")
    with path.open("rb") as file:
        shape, dtype, offset = _npy_header(path, file)
    if dtype.hasobject:
        raise Refused(f"{path} is an array of objects; an array of integers would do")
    if integers and dtype.kind not in "iu":
        raise Refused(f"{path} is an array of {dtype}; an array of integers would do")
    if dtype.kind == "f" and dtype.itemsize not in (2, 4):
        raise Refused(f"{path} is an array of {dtype}; x.astype(np.float32) would do")
    if dtype.kind == "b":
        raise Refused(f"{path} is an array of bool; x.astype(np.uint8) would do")
    bare = dtype.kind == "V" and dtype.names is None and dtype.itemsize == 2
    if dtype.kind not in "iuf" and not bare:
        raise Refused(f"{path} is an array of {dtype}; an array of integers or floats would do")
    values = int(np.prod(shape, dtype=object))
    if values == 0:
        raise Refused(f"{path} has no values: its shape is {shape}")
    if size - offset < values * dtype.itemsize:
        raise Refused(
            f"{path} is cut short: {values * dtype.itemsize} bytes of values were promised, "
            f"{size - offset} are there"
        )
    layout = _npy_layout(path, shape, layout)
    data = np.load(path, allow_pickle=False)
    if bare:  # what numpy.save makes of ml_dtypes' bfloat16, whose name it cannot write
        data = data.view(DType.of("bfloat16").numpy)
    else:
        data = data.astype(dtype.newbyteorder("="), copy=False)
    return Input(path, data, layout, picture=False)


def _npy_header(path: Path, file: BinaryIO) -> tuple[tuple[int, ...], np.dtype, int]:
    try:
        version = np.lib.format.read_magic(file)
        # Version 3 is for field names outside Latin-1 alone: no plain array has it.
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise Refused(f"{path} is an array of records; an array of integers would do")
        shape, _, dtype = read(file)
        if min(shape, default=0) < 0:
            raise ValueError(f"shape {shape}")
    except Refused:
        raise
    # NumPy evaluates the header as Python, so a damaged one can raise what Python can.
    except Exception:
        raise Refused(f"{path} is cut short or damaged: it has no readable header") from None
    return shape, dtype, file.tell()


def _npy_layout(path: Path, shape: tuple[int, ...], layout: str | None) -> str:
    fitting = [name for name in LAYOUTS if len(name) == len(shape)]
    if not fitting:
        raise Refused(f"{path} has the shape {shape}; 2 to 5 dimensions would do")
    if layout is None:
        if len(shape) == 3:
            raise Refused(
                f"{path} has the shape {shape}, so its layout has to be said: "
                f"--layout {' or '.join(fitting)} would do"
            )
        return fitting[0]
    if layout not in fitting:
        raise Refused(
            f"--layout {layout} does not fit {path} of shape {shape}; "
            f"{' or '.join(fitting)} would do"
        )
    return layout


def _read_picture(path: Path) -> Input:
    try:
        with warnings.catch_warnings():
            # Pillow's remarks on odd metadata are no business of the pooling.
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                _check_picture(path, picture)
                turned = ImageOps.exif_transpose(picture)
                return Input(path, *_pixels(path, turned), picture=True)
    except Refused:
        raise
    except Image.UnidentifiedImageError:
        raise Refused(f"{path} is no picture that Pillow knows, and no .npy file") from None
    # A damaged file can make Pillow's decoders raise almost anything.
    except Exception as error:
        raise Refused(f"{path} is cut short or damaged: {_reason(error)}") from None


def _check_picture(path: Path, picture: Image.Image) -> None:
    # A phone's MPO holds a preview behind the photograph.
    frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    if frames > 1:
        raise Refused(
            f"{path} has {frames} pictures in it; one picture, or a .npy of all of them "
            "(NHWC), would do"
        )
    # Pillow reads colours of 16 bits as 8 without a word.
    stored = str([tile[3] for tile in getattr(picture, "tile", ())])
    if picture.mode in ("LA", "RGB", "RGBA") and (";16" in stored or "65535" in stored):
        raise Refused(
            f"{path} has colours of 16 bits; 8 bits a colour, 16-bit grey, or a .npy would do"
        )


def _pixels(path: Path, picture: Image.Image) -> tuple[np.ndarray, str]:
    mode = picture.mode
    if mode in ("1", "P", "PA"):
        picture = picture.convert("L" if mode == "1" else "RGB")
    elif mode.startswith("I"):
        data = np.asarray(picture)
        if data.min() < 0 or data.max() > 0xFFFF:
            raise Refused(f"{path} has grey of 32 bits; 16-bit grey, or a .npy would do")
        return data.astype(np.uint16), "HW"
    elif mode not in ("L", "LA", "RGB", "RGBA"):
        raise Refused(f"{path} is a picture of mode {mode}; grey, RGB or RGBA would do")
    data = np.array(picture)
    return data, "HW" if data.ndim == 2 else "HWC"


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
