"""The rules of AXI4-Lite that a slave has to keep, and a monitor that holds a port to them.

Written from ARM's specification (IHI 0022): what it says of the handshake (A3.2), of how the
channels depend on each other (A3.3) and of AXI4-Lite (B1).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cocotb.triggers import RisingEdge

RULES = {
    "known": "no output is X or Z after reset",
    "reset": "in reset, from its first edge on, BVALID and RVALID are low",
    "held": "a VALID once high stays until the clock in which READY is high, too",
    "stable": "what goes with a VALID does not change until it is taken",
    "write first": "BVALID is not high before both address and data of its write were taken",
    "read first": "RVALID is not high before its address was taken",
    "response": "a response is OKAY or SLVERR: there is nothing exclusive, and DECERR is not ours",
    "alive": "whatever is offered is taken, and whatever was taken is answered, in bounded time",
}
"""What is asked of a slave, by a short name."""

CHANNELS = {
    "aw": ("awaddr", "awprot"),
    "w": ("wdata", "wstrb"),
    "b": ("bresp",),
    "ar": ("araddr", "arprot"),
    "r": ("rdata", "rresp"),
}
"""The five channels, and what goes with their VALID."""
OURS = ("b", "r")
"""Those whose VALID is the slave's."""
BOUND = 64
"""Clocks in which something has to happen while the other side is ready."""
OKAY, SLVERR = 0, 2

Sample = dict[str, tuple[bool, bool, tuple[int, ...]]]
"""Of each channel VALID, READY and what goes with it, at a rising edge."""


@dataclass
class Rules:
    """Looks at each clock of a port, and tells which rule is broken.

    Attributes
    ----------
    taken : dict
        How many transfers each channel has had.
    """

    taken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    _before: Sample = field(default_factory=dict)
    _waits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    _reset: int = 0

    def look(self, sample: Sample, *, reset: bool) -> str | None:
        """Return the name of a rule that this clock breaks, or None."""
        if reset:
            self._reset += 1
            self._before = {}
            self.taken = dict.fromkeys(CHANNELS, 0)
            self._waits = dict.fromkeys(CHANNELS, 0)
            # the first edge in reset is what makes it so
            wrong = self._reset > 1 and any(sample[name][0] for name in OURS)
            return "reset" if wrong else None
        self._reset = 0
        return self._handshakes(sample) or self._order(sample)

    def _handshakes(self, sample: Sample) -> str | None:
        before, self._before = self._before, sample
        for name in OURS:
            if name in before and before[name][0] and not before[name][1]:
                if not sample[name][0]:
                    return "held"
                if sample[name][2] != before[name][2]:
                    return "stable"
            valid, _, payload = sample[name]
            if valid and payload[-1] not in (OKAY, SLVERR):
                return "response"
        return None

    def _order(self, sample: Sample) -> str | None:
        done = self.taken
        if sample["b"][0] and min(done["aw"], done["w"]) <= done["b"]:
            return "write first"
        if sample["r"][0] and done["ar"] <= done["r"]:
            return "read first"
        for name, (valid, ready, _) in sample.items():
            done[name] += valid and ready
        # an address alone or data alone may wait for the other; what is whole may not
        owed = {
            **{"aw": sample["aw"][0] and done["aw"] <= done["b"]},
            **{"w": sample["w"][0] and done["w"] <= done["b"]},
            "b": min(done["aw"], done["w"]) > done["b"] and not sample["b"][0],
            "ar": sample["ar"][0] and done["ar"] <= done["r"],
            "r": done["ar"] > done["r"] and not sample["r"][0],
        }
        for name, owes in owed.items():
            moved = sample[name][0] and sample[name][1]
            self._waits[name] = self._waits[name] + 1 if owes and not moved else 0
            if self._waits[name] > BOUND:
                return "alive"
        return None


class Monitor:
    """Holds a port of the simulated design to the rules, from the clock after it is started.

    Parameters
    ----------
    dut : cocotb handle
        The design.
    prefix : str
        What the port's names begin with.
    other : callable
        Whether reset is low at an edge.
    """

    def __init__(self, dut: Any, prefix: str, in_reset: Callable[[], bool]):
        self.rules, self._clock, self._in_reset = Rules(), dut.aclk, in_reset
        self._ports = {
            name: [getattr(dut, f"{prefix}{name}{end}") for end in ("valid", "ready")]
            + [getattr(dut, f"{prefix}{part}") for part in parts]
            for name, parts in CHANNELS.items()
        }

    async def run(self) -> None:
        """Look at every clock; fails with the rule that is broken."""
        clock = 0
        while True:
            await RisingEdge(self._clock)
            clock += 1
            reset = self._in_reset()
            try:
                sample: Sample = {}
                for name, ports in self._ports.items():
                    valid, ready, *parts = (int(port.value) for port in ports)
                    sample[name] = bool(valid), bool(ready), tuple(parts)
            except ValueError:  # X or Z
                assert reset or clock < 3, f"clock {clock}: {RULES['known']}"
                continue
            broken = self.rules.look(sample, reset=reset)
            assert broken is None, f"clock {clock}: {RULES[broken or '']}"
