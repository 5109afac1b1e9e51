"""Putting rebuilt tables in the place of the old ones while workers write and people ask.

The workers name tables, so from the exchange on they write into the new ones. What they had written
into the old ones past the rebuild's end is copied, and only what they have committed: no worker
writes that again. For so long, some seconds, the newest scans are not found by queries.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from console.backup.pieces import anew
from schemas.errors import Retryable
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES

_PAUSE_S: Final = 0.5
Offsets = Mapping[int, int]


@dataclass(frozen=True)
class Swap:
    """`serving` and `beside` are databases; `committed` asks the workers' group, `members` says
    whether it has any."""

    clickhouse: ClickHouse
    serving: str
    beside: str
    committed: Callable[[], Offsets]
    members: Callable[[], bool]

    def rebuilt(self) -> dict[str, str]:
        """The ids of the tables beside, which go with them."""
        return self._ids(self.beside)

    def exchange(self, rebuilt: Mapping[str, str]) -> None:
        """From now on the rebuilt tables serve; those that do already are left alone. Raises
        Retryable: some may be exchanged, then, and the same call exchanges the others."""
        serving = self._ids(self.serving)
        for table in OUTCOMES:
            if serving[table] != rebuilt[table]:
                self.clickhouse.command(
                    f"EXCHANGE TABLES {self.serving}.{table} AND {self.beside}.{table}"
                )

    def _ids(self, database: str) -> dict[str, str]:
        found = self.clickhouse.rows(
            "SELECT name, toString(uuid) FROM system.tables WHERE database = {database:String}",
            {"database": database},
        )
        return {str(name): str(number) for name, number in found}

    def copy_tail(self, ends: Offsets, patience_s: float) -> int:
        """Copy what was committed and is only in the old tables, from these ends on; how many
        rows. Raises Retryable when the workers do not come to the end of the old tables."""
        last = self._last()
        deadline = time.monotonic() + patience_s
        copied = 0
        while True:
            known = dict(self.committed())
            copied += sum(
                self._copy(p, ends.get(p, 0), min(known.get(p, 0), end)) for p, end in last.items()
            )
            if all(known.get(p, 0) >= end for p, end in last.items()) or not self.members():
                return copied
            if time.monotonic() > deadline:
                raise Retryable("the workers do not commit what they had written")
            time.sleep(_PAUSE_S)

    def _last(self) -> dict[int, int]:
        """Where the old tables end."""
        union = " UNION ALL ".join(
            f"SELECT kafka_partition, max(kafka_offset) + 1 AS ends FROM {self.beside}.{table} "  # noqa: S608
            "GROUP BY 1"
            for table in OUTCOMES
        )
        found = self.clickhouse.rows(
            f"SELECT kafka_partition, max(ends) FROM ({union}) GROUP BY 1"  # noqa: S608
        )
        return {int(p): int(end) for p, end in found}

    def _copy(self, partition: int, first: int, end: int) -> int:
        if first >= end:
            return 0
        within = (
            f"kafka_partition = {partition} AND kafka_offset >= {first} AND kafka_offset < {end}"
        )
        there = " UNION ALL ".join(
            f"SELECT kafka_offset FROM {self.serving}.{table} WHERE {within}"  # noqa: S608
            for table in OUTCOMES
        )
        absent = f"{within} AND kafka_offset NOT IN ({there})"
        copied = 0
        for table in OUTCOMES:
            [(rows,)] = self.clickhouse.rows(
                f"SELECT count() FROM {self.beside}.{table} WHERE {absent}"  # noqa: S608
            )
            if rows:
                self.clickhouse.command(
                    f"INSERT INTO {self.serving}.{table} "  # noqa: S608
                    f"SELECT * FROM {self.beside}.{table} WHERE {absent}",
                    anew(),
                )
            copied += int(rows)
        return copied
