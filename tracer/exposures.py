"""Exposures: where and when a person's stay overlaps a stay of the case.

Confidence here is of *khả năng có mặt cùng lúc* (both were there at the same time), never of
infection: `tracer.presence`.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tracer.clauses import clauses_of, least_minutes, questions_of
from tracer.frames import TIME
from tracer.ground import Grounds
from tracer.minutes import Floats, in_minutes, to_whole_minutes
from tracer.overlaps import Rows, intervals_of, overlaps
from tracer.parameters import BANDS, Parameters
from tracer.presence import confidence, there
from tracer.ruleset import RuleSet
from tracer.stays import STAYS
from tracer.tiers import TIERS, Known, tier

BAND: Final = pl.Enum(BANDS)
IDS: Final = pl.List(pl.String)
# What an exposure keeps of each of the two stays.
STAY_PARTS: Final = tuple(column for column in STAYS if column not in ("person", "place"))


def exposures(
    case_stays: pl.DataFrame,
    others: pl.DataFrame,
    ground: Grounds,
    rule_set: RuleSet,
) -> pl.DataFrame:
    """One row an overlap longer than zero, ordered by person, start, place, case's stay.

    `case_stays`: of `parts_that_count`, of one person or more; `others`: of `stays`, where their
    own are passed over. Columns: person, place, start,
    end (UTC), minutes (exact to the millisecond), tier, clauses, questions (lists of ids),
    confidence (0 to 1), band, weighted (minutes, rounded to whole ones, by the weight of their
    day; null where the rule-set has no weights), case_person (whose stay of `case_stays` it is;
    null of place-time points alone), and `case_…` and `their_…` for each of `STAY_PARTS`.
    """
    parts, stays = intervals_of(case_stays, "from", "to"), intervals_of(others)
    mine, theirs = overlaps(parts, stays)
    mine, theirs = _of_others(mine, theirs, case_stays["person"], others["person"])
    start = np.maximum(parts.start[mine], stays.start[theirs])
    end = np.minimum(parts.end[mine], stays.end[theirs])
    person, place = others["person"].to_numpy()[theirs], parts.place[mine]
    order = np.lexsort((mine, place, start, person))
    mine, theirs, start, end = mine[order], theirs[order], start[order], end[order]

    together = end - start
    minutes = in_minutes(together)
    weight = case_stays["weight"].to_numpy()[mine]  # NaN for null
    of_case, of_theirs = there(case_stays).rows(mine), there(others).rows(theirs)
    sure = confidence(start, of_case, of_theirs, ground.parameters)
    return pl.DataFrame(
        [
            others["person"][theirs],
            others["place"][theirs],
            pl.Series("start", start).cast(TIME),
            pl.Series("end", end).cast(TIME),
            pl.Series("minutes", minutes),
            *_by_place(parts.place, mine, minutes, ground, rule_set),
            pl.Series("confidence", sure),
            bands(sure, ground.parameters),
            pl.Series("weighted", to_whole_minutes(together) * weight, nan_to_null=True),
            case_stays["person"][mine].alias("case_person"),
            *_parts(case_stays, mine, "case_"),
            *_parts(others, theirs, "their_"),
        ]
    )


def bands(confidence: Floats, parameters: Parameters) -> pl.Series:
    """`band` of each: at least `bands.high`, at least `bands.medium`, or low."""
    limits = parameters.bands
    number = np.where(confidence >= limits.high, 0, np.where(confidence >= limits.medium, 1, 2))
    return pl.Series("band", BANDS, BAND)[number]


def _of_others(
    mine: Rows, theirs: Rows, case_person: pl.Series, person: pl.Series
) -> tuple[Rows, Rows]:
    """The pairs without those of somebody whose stays are the case's."""
    own = np.unique(case_person.drop_nulls().to_numpy())
    if not len(own):
        return mine, theirs
    whose = person.to_numpy()[theirs]
    at = np.minimum(np.searchsorted(own, whose), len(own) - 1)
    others = np.flatnonzero(own[at] != whose)
    return mine[others], theirs[others]


def _by_place(
    case_place: npt.NDArray[np.uint32],
    mine: Rows,
    minutes: Floats,
    ground: Grounds,
    rule_set: RuleSet,
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """`tier`, `clauses` and `questions` of each exposure.

    They follow from what is known of the place and from which of the rule-set's least durations
    are reached: some dozen combinations, each of which is worked out once.
    """
    places, number_of = np.unique(case_place, return_inverse=True)
    known, number_of_known = _known(places, ground)
    least = least_minutes(rule_set)
    reached = np.searchsorted(least, minutes, side="right")
    combination = number_of_known[number_of[mine]] * (len(least) + 1) + reached
    found, number = distinct(combination)
    tiers, clauses, questions = [], [], []
    for one in found.tolist():
        place = known[one // (len(least) + 1)]
        at_least = [-1, *least][one % (len(least) + 1)]
        tiers.append(tier(place.gate, place.enclosed, place.small).value)
        clauses.append(clauses_of(rule_set, place, at_least))
        questions.append(questions_of(rule_set, place, at_least))
    return (
        pl.Series("tier", tiers, TIERS)[number],
        pl.Series("clauses", clauses, IDS)[number],
        pl.Series("questions", questions, IDS)[number],
    )


def distinct(numbers: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.integer], Rows]:
    """The distinct numbers, rising and few, and of each number which of them it is."""
    found = np.unique(numbers)
    return found, np.searchsorted(found, numbers)


def _known(places: npt.NDArray[np.uint32], ground: Grounds) -> tuple[Sequence[Known], Rows]:
    """What is known of these places: each combination once, and which of them each place has."""
    asked = pl.Series(places, dtype=pl.UInt32)
    rows = ground.at(asked).of(asked, *Known._fields).iter_rows()
    numbers: dict[Known, int] = {}
    which = [numbers.setdefault(Known(*row), len(numbers)) for row in rows]
    return list(numbers), np.array(which, np.intp)


def _parts(stays: pl.DataFrame, rows: Rows, prefix: str) -> list[pl.Series]:
    return [column.alias(prefix + column.name) for column in stays.select(STAY_PARTS)[rows]]
