"""Who was erased: the list of `erasures.v1`, asked for a batch of persons at a time.

The list has keyed hashes, so each person in question is hashed too: SipHash-2-4 (Aumasson and
Bernstein, 2012), a keyed function that nobody can turn round without the key, in columns: 30 ns a
person. Only records of before the newest erasure are in question, and that is none of those that
come in live.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from schemas.erasures import Erasure
from schemas.errors import Fatal
from schemas.ids import PERSON_LENGTH, person_bits
from streams.columns import I64, U64, Mask

_PURPOSE: Final = b"truyvet erasure list"
# overlapping, in either case: what cannot be read may still hold a person's id
_LOOKS_LIKE_A_PERSON: Final = re.compile(
    rb"(?=([0-9A-F][0-9A-HJKMNP-TV-Z]{%d}))" % (PERSON_LENGTH - 1), re.IGNORECASE
)
_LENGTH: Final = np.uint64(8 << 56)  # SipHash's last word of a message of 8 bytes
Key = tuple[int, int]


def list_key(person_key: str) -> Key | None:
    """The key of the list's hashes, from the setting (hex); None if there is none."""
    if not person_key:
        return None
    digest = hmac.digest(bytes.fromhex(person_key), _PURPOSE, hashlib.sha256)
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


def hashes(persons: U64, key: Key) -> U64:
    """SipHash-2-4 of each person's 64 bits (as 8 bytes, little endian)."""
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    v = [
        np.full(len(persons), k ^ np.uint64(constant))
        for k, constant in (
            (k0, 0x736F6D6570736575),
            (k1, 0x646F72616E646F6D),
            (k0, 0x6C7967656E657261),
            (k1, 0x7465646279746573),
        )
    ]
    for word in (persons, np.full(len(persons), _LENGTH)):
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= np.uint64(0xFF)
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def hash_text(person: int, key: Key) -> str:
    """The hash of one person as the list writes it."""
    return f"{int(hashes(np.array([person], np.uint64), key)[0]):016x}"


class Erasures:
    """The list as it is known now. Written by a follower, read by the steps in another thread."""

    def __init__(self, key: Key | None) -> None:
        self._key = key
        self._known: dict[str, Erasure] = {}
        # one tuple, put in place whole: hashes sorted, their moments (ms), the newest of these
        self._list: tuple[U64, I64, int] = (np.zeros(0, np.uint64), np.zeros(0, np.int64), 0)

    def record(self, record: Any) -> None:
        """Enter a record of `erasures.v1`. Raises ValueError for one that makes no sense."""
        if record.value is not None:
            self.put([Erasure.model_validate_json(record.value)])

    def put(self, erasures: Iterable[Erasure]) -> None:
        """Enter these; an older version of one changes nothing. Raises Fatal without a key."""
        for erasure in erasures:
            known = self._known.get(erasure.hash)
            if known is None or erasure.version > known.version:
                self._known[erasure.hash] = erasure
        if not self._known:
            return
        if self._key is None:
            raise Fatal(
                "persons were erased and TRUYVET_PERSON_KEY is not set: without it nobody can tell "
                "whose records must not be written again"
            )
        rows = sorted((int(e.hash, 16), int(e.before.timestamp() * 1000)) for e in self._all())
        found, before = zip(*rows, strict=True)
        self._list = np.array(found, np.uint64), np.array(before, np.int64), max(before)

    def _all(self) -> Iterable[Erasure]:
        return self._known.values()

    def __len__(self) -> int:
        return len(self._known)

    def among(self, persons: U64, moments: I64) -> Mask:
        """Whose records of these moments (ms since 1970, UTC) are erased."""
        listed, before, newest = self._list
        result = np.zeros(len(persons), bool)
        asked = np.flatnonzero(moments < newest)
        if not len(asked) or self._key is None:
            return result
        wanted = hashes(persons[asked], self._key)
        at = np.minimum(np.searchsorted(listed, wanted), len(listed) - 1)
        result[asked] = (listed[at] == wanted) & (moments[asked] < before[at])
        return result

    def in_text(self, texts: Iterable[bytes | None], moment: int) -> bool:
        """Whether the bytes of a record that could not be read hold an erased person's id."""
        if moment >= self._list[2]:
            return False
        found = {
            m[1].upper() for text in texts if text for m in _LOOKS_LIKE_A_PERSON.finditer(text)
        }
        persons = np.array([person_bits(text.decode()) for text in sorted(found)], np.uint64)
        return bool(self.among(persons, np.full(len(persons), moment)).any())


def _rounds(v: list[U64], count: int) -> None:
    for _ in range(count):
        v[0] += v[1]
        v[2] += v[3]
        v[1] = _left(v[1], 13) ^ v[0]
        v[3] = _left(v[3], 16) ^ v[2]
        v[0] = _left(v[0], 32)
        v[2] += v[1]
        v[0] += v[3]
        v[1] = _left(v[1], 17) ^ v[2]
        v[3] = _left(v[3], 21) ^ v[0]
        v[2] = _left(v[2], 32)


def _left(words: U64, bits: int) -> U64:
    rotated: U64 = (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))
    return rotated
