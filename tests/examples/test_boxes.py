"""What the demonstration of detectors has of its own; the detectors are run by its command."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DEMOS = Path(__file__).parents[2] / "examples" / "demos"


@pytest.fixture
def demos(monkeypatch: pytest.MonkeyPatch):
    """Have the demonstrations' modules found, as they are where one runs."""
    monkeypatch.syspath_prepend(str(DEMOS))


def test_boxes_that_overlap_a_better_one_of_their_group_are_dropped(demos):
    torch = pytest.importorskip("torch")
    from demos.detect_faces import batched_nms

    boxes = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 9], [0, 5, 10, 15], [20, 0, 30, 10]]).float()
    scores = torch.tensor([0.5, 0.9, 0.7, 0.6])
    groups = torch.zeros(4, dtype=torch.int64)
    # the first shares 90 of 100 with the second; the third 40 of 150
    assert batched_nms(boxes, scores, groups, 0.5).tolist() == [1, 2, 3]
    assert batched_nms(boxes, scores, groups, 0.2).tolist() == [1, 3]
    assert batched_nms(boxes, scores, groups, 0.9).tolist() == [1, 2, 3, 0]
    assert batched_nms(boxes, scores, torch.arange(4), 0.2).tolist() == [1, 2, 3, 0]
    assert batched_nms(boxes[:0], scores[:0], groups[:0], 0.5).tolist() == []


def test_boxes_are_drawn_on_every_picture(demos, tmp_path):
    from demos.pictures import boxed

    path, grey = tmp_path / "boxes.png", np.full((100, 200, 3), 128, np.uint8)
    row = [(grey, [(20, 20, 80, 80)], [(50, 50)]), (grey, [], [])]
    boxed(path, ["one", "other"], [row, row], width=100)
    with Image.open(path) as picture:
        seen = np.asarray(picture.convert("RGB")).astype(int)
    red = (seen[..., 0] - seen[..., 1]) > 100
    left, right = np.split(red, [seen.shape[1] // 2], axis=1)
    assert left.sum() > 2 * 4 * 28
    assert not right.any()
