"""The machine that the software ran on, as far as it tells."""

import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import psutil
except ModuleNotFoundError:  # it comes with the extra that measures
    psutil = None

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_VECTORS = ("neon", "asimd", "sve", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni")
FALLBACK_CACHE = 32 << 20
"""Bytes taken for the last cache where the system does not tell."""


def threads() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def last_cache_bytes() -> int:
    """Return the size of the largest cache that a processor sees."""
    sizes = [size for size, _ in _caches().values()]
    return max(sizes, default=FALLBACK_CACHE)


def _caches() -> dict[str, tuple[int, int]]:
    """Return the data caches by name: bytes and level."""
    found = {}
    for index in sorted(_CACHES.glob("index*")):
        try:
            kind, level, size = (
                (index / name).read_text("utf-8").strip() for name in ("type", "level", "size")
            )
        except OSError:
            continue
        number = re.fullmatch(r"(\d+)([KM]?)", size)
        if kind != "Instruction" and number:
            scale = {"": 1, "K": 1 << 10, "M": 1 << 20}[number[2]]
            found[f"L{level}"] = (int(number[1]) * scale, int(level))
    return found


def describe() -> dict[str, Any]:
    """Return the processor's model, its processors, caches and vectors; see docs/bench.md."""
    try:
        said = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        said = ""
    model = re.search(r"^(?:model name|Model|Hardware)[ \t]*:[ \t]*(\S.*)$", said, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", said, re.MULTILINE)
    there = flags[1].split() if flags else []
    return {
        "processor": model[1].strip() if model else platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "processors": threads(),
        "caches": {name: size for name, (size, _) in _caches().items()},
        "vectors": [name for name in _VECTORS if name in there],
        "virtual": "hypervisor" in there,
    }


@dataclass
class Watch:
    """How long a stretch of time was, and the processor seconds that other programs took in it.

    They are None where nothing tells.
    """

    seconds: float = 0.0
    others: float | None = None


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch what other programs do meanwhile; the watch is filled in at the end."""
    watch = Watch()
    start, all_before, own_before = time.monotonic(), _busy(), _own()
    try:
        yield watch
    finally:
        watch.seconds = time.monotonic() - start
        all_after, own_after = _busy(), _own()
        if all_before is not None and all_after is not None:
            watch.others = max(0.0, all_after - all_before - (own_after - own_before))


def _busy() -> float | None:
    """Return for how many seconds these processors were at work, or a host took them away."""
    if psutil is None:
        return None
    each = psutil.cpu_times(percpu=True)
    if hasattr(os, "sched_getaffinity"):
        each = [each[number] for number in os.sched_getaffinity(0) if number < len(each)]
    idle = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is in the user's, too
    return sum(
        value for times in each for name, value in times._asdict().items() if name not in idle
    )


def _own() -> float:
    """Return the processor seconds of this process and of those that it waited for."""
    return sum(os.times()[:4])
