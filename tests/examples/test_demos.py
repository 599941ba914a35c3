"""What the demonstrations have of their own; make demo-... runs them whole."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DEMOS = Path(__file__).parents[2] / "examples" / "demos"


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch):
    """Have the demonstrations' modules found, as they are where one runs."""
    monkeypatch.syspath_prepend(str(DEMOS))


CONFIG = {"beg_size": 4, "end_size": 6, "block_size": 9, "padding_token": 256}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b" abcdefghijkl\n", [*b"abcd", *b"ghijkl"]),
        (b"\nab\n", [*b"ab\n", 256, 256, 256, 256, *b"\nab"]),
        (b"", [256] * 10),
    ],
)
def test_a_file_is_its_first_and_last_bytes(content, expected):
    from demos.text import features

    assert features(content, CONFIG) == expected


def test_wrong_labels_are_red(tmp_path: Path):
    from demos.pictures import grid

    images = [np.full((4, 4), 0.5)] * 7
    for wrong in (False, True):
        path = tmp_path / f"{wrong}.png"
        grid(path, images, ["8"] * 7, [wrong] * 7, columns=3)
        picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
        red = (picture[..., 0] - picture[..., 2] > 90).any()
        assert picture.shape == (6 + 3 * 60, 6 + 3 * 46, 3)
        assert red == wrong


def test_a_missing_package_is_named_with_what_installs_it(capsys):
    from demos.ending import check_there

    with pytest.raises(SystemExit) as left:
        check_there("demo-text", "sys", "no_such_package")
    assert left.value.code == 2
    assert capsys.readouterr().err == (
        "streampool: this needs no_such_package, which is not installed;"
        " use `make demo-text`, which installs it in an environment of its own.\n"
    )
