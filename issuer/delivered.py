"""What a scanner or a person delivers, read back to the token that was printed.

A scanner that works as a keyboard presses the keys of a US board, and the computer makes what its
own layout or input method has for them: AZERTY and QWERTZ exchange letters, an inverted shift
makes signs of digits, Telex and VNI make marks of letters and digits. Each has its inverse here.
What an inverse gives is taken only if one of our keys made it: one in a thousand wrong texts
passes the check characters, one in 2^40 the MAC.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import Final
from unicodedata import normalize

from issuer.cards import CARD_LENGTH, card_from_text, verified_number
from issuer.check import LENGTH
from issuer.codes import BadToken, Token, Wrong, read, token_from_text, verify
from issuer.keyring import KeyRing

MAX_TEXT: Final = 300  # characters; a URL of ours has 50
_MOST_WAYS: Final = 400
_FAR: Final = 3  # letters between a vowel and the key of its mark


class Delivery(StrEnum):
    """In which form the text came."""

    PRINTED = "as_printed"
    TYPED = "typed"  # another case, separators, I L O for digits
    QWERTZ = "qwertz"
    AZERTY = "azerty"
    SHIFTED = "shifted"
    TELEX = "telex"
    VNI = "vni"


@dataclass(frozen=True)
class Reading:
    """A well-formed token, whether one of our keys made it, and how it came.

    `origin`: what stood before the token in a URL, upper case; None for a token alone and for
    what a layout made, where it is no longer to be read.
    """

    token: str
    fields: Token
    ours: bool
    delivery: Delivery
    origin: str | None


@dataclass(frozen=True)
class CardReading:
    """A well-formed card's text and, if one of our keys made it, its number."""

    text: str
    number: int | None
    delivery: Delivery


def read_text(ring: KeyRing, text: str) -> Reading:
    """The token in a URL or a token, as delivered. Raises BadToken if there is none."""
    text = _composed(text, LENGTH)
    try:
        token = token_from_text(text)
    except BadToken:
        repaired = _repaired(ring, text)
        if repaired is None:
            raise
        return repaired
    if not verify(ring, token):
        return _repaired(ring, text) or Reading(
            token, read(token), False, _form(text, token), _origin(text)
        )
    return Reading(token, read(token), True, _form(text, token), _origin(text))


def read_card_text(ring: KeyRing, text: str) -> CardReading:
    """The card in a text, as delivered. Raises BadToken if there is none."""
    text = _composed(text, CARD_LENGTH)
    try:
        canonical = card_from_text(text)
    except BadToken:
        repaired = _repaired_card(ring, text)
        if repaired is None:
            raise
        return repaired
    number = verified_number(ring, canonical)
    as_it_is = CardReading(canonical, number, _form(text, canonical))
    return as_it_is if number is not None else _repaired_card(ring, text) or as_it_is


def _repaired_card(ring: KeyRing, text: str) -> CardReading | None:
    for delivery, candidate in _ways_back(text, CARD_LENGTH):
        try:
            canonical = card_from_text(candidate)
        except BadToken:
            continue
        if (number := verified_number(ring, canonical)) is not None:
            return CardReading(canonical, number, delivery)
    return None


def _composed(text: str, length: int) -> str:
    if len(text) > MAX_TEXT:
        raise BadToken(Wrong.LENGTH, f"a code has {length} characters, this text {len(text)}")
    return normalize("NFC", text.strip())


def _form(text: str, token: str) -> Delivery:
    return Delivery.PRINTED if token in text else Delivery.TYPED


def _origin(text: str) -> str | None:
    before, slash, _ = text.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")
    return (before + slash).upper() or None


def _repaired(ring: KeyRing, text: str) -> Reading | None:
    for delivery, candidate in _ways_back(text, LENGTH):
        try:
            token = token_from_text(candidate)
        except BadToken:
            continue
        if verify(ring, token):
            return Reading(token, read(token), True, delivery, None)
    return None


def _ways_back(text: str, length: int) -> Iterator[tuple[Delivery, str]]:
    """What each keyboard can have made this text of; a code has `length` characters."""
    upper = text.upper()
    for delivery, inverse in _INVERSES.items():
        for candidate in inverse(upper, length):
            yield delivery, candidate


# Layouts: what the key that has this on a US board gives, upper case, and back.
_QWERTZ: Final = str.maketrans("YZ-Ö", "ZY/:")
_AZERTY: Final = str.maketrans("AQZW?,:!)&É\"'(-È_ÇÀ", "QAWZMM./-1234567890")
_SHIFTED: Final = str.maketrans("!@#$%^&*()?_>", "1234567890/-.")


_Inverse = Callable[[str, int], Iterator[str]]


def _layout(table: Mapping[int, int]) -> _Inverse:
    def inverse(text: str, _length: int) -> Iterator[str]:
        back = text.translate(table)
        if back != text:
            yield back

    return inverse


# Input methods: the key of each mark. Combining marks by their code points.
_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_CIRCUMFLEX, _BREVE, _HORN, _STROKE = "\u0302", "\u0306", "\u031b", "đ"
_TONES: Final = (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT)
_TELEX: Final = dict(zip(_TONES, "SFRXJ", strict=True)) | {_BREVE: "W", _STROKE: "D"}
_VNI: Final = dict(zip(_TONES, "12345", strict=True)) | {
    _CIRCUMFLEX: "6",
    _BREVE: "8",
    _STROKE: "9",
}


def _telex(text: str, length: int) -> Iterator[str]:
    return _typed(text, length, _TELEX)


def _vni(text: str, length: int) -> Iterator[str]:
    return _typed(text, length, _VNI)


def _typed(text: str, length: int, keys: Mapping[str, str]) -> Iterator[str]:
    """The ways in which the text's last part can have been typed, if they are `length` long."""
    if text.isascii():  # no marks: it is as it was typed
        return
    parts = [_apart(letter, keys) for letter in text.rstrip("/").rpartition("/")[2]]
    if sum(1 + len(pressed) for _, pressed in parts) != length:
        return
    ways = {""}
    for letter, pressed in reversed(parts):
        ways = {letter + way for rest in ways for way in _with_keys(rest, pressed)}
        if len(ways) > _MOST_WAYS:
            return
    yield from sorted(ways)


def _apart(letter: str, keys: Mapping[str, str]) -> tuple[str, str]:
    """A letter without its marks, and their keys."""
    if letter == "Đ":
        return "D", keys[_STROKE]
    base, *marks = list(normalize("NFD", letter))
    if base == "U" and marks[:1] == [_HORN]:  # Telex makes it of W alone; a token has no U
        base, marks = "W", marks[1:]
    # in Telex the circumflex is the letter itself again
    return base, "".join(keys.get(mark, base) for mark in marks)


def _with_keys(rest: str, pressed: str) -> Iterator[str]:
    """`rest` with these keys pressed somewhere in its first letters, in any order."""
    if not pressed:
        yield rest
        return
    for order in set(permutations(pressed)):
        ways = {rest}
        for key in order:
            ways = {w[:at] + key + w[at:] for w in ways for at in range(min(_FAR, len(w)) + 1)}
        yield from ways


_INVERSES: Final[Mapping[Delivery, _Inverse]] = {
    Delivery.QWERTZ: _layout(_QWERTZ),
    Delivery.AZERTY: _layout(_AZERTY),
    Delivery.SHIFTED: _layout(_SHIFTED),
    Delivery.TELEX: _telex,
    Delivery.VNI: _vni,
}
