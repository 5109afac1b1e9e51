"""Several engines as the shards of one table: a fan-out of ours over their HTTP interfaces.

It stands where a worker's and a tracer's client stands and acts a cluster's `Distributed` tables
out: each row goes to the shard that the expression of the cluster's own tables names, an insert is
answered when every shard that it touched has its rows, and a question goes to all of them. What
comes back is put one under the other; one row of numbers is added up. Copies of a shard, a quorum
and what a lagging copy says are not here.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.clickhouse.shape import SHARDED
from streams.clickhouse import ClickHouse
from tracer.statements import BEST, Source

_AT_ONCE: Final = 3  # questions of a trace, for each shard
SCANS: Final = "scans"


class Shards(ClickHouse):
    """What `ClickHouse` is to a worker and a tracer, over several of them.

    `places`: the largest place there is. `by_projection`: traces name the projection by person on
    each shard; else they ask the table, as they do of a cluster's distributed one.
    """

    def __init__(
        self, engines: Sequence[ClickHouse], places: int, *, by_projection: bool = True
    ) -> None:
        self.engines = tuple(engines)
        self._by_projection = by_projection
        self._pool = ThreadPoolExecutor(_AT_ONCE * len(engines), "shards")
        self._shard_of = self._reckoned(places)

    def query_arrow(
        self,
        sql: str,
        parameters: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> pa.Table:
        """The answers of all shards, one under the other."""
        found = self._of_all(lambda engine: engine.query_arrow(sql, parameters, settings))
        if sql == BEST:
            return pa.table({"best": [self._best(found)]})
        return pa.concat_tables(found)

    def query_rows(
        self, sql: str, parameters: dict[str, Any], settings: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Counts and sums (modulo 2^64), as those of all shards add up to: one row, or one for each
        partition, which comes first in it."""
        found = self._of_all(lambda engine: engine.query_rows(sql, parameters, settings))
        keys = int(sql.endswith("GROUP BY kafka_partition"))
        assert keys or all(len(rows) == 1 for rows in found), "counts and sums only"
        added: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for row in chain.from_iterable(found):
            key, numbers = row[:keys], row[keys:]
            before = added.get(key, (0,) * len(numbers))
            added[key] = tuple((a + b) % 2**64 for a, b in zip(before, numbers, strict=True))
        return [(*key, *numbers) for key, numbers in added.items()]

    def projection(self, table: str, name: str) -> str:
        """As each of the shards has it."""
        return self.engines[0].projection(table, name)

    def command(self, sql: str, settings: dict[str, Any] | None = None) -> None:
        """On every shard."""
        self._of_all(lambda engine: engine.command(sql, settings))

    def insert(
        self, table: str, rows: pa.Table, settings: dict[str, Any], deadline: float | None = None
    ) -> None:
        """Each row into its shard; returns when all have them. Raises Retryable or Fatal if one
        shard has not: others may. Only of scans, which have a place."""
        assert table == SCANS
        shards = self._shard_of[rows.column("place").to_numpy()]

        def into(engine: ClickHouse) -> None:
            own = rows.filter(pa.array(shards == self.engines.index(engine)))
            if own.num_rows:
                engine.insert(table, own, settings, deadline)

        self._of_all(into)

    def close(self) -> None:
        """Let the threads and the connections go."""
        self._pool.shutdown()
        for engine in self.engines:
            engine.close()

    def _best(self, found: Sequence[pa.Table]) -> Source:
        """The best that all shards have, as each says its own."""
        if not self._by_projection:
            return Source.TABLE
        return max((Source(t.column("best")[0].as_py()) for t in found), key=list(Source).index)

    def _of_all(self, call: Callable[[ClickHouse], Any]) -> list[Any]:
        """What each shard answers; all have answered when the first error is raised."""
        if len(self.engines) == 1:
            return [call(self.engines[0])]
        asked = [self._pool.submit(call, engine) for engine in self.engines]
        errors = [error for one in asked if (error := one.exception()) is not None]
        if errors:
            raise errors[0]
        return [one.result() for one in asked]

    def _reckoned(self, places: int) -> npt.NDArray[np.uint64]:
        """The shard of each place, as the engine reckons it of the sharding key."""
        found = self.engines[0].query_arrow(
            f"SELECT {SHARDED[SCANS]} % {len(self.engines)} AS shard "  # noqa: S608 (our own)
            f"FROM (SELECT toUInt32(number) AS place FROM numbers({places + 1})) ORDER BY place"
        )
        shards: npt.NDArray[np.uint64] = found.column("shard").to_numpy()
        return shards
