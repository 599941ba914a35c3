"""Models of PyTorch: modules as they run, and archives of `torch.export`."""

from pathlib import Path

from streampool_sim.refusals import Refused

from ..layer import Model
from ..reading import Shapes, needing, split
from .archive import Archive
from .exported import ExportedProgram
from .pickles import refuse_pickle

__all__ = ["read"]


def read(name: str, shapes: Shapes = ()) -> Model:
    """Read an archive, or run a Python file that is named with what in it is the model.

    An archive is listed without PyTorch.
    """
    path, attribute = split(name)
    suffix = Path(path).suffix.lower()
    if suffix == ".py":
        if not attribute:
            raise Refused(
                f"{name} is Python, which is run only with the name of what in it is the model;"
                f" use {path}:Net"
            )
        with needing(name, "torch"):
            from .files import module_of
            from .modules import opened
        return opened(module_of(path, attribute), shapes)
    if suffix != ".pt2":
        refuse_pickle(name)
    return ExportedProgram(Archive(name), shapes)
