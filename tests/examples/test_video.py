"""The example of RGB video, in whole frames; a cocotb bench checks the marks of its lines."""

from pathlib import Path

import pytest
import video


def test_four_pixels_per_clock_of_1080p(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert video.main(["video_1080p"]) == 0
    said = capsys.readouterr().out
    assert f"{1920 * 1080 // 4:,} cycles per frame" in said
    assert {path.suffix for path in tmp_path.glob("video_1080p*")} >= {".v", ".json"}
