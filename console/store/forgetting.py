"""What the relational database has of a person, taken away; open cases keep what they need.

Of an ended case the case itself stays, for its numbers: in the place of the person there is nobody.
"""

from collections import Counter
from collections.abc import Set
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Table, cast, delete, or_, select, update
from sqlalchemy.types import Text

from console.store import tables
from console.store.cases import changed, read_case
from schemas.cases import LISTS, OPEN_STATUSES, Case
from schemas.erasures import NOBODY
from schemas.topics import CASES

_OF_CONTACTS: Final = (
    tables.contact_handovers, tables.contact_visits, tables.contact_history, tables.contact_work,
)  # fmt: skip
_HISTORIES: Final = (tables.case_history, tables.contact_history)
_NOTE: Final = "erasure"


def statuses(connection: Connection) -> dict[str, str]:
    """The status of every case."""
    c = tables.cases.c
    return {row.id: row.status for row in connection.execute(select(c.id, c.status))}


def cases_with(connection: Connection, person: str) -> set[str]:
    """Cases that have anything of the person."""
    c, pairs = tables.cases.c, tables.contact_pairs.c
    queries = [
        *(select(table.c.case_id).where(table.c.person == person) for table in _OF_CONTACTS),
        select(pairs.case_id).where(or_(pairs.first == person, pairs.second == person)),
        select(c.id).where(or_(c.person == person, *(_in(c[name], person) for name in LISTS))),
    ]
    return {case for query in queries for case in connection.scalars(query)}


def forget(connection: Connection, person: str, kept: Set[str], by: str) -> Counter[str]:
    """Take away what is not of these cases; rows by table."""
    removed: Counter[str] = Counter()
    ended = _ended(connection, cases_with(connection, person) - kept)
    removed["cards"] += _deleted(connection, tables.cards, tables.cards.c.person == person)
    for case in sorted(ended):
        for table in _OF_CONTACTS:
            here = (table.c.case_id == case) & (table.c.person == person)
            removed[table.name] += _deleted(connection, table, here)
        pairs = tables.contact_pairs.c
        of_pair = (pairs.case_id == case) & or_(pairs.first == person, pairs.second == person)
        removed["contact_pairs"] += _deleted(connection, tables.contact_pairs, of_pair)
        work = tables.contact_work
        connection.execute(
            update(work)
            .where(work.c.case_id == case, work.c.duplicate_of == person)
            .values(duplicate_of=None)
        )
        removed["case_venues"] += _venues(connection, case, person)
        removed["cases"] += _unname(connection, case, person, by)
        for history in _HISTORIES:
            removed[history.name] += _scrub(connection, history, case, person)
    removed["outbox"] += _published(connection, person)
    return +removed


def _ended(connection: Connection, cases: Set[str]) -> set[str]:
    """Those of these that are not open, their rows locked: somebody may just have opened one again.
    One that the database does not have is another system's, and ended."""
    c = tables.cases.c
    query = select(c.id, c.status).where(c.id.in_(sorted(cases))).with_for_update()
    rows = connection.execute(query)
    return set(cases) - {row.id for row in rows if row.status in OPEN_STATUSES}


def _unname(connection: Connection, case_id: str, person: str, by: str) -> int:
    """A new version of the ended case, without the person, on its way to `cases.v1`."""
    row = connection.execute(select(tables.cases).where(tables.cases.c.id == case_id)).first()
    if row is None:
        return 0
    before = read_case(row)
    assert before.status not in OPEN_STATUSES
    changes: dict[str, Any] = {name: _without(before, name, person) for name in LISTS[1:]}
    changes["same"] = tuple(s for s in before.same if person not in (s.person, s.of))
    if before.person == person:
        changes["person"] = NOBODY
    return int(changed(connection, before, changes, "amended", by, _NOTE) is not before)


def _venues(connection: Connection, case_id: str, person: str) -> int:
    """Where the person of the case was, in words."""
    c = tables.cases.c
    whose = connection.scalar(select(c.person).where(c.id == case_id))
    of_case = tables.case_venues.c.case_id == case_id
    return _deleted(connection, tables.case_venues, of_case) if whose == person else 0


def _without(case: Case, name: str, person: str) -> tuple[Any, ...]:
    return tuple(entry for entry in getattr(case, name) if entry.person != person)


def _scrub(connection: Connection, history: Table, case: str, person: str) -> int:
    """Who is named in past changes becomes nobody."""
    c = history.c
    query = select(history).where(c.case_id == case, _in(c.changes, person))
    rows = connection.execute(query).all()
    for row in rows:
        text = orjson.dumps(row.changes).replace(person.encode(), NOBODY.encode())
        keys = [key == row._mapping[key.name] for key in history.primary_key.columns]
        connection.execute(update(history).where(*keys).values(changes=orjson.loads(text)))
    return len(rows)


def _published(connection: Connection, person: str) -> int:
    """Events that went out already and say something of the person."""
    o = tables.outbox.c
    query = select(o.id, o.value).where(o.topic == CASES.name, o.published_at.is_not(None))
    found = [row.id for row in connection.execute(query) if person.encode() in row.value]
    for number in found:
        connection.execute(delete(tables.outbox).where(o.id == number))
    return len(found)


def _in(column: Any, person: str) -> Any:
    return cast(column, Text).contains(person)


def _deleted(connection: Connection, table: Table, where: Any) -> int:
    return connection.execute(delete(table).where(where)).rowcount
