"""A network tells what is in files, its maximum over time in a core.

``make demo-text`` runs it. The network is magika's, which reads the first and last bytes of a
file; behind a convolution it takes the maximum over all positions. The files are this project's,
and some that its packages and Python bring. Exit: 0 if every label is the same as without cores,
and every output has the same bits, 1 if one has not.
"""

import json
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ending import all_in_cores, check_there, folder, packaged, say, write
from streampool_hw.files import write_whole
from streampool_models import read_model
from streampool_models.listing import columns, listed, ran
from streampool_models.running import run_model

ROOT = Path(__file__).resolve().parents[2]
MODEL = "models/standard_v3_3"


def files() -> Iterator[tuple[str, Path]]:
    """Yield files of many kinds, by the label that each should get."""
    yield from (
        ("markdown", ROOT / "README.md"),
        ("python", ROOT / "hw" / "streampool_hw" / "core.py"),
        ("toml", ROOT / "pyproject.toml"),
        ("makefile", ROOT / "Makefile"),
        ("verilog", ROOT / "examples" / "in_verilog.v"),
        ("json", ROOT / "tests" / "reference_gates.json"),
        ("png", ROOT / "docs" / "images" / "chelsea-max.png"),
        ("svg", ROOT / "docs" / "images" / "schedule-drain.svg"),
        ("shell", ROOT / ".ci" / "fresh"),
        ("onnx", packaged("magika", f"{MODEL}/model.onnx")),
        ("c", packaged("numpy", "_core/include/numpy/ndarrayobject.h")),
        ("npy", packaged("numpy", "lib/tests/data/py3-objarr.npy")),
        ("elf", first(packaged("numpy", "_core"), "_multiarray_umath*")),
        ("pythonbytecode", first(packaged("numpy", "."), "__pycache__/__init__*.pyc")),
        ("txt", Path(sysconfig.get_path("stdlib"), "LICENSE.txt")),
    )


def first(folder: Path, pattern: str) -> Path:
    """Return a file of a folder; what is not there is left out later."""
    return next(folder.glob(pattern), folder / pattern)


def features(content: bytes, config: dict[str, int]) -> list[int]:
    """Return a file as the network takes it: its first and last bytes, without white space."""
    begin, end, block = config["beg_size"], config["end_size"], config["block_size"]
    first, last = content[:block].lstrip()[:begin], content[-block:].rstrip()[-end:]
    padding = config["padding_token"]
    return [
        *first,
        *[padding] * (begin - len(first)),
        *[padding] * (end - len(last)),
        *last,
    ]


def main() -> int:
    """Run the demonstration."""
    check_there("demo-text", "onnx", "onnxruntime", "magika")
    out = folder("text")
    place = packaged("magika", MODEL)
    config = json.loads((place / "config.min.json").read_text("utf-8"))
    names = config["target_labels_space"]
    there = [(kind, path) for kind, path in files() if path.is_file()]
    x = np.array([features(path.read_bytes(), config) for _, path in there], np.int32)
    model = read_model(str(place / "model.onnx"), [x.shape])
    print(f"{listed(model)}\n")
    say(f"looking into {len(x)} files in onnxruntime, alone and with the maximum in a core")
    run = run_model(model, [x])
    [scores] = run.outputs
    alone, found = scores.without.argmax(1), scores.through.argmax(1)
    rows = [("file", "what it is", "alone", "with a core")]
    rows += [
        (path.name, kind, names[before], names[after])
        for (kind, path), before, after in zip(there, alone, found, strict=True)
    ]
    table = "\n".join(columns(rows))
    print(f"{ran(run)}\n\n{table}\n")
    changed = int((alone != found).sum())
    right = sum(kind == names[k] for (kind, _), k in zip(there, found, strict=True))
    print(
        f"{len(x)} files of {len({kind for kind, _ in there})} kinds, {right} of them told right:"
        f" {scores.differing} of {scores.through.size:,} outputs and {changed} labels differ"
    )
    write_whole({out / "labels.txt": f"{table}\n"})
    write(out / "result.json", run, frames=len(x), right=right, labels=rows[1:])
    return 0 if not changed and not scores.differing and all_in_cores(model, run) else 1


if __name__ == "__main__":
    sys.exit(main())
