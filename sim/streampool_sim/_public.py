"""The public names of `streampool_sim`, which `__init__` gives when they are asked for."""

from .engines import CompilerMissing as CompilerMissing
from .engines import EngineError as EngineError
from .simulation import EngineWarning as EngineWarning
from .simulation import Result as Result
from .simulation import simulate as simulate
