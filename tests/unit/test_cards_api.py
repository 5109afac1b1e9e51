"""Cards over HTTP: issued once, revoked, replaced; in the area only; never a person in an answer."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.store.cards import By, card_by_id, cards_in_use, cards_of, issue_batch, issue_card
from console.store.errors import Conflict
from console.store.keys import Role
from issuer.cards import card_text, is_card_id
from issuer.keyring import KeyRing
from tests.console_kit import PERSON, RING, WARD, Running, migrated, running

OTHER_WARD = "11407"
BY = By("key/1", "1")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, code_keys="1:" + "5a" * 32) as console:
        console.client.headers.update(console.key(Role.OFFICER, f"ward/{WARD}"))
        yield console


def call(console: Running, method: str, path: str, **body: Any) -> Any:
    return console.client.request(method, "/v1/cards" + path, json=body or None)


def test_a_card_for_a_person_is_issued_once_and_does_not_say_whose(console: Running) -> None:
    first = call(console, "POST", "", ward=WARD, person=PERSON)
    assert first.status_code == 200
    [card] = first.json()["cards"]
    assert first.json()["made"] == 1
    assert is_card_id(card["id"])
    again = call(console, "POST", "", ward=WARD, person=PERSON)
    assert again.json() == {"cards": [card], "made": 0}
    stored = card_by_id(console.store, card["id"])
    assert stored is not None
    assert (stored.person, stored.key, stored.issued_by) == (PERSON, "1", "key/2")
    shown = call(console, "GET", f"/{card['id']}").json()
    assert shown == {"card": card, "of_the_same": [card]}
    listed = call(console, "GET", f"?ward={WARD}").json()
    assert listed == {"cards": [card], "after": None}
    for answer in (first, again, shown, listed):
        text = str(answer if isinstance(answer, dict) else answer.text)
        assert PERSON not in text
        assert str(stored.number) not in text


def test_a_batch_is_made_once_and_its_persons_are_nobody_yet(console: Running) -> None:
    body = {"ward": WARD, "batch": "to-dan-pho-5", "count": 3}
    first = call(console, "POST", "", **body).json()
    assert first["made"] == 3
    assert [card["line"] for card in first["cards"]] == [1, 2, 3]
    assert call(console, "POST", "", **body).json() == first | {"made": 0}
    more = call(console, "POST", "", **body | {"count": 5}).json()
    assert (more["made"], more["cards"][:3]) == (2, first["cards"])
    cards = [card_by_id(console.store, card["id"]) for card in more["cards"]]
    assert len({card.person for card in cards if card}) == 5
    page = call(console, "GET", "?batch=to-dan-pho-5&limit=2").json()
    rest = call(console, "GET", f"?batch=to-dan-pho-5&limit=9&after={page['after']}").json()
    assert len(page["cards"]) == 2
    assert (len(rest["cards"]), rest["after"]) == (3, None)


def test_what_is_asked_for_must_be_one_of_both(console: Running) -> None:
    for body in ({}, {"person": PERSON, "batch": "x"}, {"person": PERSON, "count": 2}):
        assert call(console, "POST", "", ward=WARD, **body).status_code == 422
    answer = call(console, "POST", "", ward=OTHER_WARD, person=PERSON)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "outside_area"
    assert "7zk3" not in call(console, "POST", "", ward=WARD, person="7zk3").text


def test_a_card_is_revoked_and_replaced_once_with_its_history(console: Running) -> None:
    [card] = call(console, "POST", "", ward=WARD, person=PERSON).json()["cards"]
    path = f"/{card['id']}"
    revoked = call(console, "POST", path + "/revoke", reason="mất thẻ").json()
    assert (revoked["revoked_reason"], revoked["revoked_by"]) == ("mất thẻ", "key/2")
    assert call(console, "POST", path + "/revoke", reason="lại").json() == revoked
    first = call(console, "POST", path + "/replace", reason="cấp lại").json()
    [new] = first["cards"]
    assert (first["made"], new["version"], new["ward"]) == (1, 2, WARD)
    assert call(console, "POST", path + "/replace", reason="cấp lại").json() == first | {"made": 0}
    whole = call(console, "GET", path).json()
    assert whole == {"card": revoked, "of_the_same": [revoked, new]}
    assert [c.person for c in cards_of(console.store, PERSON)] == [PERSON, PERSON]
    assert call(console, "POST", path + "/revoke", reason=" ").status_code == 422
    assert cards_in_use(console.store) == {"1": 1}


def test_outside_the_area_a_card_is_not_there(console: Running) -> None:
    card, _ = issue_card(console.store, PERSON, OTHER_WARD, BY)
    number = card.id
    for method, path, body in (
        ("GET", f"/{number}", {}),
        ("POST", f"/{number}/revoke", {"reason": "x"}),
        ("POST", f"/{number}/replace", {"reason": "x"}),
    ):
        outside = call(console, method, path, **body)
        nowhere = call(console, method, path.replace(str(number), "482177306"), **body)
        assert (outside.status_code, outside.json()) == (404, nowhere.json())
    assert call(console, "GET", f"?ward={OTHER_WARD}").json()["cards"] == []
    assert call(console, "GET", "").json()["cards"] == []
    assert card_by_id(console.store, number) == card
    said = call(console, "POST", "/verify", text=card_text(RING.keys[0], card.number)).json()
    assert (said["standing"], said["card"]) == ("valid", None)
    answer = call(console, "POST", "", ward=WARD, person=PERSON)
    assert answer.status_code == 409
    assert str(number) not in answer.text


def test_a_photograph_of_a_card_opens_nothing(console: Running) -> None:
    """All that the API tells of a card's text: that it is one, and to its ward which."""
    card, _ = issue_card(console.store, PERSON, WARD, BY)
    text = card_text(RING.keys[0], card.number)
    said = call(console, "POST", "/verify", text=text.lower())
    assert said.json()["card"]["id"] == card.id
    assert PERSON not in said.text
    for path in (f"/{text}", f"/{card.number}", "/resolve"):
        assert console.client.get("/v1/cards" + path).status_code in (404, 405, 422)
    assert console.client.post("/v1/cards/resolve", json={"text": text}).status_code in (404, 405)
    for path in (f"/C/{text}", f"/{text}"):
        assert console.client.get(path).status_code == 404


def test_what_a_card_is_is_said(console: Running) -> None:
    card, _ = issue_card(console.store, PERSON, WARD, BY)
    forged = card_text(KeyRing.parse("2:" + "99" * 32).keys[0], card.number)
    for text, standing in (
        (forged, "forged"),
        (card_text(RING.keys[0], 77), "unknown"),
        ("482177306", "unreadable"),
    ):
        said = call(console, "POST", "/verify", text=text).json()
        assert (said["good"], said["standing"], said["card"]) == (False, standing, None)
        assert said["sentence"]["vi"] != said["sentence"]["en"]


def test_two_that_issue_the_same_at_once_make_one(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    made: list[int] = []

    def issue() -> None:
        try:
            made.append(int(issue_card(store, PERSON, WARD, BY)[1]))
            made.append(issue_batch(store, WARD, "b", 10, BY)[1])
        except Conflict:
            made.append(0)

    threads = [threading.Thread(target=issue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == 11
    store.close()
