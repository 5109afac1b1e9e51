"""What the embedded engine hands on of the inserts into `scans`, as segments.

See `deploy.embedded.engine.handed`: a file an insert, under the number of its change. Who holds
everything as of one count, and finds all from there to another, holds everything as of that.
"""

import threading
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streams.segments.changes import Changes, Count
from streams.segments.reading import Numbered, by_hour_rows, with_trips
from tracer.columns import I64
from tracer.packed import FIELDS, LAYOUT
from tracer.segment import Rows, Segment, segment_of

_MOST_CHANGES: Final = 64
_MOST_ROWS: Final = 500_000  # until they are found to be in the table
_DAY_MS: Final = 86_400_000
_MONDAY: Final = 4  # the first one since 1 January 1970, in days
_MOMENT: Final = pa.timestamp("ms", "UTC")
_TEXT: Final = (pa.string(), pa.dictionary(pa.int32(), pa.string()))
_KINDS: Final = {
    "person": (pa.uint64(),),
    "place": (pa.uint32(),),
    "scanned_at": (_MOMENT,),
    "direction": (pa.int8(), pa.uint8()),
    "method": (pa.int8(), pa.uint8()),
    "producer": _TEXT,
    "companions": (pa.uint8(),),
    "trip": _TEXT,
    "appended_at": (_MOMENT,),
    "kafka_partition": (pa.uint16(),),
    "kafka_offset": (pa.uint64(),),
}


class Came(NamedTuple):
    """What an insert brought to a week; `alone`: while no other was under way, so that the table
    numbered its block after those of all inserts before it."""

    segment: Segment
    alone: bool


class Handed:
    """What has been read of it is kept. Threads may share it."""

    def __init__(self, changes: Changes) -> None:
        self._folder = changes.file.parent / "handed" if changes.file is not None else None
        self._database = changes.database
        self._lock = threading.Lock()
        self._run = 0
        self._kept: dict[int, list[Came]] = {}
        self._forgot = 0  # times

    def between(self, base: Count, now: Count) -> list[Came] | None:
        """All that the changes after `base` until `now` brought, in their order. None: it is not
        known, or they were not only scans that came."""
        numbers = range(base.ended + 1, now.ended + 1)
        if base.run != now.run or now.ended < base.ended or len(numbers) > _MOST_CHANGES:
            return None
        with self._lock:
            if self._run != now.run:
                self._run, self._kept = now.run, {}
            lacking = [number for number in numbers if number not in self._kept]
            times = self._forgot
        # by each who asks: to wait for one who has not its turn would take longer
        read = self._read(now.run, lacking)
        with self._lock:
            if self._run != now.run:
                return None
            known = read | self._kept
            if self._forgot == times:
                self._kept = known
        if not all(number in known for number in numbers):
            return None
        found = [one for number in numbers for one in known[number]]
        return found if sum(len(one.segment) for one in found) <= _MOST_ROWS else None

    def forget(self, until: Count | None = None) -> None:
        """What came until then has been found in the table; None: nobody goes on from any of it."""
        with self._lock:
            self._forgot += 1
            kept = {} if until is None or until.run != self._run else self._kept
            self._kept = {n: came for n, came in kept.items() if until and n > until.ended}

    @property
    def rows(self) -> int:
        """How many scans are kept."""
        return sum(len(one.segment) for came in list(self._kept.values()) for one in came)

    def _read(self, run: int, numbers: list[int]) -> dict[int, list[Came]]:
        """Of each of these changes what it brought, as far as that is there and not too much."""
        if self._folder is None or not numbers:
            return {}
        found: dict[int, list[Came]] = {}
        kept = self.rows
        for number in numbers:
            read = sum(len(one.segment) for came in found.values() for one in came)
            if kept + read > _MOST_ROWS:
                break
            try:
                [file] = self._folder.glob(f"{run}.{number}.*.{self._database}")
                _, _, rows, alone, _ = file.name.split(".")
                segments = segments_in(file, int(rows))
                found[number] = [Came(segment, alone == "1") for segment in segments]
            except (OSError, ValueError, KeyError, pa.ArrowException):
                break  # none, or not a worker's: who wants them asks
        return found


def segments_in(file: Path, rows: int) -> list[Segment]:
    """The scans in an Arrow stream of so many rows, by week.

    Raises OSError, KeyError, ArrowException, and ValueError if they are not as a worker has them.
    """
    with pa.OSFile(str(file)) as opened, pa.ipc.open_stream(opened) as stream:
        table = stream.read_all().combine_chunks()
    if table.num_rows != rows:
        raise ValueError(f"{file.name}: {table.num_rows} rows")
    for name, kinds in _KINDS.items():
        column = table.column(name)
        if column.type not in kinds or column.null_count:
            raise ValueError(f"{file.name}: {name} is {column.type}")
    trips, producers = Numbered(), Numbered()
    scans, visits = with_trips(_packed(table), table, trips), by_hour_rows(table, producers)
    person, place = (table.column(name).to_numpy() for name in ("person", "place"))
    weeks = week_of(visits["t"])
    found = []
    for week in np.unique(weeks):
        those = slice(None) if (weeks == week).all() else np.flatnonzero(weeks == week)
        partition = str(week).replace("-", "")
        found.append(
            segment_of(
                partition, person[those], scans[those], place[those], visits[those],
                trips.texts, producers.texts,
            )
        )  # fmt: skip
    return found


def week_of(t: I64) -> npt.NDArray[np.datetime64]:
    """The Monday (UTC) by which the table parts its rows, of times in milliseconds UTC.

    Raises ValueError at one before 1970's first Monday, where ClickHouse counts otherwise.
    """
    days = t // _DAY_MS
    if len(days) and days.min() < _MONDAY:
        raise ValueError("before the first Monday")
    return (days - (days - _MONDAY) % 7).astype("datetime64[D]")


def _packed(table: pa.Table) -> Rows:
    found = np.empty(table.num_rows, LAYOUT)
    for name in FIELDS:
        column = table.column(name)
        moments = pa.types.is_timestamp(column.type)
        found[name] = (column.cast(pa.int64()) if moments else column).to_numpy()
    return found
