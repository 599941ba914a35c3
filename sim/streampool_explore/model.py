"""The cost model: cells and the placer's clock of a core that was not placed, with intervals.

Cells are a sum of features with weights that are not negative, fitted to least relative errors, and
the clock is the usual one of its device; a Gaussian process over the features then says by how much
a core differs from that. Both are fitted when they are needed, on the designs of `rows`, by the
settings of ``data/fit.json``. So a placement that is new is one more row, and what is like it is
known better at once.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from streampool_golden import PoolJob
from streampool_hw.export.yosys import ToolError
from streampool_hw.fpga.devices import DEVICES

from .features import BEAT, NAMES, beat, made
from .rows import CELLS, CLOCK, DATA, Row, read_data, shipped

FIT = DATA.with_name("fit.json")
"""The settings of the fit, and its errors, as ``python -m streampool_explore.fit`` writes them."""

EXACT = ("block_ram", "dsp")
"""Cells that are counted before synthesis: features, and nothing to predict."""

FAMILIES = ("ecp5", "ice40")
"""The families that are fitted; too little was placed on others."""

SAID = ("lut4", "ff", CLOCK)
"""Figures that every family has."""

FITTED = (*(name for name in CELLS if name not in EXACT), CLOCK)
"""What is predicted."""

LEAST_ROWS = 25
"""Placed designs of a device from which on its clock can be predicted."""

_SMALL = dict.fromkeys(CELLS, 8.0) | {CLOCK: 0.0}
"""Cells that are added on both sides before a ratio is taken: of few, a few are no error."""


class OutOfRange(Exception):
    """A core is not like any that the model was fitted on; the message is a sentence."""


@dataclass(frozen=True)
class Estimate:
    """A figure that may not be known exactly.

    Parameters
    ----------
    value : float
        The best guess.
    low, high : float
        It is expected between these, nine times out of ten; both are `value` where it is known.
    """

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> "Estimate":
        """Return one that is known."""
        return cls(value, value, value)

    @property
    def width(self) -> float:
        """How wide the interval is, as a share of the value."""
        return (self.high - self.low) / max(self.value, 1.0)


@dataclass(frozen=True)
class Part:
    """The settings of one fitted figure of a family of devices."""

    length: float
    """Of the Gaussian process, in standard deviations of the features' logarithms."""
    spread: float
    """Its standard deviation, of logarithms."""
    noise: float
    """What no feature says: seeds, mostly."""
    ninety: float
    """Standard deviations within which nine of ten held-out jobs were."""


def needed(name: str) -> Any:
    """Import a package of scikit-learn's or SciPy's, or say which extra has it."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise ToolError(
            f"{name.split('.')[0]} is not installed; use the extra streampool[explore], which has"
            " all that is needed"
        ) from None


class Fit:
    """One figure of a family of devices, fitted on rows."""

    def __init__(self, name: str, rows: Sequence[Row], part: Part):
        self.name, self.part = name, part
        gaussian = needed("sklearn.gaussian_process")
        kernels = needed("sklearn.gaussian_process.kernels")
        inputs = np.array([row.features for row in rows])
        found = np.array([figure(row, name) for row in rows])
        self._usual = self._base(rows, inputs, found)
        logs = np.log1p(inputs)
        self._mean, self._scale = logs.mean(0), np.maximum(logs.std(0), 0.1)
        over = np.log((found + _SMALL[name]) / (self._usually(inputs, rows) + _SMALL[name]))
        kernel = kernels.ConstantKernel(part.spread**2) * kernels.RBF(part.length)
        noise = np.array([part.noise**2 / max(row.seeds, 1) for row in rows])
        self._process = gaussian.GaussianProcessRegressor(kernel, alpha=noise, optimizer=None)
        self._process.fit((logs - self._mean) / self._scale, over)

    def _base(self, rows: Sequence[Row], inputs: np.ndarray, found: np.ndarray) -> Any:
        """Fit what is usual: weights of the features, or the clocks of the devices."""
        if self.name == CLOCK:
            devices = {row.device for row in rows}
            return {
                device: float(
                    np.exp(
                        np.mean(
                            np.log([y for y, row in zip(found, rows, strict=True)
                                    if row.device == device])
                        )
                    )
                )
                for device in devices
            }  # fmt: skip
        weight = 1 / (found + _SMALL[self.name])
        columns = np.c_[np.ones(len(inputs)), inputs] * weight[:, None]
        return needed("scipy.optimize").nnls(columns, found * weight)[0]

    def _usually(self, inputs: np.ndarray, of: Sequence[Any]) -> np.ndarray:
        if self.name == CLOCK:
            return np.array([self._usual[each.device] for each in of])
        return np.c_[np.ones(len(inputs)), inputs] @ self._usual

    def predict(self, inputs: np.ndarray, of: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return the guesses for features, and the standard deviations of their logarithms.

        `of` has the device of each.
        """
        logs = (np.log1p(inputs) - self._mean) / self._scale
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a variance that is 0 but for rounding
            over, deviation = self._process.predict(logs, return_std=True)
        small = _SMALL[self.name]
        found = (self._usually(inputs, of) + small) * np.exp(over) - small
        return np.maximum(found, 0), np.hypot(deviation, self.part.noise)


def figure(row: Row, name: str) -> float:
    """Return one figure of a placed design, by its name."""
    return row.mhz if name == CLOCK else row.cells[CELLS.index(name)]


@dataclass(frozen=True)
class Cost:
    """What a core comes to on a device: cells of the core alone, and the placer's clock."""

    cells: dict[str, Estimate]
    """By `CELLS`."""
    placer_mhz: Estimate


@cache
def settings() -> dict[str, dict[str, Part]]:
    """Return the settings of the fit by family and figure."""
    return read_data(FIT, _settings)


def _settings(data: Any) -> dict[str, dict[str, Part]]:
    found = {
        family: {
            name: Part(*(float(part[each.name]) for each in fields(Part)))
            for name, part in parts.items()
        }
        for family, parts in data["settings"].items()
    }
    for family in FAMILIES:
        for name in SAID:
            _ = found[family][name]
    return found


class CostModel:
    """Cells and clocks on one device.

    Parameters
    ----------
    device : str
        One of `DEVICES` that enough designs were placed on.
    placed : sequence of Row, optional
        What it is fitted on: the designs that come with the package by default.

    Raises
    ------
    OutOfRange
        If too few designs were placed on the device.
    """

    def __init__(self, device: str, placed: Sequence[Row] | None = None):
        self.device, self.family = device, DEVICES[device].family
        placed = shipped() if placed is None else placed
        rows = [row for row in placed if row.family == self.family]
        there = sum(row.device == device for row in rows)
        if there < LEAST_ROWS:
            raise OutOfRange(
                f"the cost model was fitted on {there or 'no'} designs on {device}; use one of"
                f" {', '.join(known_devices())}"
            )
        self.known = {(row.job, row.device): row for row in rows}
        inputs = np.array([row.features for row in rows])
        self._low, self._high = inputs.min(0), inputs.max(0)
        clocked = [row for row in rows if row.device in known_devices()]
        parts = settings()[self.family]
        self._fits = {
            name: Fit(name, clocked if name == CLOCK else rows, part)
            for name, part in parts.items()
        }

    def check(self, job: PoolJob) -> tuple[float, ...]:
        """Return a core's features; refuses them outside the range of the fit."""
        self._check(job, BEAT, beat(job))  # first: a very wide core takes a minute to make
        found = made(job, self.family).features
        self._check(job, NAMES, found)
        return found

    def _check(self, job: PoolJob, names: Sequence[str], values: Sequence[float]) -> None:
        for name, value in zip(names, values, strict=True):
            low, high = (end[NAMES.index(name)] for end in (self._low, self._high))
            if not low <= value <= high:
                raise OutOfRange(
                    f"{job.title}: its {value:g} {name.replace('_', ' ')} are outside what the"
                    f" cost model was fitted on, {low:g} to {high:g}"
                )

    def costs(self, jobs: Sequence[PoolJob]) -> list[Cost]:
        """Return what cores come to.

        Raises
        ------
        OutOfRange
            If one of them is not like what the model was fitted on.
        """
        inputs = np.array([self.check(job) for job in jobs])
        found: dict[str, list[Estimate]] = {}
        for name, fit in self._fits.items():
            values, deviations = fit.predict(inputs, [self] * len(jobs))
            reach = np.exp(fit.part.ninety * deviations)
            found[name] = [
                Estimate(value, value / by, value * by)
                for value, by in zip(values.tolist(), reach.tolist(), strict=True)
            ]
        costs = []
        for k, job in enumerate(jobs):
            row = dict(zip(NAMES, inputs[k], strict=True))
            cells = {name: Estimate.exact(float(row[name])) for name in EXACT}
            cells |= {name: found[name][k] for name in found if name != CLOCK}
            cells |= {name: Estimate.exact(0.0) for name in CELLS if name not in cells}
            costs.append(self._as_placed(job) or Cost(cells, found[CLOCK][k]))
        return costs

    def _as_placed(self, job: PoolJob) -> Cost | None:
        """Return what a core has come to that was placed."""
        row = self.known.get((job, self.device))
        if row is None:
            return None
        cells = {name: Estimate.exact(value) for name, value in zip(CELLS, row.cells, strict=True)}
        return Cost(cells, Estimate.exact(row.mhz))


@cache
def known_devices() -> tuple[str, ...]:
    """Return the devices whose clocks can be predicted."""
    counts: dict[str, int] = {}
    for row in shipped():
        counts[row.device] = counts.get(row.device, 0) + 1
    return tuple(device for device in DEVICES if counts.get(device, 0) >= LEAST_ROWS)


@cache
def errors(family: str) -> dict[str, dict[str, Any]]:
    """Return how wrong the model is on held-out kinds of jobs, by figure."""
    return read_data(FIT, lambda data: _errors(data["errors"][family]))


def _errors(found: Any) -> dict[str, dict[str, Any]]:
    for name in SAID:
        _ = float(found[name]["median"])
    return found
