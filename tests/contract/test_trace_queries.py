"""The queries of a trace against the engine: the projection itself, or the table where it is not.

A part without the projection must not be passed over: a scan that is not read is a lost contact.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from schemas.ids import person_text
from streams.clickhouse import ClickHouse
from tests.contract.clickhouse_fixtures import migrated_engine
from tracer.hours import Span
from tracer.packed import LAYOUT, unpacked
from tracer.queries import Scans
from tracer.sought import sought
from tracer.statements import at_places

WEEK_MS = 7 * 86_400_000
FIRST_MS = 1_790_000_000_000
PERSONS = 40
LAST_MS = FIRST_MS + 3 * WEEK_MS


@pytest.fixture
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """Three weeks, in parts of their own: 600 scans of forty persons."""
    with migrated_engine(tmp_path_factory.mktemp("trace")) as made:
        for week in range(3):
            made.command(
                "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, "
                "producer, device, trip, appended_at, written_at, kafka_partition, kafka_offset) "
                f"WITH fromUnixTimestamp64Milli({FIRST_MS + week * WEEK_MS} + "
                "toInt64(number) * 60000, 'UTC') AS at SELECT generateUUIDv4(), "
                f"number % {PERSONS}, 3, at, if(number % 2 = 0, 'in', 'out'), 'self', 'sim', 'p', "
                f"if(number % 3 = 0, 't7', ''), at, at, {week}, number FROM numbers(200)"
            )
        yield made


def offsets(clickhouse: ClickHouse, person: int) -> list[tuple[int, int]]:
    """Partition and offset of every scan of a person, as the trace reads them."""
    scans = Scans(clickhouse)
    own = scans.itinerary(person_text(person), FIRST_MS, LAST_MS)
    [whole] = scans.of(sought([person], FIRST_MS, LAST_MS))
    assert own.sort("scanned_at").equals(whole.sort("scanned_at"))
    return sorted(own.select("kafka_partition", "kafka_offset").rows())


def everything(person: int) -> list[tuple[int, int]]:
    return [(week, number) for week in range(3) for number in range(person, 200, PERSONS)]


def test_all_scans_of_a_person_are_read(clickhouse: ClickHouse) -> None:
    for person in (0, 7, PERSONS - 1):
        assert offsets(clickhouse, person) == everything(person)
    assert offsets(clickhouse, PERSONS) == []


@pytest.mark.parametrize(
    "missing", [("packed_by_person",), ("by_person",), ("packed_by_person", "by_person")]
)
def test_a_part_without_the_projection_is_read_too(
    clickhouse: ClickHouse, missing: tuple[str, ...]
) -> None:
    [(partition,)] = clickhouse.rows(
        "SELECT partition_id FROM system.parts WHERE table = 'scans' AND active LIMIT 1"
    )
    for projection in missing:
        clickhouse.command(
            f"ALTER TABLE scans CLEAR PROJECTION {projection} IN PARTITION ID '{partition}'",
            {"mutations_sync": 2},
        )
        [(without,)] = clickhouse.rows(
            f"SELECT countIf(NOT has(projections, '{projection}')) FROM system.parts "
            "WHERE table = 'scans' AND active"
        )
        assert without >= 1
    assert offsets(clickhouse, 7) == everything(7)


def test_the_projection_says_what_the_table_says(clickhouse: ClickHouse) -> None:
    """Whatever a field's bits: each is cut from one value, and the longest of each is there."""
    clickhouse.command(
        "INSERT INTO scans (event_id, person, place, scanned_at, direction, trip, "
        "kafka_partition, kafka_offset) SELECT generateUUIDv4(), 77, place, "
        "toDateTime64(at, 3, 'UTC'), direction, trip, partition, offset FROM VALUES('place UInt32, at String, "
        "direction String, trip String, partition UInt16, offset UInt64', "
        "(1, '2026-09-21 00:00:00.000', 'in', 't1', 0, 0), "
        "(4294967295, '2026-09-21 23:59:59.999', 'out', '', 65535, 18446744073709551615), "
        "(16909060, '2026-09-21 12:00:00.001', 'pass', 't2', 258, 72623859790382856))"
    )
    person, begin = person_text(77), 1_789_948_800_000
    [packed] = Scans(clickhouse).of(sought([77], begin, begin + WEEK_MS))
    clickhouse.command(
        "ALTER TABLE scans CLEAR PROJECTION packed_by_person IN PARTITION '2026-09-21'",
        {"mutations_sync": 2},
    )
    [plain] = Scans(clickhouse).of(sought([77], begin, begin + WEEK_MS))
    key = "kafka_offset"
    assert packed.sort(key).equals(plain.sort(key))
    assert plain.sort(key).select("place", "direction", "trip", "kafka_partition", key).rows() == [
        (1, "in", "t1", 0, 0),
        (16909060, "pass", "t2", 258, 72623859790382856),
        (4294967295, "out", None, 65535, 18446744073709551615),
    ]
    assert (
        Scans(clickhouse)
        .itinerary(person, begin, begin + WEEK_MS)
        .sort(key)
        .equals(plain.sort(key))
    )


def test_two_blocks_of_an_answer_are_both_read() -> None:
    layout = np.zeros(3, LAYOUT)
    layout["place"], layout["direction"] = [3, 2**32 - 1, 7], [1, 2, 3]
    values = [row.tobytes() for row in layout]
    kind = pa.binary(LAYOUT.itemsize)
    blocks = pa.chunked_array([pa.array(values[:2], kind)[1:], pa.array(values[2:], kind)])
    assert unpacked(blocks)["place"].tolist() == [2**32 - 1, 7]
    assert len(unpacked(pa.chunked_array([], kind))) == 0
    with pytest.raises(ValueError, match="23 bytes, not 24"):
        unpacked(pa.chunked_array([pa.array([b"x" * 24], pa.binary(24))]))


def test_a_table_without_rows_answers_nothing(clickhouse: ClickHouse) -> None:
    clickhouse.command("TRUNCATE TABLE scans")
    assert offsets(clickhouse, 7) == []


def test_only_the_weeks_that_are_asked_for_are_read(clickhouse: ClickHouse) -> None:
    asked = FIRST_MS + WEEK_MS, FIRST_MS + 2 * WEEK_MS - 1
    [found] = Scans(clickhouse).of(sought([7, 8], *asked))
    assert set(found["kafka_partition"]) == {1}
    assert found.height == 2 * 200 // PERSONS
    # a week in which nobody was anywhere, and an end that no calendar has
    assert Scans(clickhouse).itinerary(person_text(7), FIRST_MS - WEEK_MS, FIRST_MS - 1).is_empty()
    [ever] = Scans(clickhouse).of(sought([7], 0, 2**42))
    assert ever.height == len(everything(7))


def test_at_a_place_exactly_the_spans_are_read(clickhouse: ClickHouse) -> None:
    minute = 60_000
    spans = [
        Span(3, FIRST_MS + 7 * minute, FIRST_MS + 61 * minute),  # both ends within an hour
        Span(3, FIRST_MS + WEEK_MS, FIRST_MS + WEEK_MS),
        Span(4, FIRST_MS, LAST_MS),  # nobody is there
        Span(3, FIRST_MS + 9 * minute, FIRST_MS + 8 * minute),  # ends before it begins
    ]
    [found] = Scans(clickhouse).at(spans)
    wanted = [(number % PERSONS, FIRST_MS + number * minute) for number in range(7, 62)]
    wanted.append((0, FIRST_MS + WEEK_MS))
    assert sorted(found.select("person", "t").rows()) == sorted(wanted)
    later = datetime.fromtimestamp((FIRST_MS + 60 * minute) / 1000, UTC)
    [kept] = Scans(clickhouse, later).at(spans)
    assert kept["t"].min() == FIRST_MS + 60 * minute
    assert kept.height == 3


def test_a_place_and_hour_are_found_by_the_primary_key(clickhouse: ClickHouse) -> None:
    """Places times hours are many granules, of which the key tells the few that are meant."""
    clickhouse.command(
        "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, producer, "
        "device, trip, appended_at, written_at, kafka_partition, kafka_offset) "
        f"WITH fromUnixTimestamp64Milli({FIRST_MS} + toInt64(number) * 1000, 'UTC') AS at "
        "SELECT generateUUIDv4(), number, 100 + number % 50, at, 'in', 'self', 'sim', 'p', '', "
        "at, at, 9, number FROM numbers(100000)"
    )
    minute = Span(120, FIRST_MS, FIRST_MS + 60_000)
    [found] = Scans(clickhouse).at([minute])
    assert found["t"].to_list() == [FIRST_MS + 20_000]
    plan = clickhouse.rows(f"EXPLAIN ESTIMATE {at_places([minute])}")
    everything = clickhouse.rows("EXPLAIN ESTIMATE SELECT place FROM scans")
    marks, all_marks = (sum(row[4] for row in some) for some in (plan, everything))
    assert all_marks > 150
    assert marks <= 8


def test_what_says_of_clocks_is_read_where_it_is_asked_for(clickhouse: ClickHouse) -> None:
    here, nowhere = Span(3, FIRST_MS, FIRST_MS + 3_600_000), Span(4, FIRST_MS, LAST_MS)
    scans = Scans(clickhouse)
    whole, bare = (
        lot.sort("t") for details in (True, False) for lot in scans.at([here], details=details)
    )
    assert whole.height == 61
    assert set(whole["producer"]) == {"sim"}
    assert whole["late"].null_count() == 0
    assert bare["producer"].null_count() == bare["late"].null_count() == 61
    those = ("person", "place", "t", "out")
    assert bare.select(those).equals(whole.select(those))
    for details in (True, False):
        [nobody] = scans.at([nowhere], details=details)
        assert nobody.is_empty()
        assert nobody.schema == whole.schema
