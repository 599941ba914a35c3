"""The usual first network in PyTorch: its two poolings, which are one module, through cores.

python beginner_net.py

As a command: streampool model beginner_net.py:Net --input-shape 1x3x32x32 --run PICTURE
"""

import numpy as np
import torch  # pyright: ignore[reportMissingImports]  # an extra
import torch.nn.functional as F  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]


class Net(nn.Module):
    """Two convolutions, one shared pooling layer, three linear layers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)  # the same weights each time
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        """Return ten scores for each picture."""
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def main() -> int:
    """Run it with and without cores, and say what became of each layer and of the scores."""
    from streampool_models.listing import listed, ran
    from streampool_models.pytorch.modules import TorchModule
    from streampool_models.running import run_model

    model = TorchModule(Net(), [(1, 3, 32, 32)])
    pictures = np.random.default_rng(0).random((1, 3, 32, 32), np.float32)
    run = run_model(model, [pictures])
    print(f"{listed(model)}\n\n{ran(run)}")
    return int(not run.good or any(output.differing for output in run.outputs))


if __name__ == "__main__":
    raise SystemExit(main())
