"""What a worker knows of places, codes and producers: built from the compacted topics.

Codes stand in columns, so that a batch is resolved with a few gathers. A place's rows are
linked: `head[place]` is the row of one code version, `after[row]` the next one. Rows are
filled before they are linked and columns only grow, so a reader in another thread sees the
directory as it was or as it is.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import structlog

from issuer.codes import KeyRing, read, verify
from schemas.errors import InvalidEvent
from schemas.places import Place, Producer
from schemas.scan import parse_timestamp

log = structlog.get_logger()

ALWAYS: Final = np.iinfo(np.int64).min
NEVER: Final = np.iinfo(np.int64).max
_NONE: Final = -1


@dataclass
class _Columns:
    """One row a code version. Times in ms since 1970 UTC."""

    version: npt.NDArray[np.int32]
    mac: npt.NDArray[np.uint64]
    valid_from: npt.NDArray[np.int64]
    valid_to: npt.NDArray[np.int64]
    revoked_at: npt.NDArray[np.int64]
    ward: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]

    @classmethod
    def empty(cls, size: int) -> "_Columns":
        return cls(
            np.zeros(size, np.int32), np.zeros(size, np.uint64), np.zeros(size, np.int64),
            np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int32),
            np.full(size, _NONE, np.int32),
        )  # fmt: skip

    def grown(self) -> "_Columns":
        """The same rows with room for as many again."""
        bigger = _Columns.empty(2 * len(self.version))
        for name, column in vars(self).items():
            getattr(bigger, name)[: len(column)] = column
        return bigger


class Directory:
    """Places with their codes, and producers. Written by the followers, read by the steps."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._places: dict[int, bytes] = {}
        self._versions: dict[int, int] = {}
        self._producers: dict[str, Producer] = {}
        self._wards: dict[str, int] = {}
        self._head = np.full(1024, _NONE, np.int32)
        self._columns = _Columns.empty(1024)
        self._rows = 0
        self.changes = 0

    # what the followers write

    def put_site_record(self, key: str, value: bytes | None) -> None:
        """A record of `sites.v1`; one older than what is known, and sites, change nothing."""
        if not key.startswith("place/") or value is None:
            return
        record = _object(value)
        place, version = record.get("id"), record.get("version", 1)
        if not isinstance(place, int) or not isinstance(version, int) or place < 1:
            raise InvalidEvent(f"{key}: a place needs a positive id and a version")
        if version <= self._versions.get(place, 0):
            return
        self._room_for(place)
        ward = self._wards.setdefault(str(record.get("ward")), len(self._wards))
        for code in record.get("codes", ()):
            self._put_code(place, ward, code)
        self._places[place] = value
        self._versions[place] = version
        self.changes += 1

    def put_producer(self, key: str, value: bytes | None) -> None:
        """A record of `producers.v1`; a tombstone takes the producer away."""
        if value is None:
            self._producers.pop(key, None)
            return
        producer = Producer.model_validate_json(value)
        known = self._producers.get(producer.id)
        if known is None or producer.version > known.version:
            self._producers[producer.id] = producer
            self.changes += 1

    def _put_code(self, place: int, ward: int, code: dict[str, Any]) -> None:
        token = read(code["token"])
        row = self._row_of(place, token.version)
        new = row == _NONE
        if new:
            if self._rows == len(self._columns.version):
                self._columns = self._columns.grown()
            row = self._rows
        columns = self._columns
        columns.version[row] = token.version
        columns.mac[row] = token.mac
        columns.valid_from[row] = _moment(code.get("valid_from"), ALWAYS)
        columns.valid_to[row] = _moment(code.get("valid_to"), NEVER)
        columns.revoked_at[row] = _moment(code.get("revoked_at"), NEVER)
        columns.ward[row] = ward
        if new:
            columns.after[row] = self._head[place]
            self._head[place] = row
            self._rows += 1

    def _row_of(self, place: int, version: int) -> int:
        row = int(self._head[place])
        while row != _NONE and self._columns.version[row] != version:
            row = int(self._columns.after[row])
        return row

    def _room_for(self, place: int) -> None:
        if place >= len(self._head):
            bigger = np.full(max(place + 1, 2 * len(self._head)), _NONE, np.int32)
            bigger[: len(self._head)] = self._head
            self._head = bigger

    # what the steps read

    @property
    def codes(self) -> int:
        """Code versions known."""
        return self._rows

    def find(self, place: npt.NDArray[np.uint32], version: npt.NDArray[np.int32]) -> "Found":
        """The code rows of these (place, version) pairs, shape (n,)."""
        head, columns = self._head, self._columns
        inside = place < len(head)
        row = np.where(inside, head[np.where(inside, place, 0)], _NONE)
        # a row linked since the columns were taken is not known yet
        row = np.where(row < len(columns.version), row, _NONE)
        while (other := (row != _NONE) & (columns.version[row] != version)).any():
            row = np.where(other, columns.after[row], row)
            row = np.where(row < len(columns.version), row, _NONE)
        return Found(row, columns)

    def signed(self, token: str) -> bool:
        """Whether one of our keys made this token."""
        return bool(verify(self._ring, token))

    def producer(self, producer: str) -> Producer | None:
        """The producer's record, if it is known."""
        return self._producers.get(producer)

    def wards(self, codes: tuple[str, ...]) -> npt.NDArray[np.int32]:
        """The numbers that `Found.ward` uses for these wards."""
        return np.array([self._wards[c] for c in codes if c in self._wards], dtype=np.int32)

    def places(self) -> list[Place]:
        """All places with everything that is known of them."""
        return [Place.model_validate_json(value) for value in list(self._places.values())]


@dataclass(frozen=True)
class Found:
    """Rows of the code columns for a batch."""

    row: npt.NDArray[np.int32]
    columns: _Columns

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which are in the directory."""
        result: npt.NDArray[np.bool_] = self.row != _NONE
        return result

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        column: npt.NDArray[Any] = getattr(self.columns, name)
        return column[self.row]


def _object(value: bytes) -> dict[str, Any]:
    record = orjson.loads(value)
    if not isinstance(record, dict):
        raise InvalidEvent("the record is not an object")
    return record


def _moment(text: str | None, otherwise: int) -> int:
    return otherwise if text is None else round(parse_timestamp(text).timestamp() * 1000)
