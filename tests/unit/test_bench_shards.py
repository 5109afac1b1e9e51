"""The fan-out that acts shards out: where a row goes, and how answers become one."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bench.shards import Sharded, Traced, _batches, _ratios
from bench.shards_fanout import Shards
from bench.trace_city import DAYS
from schemas.clickhouse.shape import SHARDED
from schemas.errors import Retryable
from streams.present import fingerprint
from tests.unit.test_bench_trace import city
from tracer.statements import BEST

PLACES = 40


class Engine:
    """One shard: what was put into it, and what it says."""

    def __init__(self, says: dict[str, Any] | None = None) -> None:
        self.says = says or {}
        self.held: list[int] = []
        self.asked: list[str] = []
        self.away = False

    def query_arrow(self, sql: str, *_: Any) -> pa.Table:
        self.asked.append(sql)
        if "AS shard" in sql:
            count = int(sql.split(" % ")[1].split()[0])
            return pa.table({"shard": np.arange(PLACES + 1, dtype=np.uint64) % count})
        return self.says["table"]

    def query_rows(self, *_: Any) -> list[tuple[int, ...]]:
        rows: list[tuple[int, ...]] = self.says["rows"]
        return rows

    def insert(self, _table: str, rows: pa.Table, *_: Any) -> None:
        if self.away:
            raise Retryable("away")
        self.held += rows.column("place").to_pylist()


def shards(*engines: Engine, by_projection: bool = True) -> Shards:
    return Shards(engines, PLACES, by_projection=by_projection)  # type: ignore[arg-type]


def rows(places: list[int]) -> pa.Table:
    return pa.table({"place": np.array(places, np.uint32)})


def test_a_row_goes_where_the_cluster_would_send_it_and_each_goes_somewhere() -> None:
    one, two = Engine(), Engine()
    both = shards(one, two)
    assert SHARDED["scans"] in one.asked[0], "the expression of the cluster's own table"
    both.insert("scans", rows([4, 5, 6, 7, 5]), {})
    assert (one.held, two.held) == ([4, 6], [5, 7, 5])
    with pytest.raises(AssertionError):
        both.insert("rejects", rows([1]), {})


def test_an_insert_is_answered_when_all_have_it_and_one_that_is_away_is_said() -> None:
    one, two = Engine(), Engine()
    two.away = True
    with pytest.raises(Retryable):
        shards(one, two).insert("scans", rows([1, 2]), {})
    assert one.held == [2], "the others may have theirs: the recipe reads back what is present"
    two.away = False
    shards(one, two).insert("scans", rows([2]), {})
    assert two.held == [], "nothing is sent to a shard that has no part in it"


def test_rows_are_put_together_and_sums_are_added_as_the_engine_adds_them() -> None:
    first, second = np.arange(10, 20, dtype=np.uint64), np.arange(40, 43, dtype=np.uint64)
    one = Engine({"table": pa.table({"o": first}), "rows": [fingerprint(first)]})
    two = Engine({"table": pa.table({"o": second}), "rows": [fingerprint(second)]})
    both = shards(one, two)
    assert both.query_arrow("SELECT").column("o").to_pylist() == [*first, *second]
    assert both.rows("SELECT") == [fingerprint(np.concatenate([first, second]))]


@pytest.mark.parametrize(
    ("said", "by_projection", "best"),
    [
        (("packed_by_person", "packed_by_person"), True, "packed_by_person"),
        (("packed_by_person", "by_person"), True, "by_person"),
        (("scans", "packed_by_person"), True, "scans"),
        (("packed_by_person", "packed_by_person"), False, "scans"),
    ],
)
def test_a_projection_is_named_when_it_is_on_every_shard(
    said: tuple[str, str], by_projection: bool, best: str
) -> None:
    engines = [Engine({"table": pa.table({"best": [one]})}) for one in said]
    found = shards(*engines, by_projection=by_projection).query_arrow(BEST)
    assert found.column("best").to_pylist() == [best]


def test_batches_are_of_one_partition_with_offsets_that_follow() -> None:
    made = city(4_000)
    ends: dict[int, int] = {}
    total = 0
    for batch in _batches(made, 50):
        [scans] = batch.tables.values()
        assert set(scans.column("kafka_partition").to_pylist()) == {batch.partition}
        assert batch.first == ends.get(batch.partition, 0)
        assert batch.last == batch.first + batch.count - 1
        assert "written_at" not in scans.column_names
        ends[batch.partition] = batch.last + 1
        total += batch.count
    assert total == 4_000 + 2 * DAYS
    assert len(ends) == 8


def test_each_figure_is_beside_the_one_engines() -> None:
    def measured(count: int, times: float) -> Sharded:
        traced = Traced(10.0 * times, 20.0, 4.0 * times, 2.0 * times)
        return Sharded(count, 9, 9, 0.5, 2.0 * times, 3.0 * times, 1, traced, traced, 5, 1)

    one, two = _ratios([measured(1, 1.0), measured(2, 1.5)])["shards"]
    assert set(one["times"].values()) == {1.0}
    assert set(two["times"].values()) == {1.5}


def test_counts_by_partition_are_added_up_partition_by_partition() -> None:
    """As the reading back of a common insert asks: a partition's rows are on several shards."""
    one, two = Engine({"rows": [(3, 2, 2**64 - 1), (5, 1, 7)]}), Engine({"rows": [(3, 4, 2)]})
    asked = "SELECT kafka_partition, count(), sum(x) FROM (…) GROUP BY kafka_partition"
    found = shards(one, two).rows(asked)
    assert sorted(found) == [(3, 6, 1), (5, 1, 7)]
    assert shards(Engine({"rows": []}), Engine({"rows": []})).rows(asked) == []
    with pytest.raises(AssertionError, match="counts and sums only"):
        shards(one, two).rows("SELECT count() FROM scans")
