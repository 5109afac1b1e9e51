"""Cards of persons without a phone: issued, revoked, replaced; and whom one stands for.

Nothing of it goes out on a topic: whom a card stands for is in this table only. A person has at
most one card that is not revoked; rows are never deleted, so they are the history themselves.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from console.store import tables
from console.store.engine import Store, utc_now
from console.store.errors import Conflict, NotFound
from issuer.cards import FIRST_ID, IDS, NUMBER_BITS, card_id
from schemas.ids import person_text

_AT_ONCE: Final = 500  # SQLite takes a bounded number of parameters

# Told the ward of a card that is to be changed, under its lock; raises what the asker is to hear.
Guard = Callable[[str], None]


def anybody(_: str) -> None:
    """The guard of the command line, which has the database itself."""


@dataclass(frozen=True)
class Card:
    """One card. `id` is said on the telephone, `number` is in its code; `key` signed it.

    `version`: which of the person's cards. `batch`, `line`: where it was made among others.
    """

    id: int
    number: int
    person: str
    version: int
    ward: str
    batch: str | None
    line: int | None
    key: str
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    revoked_reason: str | None = None


@dataclass(frozen=True)
class By:
    """Who does it (an account, never a name), and the key that signs from now on."""

    account: str
    key: str


def issue_card(store: Store, person: str, ward: str, by: By) -> tuple[Card, bool]:
    """The person's card, and whether it was made now; one that can be used is left as it is.

    Raises Conflict if that one is of another ward.
    """
    with _alone(), store.write() as connection:
        newest = _newest(connection, person)
        if newest is not None and newest.revoked_at is None:
            if newest.ward != ward:
                raise Conflict(
                    "person: người này đã có thẻ ở xã, phường khác; hãy thay thẻ ở đó. / "
                    "person: this person has a card of another ward: it is replaced there."
                )
            return newest, False
        version = newest.version + 1 if newest else 1
        [card] = _insert(connection, [{"person": person, "version": version}], ward, by)
    return card, True


def issue_batch(store: Store, ward: str, batch: str, count: int, by: By) -> tuple[list[Card], int]:
    """Cards 1 to `count` of this batch of the ward, for persons who are nobody yet; how many of
    them were made now. Asked again it makes those that are missing.
    """
    c = tables.cards.c
    query = select(tables.cards).where(c.ward == ward, c.batch == batch).order_by(c.line)
    with _alone(), store.write() as connection:
        there = [card for card in map(_card, connection.execute(query)) if card.line]
        lines = sorted(set(range(1, count + 1)) - {card.line for card in there})
        new = [
            {"person": person_text(secrets.randbits(64)), "version": 1, "batch": batch, "line": n}
            for n in lines
        ]
        made = _insert(connection, new, ward, by)
    whole = sorted([*there, *made], key=lambda card: card.line or 0)
    return [card for card in whole if (card.line or 0) <= count], len(made)


def revoke_card(
    store: Store, card_id_: int, reason: str, account: str, *, guard: Guard = anybody
) -> Card:
    """The card, refused from now on. Revoked before, it stays as it is. Raises NotFound."""
    with store.write() as connection:
        found = _locked(connection, card_id_)
        guard(found.ward)
        return _revoked(connection, found, reason, account)


def replace_card(
    store: Store, card_id_: int, reason: str, by: By, *, guard: Guard = anybody
) -> tuple[Card, bool]:
    """The person's next card, this one revoked, and whether it was made now.

    Replaced before, it is the card that took its place. Raises NotFound.
    """
    with store.write() as connection:
        found = _locked(connection, card_id_)
        guard(found.ward)
        newest = _newest(connection, found.person)
        assert newest is not None
        if newest.version > found.version and newest.revoked_at is None:
            return newest, False
        _revoked(connection, found, reason, by.account)
        new = {"person": found.person, "version": newest.version + 1}
        [card] = _insert(connection, [new], found.ward, by)
    return card, True


def card_by_id(store: Store, card_id_: int) -> Card | None:
    """The card with these nine digits, or None."""
    found = cards_where(store, select(tables.cards).where(tables.cards.c.id == card_id_))
    return found[0] if found else None


def card_by_number(store: Store, number: int) -> Card | None:
    """The card with this number in its code, or None."""
    return cards_by_number(store, [number]).get(number)


def cards_by_number(store: Store, numbers: Iterable[int]) -> dict[int, Card]:
    """These cards; one that is not there is left out."""
    wanted = sorted(set(numbers))
    found: dict[int, Card] = {}
    with store.read() as connection:
        for begin in range(0, len(wanted), _AT_ONCE):
            some = tables.cards.c.number.in_(wanted[begin : begin + _AT_ONCE])
            rows = connection.execute(select(tables.cards).where(some))
            found |= {row.number: _card(row) for row in rows}
    return found


def cards_of(store: Store, person: str) -> list[Card]:
    """All cards of a person, the first one first."""
    c = tables.cards.c
    query = select(tables.cards).where(c.person == person).order_by(c.version)
    return cards_where(store, query)


def list_cards(
    store: Store,
    wards: Sequence[str] | None = None,
    batch: str | None = None,
    *,
    limit: int,
    after: int = 0,
) -> list[Card]:
    """Cards of these wards (None: all), by id; those of a batch by its lines come with `batch`."""
    c = tables.cards.c
    query = select(tables.cards).where(c.id > after).order_by(c.id).limit(limit)
    if batch is not None:
        query = query.where(c.batch == batch)
    if wards is None:
        return cards_where(store, query)
    found: list[Card] = []
    for begin in range(0, len(wards), _AT_ONCE):
        some = query.where(c.ward.in_(wards[begin : begin + _AT_ONCE]))
        found += cards_where(store, some)
    return sorted(found, key=lambda card: card.id)[:limit]


def cards_in_use(store: Store) -> dict[str, int]:
    """How many cards of each key are not revoked."""
    c = tables.cards.c
    query = select(c.key, func.count()).where(c.revoked_at.is_(None)).group_by(c.key)
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def cards_where(store: Store, query: Select[Any]) -> list[Card]:
    """The cards that a query of the table finds."""
    with store.read() as connection:
        return [_card(row) for row in connection.execute(query)]


@contextmanager
def _alone() -> Iterator[None]:
    """Of two that issue the same at once, the second is told so."""
    try:
        yield
    except IntegrityError:
        raise Conflict(
            "Thẻ này đang được cấp ở nơi khác; hãy gửi lại. / "
            "The same is being issued by another request: send it again."
        ) from None


def _card(row: Row[Any]) -> Card:
    return Card(**row._mapping)


def _locked(connection: Connection, card_id_: int) -> Card:
    query = select(tables.cards).where(tables.cards.c.id == card_id_).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"Không có thẻ {card_id_}. / There is no card {card_id_}.")
    return _card(row)


def _newest(connection: Connection, person: str) -> Card | None:
    c = tables.cards.c
    query = select(tables.cards).where(c.person == person).order_by(c.version.desc()).limit(1)
    row = connection.execute(query.with_for_update()).first()
    return _card(row) if row else None


def _revoked(connection: Connection, card: Card, reason: str, account: str) -> Card:
    if card.revoked_at is not None:
        return card
    change = {"revoked_at": utc_now(), "revoked_by": account, "revoked_reason": reason}
    same = tables.cards.c.id == card.id
    connection.execute(update(tables.cards).where(same).values(change))
    return Card(**{**vars(card), **change})


def _insert(connection: Connection, new: Sequence[dict[str, Any]], ward: str, by: By) -> list[Card]:
    """These cards with numbers of their own, drawn at random and not used yet."""
    c = tables.cards.c
    ids = _fresh(connection, c.id, len(new), lambda: card_id(FIRST_ID + secrets.randbelow(IDS)))
    numbers = _fresh(connection, c.number, len(new), lambda: secrets.randbits(NUMBER_BITS))
    now = utc_now()
    made = [
        Card(
            id=id_,
            number=number,
            person=one["person"],
            version=one["version"],
            ward=ward,
            batch=one.get("batch"),
            line=one.get("line"),
            key=by.key,
            issued_at=now,
            issued_by=by.account,
        )
        for id_, number, one in zip(ids, numbers, new, strict=True)
    ]
    if made:
        connection.execute(insert(tables.cards), [vars(card) for card in made])
    return made


def _fresh(connection: Connection, column: Any, count: int, draw: Any) -> list[int]:
    """So many numbers that differ and that the column does not have."""
    found: set[int] = set()
    while len(found) < count:
        drawn = sorted({draw() for _ in range(min(_AT_ONCE, count - len(found)))} - found)
        taken = set(connection.execute(select(column).where(column.in_(drawn))).scalars())
        found |= set(drawn) - taken
    return list(found)
