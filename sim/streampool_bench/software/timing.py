"""Timing: warm-up, rounds in random order, and what is said of the samples.

In each round every contender has one turn, in an order drawn anew, so that whatever else the
machine does meets all of them alike.
"""

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .machine import last_cache_bytes
from .task import Ready

WARM, COLD = "warm", "cold"
LEAST_ROUNDS = 15
LEAST_SAMPLE = 200e-6
"""Seconds that a warm sample lasts at least: short calls are repeated within it."""
MOST_CALLS = 200
WARM_UP = 2
"""Calls before the first that counts; there is one before each warm sample below `LONG`, too."""
LONG = 5e-3
"""Seconds from which a call warms its caches by itself."""
SETTLE = 2e-3
"""Seconds after a turn with several threads, in which these stop spinning."""


@dataclass(frozen=True)
class Times:
    """Seconds per call over the rounds: median, extremes and quartiles.

    A round's sample is the mean of its calls.
    """

    median_s: float
    min_s: float
    max_s: float
    q1_s: float
    q3_s: float
    rounds: int
    calls: int

    @classmethod
    def of(cls, samples: Sequence[float], calls: int) -> "Times":
        """Sum samples up."""
        q1, middle, q3 = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(middle, min(samples), max(samples), q1, q3, len(samples), calls)


class Evict:
    """Evicts the caches when called: reads and writes 1.5 times as much as the largest holds."""

    def __init__(self) -> None:
        self._other = np.zeros(3 * last_cache_bytes() // 2 // 8, np.int64)

    def __call__(self) -> None:
        """Evict the caches."""
        self._other += 1


def measure(
    contenders: Sequence[Ready],
    threads: Sequence[int],
    *,
    rounds: int = LEAST_ROUNDS,
    cache: str = WARM,
    seed: int = 0,
    evict: Callable[[], Any] | None = None,
) -> list[Times]:
    """Time contenders against each other, with the threads that each may use.

    Warm, the call has run just before. Cold, `evict` has emptied the caches, and a sample is one
    call.
    """
    cold = cache == COLD
    if cold and evict is None:
        evict = Evict()
    calls = []
    for ready in contenders:
        ready.prepare()
        for _ in range(WARM_UP):
            ready.run()
        calls.append(1 if cold else _calls(ready))
    samples: list[list[float]] = [[] for _ in contenders]
    order = list(range(len(contenders)))
    generator = random.Random(seed)
    for _ in range(rounds):
        generator.shuffle(order)
        for i in order:
            ready = contenders[i]
            ready.prepare()
            if cold:
                assert evict is not None
                evict()
            elif not samples[i] or samples[i][-1] < LONG:
                ready.run()
            samples[i].append(_sample(ready.run, calls[i]))
            if threads[i] > 1:
                time.sleep(SETTLE)
    return [Times.of(*each) for each in zip(samples, calls, strict=True)]


def _sample(run: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def _calls(ready: Ready) -> int:
    once = min(_sample(ready.run, 1) for _ in range(2))
    return max(1, min(MOST_CALLS, math.ceil(LEAST_SAMPLE / max(once, 1e-9))))
