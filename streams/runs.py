"""Stored runs: a case's answers, one after the other, in `trace_runs` and `trace_contacts`.

Contacts are written first and the run last, so nobody ever sees half of one.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import pyarrow as pa

from schemas.cases import Case
from schemas.ids import person_bits
from streams.clickhouse import ClickHouse
from tracer.documents import Document, to_json
from tracer.left_out import may_leave_out
from tracer.versions import Change, Version

_SETTINGS: Final = {"async_insert": 0, "max_execution_time": 30}


@dataclass(frozen=True)
class Run:
    """A stored run. `number` rises by one within a case; `cause`: see `of_case`, `of_scan`."""

    case: Case
    number: int
    cause: str
    summary: Document
    contacts: list[Document]
    changes: list[Change]  # from the run before


@dataclass(frozen=True)
class Stored:
    """A run as it is read back."""

    number: int
    cause: str
    version: Version


def of_case(version: int) -> str:
    """The cause of a run: this version of the case."""
    return f"case/{version}"


def of_scan(offset: int) -> str:
    """The cause of a run: scans, and the last request on `traces.v1` that told of one."""
    return f"scan/{offset}"


def scan_offset(cause: str) -> int | None:
    """The offset in a cause that is scans; else None."""
    kind, _, number = cause.partition("/")
    return int(number) if kind == "scan" else None


class Runs:
    """Blocking; raises Retryable."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    def last(self, case_id: str, below: int = 2**32 - 1) -> Stored | None:
        """The newest run numbered less than `below`."""
        return self._one(case_id, "run < {below:UInt32}", below=below)

    def of_each_version(self, case_id: str) -> Iterator[Version]:
        """The last run of each version of the case, the newest first, one at a time; without those
        of which what officers entered later has left nothing out."""
        runs = self._clickhouse.rows(
            "SELECT run, summary FROM (SELECT run, summary, case_version FROM trace_runs "
            "WHERE case_id = {case:String} ORDER BY run DESC, stored_at, attempt LIMIT 1 BY run) "
            "ORDER BY run DESC LIMIT 1 BY case_version",
            {"case": case_id},
        )
        newer: Document | None = None
        for number, summary in runs:
            older = orjson.loads(summary)
            if newer is not None and not may_leave_out(newer, older):
                continue
            stored = self.last(case_id, below=number + 1)
            if stored is not None:  # erased meanwhile
                yield stored.version
            newer = older

    def by_cause(self, case_id: str, cause: str) -> Stored | None:
        """The run that this made."""
        return self._one(case_id, "cause = {cause:String}", cause=cause)

    def store(self, run: Run, now: datetime) -> bool:
        """Store it; whether it is the one that counts under its number."""
        attempt = uuid.uuid4()
        if run.contacts:
            self._clickhouse.insert("trace_contacts", _contact_rows(run, attempt), dict(_SETTINGS))
        self._clickhouse.insert("trace_runs", _run_row(run, attempt, now), dict(_SETTINGS))
        [(counts,)] = self._clickhouse.rows(
            "SELECT argMin(attempt, (stored_at, attempt)) FROM trace_runs "
            "WHERE case_id = {case:String} AND run = {run:UInt32}",
            {"case": run.case.id, "run": run.number},
        )
        return str(counts) == str(attempt)

    def _one(self, case_id: str, condition: str, **parameters: Any) -> Stored | None:
        runs = self._clickhouse.rows(
            "SELECT run, attempt, cause, summary FROM trace_runs "  # noqa: S608 (of this file)
            f"WHERE case_id = {{case:String}} AND {condition} "
            "ORDER BY run DESC, stored_at, attempt LIMIT 1",
            {"case": case_id, **parameters},
        )
        if not runs:
            return None
        number, attempt, cause, summary = runs[0]
        contacts = self._clickhouse.rows(
            "SELECT document FROM trace_contacts WHERE case_id = {case:String} "
            "AND run = {run:UInt32} AND attempt = {attempt:UUID} ORDER BY rank",
            {"case": case_id, "run": number, "attempt": str(attempt)},
        )
        version = Version(orjson.loads(summary), [orjson.loads(text) for (text,) in contacts])
        return Stored(number, cause, version)


def _run_row(run: Run, attempt: uuid.UUID, now: datetime) -> pa.Table:
    summary = run.summary
    row: dict[str, Any] = {
        "case_id": run.case.id,
        "run": pa.scalar(run.number, pa.uint32()),
        "case_version": pa.scalar(run.case.version, pa.uint32()),
        "attempt": pa.scalar(attempt.bytes, pa.binary(16)),
        "status": run.case.status.value,
        "rule_set": summary["rule_set"],
        "parameters": to_json(summary["parameters"]).decode(),
        "window_from": _moment(datetime.fromisoformat(summary["window"]["from"])),
        "window_to": _moment(datetime.fromisoformat(summary["window"]["to"])),
        "offsets_seen": pa.scalar(
            [(int(p), o) for p, o in summary["offsets"].items()],
            pa.map_(pa.uint16(), pa.uint64()),
        ),
        "contacts": pa.scalar(len(run.contacts), pa.uint32()),
        "summary": to_json(summary).decode(),
        "traced_at": _moment(now),
        "cause": run.cause,
        "stored_at": _moment(datetime.now(UTC)),
    }
    columns = {
        name: pa.array([value.as_py()], value.type)
        if isinstance(value, pa.Scalar)
        else pa.array([value])
        for name, value in row.items()
    }
    return pa.table(columns)


def _contact_rows(run: Run, attempt: uuid.UUID) -> pa.Table:
    n = len(run.contacts)
    return pa.table(
        {
            "case_id": pa.array([run.case.id] * n),
            "run": pa.array([run.number] * n, pa.uint32()),
            "attempt": pa.array([attempt.bytes] * n, pa.binary(16)),
            "rank": pa.array([c["rank"] for c in run.contacts], pa.uint32()),
            "person": pa.array([person_bits(c["person"]) for c in run.contacts], pa.uint64()),
            "tier": pa.array([c["tier"] for c in run.contacts]),
            "minutes": pa.array([float(c["minutes"]) for c in run.contacts], pa.float64()),
            "document": pa.array([to_json(c).decode() for c in run.contacts]),
        }
    )


def _moment(moment: datetime) -> pa.Scalar:
    return pa.scalar(moment, pa.timestamp("ms", "UTC"))
