"""The rows of a person in ClickHouse: found, deleted, and each left as an offset in `erased`.

Statements that stay in the engine's lists (mutations) name offsets, never the person. What is about
to be deleted is noted by the caller first, so that a stop in between leaves nothing unaccounted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from schemas.erasures import NOBODY
from schemas.ids import person_bits
from streams.clickhouse import ClickHouse

_APPENDED: Final = "appended_at < {before:DateTime64(3, 'UTC')}"
# table → which rows are the person's
_OF: Final = {
    "scans": "person = {person:UInt64} "
    "AND least(scanned_at, appended_at) < {before:DateTime64(3, 'UTC')}",
    "duplicates": f"person = {{person:UInt64}} AND {_APPENDED}",
    # what could not be read may still hold the id
    "rejects": "(person = {person:UInt64} OR positionCaseInsensitive(original, {text:String}) > 0 "
    f"OR positionCaseInsensitive(original_key, {{text:String}}) > 0) AND {_APPENDED}",
}
_DAY: Final = {"scans": "scanned_at", "duplicates": "appended_at", "rejects": "appended_at"}
_OUTCOME: Final = {"scans": "written", "duplicates": "duplicate", "rejects": "rejected"}
_AT_ONCE: Final = 5_000
_QUIET: Final[dict[str, Any]] = {"log_queries": 0, "max_execution_time": 300}
_CHANGE: Final[dict[str, Any]] = {**_QUIET, "mutations_sync": 2, "max_execution_time": 3_600}
Pending = dict[str, Any]


@dataclass(frozen=True)
class OfPerson:
    """Deletes what one person has. Blocking; raises Retryable."""

    clickhouse: ClickHouse
    person: str
    before: datetime

    def records(self) -> Pending:
        """Offsets by table, and the daily totals they are part of, as they are to be after."""
        offsets: dict[str, list[list[int]]] = {}
        groups: Counter[tuple[str, int, str, str]] = Counter()
        for table, condition in _OF.items():
            reason = "toString(reason)" if table == "rejects" else "''"
            found = self.clickhouse.query_rows(
                f"SELECT kafka_partition, kafka_offset, toString(toDate({_DAY[table]}, 'UTC')), "  # noqa: S608
                f"{reason} FROM {table} WHERE {condition}",
                self._parameters(),
                _QUIET,
            )
            offsets[table] = [[int(p), int(o)] for p, o, _, _ in found]
            groups.update((day, int(p), _OUTCOME[table], why) for p, _, day, why in found)
        return {"offsets": offsets, "totals": self._totals(groups)}

    def delete(self, pending: Mapping[str, Any]) -> Counter[str]:
        """Delete these offsets and account for them; rows by table. Safe again."""
        removed: Counter[str] = Counter()
        for table, offsets in pending["offsets"].items():
            for some in _chunks(offsets):
                listed = ", ".join(f"({p}, {o})" for p, o in some)
                self.clickhouse.command(
                    f"{self.clickhouse.shape.alter(table)} "
                    "DELETE WHERE (kafka_partition, kafka_offset) "
                    f"IN ({listed})",
                    _CHANGE,
                )
            removed[table] += len(offsets)
        gone = [place for offsets in pending["offsets"].values() for place in offsets]
        for some in _chunks(gone):
            listed = ", ".join(f"({p}, {o})" for p, o in some)
            self.clickhouse.command(
                "INSERT INTO erased (noted_at, kafka_partition, kafka_offset) "  # noqa: S608
                "SELECT now64(3, 'UTC'), toUInt16(place.1), toUInt64(place.2) "
                f"FROM (SELECT arrayJoin([{listed}]) AS place) WHERE (toUInt16(place.1), "
                "toUInt64(place.2)) NOT IN (SELECT kafka_partition, kafka_offset FROM erased)",
                _QUIET,
            )
        if pending["totals"]:
            rows = ", ".join(
                f"('{day}', {p}, '{outcome}', '{reason}', {records}, now64(3, 'UTC'))"
                for day, p, outcome, reason, records in pending["totals"]
            )
            self.clickhouse.command(
                "INSERT INTO daily_totals (day, kafka_partition, outcome, reason, records, "  # noqa: S608
                f"computed_at) VALUES {rows}",
                _QUIET,
            )
        return +removed

    def cases(self) -> set[str]:
        """Cases whose stored runs have the person, as a contact, as the case or named."""
        found = self.clickhouse.query_rows(
            "SELECT case_id FROM trace_contacts WHERE person = {person:UInt64} "
            "UNION DISTINCT SELECT case_id FROM trace_runs "
            "WHERE position(summary, {text:String}) > 0",
            self._parameters(),
            _QUIET,
        )
        return {str(case) for (case,) in found}

    def runs(self, kept: Set[str]) -> Counter[str]:
        """Take the person out of the stored runs of all other cases; rows by table.

        Their own runs as a case go whole; in another's they are nobody.
        """
        removed: Counter[str] = Counter()
        contacts = self.clickhouse.query_rows(
            "SELECT case_id, toString(attempt), rank FROM trace_contacts "
            "WHERE person = {person:UInt64}",
            self._parameters(),
            _QUIET,
        )
        ranks = [(attempt, rank) for case, attempt, rank in contacts if case not in kept]
        for some in _chunks(ranks):
            listed = ", ".join(f"('{attempt}', {rank})" for attempt, rank in some)
            self.clickhouse.command(
                f"ALTER TABLE trace_contacts DELETE WHERE (attempt, rank) IN ({listed})", _CHANGE
            )
        removed["trace_contacts"] += len(ranks)
        runs = self.clickhouse.query_rows(
            "SELECT case_id, toString(attempt), summary, "
            "JSONExtractString(summary, 'person') = {text:String} FROM trace_runs "
            "WHERE position(summary, {text:String}) > 0",
            self._parameters(),
            _QUIET,
        )
        for case, attempt, summary, own in runs:
            if case not in kept:
                removed["trace_runs"] += 1
                self._run(attempt, summary, bool(own))
        return +removed

    def _run(self, attempt: str, summary: str, own: bool) -> None:
        if own:
            for table in ("trace_contacts", "trace_runs"):
                self.clickhouse.command(
                    f"ALTER TABLE {table} DELETE WHERE attempt = '{attempt}'", _CHANGE
                )
            return
        text = summary.replace(self.person, NOBODY).encode().hex()
        self.clickhouse.command(
            f"ALTER TABLE trace_runs UPDATE summary = unhex('{text}') WHERE attempt = '{attempt}'",
            _CHANGE,
        )

    def _totals(self, groups: Counter[tuple[str, int, str, str]]) -> list[list[Any]]:
        """Days that were totalled already: what was erased is no longer part of the total."""
        if not groups:
            return []
        days = ", ".join(sorted({f"'{day}'" for day, _, _, _ in groups}))
        found = self.clickhouse.query_rows(
            "SELECT toString(day), kafka_partition, toString(outcome), toString(reason), records "  # noqa: S608
            f"FROM daily_totals FINAL WHERE toString(day) IN ({days})",
            {},
            _QUIET,
        )
        totals = {(day, int(p), outcome, why): int(n) for day, p, outcome, why, n in found}
        return [
            [*group, max(0, totals[group] - count)]
            for group, count in groups.items()
            if group in totals
        ]

    def _parameters(self) -> dict[str, Any]:
        return {
            "person": person_bits(self.person),
            "text": self.person,
            "before": self.before.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        }


def persons_of_event(clickhouse: ClickHouse, event_id: str) -> list[int]:
    """Whose event it is, as 64 bits: of a scan, a duplicate or a reject."""
    found = clickhouse.query_rows(
        " UNION DISTINCT ".join(
            f"SELECT person FROM {table} WHERE event_id = {{event:UUID}} AND isNotNull(person)"  # noqa: S608
            for table in ("scans", "duplicates", "rejects")
        ),
        {"event": event_id},
        _QUIET,
    )
    return sorted(int(person) for (person,) in found)


def _chunks(some: Sequence[Any]) -> list[Sequence[Any]]:
    return [some[begin : begin + _AT_ONCE] for begin in range(0, len(some), _AT_ONCE)]
