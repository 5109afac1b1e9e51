"""Lists of establishments that must have codes: their entries, and the sites registered for them.

A list read again is the same list: what is new is added, what changed is changed, what it names
no longer is exempt for that reason. What a person decided about an entry stays.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from console.store import outbox, tables
from console.store.engine import Store, utc_now
from console.store.errors import Conflict, NotFound
from console.store.outbox import Entry
from console.store.required_reading import GONE, Needed, entries_of, entry_of, extent, list_of
from schemas.coverage import RequiredList, Requirement, required_list_key, requirement_key
from schemas.topics import COVERAGE

_AT_ONCE: Final = 500  # SQLite takes a bounded number of parameters
_CHUNK: Final = 2_000

# Told a ward and a sector of what is to be changed; raises what the asker is to hear.
Guard = Callable[[str, str], None]
_SAID: Final = ("name", "address", "ward", "kind", "sector")


def anybody(_ward: str, _sector: str) -> None:
    """The guard of the command line, which has the database itself."""


def import_list(
    store: Store,
    about: RequiredList,
    entries: Sequence[Needed],
    by: str,
    on_progress: Callable[[int], None] | None = None,
    guard: Guard = anybody,
) -> int:
    """The list with these entries; how many were new or changed.

    A few thousand at a time; interrupted, call it again. Raises Conflict if what is known of the
    list is of a later day.
    """
    for pair in {(entry.ward, entry.sector) for entry in entries}:
        guard(*pair)
    with store.write() as connection:
        before = _list(connection, about.id)
        for pair in extent(connection, about.id):
            guard(*pair)
        if before is not None and before.as_of > about.as_of:
            raise Conflict(
                f"Danh sách {about.id} đã có bản ngày {before.as_of:%d/%m/%Y}. / "
                f"The list {about.id} is already known as of {before.as_of}."
            )
        _put_list(connection, about, before, by)
    changed = 0
    for begin in range(0, len(entries), _CHUNK):
        with store.write() as connection:
            changed += _put(connection, about.id, entries[begin : begin + _CHUNK], by)
        if on_progress:
            on_progress(min(begin + _CHUNK, len(entries)))
    _without(store, about.id, {entry.entry for entry in entries}, by)
    return changed


def link(
    store: Store,
    links: Sequence[tuple[str, str, int | None]],
    by: str,
    guard: Guard = anybody,
) -> int:
    """(list, entry, site registered for it, None for none); how many changed.

    Raises NotFound that names an entry or site that is not there.
    """
    changed = 0
    for begin in range(0, len(links), _AT_ONCE):
        with store.write() as connection:
            some = links[begin : begin + _AT_ONCE]
            _must_be_there(connection, {site for _, _, site in some if site is not None})
            rows = []
            for list_id, entry, site in some:
                row = entry_of(connection, list_id, entry)
                guard(row.ward, row.sector)
                if row.site != site:
                    rows.append(row._asdict() | {"site": site})
            _update(connection, rows, by)
            changed += len(rows)
    return changed


def exempt(
    store: Store,
    list_id: str,
    entry: str,
    reason: str | None,
    by: str,
    guard: Guard = anybody,
) -> None:
    """That this entry needs no code, and why; None: it needs one after all. Raises NotFound."""
    with store.write() as connection:
        row = entry_of(connection, list_id, entry)
        guard(row.ward, row.sector)
        if row.exempt_reason != reason:
            _update(connection, [row._asdict() | {"exempt_reason": reason}], by)


def withdraw(store: Store, list_id: str, by: str, guard: Guard = anybody) -> RequiredList:
    """The list, which no longer counts. Raises NotFound."""
    with store.write() as connection:
        before = _list(connection, list_id)
        if before is None:
            raise NotFound(f"Không có danh sách {list_id}. / There is no list {list_id}.")
        for pair in extent(connection, list_id):
            guard(*pair)
        after = before.model_copy(update={"withdrawn": True})
        return _put_list(connection, after, before, by)


def follow_merge(connection: Connection, site: int, into: int, by: str) -> None:
    """The entries of a site that was merged into another are that other's."""
    r = tables.required.c
    rows = connection.execute(select(tables.required).where(r.site == site)).all()
    _update(connection, [row._asdict() | {"site": into} for row in rows], by)


def _put(connection: Connection, list_id: str, entries: Sequence[Needed], by: str) -> int:
    now = utc_now()
    known = entries_of(connection, list_id, [entry.entry for entry in entries])
    new: dict[str, dict[str, Any]] = {}
    changed = []
    for entry in entries:
        said = {name: getattr(entry, name) for name in _SAID}
        row = known.get(entry.entry)
        if row is None:
            new[entry.entry] = said | {
                "list": list_id, "entry": entry.entry, "version": 1, "site": None,
                "exempt_reason": None, "changed_at": now, "changed_by": by,
            }  # fmt: skip
            continue
        before = row._asdict()
        back = {"exempt_reason": None} if before["exempt_reason"] == GONE else {}
        if before != before | said | back:
            changed.append(before | said | back)
    if new:
        connection.execute(insert(tables.required), list(new.values()))
        _publish(connection, list(new.values()))
    _update(connection, changed, by)
    return len(new) + len(changed)


def _without(store: Store, list_id: str, named: set[str], by: str) -> None:
    r = tables.required.c
    query = select(r.entry).where(r.list == list_id, r.exempt_reason.is_(None))
    with store.read() as connection:
        gone = [entry for entry in connection.execute(query).scalars() if entry not in named]
    for begin in range(0, len(gone), _AT_ONCE):
        with store.write() as connection:
            rows = entries_of(connection, list_id, gone[begin : begin + _AT_ONCE]).values()
            _update(connection, [row._asdict() | {"exempt_reason": GONE} for row in rows], by)


def _update(connection: Connection, rows: list[dict[str, Any]], by: str) -> None:
    if not rows:
        return
    now, r = utc_now(), tables.required.c
    rows = [
        row | {"version": row["version"] + 1, "changed_at": now, "changed_by": by} for row in rows
    ]
    change = update(tables.required).where(
        r.list == bindparam("key_list"), r.entry == bindparam("key_entry")
    )
    connection.execute(
        change, [row | {"key_list": row["list"], "key_entry": row["entry"]} for row in rows]
    )
    _publish(connection, rows)


def _publish(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    outbox.append(connection, [requirement_entry(row) for row in rows], utc_now())


def requirement_entry(row: Mapping[str, Any]) -> Entry:
    """The record on `coverage.v1` of a row of `required`."""
    one = Requirement(
        list=row["list"],
        entry=row["entry"],
        version=row["version"],
        ward=row["ward"],
        kind=row["kind"],
        sector=row["sector"],
        site=row["site"],
        exempt=row["exempt_reason"] is not None,
    )
    value = one.model_dump_json(exclude_none=True).encode()
    return Entry(COVERAGE.name, requirement_key(one.list, one.entry), value)


def list_entry(about: RequiredList) -> Entry:
    """A list's record on `coverage.v1`."""
    return Entry(COVERAGE.name, required_list_key(about.id), about.model_dump_json().encode())


def _list(connection: Connection, list_id: str) -> RequiredList | None:
    query = select(tables.required_lists).where(tables.required_lists.c.id == list_id)
    row = connection.execute(query.with_for_update()).first()
    return list_of(row) if row else None


def _put_list(
    connection: Connection, about: RequiredList, before: RequiredList | None, by: str
) -> RequiredList:
    if before is not None and before == about.model_copy(update={"version": before.version}):
        return before
    after = about.model_copy(update={"version": before.version + 1 if before else 1})
    now = utc_now()
    row = after.model_dump() | {"imported_at": now, "imported_by": by}
    if before is None:
        connection.execute(insert(tables.required_lists), [row])
    else:
        same = tables.required_lists.c.id == about.id
        connection.execute(update(tables.required_lists).where(same).values(row))
    outbox.append(connection, [list_entry(after)], now)
    return after


def _must_be_there(connection: Connection, sites: set[int]) -> None:
    s = tables.sites.c
    there = set(connection.execute(select(s.id).where(s.id.in_(sites))).scalars())
    if missing := sorted(sites - there):
        raise NotFound(f"Không có cơ sở {missing[0]}. / There is no site {missing[0]}.")
