"""F2: who was with a possible contact (F1) after that one may have been infected.

From the start of an F1's first exposure on, at most `MOST_DAYS` days, until the F1 is isolated, as
far as that is known, or `now`. The case and the F1s themselves are nobody's F2. At most
`MOST_FIRST` F1s are followed, in the order in which a team would call them, and at most
`MOST_SECOND` F2s named: what is left out is counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl

from schemas.ids import person_bits, person_text
from tracer.columns import I64, instants, milliseconds
from tracer.columns import firsts as first_rows
from tracer.contacts import contacts
from tracer.documents import Document, near, rows_of
from tracer.exposures import bands, exposures, ordered_by
from tracer.frames import TIME, stacked
from tracer.ground import Grounds
from tracer.parameters import Parameters
from tracer.ruleset import RuleSet
from tracer.sought import Sought
from tracer.stays import stays
from tracer.trace import at_least_one

MOST_DAYS: Final = 14
MOST_FIRST: Final = 200
MOST_SECOND: Final = 5_000
# Of an exposure, what is looked at here.
_NEEDED: Final = (
    *("person", "place", "start", "end", "minutes", "tier", "clauses", "questions"),
    *("confidence", "band", "weighted", "case_person"),
)


@dataclass(frozen=True)
class Met:
    """A time with the case: since when, how sure, and that step of a path (place, start and end as
    they are written)."""

    since: datetime
    confidence: float
    step: Document


@dataclass(frozen=True)
class First:
    """An F1 to follow: when they were with the case, at least once, each time surer than before;
    and when they were isolated, if it is known."""

    person: int
    met: tuple[Met, ...]
    isolated: datetime | None = None

    @property
    def since(self) -> datetime:
        """From when on they may have passed it on."""
        return self.met[0].since

    @cached_property
    def begins(self) -> I64:
        """Of each time with the case when it began, milliseconds since 1970 UTC."""
        return np.array([milliseconds(one.since) for one in self.met], np.int64)

    def before(self, moment: int) -> Met:
        """The surest time that had begun by then (milliseconds since 1970 UTC): whom they met
        before the case they did not meet after it."""
        return self.met[int(np.searchsorted(self.begins, moment, side="right")) - 1]


@dataclass(frozen=True)
class Second:
    """Contacts of F1s by rank, with the path in data; `left_out`: how many more there are."""

    contacts: list[Document]
    left_out: int


def firsts_of(
    contact_documents: Iterable[Document], isolated: Mapping[str, datetime] = MappingProxyType({})
) -> tuple[list[First], int]:
    """The F1s to follow, of a run's contacts by rank, and how many are left out.

    `isolated`: since when, by person, of those of whom it is known. Who is not on the call list, or
    was never seen with the case, is not followed.
    """
    found = [d for d in contact_documents if d["call"] and d["exposures"]]
    followed = [_first(d, isolated.get(d["person"])) for d in found[:MOST_FIRST]]
    return followed, len(found) - len(followed)


def first_stays(firsts: list[First], of_firsts: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The F1s' stays (of `tracer.stays`) with `from`, `to` and `weight` of the part that counts."""
    since = pl.DataFrame(
        [(first.person, first.since, first.isolated) for first in firsts],
        schema={"person": pl.UInt64, "since": TIME, "isolated": TIME},
        orient="row",
    )
    most = pl.col("since") + timedelta(days=MOST_DAYS)
    last = pl.min_horizontal(most, pl.lit(now).cast(TIME), "isolated")
    return (
        of_firsts.join(since, on="person", maintain_order="left")
        .with_columns(
            pl.max_horizontal("start", "since").alias("from"),
            pl.min_horizontal("end", last).alias("to"),
            pl.lit(None, pl.Float64).alias("weight"),
        )
        .filter(pl.col("from") < pl.col("to"))
        .drop("since", "isolated")
    )


def second_contacts(
    case: Document,
    firsts: list[First],
    counted: pl.DataFrame,
    chunks: Iterable[pl.DataFrame],
    ground: Grounds,
    rule_set: RuleSet,
    answers: pl.DataFrame | None = None,
    wanted: Sought | None = None,
    now: datetime | None = None,
) -> Second:
    """The F2s in `chunks` of others' scans (shape `frames.SCANS`, whole persons).

    `case`: the first step of each path; `counted`: of `first_stays`; `answers`: as stays take
    them; `wanted`, `now`: as `exposures` do. Only those whom a scan brings as near as the call list
    asks for are named.
    """
    found = []
    for chunk in at_least_one(chunks):
        met = exposures(counted, stays(chunk, ground, answers), ground, rule_set, wanted, now)
        found.append(_less_sure(met.select(_NEEDED), firsts, ground.parameters))
    every = ordered_by(stacked(found), "person", "start", "place", "end", "case_person")
    called = contacts(every, rule_set, ground.parameters).filter("call")
    named = called.head(MOST_SECOND)
    met = every.filter(pl.col("person").is_in(named["person"].implode()))
    likeliest, through = _likeliest(met), _through(met)
    steps = {first.person: (person_text(first.person), first) for first in firsts}
    documents = [
        _document(rank, row, likeliest[row["person"]], through[row["person"]], case, steps)
        for rank, row in enumerate(rows_of(named), start=1)
    ]
    return Second(documents, called.height - named.height)


def _less_sure(met: pl.DataFrame, firsts: list[First], parameters: Parameters) -> pl.DataFrame:
    """As sure as the exposure is, and as that the F1 had been with the case before it."""
    by_person = sorted(firsts, key=lambda first: first.person)
    persons = np.array([first.person for first in by_person], np.uint64)
    # all times of all F1s on one line, each F1's after those of the one before
    whose = np.repeat(np.arange(len(by_person)), [len(first.met) for first in by_person])
    begins = np.concatenate([np.empty(0, np.int64), *(first.begins for first in by_person)])
    surely = np.array([one.confidence for first in by_person for one in first.met], np.float64)
    which = np.searchsorted(persons, met["case_person"].to_numpy())
    last = _last_begun(whose, begins, which, instants(met["start"]))
    confidence = met["confidence"].to_numpy() * surely[last]
    return met.with_columns(
        pl.Series("confidence", confidence, pl.Float64), bands(confidence, parameters)
    )


def _last_begun(whose: I64, begins: I64, which: I64, at: I64) -> I64:
    """The row of the last time of each of `which` that had begun at `at`."""
    if not len(begins):
        return np.empty(0, np.int64)
    first, last = begins.min(), begins.max()
    span = last - first + 1
    line = whose * span + (begins - first)
    asked = which * span + np.clip(at - first, 0, span - 1)
    rows: I64 = np.searchsorted(line, asked, side="right") - 1
    return rows


def _likeliest(met: pl.DataFrame) -> dict[int, Document]:
    """Each person's likeliest meeting: of the closest tier, the longest, the first."""
    person, tier, minutes, *rest = (
        met[column].to_physical().to_numpy()
        for column in ("person", "tier", "minutes", "start", "place", "case_person")
    )
    order = np.lexsort((*reversed(rest), -minutes, tier, person))
    _, first = np.unique(person[order], return_index=True)
    at = pl.col("start").cast(pl.Int64).alias("at")
    meetings = met[order[first]].select("person", "case_person", "place", "start", "end", at)
    return {row["person"]: row for row in rows_of(meetings)}


def _through(met: pl.DataFrame) -> dict[int, list[int]]:
    """Each person's F1s, rising."""
    person, first = met["person"].to_numpy(), met["case_person"].to_numpy()
    order = np.lexsort((first, person))
    pairs = order[first_rows(person[order], first[order])]
    person, first = person[pairs], first[pairs].tolist()
    begin = first_rows(person)
    behind = np.append(begin, len(person))[1:]
    theirs = zip(person[begin].tolist(), begin.tolist(), behind.tolist(), strict=True)
    return {one: first[row:end] for one, row, end in theirs}


def _first(document: Document, isolated: datetime | None) -> First:
    # who is an F1 for having been near is one from then on, and not since both were at a market;
    # of whom an officer has made one, nobody knows by which meeting
    times = sorted(near(document), key=lambda e: (e["start"], -e["confidence"]))
    met: list[Met] = []
    for one in times:
        if not met or one["confidence"] > met[-1].confidence:
            step = {name: one[name] for name in ("place", "start", "end")}
            met.append(Met(datetime.fromisoformat(one["start"]), one["confidence"], step))
    return First(person_bits(document["person"]), tuple(met), isolated)


def _document(
    rank: int,
    row: Document,
    meeting: Document,
    through: list[int],
    case: Document,
    steps: dict[int, tuple[str, First]],
) -> Document:
    person = person_text(row["person"])
    first, followed = steps[meeting["case_person"]]
    return {
        "rank": rank,
        "person": person,
        "tier": row["tier"],
        "minutes": row["minutes"],
        "exposures": row["exposures"],
        "last_exposure": row["last_exposure"],
        "confidence": round(row["confidence"], 4),
        "band": row["band"],
        "clauses": row["clauses"],
        "questions": row["questions"],
        "through": [steps[bits][0] for bits in through],
        "path": [
            case,
            followed.before(meeting["at"]).step,
            {"person": first},
            {name: meeting[name] for name in ("place", "start", "end")},
            {"person": person},
        ],
    }
