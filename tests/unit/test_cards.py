"""A card's text and its two numbers: sound, signed, and never a place's code."""

import random
import string
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest

from issuer.cards import (
    CARD_LENGTH,
    FIRST_ID,
    IDS,
    NUMBER_BITS,
    card_from_text,
    card_id,
    card_text,
    is_card_id,
    read_card,
    said,
    verified_number,
)
from issuer.codes import BadToken, issue, token_from_text
from issuer.codes import verify as verify_place
from issuer.delivered import Delivery, read_card_text, read_text
from issuer.keyring import KeyRing
from issuer.symbol import make_symbol
from schemas.ids import CROCKFORD
from tests.layouts import french, german, inverted, telex, vni
from tests.property.test_code_damage import another_case, replaced, swapped

RING = KeyRing.parse("1:" + "5a" * 32)
OTHERS = KeyRing.parse("9:" + "11" * 32)
NEWER = KeyRing.parse("2:" + "22" * 32 + ",1:" + "5a" * 32)
CHANCE = random.Random(20261127)
NUMBERS = [CHANCE.getrandbits(NUMBER_BITS) for _ in range(1_000)]
TEXTS = [card_text(RING.keys[0], number) for number in NUMBERS]


def test_a_card_is_twenty_characters_that_say_their_number() -> None:
    for number, text in zip(NUMBERS, TEXTS, strict=True):
        assert len(text) == CARD_LENGTH
        assert read_card(text).number == number
        assert verified_number(RING, text) == number
    with pytest.raises(ValueError, match="does not fit"):
        card_text(RING.keys[0], 2**NUMBER_BITS)


def test_the_symbol_is_the_smallest_that_a_third_can_be_worn_off() -> None:
    assert make_symbol(TEXTS[0]).modules == 25


def test_a_card_of_another_key_is_forged_and_a_rotated_key_is_not() -> None:
    for text in TEXTS[:50]:
        assert verified_number(OTHERS, text) is None
        assert read_card_text(OTHERS, text).number is None
        assert verified_number(NEWER, text) is not None
    newer = card_text(NEWER.keys[0], NUMBERS[0])
    assert newer != TEXTS[0]
    assert verified_number(RING, newer) is None


def test_no_card_is_a_place_and_no_place_a_card() -> None:
    places = [issue(RING, CHANCE.randrange(1, 2**30), 1) for _ in range(500)]
    for text in TEXTS[:500]:
        for part in (text, text[1:], text[2:], text[:-2], text[1:-1]):
            assert not verify_place(RING, part)  # one in a thousand has fitting check characters
        with pytest.raises(BadToken):
            read_text(RING, text)
    for token in places:
        for made in (token, "U" + token, "U0" + token, "U" + token + "0", token + "00"):
            assert verified_number(RING, made) is None
        with pytest.raises(BadToken):
            card_from_text(token)
        with pytest.raises(BadToken):
            read_card_text(RING, "HTTPS://TRUYVET.VN/C/" + token)
    with pytest.raises(BadToken):
        token_from_text("HTTPS://TRUYVET.VN/C/" + TEXTS[0])


def test_a_mac_of_a_place_is_none_of_a_card() -> None:
    key = RING.keys[0]
    assert all(key.card_mac(n) != key.mac(n % 2**30, 1) for n in NUMBERS)


def test_every_wrong_character_and_every_swap_of_a_card_is_noticed() -> None:
    text = TEXTS[7]
    for at in range(CARD_LENGTH):
        for wrong in CROCKFORD + "U":
            if wrong != text[at]:
                assert not sound(text[:at] + wrong + text[at + 1 :])
    for i in range(CARD_LENGTH):
        for j in range(i):
            if text[i] != text[j]:
                letters = list(text)
                letters[i], letters[j] = letters[j], letters[i]
                assert not sound("".join(letters))


def sound(text: str) -> bool:
    try:
        read_card(text)
    except BadToken:
        return False
    return True


def test_no_damage_of_a_card_is_accepted_as_another() -> None:
    """As of the places' codes; what is read back is what was printed."""
    damages: dict[str, tuple[int, Callable[[str], str]]] = {
        "one": (4_000, lambda t: replaced(t, 1, CHANCE)),
        "two": (4_000, lambda t: replaced(t, 2, CHANCE)),
        "swap": (4_000, lambda t: swapped(t, CHANCE)),
        "case": (4_000, lambda t: another_case(t, CHANCE)),
        "azerty": (1_000, french),
        "qwertz": (1_000, german),
        "shifted": (1_000, inverted),
        "telex": (500, telex),
        "vni": (500, vni),
    }
    back: Counter[str] = Counter()
    for kind, (count, damage) in damages.items():
        for at in range(count):
            text = TEXTS[at % len(TEXTS)]
            try:
                found = read_card_text(RING, damage(text))
            except BadToken:
                continue
            if found.number is not None:
                assert found.text == text, (kind, text)
                back[kind] += 1
    assert [back[k] for k in ("case", "azerty", "qwertz", "shifted")] == [
        4_000,
        1_000,
        1_000,
        1_000,
    ]
    assert back["telex"] > 250
    assert back["vni"] > 250


def test_how_a_card_was_delivered_is_said() -> None:
    assert read_card_text(RING, TEXTS[0]).delivery is Delivery.PRINTED
    assert read_card_text(RING, f" {TEXTS[0].lower()}\n").delivery is Delivery.TYPED
    assert read_card_text(RING, inverted(TEXTS[0])).delivery is Delivery.SHIFTED
    for nothing in ("", "U", "x" * 400, "ß" * 20, string.punctuation[:20]):
        with pytest.raises(BadToken):
            read_card_text(RING, nothing)


def test_the_number_that_is_said_has_a_digit_that_catches_mistakes() -> None:
    numbers = [card_id(FIRST_ID + CHANCE.randrange(IDS)) for _ in range(300)]
    swaps = missed = 0
    for number in numbers:
        assert is_card_id(number)
        digits = str(number)
        for at in range(9):
            for wrong in string.digits.replace(digits[at], ""):
                assert not is_card_id(int(digits[:at] + wrong + digits[at + 1 :]))
        for i, j in pairwise(range(9)):
            if digits[i] != digits[j]:
                swaps += 1
                other = digits[:i] + digits[j] + digits[i] + digits[j + 1 :]
                missed += is_card_id(int(other))
    assert missed / swaps < 0.05
    assert said(numbers[0]).replace(" ", "") == str(numbers[0])
    assert not is_card_id(12)
