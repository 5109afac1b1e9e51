"""Reading a case's runs from ClickHouse. A run that is not in `trace_runs` is not there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from console.api.schemas import Run
from schemas.ids import person_bits, person_text
from streams.clickhouse import ClickHouse
from tracer.tiers import Tier

# Two attempts at one run: the earlier counts, as it does for the worker (`streams.runs`).
_NEWEST: Final = """
SELECT run, case_version, toString(attempt), rule_set, parameters,
       toUnixTimestamp64Milli(window_from), toUnixTimestamp64Milli(window_to),
       offsets_seen, toUnixTimestamp64Milli(traced_at), contacts, summary
FROM trace_runs WHERE case_id = {case:String}
ORDER BY run DESC, stored_at, attempt LIMIT 1
"""
_CONTACTS: Final = """
SELECT document FROM trace_contacts
WHERE case_id = {case:String} AND run = {run:UInt32} AND attempt = {attempt:UUID}
  AND rank > {offset:UInt32}
ORDER BY rank LIMIT {limit:UInt32}
"""
# Whom to call is in the documents: of a market's many thousands none is read for it.
_CALLED: Final = """
SELECT person, tier, JSONExtractBool(document, 'call') FROM trace_contacts
WHERE case_id = {case:String} AND run = {run:UInt32} AND attempt = {attempt:UUID}
  AND (tier != {not_called:String} OR person IN {also:Array(UInt64)})
ORDER BY rank
"""


class Called(NamedTuple):
    """A contact without their document. `call`: whether the run has them on the call list."""

    person: str
    tier: str
    call: bool


@dataclass(frozen=True)
class StoredRun:
    """A complete run, where its contacts are, and the case's stays that count."""

    case_id: str
    attempt: str
    total: int
    view: Run
    stays: list[dict[str, Any]] = field(default_factory=list)


def newest_run(clickhouse: ClickHouse, case_id: str) -> StoredRun | None:
    """The newest complete run of a case, or None. Raises Retryable."""
    rows = clickhouse.rows(_NEWEST, {"case": case_id})
    if not rows:
        return None
    run, version, attempt, rule_set, parameters, begins, ends, offsets, traced, total, text = rows[
        0
    ]
    summary: dict[str, Any] = orjson.loads(text or b"{}")
    view = Run(
        run=run,
        case_version=version,
        rule_set=rule_set,
        parameters=orjson.loads(parameters or b"{}"),
        window_from=_moment(begins),
        window_to=_moment(ends),
        offsets_seen=dict(offsets),
        traced_at=_moment(traced),
        contacts_by_tier=summary.get("contacts_by_tier", {}),
        notes=summary.get("notes", []),
    )
    return StoredRun(case_id, attempt, total, view, summary.get("stays", []))


def page_of_contacts(clickhouse: ClickHouse, run: StoredRun, limit: int, offset: int) -> list[Any]:
    """The run's documents as stored, by rank. Ranks are dense from 1: an offset is the rank before
    the first, and a page deep in a long list costs what the first one does."""
    rows = clickhouse.rows(_CONTACTS, _which(run) | {"limit": limit, "offset": offset})
    return [orjson.loads(document) for (document,) in rows]


def called(clickhouse: ClickHouse, run: StoredRun, also: Iterable[str]) -> list[Called]:
    """By rank, those of the tiers that are called, and of the others `also`."""
    tier, persons = Tier.SAME_TIME_ONLY.value, sorted(map(person_bits, also))
    more = {"not_called": tier, "also": persons}
    rows = clickhouse.rows(_CALLED, _which(run) | more)
    return [Called(person_text(bits), tier, bool(call)) for bits, tier, call in rows]


def _which(run: StoredRun) -> dict[str, Any]:
    return {"case": run.case_id, "run": run.view.run, "attempt": run.attempt}


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
