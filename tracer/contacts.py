"""Contacts: one person with their exposures, in the order in which a team would look at them."""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracer.columns import (
    I64,
    NEVER,
    U32,
    Floats,
    Mask,
    apart,
    as_index,
    changes,
    codes,
    firsts,
    instants,
)
from tracer.exposures import bands, distinct, lists, ordered_by
from tracer.frames import TIME
from tracer.ground import DAY
from tracer.minutes import in_minutes
from tracer.parameters import STATED, Parameters
from tracer.ruleset import RuleSet
from tracer.tiers import TIERS, Tier

Number = TypeVar("Number", bound=np.generic)
_NOT_CALLED: Final = list(Tier).index(Tier.SAME_TIME_ONLY)  # and no tier after it
_TIER: Final = pl.Series("tier", list(Tier), TIERS)
_CALL: Final = pl.Series("call", [tier is not Tier.SAME_TIME_ONLY for tier in Tier])
_CATEGORY: Final = pl.Series("category", ["high", "low", "none", None])
_MOST_IDS: Final = 63  # bits of a whole number above zero


def contacts(exposures: pl.DataFrame, rule_set: RuleSet, parameters: Parameters) -> pl.DataFrame:
    """One row a person, by tier, weighted, minutes (most first), last exposure (latest first),
    person.

    `exposures`: of `tracer.exposures`. Columns: person; tier, the closest; call, whether that
    puts them on the call list; minutes, of the union of the exposures' times, so that a minute
    counts once even if two places both say so; exposures, their number; last_exposure, the
    latest end (UTC); confidence and band, of the surest exposure of the closest tier; clauses
    and questions, the union, in the rule-set's order. `weighted`: the most that the exposures of
    one UTC day weigh together; `category`: `high`, `low` or `none` by it; both null where the
    rule-set has no weights.

    Of whom to call, minutes and last_exposure are those of the exposures that say so: two hours at
    the same market are no reason to call somebody earlier, or to follow them longer, for ten
    minutes in a room.
    """
    exposures = ordered_by(exposures, "person", "start")
    start, end = (instants(exposures[side]) for side in ("start", "end"))
    person = exposures["person"].to_numpy()
    first = firsts(person)  # the row of each person's first exposure
    number = np.diff(first, append=len(person))
    whose = np.repeat(np.arange(len(first)), number)

    tiers = codes(exposures["tier"])
    tier = _each(np.minimum, tiers, first)
    sure = np.where(tiers == tier[whose], exposures["confidence"].to_numpy(), -1.0)
    confidence = _each(np.maximum, sure, first)
    counted = np.flatnonzero((tiers < _NOT_CALLED) | (tier[whose] == _NOT_CALLED))
    start_of, end_of, of = start[counted], end[counted], whose[counted]
    minutes = in_minutes(_each(np.add, _new_milliseconds(start_of, end_of, of), firsts(of)))
    last = _each(np.maximum, end_of, firsts(of))
    weighted = _heaviest_day(exposures, start, end, whose, first)
    order = np.lexsort((person[first], -last, -minutes, _heaviest_first(weighted), tier))
    by_rank, n = as_index(order), len(order)
    tier_by_rank = as_index(tier[order])
    return pl.DataFrame(
        [
            exposures["person"][as_index(first[order])],
            _TIER[tier_by_rank],
            _CALL[tier_by_rank],
            pl.Series("minutes", minutes[order]),
            pl.Series("exposures", number[order].astype(np.uint32)),
            pl.Series("last_exposure", last[order]).cast(TIME),
            pl.Series("confidence", confidence[order]),
            bands(confidence[order], parameters),
            pl.Series("weighted", weighted[order], nan_to_null=True),
            _categories(weighted[order], rule_set),
            _union(exposures["clauses"], [c.id for c in rule_set.clauses], whose, n)[by_rank],
            _union(exposures["questions"], [q.id for q in rule_set.questions], whose, n)[by_rank],
        ]
    )


def _each(how: np.ufunc, values: npt.NDArray[Number], first: I64) -> npt.NDArray[Number]:
    """One value a run of rows, of which `first` are the first ones."""
    found: npt.NDArray[Number] = how.reduceat(values, first) if len(first) else values[:0]
    return found


def _new_milliseconds(start: I64, end: I64, whose: I64) -> I64:
    """How much of each exposure no earlier one of the same person covers."""
    if not len(end):
        return end
    _, until = apart(whose, start, end)  # nobody's end reaches into the next one's times
    shift = until - end
    covered = np.concatenate([[NEVER], np.maximum.accumulate(until)[:-1]]) - shift
    new: I64 = np.maximum(end - np.maximum(start, covered), 0)
    return new


def _heaviest_day(exposures: pl.DataFrame, start: I64, end: I64, whose: I64, first: I64) -> Floats:
    """The most that one UTC day's exposures weigh together, of each person; NaN for nothing.

    A minute that a place-time point and scans both tell of weighs once.
    """
    weighted = exposures["weighted"]
    if weighted.null_count() == len(weighted):
        return np.full(len(first), np.nan)
    minutes = weighted.to_numpy()
    day = start // DAY
    stated = exposures["case_start_provenance"].cast(pl.String).is_in(STATED).to_numpy()
    if stated.any():
        places = exposures["place"].to_numpy()
        minutes = minutes * _told_once((whose, day, places), start, end, stated)
    days = firsts(whose, day)
    # rounded: so that ten minutes are ten, in whatever order they are added
    daily = pl.Series(_each(np.add, np.nan_to_num(minutes), days)).round(6).to_numpy()
    heaviest = _each(np.maximum, daily, firsts(whose[days]))
    weighed = _each(np.logical_or, ~np.isnan(minutes), first)
    return np.where(weighed, heaviest, np.nan)


def _told_once(of: tuple[I64, I64, U32], start: I64, end: I64, stated: Mask) -> Floats:
    """Of each exposure the share that counts: of one that is `stated` what no scanned one of the
    same group covers, nor an earlier stated one; of a scanned one all. `of`: whose, on which day
    and where."""
    order = np.lexsort((end, start, *reversed(of)))
    group = np.cumsum(np.logical_or.reduce([changes(key[order]) for key in of])) - 1
    times, told = (start[order], end[order]), stated[order]

    def covered(rows: I64) -> I64:
        if not len(rows):
            return np.zeros(group[-1] + 1, np.int64)
        new = _new_milliseconds(times[0][rows], times[1][rows], group[rows])
        return np.bincount(group[rows], new, group[-1] + 1).astype(np.int64)

    left = covered(np.arange(len(order))) - covered(np.flatnonzero(~told))
    length = np.bincount(group[told], (times[1] - times[0])[told], group[-1] + 1)
    share = np.ones(len(order))
    share[order[told]] = (left / np.maximum(length, 1))[group[told]]
    return share


def _heaviest_first(weighted: Floats) -> Floats:
    """To sort by: who has no weight at all comes first."""
    return np.where(np.isnan(weighted), -np.inf, -weighted)


def _categories(weighted: Floats, rule_set: RuleSet) -> pl.Series:
    if rule_set.warning is None:
        return _CATEGORY[as_index(np.full(len(weighted), 3))]
    high = weighted >= rule_set.warning.high_from
    return _CATEGORY[as_index(np.where(high, 0, np.where(weighted > 0, 1, 2)))]


def _union(column: pl.Series, ids: Sequence[str], whose: I64, persons: int) -> pl.Series:
    """What each person's lists hold, in the order of `ids`."""
    assert len(ids) <= _MOST_IDS, "more than 63 clauses or questions"
    listed = column.to_arrow()
    lengths = np.diff(listed.offsets.to_numpy())
    every = listed.flatten()
    number = pc.index_in(every, value_set=pa.array(ids, every.type)).to_numpy()
    # a bit for each of `ids`: 1 for the first, 2, 4 and so on
    held = np.zeros(persons, np.int64)
    np.bitwise_or.at(held, np.repeat(whose, lengths), np.int64(1) << number)
    found, which = distinct(held)
    unions = [[one for n, one in enumerate(ids) if bits >> n & 1] for bits in found.tolist()]
    return lists(column.name, unions)[as_index(which)]
