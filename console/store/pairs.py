"""Two contacts of a case that may be one person: what a person decided of them."""

from typing import Any

from sqlalchemy import insert, select, update

from console.store import tables
from console.store.case_decisions import joined
from console.store.engine import Store, utc_now
from console.store.errors import Conflict
from console.store.worklist import Guard, Work, locked, put


def decide(
    store: Store,
    case_id: str,
    keep: str,
    other: str,
    same: bool,
    *,
    by: str,
    guard: Guard,
    note: str | None = None,
) -> Work:
    """`other` as it stands then: the same person as `keep`, which is worked in its place, or not.

    Their scans are read as one person's from then on: the case is traced again. Raises NotFound,
    and Conflict if `keep` is itself another's duplicate, or somebody is already `other`'s.
    """
    assert keep != other
    first, second = sorted((keep, other))
    p = tables.contact_pairs.c
    mine = (p.case_id == case_id) & (p.first == first) & (p.second == second)
    with store.write() as connection:
        ward, kept = locked(connection, case_id, keep)
        guard(ward, kept)
        if not same and kept.duplicate_of == other:  # named the other way round
            keep, other = other, keep
        _, before = locked(connection, case_id, other)
        guard(ward, before)
        if same:
            _must_stand(kept.duplicate_of, keep)
            w = tables.contact_work.c
            theirs = select(w.person).where(w.case_id == case_id, w.duplicate_of == other)
            _must_stand(connection.scalar(theirs), other)
        row: dict[str, Any] = {"case_id": case_id, "first": first, "second": second}
        row |= {"same": same, "at": utc_now(), "by": by}
        known = connection.execute(select(p.same).where(mine)).first()
        if known:
            connection.execute(update(tables.contact_pairs).where(mine).values(row))
        else:
            connection.execute(insert(tables.contact_pairs), [row])
        duplicate_of = keep if same else _other_than(before.duplicate_of, keep)
        also = {"pair": [known.same if known else None, {"with": keep, "same": same}]}
        if known and known.same == same and duplicate_of == before.duplicate_of and not note:
            return before
        changes = {"duplicate_of": duplicate_of}
        if same or before.duplicate_of == keep:
            joined(connection, case_id, keep, other, same, by)
        return put(connection, before, changes, by=by, what="pair", note=note, also=also)


def decided(store: Store, case_id: str) -> dict[tuple[str, str], bool]:
    """By pair, in the order of the persons: whether they are the same."""
    p = tables.contact_pairs.c
    with store.read() as connection:
        rows = connection.execute(select(p.first, p.second, p.same).where(p.case_id == case_id))
        return {(row.first, row.second): row.same for row in rows}


def _must_stand(with_whom: str | None, person: str) -> None:
    if with_whom is not None:
        raise Conflict(
            f"{person} đã được gộp với {with_whom}. / {person} is joined with {with_whom} already."
        )


def _other_than(duplicate_of: str | None, keep: str) -> str | None:
    return None if duplicate_of == keep else duplicate_of
