"""The longest path in words: components, signals and bits out of what the programs call them."""

import pytest
from streampool_hw.fpga.paths import describe


def design(cells: dict, nets: dict) -> dict:
    """Return a netlist in Yosys' form; a net that Yosys made up begins with a dollar sign."""
    return {
        "modules": {
            "library": {"attributes": {}, "cells": {}, "netnames": {}},
            "between": {
                "attributes": {"top": "1"},
                "cells": {name: {"connections": pins} for name, pins in cells.items()},
                "netnames": {
                    name: {"bits": bits, "hide_name": int(name.startswith("$"))}
                    for name, bits in nets.items()
                },
            },
        }
    }


def placed(start: str, end: str, ns: float = 4.0) -> dict:
    """Return a report of a path from one cell straight to another."""
    return {
        "critical_paths": [
            {
                "from": "posedge clk",
                "to": "posedge clk",
                "path": [
                    {
                        "type": kind,
                        "delay": delay,
                        "from": {"cell": a, "port": "Q"},
                        "to": {"cell": b, "port": "D"},
                    }
                    for kind, delay, a, b in (
                        ("clk-to-q", 0.5, start, start),
                        ("routing", ns - 0.5, start, end),
                        ("setup", 0.0, end, end),
                    )
                ],
            }
        ]
    }


@pytest.mark.parametrize(
    ("name", "ndim", "said"),
    [
        ("core.axis_0.bank_0.found_0", 2, "rows bank_0 `found_0`"),
        ("core.axis_0.bank_0.found_0", 1, "steps bank_0 `found_0`"),
        ("core.axis_1.new[1][6]", 2, "columns `new[1]` bit 6"),
        (
            "core.postprocess.divider.sum_TRELLIS_FF_Q_3",
            2,
            "postprocess divider register beside `sum`",
        ),
        ("core.axis_1.fifo.memory_0.0.9_RAD_TRELLIS_DPR16X4", 2, "columns fifo `memory_0`"),
        ("core.i__ready", 2, "`i.ready`"),
        ("core.axis_0.bank_0.leaves$71", 2, "rows bank_0 `leaves`"),
        ("core.axis_0.bank_0.new$7[1][6]", 2, "rows bank_0 `new[1]` bit 6"),
        ("core.axis_0.fifo.read_port__addr$12[3]", 2, "rows fifo `read_port.addr` bit 3"),
        ("before[3]", 2, "`before` bit 3 around the core"),
    ],
)
def test_names_become_words(name, ndim, said):
    found = describe(placed(name, name), design({}, {}), ndim)
    assert found is not None
    assert found["from"] == found["to"] == said


def test_a_register_is_called_after_what_it_drives():
    """Its own component's name for it; neither its cell's, nor one made up, nor a port's."""
    made = design(
        {"core.axis_0.ready_LUT4_A_Z_TRELLIS_FF_DI": {"D": [2], "Q": [3]}},
        {
            "$auto$1": [3],
            "core.axis_0.ready_LUT4_A_Z_TRELLIS_FF_DI_Q": [3],
            "core.axis_0.turns.left": [9, 3],
        },
    )
    found = describe(placed("core.x", "core.axis_0.ready_LUT4_A_Z_TRELLIS_FF_DI"), made, 2)
    assert found is not None
    assert found["words"] == "from `x` to rows turns `left` bit 1: 4.00 ns, 3.50 of it routing"


def test_a_register_packed_behind_a_lut_is_found():
    made = design(
        {
            "core.axis_1.sum_SB_LUT4_O": {"I0": [2], "O": [4]},
            "core.other_SB_DFF_Q": {"D": [7], "Q": [8]},
            "core.axis_1.count_SB_DFF_Q": {"D": [4], "Q": [5]},
        },
        {"core.axis_1.count": [1, 1, 5]},
    )
    found = describe(placed("core.x", "core.axis_1.sum_SB_LUT4_O_LC"), made, 2)
    assert found is not None
    assert found["to"] == "columns `count` bit 2"


def test_the_longest_of_the_paths_between_registers_is_described():
    report = {"critical_paths": []}
    for ns in (3.0, 5.0, 4.0):
        report["critical_paths"] += placed(f"core.at_{ns:.0f}", "core.z", ns)["critical_paths"]
    pin = placed("core.pin", "core.z", 9.0)["critical_paths"][0]
    report["critical_paths"].append({**pin, "from": "<async>"})
    report["critical_paths"].append({**pin, "to": "<async>"})
    found = describe(report, design({}, {}), 2)
    assert found is not None
    assert (found["from"], found["ns"], found["routing_ns"]) == ("`at_5`", 5.0, 4.5)


def test_without_such_a_path_there_are_no_words():
    assert describe({"critical_paths": []}, design({}, {}), 2) is None
