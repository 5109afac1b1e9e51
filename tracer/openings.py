"""Scans in reading order: double taps joined, what came next beside each."""

import polars as pl

from tracer.frames import SCANS, shaped
from tracer.ground import Ground
from tracer.nesting import with_nesting

ORDER = ("person", "scanned_at", "direction", "place", "kafka_partition", "kafka_offset")


def read_in_order(scans: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Steps 2 and 3 of `tracer.stays`: one row a scan that is read, in `ORDER`.

    Beside person, place, direction, trip, partition and offset:
    `row` its number; `t` its time in milliseconds since 1970 UTC; `previous_t` the time of the
    person's previous scan, or null; `next_row` and `next_t` its next decisive scan (elsewhere,
    or out here), or null: at a place that holds others, what lies inside it is passed over;
    `next_is_out` whether that is the person's own scan out here; `elsewhere_t` its time if it is
    not.
    """
    scans = shaped(scans, SCANS, "scans").sort(*ORDER)
    t = pl.col("scanned_at").dt.timestamp("ms").alias("t")
    scans = scans.select(*(c for c in SCANS if c != "scanned_at"), t)
    same_person = (pl.col("person") == pl.col("person").shift(1)).fill_null(False)
    same_place = same_person & (pl.col("place") == pl.col("place").shift(1))
    double_tap = (
        same_place
        & (pl.col("direction") == pl.col("direction").shift(1))
        & (pl.col("t") - pl.col("t").shift(1) <= ground.parameters.double_tap_seconds * 1000)
    )
    scans = scans.filter(~double_tap.fill_null(False)).with_row_index("row")
    decisive = ~same_place.fill_null(False) | (pl.col("direction") == "out")
    next_row = pl.when(decisive).then(pl.col("row")).shift(-1).backward_fill()
    scans = scans.with_columns(
        next_row=next_row,
        previous_t=pl.when(same_person).then(pl.col("t").shift(1)),
    )
    following = pl.col("next_row")
    same_person_next = pl.col("person").gather(following) == pl.col("person")
    scans = scans.with_columns(next_row=pl.when(same_person_next).then(following))
    for level in ground.levels:
        scans = with_nesting(scans, level)
    return scans.with_columns(
        next_t=pl.col("t").gather(following),
        next_is_out=(pl.col("place").gather(following) == pl.col("place")).fill_null(False),
    ).with_columns(elsewhere_t=pl.when(~pl.col("next_is_out")).then(pl.col("next_t")))
