"""The recipe of exactly once, against an engine that misbehaves in every way we know."""

import random
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry

from schemas.clickhouse.shape import Shape
from schemas.errors import Fatal, Retryable
from schemas.meters import Metrics
from schemas.metrics import ENGINE_AWAY, INSERT_RETRIES
from streams.convert import OUTCOMES, Rows
from streams.present import ABSENT, NOTHING, Present, attempt_mark, end_attempts, fingerprint
from streams.write import Batch, NotOurs, Permit, Writer

NONE = np.zeros(0, np.uint64)


class Engine:
    """Tables of offsets behind the interface of `streams.clickhouse.ClickHouse`.

    `mishap` is asked before each insert: None, or one of lose (error, nothing written), late
    (error, but all written), part (error, half written), linger (error; written when somebody
    looks, unless the query is killed first).
    """

    shape = Shape()

    def __init__(self, mishap: Any) -> None:
        self.tables: dict[str, list[int]] = {name: [] for name in OUTCOMES}
        self._mishap = mishap
        self._running: list[tuple[str, str, list[int]]] = []
        self.kills = 0

    def insert(
        self, table: str, rows: pa.Table, settings: dict[str, Any], deadline: float | None = None
    ) -> None:
        offsets = rows.column("kafka_offset").to_pylist()
        mishap = self._mishap()
        if mishap == "late":
            self.tables[table] += offsets
        elif mishap == "part":
            self.tables[table] += offsets[: len(offsets) // 2]
        elif mishap == "linger":
            self._running.append((settings["log_comment"], table, offsets))
        if mishap is not None:
            raise Retryable(mishap)
        self.tables[table] += offsets

    def command(self, sql: str, settings: Any = None) -> None:
        assert sql.startswith("KILL QUERY")
        self.kills += 1
        mark = sql.split("'")[3]
        self._running = [run for run in self._running if mark not in run[0]]

    def rows(self, sql: str) -> list[tuple[int, ...]]:
        assert "system.processes" in sql
        return [(0,)]

    def projection(self, table: str, name: str) -> str:
        return f"{name} of {table}"

    def query_rows(self, sql: str, *_: Any) -> list[tuple[int, ...]]:
        assert "FROM by_offset of scans" in sql
        found: list[tuple[int, ...]] = []
        for partition, first, last in _spans(sql):
            offsets = self._found({"first": first, "last": last})
            if offsets:
                found.append((partition, *fingerprint(np.array(offsets, np.uint64))))
        return found

    def query_arrow(self, sql: str, parameters: dict[str, int], settings: Any = None) -> pa.Table:
        sources = ("by_offset of scans", *OUTCOMES[1:])
        assert all(f"* 8 + {n} AS there FROM {t} " in sql for n, t in enumerate(sources))
        found = [8 * o + n for n, o in self._numbered(parameters)]
        return pa.table({"there": pa.array(found, pa.uint64())})

    def _found(self, parameters: dict[str, int]) -> list[int]:
        return [offset for _, offset in self._numbered(parameters)]

    def _numbered(self, parameters: dict[str, int]) -> list[tuple[int, int]]:
        for _, table, offsets in self._running:
            self.tables[table] += offsets
        self._running = []
        first, last = parameters["first"], parameters["last"] or 2**62
        return [
            (number, offset)
            for number, table in enumerate(OUTCOMES)
            for offset in self.tables[table]
            if first <= offset <= last
        ]


def _spans(sql: str) -> set[tuple[int, int, int]]:
    """Partition, first and last offset; the partitions here have no offsets in common."""
    asked = re.findall(r"kafka_partition = (\d+) AND kafka_offset BETWEEN (\d+) AND (\d+)", sql)
    return {(int(partition), int(first), int(last)) for partition, first, last in asked}


def batch(first: int, count: int, partition: int = 3) -> Rows:
    offsets = np.arange(first, first + count, dtype=np.uint64)
    day = np.full(count, 1_638_316_800_000, dtype=np.int64)

    def table(mask: Any, clock: str) -> pa.Table:
        return pa.table(
            {
                clock: pa.array(day[mask], pa.timestamp("ms", "UTC")),
                "kafka_offset": offsets[mask],
            }
        )

    return Rows(
        partition,
        first,
        first + count - 1,
        {
            "scans": table(offsets % 5 > 1, "scanned_at"),
            "rejects": table(offsets % 5 == 0, "appended_at"),
            "duplicates": table(offsets % 5 == 1, "appended_at"),
        },
    )


def writer(
    engine: Engine,
    same_log: Callable[[int], None] | None = None,
    retention_days: int = 0,
) -> Writer:
    return Writer(
        engine,  # type: ignore[arg-type]
        Metrics(CollectorRegistry()),
        topic="scans.v1",
        run="r",
        retention_days=retention_days,
        insert_timeout_s=5,
        same_log=same_log,
    )


def sure() -> float:
    return time.monotonic() + 10.0


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.write.time.sleep", lambda _: None)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_engine_does_each_offset_is_there_once(seed: int) -> None:
    rng = random.Random(seed)
    engine = Engine(lambda: rng.choice([None, None, "lose", "late", "part", "linger"]))
    ours = writer(engine)
    for first in range(0, 300, 30):
        ours.write(batch(first, 30), NONE, sure)
    everything = sorted(o for offsets in engine.tables.values() for o in offsets)
    assert everything == list(range(300))


def test_a_good_insert_is_read_back_and_nothing_is_killed() -> None:
    engine = Engine(lambda: None)
    written = writer(engine).write(batch(0, 10), NONE, sure)
    assert engine.kills == 0
    assert written.rows.count == 10


def scanned(*ages_days: float) -> Rows:
    """A scan of each of these ages, by rising offsets."""
    now = time.time() * 1000
    times = [round(now - 86_400_000 * age) for age in ages_days]
    scans = pa.table(
        {
            "scanned_at": pa.array(times, pa.timestamp("ms", "UTC")),
            "kafka_offset": pa.array(range(len(times)), pa.uint64()),
        }
    )
    return Rows(3, 0, len(times) - 1, {"scans": scans})


def test_what_the_tables_would_drop_at_once_is_counted_as_expired() -> None:
    engine = Engine(lambda: None)
    ours = writer(engine, retention_days=21)
    rows = scanned(1, 40, 20, 400)
    written = ours.write(rows, NONE, sure)
    assert (engine.tables["scans"], engine.tables["expired"]) == ([0, 2], [1, 3])
    assert written.rows.tables["scans"].num_rows == 2
    present = ours.take_over(3, 0, sure)
    ours.write(rows, present.offsets, sure)
    assert sorted(o for t in engine.tables.values() for o in t) == [0, 1, 2, 3], "nothing again"


def test_as_long_as_one_partition_waits_the_engine_is_away() -> None:
    ours = writer(Engine(lambda: None))
    away = ours._metrics.gauge(ENGINE_AWAY)._value
    ours.away(3, 4)
    ours.write(batch(0, 10), NONE, sure)
    assert away.get() == 1, "what the third does says nothing of the fourth"
    ours.answers(4)
    assert away.get() == 0


def test_an_insert_of_very_many_weeks_is_cut_so_that_the_engine_takes_it() -> None:
    engine = Engine(lambda: None)
    inserted: list[set[int]] = []
    honest = engine.insert

    def noted(
        table: str, rows: pa.Table, settings: dict[str, Any], deadline: float | None = None
    ) -> None:
        assert table == "scans"
        weeks = rows.column("scanned_at").cast(pa.int64()).to_numpy() // (7 * 86_400_000)
        inserted.append(set(weeks.tolist()))
        honest(table, rows, settings, deadline)

    engine.insert = noted  # type: ignore[method-assign]
    writer(engine).write(scanned(*(7 * n % 840 for n in range(300))), NONE, sure)
    assert [len(weeks) for weeks in inserted] == [50, 50, 20]
    assert sorted(engine.tables["scans"]) == list(range(300))


def test_only_what_is_absent_is_written_after_a_take_over() -> None:
    engine = Engine(lambda: None)
    engine.tables |= {"scans": [2, 7, 4], "rejects": [5], "duplicates": [6], "erased": [3]}
    ours = writer(engine)
    present = ours.take_over(3, 0, sure)
    assert present.offsets.tolist() == [2, 3, 4, 5, 6, 7]
    known = {n: OUTCOMES[table] for n, table in zip(range(2, 8), present.table, strict=True)}
    assert known == {
        2: "scans", 3: "erased", 4: "scans", 5: "rejects", 6: "duplicates", 7: "scans",
    }  # fmt: skip
    ours.write(batch(0, 10), present.offsets, sure)
    assert sorted(o for t in engine.tables.values() for o in t) == list(range(10))


def test_where_an_offset_is_is_found_of_those_that_are_there() -> None:
    some = Present(np.array([2, 5, 9], np.uint64), np.array([0, 1, 4], np.uint8))
    assert some.tables(np.array([1, 2, 3, 5, 9, 10])).tolist() == [ABSENT, 0, ABSENT, 1, 4, ABSENT]
    assert [some.reaches(first) for first in (0, 9, 10)] == [True, True, False]
    assert NOTHING.tables(np.array([1, 2])).tolist() == [ABSENT, ABSENT]
    assert not NOTHING.reaches(0)


def test_one_that_is_there_twice_is_present_once() -> None:
    engine = Engine(lambda: None)
    engine.tables |= {"rejects": [4, 5], "scans": [5]}
    present = writer(engine).take_over(3, 0, sure)
    assert (present.offsets.tolist(), present.table.tolist()) == ([4, 5], [1, 0])


def test_rows_where_it_begins_make_it_ask_whose_log_it_is() -> None:
    engine = Engine(lambda: None)
    engine.tables["scans"] = [2, 3]

    def another(partition: int) -> None:
        raise Fatal(f"not the log of {partition}")

    assert writer(engine, another).take_over(3, 4, sure).offsets.tolist() == []
    with pytest.raises(Fatal, match="not the log of 3"):
        writer(engine, another).take_over(3, 3, sure)
    assert engine.tables["scans"] == [2, 3]
    answers = iter([Retryable("Kafka is away"), None])

    def at_last(_partition: int) -> None:
        if (error := next(answers)) is not None:
            raise error

    assert writer(engine, at_last).take_over(3, 0, sure).offsets.tolist() == [2, 3]


def test_an_insert_that_reports_success_and_wrote_less_is_noticed() -> None:
    engine = Engine(lambda: None)
    honest = engine.insert
    lies = iter([True, True, True])

    def lying(
        table: str, rows: pa.Table, settings: dict[str, Any], deadline: float | None = None
    ) -> None:
        honest(table, rows.slice(1) if next(lies, False) else rows, settings)

    engine.insert = lying  # type: ignore[method-assign]
    writer(engine).write(batch(0, 10), NONE, sure)
    assert sorted(o for t in engine.tables.values() for o in t) == list(range(10))


def test_an_offset_that_is_there_twice_stops_the_worker() -> None:
    engine = Engine(lambda: None)
    engine.tables["scans"] = [2]
    with pytest.raises(Fatal, match="twice"):
        writer(engine).write(batch(0, 10), NONE, sure)


def test_a_lost_partition_is_not_written_to() -> None:
    engine = Engine(lambda: None)

    def lost() -> float:
        raise NotOurs

    with pytest.raises(NotOurs):
        writer(engine).write(batch(0, 10), NONE, lost)
    assert not any(engine.tables.values())


def together(*permits: Permit) -> list[Batch]:
    """Thirty rows of each of as many partitions, beginning with the third."""
    return [
        Batch(batch(1_000 * partition, 30, partition), NONE, permit)
        for partition, permit in enumerate(permits, 3)
    ]


def test_batches_of_several_partitions_are_one_insert_in_each_table() -> None:
    asked: list[str] = []
    engine = Engine(lambda: asked.append("insert"))
    written = writer(engine).attempt(together(sure, sure, sure))
    assert [one.rows.partition for one in written if one] == [3, 4, 5]
    assert len(asked) == 3  # scans, rejects, duplicates
    assert engine.kills == 0
    assert sum(map(len, engine.tables.values())) == 90


def test_an_attempt_bears_the_marks_of_all_its_partitions() -> None:
    engine = Engine(lambda: "linger")
    writer(engine).attempt(together(sure, sure))
    [(comment, *_)] = engine._running
    assert "truyvet/scans.v1/3/r/3000-3029/" in comment
    assert "truyvet/scans.v1/4/r/4000-4029/" in comment
    assert comment.startswith("truyvet/scans.v1/")
    end_attempts(engine, attempt_mark("scans.v1", 4))  # type: ignore[arg-type]
    assert engine._running == []


@pytest.mark.parametrize("seed", range(60))
def test_whatever_becomes_of_a_common_insert_each_offset_is_there_once(seed: int) -> None:
    rng = random.Random(seed)
    engine = Engine(lambda: rng.choice([None, None, None, "lose", "late", "part", "linger"]))
    ours, batches = writer(engine), together(sure, sure, sure, sure)
    for one, written in zip(batches, ours.attempt(batches), strict=True):
        assert (written or ours.settle(one)).rows.count == 30
    everything = sorted(o for offsets in engine.tables.values() for o in offsets)
    assert everything == [o for p in range(3, 7) for o in range(1_000 * p, 1_000 * p + 30)]


def test_where_one_partition_is_lost_the_others_are_written_all_the_same() -> None:
    engine = Engine(lambda: None)

    def lost() -> float:
        raise NotOurs

    ours, batches = writer(engine), together(sure, lost, sure)
    assert ours.attempt(batches) == [None, None, None]
    assert not any(engine.tables.values())
    with pytest.raises(NotOurs):
        ours.settle(batches[1])
    for one in (batches[0], batches[2]):
        ours.settle(one)
    everything = sorted(o for offsets in engine.tables.values() for o in offsets)
    assert everything == [*range(3_000, 3_030), *range(5_000, 5_030)]


def test_one_that_is_lost_between_two_tables_ends_the_attempt_for_all() -> None:
    engine = Engine(lambda: None)
    left = iter([sure()])

    def going() -> float:
        if (seconds := next(left, None)) is None:
            raise NotOurs
        return seconds

    ours, batches = writer(engine), together(sure, going)
    assert ours.attempt(batches) == [None, None]
    assert len(engine.tables["scans"]) == 36
    assert engine.tables["rejects"] == []
    ours.settle(batches[0])
    with pytest.raises(NotOurs):
        ours.settle(batches[1])
    offsets = sorted(o for some in engine.tables.values() for o in some)
    assert [o for o in offsets if o < 4_000] == list(range(3_000, 3_030))


def test_what_was_there_before_is_not_inserted_with_the_others() -> None:
    engine = Engine(lambda: None)
    engine.tables["scans"] = [3_002, 3_003]
    one, two = together(sure, sure)
    one = Batch(one.rows, np.array([3_002, 3_003], np.uint64), sure)
    first, second = writer(engine).attempt([one, two])
    assert first is not None
    assert first.rows.count == 28
    assert second is not None
    assert second.rows.count == 30
    assert sum(map(len, engine.tables.values())) == 60


def test_a_common_insert_that_fails_counts_once_and_a_lost_partition_not_at_all() -> None:
    mishaps = iter(["lose"])
    engine = Engine(lambda: next(mishaps, None))
    ours = writer(engine)
    batches = together(sure, sure, sure)
    assert ours.attempt(batches) == [None] * 3
    for one in batches:
        ours.settle(one)
    assert ours._metrics.counter(INSERT_RETRIES)._value.get() == 1

    def lost() -> float:
        raise NotOurs

    assert writer(engine).attempt(together(lost)) == [None]
    assert ours._metrics.counter(INSERT_RETRIES)._value.get() == 1


def test_an_insert_of_a_process_that_stood_still_does_not_go_out() -> None:
    deadlines: list[float] = []
    engine = Engine(lambda: None)
    insert = engine.insert

    def noted(table: str, rows: Any, settings: Any, deadline: float | None = None) -> None:
        assert deadline is not None
        deadlines.append(deadline)
        insert(table, rows, settings, deadline)

    engine.insert = noted  # type: ignore[method-assign]
    until = time.monotonic() + 4
    writer(engine).attempt(together(sure, lambda: until, sure))
    assert deadlines == [until - 1] * 3, "by the shortest permit, as of when it was asked for"
