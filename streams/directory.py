"""What a worker knows of places, codes and producers: built from the compacted topics.

Codes stand in columns, so that a batch is resolved with a few gathers. A place's rows are
linked: `head[place]` is the row of one code version, `after[row]` the next one. Rows are
filled before they are linked and columns only grow, so a reader in another thread sees the
directory as it was or as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from issuer.codes import KeyRing, verify
from schemas.places import Producer
from streams.allowed import Allowed
from streams.by_place import NONE, ByPlace
from streams.changed import Changed
from streams.place_records import PlaceRows, read_places
from streams.place_table import PlaceTable
from tracer.ground import Ground, ground_of
from tracer.parameters import Parameters

log = structlog.get_logger()


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
            np.full(size, NONE, np.int32),
        )  # fmt: skip

    def grown(self) -> "_Columns":
        """The same rows with room for as many again."""
        bigger = _Columns.empty(2 * len(self.version))
        for name, column in vars(self).items():
            getattr(bigger, name)[: len(column)] = column
        return bigger


class Directory:
    """Places with their codes, and producers. Written by the followers, read by the steps.

    `told` is called with the places of which otherwise is said what traces depend on, once it is
    here."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self.places = PlaceTable()
        self._producers: dict[str, Producer] = {}
        self._producers_changed = 0
        self._wards: dict[str, int] = {}
        self._allowed = (0, 0), Allowed((), {})
        self._head = ByPlace()
        self._columns = _Columns.empty(1024)
        self._rows = 0
        self.changes = 0
        self.told: Callable[[Changed], None] = lambda _changed: None

    # what the followers write

    def site_records(self, records: Sequence[Any]) -> Iterable[tuple[int, str]]:
        """Records of `sites.v1` as a follower hands them over; the offsets of those that make no
        sense, and why."""
        offsets = {record.key.decode(): record.offset for record in records}
        pairs = ((record.key.decode(), record.value) for record in records)
        for key, detail in self.put_site_records(pairs):
            yield offsets[key], f"{key}: {detail}"

    def producer_record(self, record: Any) -> None:
        """A record of `producers.v1`. Raises ValueError for one that makes no sense."""
        self.put_producer(record.key.decode(), record.value)

    def put_site_records(
        self, records: Iterable[tuple[str, bytes | None]]
    ) -> list[tuple[str, str]]:
        """Records of `sites.v1`, (key, value); one older than what is known, and sites, change
        nothing. Those that make no sense, (key, why), are left out."""
        places = [(k, v) for k, v in records if k.startswith("place/") and v is not None]
        try:
            self._put(read_places([value for _, value in places]))
        except ValueError as error:
            if len(places) == 1:
                return [(places[0][0], str(error))]
            return [wrong for one in places for wrong in self.put_site_records([one])]
        return []

    def put_producer(self, key: str, value: bytes | None) -> None:
        """A record of `producers.v1`; a tombstone takes the producer away."""
        if value is None:
            self._producers.pop(key, None)
            self._producers_changed += 1
            return
        producer = Producer.model_validate_json(value)
        known = self._producers.get(producer.id)
        if known is None or producer.version > known.version:
            self._producers[producer.id] = producer
            self._producers_changed += 1
            self.changes += 1

    def _put(self, rows: PlaceRows) -> None:
        chosen = _newest(rows)
        chosen = chosen[rows.version[chosen] > self.places.versions(rows.place[chosen])]
        if not len(chosen):
            return
        wards = np.array([self._wards.setdefault(ward, len(self._wards)) for ward in rows.ward])
        for codes in _one_each(rows, chosen):
            self._put_codes(rows, codes, wards)
        changed = self.places.put(rows, chosen)
        self.changes += 1
        if len(changed):
            self.told(changed)

    def _put_codes(
        self, rows: PlaceRows, codes: npt.NDArray[np.int64], wards: npt.NDArray[np.int64]
    ) -> None:
        """Rows of `rows.codes`, at most one of each place."""
        of, version = rows.codes.of[codes], rows.codes.version[codes]
        place = rows.place[of]
        row = self.find(place, version).row.copy()
        new = row == NONE
        count = self._rows + int(new.sum())
        while count > len(self._columns.version):
            self._columns = self._columns.grown()
        row[new] = np.arange(self._rows, count)
        columns = self._columns
        columns.version[row] = version
        columns.mac[row] = rows.codes.mac[codes]
        columns.valid_from[row] = rows.codes.valid_from[codes]
        columns.valid_to[row] = rows.codes.valid_to[codes]
        columns.revoked_at[row] = rows.codes.revoked_at[codes]
        columns.ward[row] = wards[of]
        columns.after[row[new]] = self._head.of(place[new])
        self._head.put(place[new], row[new])
        self._rows = count

    # what the steps read

    @property
    def codes(self) -> int:
        """Code versions known."""
        return self._rows

    def find(self, place: npt.NDArray[np.uint32], version: npt.NDArray[np.int32]) -> "Found":
        """The code rows of these (place, version) pairs, shape (n,)."""
        columns = self._columns
        row = self._head.of(place)
        # a row linked since the columns were taken is not known yet
        row = np.where(row < len(columns.version), row, NONE)
        while (other := (row != NONE) & (columns.version[row] != version)).any():
            row = np.where(other, columns.after[row], row)
            row = np.where(row < len(columns.version), row, NONE)
        return Found(row, columns)

    def signed(self, token: str) -> bool:
        """Whether one of our keys made this token."""
        return bool(verify(self._ring, token))

    def allowed(self) -> Allowed:
        """What producers may publish, as it is known now."""
        state = self._producers_changed, len(self._wards)
        made = self._allowed
        if made[0] != state:  # two threads may make it at once: the same, or the newer comes again
            made = state, Allowed(list(self._producers.values()), dict(self._wards))
            self._allowed = made
        return made[1]

    def ground(self, parameters: Parameters) -> Ground:
        """What traces stand on, as it is known now."""
        return ground_of(self.places.frame(), self.places.trips(), parameters)


@dataclass(frozen=True)
class Found:
    """Rows of the code columns for a batch."""

    row: npt.NDArray[np.int32]
    columns: _Columns

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which are in the directory."""
        result: npt.NDArray[np.bool_] = self.row != NONE
        return result

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        column: npt.NDArray[Any] = getattr(self.columns, name)
        return column[self.row]


def _newest(rows: PlaceRows) -> npt.NDArray[np.int64]:
    """Of each place its row of the highest version; of two the first."""
    order = np.lexsort((-np.arange(len(rows.place)), rows.version, rows.place))
    place = rows.place[order]
    last = np.append(place[1:] != place[:-1], [True] * min(1, len(place)))
    return np.asarray(order[last], np.int64)


def _one_each(rows: PlaceRows, chosen: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """The codes of these places in turns: the first of each, the second of each, …"""
    wanted = np.zeros(len(rows.place), bool)
    wanted[chosen] = True
    codes = np.flatnonzero(wanted[rows.codes.of])
    of = rows.codes.of[codes]
    first = np.searchsorted(of, of)  # a place's codes lie together
    turn = np.arange(len(of)) - first
    for number in range(int(turn.max()) + 1 if len(turn) else 0):
        yield codes[turn == number]
