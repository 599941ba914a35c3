import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _models_in_the_checkout():
    # Models are kept by content, so a run may use those of the run before.
    if not {"STREAMPOOL_CACHE", "XDG_CACHE_HOME"} & os.environ.keys():
        os.environ["STREAMPOOL_CACHE"] = str(Path(__file__).parents[2] / "build" / "cache")
