"""The keys of the location codes and of persons' cards: the first signs, every one verifies.

So a key is replaced without printing anything anew: put the new one in front, keep the old one
until its last poster and card is gone.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

SETTING: Final = "TRUYVET_CODE_KEYS"
MIN_KEY_BYTES: Final = 16  # beyond guessing; RFC 2104, section 3, advises 32 for SHA-256
MAC_BITS: Final = 40

# Part of every code and card ever printed: changing one makes all of its kind forgeries. That
# they differ keeps a MAC of the one from being one of the other.
_DOMAIN: Final = b"truyvet location code 1\x00"
_CARD_DOMAIN: Final = b"truyvet person card 1\x00"
_KEY_ID = re.compile(r"[0-9A-Za-z_-]{1,16}", re.ASCII)


@dataclass(frozen=True)
class Key:
    """One key; its secret stays out of logs and tracebacks."""

    id: str
    secret: bytes = field(repr=False)

    def mac(self, place: int, version: int) -> int:
        """First 40 bits of HMAC-SHA256 over domain, place (4 bytes) and version (2), big-endian."""
        return self._mac(_DOMAIN + place.to_bytes(4) + version.to_bytes(2))

    def card_mac(self, number: int) -> int:
        """First 40 bits of HMAC-SHA256 over the cards' domain and the number (6 bytes)."""
        return self._mac(_CARD_DOMAIN + number.to_bytes(6))

    def _mac(self, message: bytes) -> int:
        digest = hmac.digest(self.secret, message, hashlib.sha256)
        return int.from_bytes(digest[: MAC_BITS // 8])


@dataclass(frozen=True)
class KeyRing:
    """At least one key; `keys[0]` signs."""

    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError(f"{SETTING} is empty: it needs at least one key, id:hex")

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2:<hex>,1:<hex>`. Raises ValueError that names the setting and what is wrong."""
        keys: list[Key] = []
        for number, entry in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
            key_id, colon, digits = entry.partition(":")
            if not colon or not _KEY_ID.fullmatch(key_id):  # the entry may be a secret: not shown
                raise ValueError(f"{SETTING}: key {number} is not written id:hex")
            if any(key.id == key_id for key in keys):
                raise ValueError(f"{SETTING}: the key id {key_id} is there twice")
            keys.append(Key(key_id, _secret(key_id, digits)))
        return cls(tuple(keys))

    def sign(self, place: int, version: int) -> int:
        """The MAC (40 bits) that goes into a new code."""
        return self.keys[0].mac(place, version)

    def accepts(self, place: int, version: int, mac: int) -> bool:
        """Whether any key made this MAC; takes as long whichever did, or none."""
        return _is_one_of([key.mac(place, version) for key in self.keys], mac)

    def accepts_card(self, number: int, mac: int) -> bool:
        """As `accepts`, of the MAC of a card."""
        return _is_one_of([key.card_mac(number) for key in self.keys], mac)

    def key(self, key_id: str) -> Key | None:
        """The key of this id, if it is still here."""
        return next((key for key in self.keys if key.id == key_id), None)


def _is_one_of(made: Iterable[int], mac: int) -> bool:
    """In constant time for so many."""
    given, accepted = mac.to_bytes(MAC_BITS // 8), False
    for one in made:
        accepted |= hmac.compare_digest(given, one.to_bytes(MAC_BITS // 8))
    return accepted


def _secret(key_id: str, digits: str) -> bytes:
    try:
        secret = bytes.fromhex(digits)
    except ValueError:
        raise ValueError(f"{SETTING}: key {key_id} is not hexadecimal") from None
    if len(secret) < MIN_KEY_BYTES:
        raise ValueError(
            f"{SETTING}: key {key_id} has {len(secret)} bytes and needs at least "
            f"{MIN_KEY_BYTES} ({2 * MIN_KEY_BYTES} hexadecimal digits)"
        )
    return secret
