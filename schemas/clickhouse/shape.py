"""One server, or shards of replicas: the same tables in either shape (docs/scale-out.md).

On a cluster, what grows with the scans is sharded: `scans` by place, so that everybody who was
at a place is on one shard and a co-location never crosses two; the other outcomes by
their topic's partition. Such a table is `<name>_local` on each server, and `<name>` is the
distributed table over them, which everyone asks and inserts into. All other tables are small and
whole on every server, so that joins with them stay on the shard.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

SHARDED: Final[Mapping[str, str]] = {
    "scans": "cityHash64(place)",
    "rejects": "intHash64(kafka_partition)",
    "duplicates": "intHash64(kafka_partition)",
    "expired": "intHash64(kafka_partition)",
    "erased": "intHash64(kafka_partition)",
}
_SHARD: Final = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
_EVERYWHERE: Final = "'/clickhouse/tables/everywhere/{database}/{table}', '{shard}-{replica}'"
_TABLE: Final = re.compile(r"^(CREATE TABLE IF NOT EXISTS|ALTER TABLE|DROP TABLE IF EXISTS) (\w+)")
_ENGINE: Final = re.compile(r"^ENGINE = (\w*MergeTree)(?:\((.*)\))?$", re.MULTILINE)


@dataclass(frozen=True)
class Shape:
    """`cluster` is its name in the servers' `remote_servers`; empty: one server."""

    cluster: str = ""

    @property
    def on_cluster(self) -> str:
        """What a statement for every server has after its subject."""
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def local(self, table: str) -> str:
        """The table that holds a server's own rows."""
        return f"{table}_local" if self.cluster and table in SHARDED else table

    def alter(self, table: str) -> str:
        """The subject of a statement that changes rows, wherever they are."""
        return f"ALTER TABLE {self.local(table)}{self.on_cluster}"

    def shards(self, table: str) -> str:
        """A system table of one replica of each shard."""
        return f"cluster('{self.cluster}', {table})" if self.cluster else table

    def servers(self, table: str) -> str:
        """A system table of every server."""
        return f"clusterAllReplicas('{self.cluster}', {table})" if self.cluster else table

    @property
    def reading(self) -> dict[str, Any]:
        """Settings of every query: a replica that lags behind must not say *absent*."""
        return {"select_sequential_consistency": 1} if self.cluster else {}

    def writing(self, timeout_s: float) -> dict[str, Any]:
        """Settings of every insert: acknowledged when most replicas of each shard have it.

        One insert at a time in a shard's table, which reading in sequence needs; another is told
        to try again (UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE).
        """
        if not self.cluster:
            return {}
        return {
            "insert_quorum": "auto",
            "insert_quorum_parallel": 0,
            "insert_quorum_timeout": int(timeout_s * 1000),
            "distributed_foreground_insert": 1,
        }

    def statements(self, statement: str) -> Iterator[str]:
        """A migration's statement as this shape has it.

        Raises ValueError for one that no rule here knows: it must be thought about.
        """
        if not self.cluster:
            yield statement
            return
        found = _TABLE.match(statement)
        if found is None:
            raise ValueError(f"no clustered form is known of: {statement[:80]}")
        verb, table = found[1], found[2]
        head = f"{verb} {self.local(table)}{self.on_cluster}"
        yield head + self._replicated(table, statement[found.end() :])
        if verb == "CREATE TABLE IF NOT EXISTS" and table in SHARDED:
            yield f"{verb} {table}{self.on_cluster} AS {self.local(table)}\n{self._over(table)}"
        elif verb == "ALTER TABLE" and table in SHARDED and not _of_parts(statement):
            yield f"{verb} {table}{self.on_cluster}{statement[found.end() :]}"

    def _over(self, table: str) -> str:
        return (
            f"ENGINE = Distributed('{self.cluster}', currentDatabase(), '{self.local(table)}', "
            f"{SHARDED[table]})"
        )

    def _replicated(self, table: str, rest: str) -> str:
        path = _SHARD if table in SHARDED else _EVERYWHERE

        def engine(found: re.Match[str]) -> str:
            arguments = ", ".join(filter(None, (path, found[2])))
            return f"ENGINE = Replicated{found[1]}({arguments})"

        made = _ENGINE.sub(engine, rest)
        return made.replace(
            "non_replicated_deduplication_window", "replicated_deduplication_window"
        )


def _of_parts(statement: str) -> bool:
    """Of how rows are kept, which is nothing to a table that keeps none."""
    return any(
        f" {word} " in statement for word in ("MODIFY SETTING", "PROJECTION", "MATERIALIZED")
    )
