"""Model files and their bytes: what is one, and what is refused and why."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from streampool_golden.errors import cut
from streampool_sim.inputs.opening import opened, reason
from streampool_sim.refusals import Refused

MOST_BYTES = (1 << 31) - 1
"""Of a file: more than that, protobuf does not take."""

POINTER = b"version https://git-lfs"


def loaded(path: Path) -> onnx.ModelProto:
    """Read a model without the data that it keeps in other files."""
    with opened(path) as file:
        if path.stat().st_size > MOST_BYTES:
            raise Refused(
                f"{path} is larger than the 2 GiB of an ONNX file; keep its weights as external"
                " data, as onnx.save(..., save_as_external_data=True) does"
            )
        try:
            data = file.read()
        except OSError as error:
            raise Refused(f"{path} cannot be read: {reason(error)}") from None
        except MemoryError:
            raise Refused(f"{path} does not fit into memory") from None
    if data.startswith(POINTER):
        raise Refused(f"{path} is a pointer of git-lfs and no model; use `git lfs pull`")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, RecursionError):
        raise Refused(f"{path} is no ONNX model, or is cut short or damaged") from None
    if not model.ir_version or not model.HasField("graph"):
        raise Refused(f"{path} is no ONNX model, or is cut short: it has no graph")
    if not model.opset_import and model.ir_version >= 3:
        raise Refused(f"{path} is no ONNX model, or is cut short: it has no opset")
    return model


def sentence(error: Exception) -> str:
    """Return what a library says of a failure as the end of a sentence of ours."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return cut(text.rstrip(".")) if len(text) < 60 else text[:300].rstrip(".")
