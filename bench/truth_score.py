"""Precision, recall and F-measure over cases, with intervals by bootstrap over cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.truth_cases import METHODS, OURS, Counts, Scores

Floats = npt.NDArray[np.float64]
RESAMPLES: Final = 2000
_INTERVAL: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Score:
    """Of one method, cases pooled: of all proposed, of all real, and their harmonic mean.

    `low`, `high`: 95 % of the F-measure. `ahead`: truyvet's F-measure less this one's, with its
    own 95 %, of the same resampled cases; 0 for truyvet itself.
    """

    precision: float
    recall: float
    f: float
    low: float
    high: float
    ahead: float
    ahead_low: float
    ahead_high: float
    mean_case_f: float

    @property
    def better_than_ours(self) -> bool:
        """Its F-measure is the higher one, be it by noise."""
        return self.ahead < 0

    @property
    def better_beyond_noise(self) -> bool:
        """And the whole interval of the difference is on its side."""
        return self.ahead_high < 0

    def record(self) -> dict[str, Any]:
        """As JSON."""
        interval = {"f_95": [_r(self.low), _r(self.high)]}
        shares = {"precision": _r(self.precision), "recall": _r(self.recall), "f": _r(self.f)}
        ahead = [_r(self.ahead), _r(self.ahead_low), _r(self.ahead_high)]
        return {**shares, **interval, "truyvet_ahead": ahead, "mean_case_f": _r(self.mean_case_f)}


def _r(value: float) -> float:
    return round(value, 4)


def scores_of(cases: Sequence[Scores], measure: str, seed: int) -> Mapping[str, Score]:
    """One score a method. Every method's intervals are of the same resampled cases."""
    counts = {m: _table([case[m][measure] for case in cases]) for m in METHODS}
    rng = np.random.default_rng([seed, 31])
    drawn = rng.multinomial(len(cases), np.full(len(cases), 1 / len(cases)), RESAMPLES)
    resampled = {m: _f(drawn @ table) for m, table in counts.items()}
    whole = {m: table.sum(axis=0) for m, table in counts.items()}
    ours, ours_resampled = float(_f(whole[OURS])), resampled[OURS]
    found = {}
    for method in METHODS:
        hit, wrong, missed = (float(n) for n in whole[method])
        low, high = np.percentile(resampled[method], _INTERVAL)
        ahead = np.percentile(ours_resampled - resampled[method], _INTERVAL)
        f = float(_f(whole[method]))
        found[method] = Score(
            precision=_share(hit, hit + wrong),
            recall=_share(hit, hit + missed),
            f=f,
            low=float(low),
            high=float(high),
            ahead=ours - f,
            ahead_low=float(ahead[0]),
            ahead_high=float(ahead[1]),
            mean_case_f=float(_f(counts[method]).mean()),
        )
    return found


def _table(counts: Sequence[Counts]) -> npt.NDArray[np.int64]:
    return np.array([(c.hit, c.wrong, c.missed) for c in counts], dtype=np.int64).reshape(-1, 3)


def _f(counts: npt.NDArray[np.int64]) -> Floats:
    """Of (hit, wrong, missed) along the last axis; nothing to find and nothing proposed is 1."""
    hit, wrong, missed = (counts[..., n].astype(np.float64) for n in range(3))
    of = 2 * hit + wrong + missed
    result: Floats = np.where(of > 0, 2 * hit / np.maximum(of, 1), 1.0)
    return result


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
