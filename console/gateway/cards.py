"""A scan of a card: its person put in the card's place, before anything goes out.

What a guard's device posts has `card` where other scans have `person`. Here, and nowhere else, a
card becomes a person: the topic never has the card, and no answer the person. Only a producer
whose registration names the method `card` may post such scans.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import orjson

from console.gateway.body import CARD_FIELD, Line
from console.gateway.judge import refusal
from console.gateway.schemas import CARD_SENTENCES, CardReason, RefusedScan
from console.store.cards import Card, cards_by_number
from console.store.engine import Store
from console.store.producers import producer as registered
from issuer.cards import card_from_text, verified_number
from issuer.codes import BadToken
from issuer.keyring import KeyRing
from schemas.places import Producer
from schemas.reasons import SENTENCES, Reason
from schemas.scan import EVENT_ID_PATTERN, MAX_SCAN_BYTES, Method, format_timestamp

KNOWN_S: Final = 1.0  # a revoked card is accepted for at most this long
_KNOWN_MOST: Final = 10_000
_EVENT_ID: Final = re.compile(EVENT_ID_PATTERN)


class CardRoom:
    """Looks cards up, and remembers those it found for a second. For use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._known: OrderedDict[int, tuple[float, Card]] = OrderedDict()

    def producer(self, producer_id: str) -> Producer | None:
        """The producer as it is registered."""
        return registered(self._store, producer_id)

    def find(self, numbers: Collection[int]) -> dict[int, Card]:
        """These cards; one that was never issued is left out. Blocking."""
        now = time.monotonic()
        with self._lock:
            remembered = {n: self._known[n] for n in numbers if n in self._known}
        found = {n: card for n, (until, card) in remembered.items() if until > now}
        looked_up = cards_by_number(self._store, set(numbers) - found.keys())
        with self._lock:
            for number, card in looked_up.items():
                self._known[number] = (now + KNOWN_S, card)
                self._known.move_to_end(number)
            while len(self._known) > _KNOWN_MOST:
                self._known.popitem(last=False)
        return found | looked_up


@dataclass(frozen=True)
class Resolved:
    """The lines to judge, those of cards with their persons, and those that are refused."""

    lines: list[Line]
    refused: list[RefusedScan]


class _Refused(Exception):
    """This line is not published; `about` is the reason, its words, and what is wrong."""

    def __init__(self, reason: Reason | CardReason, words: tuple[str, str], detail: str) -> None:
        super().__init__(detail)
        self.about = (reason, words, detail)


def resolve(lines: Sequence[Line], producer: str, ring: KeyRing, room: CardRoom) -> Resolved:
    """Each line of a card as a scan of its person, or refused; all others as they came. Blocking.

    What is wrong with a line besides its card is left to `judge`.
    """
    scans = {at: scan for at, (_, value) in enumerate(lines) if (scan := _of_card(value))}
    if not scans:
        return Resolved(list(lines), [])
    admitted = _admitted(room.producer(producer))
    numbers: dict[int, int] = {}
    kept: dict[int, bytes] = {}
    refused: dict[int, _Refused] = {}
    for at, scan in scans.items():
        try:
            numbers[at] = _number(scan, producer, admitted, ring)
        except _Refused as error:
            refused[at] = error
    cards = room.find(set(numbers.values()))
    for at, number in numbers.items():
        try:
            kept[at] = _of_person(scans[at], cards.get(number))
        except _Refused as error:
            refused[at] = error
    return Resolved(
        [(n, kept.get(at, value)) for at, (n, value) in enumerate(lines) if at not in refused],
        [refusal(lines[at][0], _event_id(scans[at]), *e.about) for at, e in refused.items()],
    )


def _of_card(value: bytes) -> dict[str, Any] | None:
    """The scan if it is one of a card; what cannot be read is judged as all else."""
    if len(value) > MAX_SCAN_BYTES or not CARD_FIELD.search(value):
        return None
    try:
        scan = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return scan if isinstance(scan, dict) and "card" in scan else None


def _admitted(producer: Producer | None) -> bool:
    """Whether its registration names cards: one for every method was not thought of as a guard."""
    return producer is not None and producer.active and Method.CARD in (producer.methods or ())


def _number(scan: dict[str, Any], producer: str, admitted: bool, ring: KeyRing) -> int:
    """The number of the card, which one of our keys made. Raises _Refused."""
    if scan.get("producer") != producer:
        raise _of_form(Reason.PRODUCER_NOT_ALLOWED, f"producer: the key belongs to {producer}")
    if not admitted:
        raise _of_form(Reason.PRODUCER_NOT_ALLOWED, "method: not registered to scan cards")
    if "person" in scan:
        raise _of_form(Reason.WRONG_SCHEMA, "card: a scan has a person or a card, not both")
    if scan.get("method") != Method.CARD:
        raise _of_form(Reason.WRONG_SCHEMA, "method: a scan of a card has the method card")
    if not isinstance(scan["card"], str):
        raise _of_form(Reason.WRONG_SCHEMA, "card: a text")
    try:
        number = verified_number(ring, card_from_text(scan["card"]))
    except BadToken as error:
        raise _of_state(CardReason.UNKNOWN_CARD, f"card: {error}") from None
    if number is None:
        raise _of_state(CardReason.UNKNOWN_CARD, "card: none of our keys made it")
    return number


def _of_person(scan: dict[str, Any], card: Card | None) -> bytes:
    """The scan as it goes out. A revocation counts from its moment on, as that of a code."""
    if card is None:
        raise _of_state(CardReason.UNKNOWN_CARD, "card: it was never issued here")
    # times of this form compare as texts; one of another form is `judge`'s to refuse
    if card.revoked_at and str(scan.get("scanned_at")) >= format_timestamp(card.revoked_at):
        raise _of_state(CardReason.REVOKED_CARD, "card: revoked before it was scanned")
    rest = {name: value for name, value in scan.items() if name != "card"}
    return orjson.dumps(rest | {"person": card.person})


def _of_form(reason: Reason, detail: str) -> _Refused:
    return _Refused(reason, SENTENCES[reason], detail)


def _of_state(reason: CardReason, detail: str) -> _Refused:
    return _Refused(reason, CARD_SENTENCES[reason], detail)


def _event_id(scan: dict[str, Any]) -> str | None:
    event_id = scan.get("event_id")
    if isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id):
        return event_id.lower()
    return None
