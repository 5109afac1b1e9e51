"""The followed scans of a batch, told as spans once all of it has happened.

A scan whose record carries a trace context gets one span in its own trace, and the first of a
batch the batch's own steps with it; the others are linked to that batch. A batch without such a
record costs nothing here, and none costs anything for a record.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from schemas.topics import SCANS
from streams.convert import Rows
from streams.marks import Mark
from streams.shop import Finished
from streams.spans import Attributes, Spans

_MOST: Final = 32  # of one batch


def tell(spans: Spans, finished: Finished, now_ms: int) -> list[tuple[str, int]]:
    """Make the spans of a batch that was acknowledged at `now_ms`.

    Returns of each followed scan its context and how long it took until it could be queried, ms.
    """
    pieces = finished.pending.pieces
    marks = list(islice(chain.from_iterable(piece.marks for piece in pieces), _MOST))
    outcomes = _outcomes(finished.written.rows, marks)
    if marks:
        first, *others = marks
        row = _row(spans, finished, first, outcomes)
        batch = _batch(spans, finished, now_ms, row, others)
        for mark in others:
            _row(spans, finished, mark, outcomes, batch)
    return [(mark.context, finished.written.acknowledged_ms - mark.timestamp) for mark in marks]


def _row(
    spans: Spans, finished: Finished, mark: Mark, outcomes: Mapping[int, str], *linked: str
) -> str:
    written = finished.written
    about: Attributes = {
        "messaging.destination.name": SCANS.name,
        "messaging.destination.partition.id": str(written.rows.partition),
        "messaging.kafka.offset": mark.offset,
        # one that a former attempt wrote is in no table of this batch
        "truyvet.outcome": outcomes.get(mark.offset, "present"),
    }
    ended_ms = written.acknowledged_ms
    return spans.past("scan to row", mark.timestamp, ended_ms, mark.context, about, linked)


def _batch(spans: Spans, finished: Finished, now_ms: int, row: str, others: Sequence[Mark]) -> str:
    pending, written = finished.pending, finished.written
    about: Attributes = {
        "messaging.destination.partition.id": str(pending.rows.partition),
        "truyvet.first_offset": pending.rows.first,
        "truyvet.last_offset": pending.rows.last,
        "truyvet.records": len(pending),
    }
    linked = [mark.context for mark in others]
    batch = spans.past("batch", pending.pieces[0].taken_ms, now_ms, row, about, linked)
    for piece in pending.pieces:
        spans.past("judge", piece.taken_ms, piece.judged_ms, batch, {})
    spans.past("write", written.began_ms, written.acknowledged_ms, batch, {})
    spans.past("follow up", written.acknowledged_ms, now_ms, batch, {})
    return batch


def _outcomes(rows: Rows, marks: Sequence[Mark]) -> dict[int, str]:
    """Which table has which of these offsets."""
    wanted = pa.array([mark.offset for mark in marks], pa.uint64())
    columns = {name: table.column("kafka_offset") for name, table in rows.tables.items()}
    return {
        offset: name
        for name, column in columns.items()
        for offset in column.filter(pc.is_in(column, wanted)).to_pylist()
    }
