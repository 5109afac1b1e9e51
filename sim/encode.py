"""Rows to the JSON bytes that go on the topic: one template, no object per event."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from sim.model import DIRECTIONS, METHODS, SELF, Array, Fault, Records
from sim.people import People
from sim.trips import trip_id
from sim.world import World

CHUNK: Final = 20_000
_GARBAGE: Final = (
    b"hello",
    b"<scan><place/></scan>",
    b"GET /v1/scans HTTP/1.1",
    b"\xff\xfe\x00\x01not utf-8",
    b"person=%d&code=%d",
    b"{'event_id': 'single quotes'}",
    b"null,",
)


@dataclass(frozen=True)
class Encoder:
    """Everything that is written before a single row is known."""

    world: World
    people: People
    forged: Sequence[str]
    revoked: Sequence[str]
    producer: str

    @cached_property
    def _phones(self) -> list[str]:
        # a phone's pseudonym must not give the person away, nor be the same for two
        mixed = (self.people.bits * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(24)
        return [f"p-{value:010x}" for value in mixed.tolist()]

    @cached_property
    def _scanners(self) -> list[str]:
        return [f"g-{number}" for number in self.world.ids.tolist()]

    @cached_property
    def _ways(self) -> list[str]:
        """By direction * 4 + method."""
        return [
            f'"direction":"{d}","method":"{m}","producer":"{self.producer}"'
            for d in DIRECTIONS
            for m in METHODS
        ]

    def values(self, rows: Records) -> list[bytes]:
        """The bytes of each row; the same row gives the same bytes."""
        texts, tokens = self.people.texts, self.world.tokens
        phones, scanners, ways = self._phones, self._scanners, self._ways
        ids = event_ids(rows)
        times = timestamps(rows["scanned"])
        persons, places = rows["person"].tolist(), rows["place"].tolist()
        methods = rows["method"].tolist()
        both = (rows["direction"].astype(np.int64) * len(METHODS) + rows["method"]).tolist()
        tails = self._tails(rows)
        lines = [
            f'{{"event_id":"{i}","person":"{texts[p]}","code":"{tokens[c]}",{ways[b]},'
            f'"device":"{phones[p] if m == SELF else scanners[c]}","scanned_at":"{t}Z"{e}}}'
            for i, p, c, b, m, t, e in zip(
                ids, persons, places, both, methods, times, tails, strict=True
            )
        ]
        values = "\n".join(lines).encode("ascii").split(b"\n")
        for at in np.flatnonzero(rows["fault"]).tolist():
            values[at] = self._broken(values[at], rows[at])
        return values

    def _tails(self, rows: Records) -> list[str]:
        tails = [""] * len(rows)
        optional = (rows["companions"] >= 0) | (rows["trip"] >= 0) | (rows["recorded"] >= 0)
        found = np.flatnonzero(optional)
        recorded = timestamps(rows["recorded"][found])
        for at, time in zip(found.tolist(), recorded, strict=True):
            row = rows[at]
            tail = ""
            if row["companions"] >= 0:
                tail += f',"companions":{row["companions"]}'
            if row["trip"] >= 0:
                trip = trip_id(self.world.places[row["place"]].name, int(row["trip"]))
                tail += f',"trip":"{trip}"'
            if row["seat"] > 0:
                tail += f',"seat":"{row["seat"]}"'
            if row["recorded"] >= 0:
                tail += f',"recorded_at":"{time}Z"'
            tails[at] = tail
        return tails

    def _broken(self, value: bytes, row: np.void) -> bytes:
        aux = int(row["aux"])
        person = self.people.texts[row["person"]].encode()
        code = self.world.tokens[row["place"]].encode()
        match Fault(row["fault"]):
            case Fault.NOT_JSON:
                return _GARBAGE[aux % len(_GARBAGE)]
            case Fault.TRUNCATED:
                return value[: 12 + aux % (len(value) - 20)]
            case Fault.WRONG_TYPE:
                return _wrong_type(value, aux)
            case Fault.MISSING_FIELD:
                return _without(value, aux)
            case Fault.MALFORMED_PERSON:
                return value.replace(person, _malformed(person, aux), 1)
            case Fault.FORGED_CODE:
                return value.replace(code, self.forged[aux % len(self.forged)].encode(), 1)
            case Fault.REVOKED_CODE:
                return value.replace(code, self.revoked[aux].encode(), 1)
            case Fault.UNKNOWN_PRODUCER:
                known = f'"producer":"{self.producer}"'.encode()
                return value.replace(known, b'"producer":"nobody-%d"' % (aux % 1000))
            case _:
                return value


def event_ids(rows: Records) -> Iterator[str]:
    """The 36 characters of each row's event id."""
    halves = np.empty((len(rows), 2), dtype=">u8")
    halves[:, 0], halves[:, 1] = rows["id_high"], rows["id_low"]
    text = halves.tobytes().hex()
    for i in range(0, len(text), 32):
        t = text[i : i + 32]
        yield f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}"


def timestamps(moments: Array) -> list[str]:
    """`YYYY-MM-DDTHH:MM:SS.mmm` of UTC milliseconds, without the Z."""
    return np.datetime_as_string(moments.astype("datetime64[ms]"), unit="ms").tolist()  # type: ignore[no-any-return]


def _wrong_type(value: bytes, aux: int) -> bytes:
    """A number for a string, or a string for a number."""
    if aux % 3 == 0:
        return value[:-1] + b',"companions":"2"}'
    field = b'"device":"' if aux % 3 == 1 else b'"scanned_at":"'
    begin = value.index(field)
    end = value.index(b'"', begin + len(field)) + 1
    return value[:begin] + field[:-1] + b"%d" % (aux % 10**9) + value[end:]


_DROPPED: Final = (b"code", b"direction", b"method", b"producer", b"device", b"scanned_at")


def _without(value: bytes, aux: int) -> bytes:
    """A field is renamed away: still JSON, but the field is missing."""
    name = _DROPPED[aux % len(_DROPPED)]
    return value.replace(b'"%b":' % name, b'"%b_":' % name, 1)


def _malformed(person: bytes, aux: int) -> bytes:
    """Not the canonical 13 characters: too short, out of 64 bits, or a letter not used."""
    forms = (person[:-1], b"Z" + person[1:], person[:5] + b"U" + person[6:], person[:-1] + b"u")
    return forms[aux % len(forms)]
