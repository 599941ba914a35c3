"""AXI4-Stream's rules: what the monitors saw in all the benches, and that they notice what breaks.

This runs after the other benches. A monitor looks on at each side of each core all the time, but of
those that follow their frames' marks, whose benches break frames. The rules, and where they stand,
are in tests/axis_rules.py.
"""

from typing import Any, NamedTuple

import cocotb
from axis_jobs import PROBED, VIDEO, WATCHED, broken_rules
from cocotb.triggers import Timer

MARKS = {f"s_axis {rule.name}" for rule in PROBED.rules if rule.mark}
"""What sources break in benches that are about it."""


@cocotb.test()
@cocotb.parametrize(name=list(WATCHED))
async def rules_kept(dut: Any, name: str) -> None:
    """No core broke a rule, and every flag was right; sources broke what they meant to alone."""
    broken = broken_rules(name, int(getattr(dut, f"{name}_ever").value))
    assert broken <= MARKS, f"{name} broke {broken - MARKS}"
    assert bool(broken) == (name not in VIDEO)


class Edge(NamedTuple):
    """What a monitor sees at a rising edge."""

    aresetn: int = 1
    tvalid: int = 1
    tready: int = 1
    tdata: int = 0xABCD
    tkeep: int = 0b11
    tlast: int = 0
    tuser: int = 0


RESET = Edge(aresetn=0, tvalid=0)
IDLE = Edge(tvalid=0)
EVEN, ODD = Edge(), Edge(tkeep=0b01, tlast=1)
GOOD = (
    *(RESET, RESET, IDLE),
    *(EVEN._replace(tuser=1, tready=0), EVEN._replace(tuser=1), ODD, IDLE),
    *(EVEN._replace(tready=0), EVEN, ODD._replace(tready=0), ODD, EVEN._replace(tuser=1)),
)
"""A frame and the first beat of the next one, as they should come; edges count from 0."""

WRONG: dict[str, tuple[dict[int, dict[str, int]], str]] = {
    "valid_stays": ({8: {"tvalid": 0}}, ""),
    "data_stays": ({4: {"tdata": 0xABCC}}, ""),
    "last_stays": ({9: {"tlast": 0}}, "packet_ends"),
    "keep_stays": ({3: {"tkeep": 0b10}}, "channels_are_data"),
    "user_stays": ({3: {"tuser": 0}}, "frame_starts"),
    "low_in_reset": ({1: {"tvalid": 1}}, ""),
    "low_after_reset": ({2: {"tvalid": 1, "tready": 0, "tuser": 1}}, ""),
    "packet_ends": ({5: {"tlast": 0}}, ""),
    "packet_goes_on": ({7: {"tlast": 1}, 8: {"tlast": 1}}, ""),
    "channels_are_data": ({11: {"tkeep": 0b01}}, ""),
    "rest_is_null": ({5: {"tkeep": 0b11}}, ""),
    "frame_starts": ({11: {"tuser": 0}}, ""),
}
"""What a wrong source does at some edges to break a rule, and the rule that breaks beside it."""


@cocotb.test()
@cocotb.parametrize(rule=["none", *WRONG])
async def rules_noticed(dut: Any, rule: str) -> None:
    """A monitor notices a source that breaks a rule, and says which."""
    edges, beside = list(GOOD), ""
    if rule != "none":
        changes, beside = WRONG[rule]
        for at, change in changes.items():
            edges[at] = edges[at]._replace(**change)
        if rule == "valid_stays":  # and the beat comes after all
            edges.insert(9, EVEN)
    broken = 0
    dut.probe_aclk.value = 0
    for edge in edges:
        for port, value in edge._asdict().items():
            getattr(dut, f"probe_{port}").value = value
        await Timer(5, "ns")
        broken |= int(dut.probe_broken.value)
        dut.probe_aclk.value = 1
        await Timer(5, "ns")
        dut.probe_aclk.value = 0
    found = {each.name for k, each in enumerate(PROBED.rules) if broken >> k & 1}
    assert found == {rule, beside} - {"none", ""}
