"""The truth of a simulation on disk, and the questions a demo asks of it."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.reasons import Reason
from sim.model import MINUTE_MS, OUTCOMES, Records
from sim.people import People
from sim.roles import OCCUPATIONS
from sim.trips import trip_id
from sim.world import World

_TIME: Final = pa.timestamp("ms", "UTC")
VISITS: Final = pa.schema(
    [
        ("person", pa.uint64()),
        ("place", pa.uint32()),
        ("start", _TIME),
        ("end", _TIME),
        ("trip", pa.string()),
    ]
)
EVENTS: Final = pa.schema(
    [
        ("event_id", pa.binary(16)),
        ("person", pa.uint64()),
        ("place", pa.uint32()),
        ("scanned_at", _TIME),
        ("outcome", pa.string()),
    ]
)


class TruthWriter:
    """Writes `visits.parquet`, `events.parquet` and `people.parquet` as the days come."""

    def __init__(self, directory: Path, world: World, people: People) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._world, self._people = directory, world, people
        self._visits = pq.ParquetWriter(directory / "visits.parquet", VISITS, compression="zstd")
        self._events = pq.ParquetWriter(directory / "events.parquet", EVENTS, compression="zstd")
        pq.write_table(people_table(world, people), directory / "people.parquet")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._visits.close()
        self._events.close()

    def visits(self, visits: Records) -> None:
        """Adds who was where."""
        self._visits.write_table(visits_table(self._world, self._people, visits))

    def events(self, rows: Records) -> None:
        """Adds what must become of each published record, in order of publication."""
        halves = np.empty((len(rows), 2), dtype=">u8")
        halves[:, 0], halves[:, 1] = rows["id_high"], rows["id_low"]
        ids = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), len(rows), [None, pa.py_buffer(halves.tobytes())]
        )
        columns = [
            ids,
            pa.array(self._people.bits[rows["person"]]),
            pa.array(self._world.ids[rows["place"]]),
            pa.array(rows["scanned"]).cast(_TIME),
            pa.array(np.array(OUTCOMES)[rows["outcome"]]),
        ]
        self._events.write_table(pa.table(columns, schema=EVENTS))


def visits_table(world: World, people: People, visits: Records) -> pa.Table:
    """Visits with the ids that everyone else knows."""
    trips: list[str | None] = [None] * len(visits)
    for at in np.flatnonzero(visits["trip"] >= 0).tolist():
        name = world.places[visits["place"][at]].name
        trips[at] = trip_id(name, int(visits["trip"][at]))
    columns = [
        pa.array(people.bits[visits["person"]]),
        pa.array(world.ids[visits["place"]]),
        pa.array(visits["start"]).cast(_TIME),
        pa.array(visits["end"]).cast(_TIME),
        pa.array(trips, pa.string()),
    ]
    return pa.table(columns, schema=VISITS)


def people_table(world: World, people: People) -> pa.Table:
    """Who the people are: pseudonym, occupation, workplace, how reliably they scan."""
    names = np.array([*map(str, OCCUPATIONS), "home"])
    return pa.table(
        {
            "person": people.bits,
            "text": list(people.texts),
            "occupation": names[people.occupation],
            "workplace": pa.array(world.ids[people.work], mask=people.work < 0),
            "scan_probability": people.scans,
            "phone": people.phone,
        }
    )


def expected(outcomes: Counter[str]) -> dict[str, object]:
    """Counts by outcome: `written`, `duplicate`, and the rejects by reason."""
    reasons = {r.value: outcomes[r.value] for r in Reason if outcomes[r.value]}
    return {
        "written": outcomes["written"],
        "duplicate": outcomes["duplicate"],
        "rejected": sum(reasons.values()),
        "by_reason": reasons,
        "total": outcomes.total(),
    }


def write_json(path: Path, value: object) -> None:
    """Indented JSON, sorted, the same bytes for the same value."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    path.write_bytes(orjson.dumps(value, option=options))


def read_visits(directory: Path) -> pl.DataFrame:
    """`visits.parquet` of a truth directory."""
    return pl.read_parquet(directory / "visits.parquet")


def true_contacts(
    visits: pl.DataFrame,
    person: int,
    window_from: datetime,
    window_to: datetime,
    min_overlap_ms: int = 0,
    without: Sequence[int] = (),
) -> pl.DataFrame:
    """Who was really at the same place at the same time as `person`, in the window.

    One row a contact and place: `person`, `place`, `minutes` (together, summed), `overlaps`,
    `first`, `last`. An overlap counts if it is longer than zero and at least `min_overlap_ms`;
    places in `without` (gates, say) do not count.
    """
    window_from, window_to = window_from.astimezone(UTC), window_to.astimezone(UTC)
    mine = visits.filter(
        (pl.col("person") == person)
        & (pl.col("start") < window_to)
        & (pl.col("end") > window_from)
        & ~pl.col("place").is_in(list(without))
    ).select(
        "place",
        mine_from=pl.max_horizontal("start", pl.lit(window_from).cast(pl.Datetime("ms", "UTC"))),
        mine_to=pl.min_horizontal("end", pl.lit(window_to).cast(pl.Datetime("ms", "UTC"))),
    )
    others = visits.filter(
        pl.col("place").is_in(mine["place"].unique().to_list())
        & (pl.col("person") != person)
        & (pl.col("start") < window_to)
        & (pl.col("end") > window_from)
    )
    overlaps = (
        others.join(mine, on="place")
        .with_columns(
            first=pl.max_horizontal("start", "mine_from"), last=pl.min_horizontal("end", "mine_to")
        )
        .with_columns(ms=(pl.col("last") - pl.col("first")).dt.total_milliseconds())
        .filter((pl.col("ms") > 0) & (pl.col("ms") >= min_overlap_ms))
    )
    return (
        overlaps.group_by("person", "place")
        .agg(
            minutes=pl.col("ms").sum() / MINUTE_MS,
            overlaps=pl.len(),
            first=pl.col("first").min(),
            last=pl.col("last").max(),
        )
        .sort("person", "place")
    )
