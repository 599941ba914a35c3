"""What stands beside a core's Verilog, for the flows that take it in.

Each text is made from what ``NAME.json`` holds, so that no width or name is typed twice.
A `summary` is the core in one line.
"""

import json
from typing import Any

from . import cells
from .names import CLOCKING


def fusesoc_core(about: dict[str, Any], summary: str) -> str:
    """Return ``NAME.core``: a FuseSoC core file, CAPI2.

    Its target ``default`` gives the Verilog to whatever depends on it, and ``lint`` lints it.
    """
    name = about["name"]
    options = ["-Wall"]
    if about["black_boxes"]:
        options.append(f"-D{cells.DEFINE}")  # with the vendor's cells, empty
    return f"""\
CAPI=2:

name: streampool::{name}:{about["version"]}
description: {json.dumps(summary)}

filesets:
  rtl:
    files: [{name}.v]
    file_type: verilogSource-2005
  constraints:
    files: [{name}.sdc]
    file_type: SDC

targets:
  default:
    filesets: [rtl, "is_toplevel? (constraints)"]
    toplevel: {json.dumps(name)}
  lint:
    description: Lint with Verilator
    filesets: [rtl]
    toplevel: {json.dumps(name)}
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: {json.dumps(options)}
"""


def instantiation(about: dict[str, Any], summary: str) -> str:
    """Return ``NAME_inst.vh``: an instance and its wires, to paste or to include."""
    name, ports = about["name"], about["ports"]
    ours = {port: kind for port, kind in ports.items() if port not in CLOCKING}
    wide = max(len(_range(width)) for _, width in ours.values())
    longest = max(map(len, ports))
    wires = [f"wire {_range(width):<{wide}} {name}_{port};" for port, (_, width) in ours.items()]
    pins = [
        f"    .{port:<{longest}} ({port if port not in ours else f'{name}_{port}'})"
        for port in ports
    ]
    return "\n".join(
        (
            f"// {summary}",
            "// aclk and aresetn (active low, synchronous) are yours; rename the rest as you like.",
            *wires,
            "",
            f"{name} u_{name} (",
            ",\n".join(pins),
            ");",
            "",
        )
    )


def constraints(about: dict[str, Any], freq_mhz: float) -> str:
    """Return ``NAME.sdc``: an example that asks for a clock of `freq_mhz`."""
    mhz = f"{freq_mhz:g}"
    return f"""\
# An example for {about["name"]} as the top level: a clock of {mhz} MHz, which is no promise.
# Within a design, constrain what drives aclk instead; there is one clock, and aresetn is
# synchronous to it, so that no path of the core is an exception.
#
# This is read by whatever reads Synopsys' constraints: Quartus, Gowin, Radiant, OpenSTA, and
# Vivado, in a file called .xdc. For nextpnr, use its --freq {mhz}, or a line of
#   the .lpf (ECP5):  FREQUENCY PORT "aclk" {mhz} MHZ;
#   the .pcf (iCE40): set_frequency aclk {mhz}
create_clock -name aclk -period {1000 / freq_mhz:.3f} [get_ports aclk]
"""


def _range(width: int) -> str:
    return f"[{width - 1}:0]" if width > 1 else ""
