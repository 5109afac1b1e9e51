"""What scanners and keyboards make of a code, read back; and what it is worth then."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.codes import BadToken, KeyRing, issue
from issuer.delivered import MAX_TEXT, Delivery, read_text
from issuer.standing import SENTENCES, Standing, standing_of
from schemas.places import Code, Place
from tests.layouts import french, german, inverted, telex, vni

RING = KeyRing.parse("2:" + "22" * 32 + ",1:" + "11" * 16)
STRANGER = KeyRing.parse("1:" + "33" * 16)
ORIGIN = "HTTPS://TRUYVET.VN/C/"
NOW = datetime(2021, 12, 1, 8, tzinfo=UTC)
TOKEN = issue(RING, 123_456, 7)
URL = ORIGIN + TOKEN
# with digits, Q W A Z Y M, and what Telex and VNI turn into marks
RICH = next(
    token
    for token in (issue(RING, place, 1) for place in range(1, 100_000))
    if set("AYMZ") <= set(token)
)


@pytest.mark.parametrize("text", [TOKEN, URL, f"  {URL}\r\n", f"{URL}?from=camera"])
def test_as_printed(text: str) -> None:
    found = read_text(RING, text)
    assert (found.token, found.ours, found.delivery) == (TOKEN, True, Delivery.PRINTED)
    assert found.origin == (ORIGIN if "/" in text else None)


@pytest.mark.parametrize(
    "text", [URL.lower(), URL.swapcase(), TOKEN.lower(), TOKEN[:6] + "-" + TOKEN[6:]]
)
def test_typed_in_another_case(text: str) -> None:
    found = read_text(RING, text)
    assert (found.token, found.ours, found.delivery) == (TOKEN, True, Delivery.TYPED)


@pytest.mark.parametrize(
    ("layout", "delivery"),
    [(french, "azerty"), (german, "qwertz"), (inverted, "shifted")],
)
@pytest.mark.parametrize("printed", [RICH, ORIGIN + RICH])
def test_a_layout_is_read_back(layout: object, delivery: str, printed: str) -> None:
    assert callable(layout)
    typed = layout(printed)
    assert RICH not in typed
    for text in (typed, typed.lower() if delivery != "shifted" else typed):
        found = read_text(RING, text)
        assert (found.token, found.ours, found.delivery.value) == (RICH, True, delivery)
        assert found.origin is None


@pytest.mark.parametrize(("method", "delivery"), [(telex, "telex"), (vni, "vni")])
def test_an_input_method_is_read_back(method: object, delivery: str) -> None:
    assert callable(method)
    seen = 0
    for place in range(1, 4_000):
        token = issue(RING, place, 1)
        typed = method(token)
        if typed == token or len(typed) < 16:
            continue
        with suppress(BadToken):
            found = read_text(RING, typed.lower() if place % 2 else typed)
            assert found.token == token
            seen += found.delivery.value == delivery
        if seen == 40:
            return
    raise AssertionError(seen)


def test_what_a_layout_gives_is_taken_only_if_one_of_our_keys_made_it() -> None:
    foreign = next(
        token
        for token in (issue(STRANGER, place, 1) for place in range(1, 10_000))
        if german(token) != token
    )
    assert not read_text(RING, foreign).ours
    with suppress(BadToken):
        assert not read_text(RING, german(foreign)).ours
    assert read_text(STRANGER, german(foreign)).token == foreign


@given(st.text())
def test_any_text_is_a_reading_or_a_bad_token(text: str) -> None:
    with suppress(BadToken):
        read_text(RING, text)


def test_a_long_text_is_refused_at_once() -> None:
    with pytest.raises(BadToken, match="18 characters"):
        read_text(RING, "Ậ" * (MAX_TEXT + 1))


def place(**times: object) -> Place:
    code = Code.model_validate({"version": 7, "token": TOKEN} | times)
    return Place(
        id=123_456, site=9, name="Cổng", kind="gate", ward="11413", sector="health", codes=(code,)
    )


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("known", "standing"),
    [
        (place(), Standing.VALID),
        (place(valid_from=NOW, valid_to=NOW + HOUR), Standing.VALID),
        (place(valid_from=NOW + HOUR), Standing.NOT_YET),
        (place(valid_to=NOW), Standing.EXPIRED),
        (place(revoked_at=NOW, revoked_reason="lost"), Standing.REVOKED),
        (place(valid_to=NOW, revoked_at=NOW, revoked_reason="x"), Standing.REVOKED),
        (place(revoked_at=NOW + HOUR, revoked_reason="x"), Standing.VALID),
        (None, Standing.UNKNOWN),
        (place().model_copy(update={"codes": ()}), Standing.UNKNOWN),
    ],
)
def test_what_a_code_is_worth(known: Place | None, standing: Standing) -> None:
    assert standing_of(read_text(RING, URL), known, ORIGIN, NOW) is standing


def test_a_forged_code_is_named_so_also_for_a_place_that_is_there() -> None:
    forged = issue(STRANGER, 123_456, 7)
    assert standing_of(read_text(RING, ORIGIN + forged), place(), ORIGIN, NOW) is Standing.FORGED


@pytest.mark.parametrize(
    "origin",
    [
        "HTTPS://TRUYVET.VM/C/",
        "HTTPS://TRUYVET.VN.EVIL.VN/C/",
        "HTTPS://TRUYVЕT.VN/C/",  # a Cyrillic E
        "HTTPS://TRUYVET.VN@EVIL.VN/C/",
        "HTTP://TRUYVET.VN/C/",
        "HTTPS://TRUYVET.VN/D/",
        "HTTPS://EVIL.VN/TRUYVET.VN/C/",
        "EVIL.VN/C/",
    ],
)
def test_a_genuine_token_under_a_look_alike_host_is_not_good(origin: str) -> None:
    found = standing_of(read_text(RING, origin + TOKEN), place(), ORIGIN, NOW)
    assert found is Standing.OTHER_HOST


@pytest.mark.parametrize("text", [URL, URL.lower(), TOKEN, "truyvet.vn/c/" + TOKEN, URL + "/"])
def test_our_own_host_and_a_token_alone_are_good(text: str) -> None:
    assert standing_of(read_text(RING, text), place(), ORIGIN, NOW) is Standing.VALID


def test_every_standing_has_its_sentences() -> None:
    assert set(SENTENCES) == set(Standing)
    assert all(vi and en for vi, en in SENTENCES.values())
