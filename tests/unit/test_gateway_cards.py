"""Scans of cards at the gateway: a person goes out, never a card; only from a guard's device."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.gateway.cards import KNOWN_S, CardRoom
from console.store.cards import By, Card, issue_batch, issue_card, replace_card, revoke_card
from console.store.keys import Role
from console.store.producers import put_producer
from issuer.cards import card_text
from issuer.codes import issue
from issuer.keyring import KeyRing
from schemas.places import Producer
from schemas.scan import Method, Scan
from tests.console_kit import PERSON, RING, WARD, Running, running
from tests.unit.test_console_gateway import EVENT, SCAN, counted, post

BY = By("key/1", "1")
OTHER = KeyRing.parse("9:" + "77" * 32)
GUARD = Producer(id="gate-1", name="Cổng 1", methods=(Method.CARD, Method.STAFF))


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, code_keys="1:" + "5a" * 32) as console:
        put_producer(console.store, GUARD)
        console.client.headers.update(console.key(Role.PRODUCER, producer="gate-1"))
        yield console


def new_card(console: Running, person: str = PERSON) -> Card:
    return issue_card(console.store, person, WARD, BY)[0]


def text_of(card: Card) -> str:
    return card_text(RING.keys[0], card.number)


def scan_of(text: object, **changes: Any) -> dict[str, Any]:
    scan = {name: value for name, value in SCAN.items() if name != "person"}
    return scan | {"card": text, "method": "card"} | changes


def refused(console: Running, scan: dict[str, Any]) -> tuple[str, str]:
    answer = post(console, orjson.dumps(scan))
    assert answer.status_code == 422, answer.json()
    [one] = answer.json()["refused"]
    assert console.broker.records == []
    assert one["sentence"]["vi"]
    assert one["sentence"]["en"]
    return one["reason"], one["detail"]


def test_a_guards_scan_of_a_card_goes_out_as_its_persons(console: Running) -> None:
    card = new_card(console)
    scan = scan_of(text_of(card).lower(), companions=2)
    answer = post(console, orjson.dumps(scan))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "refused": []})
    [record] = console.broker.records
    assert record.key == PERSON.encode()
    sent = Scan.model_validate_json(record.value)
    assert (sent.person, sent.method, sent.companions) == (PERSON, Method.CARD, 2)
    assert b'"card":' not in record.value
    assert text_of(card).encode() not in record.value.upper()
    assert PERSON not in answer.text
    assert counted(console, "accepted") == 1


def test_cards_and_persons_in_one_body_keep_their_lines(console: Running) -> None:
    cards = issue_batch(console.store, WARD, "to-5", 500, BY)[0]
    event = EVENT[:-4]
    lines: list[dict[str, Any]] = []
    for at, card in enumerate(cards):
        lines.append(scan_of(text_of(card), event_id=f"{event}{at:04x}"))
        lines.append(SCAN | {"event_id": f"{event}{at:04x}"})
    lines[10]["card"] = "U" * 20
    lines[11]["direction"] = "up"
    lines[12]["direction"] = "up"
    answer = post(console, b"\n".join(map(orjson.dumps, lines)))
    assert answer.status_code == 207
    assert answer.json()["accepted"] == 997
    said = [(one["line"], one["reason"]) for one in answer.json()["refused"]]
    assert said == [(11, "unknown_card"), (12, "wrong_schema"), (13, "wrong_schema")]
    persons = [record.key.decode() for record in console.broker.records]
    assert {card.person for card in cards} - set(persons) == {cards[5].person, cards[6].person}
    assert persons.count(PERSON) == 499


def test_a_photograph_of_a_card_is_accepted_only_where_a_guard_scans_it(console: Running) -> None:
    scan = scan_of(text_of(new_card(console)))
    for methods in (None, (), (Method.SELF, Method.STAFF)):
        put_producer(console.store, GUARD.model_copy(update={"methods": methods}))
        assert refused(console, scan) == (
            "producer_not_allowed", "method: not registered to scan cards",
        )  # fmt: skip
    put_producer(console.store, GUARD.model_copy(update={"active": False}))
    assert refused(console, scan)[0] == "producer_not_allowed"
    assert refused(console, scan | {"producer": "gate-2"})[0] == "producer_not_allowed"
    assert post(console, orjson.dumps(scan), console.key(Role.OFFICER)).status_code == 403


def test_a_lost_card_is_refused_once_it_is_revoked(console: Running) -> None:
    card = new_card(console)
    scan = scan_of(text_of(card), scanned_at="2126-11-23T01:05:00.000Z")
    assert post(console, orjson.dumps(scan)).status_code == 202
    console.broker.records.clear()
    revoke_card(console.store, card.id, "mất thẻ", "key/1")
    began = time.monotonic()
    while post(console, orjson.dumps(scan)).status_code == 202:
        assert time.monotonic() - began < 2, "in force within two seconds"
        time.sleep(0.05)
        console.broker.records.clear()
    assert refused(console, scan) == ("revoked_card", "card: revoked before it was scanned")
    earlier = scan | {"scanned_at": "2026-11-23T01:05:00.000Z"}
    assert post(console, orjson.dumps(earlier)).status_code == 202, "made before it was lost"


def test_a_replaced_card_is_the_same_person(console: Running) -> None:
    old = new_card(console)
    new, made = replace_card(console.store, old.id, "mất thẻ", BY)
    assert made
    assert new.number != old.number
    after = "2126-11-23T01:05:00.000Z"
    assert refused(console, scan_of(text_of(old), scanned_at=after))[0] == "revoked_card"
    assert post(console, orjson.dumps(scan_of(text_of(new), scanned_at=after))).status_code == 202
    assert console.broker.records[-1].key == PERSON.encode()


def test_a_card_that_is_guessed_or_forged_is_refused_unseen(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = new_card(console)

    def never(*_: object) -> None:
        raise AssertionError("the register is asked for signed cards only")

    with monkeypatch.context() as patched:
        patched.setattr("console.gateway.cards.cards_by_number", lambda _, numbers: dict(numbers))
        forged = card_text(OTHER.keys[0], card.number)
        assert refused(console, scan_of(forged)) == (
            "unknown_card", "card: none of our keys made it",
        )  # fmt: skip
        patched.setattr("console.gateway.cards.CardRoom.find", lambda _, numbers: dict(numbers))
        for text in (text_of(card)[:-1], "U" * 20, "", "Thẻ", "482177306"):
            assert refused(console, scan_of(text))[0] == "unknown_card"
    stranger = card_text(RING.keys[0], 12345)
    assert refused(console, scan_of(stranger)) == (
        "unknown_card", "card: it was never issued here",
    )  # fmt: skip


def test_a_places_code_is_no_card_and_a_card_no_place(console: Running) -> None:
    token = issue(RING, 1, 1)
    assert refused(console, scan_of(token))[0] == "unknown_card"
    assert refused(console, scan_of("HTTPS://TRUYVET.VN/C/" + token))[0] == "unknown_card"


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"person": PERSON}, "wrong_schema", "not both"),
        ({"method": "self"}, "wrong_schema", "the method card"),
        ({"card": 7}, "wrong_schema", "a text"),
        ({"card": None}, "wrong_schema", "a text"),
        ({"direction": "up"}, "wrong_schema", "direction"),
        ({"scanned_at": "now"}, "wrong_schema", "scanned_at"),
        ({"event_id": "x"}, "malformed_id", "event_id"),
        ({"device": "d" * 5000}, "too_large", ""),
    ],
)
def test_what_is_wrong_with_a_scan_of_a_card_is_said(
    console: Running, change: dict[str, Any], reason: str, detail: str
) -> None:
    said = refused(console, scan_of(text_of(new_card(console))) | change)
    assert said[0] == reason
    assert detail in said[1]


def test_where_card_is_not_a_field_nothing_is_looked_up(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.gateway.routes.resolve", None)
    for scan in (SCAN, SCAN | {"method": "card"}, SCAN | {"device": 'say"card"'}):
        assert post(console, orjson.dumps(scan)).status_code == 202
    assert [Scan.model_validate_json(r.value).person for r in console.broker.records] == [
        PERSON
    ] * 3


def test_a_nested_card_is_a_field_nobody_knows(console: Running) -> None:
    body = orjson.dumps(SCAN | {"later": {"card": 1}})
    assert post(console, body).status_code == 202
    assert console.broker.records[0].value == body


def test_a_scan_sent_again_is_the_same_record(console: Running) -> None:
    body = orjson.dumps(scan_of(text_of(new_card(console))))
    for _ in range(2):
        assert post(console, body).status_code == 202
    assert console.broker.records[0] == console.broker.records[1]


def test_a_console_without_keys_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as console:
        headers = console.key(Role.PRODUCER, producer="gate-1")
        assert post(console, orjson.dumps(scan_of("U" * 20)), headers).status_code == 503
        assert post(console, orjson.dumps(SCAN), headers).status_code == 202


def test_the_room_remembers_a_bounded_number_for_a_second(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards, _ = issue_batch(console.store, WARD, "to-5", 30, BY)
    numbers = [card.number for card in cards]
    room = CardRoom(console.store)
    monkeypatch.setattr("console.gateway.cards._KNOWN_MOST", 10)
    assert room.find(numbers) == {card.number: card for card in cards}
    assert len(room._known) == 10
    assert KNOWN_S < 2
    assert room.find([1, 2]) == {}
