"""Files of `torch.save`, which are pickles: what they hold is said, and none is loaded."""

import pickletools
import zipfile
from typing import NoReturn

from streampool_golden.errors import shown
from streampool_sim.inputs.opening import reason
from streampool_sim.refusals import Refused

from ..zips import member

MOST = 1 << 26
"""Bytes of a pickle that are looked at: the weights stand beside it."""

OF_WEIGHTS = ("torch", "collections", "numpy", "_codecs")
"""Packages whose names a pickle of weights alone has."""

LAYERS = ("torch.nn.modules", "torch.fx", "torch.nn.quantized", "torch.ao")
"""Where layers themselves are."""


def refuse_pickle(path: str) -> NoReturn:
    """Refuse a file, and say what it holds and what to use instead."""
    use = "use torch.export.save, whose .pt2 is read, or net.py:Net"
    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
            pickles = [each for each in names if each.endswith("data.pkl")]
            if any(each.endswith("constants.pkl") for each in names):
                raise Refused(
                    f"{path} is a TorchScript archive, whose code would have to run; {use}"
                )
            if not pickles or file.getinfo(pickles[0]).file_size > MOST:
                raise Refused(f"{path} holds nothing that torch.save wrote; {use}")
            found = _classes(member(file, pickles[0]))
    except PermissionError as error:
        raise Refused(f"{path} cannot be read: {reason(error)}") from None
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise Refused(f"{path} is a pickle or damaged, and a pickle runs code; {use}") from None
    others = [each for each in found if _is_code(each)]
    if others:
        raise Refused(
            f"{path} is a pickle that makes {shown(others[0])}, and runs code to do so; {use}"
        )
    raise Refused(
        f"{path} holds weights alone, and no layers to list; use net.py:NAME whose NAME makes the"
        " module and loads them with torch.load(..., weights_only=True)"
    )


def _classes(data: bytes) -> list[str]:
    """Return the names that a pickle would import, without loading it."""
    found, texts = [], []
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "GLOBAL":
            found.append(str(argument).replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            found.append(".".join(texts[-2:]))
        elif isinstance(argument, str):
            texts.append(argument)
    return found


def _is_code(name: str) -> bool:
    return name.partition(".")[0] not in OF_WEIGHTS or name.startswith(LAYERS)
