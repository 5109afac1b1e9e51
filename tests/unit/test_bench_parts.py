"""The benchmark's parts: the topic's records, the pipe's table, processes, the model, the report."""

import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from bench.fill import Filled
from bench.model import Load, model
from bench.ours import Cost, Round
from bench.processes import cpu_seconds, parse_stat, speak
from bench.produce import batches, simulated
from bench.report import Measured, Report, ratio
from bench.rows import Row, catalogue
from bench.tables import pipe_table
from issuer.codes import KeyRing, first_code
from issuer.units import HAI_PHONG, wards_of
from schemas.errors import UserError
from schemas.places import Place
from schemas.scan import Scan
from sim.city import plan_city
from sim.codes import City

UNTIL = datetime(2026, 3, 2, 12, tzinfo=UTC)
RING = KeyRing.parse("1:" + "5a" * 32)


def _city() -> City:
    first = (UNTIL - timedelta(days=14)).date()
    plan = plan_city(wards_of(HAI_PHONG), 7, 2_000, first, 15)
    return City(
        tuple(
            first_code(
                Place(
                    id=n, site=n, name=spec.name, kind=spec.kind, ward=site.ward, sector=site.sector
                ),
                RING,
            )
            for n, (site, spec) in enumerate(plan.places, start=1)
        )
    )


def test_two_weeks_that_begin_a_minute_before_midnight_are_sound_too() -> None:
    """Their first day is so thin that it has not a scan to tap twice."""
    outcomes: Counter[str] = Counter()
    until = datetime(2026, 11, 26, 16, 59, tzinfo=UTC)
    for _ in batches(simulated(_city(), 50_000, 7, until, 0.0), outcomes):
        pass
    assert +outcomes == Counter(written=50_000)


def test_the_topic_holds_valid_scans_each_once() -> None:
    outcomes: Counter[str] = Counter()
    made = simulated(_city(), 10_000, 7, UNTIL, 0.0)
    messages = [m for batch in batches(made, outcomes) for m in batch]
    scans = [Scan.model_validate_json(message["value"]) for message in messages]
    assert len(scans) == 10_000
    assert len({(scan.person, scan.event_id) for scan in scans}) == 10_000
    assert [m["key"].decode() for m in messages] == [scan.person for scan in scans]
    assert +outcomes == Counter(written=10_000)
    assert 180 < sum(len(m["value"]) for m in messages) / 10_000 < 240


def test_garbage_is_a_share_refused_and_as_many_repeated() -> None:
    outcomes: Counter[str] = Counter()
    made = simulated(_city(), 10_000, 7, UNTIL, 0.02)
    values = [m["value"] for batch in batches(made, outcomes) for m in batch]
    assert outcomes["duplicate"] == 200
    assert outcomes["written"] == 9_600
    assert sum(outcomes.values()) == len(values) == 10_000


CREATE = (
    "CREATE TABLE default.scans (`event_id` UUID, `person` UInt64, `place` UInt32, "
    "`scanned_at` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), PROJECTION by_person "
    "(SELECT person, scanned_at, place ORDER BY person, scanned_at)) ENGINE = MergeTree "
    "ORDER BY (place, person, scanned_at) SETTINGS index_granularity = 512"
)


def test_the_pipes_table_is_scans_with_hashes_in_two_columns() -> None:
    assert pipe_table(CREATE, "bench_pipe") == (
        "CREATE TABLE bench_pipe (`person` String EPHEMERAL, `code` String EPHEMERAL, "
        "`event_id` UUID, `person_id` UInt64 DEFAULT cityHash64(person), "
        "`place` UInt32 DEFAULT toUInt32(cityHash64(code)), "
        "`scanned_at` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), PROJECTION by_person "
        "(SELECT person_id, scanned_at, place ORDER BY person_id, scanned_at)) ENGINE = MergeTree "
        "ORDER BY (place, person_id, scanned_at) SETTINGS index_granularity = 512"
    )


@pytest.mark.parametrize(
    "create",
    [
        CREATE.replace("`person` UInt64", "`person` UInt128"),
        CREATE.replace("default.scans", "other"),
    ],
)
def test_another_table_is_refused_not_raced(create: str) -> None:
    with pytest.raises(UserError):
        pipe_table(create, "bench_pipe")


def test_cpu_of_a_process_whose_name_has_brackets() -> None:
    fields = " ".join(["R", *(str(n) for n in range(1, 11)), "250", "31", "7"])
    assert parse_stat(f"42 (a) b (c)) {fields}") == 281


def test_cpu_seconds_grow_with_work() -> None:
    before = cpu_seconds(os.getpid())
    deadline = time.process_time() + 0.2
    while time.process_time() < deadline:
        pass
    assert cpu_seconds(os.getpid()) - before >= 0.15


def test_a_process_speaks_in_its_last_line() -> None:
    assert speak([sys.executable, "-c", "print('hello'); print('{\"a\": 1}')"], "it", 20) == {
        "a": 1
    }


@pytest.mark.parametrize(
    ("code", "timeout_s", "words"),
    [
        ("print('{}'); raise SystemExit('broken')", 20, "it ended early .exit code 1.: broken"),
        ("print('no json')", 20, "no word"),
        ("import time; time.sleep(60)", 1, "did not finish within 1 s"),
    ],
)
def test_a_process_that_fails_is_said_not_counted(code: str, timeout_s: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        speak([sys.executable, "-c", code], "it", timeout_s)


LOAD = Load(worker_us=2.0, engine_us=1.5, broker_us=0.5, log_bytes=100.0, partitions=8)


def test_the_model_names_what_limits_first() -> None:
    two, many = model(LOAD, 2), model(LOAD, 64)
    assert (two.limit, two.events_per_s, two.workers) == ("cpu", 500_000, 1)
    # 64 cores would take 32 workers; 8 partitions feed only 8
    assert (many.limit, many.events_per_s) == ("partitions", 4_000_000)
    assert (many.workers, many.partitions_needed) == (8, 32)
    thin = model(LOAD, 64, network_bytes_s=1e8)
    assert (thin.limit, thin.events_per_s) == ("network", 1_000_000)


def _report() -> Report:
    rates = {
        "stock_faust": [10.0, 30.0, 20.0],
        "aiokafka_pydantic": [70.0] * 3,
        "pipe_aiokafka": [250.0, 260.0, 270.0],
        "pipe_librdkafka": [300.0, 290.0, 280.0],
        "truyvet": [400.0, 100.0, 300.0],
    }
    rows = [
        Measured(row, rates.get(row.name, []), records=1_000_000)
        for row in catalogue(("bytewax",), (1,))
    ]
    for measured in rows:
        if measured.row.peer:
            measured.failure = "bytewax could not be installed: no network"
    filled = Filled(1_000_000, 200.0, 1.0, 10, {"written": 1_000_000})
    costs = [Cost(2.0 + n, 1.0, 0.2, 0.4, {"decode": 0.5 + n}) for n in range(3)]
    report = Report(filled, 3, 7, "26.9", 8, rows, bytes_per_event={"log": 90.0, "table": 60.0})
    report.ours[1] = [Round(rate, cost) for rate, cost in zip(rates["truyvet"], costs, strict=True)]
    return report


def test_ratios_are_of_medians_and_the_pipe_is_the_faster_client() -> None:
    found = _report().as_dict()
    assert found["events_per_s"] == 300
    assert found["ratio_to_stock_faust"] == 15.0
    assert found["ratio_to_shortest_pipe"] == ratio(300, 290) == 1.03
    assert found["cpu_us_per_event"]["worker"] == 3.0
    assert found["cpu_us_per_event"]["steps"] == {"decode": 1.5}


def test_a_row_that_failed_has_its_reason_and_no_number() -> None:
    failed = [row for row in _report().as_dict()["rows"] if row["name"].startswith("bytewax")]
    assert len(failed) == 2
    for row in failed:
        assert row["failure"] == "bytewax could not be installed: no network"
        assert row["median"] is None
        assert row["truyvet_is_times"] is None


def test_a_failure_after_good_rounds_takes_the_number_away() -> None:
    row: Row = catalogue((), (1,))[0]
    assert Measured(row, [1.0, 2.0], failure="it ended early").median is None
