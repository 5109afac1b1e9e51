"""Identifiers: persons as text and as 64 bits, and the Kafka partition of a key.

A person is 64 bits written as 13 Crockford base32 characters, canonical only: upper case,
without I, L, O and U, the first character 0-F (13 characters hold 65 bits; the top one is 0).
"""

import re
from typing import Final

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PERSON_PATTERN: Final = r"^[0-9A-F][0-9A-HJKMNP-TV-Z]{12}$"
PERSON_LENGTH: Final = 13

_PERSON = re.compile(PERSON_PATTERN)
_TWO: Final = [one + other for one in CROCKFORD for other in CROCKFORD]
_VALUE: Final = {character: value for value, character in enumerate(CROCKFORD)}


def encode_base32(value: int, length: int) -> str:
    """`value` as exactly `length` Crockford characters, most significant first.

    Raises ValueError if it does not fit.
    """
    if value < 0 or value >> (5 * length):
        raise ValueError(f"{value} does not fit {length} base32 characters")
    return "".join(CROCKFORD[(value >> (5 * i)) & 31] for i in reversed(range(length)))


def decode_base32(text: str) -> int:
    """The number behind canonical Crockford characters. Raises ValueError on any other."""
    value = 0
    for character in text:
        try:
            value = (value << 5) | _VALUE[character]
        except KeyError:
            raise ValueError(f"{character!r} is not a canonical Crockford base32 symbol") from None
    return value


def person_text(person: int) -> str:
    """A person's 64 bits as the 13 characters that events, keys and pages carry."""
    if person >> 64:
        raise ValueError("a person is 64 bits")
    first, two = CROCKFORD[person >> 60], _TWO
    return (
        f"{first}{two[person >> 50 & 1023]}{two[person >> 40 & 1023]}{two[person >> 30 & 1023]}"
        f"{two[person >> 20 & 1023]}{two[person >> 10 & 1023]}{two[person & 1023]}"
    )


def person_bits(text: str) -> int:
    """The 64 bits behind a person's 13 characters. Raises ValueError if not canonical."""
    if not _PERSON.fullmatch(text):
        raise ValueError("a person is 13 canonical Crockford base32 characters, the first 0-F")
    return decode_base32(text)


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 (seed 0x9747b28c), as Java's and aiokafka's default partitioners use it."""
    length = len(data)
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ length
    for i in range(0, length - length % 4, 4):
        k = int.from_bytes(data[i : i + 4], "little")
        k = k * m & mask
        k ^= k >> 24
        h = (h * m & mask) ^ (k * m & mask)
    tail = data[length - length % 4 :]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition a record with this key belongs to: (murmur2 & 0x7fffffff) mod N."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
