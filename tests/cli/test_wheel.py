"""The wheel alone, in an environment of its own, runs the packaged picture."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streampool_golden import MaxPool2d, pool

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "streampool",
    "streampool_bench",
    "streampool_explore",
    "streampool_farm",
    "streampool_models",
    "streampool_golden",
    "streampool_hw",
    "streampool_sim",
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with nothing but the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("streampool-*.whl")
    venv.create(folder / "env", with_pip=True)
    inside = folder / "env" / "bin" / "python"
    subprocess.run([inside, *pip[1:], "install", wheel], check=True, cwd=folder)
    return inside


def run(python: Path, *words: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [python, *words], cwd=cwd, check=True, capture_output=True, text=True, env=environment
    ).stdout


@pytest.mark.slow
def test_the_wheel_runs_the_packaged_picture(python: Path, tmp_path: Path):
    out = run(python, "-m", "streampool_sim", "run", "--stats", "stats.json", cwd=tmp_path)
    assert "equals the golden model bit for bit" in out
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert stats["cycles_per_frame"] == stats["limit_cycles_per_frame"]
    source = Path(stats["input"])
    assert ROOT not in source.parents
    with Image.open(source) as image:
        before = np.array(image)
    with Image.open(tmp_path / stats["output"]) as image:
        after = np.array(image)
    spec = MaxPool2d(3, 2, 1).replace(dtype="uint8")
    assert np.array_equal(after, pool(spec, before, "NHWC"))


@pytest.mark.slow
def test_the_wheel_has_our_names_alone(python: Path, tmp_path: Path):
    out = run(
        python,
        "-c",
        "from importlib.metadata import files\n"
        "print(*sorted({file.parts[0] for file in files('streampool')}))",
        cwd=tmp_path,
    )
    names = {name for name in out.split() if not name.endswith(".dist-info")}
    # The entry point is a script beside the packages.
    assert names - {".."} == PACKAGES


@pytest.mark.slow
def test_the_wheel_has_the_pages_templates_and_code(python: Path, tmp_path: Path):
    out = run(
        python,
        "-c",
        "from importlib.metadata import files\n"
        "kinds = ('.html', '.css', '.js')\n"
        "print(*(file for file in files('streampool') if file.suffix in kinds))",
        cwd=tmp_path,
    )
    folders = ("streampool_bench/page", "streampool_sim/show/page")
    known = {
        path.relative_to(ROOT / "sim").as_posix()
        for folder in folders
        for path in (ROOT / "sim" / folder).iterdir()
        if path.suffix in (".html", ".css", ".js")
    }
    assert len(known) > 10 and set(out.split()) == known
    run(python, "-m", "streampool_sim", "show", "--shape", "1x4x4", "-o", "x.html", cwd=tmp_path)
    assert "DecompressionStream" in (tmp_path / "x.html").read_text("utf-8")
