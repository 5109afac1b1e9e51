"""Milliseconds as minutes, to the last bit what `milliseconds / 60000` gives anywhere else.

polars divides by a constant through its reciprocal, which is off by a bit now and then.
"""

from typing import Final

import polars as pl

_PER_MINUTE: Final = 60_000.0


def to_whole_minutes(milliseconds: pl.Expr) -> pl.Expr:
    """Whole milliseconds to whole minutes (Int64), a half up."""
    return (milliseconds + 30_000) // 60_000


def in_minutes(milliseconds: pl.Expr) -> pl.Expr:
    """Minutes (Float64) of whole milliseconds."""
    return milliseconds.map_batches(
        lambda column: pl.Series(column.cast(pl.Float64).to_numpy() / _PER_MINUTE),
        return_dtype=pl.Float64,
    )
