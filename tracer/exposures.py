"""Exposures: where and when a person's stay overlaps a stay of the case.

Confidence here is of *khả năng có mặt cùng lúc* (both were there at the same time), never of
infection: `tracer.presence`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tracer.clauses import clauses_of, least_minutes, questions_of
from tracer.columns import (
    I64,
    NONE,
    U32,
    Floats,
    as_index,
    instants,
    milliseconds,
    or_zero,
    rows_in,
)
from tracer.frames import TIME
from tracer.ground import Grounds
from tracer.meetings import read_around
from tracer.minutes import in_minutes, to_whole_minutes
from tracer.overlaps import overlaps, times_of
from tracer.parameters import BANDS, Parameters
from tracer.presence import assumed, confidence, there
from tracer.ruleset import RuleSet
from tracer.sought import Sought
from tracer.stays import STAYS
from tracer.tiers import TIERS, Known, tier
from tracer.unbroken import at_most as unbroken
from tracer.unbroken import touch

BAND: Final = pl.Enum(BANDS)
_BANDS: Final = pl.Series("band", BANDS, BAND)
# What an exposure keeps of each of the two stays.
STAY_PARTS: Final = tuple(column for column in STAYS if column not in ("person", "place"))


def exposures(
    case_stays: pl.DataFrame,
    others: pl.DataFrame,
    ground: Grounds,
    rule_set: RuleSet,
    wanted: Sought | None = None,
    now: datetime | None = None,
) -> pl.DataFrame:
    """One row an overlap longer than zero, ordered by person, start, place, case's stay.

    `case_stays`: of `parts_that_count`, of one person or more; `others`: of `stays`, where their
    own are passed over. `wanted`: when scans of theirs were read, if not at all times: who met one
    of these stays was read around it (`meetings.could_meet`), so an overlap with another was only
    not seen to have ended, and is none. `now`: what reaches up to it is not over. Columns: person,
    place, start, end (UTC), minutes (exact to the millisecond), tier, clauses, questions (ids),
    confidence (0 to 1), band, weighted (minutes, rounded to whole ones, by the weight of their
    day; null where the rule-set has no weights), case_person (whose stay of `case_stays` it is;
    null of place-time points alone), and `case_…` and `their_…` for each of `STAY_PARTS`.
    """
    parts, stays = times_of(case_stays, "from", "to"), times_of(others)
    mine, theirs = overlaps(parts, stays)
    mine, theirs = _of_others(mine, theirs, case_stays["person"], others["person"])
    if wanted is not None:
        begin, until = read_around(parts.place, parts.start, parts.end, ground)
        seen = wanted.covers(others["person"].to_numpy()[theirs], begin[mine], until[mine])
        mine, theirs = mine[seen], theirs[seen]
    start = np.maximum(parts.start[mine], stays.start[theirs])
    end = np.minimum(parts.end[mine], stays.end[theirs])
    person, place = others["person"].to_numpy()[theirs], parts.place[mine]
    order = np.lexsort((mine, place, start, person))
    mine, theirs, start, end = mine[order], theirs[order], start[order], end[order]

    together = end - start
    minutes = in_minutes(together)
    weight = case_stays["weight"].to_numpy()[mine]  # NaN for null
    both = there(case_stays).rows(mine), there(others).rows(theirs)
    longer = assumed(start, end, *both)
    if now is not None:
        longer |= end >= milliseconds(now)
    at_most = np.where(longer, np.inf, minutes)
    whose = or_zero(case_stays["person"])
    if touch(whose, *parts):
        of = others["person"].to_numpy()[theirs], parts.place[mine], whose[mine]
        at_most = unbroken(of, start, end, longer)
    sure = confidence(start, *both, ground.parameters)
    of_case, of_others = as_index(mine), as_index(theirs)
    return pl.DataFrame(
        [
            others["person"][of_others],
            others["place"][of_others],
            pl.Series("start", start).cast(TIME),
            pl.Series("end", end).cast(TIME),
            pl.Series("minutes", minutes),
            *_by_place(parts.place, mine, at_most, ground, rule_set),
            pl.Series("confidence", sure),
            bands(sure, ground.parameters),
            pl.Series("weighted", to_whole_minutes(together) * weight, nan_to_null=True),
            case_stays["person"][of_case].alias("case_person"),
            *(case_stays[part][of_case].alias(f"case_{part}") for part in STAY_PARTS),
            *(others[part][of_others].alias(f"their_{part}") for part in STAY_PARTS),
        ]
    )


def bands(confidence: Floats, parameters: Parameters) -> pl.Series:
    """`band` of each: at least `bands.high`, at least `bands.medium`, or low."""
    limits = parameters.bands
    number = np.where(confidence >= limits.high, 0, np.where(confidence >= limits.medium, 1, 2))
    return _BANDS[as_index(number)]


def ordered_by(exposures: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """By these columns, numbers and times, as exposures mostly are; the equal ones as they were."""
    keys = [_numbers(exposures[column]) for column in columns]
    right = np.ones(max(0, exposures.height - 1), np.bool_)
    for key in reversed(keys):
        right = (key[:-1] < key[1:]) | ((key[:-1] == key[1:]) & right)
    return exposures if right.all() else exposures[np.lexsort(keys[::-1])]


def _numbers(column: pl.Series) -> npt.NDArray[np.integer]:
    return instants(column) if column.dtype == TIME else column.to_numpy()


def _of_others(
    mine: I64, theirs: I64, case_person: pl.Series, person: pl.Series
) -> tuple[I64, I64]:
    """The pairs without those of somebody whose stays are the case's."""
    known = case_person.drop_nulls() if case_person.null_count() else case_person
    own = np.unique(known.to_numpy())
    others = np.flatnonzero(rows_in(own, person.to_numpy()[theirs]) == NONE)
    return mine[others], theirs[others]


def _by_place(
    case_place: U32,
    mine: I64,
    at_most: Floats,
    ground: Grounds,
    rule_set: RuleSet,
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """`tier`, `clauses` and `questions` of each exposure.

    They follow from what is known of the place and from which of the rule-set's least durations
    may be reached (`at_most`: minutes): some dozen combinations, each of which is worked out once.
    """
    places, number_of = np.unique(case_place, return_inverse=True)
    known, number_of_known = _known(places, ground)
    least = least_minutes(rule_set)
    reached = np.searchsorted(least, at_most, side="right")
    combination = number_of_known[number_of[mine]] * (len(least) + 1) + reached
    found, number = distinct(combination)
    tiers, clauses, questions = [], [], []
    for one in found.tolist():
        place = known[one // (len(least) + 1)]
        at_least = [-1, *least][one % (len(least) + 1)]
        tiers.append(tier(place).value)
        clauses.append(clauses_of(rule_set, place, at_least))
        questions.append(questions_of(rule_set, place, at_least))
    which = as_index(number)
    return (
        pl.Series("tier", tiers, TIERS)[which],
        lists("clauses", clauses)[which],
        lists("questions", questions)[which],
    )


def lists(name: str, ids: list[list[str]]) -> pl.Series:
    """A column of lists of ids. (pyarrow makes it in a fifth of the time that polars takes.)"""
    return pl.Series(name, pa.array(ids, pa.large_list(pa.large_string())))


def distinct(numbers: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.integer], I64]:
    """The distinct numbers, rising and few, and of each number which of them it is."""
    found = np.unique(numbers)
    return found, np.searchsorted(found, numbers)


def _known(places: U32, ground: Grounds) -> tuple[Sequence[Known], I64]:
    """What is known of these places: each combination once, and which of them each place has."""
    asked = pl.Series(places, dtype=pl.UInt32)
    numbers: dict[tuple[Any, ...], int] = {}
    rows = ground.at(asked).of(asked, *Known._fields).iter_rows()
    which = [numbers.setdefault(row, len(numbers)) for row in rows]
    return [Known(*row) for row in numbers], np.array(which, np.int64)
