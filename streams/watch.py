"""Step 6, watch: scans that fall into a place-window of an open case.

The index is rebuilt from `cases.v1` at start and is the same on every worker; each looks at
the scans of its own partitions. The alert's id is made of case, person, place and the scan's
partition and offset, so that the same scan judged again is the same alert.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from schemas.cases import Alert, AlertKind
from schemas.ids import person_text
from streams.steps import Judged


@dataclass(frozen=True)
class PlaceWindow:
    """A place and an interval of an open case, ms since 1970 UTC, the end excluded."""

    place: int
    begin: int
    end: int


@dataclass(frozen=True)
class Watched:
    """An open case with its place-windows."""

    case: str
    version: int
    person: int
    windows: tuple[PlaceWindow, ...]


class OpenCases:
    """Place-windows of all open cases, sorted by place."""

    def __init__(self) -> None:
        self._cases: dict[str, Watched] = {}
        self._owners: list[Watched] = []
        self._place: npt.NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._begin: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._end: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.persons: frozenset[int] = frozenset()

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
        self._begin = np.array([begin for _, begin, _, _ in rows], dtype=np.int64)
        self._end = np.array([end for _, _, end, _ in rows], dtype=np.int64)
        self._place = np.array([place for place, *_ in rows], dtype=np.uint32)
        self.persons = frozenset(owner.person for owner in self._cases.values())

    def matches(self, judged: Judged) -> list[tuple[str, Alert]]:
        """(alert id, alert) for each scan of the batch inside a window of somebody else's case."""
        if not len(self._place) or not len(judged.verdicts.scans):
            return []
        scans, place = judged.verdicts.scans, judged.resolved.place
        rows = np.flatnonzero(np.isin(place, np.unique(self._place)))
        found = []
        for row in rows:
            here = int(place[row])
            at = int(scans.scanned[row])
            low = int(np.searchsorted(self._place, here, "left"))
            high = int(np.searchsorted(self._place, here, "right"))
            for k in range(low, high):
                owner = self._owners[k]
                inside = self._begin[k] <= at < self._end[k]
                if inside and owner.person != int(scans.person[row]):
                    found.append(_alert(owner, judged, int(row), here, at))
        return found


def _alert(owner: Watched, judged: Judged, row: int, place: int, at: int) -> tuple[str, Alert]:
    raw, scans = judged.verdicts.raw, judged.verdicts.scans
    index = int(scans.index[row])
    person = person_text(int(scans.person[row]))
    parts = (owner.case, person, place, raw.partition, int(raw.offsets[index]))
    alert = Alert(
        kind=AlertKind.SCAN_IN_WINDOW,
        case=owner.case,
        case_version=owner.version,
        at=moment(int(raw.appended[index])),
        person=person,
        place=place,
        scanned_at=moment(at),
    )
    return alert_id(*parts), alert


def alert_id(*parts: object) -> str:
    """The same id for the same parts."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def moment(ms: int) -> datetime:
    """Milliseconds since 1970 as a time."""
    return datetime.fromtimestamp(ms / 1000, UTC)
