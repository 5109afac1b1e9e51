"""Kafka's default partition of each person's key, all people at once."""

import numpy as np
import numpy.typing as npt

from schemas.ids import PERSON_LENGTH
from sim.model import Ints


def person_partitions(texts: tuple[str, ...], partitions: int) -> Ints:
    """murmur2 as in schemas.ids.partition_of, over arrays (a test compares them)."""
    keys = np.frombuffer("".join(texts).encode("ascii"), dtype=np.uint8)
    return (_murmur2(keys.reshape(-1, PERSON_LENGTH)) & 0x7FFFFFFF).astype(np.int64) % partitions


def _murmur2(keys: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    length = keys.shape[1]
    m = np.uint32(0x5BD1E995)
    words = np.ascontiguousarray(keys[:, : length - length % 4]).view("<u4")
    h = np.full(len(keys), 0x9747B28C ^ length, dtype=np.uint32)
    for word in words.T:
        k = word * m  # uint32 arrays wrap around, as the hash wants
        k ^= k >> np.uint32(24)
        h = (h * m) ^ (k * m)
    for at in range(length - 1, length - length % 4 - 1, -1):
        h ^= keys[:, at].astype(np.uint32) << np.uint32(8 * (at % 4))
    if length % 4:
        h *= m
    h = (h ^ (h >> np.uint32(13))) * m
    return h ^ (h >> np.uint32(15))
