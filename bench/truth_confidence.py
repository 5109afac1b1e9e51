"""Is confidence a probability: of exposures proposed with it, how many were real.

An exposure is real if the two were at that place at the same time at some moment within it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from bench.truth_cases import bits_of
from bench.truth_city import City
from schemas.cases import Case
from tracer.exposures import bands
from tracer.parameters import BANDS, Parameters
from tracer.presence import with_confidence

RESAMPLES: Final = 1000
_INTERVAL: Final = (2.5, 97.5)
# Edges of the groups of the plot, finer where most exposures are. The last includes 1.
EDGES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 0.85, 0.9, 0.95, 0.975, 1.0)
STAY_COLUMNS: Final = ("start", "end", "start_provenance", "end_provenance")


def judged(city: City, case: Case, found: pl.DataFrame) -> pl.DataFrame:
    """A case's exposures: case, confidence, band, `real`, and both stays."""
    numbered = found.with_row_index("exposure")
    real = _real(numbered, bits_of(case), city.visits)
    return numbered.select(
        pl.lit(f"{city.seed}/{case.id}").alias("case"),
        "confidence",
        "band",
        pl.col("exposure").is_in(real.implode()).alias("real"),
        "start",
        *(f"{whose}_{part}" for whose in ("case", "their") for part in STAY_COLUMNS),
    )


def as_if(rows: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """The same exposures with the confidence and bands of other parameters."""
    judged = with_confidence(rows, parameters)
    return judged.with_columns(bands(judged["confidence"].to_numpy(), parameters))


def _real(exposures: pl.DataFrame, case: int, visits: pl.DataFrame) -> pl.Series:
    """Numbers of the exposures within which both were there at some moment."""
    mine = visits.filter(pl.col("person") == case).select("place", a="start", b="end")
    within = (
        exposures.select("exposure", "person", "place", first="start", last="end")
        .join(mine, on="place")
        .with_columns(
            first=pl.max_horizontal("first", "a"),
            last=pl.min_horizontal("last", "b"),
        )
        .filter(pl.col("first") < pl.col("last"))
    )
    both = within.join(visits, on=["person", "place"]).filter(
        pl.max_horizontal("first", "start") < pl.min_horizontal("last", "end")
    )
    return both["exposure"].unique()


@dataclass(frozen=True)
class Group:
    """Exposures of about the same confidence: its mean, and the share that was real.

    `low`, `high`: 95 % of that share, by bootstrap over cases.
    """

    name: str
    exposures: int
    confidence: float
    real: float
    low: float
    high: float

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "group": self.name,
            "exposures": self.exposures,
            "confidence": round(self.confidence, 4),
            "real": round(self.real, 4),
            "real_95": [round(self.low, 4), round(self.high, 4)],
        }


def by_confidence(rows: pl.DataFrame, seed: int) -> list[Group]:
    """Groups between `EDGES`, those that are not empty, from low to high."""
    at = np.searchsorted(EDGES[1:-1], rows["confidence"].to_numpy(), side="right")
    names = [f"{low:g}–{high:g}" for low, high in pairwise(EDGES)]
    return _groups(rows.with_columns(group=pl.Series([names[i] for i in at])), names, seed)


def by_band(rows: pl.DataFrame, seed: int) -> list[Group]:
    """The three bands, those that are not empty, the surest first."""
    return _groups(rows.with_columns(group=pl.col("band").cast(pl.String)), BANDS, seed)


def _groups(rows: pl.DataFrame, names: Iterable[str], seed: int) -> list[Group]:
    by_case = rows.group_by("case", "group").agg(
        n=pl.len(), confident=pl.col("confidence").sum(), real=pl.col("real").sum()
    )
    cases = sorted(set(rows["case"]))
    rng = np.random.default_rng([seed, 41])
    drawn = rng.multinomial(len(cases), np.full(len(cases), 1 / max(len(cases), 1)), RESAMPLES)
    found = []
    for name in names:
        mine = by_case.filter(pl.col("group") == name)
        if mine.is_empty():
            continue
        of = {case: (n, r) for case, n, r in mine.select("case", "n", "real").iter_rows()}
        table = np.array([of.get(case, (0, 0)) for case in cases], dtype=np.float64)
        counts = drawn @ table
        shares = counts[counts[:, 0] > 0]
        low, high = np.percentile(shares[:, 1] / shares[:, 0], _INTERVAL)
        total = int(mine["n"].sum())
        found.append(
            Group(
                name=name,
                exposures=total,
                confidence=float(mine["confident"].sum()) / total,
                real=int(mine["real"].sum()) / total,
                low=float(low),
                high=float(high),
            )
        )
    return found


def off_by(groups: Sequence[Group]) -> float:
    """The mean distance of confidence and real share over all exposures (0 is calibrated)."""
    total = sum(g.exposures for g in groups)
    return sum(g.exposures * abs(g.confidence - g.real) for g in groups) / max(total, 1)


def brier(rows: pl.DataFrame) -> float:
    """The mean squared distance of confidence from what was so (0 is best)."""
    error = rows["confidence"].to_numpy() - rows["real"].to_numpy().astype(np.float64)
    return float(np.mean(error**2)) if len(error) else 0.0
