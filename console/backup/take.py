"""Making a backup while everything goes on.

What it is consistent to: each partition of `scans.v1` has a cut, the offset that the workers had
committed. Every record before it is in the backup as the one row it became, and none after it. The
order of the rest makes what points to something come before it: topics and runs, then the
relational database in one state, then the cut.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import orjson
from aiokafka.errors import KafkaError

from console.accounting.log import asked, committed_offsets
from console.backup import relational, topics
from console.backup.folder import Folder, Manifest
from console.backup.keys import plain
from console.backup.pieces import (
    OUTCOME_TABLES,
    REST,
    RUNS,
    Kept,
    Piece,
    Sums,
    below,
    plan,
    rows_out,
)
from console.store.engine import Store, utc_now
from console.store.migrations.run import current
from schemas.errors import Retryable, UserError
from schemas.scan import format_timestamp
from schemas.settings import Settings
from schemas.topics import SCANS
from streams.clickhouse import ClickHouse
from streams.totals import rows_by_day

Told = Callable[[str, int, int], None]  # what is being done, how far it is, of how much
TABLE: Final = "table/"
TOPIC: Final = "topic/"
DAYS: Final = "days"
_TRIES: Final = 6
_SETTLED: Final = timedelta(minutes=1)  # so long after its time a run's rows can surely be read


class _Changed(Exception):
    """Rows were taken away while they were copied."""


class Backup:
    """One backup, from its begin or from where it was stopped."""

    def __init__(self, settings: Settings, store: Store, folder: Folder, told: Told) -> None:
        self._settings, self._store, self._folder, self._told = settings, store, folder, told
        self._clickhouse = ClickHouse(settings, timeout_s=600)
        self._sums = Sums(self._clickhouse)

    def take(self) -> Manifest:
        """All of it. Raises UserError if something does not answer: the same command goes on."""
        begun = self._folder.begun(self._begin)
        try:
            self._topics()
            self._tables("runs", RUNS, {})
            ends = self._offsets("traces.json", lambda: topics.traces_end(self._settings))
            self._folder.kept("relational.json", self._relational)
            cut = self._offsets("cut.json", self._cut)
            self._days(cut)
            self._tables("outcomes", OUTCOME_TABLES, cut)
            self._tables("rest", REST, {})
        except (KafkaError, OSError, Retryable) as error:
            raise UserError(
                "Sao lưu dừng giữa chừng: chạy lại đúng lệnh này để làm tiếp. / The backup "
                f"stopped ({error!r}): the same command goes on where it was."
            ) from error
        finally:
            self._clickhouse.close()
        facts = begun["facts"] | {"cut": _text(cut), "traces_end": _text(ends)}
        parts = sorted(self._folder.parts(), key=lambda part: part.name)
        manifest = Manifest(begun["id"], begun["begun_at"], facts, parts)
        self._folder.finish(manifest)
        return manifest

    def _begin(self) -> dict[str, Any]:
        with self._store.read() as connection:
            revision = current(connection)
        tables = self._clickhouse.rows("SELECT max(number) FROM schema_migrations")
        return {
            "id": str(uuid.uuid4()),
            "begun_at": format_timestamp(utc_now()),
            "facts": {
                "relational_revision": revision,
                "table_migration": int(tables[0][0]),
                "settings": plain(self._settings),
            },
        }

    def _topics(self) -> None:
        for done, topic in enumerate(topics.KEPT):
            self._told("topics", done, len(topics.KEPT))
            name = f"topics/{topic}.jsonl.gz"
            if self._folder.part(name) is None:
                pieces = asked(self._settings, lambda t=topic: topics.records_of(self._settings, t))  # type: ignore[misc]
                rows = sum(piece.count(b"\n") for piece in pieces)
                self._folder.put(name, TOPIC + topic, pieces, lambda n=rows: n)  # type: ignore[misc]

    def _relational(self) -> dict[str, Any]:
        self._told("relational", 0, 1)
        relational.dump(self._folder, self._store)
        return {}

    async def _cut(self) -> dict[int, int]:
        return await committed_offsets(self._settings, SCANS.name)

    def _offsets(self, name: str, read: Callable[[], Any]) -> dict[int, int]:
        found = self._folder.kept(
            name, lambda: {str(p): end for p, end in asked(self._settings, read).items()}
        )
        return {int(partition): end for partition, end in found.items()}

    def _days(self, cut: dict[int, int]) -> None:
        """Records by day and outcome: retention may have come by before the backup is restored."""
        name = "days.jsonl.gz"
        if self._folder.part(name) is None:
            found = self._clickhouse.rows(
                "SELECT toString(day), kafka_partition, outcome, reason, records "
                "FROM (" + rows_by_day(below(cut)) + ")"
            )
            text = b"".join(orjson.dumps(row) + b"\n" for row in found)
            self._folder.put(name, DAYS, [text], lambda: len(found))

    def _tables(self, step: str, kept: tuple[Kept, ...], cut: dict[int, int]) -> None:
        planned = self._folder.kept(f"{step}.json", lambda: self._planned(kept, cut))
        pieces = [Piece(*piece) for piece in planned["pieces"]]
        done, total = 0, sum(piece.rows for piece in pieces)
        for number, piece in enumerate(pieces):
            self._told(step, done, total)
            name = f"tables/{piece.table}-{number:05d}.native.gz"
            if self._folder.part(name) is None:
                self._patiently(name, piece)
            done += piece.rows

    def _planned(self, kept: tuple[Kept, ...], cut: dict[int, int]) -> dict[str, Any]:
        until = utc_now() - _SETTLED
        found: Iterator[Piece] = (
            piece for table in kept for piece in plan(self._clickhouse, table, cut, until)
        )
        return {"pieces": [[p.table, p.partition, p.where, p.rows] for p in found]}

    def _patiently(self, name: str, piece: Piece) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                return self._put(name, piece)
            except (_Changed, Retryable) as error:
                if attempt == _TRIES:
                    raise Retryable(f"{piece.table}: {error}") from error
                time.sleep(attempt / 2)
        return None

    def _put(self, name: str, piece: Piece) -> None:
        """The rows before the cut never change, they can only be taken away: the same sum before
        and after says that the copy has what the sum says."""
        rows, check = self._sums.of(piece)

        def unchanged() -> int:
            if self._sums.of(piece) != (rows, check):
                raise _Changed("rows were taken away meanwhile")
            return rows

        self._folder.put(
            name, TABLE + piece.table, rows_out(self._clickhouse, piece), unchanged,
            partition=piece.partition, where=piece.where, check=check,
        )  # fmt: skip


def _text(offsets: dict[int, int]) -> dict[str, int]:
    return {str(partition): offset for partition, offset in offsets.items()}
