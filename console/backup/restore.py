"""Putting a backup back: everything in its place, then counted.

Nothing may be there yet, but for what an earlier try of the same backup put there; no worker and no
console may run. First Kafka's logs are brought to where they were, so that whatever starts too
early cannot do harm; then the relational database, in one transaction; then the tables, piece by
piece; then the compacted topics. What was put back is noted, so a restore that was stopped goes on.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import update

from console.accounting.log import asked
from console.backup import relational, topics
from console.backup.compared import Restored, compare_relational, compare_tables, piece_of
from console.backup.folder import Manifest, Part, check_part, lines, unpacked
from console.backup.pieces import TABLES, Sums, remove, rows_in
from console.backup.take import DAYS, TABLE, TOPIC, Told
from console.store import tables
from console.store.engine import open_store
from console.store.migrations.run import knows, upgrade
from schemas.errors import Retryable, UserError
from schemas.settings import Settings
from schemas.topics import SCANS, TRACES
from streams.clickhouse import ClickHouse
from streams.migrate import migrate

_MARGIN: Final = timedelta(minutes=1)
_TRIES: Final = 5
_FOUND_BY_ITSELF: Final = frozenset({"api_keys", "counters"})  # of a console's first start


class Only(StrEnum):
    """What of a backup is put back, where the rest still lives."""

    TABLES = "tables"
    RELATIONAL = "relational"


class Restore:
    """One restore, from its begin or from where it was stopped."""

    def __init__(
        self,
        settings: Settings,
        path: Path,
        manifest: Manifest,
        told: Told,
        only: Only | None = None,
    ) -> None:
        self._settings, self._path, self._manifest, self._told = settings, path, manifest, told
        self._with_tables = only in (None, Only.TABLES)
        self._with_relational = only in (None, Only.RELATIONAL)
        self._journal = settings.data_dir / f"restore-{manifest.id}.done"
        self._done = set(_lines(self._journal))
        self._clickhouse = ClickHouse(settings, timeout_s=900)
        self._sums = Sums(self._clickhouse)
        self._restored = Restored()

    def restore(self) -> Restored:
        """All of it. Raises UserError where it cannot be, or something does not answer."""
        self._check_files()
        revision = self._manifest.facts["relational_revision"]
        if not knows(revision):
            raise UserError(
                "Bản sao lưu do phiên bản truyvet mới hơn tạo ra: hãy cài phiên bản đó. / The "
                f"backup was made by a newer truyvet (schema {revision}): install that version."
            )
        try:
            migrate(self._settings)
            self._check_empty()
            if self._with_tables:
                self._logs()
            if self._with_relational:
                self._once("relational", self._relational)
            if self._with_tables:
                self._tables()
                self._once("days", self._days)
            if self._with_relational:
                self._topics()
            self._compare()
        except (KafkaError, OSError, Retryable) as error:
            raise UserError(
                "Phục hồi dừng giữa chừng: chạy lại đúng lệnh này để làm tiếp. / The restore "
                f"stopped ({error!r}): the same command goes on where it was."
            ) from error
        finally:
            self._clickhouse.close()
        if not self._restored.wrong:
            self._journal.unlink(missing_ok=True)
        return self._restored

    def _check_files(self) -> None:
        total = sum(part.bytes for part in self._manifest.parts)
        done = 0
        for part in self._manifest.parts:
            self._told("checksums", done, total)
            check_part(self._path, part)
            done += part.bytes

    def _check_empty(self) -> None:
        if "begun" in self._done:
            return
        there = {}
        for kept in TABLES if self._with_tables else ():
            [(count,)] = self._clickhouse.rows(f"SELECT count() FROM {kept.name}")  # noqa: S608
            if count:
                there[kept.name] = count
        if self._with_relational:
            found = relational.rows_in(self._settings)
            there |= {name: n for name, n in found.items() if name not in _FOUND_BY_ITSELF}
        if there:
            listed = ", ".join(f"{name}: {count}" for name, count in sorted(there.items()))
            raise UserError(
                f"Ở đây đã có dữ liệu ({listed}): chỉ phục hồi vào nơi còn trống. / There are data "
                f"here already ({listed}): restore only where nothing is, in a new data directory."
            )
        self._note("begun")

    def _logs(self) -> None:
        """Also while Kafka lives: the workers go on from the cut, whatever they read since."""
        settings, cut = self._settings, self._offsets("cut")
        for topic, ends in ((SCANS.name, cut), (TRACES.name, self._offsets("traces_end"))):
            total = sum(ends.values())
            self._restored.moved += asked(
                settings,
                lambda t=topic, e=ends, n=total: topics.bring_to(  # type: ignore[misc]
                    settings, t, e, lambda done: self._told("logs", done, n)
                ),
            )
        there = asked(settings, lambda: topics.bounds(settings, SCANS.name))
        for partition, (begin, _) in there.items():
            if begin > cut.get(partition, 0):
                self._restored.lost[partition] = (cut.get(partition, 0), begin)
        places = {TopicPartition(SCANS.name, p): end for p, end in cut.items()}
        asked(settings, lambda: topics.go_on_from(settings, places))
        asked(settings, lambda: topics.trace_all_cases_again(settings))

    def _relational(self) -> None:
        self._told("relational", 0, 1)
        upgrade(self._settings, self._manifest.facts["relational_revision"])
        begun = datetime.fromisoformat(self._manifest.begun_at)
        store = open_store(self._settings)
        try:
            with store.write() as connection:
                relational.load(connection, self._path, self._manifest)
                # what was published between the copy of the topics and that of the database
                connection.execute(
                    update(tables.outbox)
                    .where(tables.outbox.c.published_at >= begun - _MARGIN)
                    .values(published_at=None)
                )
        finally:
            store.close()
        upgrade(self._settings)

    def _tables(self) -> None:
        parts = [part for part in self._manifest.parts if part.of.startswith(TABLE)]
        done, total = 0, sum(part.rows for part in parts)
        for part in parts:
            self._told("tables", done, total)
            self._once(part.name, lambda part=part: self._piece(part))  # type: ignore[misc]
            done += part.rows

    def _piece(self, part: Part) -> None:
        """After a stop, or an attempt that failed, some of it may be there: that goes first."""
        piece = piece_of(part)
        for attempt in range(1, _TRIES + 1):
            try:
                if self._sums.of(piece)[0]:
                    remove(self._clickhouse, piece)
                return rows_in(self._clickhouse, piece, unpacked(self._path, part))
            except Retryable:
                if attempt == _TRIES:
                    raise
                time.sleep(attempt)
        return None

    def _days(self) -> None:
        """Daily totals of days whose rows are past their time, so that `counts` adds up."""
        days = self._settings.retention_days
        if days == 0:
            return
        last = datetime.now(UTC).date() - timedelta(days=days + 1)
        known = {
            tuple(row)
            for row in self._clickhouse.rows(
                "SELECT toString(day), kafka_partition, toString(outcome), toString(reason) "
                "FROM daily_totals FINAL"
            )
        }
        [part] = self._manifest.of(DAYS)
        rows = [
            f"('{day}', {partition}, '{outcome}', '{reason}', {records}, now64(3, 'UTC'))"
            for day, partition, outcome, reason, records in lines(self._path, part)
            if date.fromisoformat(day) <= last and (day, partition, outcome, reason) not in known
        ]
        if rows:
            self._clickhouse.command(
                "INSERT INTO daily_totals (day, kafka_partition, outcome, reason, records, "  # noqa: S608
                "computed_at) VALUES " + ", ".join(rows)
            )

    def _topics(self) -> None:
        settings = self._settings
        for topic in topics.KEPT:
            self._told("topics", 0, 0)
            parts = self._manifest.of(TOPIC + topic)
            there = asked(settings, lambda t=topic: topics.bounds(settings, t))  # type: ignore[misc]
            documents = (row for part in parts for row in lines(self._path, part))
            if not any(end for _, end in there.values()):
                asked(settings, lambda t=topic, d=documents: topics.publish(settings, t, d))  # type: ignore[misc]
            elif f"topic {topic}" not in self._done:
                found = asked(settings, lambda t=topic: topics.records_of(settings, t))  # type: ignore[misc]
                self._restored.newer += topics.newer(topic, documents, found)
            self._note(f"topic {topic}")

    def _compare(self) -> None:
        if self._with_tables:
            days = self._settings.retention_days
            compare_tables(self._restored, self._manifest, self._sums, days, self._told)
        if self._with_relational:
            compare_relational(self._restored, self._manifest, relational.rows_in(self._settings))

    def _offsets(self, fact: str) -> dict[int, int]:
        return {int(p): end for p, end in self._manifest.facts[fact].items()}

    def _once(self, what: str, work: Callable[[], Any]) -> None:
        if what not in self._done:
            work()
            self._note(what)

    def _note(self, what: str) -> None:
        self._done.add(what)
        with self._journal.open("ab") as journal:
            journal.write(orjson.dumps(what) + b"\n")


def _lines(journal: Path) -> list[str]:
    found: list[str] = []
    for line in journal.read_bytes().splitlines() if journal.exists() else []:
        try:
            found.append(orjson.loads(line))
        except ValueError:
            break  # cut off in the middle of its last line
    return found
