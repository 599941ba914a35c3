"""A network of one axis that knows sounds, trained here in Keras, with its pooling in cores.

``make demo-sound`` runs it. The sounds are made here. The network's maxima go through cores of
float32, and its average through one of 8 bits, in steps that fit the sounds it was trained on.
Exit: 0 if every sound is taken for what it was taken for without cores, 1 if one is not.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from confusion_picture import matrix
from ending import all_in_cores, check_there, folder, say, write
from sounds import KINDS, recorded
from streampool_models import read_model
from streampool_models.listing import listed, ran
from streampool_models.running import calibrated, run_model

TESTED, TEST_SEED, TRAIN_SEED = 20, 2, 1
MOST_CHANGED = 0
"""Sounds that may be taken for something else with cores."""


def trained(path: Path) -> None:
    """Train the network in a process of its own, whose log is beside it."""
    log = path.with_suffix(".log")
    with log.open("w") as errors:
        script = Path(__file__).with_name("sound_training.py")
        command = [sys.executable, script, path]
        done = subprocess.run(command, stdout=sys.stderr, stderr=errors, check=False)
    if done.returncode:
        print(f"streampool: Keras did not train the network; {log} has why.", file=sys.stderr)
        sys.exit(2)


def confusion(truth: Sequence[int], taken: Sequence[int]) -> np.ndarray:
    """Return how many sounds of each kind, a row, are taken for which, a column."""
    found = np.zeros((len(KINDS), len(KINDS)), int)
    np.add.at(found, (truth, taken), 1)
    return found


def text(counts: np.ndarray) -> str:
    """Return a confusion table in words."""
    width = max(map(len, KINDS)) + 2
    head = "sound".ljust(width) + "".join(name.rjust(width) for name in KINDS)
    rows = [
        name.ljust(width) + "".join(str(n or "-").rjust(width) for n in row)
        for name, row in zip(KINDS, counts.tolist(), strict=True)
    ]
    return "\n".join([head, *rows])


def main() -> int:
    """Run the demonstration."""
    check_there("demo-sound", "tensorflow", "keras")
    out = folder("sound")
    path = out / "sounds.keras"
    say("training on sounds that are made here, half a minute")
    trained(path)
    model = read_model(str(path))
    known, _ = recorded(10, seed=TRAIN_SEED)
    calibrated(model, [[known]], "the training's sounds")
    print(f"{listed(model)}\n")
    sounds, truth = recorded(TESTED, seed=TEST_SEED)
    say(f"taking {len(sounds)} other sounds, without cores and with every pooling layer in one")
    run = run_model(model, [sounds])
    [scores] = run.outputs
    alone, taken = scores.without.argmax(1), scores.through.argmax(1)
    changed = int((alone != taken).sum())
    counts = confusion(truth.tolist(), taken.tolist())
    print(f"{ran(run)}\n\n{text(counts)}\n")
    print(
        f"{len(sounds)} sounds, {int((taken == truth).sum())} of them right:"
        f" {changed} taken for something else than without cores"
    )
    picture = out / "confusion.png"
    matrix(
        picture,
        [("Keras", confusion(truth.tolist(), alone.tolist())), ("with cores", counts)],
        list(KINDS),
    )
    write(out / "result.json", run, sounds=len(sounds), changed=changed, confusion=counts.tolist())
    print(picture)
    return 0 if changed <= MOST_CHANGED and all_in_cores(model, run) else 1


if __name__ == "__main__":
    sys.exit(main())
