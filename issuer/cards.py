"""The text on a person's card: a random number that names nobody, signed.

Twenty characters, all of QR's alphanumeric mode, so that the symbol is the smallest (25 × 25)
that a third of can be worn off:

    U | number 9 (45 bits) | MAC 8 (40 bits) | check 2 (10 bits)

`U` is no character of Crockford's base32: no reader of location codes takes a card for a place,
and no reader of cards a place for a card; the MACs of the two are never one either. The number
is drawn at random and stands for a person only in the register (`docs/adr/0011`).

A card has a second number for people, of nine digits, to be said over the telephone: it is in no
code, and tells an officer of the ward which card is meant.
"""

from dataclasses import dataclass
from typing import Final

from issuer.check import SYNDROME, check_symbols, syndrome
from issuer.codes import AS_TYPED, BadToken, Wrong
from issuer.keyring import MAC_BITS, Key, KeyRing
from schemas.ids import CROCKFORD, decode_base32, encode_base32

MARK: Final = "U"
CARD_LENGTH: Final = 20
NUMBER_BITS: Final = 45
_NUMBER: Final = 9  # characters
_MAC: Final = 8
_VALUE: Final = {character: value for value, character in enumerate(CROCKFORD)}

FIRST_ID: Final = 10_000_000  # eight digits, before the check digit
IDS: Final = 90_000_000


@dataclass(frozen=True)
class CardText:
    """What a well-formed card says: number (45 bits), MAC (40). Not yet verified."""

    number: int
    mac: int


def card_text(key: Key, number: int) -> str:
    """The text of this card. Raises ValueError for a number of more than 45 bits."""
    body = encode_base32(number, _NUMBER) + encode_base32(key.card_mac(number), _MAC)
    return MARK + body + "".join(CROCKFORD[s] for s in check_symbols([_VALUE[c] for c in body]))


def read_card(text: str) -> CardText:
    """The fields of a card's canonical text. Raises BadToken; says nothing of who made it."""
    if len(text) != CARD_LENGTH:
        raise BadToken(Wrong.LENGTH, f"a card has {CARD_LENGTH} characters, not {len(text)}")
    if text[0] != MARK:
        raise BadToken(Wrong.SYMBOL, f"a card begins with {MARK}")
    try:
        symbols = [_VALUE[character] for character in text[1:]]
    except KeyError:  # the character is part of a secret: not shown
        raise BadToken(Wrong.SYMBOL, "a character is none of a card's") from None
    if syndrome(symbols) != SYNDROME:
        raise BadToken(Wrong.CHECK, "the check characters do not fit: a character is wrong")
    body = text[len(MARK) :]
    return CardText(decode_base32(body[:_NUMBER]), decode_base32(body[_NUMBER : _NUMBER + _MAC]))


def card_from_text(text: str) -> str:
    """The canonical text in what a scanner delivers, in any case. Raises BadToken if none is."""
    stripped = text.strip()
    if not stripped.isascii():  # before upper(), which turns ß into SS
        raise BadToken(Wrong.SYMBOL, "a card has only A-Z and 0-9: check the keyboard")
    canonical = stripped.upper().translate(AS_TYPED)
    read_card(canonical)
    return canonical


def verified_number(ring: KeyRing, canonical: str) -> int | None:
    """The number of a canonical text that one of our keys made, else None."""
    try:
        fields = read_card(canonical)
    except BadToken:
        return None
    return fields.number if ring.accepts_card(fields.number, fields.mac) else None


def card_id(eight: int) -> int:
    """Eight digits and their check digit (ISO/IEC 7064, MOD 11,10): what is said on the telephone.

    Every wrong digit is noticed, and nearly every swap of two that are neighbours.
    """
    assert FIRST_ID <= eight < FIRST_ID + IDS
    return eight * 10 + _check_digit(eight)


def is_card_id(number: int) -> bool:
    """Whether it is nine digits and the last one fits."""
    eight, last = divmod(number, 10)
    return FIRST_ID <= eight < FIRST_ID + IDS and _check_digit(eight) == last


def said(number: int) -> str:
    """`482177306` as it is printed and read out: `482 177 306`."""
    digits = str(number)
    return " ".join(digits[at : at + 3] for at in range(0, len(digits), 3))


def _check_digit(eight: int) -> int:
    product = 10
    for digit in map(int, str(eight)):
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10


assert len(MARK) + _NUMBER + _MAC + 2 == CARD_LENGTH
assert NUMBER_BITS == 5 * _NUMBER
assert MAC_BITS == 5 * _MAC
