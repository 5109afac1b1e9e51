"""What is known of posters: duty person named, printed, posted, inspected.

A fact is remembered with its time, and the newest counts: said late or twice, it changes nothing.
A change goes out on `coverage.v1`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from console.store import outbox, tables
from console.store.engine import utc_now
from console.store.outbox import Entry
from console.store.sites import locked_places
from schemas.coverage import Fact, Posting, posting_key
from schemas.topics import COVERAGE

_AT_ONCE = 500  # SQLite takes a bounded number of parameters


@dataclass(frozen=True)
class Mark:
    """One fact of a place. `code_version`: of the poster meant, None if it is not known.

    `good`, of an inspection: whether a poster of this place was there that can be used.
    """

    place: int
    fact: Fact
    at: datetime
    code_version: int | None = None
    good: bool | None = None


def mark(connection: Connection, marks: Sequence[Mark]) -> list[Posting]:
    """Remember these facts and publish what changed; the postings that did, by place.

    Raises NotFound for a place that is not there.
    """
    places = sorted({one.place for one in marks})
    locked_places(connection, places)
    known = postings(connection, places)
    before = {place: known.get(place) or Posting(place=place) for place in places}
    after = dict(before)
    for one in sorted(marks, key=lambda one: one.at):
        after[one.place] = with_mark(after[one.place], one)
    changed = [
        posting.model_copy(update={"version": posting.version + (place in known)})
        for place, posting in after.items()
        if posting != before[place]
    ]
    _write(connection, changed, known)
    return changed


def with_mark(posting: Posting, one: Mark) -> Posting:
    """The posting with this fact, unless what it knows of the fact is as new."""
    fact = one.fact.value
    last: datetime | None = getattr(posting, f"{fact}_at")
    if last is not None and last >= one.at:
        return posting
    changes: dict[str, Any] = {f"{fact}_at": one.at}
    if one.fact is not Fact.DUTY:
        changes[f"{fact}_version"] = one.code_version
    if one.fact is Fact.INSPECTED:
        changes["inspected_good"] = one.good
    return posting.model_copy(update=changes)


def postings(connection: Connection, places: Sequence[int]) -> dict[int, Posting]:
    """What is known of these places' posters; a place of which nothing is, is left out."""
    found = {}
    for begin in range(0, len(places), _AT_ONCE):
        some = tables.postings.c.place.in_(places[begin : begin + _AT_ONCE])
        for row in connection.execute(select(tables.postings).where(some)):
            found[row.place] = posting_of(row)
    return found


def posting_entry(posting: Posting) -> Entry:
    """Its record on `coverage.v1`."""
    value = posting.model_dump_json(exclude_none=True).encode()
    return Entry(COVERAGE.name, posting_key(posting.place), value)


def posting_of(row: Row[Any]) -> Posting:
    """A posting from its row."""
    return Posting.model_validate(dict(row._mapping))


def _write(connection: Connection, changed: list[Posting], known: Iterable[int]) -> None:
    there = set(known)
    rows = {posting.place: posting.model_dump() for posting in changed}
    if new := [row for place, row in rows.items() if place not in there]:
        connection.execute(insert(tables.postings), new)
    if old := [row | {"key": place} for place, row in rows.items() if place in there]:
        place = tables.postings.c.place
        connection.execute(update(tables.postings).where(place == bindparam("key")), old)
    entries = [posting_entry(posting) for posting in changed]
    outbox.append(connection, entries, utc_now())
