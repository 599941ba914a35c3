"""A model's cores in a folder, written whole or not at all."""

import contextlib
import json
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from streampool_golden import PoolJob, SpecError
from streampool_hw.export.names import check_name
from streampool_hw.export.verilog import write_verilog
from streampool_hw.fpga import Device, Placement, place
from streampool_sim.files import check_folder
from streampool_sim.netlist_check import check_core
from streampool_sim.progress import Progress
from streampool_sim.refusals import Refused

from ..layer import Layer, Model
from .made import Made
from .page import page

SCHEMA = "streampool-model-1"
LONGEST = 60
"""Letters of a module's name: the end of a layer's."""

MAKEFILE = """\
# make test runs the bench of every core; SIM=verilator or SIM=icarus chooses a simulator.
PYTHON ?= $(firstword $(wildcard {python}) python3)

.PHONY: test clean
test:
	@$(PYTHON) benches/run_benches.py

clean:
	rm -rf build
"""

BENCH = '''\
"""Bench of {module}: {op} of the layer {layer}."""

from typing import Any

import cocotb
from pool_bench import Core


@cocotb.test()
async def at_full_speed(dut: Any) -> None:
    """Frames without a gap: their values, and {cycles:,} cycles per frame."""
    await Core(dut, "{module}").at_full_speed()


@cocotb.test()
async def with_gaps_after_a_reset(dut: Any) -> None:
    """Frames with gaps on both sides, after a reset in mid-frame."""
    await Core(dut, "{module}").with_gaps_after_a_reset()
'''


def emit(
    model: Model, name: str, folder: Path, device: Device | None = None, *, placed: bool = False
) -> list[Made]:
    """Write a model's cores, their benches, a manifest and a page.

    Parameters
    ----------
    model : Model
        The model.
    name : str
        What it is called.
    folder : Path
        Where to: a new folder, an empty one, or one that this wrote before, which it replaces.
    device : Device, optional
        What costs are for.
    placed : bool, optional
        Place every core on the device, which takes minutes.

    Returns
    -------
    list of Made
        What was made of each layer.

    Raises
    ------
    Refused
        If the folder has something else in it, or cannot be written.
    """
    check_replaceable(folder)
    modules = modules_of(model.layers)
    with _replacing(folder) as part:
        (part / "cores").mkdir()
        (part / "benches").mkdir()
        made = _cores(model.layers, modules, part, device if placed else None)
        for each in made:
            if each.module is not None:
                text = BENCH.format(
                    module=each.module,
                    op=each.layer.op,
                    layer=_plain(each.layer.name),
                    cycles=each.about["cycles_per_frame"],
                )
                (part / "benches" / f"test_{each.module}.py").write_text(text, "utf-8")
        for shared in ("pool_bench.py", "run_benches.py"):
            source = files("streampool_models.emit") / shared
            (part / "benches" / shared).write_text(source.read_text("utf-8"), "utf-8")
        (part / "Makefile").write_text(MAKEFILE.format(python=sys.executable), "utf-8")
        manifest = _manifest(name, made, device)
        (part / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
        (part / "index.html").write_text(page(name, model, made, device), "utf-8")
    return made


def check_replaceable(folder: Path) -> None:
    """Refuse a folder that has in it what this did not write."""
    check_folder("--emit", folder)
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    try:
        ours = json.loads((folder / "manifest.json").read_text("utf-8"))["schema"] == SCHEMA
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise Refused(f"--emit {folder} has other files in it; use a new folder")


def modules_of(layers: Sequence[Layer]) -> list[str | None]:
    """Return for each layer with a core the name of a module: the layer's, as Verilog takes it."""
    taken: set[str] = set()
    names: list[str | None] = []
    for layer in layers:
        if layer.job is None:
            names.append(None)
            continue
        plain = re.sub(r"\W+", "_", layer.name, flags=re.ASCII).strip("_")[-LONGEST:].strip("_")
        plain = plain if re.match(r"[A-Za-z]", plain) else f"pool_{plain}".rstrip("_")
        try:
            check_name(plain)
        except SpecError:
            plain = f"{plain}_pool"
        name, number = plain, 1
        while name.lower() in taken:  # some file systems do not tell cases apart
            number += 1
            name = f"{plain}_{number}"
        taken.add(name.lower())
        names.append(name)
    return names


def _cores(
    layers: Sequence[Layer], modules: Sequence[str | None], part: Path, device: Device | None
) -> list[Made]:
    """Write the cores, and place them where there is a device."""
    made = []
    due = sum(module is not None for module in modules)
    placements: dict[PoolJob, Placement] = {}
    with Progress("writing the cores", "of the cores written") as progress:
        for layer, module in zip(layers, modules, strict=True):
            if module is None or layer.job is None:
                made.append(Made(layer))
                continue
            written = write_verilog(layer.job, part / "cores", module)
            about: dict[str, Any] = json.loads(written.about.read_text("utf-8"))
            placement = None
            if device is not None:
                if layer.job not in placements:
                    placements[layer.job] = place(layer.job, device, check=check_core)
                placement = placements[layer.job]
            made.append(Made(layer, module, about, placement))
            progress(sum(each.module is not None for each in made), due)
    return made


def _manifest(name: str, made: Sequence[Made], device: Device | None) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "model": name,
        "device": None if device is None else device.name,
        "layers": [each.to_json() for each in made],
    }


def _plain(text: str) -> str:
    """Return a text that may stand in a docstring."""
    return re.sub(r'[\\"]', "'", text)


@contextlib.contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield a new folder, which takes the place of another at the end, or goes if that fails."""
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    part, old = (folder.parent / f".{secrets.token_hex(8)}" for _ in range(2))
    part.mkdir()
    try:
        yield part
        if folder.is_dir():
            folder.rename(old)
        try:
            part.rename(folder)
        except OSError:
            if old.is_dir():
                old.rename(folder)
            raise
    finally:
        for each in (part, old):
            shutil.rmtree(each, ignore_errors=True)
