"""Step 6, watch: scans that fall into a place-window of an open case.

The index is rebuilt from `cases.v1` at start and is the same on every worker; each looks at
the scans of its own partitions. The alert's id is made of case, person, place and the scan's
partition and offset, so that the same scan judged again is the same alert.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa

from schemas.cases import Alert, AlertKind
from schemas.ids import person_text
from streams.convert import Rows

# pairs of a scan and a window of its place that are compared at once
_PAIRS: Final = 2_000_000


@dataclass(frozen=True)
class PlaceWindow:
    """A place and an interval of an open case, ms since 1970 UTC, the end excluded."""

    place: int
    begin: int
    end: int


@dataclass(frozen=True)
class Watched:
    """An open case with its place-windows. `person`: None of place-time points alone."""

    case: str
    version: int
    person: int | None
    windows: tuple[PlaceWindow, ...]


class OpenCases:
    """Place-windows of all open cases, sorted by place."""

    def __init__(self) -> None:
        self._cases: dict[str, Watched] = {}
        self._index()

    def open(self, watched: Watched) -> None:
        """Watch a case, in place of what was watched of it before."""
        self._cases[watched.case] = watched
        self._index()

    def close(self, case: str) -> None:
        """Watch it no longer."""
        if self._cases.pop(case, None) is not None:
            self._index()

    def get(self, case: str) -> Watched | None:
        """The case, if it is watched."""
        return self._cases.get(case)

    def of_person(self, person: int) -> list[Watched]:
        """The open cases of this person."""
        return [w for w in self._cases.values() if w.person == person]

    @property
    def cases(self) -> int:
        """How many cases are watched."""
        return len(self._cases)

    @property
    def windows(self) -> int:
        """How many place-windows they have."""
        return len(self._place)

    def _index(self) -> None:
        rows = sorted(
            (
                (w.place, w.begin, w.end, owner)
                for owner in self._cases.values()
                for w in owner.windows
            ),
            key=lambda row: row[:3],
        )
        self._owners = [owner for *_, owner in rows]
        self._person = np.array([owner.person or 0 for owner in self._owners], dtype=np.uint64)
        self._nobodys = np.array([owner.person is None for owner in self._owners], dtype=bool)
        self._begin = np.array([begin for _, begin, _, _ in rows], dtype=np.int64)
        self._end = np.array([end for _, _, end, _ in rows], dtype=np.int64)
        self._place = np.array([place for place, *_ in rows], dtype=np.uint32)
        self._watched = np.zeros(int(self._place.max(initial=0)) + 2, dtype=bool)
        self._watched[self._place] = True
        persons = {o.person for o in self._cases.values() if o.person is not None}
        self._persons = np.array(sorted(persons), dtype=np.uint64)

    def seen(self, rows: Rows) -> list[int]:
        """The persons of open cases who scanned in this batch."""
        if not len(self._persons):
            return []
        person = rows.tables["scans"].column("person").to_numpy()
        seen: list[int] = np.unique(person[np.isin(person, self._persons)]).tolist()
        return seen

    def matches(self, rows: Rows) -> list[tuple[str, Alert]]:
        """(alert id, alert) for each scan of the batch inside a window of somebody else's case."""
        scans = rows.tables["scans"]
        if not len(self._place) or not scans.num_rows:
            return []
        place = scans.column("place").to_numpy()
        # the last element stands for every place beyond those watched
        here = np.flatnonzero(self._watched[np.minimum(place, len(self._watched) - 1)])
        if not len(here):
            return []
        at = scans.column("scanned_at").cast(pa.int64()).to_numpy()
        person = scans.column("person").to_numpy()
        low = np.searchsorted(self._place, place[here], "left")
        high = np.searchsorted(self._place, place[here], "right")
        found = []
        for some in np.array_split(np.arange(len(here)), 1 + int((high - low).sum()) // _PAIRS):
            count = (high - low)[some]
            row = np.repeat(here[some], count)
            window = np.repeat(low[some] - np.cumsum(count) + count, count) + np.arange(len(row))
            inside = (self._begin[window] <= at[row]) & (at[row] < self._end[window])
            inside &= self._nobodys[window] | (self._person[window] != person[row])
            found += [
                _alert(self._owners[window[k]], rows, int(row[k])) for k in np.flatnonzero(inside)
            ]
        return found


def _alert(owner: Watched, rows: Rows, row: int) -> tuple[str, Alert]:
    scan = rows.tables["scans"].slice(row, 1)
    place, offset = scan.column("place")[0].as_py(), scan.column("kafka_offset")[0].as_py()
    person = person_text(scan.column("person")[0].as_py())
    alert = Alert(
        kind=AlertKind.SCAN_IN_WINDOW,
        case=owner.case,
        case_version=owner.version,
        at=scan.column("appended_at")[0].as_py(),
        person=person,
        place=place,
        scanned_at=scan.column("scanned_at")[0].as_py(),
    )
    return alert_id(owner.case, person, place, rows.partition, offset), alert


def alert_id(*parts: object) -> str:
    """The same id for the same parts."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def moment(ms: int) -> datetime:
    """Milliseconds since 1970 as a time."""
    return datetime.fromtimestamp(ms / 1000, UTC)
