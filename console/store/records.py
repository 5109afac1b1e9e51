"""Everything that the compacted topics carry, as the tables have it now.

For a Kafka that has lost them. Each record at the version that it has: whoever knows a newer one
ignores it, and the relay, which must not publish meanwhile, goes on from here.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select

from console.store import tables
from console.store.cases import Change, case_event, read_case
from console.store.engine import Store
from console.store.erasures import erasure_entry, the_list
from console.store.outbox import Entry
from console.store.postings import posting_entry, posting_of
from console.store.producers import list_producers, producer_entry
from console.store.required import list_entry, requirement_entry
from console.store.required_reading import lists
from console.store.rows import site_entries, site_of
from console.store.sites import places
from schemas.cases import Case, CaseStatus

_ENDS: dict[CaseStatus, Change] = {CaseStatus.CLOSED: "closed", CaseStatus.VOIDED: "voided"}


def everything(store: Store, now: datetime) -> Iterator[Entry]:
    """All of it; what points to something comes after it."""
    with store.read() as connection:
        for row in connection.execute(select(tables.sites).order_by(tables.sites.c.id)):
            yield from site_entries([site_of(row)], [])
    for place in places(store):
        yield from site_entries([], [place])
    for producer in list_producers(store):
        yield producer_entry(producer)
    for standing in lists(store):
        yield list_entry(standing.list)
    with store.read() as connection:
        for row in connection.execute(select(tables.required)):
            yield requirement_entry(dict(row._mapping))
        for row in connection.execute(select(tables.postings)):
            yield posting_entry(posting_of(row))
    for erasure in the_list(store):
        yield erasure_entry(erasure)
    for case in all_cases(store):
        yield case_event(case, _ENDS.get(case.status, _begun(case)), now)


def all_cases(store: Store) -> list[Case]:
    """Every case, in the order in which they were registered."""
    query = select(tables.cases).order_by(tables.cases.c.registered_at, tables.cases.c.id)
    with store.read() as connection:
        return [read_case(row) for row in connection.execute(query)]


def _begun(case: Case) -> Change:
    return "registered" if case.version == 1 else "amended"
