"""Step 6, watch: scans that fall into a place-window of an open case, or may change its run.

The index is rebuilt from `cases.v1` at start and is the same on every worker; each looks at
the scans of its own partitions. The alert's id is made of case, person, place and the scan's
partition and offset, so that the same scan judged again is the same alert.

A scan may change a case's run without lying in one of its windows: somebody came before the case
did and was still there, or went out after it; or the scan ends the stay of somebody who was
there. So a window also has a time before and after it, and a case the persons who were near, and
those who came so long before that only their scan out there would say that they were.
"""

import hashlib
import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa

from schemas.cases import Alert, AlertKind
from schemas.ids import person_text
from streams.columns import I64, U64, Mask
from streams.convert import Rows
from streams.matches import Sieve
from streams.near import Near
from streams.watched import Watched
from streams.windows import U32, Windows

_OUT: Final = 2  # of the column `direction`


@dataclass(frozen=True)
class Look:
    """What a batch means for open cases.

    `alerts`: (id, alert) for each scan inside a window of somebody else's case. `moved`: cases of
    the persons who scanned; `adds`: those, and such of which a scan may add somebody; `ends`: of
    which one may end somebody's stay otherwise, or came so long before that it adds only somebody
    whose scan out is there already.
    """

    alerts: list[tuple[str, Alert]]
    adds: set[str]
    ends: set[str]
    moved: set[str]


_NOTHING: Final = Look([], set(), set(), set())


class OpenCases:
    """All open cases: their place-windows, who was near, whose they are. Cases have numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._cases: dict[int, Watched] = {}
        self._next = itertools.count()
        self._near, self._far = Near(), Near()
        self._made: _Index | None = None  # when it is first asked for: at the start cases are many

    def open(self, watched: Watched) -> None:
        """Watch a case, in place of what was watched of it before."""
        number = self._set(watched)
        self._near.put(number, watched.near, watched.around)
        self._far.put(number, watched.far, watched.around)
        self._made = None

    def announce(self, said: Watched) -> None:
        """What a case's record says: its ids count from now on. Its windows are still to be
        found; until then those stay that it had."""
        before = self.get(said.case)
        if before is None:
            self.open(said)
            return
        now = replace(
            before,
            version=said.version,
            person=said.person,
            same=said.same,
            excluded=said.excluded,
        )
        number = self._set(now)
        if (before.person, before.same) != (now.person, now.same):
            for some in (self._near, self._far):
                _add(some, number, now.whole(some.of(number)))
            self._made = None

    def close(self, case: str) -> None:
        """Watch it no longer."""
        number = self._numbers.pop(case, None)
        if number is not None:
            del self._cases[number]
            self._near.drop(number)
            self._far.drop(number)
            self._made = None

    def get(self, case: str) -> Watched | None:
        """The case, if it is watched."""
        number = self._numbers.get(case)
        return None if number is None else self._cases[number]

    def knows(self, now: Watched) -> bool:
        """Whether nobody is near the case, or far, of whom that was not known."""
        number = self._numbers[now.case]
        near, far = self._near.of(number), self._far.of(number)
        nearer: Mask = np.isin(now.near, near)
        farther: Mask = np.isin(now.far, near) | np.isin(now.far, far)
        return bool(nearer.all() and farther.all())

    @property
    def cases(self) -> int:
        """How many cases are watched."""
        return len(self._cases)

    @property
    def windows(self) -> int:
        """How many place-windows they have."""
        return sum(len(case.windows) for case in self._cases.values())

    @property
    def _index(self) -> "_Index":
        if self._made is None:
            self._made = _Index(self._cases)
        return self._made

    def concerned(self, person: U64, at: I64) -> set[str]:
        """The cases of these persons, and those that they were near at these times (ms)."""
        if not self._cases:
            return set()
        near = self._near.touched(person, at) | self._far.touched(person, at)
        return self._names(near | self._index.of(person))

    def look(self, rows: Rows) -> Look:
        """At the scans of a batch."""
        scans = rows.tables["scans"]
        if not self._cases or not scans.num_rows:
            return _NOTHING
        index = self._index
        person, place = (scans.column(name).to_numpy() for name in ("person", "place"))
        at = scans.column("scanned_at").cast(pa.int64()).to_numpy()
        out = scans.column("direction").to_numpy() == _OUT
        alerts, may_add, came_long_before = self._at_windows(index, rows, person, place, at, out)
        may_add |= self._left_late(index, person[out], place[out], at[out])
        moved = self._names(index.of(person))
        adds = self._names(may_add) | moved
        ends = self._names(self._near.touched(person, at) | came_long_before)
        return Look(alerts, adds, ends - adds, moved)

    def _at_windows(
        self, made: "_Index", rows: Rows, person: U64, place: U32, at: I64, out: Mask
    ) -> tuple[list[tuple[str, Alert]], set[int], set[int]]:
        windows = made.windows
        alerts: list[tuple[str, Alert]] = []
        adds: set[int] = set()
        long_before: set[int] = set()
        for rows_around, around in windows.around(place, at):
            others = made.nobodys[around] | (made.person[around] != person[rows_around])
            row, window = rows_around[others], around[others]
            if not len(row):
                continue
            inside = (windows.begin[window] <= at[row]) & (at[row] < windows.end[window])
            hits = zip(row[inside].tolist(), windows.case[window[inside]].tolist(), strict=True)
            alerts += [
                _alert(self._cases[case], rows, k)
                for k, case in hits
                if int(person[k]) not in self._cases[case].nobody
            ]
            may_add = _may_add(windows, window, at[row], out[row])
            case, who = windows.case[window], person[row]
            early = ~out[row] & (at[row] < windows.early[window])
            gone = ~out[row] & windows.gone_by(window, at[row])
            adds |= self._noted(self._near, case[may_add], who[may_add])
            long_before |= self._noted(self._near, case[early], who[early])
            self._noted(self._far, case[gone], who[gone])
        return alerts, adds, long_before

    def _left_late(self, made: "_Index", person: U64, place: U32, at: I64) -> set[int]:
        """The cases to which one of these scans out adds somebody who came long before."""
        cases: set[int] = set()
        for row, case in self._far.timely(person, at):
            those = made.windows.reached(case, place[row], at[row])
            cases |= self._noted(self._near, case[those], person[row[those]])
        return cases

    def _noted(self, some: Near, case: I64, person: U64) -> set[int]:
        """The cases; the persons beside are among `some` of them from now on."""
        some.add(case, person)
        cases = set(np.unique(case).tolist())
        for one in cases:
            if self._cases[one].same:
                _add(some, one, self._cases[one].whole(person[case == one]))
        return cases

    def _set(self, watched: Watched) -> int:
        if watched.case not in self._numbers:
            self._numbers[watched.case] = next(self._next)
        number = self._numbers[watched.case]
        self._cases[number] = watched
        return number

    def _names(self, numbers: set[int]) -> set[str]:
        return {self._cases[number].case for number in numbers}


class _Index:
    """Windows with whose they are, `person` 0 of `nobodys`, and the cases' own ids."""

    def __init__(self, cases: dict[int, Watched]) -> None:
        self.windows = Windows((number, case.table) for number, case in cases.items())
        # numbers rise as cases come
        whose = np.searchsorted(np.array(list(cases), np.int64), self.windows.case)
        owners = [case.person for case in cases.values()]
        self.person = np.array([owner or 0 for owner in owners], np.uint64)[whose]
        self.nobodys = np.array([owner is None for owner in owners], bool)[whose]
        self._whose: dict[int, set[int]] = {}
        for number, case in cases.items():
            for one in case.ids:
                self._whose.setdefault(one, set()).add(number)
        self._sieve = Sieve(np.array(list(self._whose), np.uint64))

    def of(self, person: U64) -> set[int]:
        """The cases of these persons."""
        maybe = set(person[self._sieve.rows(person)].tolist())
        return {number for one in maybe & self._whose.keys() for number in self._whose[one]}


def _add(some: Near, number: int, persons: U64) -> None:
    some.add(np.full(len(persons), number, np.int64), persons)


def _may_add(windows: Windows, window: I64, at: I64, out: Mask) -> Mask:
    opens = ~out & (windows.early[window] <= at) & (at < windows.end[window])
    leaves = out & (windows.begin[window] < at) & (at <= windows.late[window])
    result: Mask = opens | leaves
    return result


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
