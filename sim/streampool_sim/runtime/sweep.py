"""Random sequences of jobs through run-time cores.

``python -m streampool_sim.runtime.sweep 20000`` runs them until there were so many changes of jobs.

Each sequence has stalls, gaps, hosts that come late, and resets anywhere; every frame is compared
with the golden model.
"""

import argparse
import random
import sys
from collections.abc import Sequence

from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.maxima import Maxima

from ..engines.trace import EngineError
from ..progress import Progress
from .cases import changes, fault, random_turns
from .engine import RuntimeModel

MAXIMA = (
    Maxima(
        lanes=2,
        operations=("max", "min"),
        max_partials=4,
        max_fold=64,
        max_row=256,
        max_words=32,
        max_length=64,
    ),
    Maxima(lanes=1, max_partials=2, max_fold=32, max_row=128, max_words=16, max_length=32),
    Maxima(
        lanes=3,
        bits=5,
        max_partials=6,
        max_fold=64,
        max_row=512,
        max_words=64,
        max_length=64,
        max_drain=6,
    ),
    Maxima(
        lanes=1,
        operations=("max", "min", "avg", "sum"),
        max_partials=4,
        max_fold=64,
        max_row=256,
        max_words=32,
        max_length=64,
    ),
    Maxima(
        lanes=2,
        bits=5,
        operations=("avg",),
        max_partials=6,
        max_fold=64,
        max_row=512,
        max_words=64,
        max_length=64,
        max_taps=200,
        max_kinds=8,
        max_drain=4,
    ),
    Maxima(
        lanes=1,
        bits=12,
        operations=("max", "sum"),
        max_fold=32,
        max_row=128,
        max_length=32,
        max_taps=25,
        max_kinds=1,
    ),
)
"""What the cores of the sweep are made for."""


def sequence(model: RuntimeModel, seed: int) -> tuple[int, int, str | None]:
    """Run one sequence; return its frames and changes, and what is wrong."""
    rng = random.Random(-seed - 1)
    turns = random_turns(seed, model.core.maxima)
    stalls = rng.choice((0, 0, 0.1, 0.5)), rng.choice((0, 0, 0.1, 0.5))
    reset_at = rng.choice((None, None, rng.randint(1, 600)))
    try:
        played = model.run(turns, stalls=stalls, seed=seed, reset_at=reset_at)
    except EngineError as error:
        return len(turns), changes(turns), str(error)
    return len(turns), changes(turns), fault(turns, played)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("changes", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    done = frames = 0
    with Progress("compiling the cores", "changes of jobs") as progress:
        models = [RuntimeModel(RuntimePoolCore(maxima)) for maxima in MAXIMA]
        seed = given.seed
        while done < given.changes:
            some, changed, wrong = sequence(models[seed % len(models)], seed)
            if wrong is not None:
                print(f"seed {seed}: {wrong}", file=sys.stderr)
                return 1
            frames, done, seed = frames + some, done + changed, seed + 1
            progress(done, given.changes)
    print(f"{done:,} changes of jobs in {frames:,} frames, {len(models)} cores: none wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
