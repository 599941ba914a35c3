"""The designs and the settings of the cost model, made anew from placements.

``python -m streampool_explore.fit --store build/store`` takes the placements of a store (what
``streampool_explore.training`` has placed, and all that was explored), those of `make fpga`, and
those that are shipped already. It writes ``data/placed.json``, ``data/fit.json`` and
``data/whole.json``. Settings are chosen, and errors stated, by jobs that are held out: all of one
kind at once, predicted from the others.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from streampool_bench.fpga import table
from streampool_bench.fpga.placing import FIELDS
from streampool_farm.store import Store
from streampool_hw.files import write_whole
from streampool_hw.fpga.devices import DEVICES

from .features import NAMES
from .model import EXACT, FAMILIES, FIT, FITTED, Fit, Part, figure, settings
from .rows import CLOCK, DATA, Row, as_text, is_fitted, shipped
from .whole import WHOLE, judged

LENGTHS, SPREADS, NOISES = (1.5, 3.0, 6.0), (0.1, 0.3), (0.05,)
"""Settings that are tried."""


def gathered(store: Path | None) -> list[Row]:
    """Return what was placed: of each design once, by the most seeds."""
    known = {row.key: row for row in shipped()}
    found = {(row.job, row.device): row for row in known.values()}
    placements = [(row["key"], row) for row in (*table.known(), *table.known_apart("columns"))]
    if store is not None:
        kept = Store(store)
        results = ((key, kept.get(key)) for key in sorted(kept.keys()))
        placements += [(key, row) for key, row in results if row and row.keys() >= {*FIELDS}]
    for number, (key, placement) in enumerate(placements, 1):
        if is_fitted(placement) and DEVICES[placement["device"]].family in FAMILIES:
            row = known.get(key) or Row.of(key, placement)
            old = found.get((row.job, row.device))
            if old is None or old.seeds < row.seeds:
                found[row.job, row.device] = row
        if not number % 50:
            print(f"{number} of {len(placements)} placements", file=sys.stderr)
    return sorted(found.values(), key=lambda row: (row.device, row.kind, row.features))


def held_out(rows: Sequence[Row], name: str, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's figure as predicted from the rows of other kinds, and the deviations."""
    guesses, deviations = np.zeros(len(rows)), np.zeros(len(rows))
    kinds = np.array([row.kind for row in rows])
    for kind in set(kinds.tolist()):
        out = [k for k in range(len(rows)) if kinds[k] == kind]
        rest = [row for row, each in zip(rows, kinds, strict=True) if each != kind]
        usable = {row.device for row in rest} if name == CLOCK else {row.device for row in rows}
        out = [k for k in out if rows[k].device in usable]
        if not out:
            continue
        some = [rows[k] for k in out]
        inputs = np.array([row.features for row in some])
        guesses[out], deviations[out] = Fit(name, rest, part).predict(inputs, some)
    return guesses, deviations


def best_part(rows: Sequence[Row], name: str) -> tuple[Part, np.ndarray, float]:
    """Return the settings with the least squared errors of held-out kinds, and the guesses.

    The last is the share of jobs that are in their intervals where those are chosen without the
    job's kind, too.
    """
    found = np.array([figure(row, name) for row in rows])
    kinds = np.array([row.kind for row in rows])
    tried, logs, sizes = [], [], []
    for length in LENGTHS:
        for spread in SPREADS:
            for noise in NOISES:
                part = Part(length, spread, noise, 0.0)
                guesses, deviations = held_out(rows, name, part)
                there = deviations > 0
                over = np.log((guesses[there] + 8) / (found[there] + 8))
                sizes.append(np.abs(over) / deviations[there])
                logs.append(over**2)
                ninety = float(np.quantile(sizes[-1], 0.9))
                part = Part(length, spread, noise, round(ninety, 3))
                tried.append((float(np.mean(over**2)), part, guesses))
                kinds = kinds[there] if len(kinds) != len(over) else kinds
    inside = 0
    for kind in set(kinds.tolist()):
        own = kinds == kind
        best = min(range(len(logs)), key=lambda k: float(np.mean(logs[k][~own])))
        inside += int(np.sum(sizes[best][own] <= np.quantile(sizes[best][~own], 0.9)))
    return *min(tried, key=lambda each: each[0])[1:], inside / len(kinds)


def errors_of(rows: Sequence[Row], name: str, guesses: np.ndarray) -> dict[str, Any]:
    """Return how wrong guesses of held-out jobs are, as shares of what was found."""
    found = np.array([figure(row, name) for row in rows])
    asked = [k for k in range(len(rows)) if found[k] and guesses[k]]
    shares = {k: float(guesses[k] / found[k] - 1) for k in asked}
    worst = max(asked, key=lambda k: abs(shares[k]))
    sizes = np.abs([shares[k] for k in asked])
    row = rows[worst]
    return {
        "jobs": len(asked),
        "kinds": len({rows[k].kind for k in asked}),
        "median": round(float(np.median(sizes)), 4),
        "ninety": round(float(np.quantile(sizes, 0.9)), 4),
        "worst": round(shares[worst], 4),
        "worst_job": f"{row.kind} on {row.device}, {row.job.side_by_side}",
        "worst_found": float(found[worst]),
    }


def exact_errors(rows: Sequence[Row]) -> dict[str, Any]:
    """Return of how many jobs the exact figures differ from what was placed."""
    return {
        name: {
            "jobs": len(rows),
            "differ": sum(row.features[NAMES.index(name)] != figure(row, name) for row in rows),
        }
        for name in EXACT
    }


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what `FIT` has."""
    settings: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for family in FAMILIES:
        own = [row for row in rows if row.family == family]
        settings[family], errors[family] = {}, exact_errors(own)
        for name in FITTED:
            if not any(figure(row, name) for row in own):
                continue
            part, guesses, inside = best_part(own, name)
            settings[family][name] = asdict(part)
            errors[family][name] = errors_of(own, name, guesses) | {"inside": round(inside, 4)}
            print(f"{family} {name}: {part} {errors[family][name]}", file=sys.stderr)
    return {"settings": settings, "errors": errors}


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--store", type=Path, help="folder of placements (the table's alone)")
    rows = gathered(parser.parse_args().store)
    write_whole({DATA: as_text(rows), FIT: json.dumps(fit(rows), indent=1) + "\n"})
    shipped.cache_clear()
    settings.cache_clear()
    write_whole({WHOLE: json.dumps(judged(), indent=1) + "\n"})


if __name__ == "__main__":
    main()
