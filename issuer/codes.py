"""The token in a location code, and the life of a code: first, next, revoked.

Exactly 18 Crockford base32 characters, so that with an origin of at most 32 the URL fits a small
symbol (DESIGN §6):

    place id  6 (30 bits) | version 2 (10 bits) | MAC 8 (40 bits) | check 2 (10 bits)

The check characters catch what scanners and typists do to a code (`issuer/check.py`), the MAC
catches what forgers do (`issuer/keyring.py`).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from issuer.check import LENGTH, SYNDROME, check_symbols, syndrome
from issuer.keyring import KeyRing
from schemas.ids import CROCKFORD, encode_base32
from schemas.origin import MAX_ORIGIN, check_origin
from schemas.places import Code, Place

__all__ = (
    "LENGTH",
    "MAX_ORIGIN",
    "BadToken",
    "KeyRing",
    "Token",
    "Wrong",
    "code_at",
    "code_url",
    "first_code",
    "issue",
    "next_version",
    "read",
    "revoke",
    "revoke_version",
    "token_from_text",
    "verify",
)

MAX_PLACE: Final = 2**30 - 1
MAX_VERSION: Final = 2**10 - 1

_VALUE: Final = {character: value for value, character in enumerate(CROCKFORD)}
# What people read for what is printed (Crockford, "Base 32"): I and L for 1, O for 0.
AS_TYPED: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


class Wrong(StrEnum):
    """What is wrong with a token."""

    LENGTH = "length"
    SYMBOL = "symbol"
    CHECK = "check"


class BadToken(ValueError):
    """This text is no token of ours; `wrong` says which rule it breaks."""

    def __init__(self, wrong: Wrong, sentence: str) -> None:
        super().__init__(sentence)
        self.wrong = wrong


@dataclass(frozen=True)
class Token:
    """What a well-formed token says: place (30 bits), version (10), MAC (40). Not yet verified."""

    place: int
    version: int
    mac: int


def issue(ring: KeyRing, place: int, version: int) -> str:
    """The token of this version of a place's code. Raises ValueError outside 1…2^30-1, 1…1023."""
    if not 1 <= place <= MAX_PLACE:
        raise ValueError(f"a place id is 1 to {MAX_PLACE}, not {place}")
    if not 1 <= version <= MAX_VERSION:
        raise ValueError(f"a code's version is 1 to {MAX_VERSION}, not {version}")
    bits = (place << 50) | (version << 40) | ring.sign(place, version)
    body = encode_base32(bits, LENGTH - 2)
    return body + "".join(CROCKFORD[s] for s in check_symbols([_VALUE[c] for c in body]))


def read(token: str) -> Token:
    """The fields of a canonical token. Raises BadToken; says nothing of who made it."""
    if len(token) != LENGTH:
        raise BadToken(Wrong.LENGTH, f"a code has {LENGTH} characters, not {len(token)}")
    try:
        symbols = [_VALUE[character] for character in token]
    except KeyError as error:
        raise BadToken(
            Wrong.SYMBOL, f"{error.args[0]!r} is not a character of a location code"
        ) from None
    if syndrome(symbols) != SYNDROME:
        raise BadToken(Wrong.CHECK, "the check characters do not fit: a character is wrong")
    bits = 0
    for symbol in symbols[: LENGTH - 2]:
        bits = (bits << 5) | symbol
    return Token(bits >> 50, (bits >> 40) & MAX_VERSION, bits & (2**40 - 1))


def verify(ring: KeyRing, token: str) -> bool:
    """Whether one of our keys made this canonical token. The MAC is compared in constant time."""
    try:
        fields = read(token)
    except BadToken:
        return False
    return ring.accepts(fields.place, fields.version, fields.mac)


def code_url(origin: str, token: str) -> str:
    """The URL in the QR: at most 50 characters, all of QR's alphanumeric mode.

    Raises ValueError that says what is wrong with the origin, BadToken for the token.
    """
    check_origin(origin)
    read(token)
    return origin + token


def token_from_text(text: str) -> str:
    """The canonical token in what a scanner or a person delivers: a URL or a token, in any case.

    Takes hyphens and spaces between groups, and I, L, O for the digits they look like. Raises
    BadToken if no sound token is left, also for what a keyboard layout or an input method
    (Telex, VNI) made of one.
    """
    last = re.split(r"[?#]", text.strip(), maxsplit=1)[0].rstrip("/").rpartition("/")[2]
    if not last.isascii():  # before upper(), which turns ß into SS
        raise BadToken(Wrong.SYMBOL, "a location code has only A-Z and 0-9: check the keyboard")
    token = last.upper().translate(AS_TYPED)
    read(token)
    return token


def first_code(place: Place, ring: KeyRing, valid_from: datetime | None = None) -> Place:
    """A place that is being made, with version 1 of its code; the record's version stays.

    For a place that was already published use `next_version`. Raises ValueError if it has codes.
    """
    if place.codes:
        raise ValueError(f"place {place.id} already has codes")
    code = Code(version=1, token=issue(ring, place.id, 1), valid_from=valid_from)
    return place.model_copy(update={"codes": (code,)})


def next_version(place: Place, ring: KeyRing, valid_from: datetime, overlap: timedelta) -> Place:
    """The place with a new version of its code; older ones end `overlap` after `valid_from`.

    The overlap is the time to put up the new print. Raises ValueError when 1,023 are used up.
    """
    if overlap < timedelta(0):
        raise ValueError("an overlap cannot be negative")
    version = max((code.version for code in place.codes), default=0) + 1
    ends = valid_from + overlap
    ended = [
        code
        if code.valid_to is not None and code.valid_to <= ends
        else Code.model_validate({**code.model_dump(), "valid_to": ends})
        for code in place.codes
    ]
    added = Code(version=version, token=issue(ring, place.id, version), valid_from=valid_from)
    return place.model_copy(update={"codes": (*ended, added), "version": place.version + 1})


def revoke(code: Code, at: datetime, reason: str, decided: datetime | None = None) -> Code:
    """The code refused from `at` on; if that is before it was `decided`, what was scanned by it
    since is taken back. Of two revocations the earlier holds: none is undone."""
    if not reason.strip():
        raise ValueError("a revocation needs a reason")
    if code.revoked_at is not None and code.revoked_at <= at:
        return code
    taken_back = decided if decided is not None and at < decided else None
    revoked = {"revoked_at": at, "revoked_reason": reason, "taken_back_at": taken_back}
    return Code.model_validate(code.model_dump() | revoked)


def revoke_version(place: Place, version: int, at: datetime, reason: str) -> Place:
    """The place with that version of its code revoked. Raises ValueError if it has none such."""
    if all(code.version != version for code in place.codes):
        raise ValueError(f"place {place.id} has no version {version} of its code")
    codes = tuple(revoke(c, at, reason) if c.version == version else c for c in place.codes)
    if codes == place.codes:
        return place
    return place.model_copy(update={"codes": codes, "version": place.version + 1})


def code_at(place: Place, at: datetime) -> Code | None:
    """The newest code that a scan at that time may use, if there is one."""
    good = [
        code
        for code in place.codes
        if (code.valid_from is None or code.valid_from <= at)
        and (code.valid_to is None or at < code.valid_to)
        and (code.revoked_at is None or at < code.revoked_at)
    ]
    return max(good, key=lambda code: code.version, default=None)
