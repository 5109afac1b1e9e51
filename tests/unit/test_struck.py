"""Scans by codes that were revoked from before: asked for until all are in, then remembered."""

import polars as pl
import pyarrow as pa

from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    DAY,
    GROUND,
    NOW,
    RULES,
    FakeEngine,
    place,
)
from tests.unit.test_long_rides import HOUR, boarded
from tracer.columns import milliseconds
from tracer.fetch import to_watch, trace_from
from tracer.parameters import load_parameters
from tracer.places import ground_at
from tracer.queries import Scans
from tracer.struck import Revoked, Struck, number_of, without
from tracer.trace import trace

BEGAN, DECIDED = milliseconds(DAY), milliseconds(DAY + 30 * HOUR)
CODE = Revoked(7, 3, BEGAN, DECIDED)


class Asked:
    def __init__(self, *offsets: int) -> None:
        self.offsets, self.queries = offsets, list[str]()

    def __call__(self, query: str) -> pa.Table:
        self.queries.append(query)
        none, offset = pa.array([0] * len(self.offsets), pa.uint16()), pa.array(self.offsets)
        return pa.table({"kafka_partition": none, "kafka_offset": offset.cast(pa.uint64())})


def gone(struck: Struck, asked: Asked, earliest: int = 0) -> list[tuple[int, list[int]]]:
    return [(place, numbers.tolist()) for place, numbers in struck.scans(earliest, asked)]


def test_what_a_code_struck_is_asked_once_when_all_of_it_is_in() -> None:
    asked = Asked(5, 3)
    struck = Struck([CODE], DECIDED + 3_600_001)
    assert gone(struck, asked) == [(7, [3, 5])]
    [query] = asked.queries
    assert "code_version = 3" in query
    assert f"fromUnixTimestamp64Milli({BEGAN}, 'UTC')" in query
    first, last = (f"(7,{t // 3_600_000 * 3_600})" for t in (BEGAN, DECIDED + 3_600_000))
    assert first in query
    assert last in query
    assert gone(Struck([CODE], DECIDED, struck.known), asked) == [(7, [3, 5])]
    assert len(asked.queries) == 1
    assert gone(struck, asked, DECIDED + 1) == [], "all of it is too old to be kept"
    just_now = Struck([CODE], DECIDED + 3_600_000)
    for times in (2, 3):
        assert gone(just_now, asked) == [(7, [3, 5])]
        assert len(asked.queries) == times, "more may still come"
    assert gone(Struck(), asked) == []


def test_only_hours_are_asked_for_in_which_there_can_be_scans() -> None:
    for since, earliest in ((-(2**50), BEGAN), (0, BEGAN), (-(2**50), 0)):
        asked = Asked(1)
        gone(Struck([CODE._replace(since=since)]), asked, earliest)
        assert 0 < len(asked.queries) <= 2, "90 days at most"


def test_scans_are_known_by_where_they_are_in_the_log() -> None:
    scans = pl.DataFrame(
        {"place": [7, 7, 8, 7], "kafka_partition": [0, 1, 1, 1], "kafka_offset": [7, 7, 7, 8]},
        schema={"place": pl.UInt32, "kafka_partition": pl.UInt16, "kafka_offset": pl.UInt64},
    )
    left = without(scans, [(7, number_of(scans)[:2]), (9, number_of(scans))])
    assert left.rows() == [(8, 1, 7), (7, 1, 8)]
    assert without(scans, []) is scans


class Engine(FakeEngine):
    """One whose scans by the code are those of these offsets."""

    struck: tuple[int, ...] = ()

    def query_arrow(self, query: str, *rest: object, **named: object) -> pa.Table:
        if "code_version" in query:
            return Asked(*self.struck)(query)
        return super().query_arrow(query, *rest, **named)  # type: ignore[arg-type]


def found(scans: pl.DataFrame, *offsets: int) -> list[float]:
    """Minutes of each exposure, without the scans of these offsets."""
    engine = Engine(scans)
    engine.struck = offsets
    office = place(7, "office", True, False).model_copy(update={"usual_stay": 120})
    ground = ground_at([office], load_parameters())
    read = Scans(engine, struck=Struck([CODE]))
    result = trace_from(read, A_CASE, ground, RULES, NOW)
    everything = scans.filter(~pl.col("kafka_offset").is_in(offsets))
    assert result.exposures.equals(trace(A_CASE, everything, ground, RULES, NOW).exposures)
    return result.exposures["minutes"].to_list()


def test_a_trace_leaves_them_out_of_the_case_and_of_everybody() -> None:
    scans = boarded(
        (CASE, 7, "in", 0, None), (CASE, 7, "out", 2, None),
        (ALICE, 7, "in", 1, None), (ALICE, 7, "out", 1.5, None),
    )  # fmt: skip
    assert found(scans) == [30]
    assert found(scans, 2, 3) == [], "nothing else says that she was there"
    assert found(scans, 0, 1) == [], "nor the case"


def test_a_scan_that_does_not_count_does_not_say_that_somebody_had_left() -> None:
    scans = boarded(
        (ALICE, 7, "in", 0, None), (ALICE, 7, "out", 1, None),
        (CASE, 7, "in", 1.5, None), (CASE, 7, "out", 3, None),
        (BOB, 7, "in", 3.5, None), (BOB, 7, "out", 4, None),
    )  # fmt: skip
    assert found(scans) == []
    assert found(scans, 1) == [30], "she stays for as long as is usual"
    assert found(scans, 4) == [60], "he came for as long before"


def test_where_the_case_was_is_known_by_what_does_not_count_too() -> None:
    scans = boarded((CASE, 7, "in", 0, None), (CASE, 7, "out", 2, None))
    engine = Engine(scans)
    engine.struck = (0, 1)
    watched = to_watch(Scans(engine, struck=Struck([CODE])), A_CASE, GROUND, RULES, NOW)
    assert watched.windows == []
    assert watched.visited[:, 0].tolist() == [7]
