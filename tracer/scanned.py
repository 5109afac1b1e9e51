"""Scans as plain columns: as they came, and as they are read."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from tracer.columns import I64, U16, U32, U64, Small, codes, instants
from tracer.frames import DIRECTIONS

OUT, IN, PASS = range(len(DIRECTIONS.categories))
_ALWAYS: Final = ("person", "place", "scanned_at", "direction", "kafka_partition", "kafka_offset")


@dataclass(frozen=True)
class Scanned:
    """The rows of a frame as they came.

    `persons`, `places`: who and where at all, rising; `who` and `where` number them. `t`:
    milliseconds since 1970 UTC; `direction`: OUT, IN or PASS, which is the order of rule 2.
    """

    persons: U64
    places: U32
    who: I64
    where: I64
    t: I64
    direction: Small
    partition: U16
    offset: U64
    trip: pl.Series


@dataclass(frozen=True)
class Read:
    """The scans that are read, in the order of rule 2 of `tracer.stays`.

    `scan`: its row of `Scanned`, whose `who`, `where`, `t` and `direction` stand beside it;
    `pair`: the number of its person and place, rising with both. Rows of `Read`, or NONE:
    `previous`, the person's scan before, and `following`, its next decisive scan (elsewhere, or
    out here); at a place that holds others what lies inside it is passed over.
    """

    scan: I64
    who: I64
    where: I64
    t: I64
    direction: Small
    pair: I64
    previous: I64
    following: I64


def scanned(scans: pl.DataFrame) -> Scanned:
    """Of a frame with the shape `frames.SCANS`.

    Raises ValueError naming the column, other than `trip`, that has a row without a value.
    """
    for column in _ALWAYS:
        if scans[column].null_count():
            raise ValueError(f"scans: column {column!r} has rows without a value")
    persons, who = np.unique(scans["person"].to_numpy(), return_inverse=True)
    places, where = np.unique(scans["place"].to_numpy(), return_inverse=True)
    return Scanned(
        persons=persons,
        places=places,
        who=who,
        where=where,
        t=instants(scans["scanned_at"]),
        direction=codes(scans["direction"]),
        partition=scans["kafka_partition"].to_numpy(),
        offset=scans["kafka_offset"].to_numpy(),
        trip=scans["trip"],
    )
