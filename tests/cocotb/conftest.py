"""Let pytest import what the simulator imports from this folder, and have models share theirs."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where simulation models are built."""
    return tmp_path_factory.mktemp("models")
