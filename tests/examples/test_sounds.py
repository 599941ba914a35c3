"""The sounds of a demonstration, and its tables; the network itself is trained by its command."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DEMOS = Path(__file__).parents[2] / "examples" / "demos"


@pytest.fixture
def demos(monkeypatch: pytest.MonkeyPatch):
    """Have the demonstrations' modules found, as they are where one runs."""
    monkeypatch.syspath_prepend(str(DEMOS))


def test_sounds_are_the_same_each_time_and_others_with_another_seed(demos):
    from demos.sounds import KINDS, STEPS, recorded

    sounds, kinds = recorded(2, seed=1)
    again, _ = recorded(2, seed=1)
    others, _ = recorded(2, seed=2)
    assert sounds.shape == (2 * len(KINDS), STEPS, 1)
    assert kinds.tolist() == [kind for kind in range(len(KINDS)) for _ in range(2)]
    assert np.array_equal(sounds, again)
    assert not np.array_equal(sounds, others)
    assert np.isfinite(sounds).all()


def test_a_confusion_table_counts_what_is_taken_for_what(demos):
    from demos.sound import confusion, text

    counts = confusion([0, 0, 1], [0, 2, 1])
    assert (counts[0, 0], counts[0, 2], counts[1, 1], counts.sum()) == (1, 1, 1, 3)
    head, first, *_ = text(counts).splitlines()
    assert head.split()[:3] == ["sound", "tone", "sweep"]
    assert first.split() == ["tone", "1", "-", "1", "-", "-", "-"]


def test_its_picture_has_a_table_for_each_run(demos, tmp_path):
    from demos.confusion_picture import matrix

    path = tmp_path / "tables.png"
    matrix(path, [("a", np.eye(3, dtype=int)), ("b", np.ones((3, 3), int))], ["x", "y", "z"])
    with Image.open(path) as picture:
        assert picture.size[0] > 2 * picture.size[1] - 60
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 4
