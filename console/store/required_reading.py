"""Reading the lists of establishments that must have codes, and how their entries stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from console.store import tables
from console.store.engine import Store
from console.store.errors import NotFound
from schemas.coverage import RequiredList
from schemas.places import Status

GONE: Final = "not on the list any more"  # why an entry is exempt when its list forgets it
_AT_ONCE: Final = 500  # SQLite takes a bounded number of parameters
# The site registered for an entry, as long as it is open: coverage counts no other.
_R, _S = tables.required, tables.sites
_OPEN: Final = _R.outerjoin(_S, (_S.c.id == _R.c.site) & (_S.c.status != Status.CLOSED))
_ENTRIES: Final[Select[Any]] = select(
    *(column for column in _R.c if column.name != "site"), _S.c.id.label("site")
).select_from(_OPEN)


class State(StrEnum):
    """Where an entry of a list stands."""

    UNLINKED = "unlinked"
    LINKED = "linked"
    EXEMPT = "exempt"


@dataclass(frozen=True)
class Needed:
    """An entry as its list says it. `entry`: what the list calls it, at most 256 characters."""

    entry: str
    name: str
    address: str | None
    ward: str
    kind: str
    sector: str


@dataclass(frozen=True)
class Standing(Needed):
    """An entry as it stands: the open site registered for it, or why it needs none."""

    list: str
    site: int | None
    exempt_reason: str | None


@dataclass(frozen=True)
class ListStanding:
    """A list and how many of its entries count, and have an open site."""

    list: RequiredList
    imported_at: datetime
    counted: int
    linked: int


def lists(store: Store) -> list[ListStanding]:
    """All lists, by id."""
    r = tables.required.c
    counts = select(r.list, func.count(), func.count(_S.c.id)).select_from(_OPEN)
    counts = counts.where(r.exempt_reason.is_(None))
    with store.read() as connection:
        rows = connection.execute(
            select(tables.required_lists).order_by(tables.required_lists.c.id)
        )
        counted = {row[0]: (row[1], row[2]) for row in connection.execute(counts.group_by(r.list))}
        return [
            ListStanding(list_of(row), row.imported_at, *counted.get(row.id, (0, 0)))
            for row in rows
        ]


def unregistered(
    store: Store,
    wards: Sequence[str] | None,
    *,
    limit: int,
    after: tuple[str, str] = ("", ""),
    list_id: str | None = None,
    sector: str | None = None,
    kind: str | None = None,
) -> list[Standing]:
    """Entries of lists that count, in these wards (None: all), without an open site, in order."""
    r, lists_ = tables.required.c, tables.required_lists.c
    query = (
        _ENTRIES.join(tables.required_lists, lists_.id == r.list)
        .where(_S.c.id.is_(None), r.exempt_reason.is_(None), lists_.withdrawn.is_(False))
        .where((r.list > after[0]) | ((r.list == after[0]) & (r.entry > after[1])))
        .order_by(r.list, r.entry)
        .limit(limit)
    )
    if list_id is not None:
        query = query.where(r.list == list_id)
    with store.read() as connection:
        found = connection.execute(_among(query, wards, sector, kind))
        return [_standing(row) for row in found]


def entries(
    store: Store,
    list_id: str,
    wards: Sequence[str] | None,
    *,
    limit: int,
    after: str = "",
    state: State | None = None,
    sector: str | None = None,
    kind: str | None = None,
) -> list[Standing]:
    """A list's entries after this one, in these wards (None: all), in their order; a withdrawn
    list's too. Raises NotFound if there is no such list."""
    r = tables.required.c
    query = _ENTRIES.where(r.list == list_id, r.entry > after)
    match state:
        case State.UNLINKED:
            query = query.where(_S.c.id.is_(None), r.exempt_reason.is_(None))
        case State.LINKED:
            query = query.where(_S.c.id.is_not(None), r.exempt_reason.is_(None))
        case State.EXEMPT:
            query = query.where(r.exempt_reason.is_not(None))
    query = _among(query, wards, sector, kind).order_by(r.entry).limit(limit)
    there = select(tables.required_lists.c.id).where(tables.required_lists.c.id == list_id)
    with store.read() as connection:
        if connection.execute(there).first() is None:
            raise NotFound(f"Không có danh sách {list_id}. / There is no list {list_id}.")
        return [_standing(row) for row in connection.execute(query)]


def _among(
    query: Select[Any], wards: Sequence[str] | None, sector: str | None, kind: str | None
) -> Select[Any]:
    r = tables.required.c
    if wards is not None:
        query = query.where(r.ward.in_(wards))
    if sector is not None:
        query = query.where(r.sector == sector)
    if kind is not None:
        query = query.where(r.kind == kind)
    return query


def standing(store: Store, list_id: str, entry: str) -> Standing:
    """One entry. Raises NotFound."""
    r = tables.required.c
    with store.read() as connection:
        entry_of(connection, list_id, entry)
        query = _ENTRIES.where(r.list == list_id, r.entry == entry)
        return _standing(connection.execute(query).one())


def whole_entry(store: Store, list_id: str, beginning: str) -> str:
    """The one entry of the list that begins so. Raises NotFound for none, and for several."""
    r = tables.required.c
    query = select(r.entry).where(r.list == list_id, r.entry.startswith(beginning)).limit(2)
    with store.read() as connection:
        found = list(connection.execute(query).scalars())
    if len(found) != 1:
        many = bool(found)
        raise NotFound(
            f"Danh sách {list_id} {'có nhiều mục' if many else 'không có mục nào'} bắt đầu bằng "
            f"{beginning}. / The list {list_id} has {'several entries' if many else 'no entry'} "
            f"beginning with {beginning}."
        )
    return str(found[0])


def extent(connection: Connection, list_id: str) -> list[tuple[str, str]]:
    """The (ward, sector) pairs that the list's entries have: who has not all of them, may not
    replace or withdraw it."""
    r = tables.required.c
    query = select(r.ward, r.sector).where(r.list == list_id).distinct()
    return [(row.ward, row.sector) for row in connection.execute(query)]


def entries_of(connection: Connection, list_id: str, keys: Sequence[str]) -> dict[str, Row[Any]]:
    """The rows of these entries of a list, by entry; what is not there is left out."""
    r = tables.required.c
    found: dict[str, Row[Any]] = {}
    for begin in range(0, len(keys), _AT_ONCE):
        some = r.entry.in_(keys[begin : begin + _AT_ONCE])
        rows = connection.execute(select(tables.required).where(r.list == list_id, some))
        found |= {row.entry: row for row in rows}
    return found


def entry_of(connection: Connection, list_id: str, entry: str) -> Row[Any]:
    """The row of one entry. Raises NotFound."""
    rows = entries_of(connection, list_id, [entry])
    if entry not in rows:
        raise NotFound(
            f"Danh sách {list_id} không có mục {entry}. / The list {list_id} has no entry {entry}."
        )
    return rows[entry]


def list_of(row: Row[Any]) -> RequiredList:
    """A list from its row."""
    return RequiredList.model_validate(row._asdict())


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        row.entry, row.name, row.address, row.ward, row.kind, row.sector, row.list, row.site,
        row.exempt_reason,
    )  # fmt: skip
