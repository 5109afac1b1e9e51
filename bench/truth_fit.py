"""Fitting the confidences of `tracer/data/stays-….toml` to simulated cities.

The form is that of `tracer.presence`: a person is there with the lower chance of the start of
their stay and of still being there; an exposure takes both persons. What is fitted is a number
for each start, for a scan out, and five for each end that was not scanned, by the largest
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
from bench.truth_confidence import judged
from tracer.parameters import ENDS, STARTS, Parameters
from tracer.presence import KNOTS
from tracer.ruleset import RuleSet

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
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
BASE: Final = "stays-2026-11-26.toml"  # one number an end: where fitting begins
PRIOR: Final = 20.0  # exposures' worth of the old number: a thin knot does not jump to nothing
_ROUNDS: Final = 50
_FADING: Final = ENDS[1:]
_SURE: Final = "scan_in"  # who scanned in was there: it is the end that may be wrong
# One number a start and for a scan out, `KNOTS` for each end that fades.
_NAMES: Final = (*STARTS, ENDS[0], *(name for name in _FADING for _ in range(KNOTS)))


@dataclass(frozen=True)
class Fitted:
    """Chances by provenance, over how many exposures, and which were left alone.

    `end`: the mean chance over all exposures with that end, which is a stay's own confidence.
    """

    start: Mapping[str, float]
    end: Mapping[str, float]
    still_there: Mapping[str, tuple[float, ...]]
    exposures: Mapping[str, int]
    kept: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "start_confidence": dict(self.start),
            "end_confidence": dict(self.end),
            "still_there": {name: list(found) for name, found in self.still_there.items()},
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


@dataclass(frozen=True)
class _Side:
    """Of each exposure and one of the two stays: where its numbers are, and how far between."""

    start: Ints
    before: Ints
    after: Ints
    along: Floats

    @classmethod
    def of(cls, rows: pl.DataFrame, whose: str) -> "_Side":
        began = rows[f"{whose}_start_provenance"].cast(pl.String).to_numpy()
        ended = rows[f"{whose}_end_provenance"].cast(pl.String).to_numpy()
        since = rows[f"{whose}_start"].dt.timestamp("ms").to_numpy()
        length = rows[f"{whose}_end"].dt.timestamp("ms").to_numpy() - since
        elapsed = (rows["start"].dt.timestamp("ms").to_numpy() - since) * (KNOTS - 1)
        part = np.clip(elapsed // length, 0, KNOTS - 2)
        fades = ended != ENDS[0]
        first = np.array([_NAMES.index(name) for name in ended], dtype=np.int64)
        before = np.where(fades, first + part, first)
        along = np.where(fades, (elapsed - part * length) / length, 0.0)
        start = np.array([_NAMES.index(name) for name in began], dtype=np.int64)
        return cls(start, before, np.where(fades, before + 1, before), along)

    def uses(self, at: int) -> npt.NDArray[np.bool_]:
        """Which exposures depend on this number."""
        used: npt.NDArray[np.bool_] = (self.start == at) | (self.before == at) | (self.after == at)
        return used

    def only(self, mask: npt.NDArray[np.bool_]) -> "_Side":
        """Of these exposures alone."""
        return _Side(self.start[mask], self.before[mask], self.after[mask], self.along[mask])

    def chance(self, values: Floats) -> Floats:
        """That the person was there."""
        still = values[self.before] + (values[self.after] - values[self.before]) * self.along
        lower: Floats = np.minimum(values[self.start], still)
        return lower


def fitted(rows: pl.DataFrame, parameters: Parameters) -> Fitted:
    """The chances that make what was real in `rows` (of `judged`) likeliest."""
    sides = (_Side.of(rows, "case"), _Side.of(rows, "their"))
    real = rows["real"].to_numpy()
    values = _as_they_are(parameters)
    prior = values.copy()
    users = [sides[0].uses(at) | sides[1].uses(at) for at in range(len(_NAMES))]
    used = dict.fromkeys((*STARTS, *ENDS), 0)
    for name in used:
        mine = [users[at] for at in range(len(_NAMES)) if _NAMES[at] == name]
        used[name] = int(np.logical_or.reduce(mine).sum())
    kept = tuple(n for n in used if used[n] < FEWEST and n != _SURE)
    free = [at for at, name in enumerate(_NAMES) if name not in (*kept, _SURE)]
    parts = {at: [s.only(users[at]) for s in sides] for at in free}
    for _ in range(_ROUNDS):
        before = values.copy()
        for at in free:
            values[at] = _best(at, values, prior[at], parts[at], real[users[at]])
        if np.array_equal(before, values):
            break
    start = {name: _r(values[at]) for at, name in enumerate(STARTS)}
    still = {
        name: tuple(_r(v) for v in values[_NAMES.index(name) :][:KNOTS])
        for name in _FADING
        if name not in kept
    }
    end = dict(parameters.end_confidence)
    for name in ENDS:
        if name not in kept:
            end[name] = _r(_mean_still(name, rows, values))
    return Fitted(start, end, still, used, kept)


def _r(value: float) -> float:
    return round(float(value), 3)


def _as_they_are(parameters: Parameters) -> Floats:
    values = [parameters.start_confidence[name] for name in STARTS]
    values.append(parameters.end_confidence[ENDS[0]])
    for name in _FADING:
        flat = (parameters.end_confidence[name],) * KNOTS
        values += parameters.still_there.get(name, flat)
    values[STARTS.index(_SURE)] = 1.0
    return np.array(values)


def _best(
    at: int, values: Floats, prior: float, sides: list[_Side], real: npt.NDArray[np.bool_]
) -> float:
    """The likeliest multiple of STEP that does not rise above the number before it."""
    same = [n for n in (at - 1, at + 1) if 0 <= n < len(_NAMES) and _NAMES[n] == _NAMES[at]]
    highest = min((values[n] for n in same if n < at), default=1.0)
    lowest = max((values[n] for n in same if n > at), default=STEP)
    best = (-np.inf, float(values[at]))
    for value in np.arange(round(lowest / STEP), round(highest / STEP) + 1) * STEP:
        tried = values.copy()
        tried[at] = value
        p = np.clip(sides[0].chance(tried) * sides[1].chance(tried), 1e-6, 1 - 1e-6)
        likelihood = float(np.log(np.where(real, p, 1 - p)).sum())
        own = min(max(value, 1e-6), 1 - 1e-6)
        likelihood += PRIOR * float(prior * np.log(own) + (1 - prior) * np.log(1 - own))
        best = max(best, (likelihood, float(value)))
    return best[1]


def _mean_still(name: str, rows: pl.DataFrame, values: Floats) -> float:
    sides = (_Side.of(rows, "case"), _Side.of(rows, "their"))
    chances = []
    for whose, side in zip(("case", "their"), sides, strict=True):
        mine = (rows[f"{whose}_end_provenance"].cast(pl.String) == name).to_numpy()
        part = side.only(mine)
        chances.append(
            values[part.before] + (values[part.after] - values[part.before]) * part.along
        )
    return float(np.concatenate(chances).mean())
