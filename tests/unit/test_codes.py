"""Tokens: what the check characters and the MAC catch, key rotation, the life of a code."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.check import LENGTH, WEIGHTS, multiply
from issuer.codes import (
    BadToken,
    KeyRing,
    Token,
    Wrong,
    code_at,
    code_url,
    first_code,
    issue,
    next_version,
    read,
    revoke,
    revoke_version,
    token_from_text,
    verify,
)
from issuer.tokens_columnar import decode_places, decode_tokens
from schemas.ids import CROCKFORD
from schemas.places import Place

OLD, NEW = "1:" + "11" * 16, "2:" + "22" * 32
RING = KeyRing.parse(f"{NEW},{OLD}")
TOKEN = issue(RING, 123_456, 7)
ORIGIN = "HTTPS://TRUYVET.VN/C/"
NOW = datetime(2021, 12, 1, 8, tzinfo=UTC)
PLACE = Place(id=123_456, site=9, name="Cổng chính", kind="gate", ward="11413", sector="health")


def wrong(token: str) -> Wrong:
    with pytest.raises(BadToken) as caught:
        read(token)
    return caught.value.wrong


def matrix(tokens: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer("".join(tokens).encode("latin-1"), np.uint8).reshape(-1, LENGTH)


@given(st.integers(1, 2**30 - 1), st.integers(1, 1023))
def test_a_token_says_what_was_put_in(place: int, version: int) -> None:
    token = issue(RING, place, version)
    assert len(token) == 18
    assert set(token) <= set(CROCKFORD)
    assert read(token) == Token(place, version, RING.sign(place, version))
    assert verify(RING, token)


def test_a_printed_token_stays_what_it_is() -> None:
    """Posters outlive releases: these two may never change."""
    assert issue(KeyRing.parse(OLD), 1, 1) == "00000101V83VKG3DHP"
    assert issue(KeyRing.parse(NEW), 2**30 - 1, 1023) == "ZZZZZZZZJTQA8W02ZX"


@pytest.mark.parametrize(("place", "version"), [(0, 1), (2**30, 1), (1, 0), (1, 1024), (-1, 1)])
def test_what_does_not_fit_is_not_issued(place: int, version: int) -> None:
    with pytest.raises(ValueError, match=r"1 to \d+"):
        issue(RING, place, version)


def some_tokens(count: int) -> list[str]:
    rng = np.random.default_rng(5)
    places = rng.integers(1, 2**30, count).tolist()
    versions = rng.integers(1, 1024, count).tolist()
    return [issue(RING, p, v) for p, v in zip(places, versions, strict=True)]


def test_every_wrong_character_is_caught() -> None:
    for token in [TOKEN, *some_tokens(20)]:
        for i, c in enumerate(token):
            for other in CROCKFORD.replace(c, ""):
                assert wrong(token[:i] + other + token[i + 1 :]) is Wrong.CHECK


def test_every_swap_of_two_characters_is_caught() -> None:
    for token in [TOKEN, *some_tokens(200)]:
        for i, j in combinations(range(LENGTH), 2):
            if token[i] != token[j]:
                swapped = list(token)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                assert wrong("".join(swapped)) is Wrong.CHECK


def test_no_one_or_two_errors_make_another_sound_token() -> None:
    """For all tokens at once: the code is linear, so it is enough to look at the errors."""
    for i, j in combinations(range(LENGTH), 2):
        for a in range(1, 32):
            assert multiply(a, WEIGHTS[i]) != 0  # one error
            assert a ^ a == 0  # two errors keep the plain sum only if they are equal …
            assert multiply(a, WEIGHTS[i]) != multiply(a, WEIGHTS[j])  # … then this one moves


@pytest.mark.parametrize("place", [1, 31, 32, 1000, 40_000, 2_000_000])
def test_zeros_that_slipped_to_the_other_end_are_caught(place: int) -> None:
    """Without the second 1 in `SYNDROME` these are all sound, for every place below 2^25."""
    token = issue(RING, place, 1)
    zeros = len(token) - len(token.lstrip("0"))
    assert zeros
    for shift in range(1, zeros + 1):
        assert wrong(token[shift:] + token[:shift]) is Wrong.CHECK


def test_equal_characters_are_never_a_token() -> None:
    assert all(wrong(c * LENGTH) is Wrong.CHECK for c in CROCKFORD)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", Wrong.LENGTH),
        (TOKEN[:-1], Wrong.LENGTH),
        (TOKEN + "0", Wrong.LENGTH),
        (TOKEN.lower(), Wrong.SYMBOL),
        (TOKEN.swapcase(), Wrong.SYMBOL),
        ("U" + TOKEN[1:], Wrong.SYMBOL),
        ("\uff11" + TOKEN[1:], Wrong.SYMBOL),
        (TOKEN[:-1] + "\n", Wrong.SYMBOL),
    ],
)
def test_which_rule_is_broken(text: str, kind: Wrong) -> None:
    assert wrong(text) is kind
    assert not verify(RING, text)


def test_a_layout_that_exchanges_letters_is_caught() -> None:
    """A German or French scanner on an English computer, and Telex, in a hundred tokens each."""
    layouts = [str.maketrans("YZ", "ZY"), str.maketrans("QWAZM", "AZQW,")]
    shifted = str.maketrans("1234567890", "!@#$%^&*()")
    for token in some_tokens(100):
        for layout in [*layouts, shifted]:
            typed = token.translate(layout)
            assert typed == token or not verify(RING, typed)
        telex = token.replace("DD", "Đ").replace("AA", "Â").replace("W", "Ư")
        if telex != token:
            with pytest.raises(BadToken):
                token_from_text(telex)


def test_forged_and_foreign_codes_do_not_verify() -> None:
    other = KeyRing.parse("1:" + "33" * 16)
    assert read(issue(other, 5, 1)).place == 5
    assert not verify(RING, issue(other, 5, 1))
    assert RING.sign(5, 1) != RING.sign(5, 2) != RING.sign(6, 2)


def test_a_key_is_replaced_without_printing_anew() -> None:
    before, during, after = KeyRing.parse(OLD), RING, KeyRing.parse(NEW)
    printed = issue(before, 5, 1)
    assert verify(during, printed)
    assert issue(during, 5, 1) == issue(after, 5, 1) != printed
    assert not verify(after, printed)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" , ", "empty"),
        ("11" * 16, "key 1 is not written id:hex"),
        ("1:" + "11" * 15, "15 bytes and needs at least 16"),
        ("1:" + "zz" * 16, "key 1 is not hexadecimal"),
        (f"{OLD},{OLD}", "key id 1 is there twice"),
    ],
)
def test_wrong_keys_name_the_setting_and_not_the_secret(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"TRUYVET_CODE_KEYS.*{says}") as caught:
        KeyRing.parse(text)
    assert "1111" not in str(caught.value)


def test_a_secret_is_not_in_the_repr() -> None:
    assert "22" not in repr(RING)


def test_the_url_is_short_enough_and_says_why_not() -> None:
    url = code_url(ORIGIN, TOKEN)
    assert url == ORIGIN + TOKEN
    assert len(code_url("HTTPS://" + "A" * 20 + ".VN/", TOKEN)) == 50
    for origin, says in [
        ("HTTPS://" + "A" * 21 + ".VN/", "33 characters"),
        ("https://truyvet.vn/c/", "upper case"),
        ("HTTPS://TRUYVET.VN/C", "slash at its end"),
        ("TRUYVET.VN/C/", "HTTPS://HOST"),
        ("HTTPS:///", "HTTPS://HOST"),
        ("HTTPS://TRUYVET.VN/Ç/", "upper case"),
    ]:
        with pytest.raises(ValueError, match=says):
            code_url(origin, TOKEN)
    with pytest.raises(BadToken):
        code_url(ORIGIN, TOKEN[:-1] + "?")


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        TOKEN.lower(),
        f"  {ORIGIN}{TOKEN}\r\n",
        f"{ORIGIN}{TOKEN}".lower(),
        f"{ORIGIN}{TOKEN}".swapcase() + "/",
        f"{ORIGIN}{TOKEN}?from=camera#top",
        " ".join(TOKEN[i : i + 3] for i in range(0, 18, 3)),
        "-".join(TOKEN[i : i + 6] for i in range(0, 18, 6)).lower(),
        TOKEN.replace("0", "O").replace("1", "l"),
    ],
)
def test_what_scanners_and_people_deliver(text: str) -> None:
    assert token_from_text(text) == TOKEN


@pytest.mark.parametrize("text", ["", "/", "x" + TOKEN, ORIGIN, "ß" * 9, TOKEN[1:] + TOKEN[0]])
def test_what_is_left_is_no_token(text: str) -> None:
    with pytest.raises(BadToken):
        token_from_text(text)


@given(st.text())
def test_any_text_is_a_token_or_a_bad_token(text: str) -> None:
    with suppress(BadToken):
        assert len(token_from_text(text)) == LENGTH


def test_columns_say_what_read_says() -> None:
    rng = np.random.default_rng(6)
    tokens = some_tokens(3000)
    for i in range(0, 3000, 2):  # one to three bytes of every second one are anything at all
        changed = list(tokens[i])
        for _ in range(int(rng.integers(1, 4))):
            changed[int(rng.integers(LENGTH))] = chr(int(rng.integers(256)))
        tokens[i] = "".join(changed)
    # bytes that are no symbol, twice in places whose marks could cancel or meet
    tokens += ["u" * LENGTH, "\x00" * LENGTH, "u" + TOKEN[1:8] + "u" + TOKEN[9:], "0" * LENGTH]
    # sound for every place and version, not only for codes that were issued
    tokens += list(map("".join, rng.choice(list(CROCKFORD), (30_000, LENGTH))))
    place, version, mac, wellformed = decode_tokens(matrix(tokens))
    assert [x.dtype.name for x in (place, version, mac)] == ["uint32", "uint16", "uint64"]
    accepted = 0
    for i, token in enumerate(tokens):
        try:
            expected = read(token)
        except BadToken:
            assert not wellformed[i]
            assert (place[i], version[i], mac[i]) == (0, 0, 0)
        else:
            accepted += 1
            assert wellformed[i]
            assert Token(int(place[i]), int(version[i]), int(mac[i])) == expected
    assert accepted > 1500
    again = decode_places(matrix(tokens))
    assert np.array_equal(again[0], place)
    assert np.array_equal(again[1], version)
    assert np.array_equal(again[2], wellformed)


def test_columns_take_no_rows_and_any_memory_layout() -> None:
    assert [len(x) for x in decode_tokens(np.zeros((0, LENGTH), np.uint8))] == [0] * 4
    columns = np.asfortranarray(matrix(some_tokens(10)))
    assert decode_places(columns[::2])[2].all()


def test_columns_are_fast() -> None:
    tokens = np.tile(matrix(some_tokens(100)), (200, 1))
    decode_places(tokens)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        decode_places(tokens)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) / len(tokens) < 500e-9  # 60 ns here; room for a busy machine


def test_a_place_gets_its_first_code() -> None:
    place = first_code(PLACE, RING)
    assert place.version == PLACE.version
    assert place.codes[0].valid_from is None
    assert read(place.codes[0].token).place == PLACE.id
    with pytest.raises(ValueError, match="already has codes"):
        first_code(place, RING)


def test_a_next_version_leaves_time_to_put_up_the_print() -> None:
    place = next_version(first_code(PLACE, RING), RING, NOW, timedelta(days=3))
    old, new = place.codes
    assert (place.version, new.version, new.valid_from) == (2, 2, NOW)
    assert old.valid_to == NOW + timedelta(days=3)
    assert verify(RING, new.token)
    assert code_at(place, NOW - timedelta(hours=1)) == old
    assert code_at(place, NOW) == new
    again = next_version(place, RING, NOW + timedelta(days=1), timedelta(0))
    assert again.codes[0].valid_to == NOW + timedelta(days=1)  # an earlier end is kept, a later not
    assert [c.version for c in again.codes] == [1, 2, 3]


def test_a_next_version_is_possible_without_a_first_and_has_an_end() -> None:
    assert next_version(PLACE, RING, NOW, timedelta(0)).codes[0].version == 1
    full = PLACE.model_copy(update={"codes": (first_code(PLACE, RING).codes[0].model_copy(
        update={"version": 1023}),)})  # fmt: skip
    with pytest.raises(ValueError, match="1 to 1023"):
        next_version(full, RING, NOW, timedelta(0))
    with pytest.raises(ValueError, match="negative"):
        next_version(PLACE, RING, NOW, timedelta(-1))


def test_a_revocation_holds() -> None:
    code = first_code(PLACE, RING).codes[0]
    revoked = revoke(code, NOW, "ảnh chụp mã bị phát tán")
    assert revoked.revoked_at == NOW
    assert revoke(revoked, NOW + timedelta(days=1), "again") == revoked
    earlier = revoke(revoked, NOW - timedelta(days=1), "seen the day before")
    assert earlier.revoked_at == NOW - timedelta(days=1)
    with pytest.raises(ValueError, match="reason"):
        revoke(code, NOW, "  ")


def test_revoking_a_version_raises_the_record_once() -> None:
    place = revoke_version(first_code(PLACE, RING), 1, NOW, "lost")
    assert place.version == 2
    assert code_at(place, NOW) is None
    assert code_at(place, NOW - timedelta(seconds=1)) is not None
    assert revoke_version(place, 1, NOW, "lost") is place
    with pytest.raises(ValueError, match="no version 2"):
        revoke_version(place, 2, NOW, "lost")
