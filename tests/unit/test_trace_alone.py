"""A trace on what is held: what it finds, and that it waits for no thread but its own.

Beside a load on every core, a thread that is woken for a hundredth of a millisecond's work may be
long in coming: polars' own are woken for each frame that is filtered, grouped or put together.
"""

import resource

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from streams.segments.handed import week_of
from tests.unit.test_contacts import A_CASE, CITY, GROUND, NOW, ROOM, RULES, FakeEngine, visits
from tracer.columns import codes, instants
from tracer.fetch import trace_from
from tracer.packed import FIELDS, LAYOUT
from tracer.queries import Scans
from tracer.segment import BY_HOUR, BY_PERSON, Segment, segment_of
from tracer.segments import Segments

LATE_MS = 40 * 60_000  # as from a clock that is slow
MANY = pl.concat([CITY, visits(*((person, ROOM, 5.0, 50.0) for person in range(1_000, 1_020)))])


class Nobody:
    """ClickHouse is not asked."""

    def query_arrow(self, *_: object, **__: object) -> pa.Table:
        raise AssertionError("everything is held")


def segments_of(scans: pl.DataFrame) -> list[Segment]:
    """One for each week."""
    t = instants(scans["scanned_at"])
    of = {name: scans[name].to_numpy() for name in ("kafka_offset", "place", "kafka_partition")}
    columns = {**of, "scanned_at": t, "direction": np.array([2, 1, 3])[codes(scans["direction"])]}
    by_person, by_hour = np.zeros(scans.height, BY_PERSON), np.zeros(scans.height, BY_HOUR)
    packed = np.zeros(scans.height, LAYOUT)
    for name in FIELDS:
        packed[name] = columns[name]
    by_person["packed"] = packed
    person = scans["person"].to_numpy()
    by_hour["person"], by_hour["t"], by_hour["late"] = person, t, LATE_MS
    by_hour["direction"] = columns["direction"]
    weeks = week_of(t)
    return [
        segment_of(
            str(week).replace("-", ""), person[those], by_person[those], of["place"][those],
            by_hour[those], [""], ["gate-7"],
        )
        for week in np.unique(weeks)
        for those in [np.flatnonzero(weeks == week)]
    ]  # fmt: skip


@pytest.mark.parametrize("scans", [CITY, MANY], ids=["few", "a slow clock"])
def test_a_trace_on_what_is_held_is_that_of_the_table_and_waits_for_nobody(
    scans: pl.DataFrame,
) -> None:
    held = Segments(segments_of(scans))
    waited = []
    for _ in range(30):
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
        found = trace_from(Scans(Nobody(), held=held), A_CASE, GROUND, RULES, NOW)
        waited.append(resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before)
    asked = trace_from(Scans(FakeEngine(scans, LATE_MS)), A_CASE, GROUND, RULES, NOW)
    assert found.exposures.equals(asked.exposures)
    assert found.contacts.equals(asked.contacts)
    assert found.notes == asked.notes
    assert any("clock" in note.en for note in found.notes) == (scans is MANY)
    assert min(waited) == 0
