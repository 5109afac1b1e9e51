"""Fitting the confidences of `tracer/data/stays-….toml` to simulated cities.

The form is the tracer's: a stay is as sure as the weaker of its start and its end, an exposure
as both stays together. What is fitted is a number for each start and each end, by the largest
likelihood of what was real. The cities and settings here are none that `bench truth` shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.truth_cases import cases_of, proposed, scene_of
from bench.truth_city import Setting, make_city
from bench.truth_confidence import SIDES, judged
from tracer.parameters import ENDS, STARTS, Parameters
from tracer.ruleset import RuleSet

Floats = npt.NDArray[np.float64]
# Shares and cities that `bench.truth` does not use.
SETTINGS: Final = (
    Setting(0.95, 0.60),
    Setting(0.70, 0.50),
    Setting(0.60, 0.15),
    Setting(0.95, 0.10),
    Setting(0.85, 0.40, unknown=0.4),
    Setting(0.85, 0.20, asked=True),
)
SEEDS: Final = (501, 502, 503, 504, 505, 506)
PEOPLE: Final = 3_000
CASES: Final = 40
STEP: Final = 0.005  # what is found is a multiple of it
FEWEST: Final = 100  # exposures with a provenance; below that it is not fitted
_ROUNDS: Final = 50
_NAMES: Final = (*STARTS, *ENDS)
_SURE: Final = "scan_in"  # who scanned in was there: it is the end that may be wrong


@dataclass(frozen=True)
class Fitted:
    """Confidences by provenance, how many exposures each rests on, and which were left alone."""

    start: Mapping[str, float]
    end: Mapping[str, float]
    exposures: Mapping[str, int]
    kept: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "start_confidence": dict(self.start),
            "end_confidence": dict(self.end),
            "exposures": dict(self.exposures),
            "not_fitted": list(self.kept),
        }


def fit(
    parameters: Parameters,
    rules: RuleSet,
    say: Callable[[str], None],
    seeds: tuple[int, ...] = SEEDS,
    people: int = PEOPLE,
    cases: int = CASES,
) -> Fitted:
    """Simulate, trace and fit. `parameters` give the stays, and what cannot be fitted."""
    parts = []
    for seed in seeds:
        city = make_city(seed, people)
        chosen = cases_of(city, cases, rules)
        for setting in SETTINGS:
            say(f"city {seed}: {setting.key}")
            scene = scene_of(city, setting)
            for case, _, found in proposed(scene, chosen, parameters, rules):
                parts.append(judged(city, case, found))
    return fitted(pl.concat(parts), parameters)


def fitted(rows: pl.DataFrame, parameters: Parameters) -> Fitted:
    """The confidences that make what was real in `rows` (of `judged`) likeliest."""
    table = rows.group_by(SIDES).agg(n=pl.len(), real=pl.col("real").sum()).sort(SIDES)
    index = {name: number for number, name in enumerate(_NAMES)}
    sides = np.array(
        [[index[name] for name in row] for row in table.select(SIDES).cast(pl.String).rows()]
    ).reshape(-1, len(SIDES))
    n, real = table["n"].to_numpy(), table["real"].to_numpy()
    used = {name: int(n[(sides == at).any(axis=1)].sum()) for name, at in index.items()}
    values = np.array(
        [parameters.start_confidence[s] for s in STARTS]
        + [parameters.end_confidence[e] for e in ENDS]
    )
    values[index[_SURE]] = 1.0
    free = [name for name in _NAMES if used[name] >= FEWEST and name != _SURE]
    grid = np.arange(STEP, 1 + STEP / 2, STEP)
    for _ in range(_ROUNDS):
        before = values.copy()
        for name in free:
            values[index[name]] = _best(index[name], values, grid, sides, n, real)
        if np.array_equal(before, values):
            break
    found = {name: round(float(values[at]), 3) for name, at in index.items()}
    return Fitted(
        start={name: found[name] for name in STARTS},
        end={name: found[name] for name in ENDS},
        exposures=used,
        kept=tuple(name for name in _NAMES if name not in free and name != _SURE),
    )


def _best(
    at: int, values: Floats, grid: Floats, sides: npt.NDArray[np.int64], n: Floats, real: Floats
) -> float:
    likelihoods = []
    for value in grid:
        tried = values.copy()
        tried[at] = value
        stay = np.minimum(tried[sides[:, [0, 2]]], tried[sides[:, [1, 3]]])
        p = np.clip(stay.prod(axis=1), 1e-6, 1 - 1e-6)
        likelihoods.append(float((real * np.log(p) + (n - real) * np.log(1 - p)).sum()))
    return float(grid[int(np.argmax(likelihoods))])
