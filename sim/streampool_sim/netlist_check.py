"""Whether a netlist is the core that was simulated: frames through it, against the golden model."""

from pathlib import Path

import numpy as np
from streampool_golden import PoolJob
from streampool_hw import PoolCore
from streampool_hw.boards import SelfTest
from streampool_hw.fpga import Device, ToolError
from streampool_hw.fpga.netlist import ModelMissing, netlist_gates

from .engines import EngineError, fast
from .engines.compiled import find_compiler
from .engines.model import Build
from .engines.netlist import Netlist, WrongNetlist, is_good
from .frames import pack
from .simulation import compare

MOST_STEPS = 8_000_000_000
"""Gates times clocks that a check may take, some half a minute; one frame goes through anyway."""
CHUNK = 1 << 16
"""Clocks between two looks at Ctrl-C."""


def check_core(core: PoolCore, device: Device, folder: Path) -> str | None:
    """Refuse a core's netlist that does not do what the golden model says.

    Three different frames go through the netlist back to back, without stalls, and two more with
    random stalls on both sides and a reset in mid-frame. Every value, index and `last` is compared,
    and the clocks per frame are held against the core's bound. Frames so large that this would
    take minutes go through alone. Yosys puts models in the place of the cells, which takes about
    as long as synthesis did; the simulation runs some hundred million gates per second.

    Parameters
    ----------
    core : PoolCore
        What was synthesized.
    device : Device
        The device that it was synthesized for.
    folder : Path
        Where synthesis left the netlist of the core alone.

    Returns
    -------
    str or None
        Why the netlist could not be checked, where a cell has no model; else None.

    Raises
    ------
    ToolError
        If the netlist differs from the golden model, or there is no C++ compiler.
    """
    job = core.job
    try:
        find_compiler()
        netlist = Netlist(netlist_gates(folder, device))
        [model] = Build([core], optimise="-O2", netlists=[netlist]).load()
    except ModelMissing as error:
        return str(error)
    except WrongNetlist as error:
        raise ToolError(_differs(device, str(error))) from None
    except EngineError as error:
        raise ToolError(_unchecked(device, error)) from None
    frames = _frames(job)
    cost = job.limit_cycles * len(netlist)
    runs: list[tuple[float, int | None, int]] = [(0.0, None, 3 if 3 * cost <= MOST_STEPS else 1)]
    if 8 * cost <= MOST_STEPS:
        runs.append((0.3, job.limit_cycles // 2, 2))
    for stall, reset_at, count in runs:
        some = frames[:count]
        try:
            trace = fast.run(
                core,
                pack(job, some),
                stall=stall,
                reset_at=reset_at,
                model=model,
                chunk=CHUNK,
            )
        except EngineError as error:
            raise ToolError(_differs(device, str(error))) from None
        *_, wrong = compare(job, trace, *job.reference(some))
        if wrong:
            raise ToolError(_differs(device, wrong))
        slowest = max(np.diff(trace.in_cycles[:: job.beats_in])[1:], default=0)
        if not stall and slowest > core.cycles_bound:
            said = f"a frame takes {slowest} clocks, where {core.cycles_bound} are stated"
            raise ToolError(_differs(device, said))
    return None


def _frames(job: PoolJob) -> np.ndarray:
    """Return three random frames: over the whole range, near a level of each channel, and again.

    Near a level neither a maximum of many values nor their mean is always about the same.
    """
    rng = np.random.default_rng(0)
    raw = job.input.raw
    bits = rng.integers(raw.low, raw.high, (3, *job.shape), np.int64, endpoint=True)
    level = bits[1][:, *(slice(0, 1),) * len(job.size)]
    bits[1] = np.clip(level + rng.integers(-2, 3, job.shape), raw.low, raw.high)
    return bits.astype(raw.numpy).view(job.input.numpy)


def check_self_test(test: SelfTest, device: Device, folder: Path) -> str | None:
    """Refuse the netlist of a board's self-test that does not find its core good.

    A round of its frames goes through the netlist, with the test's own stalls.

    Parameters
    ----------
    test : SelfTest
        In the module ``test`` of what was synthesized.
    device : Device
        The device that it was synthesized for.
    folder : Path
        Where synthesis left the netlist.

    Returns
    -------
    str or None
        Why the netlist could not be checked, where a cell has no model; else None.

    Raises
    ------
    ToolError
        If the test says that the core is bad, or says nothing, or there is no C++ compiler.
    """
    bad, judged = "test.bad", "test.judged"
    try:
        find_compiler()
        # a PLL's clock is another net than the pin's
        netlist = Netlist(netlist_gates(folder, device, keep=(bad, judged)), one_clock=False)
        good = is_good(netlist, bad, judged, test.longest_round)
    except ModelMissing as error:
        return str(error)
    except WrongNetlist as error:
        raise ToolError(_differs(device, str(error))) from None
    except EngineError as error:
        raise ToolError(_unchecked(device, error)) from None
    if not good:
        raise ToolError(_differs(device, "the self-test finds its core wrong in it"))
    return None


def _differs(device: Device, said: str) -> str:
    return (
        f"the netlist for {device.name} is not what was simulated: {said.rstrip('.')};"
        " use --no-check to continue anyway."
    )


def _unchecked(device: Device, error: EngineError) -> str:
    return (
        f"the netlist for {device.name} cannot be checked: {str(error).rstrip('.')};"
        " use --no-check to continue without."
    )
