"""The history of sites and places: who, when, why, and each field before and after.

It is only added to. A site that came of an officer's list has a row for its first version: who
registered it, from which list. What a code's token is stands in the code itself, not here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from console.store import tables
from console.store.engine import Store
from schemas.places import Place, Site

Record = Site | Place


class What(StrEnum):
    """The kind of a change."""

    REGISTER = "register"
    EDIT = "edit"
    TRIPS = "trips"
    REGROUP = "regroup"
    CLOSE = "close"
    MERGE = "merge"
    ISSUE = "issue"
    ROTATE = "rotate"
    REVOKE = "revoke"
    CODES = "codes"


@dataclass(frozen=True)
class Why:
    """Who makes a change (an account, never a person's name), which, and their note."""

    by: str
    what: What
    note: str | None = None


BY_PROGRAM: Final = Why("program", What.CODES)


@dataclass(frozen=True)
class Step:
    """One change. `before` and `after` have the fields that differ; codes by their version."""

    version: int
    at: datetime
    by: str
    what: str
    before: dict[str, Any]
    after: dict[str, Any]
    note: str | None


def remember(
    connection: Connection, changes: Sequence[tuple[Record, Record]], why: Why, at: datetime
) -> None:
    """Add a step for each of these changes, each to the next version."""
    rows = []
    for before, after in changes:
        was, became = difference(before, after)
        rows.append(
            {
                "entity": entity_of(after),
                "id": after.id,
                "version": after.version,
                "at": at,
                "by": why.by,
                "what": why.what.value,
                "before": was,
                "after": became,
                "note": why.note,
            }
        )
    if rows:
        connection.execute(insert(tables.site_history), rows)


def remember_new(connection: Connection, sites: Sequence[Site], why: Why, at: datetime) -> None:
    """Add the first step of each of these sites."""
    rows: list[dict[str, Any]] = [
        {
            "entity": "site",
            "id": site.id,
            "version": site.version,
            "at": at,
            "by": why.by,
            "what": why.what.value,
            "before": {},
            "after": {},
            "note": why.note,
        }
        for site in sites
    ]
    if rows:
        connection.execute(insert(tables.site_history), rows)


def steps(store: Store, entity: str, number: int) -> list[Step]:
    """All changes of this `site` or `place`, the oldest first."""
    h = tables.site_history.c
    query = (
        select(h.version, h.at, h.by, h.what, h.before, h.after, h.note)
        .where(h.entity == entity, h.id == number)
        .order_by(h.version)
    )
    with store.read() as connection:
        return [Step(*row) for row in connection.execute(query)]


def entity_of(record: Record) -> str:
    """`site` or `place`."""
    return "place" if isinstance(record, Place) else "site"


def difference(before: Record, after: Record) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as they were and as they became; null: there was, or is, none."""
    was, became = _plain(before), _plain(after)
    names = [name for name in was | became if was.get(name) != became.get(name)]
    return {name: was.get(name) for name in names}, {name: became.get(name) for name in names}


def _plain(record: Record) -> dict[str, Any]:
    """Codes by their version and trips by their name, so that one changes alone."""
    fields = record.model_dump(mode="json", exclude={"id", "version", "codes", "trips"})
    if isinstance(record, Place):
        for trip in record.trips:
            fields[f"trip {trip.id}"] = trip.model_dump(mode="json", exclude={"id"})
        for code in record.codes:
            rest = code.model_dump(mode="json", exclude={"version", "token"}, exclude_none=True)
            fields[f"code {code.version}"] = rest
    return fields
