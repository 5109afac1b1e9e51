"""What several pieces of evidence say of one visit, as one visit."""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from tracer.parameters import STATED
from tracer.stays import STAYS

Row = dict[str, Any]


def as_one_visit(case_stays: pl.DataFrame) -> pl.DataFrame:
    """A case's stays (columns `stays.STAYS`), each that a place-time point overlaps or touches
    one with it.

    A rule-set that adds minutes up would count twice what a scan and an interview both tell of.
    The visit goes from the earliest start to the latest end, with what is said of these, and is no
    surer than the less sure of the two. Stays that no point overlaps are as they were; without
    points, all. Ordered by person, place, start.
    """
    if not case_stays["start_provenance"].cast(pl.String).is_in(STATED).any():
        return case_stays
    ordered = case_stays.sort("person", "place", "start", "end", maintain_order=True)
    visits = (
        visit
        for group in _overlapping(ordered.iter_rows(named=True))
        for visit in ([_whole(group)] if any(map(_stated, group)) else group)
    )
    return pl.DataFrame(list(visits), schema=dict(STAYS), orient="row")


def _overlapping(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows of one person and place that overlap or touch one before them."""
    group: list[Row] = []
    for row in rows:
        same = group and all(row[key] == group[0][key] for key in ("person", "place"))
        if same and row["start"] <= max(one["end"] for one in group):
            group.append(row)
            continue
        if group:
            yield group
        group = [row]
    if group:
        yield group


def _whole(group: list[Row]) -> Row:
    first, last = group[0], max(group, key=lambda row: row["end"])
    side = {name: last[name] for name in STAYS if name.startswith(("end", "closing"))}
    return first | side | {"confidence": min(first["confidence"], last["confidence"])}


def _stated(row: Row) -> bool:
    return row["start_provenance"] in STATED
