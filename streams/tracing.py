"""A case's run: trace, store, alert. Register → trace → store → alert → release → notify; the
last two are people's.

Contacts are written first and the run last, so nobody ever sees half of one. A run that is
already stored is not made again: its alerts go out as they were, under the same ids.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import polars as pl
import pyarrow as pa

from schemas.cases import Case
from schemas.ids import person_bits
from streams.clickhouse import ClickHouse
from streams.directory import Directory
from streams.watch import PlaceWindow, Watched
from tracer.documents import Document, contact_documents, run_document, to_json
from tracer.fetch import case_stays_of, trace_from
from tracer.parameters import Parameters
from tracer.places import places_frame, trips_frame
from tracer.ruleset import RuleSet, rule_set_of
from tracer.stated import bits_of
from tracer.versions import Change, Version, changes, withdrawals


@dataclass(frozen=True)
class Run:
    """A stored run: its number is the version of the case it answers."""

    case: Case
    summary: Document
    contacts: list[Document]
    changes: list[Change]  # from the run before


class Tracing:
    """Traces cases on what the workers have written. Blocking; raises Retryable and ValueError."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        directory: Directory,
        rule_sets: tuple[RuleSet, ...],
        parameters: Parameters,
        retention_days: int,
    ) -> None:
        self._clickhouse = clickhouse
        self._directory = directory
        self._rule_sets = rule_sets
        self._parameters = parameters
        self._retention_days = retention_days
        self._frames: tuple[int, pl.DataFrame, pl.DataFrame] | None = None

    def run(self, case: Case, now: datetime) -> Run:
        """The run of this version of the case: the stored one, or a new one, stored.

        `now` is the broker's time of the case, so that a re-read asks the same question.
        """
        stored = self._stored(case)
        if stored is not None:
            return stored
        places, trips = self._places()
        result = trace_from(
            self._clickhouse,
            case,
            places,
            trips,
            self._parameters,
            rule_set_of(self._rule_sets, case),
            now,
            self._retained_from(now),
        )
        version = Version(run_document(result), contact_documents(result))
        run = Run(case, version.summary, version.contacts, self._changes(case, version))
        self._store(run, now)
        return run

    def withdrawn(self, case: Case) -> list[Change]:
        """Everybody whom the last run of a voided case made a possible contact."""
        last = self._before(case)
        return [] if last is None else withdrawals(last)

    def _changes(self, case: Case, version: Version) -> list[Change]:
        return changes(self._before(case), version)

    def windows(self, case: Case) -> Watched:
        """The place-windows of a case as its scans stand now."""
        now = datetime.now(UTC)
        places, trips = self._places()
        stays = case_stays_of(
            self._clickhouse,
            case,
            places,
            trips,
            self._parameters,
            rule_set_of(self._rule_sets, case),
            now,
            self._retained_from(now),
        )
        columns = stays.select(
            "place", pl.col("from").dt.timestamp("ms"), pl.col("to").dt.timestamp("ms")
        )
        windows = tuple(PlaceWindow(*row) for row in columns.iter_rows())
        return Watched(case.id, case.version, bits_of(case), windows)

    def _retained_from(self, now: datetime) -> datetime | None:
        return now - timedelta(days=self._retention_days) if self._retention_days else None

    def _places(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        changes = self._directory.changes
        if self._frames is None or self._frames[0] != changes:
            places = self._directory.places()
            self._frames = (changes, places_frame(places), trips_frame(places))
        return self._frames[1], self._frames[2]

    def _stored(self, case: Case) -> Run | None:
        version = self._version(case.id, case.version)
        if version is None:
            return None
        return Run(case, version.summary, version.contacts, self._changes(case, version))

    def _before(self, case: Case) -> Version | None:
        """The newest run of an earlier version of the case."""
        ((run,),) = self._clickhouse.rows(
            "SELECT max(run) FROM trace_runs WHERE case_id = {case:String} AND run < {run:UInt32}",
            {"case": case.id, "run": case.version},
        )
        return self._version(case.id, run) if run else None

    def _version(self, case_id: str, run: int) -> Version | None:
        runs = self._clickhouse.rows(
            "SELECT attempt, summary FROM trace_runs WHERE case_id = {case:String} "
            "AND run = {run:UInt32} ORDER BY traced_at LIMIT 1",
            {"case": case_id, "run": run},
        )
        if not runs:
            return None
        attempt, summary = runs[0]
        contacts = self._clickhouse.rows(
            "SELECT document FROM trace_contacts WHERE case_id = {case:String} "
            "AND run = {run:UInt32} AND attempt = {attempt:UUID} ORDER BY rank",
            {"case": case_id, "run": run, "attempt": str(attempt)},
        )
        return Version(orjson.loads(summary), [orjson.loads(text) for (text,) in contacts])

    def _store(self, run: Run, now: datetime) -> None:
        case, summary = run.case, run.summary
        attempt = uuid.uuid4()
        settings = {"async_insert": 0, "max_execution_time": 30}
        if run.contacts:
            self._clickhouse.insert("trace_contacts", _contact_rows(run, attempt), settings)
        row: dict[str, Any] = {
            "case_id": case.id,
            "run": pa.scalar(case.version, pa.uint32()),
            "case_version": pa.scalar(case.version, pa.uint32()),
            "attempt": pa.scalar(attempt.bytes, pa.binary(16)),
            "status": case.status.value,
            "rule_set": summary["rule_set"],
            "parameters": to_json(summary["parameters"]).decode(),
            "window_from": _moment(summary["window"]["from"]),
            "window_to": _moment(summary["window"]["to"]),
            "offsets_seen": pa.scalar(
                [(int(p), o) for p, o in summary["offsets"].items()],
                pa.map_(pa.uint16(), pa.uint64()),
            ),
            "contacts": pa.scalar(len(run.contacts), pa.uint32()),
            "summary": to_json(summary).decode(),
            "traced_at": pa.scalar(now, pa.timestamp("ms", "UTC")),
        }
        columns = {
            name: pa.array([value.as_py()], value.type)
            if isinstance(value, pa.Scalar)
            else pa.array([value])
            for name, value in row.items()
        }
        self._clickhouse.insert("trace_runs", pa.table(columns), settings)


def _contact_rows(run: Run, attempt: uuid.UUID) -> pa.Table:
    n = len(run.contacts)
    return pa.table(
        {
            "case_id": pa.array([run.case.id] * n),
            "run": pa.array([run.case.version] * n, pa.uint32()),
            "attempt": pa.array([attempt.bytes] * n, pa.binary(16)),
            "rank": pa.array([c["rank"] for c in run.contacts], pa.uint32()),
            "person": pa.array([person_bits(c["person"]) for c in run.contacts], pa.uint64()),
            "tier": pa.array([c["tier"] for c in run.contacts]),
            "minutes": pa.array([float(c["minutes"]) for c in run.contacts], pa.float64()),
            "document": pa.array([to_json(c).decode() for c in run.contacts]),
        }
    )


def _moment(text: str) -> pa.Scalar:
    return pa.scalar(datetime.fromisoformat(text), pa.timestamp("ms", "UTC"))
