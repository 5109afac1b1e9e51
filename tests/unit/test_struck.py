"""Scans by codes that were revoked from before: asked for until all are in, then remembered."""

import polars as pl
import pyarrow as pa

from tests.unit.test_contacts import A_CASE, ALICE, CASE, DAY, GROUND, NOW, RULES, FakeEngine
from tests.unit.test_long_rides import HOUR, boarded
from tracer.columns import milliseconds
from tracer.fetch import trace_from
from tracer.queries import Scans
from tracer.struck import Revoked, Struck, number_of, without

BEGAN, DECIDED = milliseconds(DAY), milliseconds(DAY + 30 * HOUR)
CODE = Revoked(7, 3, BEGAN, DECIDED)


class Asked:
    def __init__(self, *offsets: int) -> None:
        self.offsets, self.queries = offsets, list[str]()

    def __call__(self, query: str) -> pa.Table:
        self.queries.append(query)
        none, offset = pa.array([0] * len(self.offsets), pa.uint16()), pa.array(self.offsets)
        return pa.table({"kafka_partition": none, "kafka_offset": offset.cast(pa.uint64())})


def test_what_a_code_struck_is_asked_once_when_all_of_it_is_in() -> None:
    asked = Asked(5, 3)
    struck = Struck([CODE], DECIDED + 3_600_001)
    assert struck.scans(0, asked).tolist() == [3, 5]
    [query] = asked.queries
    assert "code_version = 3" in query
    assert f"fromUnixTimestamp64Milli({BEGAN}, 'UTC')" in query
    first, last = (f"(7,{t // 3_600_000 * 3_600})" for t in (BEGAN, DECIDED + 3_600_000))
    assert first in query
    assert last in query
    assert Struck([CODE], DECIDED, struck.known).scans(0, asked).tolist() == [3, 5]
    assert len(asked.queries) == 1
    assert struck.scans(DECIDED + 1, asked).tolist() == [], "all of it is too old to be kept"
    just_now = Struck([CODE], DECIDED + 3_600_000)
    for times in (2, 3):
        assert just_now.scans(0, asked).tolist() == [3, 5]
        assert len(asked.queries) == times, "more may still come"
    assert Struck().scans(0, asked).tolist() == []


def test_scans_are_known_by_where_they_are_in_the_log() -> None:
    scans = pl.DataFrame(
        {"kafka_partition": [0, 1, 1], "kafka_offset": [7, 7, 8]},
        schema={"kafka_partition": pl.UInt16, "kafka_offset": pl.UInt64},
    )
    left = without(scans, number_of(scans)[:2])
    assert left.rows() == [(1, 8)]
    assert without(scans, number_of(scans)[:0]) is scans


class Engine(FakeEngine):
    """One whose scans by the code are those of these offsets."""

    struck: tuple[int, ...] = ()

    def query_arrow(self, query: str, *rest: object, **named: object) -> pa.Table:
        if "code_version" in query:
            return Asked(*self.struck)(query)
        return super().query_arrow(query, *rest, **named)  # type: ignore[arg-type]


def test_a_trace_leaves_them_out_of_the_case_and_of_everybody() -> None:
    scans = boarded(
        (CASE, 7, "in", 0, None), (CASE, 7, "out", 2, None),
        (ALICE, 7, "in", 1, None), (ALICE, 7, "out", 1.5, None),
    )  # fmt: skip

    def found(*offsets: int) -> list[float]:
        engine = Engine(scans)
        engine.struck = offsets
        read = Scans(engine, struck=Struck([CODE]))
        return trace_from(read, A_CASE, GROUND, RULES, NOW).exposures["minutes"].to_list()

    assert found() == [30]
    assert found(2, 3) == [], "nothing else says that she was there"
    assert found(0, 1) == [], "nor the case"
