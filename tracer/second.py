"""F2: who was with a possible contact (F1) after that one may have been infected.

From the start of an F1's first exposure on, at most `MOST_DAYS` days, until the F1 is isolated, as
far as that is known, or `now`. The case and the F1s themselves are nobody's F2. At most
`MOST_FIRST` F1s are followed, in the order in which a team would call them, and at most
`MOST_SECOND` F2s named: what is left out is counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from schemas.ids import person_bits, person_text
from schemas.scan import format_timestamp
from tracer.contacts import contacts
from tracer.documents import Document
from tracer.exposures import bands, exposures
from tracer.frames import TIME
from tracer.ground import Grounds
from tracer.ruleset import RuleSet
from tracer.stays import stays
from tracer.trace import at_least_one

MOST_DAYS: Final = 14
MOST_FIRST: Final = 200
MOST_SECOND: Final = 5_000


@dataclass(frozen=True)
class First:
    """An F1 to follow: since when, how sure that they were with the case, their step of the path
    (place, start and end as they are written), and when they were isolated, if it is known."""

    person: int
    since: datetime
    confidence: float
    step: Document
    isolated: datetime | None = None


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
    found = [
        _first(d, isolated.get(d["person"]))
        for d in contact_documents
        if d["call"] and d["exposures"]
    ]
    return found[:MOST_FIRST], max(0, len(found) - MOST_FIRST)


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
) -> Second:
    """The F2s in `chunks` of others' scans (shape `frames.SCANS`, whole persons).

    `case`: the first step of each path; `counted`: of `first_stays`. Only those whom a scan
    brings as near as the call list asks for are named.
    """
    surely = pl.DataFrame(
        [(first.person, first.confidence) for first in firsts],
        schema={"case_person": pl.UInt64, "surely": pl.Float64},
        orient="row",
    )
    found = []
    for chunk in at_least_one(chunks):
        others = stays(chunk, ground)
        met = exposures(counted, others, ground, rule_set)
        found.append(
            met.join(surely, on="case_person", maintain_order="left")
            .with_columns(pl.col("confidence") * pl.col("surely"))
            .pipe(lambda f: f.with_columns(bands(f["confidence"].to_numpy(), ground.parameters)))
        )
    every = pl.concat(found).sort("person", "start", "place", "end", "case_person")
    called = contacts(every, rule_set, ground.parameters).filter("call")
    named = called.head(MOST_SECOND)
    met = every.filter(pl.col("person").is_in(named["person"].implode()))
    rows = (
        named.join(_likeliest(met, named), on="person", maintain_order="left")
        .join(_through(met), on="person", maintain_order="left")
        .with_row_index("rank", offset=1)
    )
    steps = {first.person: (person_text(first.person), first.step) for first in firsts}
    documents = [_document(row, case, steps) for row in rows.iter_rows(named=True)]
    return Second(documents, called.height - named.height)


def _likeliest(met: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Each person's likeliest meeting: of the closest tier, the longest, the first."""
    order = ("person", "minutes", "start", "place", "case_person")
    return (
        met.join(named.select("person", closest="tier"), on="person")
        .filter(pl.col("tier") == pl.col("closest"))
        .sort(order, descending=[False, True, False, False, False])
        .unique("person", keep="first", maintain_order=True)
        .select("person", first="case_person", place="place", start="start", end="end")
    )


def _through(met: pl.DataFrame) -> pl.DataFrame:
    """Each person's F1s, rising."""
    return met.group_by("person").agg(through=pl.col("case_person").unique().sort())


def _first(document: Document, isolated: datetime | None) -> First:
    since = min(exposure["start"] for exposure in document["exposures"])
    step = document["path"][1]
    person = person_bits(document["person"])
    return First(person, datetime.fromisoformat(since), document["confidence"], step, isolated)


def _document(
    row: dict[str, Any], case: Document, steps: dict[int, tuple[str, Document]]
) -> Document:
    person = person_text(row["person"])
    first, step = steps[row["first"]]
    return {
        "rank": row["rank"],
        "person": person,
        "tier": row["tier"],
        "minutes": row["minutes"],
        "exposures": row["exposures"],
        "last_exposure": format_timestamp(row["last_exposure"]),
        "confidence": round(row["confidence"], 4),
        "band": row["band"],
        "clauses": row["clauses"],
        "questions": row["questions"],
        "through": [steps[bits][0] for bits in row["through"]],
        "path": [
            case,
            step,
            {"person": first},
            {
                "place": row["place"],
                "start": format_timestamp(row["start"]),
                "end": format_timestamp(row["end"]),
            },
            {"person": person},
        ],
    }
