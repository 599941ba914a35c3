"""Whether a netlist is the core that was simulated: frames through it, against the golden model."""

from pathlib import Path

import numpy as np
from streampool_hw import PoolCore
from streampool_hw.boards import SelfTest
from streampool_hw.fpga import Device, ToolError
from streampool_hw.fpga.netlist import netlist_gates

from .engines import EngineError, fast
from .engines.model import Build
from .engines.netlist import Netlist, is_good
from .frames import pack
from .simulation import compare

__all__ = ["check_core", "check_self_test"]

RUNS = ((0.0, None), (0.3, 0.5))
"""Stalls of each frame, and the share of its fewest cycles after which a reset comes."""


def check_core(core: PoolCore, device: Device, folder: Path) -> None:
    """Refuse a core's netlist that does not do what the golden model says.

    A frame of random values goes through the netlist, made of models of its cells, without
    stalls, and another one with random stalls on both sides and a reset in mid-frame. Every value,
    index and `last` is compared. It takes seconds: Yosys puts the models in, and gates are played
    at some hundred million a second.

    Parameters
    ----------
    core : PoolCore
        What was synthesized.
    device : Device
        For which.
    folder : Path
        Where synthesis left the netlist of the core alone.

    Raises
    ------
    ToolError
        If the netlist is another core, or it cannot be simulated.
    """
    job = core.job
    rng = np.random.default_rng(0)
    raw = job.input.raw
    bits = rng.integers(raw.low, raw.high, (1, *job.shape), np.int64, endpoint=True)
    frames = bits.astype(raw.numpy).view(job.input.numpy)
    golden = job.reference(frames)  # of one frame
    try:
        netlist = Netlist(netlist_gates(folder, device))
        [model] = Build([core], optimise="-O2", netlists=[netlist]).load()
        for stall, share in RUNS:
            reset_at = None if share is None else int(share * job.limit_cycles)
            beats = pack(job, frames)
            trace = fast.run(core, beats, stall=stall, reset_at=reset_at, model=model)
            *_, wrong = compare(job, trace, *golden)
            if wrong:
                raise EngineError(wrong)
    except EngineError as error:
        raise ToolError(_refusal(device, str(error))) from None


def check_self_test(test: SelfTest, device: Device, folder: Path) -> None:
    """Refuse the netlist of a board's self-test that does not find its core good.

    A round of its frames goes through the netlist, with the test's own stalls.

    Parameters
    ----------
    test : SelfTest
        In the module ``test`` of what was synthesized.
    device : Device
        For which.
    folder : Path
        Where synthesis left the netlist.

    Raises
    ------
    ToolError
        If the test says that the core is bad, or says nothing.
    """
    bad, judged = "test.bad", "test.judged"
    try:
        netlist = Netlist(netlist_gates(folder, device, keep=(bad, judged)))
        good = is_good(netlist, bad, judged, test.longest_round)
    except EngineError as error:
        raise ToolError(_refusal(device, str(error))) from None
    if not good:
        raise ToolError(_refusal(device, "the self-test finds its core wrong in it"))


def _refusal(device: Device, said: str) -> str:
    return (
        f"the netlist for {device.name} is not what was simulated: {said.rstrip('.')};"
        " use --no-check to go on all the same."
    )
