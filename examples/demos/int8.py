"""A quantised TFLite network, trained and converted here, with all its pooling in cores.

``make demo-int8`` runs it. The network reads scikit-learn's digits; TensorFlow's converter makes
it int8 throughout, and LiteRT runs it. Then it runs again, each pooling layer's activations going
through the simulated core and back. Exit: 0 if every output has the same bits, 1 if one has not.
"""

import subprocess
import sys
from pathlib import Path

from ending import all_in_cores, check_there, folder, say, write
from int8_training import digits
from pictures import grid
from streampool_models import read_model
from streampool_models.listing import ran
from streampool_models.running import run_model

SHOWN, COLUMNS = 48, 12


def trained(path: Path) -> None:
    """Train and convert the network in a process of its own, whose log is beside it."""
    log = path.with_suffix(".log")
    with log.open("w") as errors:
        script = Path(__file__).with_name("int8_training.py")
        done = subprocess.run([sys.executable, "-P", script, path], stderr=errors, check=False)
    if done.returncode:
        print(f"streampool: TensorFlow did not train the network; {log} has why.", file=sys.stderr)
        sys.exit(2)


def main() -> int:
    """Run the demonstration."""
    check_there("demo-int8", "tensorflow", "keras", "sklearn", "ai_edge_litert")
    out = folder("int8")
    path = out / "digits.tflite"
    say("training on scikit-learn's digits and converting, half a minute")
    trained(path)
    _, images, _, truth = digits()
    model = read_model(str(path))
    say("running it in LiteRT, then with every pooling layer in a core")
    run = run_model(model, [images])
    [scores] = run.outputs
    read = scores.through.argmax(1)
    right = read == truth
    same = not scores.differing
    print(ran(run))
    print(
        f"{len(images)} digits, {int(right.sum())} of them read right:"
        f" {scores.differing} of {scores.through.size:,} outputs differ"
    )
    # those that are read wrong come last
    order = sorted(range(len(images)), key=lambda i: (bool(right[i]), i))[:SHOWN][::-1]
    picture = out / "digits.png"
    grid(
        picture,
        [images[i, ..., 0] for i in order],
        [str(read[i]) for i in order],
        [not right[i] for i in order],
        COLUMNS,
    )
    write(out / "result.json", run, frames=len(images), right=int(right.sum()))
    print(picture)
    return 0 if same and all_in_cores(model, run) else 1


if __name__ == "__main__":
    sys.exit(main())
