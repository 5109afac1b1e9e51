"""The shapes of the frames that go in: columns and types, checked once at the edge.

Times are `Datetime('ms', 'UTC')`; minutes of the day are local (Asia/Ho_Chi_Minh).
"""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

TIME: Final = pl.Datetime("ms", "UTC")
WRITTEN: Final = "%Y-%m-%dT%H:%M:%S%.3fZ"  # as `schemas.scan.format_timestamp` does
# In the order in which scans of one person at one millisecond are read: leaving comes first.
DIRECTIONS: Final = pl.Enum(["out", "in", "pass"])

SCANS: Final[Mapping[str, pl.DataType]] = {
    "person": pl.UInt64(),
    "place": pl.UInt32(),
    "scanned_at": TIME,
    "direction": DIRECTIONS,
    "kafka_partition": pl.UInt16(),
    "kafka_offset": pl.UInt64(),
    "trip": pl.String(),
}
PLACES: Final[Mapping[str, pl.DataType]] = {
    "place": pl.UInt32(),
    "site": pl.UInt32(),
    "kind": pl.String(),
    "sector": pl.String(),
    "enclosed": pl.Boolean(),
    "small": pl.Boolean(),
    "gate": pl.Boolean(),
    "opens": pl.Int32(),
    "closes": pl.Int32(),
    "usual_stay": pl.Int32(),
    "within": pl.UInt32(),
}
TRIPS: Final[Mapping[str, pl.DataType]] = {
    "place": pl.UInt32(),
    "trip": pl.String(),
    "departs_at": TIME,
    "arrives_at": TIME,
}
ANSWERS: Final[Mapping[str, pl.DataType]] = {
    "person": pl.UInt64(),
    "place": pl.UInt32(),
    "start": TIME,
    "end": TIME,
}


def shaped(frame: pl.DataFrame, shape: Mapping[str, pl.DataType], name: str) -> pl.DataFrame:
    """`frame` with exactly the columns of `shape`, cast to its types.

    Raises ValueError that names the
    frame and the column that is missing or of another type.
    """
    columns = []
    for column, dtype in shape.items():
        if column not in frame.columns:
            raise ValueError(f"{name}: column {column!r} is missing")
        try:
            columns.append(frame[column].cast(dtype))
        except pl.exceptions.PolarsError as error:
            raise ValueError(f"{name}: column {column!r} is not {dtype}: {error}") from None
    return pl.DataFrame(columns)


def stacked(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """At least one frame, each under the one before. (One alone is left as it is: polars would
    have its threads do even that, and beside a load they are long in coming.)"""
    every = list(frames)
    return every[0] if len(every) == 1 else pl.concat(every)


def empty(shape: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A frame of this shape without rows."""
    return pl.DataFrame(schema=dict(shape))


NO_SCANS: Final = empty(SCANS)
NO_ANSWERS: Final = empty(ANSWERS)
