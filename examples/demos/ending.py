"""What the demonstrations share: where they write, what they say, and how they end."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from streampool_hw.files import write_whole
from streampool_models.layer import Model
from streampool_models.running import ModelRun
from streampool_sim.words import describe

BUILD = Path(__file__).resolve().parents[2] / "build" / "demos"
"""Where the demonstrations write."""


def check_there(target: str, *packages: str) -> None:
    """End with a sentence if a package is missing."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f"streampool: this needs {', '.join(missing)}, which is not installed;"
            f" use `make {target}`, which installs it in an environment of its own.",
            file=sys.stderr,
        )
        sys.exit(2)


def folder(name: str) -> Path:
    """Return the folder of a demonstration, which is made."""
    path = BUILD / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def say(step: str) -> None:
    """Say what is being done."""
    print(f"{step} ...", file=sys.stderr, flush=True)


def all_in_cores(model: Model, run: ModelRun) -> bool:
    """Return whether each layer went through a core, which was right and at its limit of cycles."""
    return (
        run.good
        and len(run.layers) == len(model.layers) > 0
        and all(
            each.stats["cycles_per_frame"] == each.stats["limit_cycles_per_frame"]
            for each in run.layers
        )
    )


def write(path: Path, run: ModelRun, **facts: Any) -> None:
    """Write a run, and facts beside it, as JSON."""
    layers = []
    for each in run.layers:
        job = each.layer.job
        assert job is not None
        words = f"{describe(job.spec)}, {job.spec.dtype}"
        layers.append({**each.to_json(), "pooling": words, "shape": list(job.shape)})
    found = {**facts, **run.to_json(), "layers": layers}
    write_whole({path: json.dumps(found, indent=2) + "\n"})


def packaged(package: str, path: str) -> Path:
    """Return a file that a package ships, which is not imported."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / path
