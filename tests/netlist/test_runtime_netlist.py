"""A run-time core's netlist: jobs in turn through it, and one that is wrong."""

import re
from pathlib import Path

import pytest
from streampool_hw.export import yosys
from streampool_hw.fpga import DEVICES, ToolError
from streampool_hw.fpga.flow import synthesize
from streampool_hw.fpga.netlist import NETLIST
from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.maxima import Maxima
from streampool_sim.netlist_check import check_runtime

SMALL = Maxima(*(1, 4, ("max",), 2), max_fold=8, max_row=32, max_words=8, max_length=32)
EVERY = Maxima(
    *(2, 4, ("max", "min", "avg", "sum"), 2), max_fold=8, max_row=32, max_words=16, max_length=32
)


@pytest.mark.parametrize(
    ("name", "maxima"),
    [
        ("ecp5-25k-6", SMALL),
        *(
            pytest.param(name, maxima, marks=pytest.mark.long)
            for name in ("ecp5-25k-6", "ice40-hx8k", "gowin-gw1nr9")
            for maxima in (SMALL, EVERY)
        ),
    ],
)
def test_jobs_in_turn_come_right_out_of_the_netlist(name: str, maxima: Maxima, tmp_path: Path):
    device = DEVICES[name]
    core = RuntimePoolCore(maxima, family=device.family)
    synthesize(yosys.to_rtlil(core, "core"), device, tmp_path)
    assert check_runtime(core, device, tmp_path) is None
    if maxima is SMALL and name == "ecp5-25k-6":  # three LUTs: these jobs may not use one alone
        text = (tmp_path / NETLIST).read_text()
        found = [*re.finditer(r'"INIT": "[01]{16}"', text)]
        for number in (1, 2, 3):
            at = found[number * len(found) // 4]
            turned = at.group().translate(str.maketrans("01", "10"))
            text = text[: at.start()] + turned + text[at.end() :]
        (tmp_path / NETLIST).write_text(text)
        with pytest.raises(ToolError, match="is not what was simulated"):
            check_runtime(core, device, tmp_path)
