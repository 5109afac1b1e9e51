"""Parts of the table as segments: small ones into memory, large ones row by row to a file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.clickhouse import ClickHouse
from streams.segments.parts import Part
from tracer.answered import TYPED
from tracer.columns import I64, NONE, U32, U64, rows_in
from tracer.packed import unpacked
from tracer.segment import (
    BY_HOUR,
    BY_PERSON,
    UNKNOWN,
    Rows,
    Segment,
    hour_key,
    offsets_of,
    segment_of,
)
from tracer.statements import Source

_PERSON: Final = "person, packed, trip"
_HOUR: Final = "person, place, scanned_at, direction, method, producer, appended_at, companions"
# The engine plans for rows that it must sort and weigh; here it hands on what it has, as it lies.
_AS_IT_LIES: Final[dict[str, Any]] = {
    "max_threads": 1,
    "optimize_use_projections": 0,
    "max_execution_time": 600,
}


class Numbered:
    """Texts by the order in which they were first seen."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """All of them."""
        return list(self._number)

    def of(self, column: pa.Array | pa.ChunkedArray) -> U32:
        """The number of each."""
        coded = pc.dictionary_encode(column)
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        own = np.array(
            [self._number.setdefault(t, len(self._number)) for t in coded.dictionary.to_pylist()],
            np.uint32,
        )
        numbers: U32 = own[coded.indices.to_numpy()] if len(own) else np.empty(0, np.uint32)
        return numbers


class Lot(NamedTuple):
    """Rows in the order that was asked for: the column that they are found by, and the rest."""

    key: U64 | I64
    rows: Rows


def in_memory(
    clickhouse: ClickHouse, parts: Mapping[Part, Sequence[Segment]]
) -> dict[Part, Segment] | None:
    """Of each of these parts the rows that these segments do not have. None if one is gone.

    Raises Retryable.
    """
    listed = ", ".join(f"'{part.name}'" for part in parts)
    columns = dict.fromkeys(f"_part, {_PERSON}, {_HOUR}".split(", "))
    answer = clickhouse.query_arrow(
        f"SELECT {', '.join(columns)} FROM scans WHERE _part IN ({listed})",  # noqa: S608
        None,
        _AS_IT_LIES,
    )
    names = Numbered()
    name = names.of(answer.column("_part"))
    number = {text: n for n, text in enumerate(names.texts)}
    found = {}
    for part, held in parts.items():
        rows = np.flatnonzero(name == number.get(part.name, NONE))
        if len(rows) != part.rows:
            return None
        found[part] = _segment(part, answer.take(pa.array(rows)), held)
    return found


def _segment(part: Part, rows: pa.Table, held: Sequence[Segment]) -> Segment:
    trips, producers = Numbered(), Numbered()
    scans, visits = by_person_rows(rows, trips), by_hour_rows(rows, producers)
    person, place = (rows.column(column).to_numpy() for column in ("person", "place"))
    new: slice | I64 = slice(None)
    if held:
        known = np.unique(np.concatenate([offsets_of(one.by_person) for one in held]))
        new = np.flatnonzero(rows_in(known, offsets_of(scans)) == NONE)
    return segment_of(
        part.partition, person[new], scans[new], place[new], visits[new],
        trips.texts, producers.texts,
    )  # fmt: skip


def by_person(clickhouse: ClickHouse, part: Part, trips: Numbered) -> Iterator[Lot]:
    """All rows of a part by person, in lots; trips are numbered in `trips`.

    Nothing if it has no projection in that order. Raises Retryable.
    """
    select = f"SELECT {_PERSON} FROM {Source.PACKED.table}"  # noqa: S608
    for lot in _stream(clickhouse, select, part):
        yield Lot(lot.column("person").to_numpy(), by_person_rows(lot, trips))


def by_hour(clickhouse: ClickHouse, part: Part, producers: Numbered) -> Iterator[Lot]:
    """All rows of a part by place and hour, in lots; producers are numbered. Raises Retryable."""
    for lot in _stream(clickhouse, f"SELECT {_HOUR} FROM scans", part):  # noqa: S608
        rows = by_hour_rows(lot, producers)
        yield Lot(hour_key(lot.column("place").to_numpy(), rows["t"]), rows)


def by_person_rows(rows: pa.Table | pa.RecordBatch, trips: Numbered) -> Rows:
    """As `Segment.by_person` has them."""
    packed = rows.column("packed")
    whole = packed if isinstance(packed, pa.ChunkedArray) else pa.chunked_array([packed])
    return with_trips(unpacked(whole), rows, trips)


def with_trips(packed: Rows, rows: pa.Table | pa.RecordBatch, trips: Numbered) -> Rows:
    """As `Segment.by_person` has them, of the packed fields of these rows."""
    found = np.empty(rows.num_rows, BY_PERSON)
    found["packed"], found["trip"] = packed, trips.of(rows.column("trip"))
    return found


def by_hour_rows(rows: pa.Table | pa.RecordBatch, producers: Numbered) -> Rows:
    """As `Segment.by_hour` has them."""
    found = np.empty(rows.num_rows, BY_HOUR)
    t, appended = (_numbers(rows.column(c), pa.int64()) for c in ("scanned_at", "appended_at"))
    typed = _numbers(rows.column("method"), pa.int8()) == TYPED
    found["person"] = rows.column("person").to_numpy()
    found["t"] = t
    found["late"] = np.where(typed, UNKNOWN, appended - t)
    found["producer"] = producers.of(rows.column("producer"))
    found["direction"] = _numbers(rows.column("direction"), pa.int8())
    found["companions"] = rows.column("companions").to_numpy()
    return found


def _numbers(column: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> Any:
    return column.cast(kind).to_numpy()


def _stream(clickhouse: ClickHouse, select: str, part: Part) -> Iterator[pa.RecordBatch]:
    return clickhouse.batches(f"{select} WHERE _part = '{part.name}'", _AS_IT_LIES)
