"""Model files and their bytes: what is one, and what is refused and why."""

from collections.abc import Sequence
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message
from streampool_golden.errors import cut, shown
from streampool_sim.inputs.opening import opened, reason
from streampool_sim.refusals import Refused

MOST_BYTES = (1 << 31) - 1
"""Of a file: more than that, protobuf does not take."""

POINTER = b"version https://git-lfs"


class Source:
    """Where a model comes from: a file, or a model that was made or read elsewhere."""

    def __init__(self, given: Path | onnx.ModelProto) -> None:
        if not isinstance(given, (Path, onnx.ModelProto)):
            raise Refused(f"{shown(given)} is no ONNX model; use a path or an onnx.ModelProto")
        self._given = given

    def __str__(self) -> str:
        return str(self._given) if isinstance(self._given, Path) else "the model"

    def loaded(self) -> onnx.ModelProto:
        """Return the model, to be changed at will, without the data that is in other files."""
        if isinstance(self._given, Path):
            return loaded(self._given)
        model = onnx.ModelProto()
        model.CopyFrom(self._given)
        return model

    def whole(self) -> onnx.ModelProto:
        """Return the model with the data that is in other files."""
        model = self.loaded()
        folder = str(self._given.parent) if isinstance(self._given, Path) else ""
        try:
            onnx.load_external_data_for_model(model, folder)
        except Exception as error:  # of a file that is missing, too short, or somewhere else
            raise Refused(
                f"the external data of {self} cannot be read: {sentence(error)}"
            ) from None
        return model

    @property
    def session(self) -> str | bytes:
        """What onnxruntime opens: the path, or the model's bytes."""
        if isinstance(self._given, Path):
            return str(self._given)
        return self._given.SerializeToString()


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
    if not _is_text(model):
        raise Refused(f"{path} is damaged: there is a name in it that is no text")
    return model


def _is_text(message: Message) -> bool:
    """Return whether all names in a message are UTF-8; protobuf gives others as bytes."""
    for field, value in message.ListFields():
        each = (
            value
            if isinstance(value, Sequence) and not isinstance(value, (str, bytes))
            else [value]
        )
        if field.type == field.TYPE_MESSAGE and not all(map(_is_text, each)):
            return False
        if field.type == field.TYPE_STRING and any(isinstance(text, bytes) for text in each):
            return False
    return True


def sentence(error: Exception) -> str:
    """Return what a library says of a failure as the end of a sentence of ours."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return cut(text.rstrip(".")) if len(text) < 60 else text[:300].rstrip(".")
