"""`truyvet rebuild`, step by step: what is done is noted, so that it can be stopped and goes on.

1. Tables beside, in a database of their own.
2. Rows that Kafka no longer has are carried over.
3. `scans.v1` is read again up to what the workers have committed, and again until little is left.
4. Old and new are compared, offset by offset. Where there are scans that no running worker has
   heard of, the rest waits until the workers are stopped.
5. The tables are exchanged, the last seconds copied, the old ones dropped.
"""

import asyncio
import csv
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka.errors import KafkaError

from console.accounting.log import asked, committed_offsets, members_of
from console.backup import topics
from console.backup.folder import write_whole
from console.backup.pieces import OUTCOME_TABLES, Piece, anew, plan
from console.rebuild.differences import Differences, compare, why
from console.rebuild.swap import Swap
from console.rebuild.unheard import stale, unheard
from console.store.engine import utc_now
from schemas.errors import Retryable, UserError
from schemas.settings import Settings
from schemas.topics import SCANS
from streams.clickhouse import ClickHouse
from streams.migrate import migrate_tables
from streams.reread import Reread

STATE: Final = "rebuild.json"
DIFFERENCES: Final = "rebuild-differences.csv"
_LITTLE: Final = 20_000  # records that are left to copy at the exchange
_ROUNDS: Final = 20
_NOTE_EVERY_S: Final = 2.0
_PATIENCE_S: Final = 120.0
Told = Callable[[str, int, int], None]


@dataclass
class Rebuilt:
    """What was done, and how fast the log was read."""

    read: int = 0
    seconds: float = 0.0
    carried: int = 0
    copied: int = 0
    compared: int = 0
    swapped: bool = False
    stop_workers: bool = False
    """Not exchanged: running workers would write again what they have not heard of."""
    start_workers_again: bool = False
    """Exchanged, and workers run that know ids otherwise than the tables."""
    differences: list[dict[str, Any]] = field(default_factory=list)
    unexplained: int = 0


class Rebuild:
    """One rebuild, from its begin or from where it was stopped. Hold the lock `erasures`: an
    erasure would be of the old tables only."""

    def __init__(self, settings: Settings, told: Told, *, accept: bool = False) -> None:
        if settings.clickhouse_cluster:
            raise UserError(
                "Chưa dựng lại được bảng của một cụm ClickHouse. / The tables of a cluster "
                "(TRUYVET_CLICKHOUSE_CLUSTER) cannot be rebuilt beside the serving ones yet."
            )
        self._settings, self._told, self._accept = settings, told, accept
        self._serving = settings.clickhouse_database
        self._beside = f"{self._serving}_rebuild"
        self._file = settings.data_dir / STATE
        self._state: dict[str, Any] = _read(self._file)
        self._there = settings.model_copy(update={"clickhouse_database": self._beside})
        self._clickhouse = ClickHouse(settings, timeout_s=3_600)
        self._swap = Swap(
            self._clickhouse, self._serving, self._beside, self._committed,
            lambda: asked(settings, lambda: members_of(settings)),
        )  # fmt: skip
        self.rebuilt = Rebuilt()

    def run(self) -> Rebuilt:
        """All of it. Raises UserError where something does not answer or does not compare."""
        try:
            if "rebuilt" not in self._state:
                self._prepare()
                self._carry_over()
                asyncio.run(self._read())
                found = self._compared()
                if found.unexplained and not self._accept:
                    return self.rebuilt
                new = self._unheard(found)
                if new and not self._alone():
                    self.rebuilt.stop_workers = True
                    return self.rebuilt
                self._note(rebuilt=self._swap.rebuilt(), stale=new or stale(found.rows))
            self._swap.exchange(self._state["rebuilt"])
            self._told("tail", 0, 0)
            self.rebuilt.copied = self._swap.copy_tail(self._ends("ends"), _PATIENCE_S)
            self.rebuilt.swapped = True
            # some may have been started since they were asked for
            self.rebuilt.start_workers_again = (
                self._state.get("stale", True) and self._swap.members()
            )
            self._clickhouse.command(f"DROP DATABASE {self._beside} SYNC")
            self._file.unlink()
        except (KafkaError, OSError, Retryable) as error:
            raise UserError(
                "Dựng lại dừng giữa chừng, bảng đang dùng không đổi gì: chạy lại lệnh này để làm "
                f"tiếp. / The rebuild stopped ({error!r}); nothing is lost: the same command goes "
                "on where it was."
            ) from error
        finally:
            self._clickhouse.close()
        return self.rebuilt

    def _prepare(self) -> None:
        self._clickhouse.command(f"CREATE DATABASE IF NOT EXISTS {self._beside}")
        list(migrate_tables(self._there))
        if "begins" in self._state:
            return
        there = asked(self._settings, lambda: topics.bounds(self._settings, SCANS.name))
        self._note(
            begins={str(p): begin for p, (begin, _) in there.items()},
            done={str(p): begin for p, (begin, _) in there.items()},
            begun_at=utc_now().isoformat(),
            carried=[],
        )

    def _carry_over(self) -> None:
        """Rows of offsets before the log's begin: a week's piece at a time."""
        begins = self._ends("begins")
        if "pieces" not in self._state:
            found = [
                [p.table, p.partition, p.where, p.rows]
                for table in OUTCOME_TABLES
                for p in plan(self._clickhouse, table, begins, utc_now())
            ]
            self._note(pieces=found)
        total = sum(rows for *_, rows in self._state["pieces"])
        for number, row in enumerate(self._state["pieces"]):
            self._told("carrying", self.rebuilt.carried, total)
            if number not in self._state["carried"]:
                self._carry(Piece(*row))
                self._note(carried=[*self._state["carried"], number])
            self.rebuilt.carried += row[3]

    def _carry(self, piece: Piece) -> None:
        there = f"{self._beside}.{piece.table}"
        self._clickhouse.command(
            f"ALTER TABLE {there} DELETE IN PARTITION ID '{piece.partition}' WHERE {piece.where}",
            {"mutations_sync": 2},
        )
        self._clickhouse.command(
            f"INSERT INTO {there} SELECT * FROM {self._serving}.{piece.table} "  # noqa: S608
            f"WHERE {piece.condition}",
            anew(),
        )

    async def _read(self) -> None:
        done = self._ends("done")
        reread = Reread(self._there, done)
        began, at_begin = time.monotonic(), sum(done.values())
        noted = began
        try:
            await reread.open()
            for _ in range(_ROUNDS):
                ends = dict(await committed_offsets(self._settings, SCANS.name))
                total = sum(ends.values()) - at_begin

                def progress(total: int = total) -> None:
                    nonlocal noted
                    self._told("reading", sum(reread.done.values()) - at_begin, total)
                    if time.monotonic() - noted > _NOTE_EVERY_S:
                        noted = time.monotonic()
                        self._note_done(reread.done)

                await reread.read(ends, progress)
                self._note_done(reread.done)
                now = await committed_offsets(self._settings, SCANS.name)
                if sum(now.values()) - sum(ends.values()) <= _LITTLE:
                    break
        finally:
            self._note_done(reread.done)
            await reread.close()
        self.rebuilt.seconds = time.monotonic() - began
        self.rebuilt.read = sum(reread.done.values()) - at_begin
        self._note(ends={str(p): end for p, end in reread.done.items()})

    def _compared(self) -> Differences:
        self._told("comparing", 0, 0)
        found = compare(self._clickhouse, self._serving, self._beside, self._ends("ends"))
        rebuilt = self.rebuilt
        rebuilt.compared, rebuilt.unexplained = found.compared, found.unexplained
        rebuilt.differences = _document(found)
        _write(self._settings.data_dir / DIFFERENCES, found)
        return found

    def _unheard(self, found: Differences) -> bool:
        return unheard(
            self._clickhouse, self._serving, self._beside, self._ends("ends"), found.rows
        )

    def _alone(self) -> bool:
        """Whether no worker runs, and none has committed anything that was not read."""
        if self._swap.members():
            return False
        ends = self._ends("ends")
        return all(end <= ends.get(p, 0) for p, end in self._committed().items())

    def _committed(self) -> dict[int, int]:
        return asked(self._settings, lambda: committed_offsets(self._settings, SCANS.name))

    def _ends(self, name: str) -> dict[int, int]:
        return {int(p): end for p, end in self._state[name].items()}

    def _note_done(self, done: dict[int, int]) -> None:
        self._note(done={str(p): end for p, end in done.items()})

    def _note(self, **facts: Any) -> None:
        self._state |= facts
        write_whole(self._file, orjson.dumps(self._state))


def _document(found: Differences) -> list[dict[str, Any]]:
    return [
        {"was": was, "is": now, "records": count, "why": (why(was, now) or ("", ""))[1]}
        for (was, now), count in found.counted.most_common()
    ]


def _write(file: Path, found: Differences) -> None:
    partial = file.with_name(file.name + ".partial")
    with partial.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(["partition", "offset", "was", "is"])
        writer.writerows(found.rows)
    partial.rename(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    return found
