"""Stays whose scans are gone: they stand beside those that scans still show (`tracer.carried`)."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from tracer.companions import Companions
from tracer.frames import empty
from tracer.parameters import STATED
from tracer.stays import STAYS


@dataclass(frozen=True)
class Older:
    """Columns `stays.STAYS`: of the case by its scans, and of its contacts. `offsets`: the highest
    that the earlier run had used of each partition; `companions`: who of them came with some."""

    case: pl.DataFrame
    others: pl.DataFrame
    offsets: dict[int, int]
    companions: Companions


NOTHING: Final = Older(empty(STAYS), empty(STAYS), {}, {})


def with_older(scanned: pl.DataFrame, older: pl.DataFrame) -> pl.DataFrame:
    """The stays, and the older ones in place of what is left of them in the scans."""
    return scanned if older.is_empty() else pl.concat([without(scanned, older), older])


def without(scanned: pl.DataFrame, older: pl.DataFrame) -> pl.DataFrame:
    """The stays that are not a rest of one of the older: the same person's, there, then."""
    if older.is_empty() or scanned.is_empty():
        return scanned
    spans = older.select("person", "place", older_start="start", older_end="end")
    numbered = scanned.with_row_index("row")
    rests = numbered.join(spans, on=["person", "place"]).filter(
        (pl.col("start") <= pl.col("older_end"))
        & (pl.col("end") >= pl.col("older_start"))
        & ~pl.col("start_provenance").cast(pl.String).is_in(STATED)
    )
    return scanned[[*(set(range(scanned.height)) - set(rests["row"].to_list()))]]
