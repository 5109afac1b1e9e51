"""Step 6, watch: scans that fall into a place-window of an open case, or may change its run.

The index is rebuilt from `cases.v1` at start and is the same on every worker; each looks at
the scans of its own partitions. The alert's id is made of case, person, place and the scan's
partition and offset, so that the same scan judged again is the same alert.

A scan may change a case's run without lying in one of its windows: somebody came before the case
did and was still there, or went out after it; or the scan ends the stay of somebody who was
there. So a window also has a time before and after it, and a case the persons who were near.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from schemas.cases import Alert, AlertKind
from schemas.ids import person_text
from streams.columns import I64, U64, Mask
from streams.convert import Rows
from streams.near import NOBODY, Near
from tracer.identity import Same, every_id

# pairs of a scan and a window of its place that are compared at once
_PAIRS: Final = 2_000_000
_OUT: Final = 2  # of the column `direction`


@dataclass(frozen=True)
class PlaceWindow:
    """A place and an interval of an open case, ms since 1970 UTC, the end excluded.

    `before`: ms by which somebody may have entered sooner and still be there; `after`: by which
    a scan out may come later of somebody whose entry nobody scanned.
    """

    place: int
    begin: int
    end: int
    before: int = 0
    after: int = 0


@dataclass(frozen=True)
class Watched:
    """An open case with its place-windows. `person`: None of place-time points alone.

    `near`: persons who were at its places about then; `around`: between which times (ms, both
    included) a scan of theirs anywhere may change their stay there. `same`: whose another id is,
    the case's or a contact's.
    """

    case: str
    version: int
    person: int | None
    windows: tuple[PlaceWindow, ...]
    near: U64 = field(default_factory=lambda: NOBODY)
    around: tuple[int, int] = (0, 0)
    same: Same = field(default_factory=dict)

    @cached_property
    def ids(self) -> frozenset[int]:
        """All ids of its person."""
        return frozenset(() if self.person is None else every_id([self.person], self.same))

    def whole(self, persons: U64) -> U64:
        """These, and every other id of theirs."""
        if not self.same:
            return persons
        return np.array(every_id(persons.tolist(), self.same), np.uint64)


@dataclass(frozen=True)
class Look:
    """What a batch means for open cases.

    `alerts`: (id, alert) for each scan inside a window of somebody else's case. `moved`: cases of
    the persons who scanned; `adds`: those, and such of which a scan may add somebody; `ends`: of
    which one may only end somebody's stay otherwise.
    """

    alerts: list[tuple[str, Alert]]
    adds: set[str]
    ends: set[str]
    moved: set[str]


_NOTHING: Final = Look([], set(), set(), set())


class OpenCases:
    """Place-windows of all open cases, sorted by place, and who was near."""

    def __init__(self) -> None:
        self._cases: dict[str, Watched] = {}
        self._near = Near()
        self._owners: list[Watched] = []  # of each window
        self._persons: U64 | None = None  # of all cases, when it is first asked for
        self._whose: dict[int, set[str]] = {}
        self._index()

    def open(self, watched: Watched) -> None:
        """Watch a case, in place of what was watched of it before."""
        self._cases[watched.case] = watched
        self._near.put(watched.case, watched.near, watched.around)
        self._index()

    def announce(self, said: Watched) -> None:
        """What a case's record says: its ids count from now on. Its windows are still to be
        found; until then those stay that it had."""
        before = self._cases.get(said.case)
        if before is None:
            self._cases[said.case] = said
            self._near.put(said.case, said.near, said.around)
            self._persons = None
            return
        now = replace(before, version=said.version, person=said.person, same=said.same)
        self._cases[said.case] = now
        if (before.person, before.same) != (now.person, now.same):
            self._near.add(said.case, now.whole(np.array(self._near.of(said.case), np.uint64)))
            self._index()
        else:
            self._owners = [now if one is before else one for one in self._owners]

    def close(self, case: str) -> None:
        """Watch it no longer."""
        if self._cases.pop(case, None) is not None:
            self._near.drop(case)
            self._index()

    def get(self, case: str) -> Watched | None:
        """The case, if it is watched."""
        return self._cases.get(case)

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
                (w.place, w.begin, w.end, w.before, w.after, owner)
                for owner in self._cases.values()
                for w in owner.windows
            ),
            key=lambda row: row[:5],
        )
        self._owners = [owner for *_, owner in rows]
        self._person = np.array([owner.person or 0 for owner in self._owners], dtype=np.uint64)
        self._nobodys = np.array([owner.person is None for owner in self._owners], dtype=bool)
        times = np.array([row[1:5] for row in rows], dtype=np.int64).reshape(-1, 4)
        self._begin, self._end, before, after = times.T
        self._early, self._late = self._begin - before, self._end + after
        self._place = np.array([place for place, *_ in rows], dtype=np.uint32)
        self._watched = np.zeros(int(self._place.max(initial=0)) + 2, dtype=bool)
        self._watched[self._place] = True
        self._persons = None

    def _moved(self, person: U64) -> set[str]:
        """The cases of these persons."""
        if self._persons is None:  # not with each case: at the start they come in hosts
            self._whose = {}
            for case in self._cases.values():
                for one in case.ids:
                    self._whose.setdefault(one, set()).add(case.case)
            self._persons = np.array(sorted(self._whose), dtype=np.uint64)
        if not len(self._persons):
            return set()
        seen = np.unique(person[np.isin(person, self._persons)]).tolist()
        return {case for one in seen for case in self._whose[one]}

    def look(self, rows: Rows) -> Look:
        """At the scans of a batch."""
        scans = rows.tables["scans"]
        if not self._cases or not scans.num_rows:
            return _NOTHING
        person = scans.column("person").to_numpy()
        at = scans.column("scanned_at").cast(pa.int64()).to_numpy()
        alerts, adds = self._at_windows(rows, person, at)
        moved = self._moved(person)
        ends = self._near.touched(person, at)
        return Look(alerts, adds | moved, ends - adds - moved, moved)

    def _at_windows(
        self, rows: Rows, person: U64, at: I64
    ) -> tuple[list[tuple[str, Alert]], set[str]]:
        scans = rows.tables["scans"]
        place = scans.column("place").to_numpy()
        # the last element stands for every place beyond those watched
        here = np.flatnonzero(self._watched[np.minimum(place, len(self._watched) - 1)])
        if not len(self._place) or not len(here):
            return [], set()
        out = scans.column("direction").to_numpy() == _OUT
        low = np.searchsorted(self._place, place[here], "left")
        high = np.searchsorted(self._place, place[here], "right")
        alerts, adds = [], set()
        for some in np.array_split(np.arange(len(here)), 1 + int((high - low).sum()) // _PAIRS):
            count = (high - low)[some]
            row = np.repeat(here[some], count)
            window = np.repeat(low[some] - np.cumsum(count) + count, count) + np.arange(len(row))
            others = self._nobodys[window] | (self._person[window] != person[row])
            inside = others & (self._begin[window] <= at[row]) & (at[row] < self._end[window])
            alerts += [
                _alert(self._owners[window[k]], rows, int(row[k]))
                for k in np.flatnonzero(inside)
                if int(person[row[k]]) not in self._owners[window[k]].ids
            ]
            may_add = others & self._may_add(window, at[row], out[row])
            adds |= self._noted(window[may_add], person[row[may_add]])
        return alerts, adds

    def _may_add(self, window: I64, at: I64, out: Mask) -> Mask:
        opens = ~out & (self._early[window] <= at) & (at < self._end[window])
        leaves = out & (self._begin[window] < at) & (at <= self._late[window])
        result: Mask = opens | leaves
        return result

    def _noted(self, window: I64, person: U64) -> set[str]:
        """The cases of these windows; the persons are near them from now on."""
        if not len(window):
            return set()
        order = np.argsort(window, kind="stable")
        windows, first = np.unique(window[order], return_index=True)
        cases = set()
        for k, persons in zip(windows, np.split(person[order], first[1:]), strict=True):
            owner = self._owners[k]
            cases.add(owner.case)
            self._near.add(owner.case, owner.whole(persons))
        return cases


def _alert(owner: Watched, rows: Rows, row: int) -> tuple[str, Alert]:
    scan = rows.tables["scans"].slice(row, 1)
    place, offset = scan.column("place")[0].as_py(), scan.column("kafka_offset")[0].as_py()
    scanned_by = scan.column("person")[0].as_py()
    person, whose = person_text(scanned_by), owner.same.get(scanned_by)
    alert = Alert(
        kind=AlertKind.SCAN_IN_WINDOW,
        case=owner.case,
        case_version=owner.version,
        at=scan.column("appended_at")[0].as_py(),
        person=person if whose is None else person_text(whose),
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
