"""What scans are when they have been looked up: the two shapes that a trace reads.

They come from ClickHouse (`scans_of`, `visits_of`) or from segments (`tracer.segments`).
"""

from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tracer.columns import as_index
from tracer.frames import DIRECTIONS, TIME
from tracer.packed import FIELDS, LAYOUT, unpacked

# An enumeration comes as its numbers in the table: `direction` and `method`.
_DIRECTIONS: Final = pl.Series([None, "in", "out", "pass"], dtype=DIRECTIONS)
OUT: Final = 2
TYPED: Final = 4

VISITS: Final = pl.Schema(
    {
        "person": pl.UInt64(),
        "place": pl.UInt32(),
        "t": pl.Int64(),
        "out": pl.Boolean(),
        "producer": pl.String(),
        "late": pl.Int64(),
        "companions": pl.UInt8(),
    }
)
NO_VISITS: Final = pl.DataFrame(schema=VISITS)


Details = tuple[pl.Series, pl.Series, pl.Series]


def scans_of(answer: pa.Table) -> pl.DataFrame:
    """The answer to `statements.by_person`, shape `frames.SCANS`; without trips these are null."""
    there = answer.column_names
    table = _polars(answer.select([name for name in there if name != "packed"]))
    if "packed" in there:
        fields = unpacked(answer.column("packed"))
    else:
        fields = np.empty(table.height, LAYOUT)
        for name in FIELDS:
            fields[name] = table[name].to_physical().to_numpy()
    trip = table["trip"] if "trip" in there else nulls("trip", pl.String(), table.height)
    return scans_frame(table["person"], fields, trip)


def scans_frame(person: pl.Series, fields: npt.NDArray[Any], trip: pl.Series) -> pl.DataFrame:
    """Of rows of `packed.LAYOUT`, shape `frames.SCANS`; a trip that is empty is none."""
    columns = {name: pl.Series(np.ascontiguousarray(fields[name])) for name in FIELDS}
    return pl.DataFrame(
        {
            "person": person,
            "place": columns["place"],
            "scanned_at": columns["scanned_at"].cast(TIME),
            "direction": _DIRECTIONS[as_index(columns["direction"].to_numpy())],
            "kafka_partition": columns["kafka_partition"],
            "kafka_offset": columns["kafka_offset"],
            "trip": trip.set(trip == "", None),
        }
    )


def visits_of(answer: pa.Table) -> pl.DataFrame:
    """The answer to `statements.at_places`, columns `VISITS`; the last three are null without
    details."""
    there = _polars(answer)
    t = there["scanned_at"].cast(pl.Int64)
    details = None
    if "method" in there.columns:
        late = there["appended_at"].cast(pl.Int64) - t
        late = late.set(there["method"] == TYPED, None)
        details = (there["producer"], late, there["companions"])
    return visits_frame(there["person"], there["place"], t, there["direction"], details)


def visits_frame(
    person: pl.Series, place: pl.Series, t: pl.Series, direction: pl.Series, details: Details | None
) -> pl.DataFrame:
    """Columns `VISITS`. `direction`: its numbers; `details`: producer, late and companions."""
    producer, late, companions = details or (
        nulls(name, VISITS[name], len(t)) for name in ("producer", "late", "companions")
    )
    return pl.DataFrame(
        [
            person.alias("person"),
            place.alias("place"),
            t.alias("t"),
            (direction == OUT).alias("out"),
            producer.alias("producer"),
            late.alias("late"),
            companions.alias("companions"),
        ],
        schema=VISITS,
    )


def nulls(name: str, kind: pl.DataType, rows: int) -> pl.Series:
    """A column that says nothing."""
    return pl.Series(name, [None], kind).new_from_index(0, rows)


def _polars(table: pa.Table) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table))
