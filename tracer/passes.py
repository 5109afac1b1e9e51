"""Which scans in direction `pass` open a stay: rule 6 of `tracer.stays`."""

import polars as pl


def opening_passes(openings: pl.DataFrame) -> pl.DataFrame:
    """`openings` (rows of `with_ends`, by `row`) without passes while a stay is open there."""
    passes = openings.filter(pl.col("direction") == "pass")
    if passes.is_empty():
        return openings
    covered = _inside_an_in(openings, passes)
    candidates = passes.filter(~pl.col("row").is_in(covered.implode())).sort(
        "person", "place", "row"
    )
    ignored = pl.concat([covered, _inside_a_pass(candidates)])
    return openings.filter(~pl.col("row").is_in(ignored.implode()))


def _inside_an_in(openings: pl.DataFrame, passes: pl.DataFrame) -> pl.Series:
    """Rows of passes strictly before the latest end of the earlier `in`s of person and place."""
    there = passes.select("person", "place").unique()
    concerned = openings.join(there, on=["person", "place"], how="semi")
    latest_end = pl.when(pl.col("direction") == "in").then("end").cum_max().forward_fill()
    latest = concerned.sort("person", "place", "row").with_columns(
        latest=latest_end.over("person", "place")
    )
    inside = (pl.col("direction") == "pass") & (pl.col("t") < pl.col("latest"))
    return latest.filter(inside)["row"]


def _inside_a_pass(candidates: pl.DataFrame) -> pl.Series:
    """Rows of passes strictly before the end of the last one that opened, one after another.

    Whether a pass opens depends on whether the one before did, so this is a loop. The last
    opened ends last: each opened at or after the end of the one before.
    """
    ignored = []
    at: tuple[int, int] | None = None
    open_until = 0
    rows = candidates.select("row", "person", "place", "t", "end").iter_rows()
    for row, person, place, t, end in rows:
        if at == (person, place) and t < open_until:
            ignored.append(row)
        else:
            at, open_until = (person, place), end
    return pl.Series("row", ignored, dtype=candidates.schema["row"])
