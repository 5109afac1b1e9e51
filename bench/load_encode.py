"""Scans for a live load: whole blocks written in numpy, so that 100,000 a second cost little CPU.

Every scan is valid and its event id new (UUIDv7), but for a small share that repeats the record
before it to the byte, as a phone does that missed the acknowledgement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.ids import PERSON_LENGTH
from sim.people import person_texts

Bytes = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

_DAY_MS: Final = 86_400_000
_TOKEN: Final = 18
_DEVICE: Final = 10
_TIME: Final = len("2026-01-01T00:00:00.000")
# direction, method and their share of the scans
_WAYS: Final = (
    ("in", "self", 0.60), ("in", "staff", 0.08), ("out", "self", 0.20), ("pass", "self", 0.12),
)  # fmt: skip
_PLACE_SIGMA: Final = 0.9  # the busiest of 5,000 places has some 0.3 % of all scans
_LATE: Final = 0.015  # phones that were offline: minutes to two days
_HEX: Final = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), np.uint8)
_TWO: Final = np.frombuffer("".join(f"{i:02d}" for i in range(100)).encode(), np.uint8)
_THREE: Final = np.frombuffer("".join(f"{i:03d}" for i in range(1000)).encode(), np.uint8)


@dataclass(frozen=True)
class Block:
    """Records in order of publication; `repeats` of them are the record before, again."""

    messages: list[dict[str, bytes]]
    repeats: int
    value_bytes: int

    def __len__(self) -> int:
        return len(self.messages)


@dataclass(frozen=True)
class Mix:
    """What the scans are like. `spread_days` > 0: typed from paper, scanned in that many days."""

    people: int = 1_000_000
    repeats: float = 0.002
    spread_days: float = 0.0


class Encoder:
    """Makes blocks; the same seed and times give the same bytes."""

    def __init__(self, tokens: Sequence[str], mix: Mix, producer: str, seed: int) -> None:
        assert all(len(token) == _TOKEN for token in tokens)
        rng = self._rng = np.random.default_rng([seed, 17])
        self._mix = mix
        bits = rng.integers(1, 2**64, mix.people, dtype=np.uint64)
        texts = "".join(person_texts(bits)).encode()
        self._persons = np.frombuffer(texts, np.uint8).reshape(-1, PERSON_LENGTH)
        mixed = bits * np.uint64(0x9E3779B97F4A7C15)  # a phone must not give its person away
        pairs = mixed.astype(">u8").view(np.uint8).reshape(-1, 8)[:, : _DEVICE // 2]
        self._devices = _HEX.reshape(256, 2)[pairs].reshape(-1, _DEVICE)
        self._tokens = np.frombuffer("".join(tokens).encode(), np.uint8).reshape(-1, _TOKEN)
        weights = rng.lognormal(0, _PLACE_SIGMA, len(tokens))
        self._places = np.cumsum(weights / weights.sum())
        ways = [w if not mix.spread_days else (w[0], "typed", w[2]) for w in _WAYS]
        self._ways = np.cumsum([share for *_, share in ways])[:-1]
        self._templates = [_template(d, m, producer) for d, m, _ in ways]

    def block(self, due_ms: I64) -> Block:
        """One record for each of these moments (ms since 1970 UTC) of publication."""
        n, rng = len(due_ms), self._rng
        person = rng.integers(0, len(self._persons), n)
        place = np.minimum(
            np.searchsorted(self._places, rng.random(n), side="right"), len(self._tokens) - 1
        )
        scanned = due_ms - self._ages(n)
        ids = self._event_ids(due_ms)
        way = np.searchsorted(self._ways, rng.random(n), side="right")
        values = np.empty(n, dtype=object)
        size = 0
        for number, template in enumerate(self._templates):
            rows = np.flatnonzero(way == number)
            lines = np.tile(template, (len(rows), 1))
            _put(lines, b"E" * 36, ids[rows])
            _put(lines, b"P" * PERSON_LENGTH, self._persons[person[rows]])
            _put(lines, b"C" * _TOKEN, self._tokens[place[rows]])
            _put(lines, b"D" * _DEVICE, self._devices[person[rows]])
            _put(lines, b"T" * _TIME, _timestamps(scanned[rows]))
            values[rows] = _cut(lines)
            size += lines.size
        keys = np.empty(n, dtype=object)
        keys[:] = _cut(self._persons[person])
        repeats = self._repeat(keys, values)
        messages = [
            {"key": key, "value": value}
            for key, value in zip(keys.tolist(), values.tolist(), strict=True)
        ]
        return Block(messages, repeats, size)

    def _ages(self, n: int) -> I64:
        """Milliseconds from the scan to its publication."""
        rng = self._rng
        if self._mix.spread_days:
            return rng.integers(0, int(self._mix.spread_days * _DAY_MS), n)
        ages = np.clip(rng.lognormal(np.log(400), 0.8, n), 30, 3_000)
        long_ago = np.clip(rng.lognormal(np.log(90 * 60_000), 1.6, n), 0, 2 * _DAY_MS)
        chosen = np.where(rng.random(n) < _LATE, long_ago, ages)
        return chosen.astype(np.int64)

    def _event_ids(self, due_ms: I64) -> Bytes:
        """UUIDv7 (RFC 9562): 48 bits of time, the rest by chance."""
        raw = self._rng.integers(0, 256, (len(due_ms), 16), dtype=np.uint8)
        raw[:, :6] = due_ms.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
        raw[:, 6] = raw[:, 6] & 0x0F | 0x70
        raw[:, 8] = raw[:, 8] & 0x3F | 0x80
        digits = _HEX.reshape(256, 2)[raw].reshape(-1, 32)
        text = np.full((len(due_ms), 36), ord("-"), np.uint8)
        for begin, end, at in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
            text[:, at : at + end - begin] = digits[:, begin:end]
        return text

    def _repeat(self, keys: npt.NDArray[np.object_], values: npt.NDArray[np.object_]) -> int:
        """Some odd rows become the even row before them: no repeat's original is overwritten."""
        odd = np.arange(1, len(values), 2)
        rows = odd[self._rng.random(len(odd)) < 2 * self._mix.repeats]
        keys[rows], values[rows] = keys[rows - 1], values[rows - 1]
        return len(rows)


def _template(direction: str, method: str, producer: str) -> Bytes:
    line = (
        f'{{"event_id":"{"E" * 36}","person":"{"P" * PERSON_LENGTH}","code":"{"C" * _TOKEN}",'
        f'"direction":"{direction}","method":"{method}","producer":"{producer}",'
        f'"device":"p-{"D" * _DEVICE}","scanned_at":"{"T" * _TIME}Z"}}'
    )
    return np.frombuffer(line.encode(), np.uint8)


def _put(lines: Bytes, mark: bytes, content: Bytes) -> None:
    """Write a column where the template holds its mark; the mark is of every line."""
    if len(lines):
        at = lines[0].tobytes().index(mark)
        lines[:, at : at + len(mark)] = content


def _cut(lines: Bytes) -> list[bytes]:
    width = lines.shape[1]
    blob = lines.tobytes()
    return [blob[i : i + width] for i in range(0, len(blob), width)]


def _timestamps(moments: I64) -> Bytes:
    """`YYYY-MM-DDTHH:MM:SS.mmm` of UTC milliseconds, shape (n, 23)."""
    text = np.empty((len(moments), _TIME), np.uint8)
    days, ms = np.divmod(moments, _DAY_MS)
    unique, which = np.unique(days, return_inverse=True)
    dates = np.datetime_as_string(unique.astype("datetime64[D]")).astype("S10")
    text[:, :10] = dates.view(np.uint8).reshape(-1, 10)[which]
    text[:, [10, 13, 16, 19]] = np.frombuffer(b"T::.", np.uint8)
    two = _TWO.reshape(100, 2)
    text[:, 11:13] = two[ms // 3_600_000]
    text[:, 14:16] = two[ms // 60_000 % 60]
    text[:, 17:19] = two[ms // 1000 % 60]
    text[:, 20:23] = _THREE.reshape(1000, 3)[ms % 1000]
    return text
