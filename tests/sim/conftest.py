import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _models_in_the_checkout():
    # Models are kept by content, so a run may use those of the run before.
    os.environ.setdefault("STREAMPOOL_CACHE", str(Path(__file__).parents[2] / "build" / "cache"))
