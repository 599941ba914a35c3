"""Whether a netlist is the core that was simulated: frames through it, against the golden model."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from streampool_golden import Job
from streampool_hw import Core
from streampool_hw.boards import BOARDS, Board, SelfTest
from streampool_hw.boards.link.core import LinkedCore
from streampool_hw.boards.link.protocol import BAUD, MOST, Decoder, Kind, Packet
from streampool_hw.fpga import Device, ToolError
from streampool_hw.fpga.netlist import ModelMissing, net_behind, netlist_gates
from streampool_hw.runtime.resync import RuntimeCore

from .engines import EngineError, fast
from .engines.compiled import find_compiler
from .engines.model import Build
from .engines.netlist import Netlist, WrongNetlist, is_good
from .frames import container, pack
from .link.simulated import SimulatedBoard, port_of
from .runtime.cases import fault, random_frame, random_job
from .runtime.engine import RuntimeModel, Turn
from .simulation import compare

MOST_STEPS = 8_000_000_000
"""Gates times clocks that a check may take, some half a minute; one frame goes through anyway."""
_ENOUGH = 64
"""Bytes of a frame out that are looked at where a core has a link."""
RUNTIME_TURNS = 8
"""Frames of jobs in turn that go through a run-time core's netlist."""
CHUNK = 1 << 16
"""Clocks between two looks at Ctrl-C."""


def check_core(core: Core, device: Device, folder: Path) -> str | None:
    """Refuse the netlist that synthesis left of a core if it is not what the golden model says.

    Three different frames go through the netlist back to back, without stalls, and two more with
    random stalls on both sides and a reset in mid-frame. Every value, index and `last` is compared,
    and the clocks per frame are checked against the core's bound. Frames so large that this would
    take minutes go through alone. Yosys puts models in the place of the cells, which takes about
    as long as synthesis did; the simulation runs some hundred million gates per second.

    Returns why it could not be checked, where a cell has no model. `ToolError` says that it differs
    from the golden model, or that there is no C++ compiler.
    """
    return _judged(device, partial(_core_fault, core, folder, device))


def check_runtime(core: RuntimeCore, device: Device, folder: Path) -> str | None:
    """Do for the netlist of a run-time core what `check_core` does.

    Small jobs in turn, as many as `RUNTIME_TURNS`, go through it, of every operation that it has;
    the host writes each while the frame before comes in, with random stalls and without.
    """
    return _judged(device, partial(_runtime_fault, core, folder, device))


def check_design(
    design: SelfTest | LinkedCore, board: Board, hz: float, device: Device, folder: Path
) -> str | None:
    """Do for the netlist of what a board runs what `check_core` does."""
    if isinstance(design, SelfTest):
        return check_self_test(design, device, folder)
    if board.on_usb:
        return "its line is USB, which is not simulated"
    return check_link(design, board.name, hz, device, folder)


def check_self_test(test: SelfTest, device: Device, folder: Path) -> str | None:
    """Do for the netlist of a board's self-test, the module ``test``, what `check_core` does.

    A round of its frames goes through it, with the test's own stalls. It has a fault if the test
    says that its core is bad, or says nothing.
    """
    return _judged(device, partial(_self_test_fault, test, folder, device))


def check_link(
    design: LinkedCore, board: str, hz: float, device: Device, folder: Path
) -> str | None:
    """Do for the netlist of a core with a link what `check_core` does.

    It is asked what it is and sent the first bytes of a frame, bit by bit at its pins; what comes
    back has to be the first bytes of what the golden model says.
    """
    return _judged(device, partial(_link_fault, design, board, hz, folder, device))


def _judged(device: Device, fault: Callable[[], str | None]) -> str | None:
    """Refuse a netlist that has a fault, or return why it could not be checked."""
    try:
        find_compiler()
        said = fault()
    except ModelMissing as error:
        return str(error)
    except WrongNetlist as error:
        said = str(error)
    except EngineError as error:
        raise ToolError(
            f"the netlist for {device.name} cannot be checked: {str(error).rstrip('.')};"
            " use --no-check to continue without."
        ) from None
    if said is not None:
        raise ToolError(
            f"the netlist for {device.name} is not what was simulated: {said.rstrip('.')};"
            " use --no-check to continue anyway."
        )
    return None


def _self_test_fault(test: SelfTest, folder: Path, device: Device) -> str | None:
    """Return what a self-test says of its core in the netlist, if that is not that it is good."""
    bad, judged = "test.bad", "test.judged"
    # a PLL's clock is another net than the pin's
    netlist = Netlist(netlist_gates(folder, device, keep=(bad, judged)), one_clock=False)
    good = is_good(netlist, bad, judged, test.longest_round)
    return None if good else "the self-test finds its core wrong in it"


def _link_fault(
    design: LinkedCore, board: str, hz: float, folder: Path, device: Device
) -> str | None:
    """Return what the netlist of a core with a link does otherwise than it must, in a sentence."""
    job = design.core.job
    tx = net_behind(folder, port_of(BOARDS[board], "tx"))
    try:
        netlist = Netlist(netlist_gates(folder, device, keep=(tx,)), one_clock=False)
    except WrongNetlist:
        raise
    except EngineError as error:  # of a memory with contents, where the family's has no model
        raise ModelMissing(str(error)) from None
    simulated = SimulatedBoard(board, job, hz=hz, netlist=netlist, tx=tx)
    frames = _frames(job)[:1]
    data = pack(job, frames)[0].tobytes()
    [golden] = job.reference(frames)
    due = job.layout_out.pack(golden).astype(container(job.fields_out[0])).tobytes()
    # a byte takes about so many steps
    most = MOST_STEPS // max(1, round(10 * hz / BAUD) * len(netlist))
    came, sent, sequence = b"", 0, 1
    try:
        said = _asked(simulated, Kind.INFO, 1)
        # the model of an ECP5's block RAM has no contents to begin with
        blank = Packet(Kind.INFO_IS, 1, 2, bytes(len(design.info)))
        right = Packet(Kind.INFO_IS, 1, 2, design.info)
        if said != [right] and not (device.family == "ecp5" and said == [blank]):
            return "it does not say what it is"
        _asked(simulated, Kind.RESET, sequence)
        while len(came) < min(_ENOUGH, len(due)):
            if sent >= most:
                raise ModelMissing("its first output would take minutes to simulate")
            part, sequence = data[sent:][:MOST], sequence + 1
            answers = _asked(simulated, Kind.DATA, sequence, part)
            kinds = [answer.kind for answer in answers if answer]
            if kinds != [Kind.TAKEN] or sequence > 255:
                return "it does not take a frame"
            came, sent = came + b"".join(each.payload for each in answers if each), sent + len(part)
    except EngineError as error:
        return str(error)
    finally:
        simulated.close()
    spare = np.tile(job.layout_out.spare, (job.layout_out.positions, 1)).reshape(-1)
    used = ~np.repeat(spare, len(due) // len(spare))[: len(came)]
    there, wanted = (np.frombuffer(each, np.uint8)[: len(used)] for each in (came, due))
    if len(came) > len(due) or (there[used] != wanted[used]).any():
        return "what comes back is not the golden model's"
    return None


def _asked(
    simulated: SimulatedBoard, kind: Kind, sequence: int, payload: bytes = b""
) -> list[Packet | None]:
    return list(Decoder()(simulated(Packet(kind, sequence, 2, payload).encoded())))


def _core_fault(core: Core, folder: Path, device: Device) -> str | None:
    """Return what a core's netlist does other than the core, in a sentence."""
    job, netlist = core.job, Netlist(netlist_gates(folder, device))
    [model] = Build([core], optimise="-O2", netlists=[netlist]).load()
    frames = _frames(job)
    cost = job.limit_cycles * len(netlist)
    runs: list[tuple[float, int | None, int]] = [(0.0, None, 3 if 3 * cost <= MOST_STEPS else 1)]
    if 8 * cost <= MOST_STEPS:
        runs.append((0.3, job.limit_cycles // 2, 2))
    for stall, reset_at, count in runs:
        some = frames[:count]
        beats = pack(job, some)
        try:
            trace = fast.run(core, beats, model=model, stall=stall, reset_at=reset_at, chunk=CHUNK)
        except EngineError as error:
            return str(error)
        _, wrong = compare(job, trace, *job.reference(some))
        if wrong:
            return wrong
        slowest = max(np.diff(trace.in_cycles[:: job.beats_in])[1:], default=0)
        if not stall and slowest > core.cycles_bound:
            return f"a frame takes {slowest} clocks, where {core.cycles_bound} are stated"
    return None


def _runtime_fault(core: RuntimeCore, folder: Path, device: Device) -> str | None:
    """Return what a run-time core's netlist does other than the core, in a sentence."""
    netlist = Netlist(netlist_gates(folder, device))
    model = RuntimeModel(core, netlist=netlist)
    rng, numbers = random.Random(0), np.random.default_rng(0)
    turns = []
    for _ in range(RUNTIME_TURNS):
        job = random_job(rng, core.maxima, kernel=3, stride=3, beats=60)
        turns.append(Turn(job, random_frame(numbers, job)))
    for stalls in ((0.0, 0.0), (0.3, 0.3)):
        try:
            played = model.run(turns, stalls=stalls)
        except EngineError as error:
            return str(error)
        wrong = fault(turns, played)
        if wrong is not None:
            return wrong
    return None


def _frames(job: Job) -> np.ndarray:
    """Return three random frames: over the whole range, near a level of each channel, and again.

    Near a level neither a maximum of many values nor their mean is always about the same.
    """
    rng = np.random.default_rng(0)
    raw = job.input.raw
    bits = rng.integers(raw.low, raw.high, (3, *job.shape), np.int64, endpoint=True)
    level = bits[1][:, *(slice(0, 1),) * len(job.size)]
    bits[1] = np.clip(level + rng.integers(-2, 3, job.shape), raw.low, raw.high)
    return bits.astype(raw.numpy).view(job.input.numpy)
