"""A case's stored runs, and what changed between two, read from ClickHouse in bounded pieces.

`tracer.versions` says what a change is. Here the engine is only asked of whom the two runs say
something else at all, so that of a hundred thousand contacts a page's are read and no more.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from schemas.ids import person_text
from streams.clickhouse import ClickHouse
from streams.runs import scan_offset
from tracer.documents import Document
from tracer.versions import Change, Version, changes

# `console.api.runs` says which of two attempts at one run counts. Summaries hold all that officers
# have entered: of these rows only what is shown is taken out of them.
_RUNS: Final = """
SELECT run, toString(attempt), case_version, cause, rule_set, toUnixTimestamp64Milli(stored_at),
       contacts, JSONExtractRaw(summary, 'contacts_by_tier'), JSONExtractRaw(summary, 'notes')
FROM trace_runs WHERE case_id = {case:String} AND (run, attempt) IN (
    SELECT run, attempt FROM trace_runs WHERE case_id = {case:String} AND run < {before:UInt32}
    ORDER BY run DESC, stored_at, attempt LIMIT 1 BY run LIMIT {limit:UInt32})
ORDER BY run DESC
"""
_SUMMARIES: Final = """
SELECT run, summary FROM trace_runs
WHERE case_id = {case:String}
  AND (run, attempt) IN (({run:UInt32}, {attempt:UUID}), ({was:UInt32}, {was_attempt:UUID}))
"""
_BOTH: Final = """case_id = {case:String}
  AND (run, attempt) IN (({run:UInt32}, {attempt:UUID}), ({was:UInt32}, {was_attempt:UUID}))"""
# Documents are in one written form; a rank alone is no change, and every contact after one who has
# come has another.
_OTHERWISE: Final = f"""
SELECT person, toUInt32(maxIf(rank, run = {{run:UInt32}})) AS place FROM (
    SELECT person, run, rank,
           cityHash64(replaceRegexpOne(document, '"rank":[0-9]+,', '')) AS said
    FROM trace_contacts WHERE {_BOTH})
GROUP BY person HAVING place > {{place:UInt32}} AND (count() = 1 OR min(said) != max(said))
ORDER BY place LIMIT {{limit:UInt32}}
"""  # noqa: S608 (of this file)
_GONE: Final = f"""
SELECT person FROM trace_contacts WHERE {_BOTH}
GROUP BY person HAVING max(run) = {{was:UInt32}}
ORDER BY person LIMIT {{limit:UInt32}} OFFSET {{place:UInt32}}
"""  # noqa: S608 (of this file)
_DOCUMENTS: Final = f"""
SELECT run, document FROM trace_contacts WHERE {_BOTH} AND person IN {{persons:Array(UInt64)}}
ORDER BY run, rank
"""  # noqa: S608 (of this file)
_ALL: Final = """
SELECT document FROM trace_contacts
WHERE case_id = {case:String} AND run = {run:UInt32} AND attempt = {attempt:UUID}
  AND rank > {place:UInt32}
ORDER BY rank LIMIT {limit:UInt32}
"""
_NO_ATTEMPT: Final = "00000000-0000-0000-0000-000000000000"
_SETTINGS: Final = {"max_execution_time": 5}
# of whom the runs say something else that is no change, as a rank of evidence; rounds a request
_ROUNDS: Final = 4


@dataclass(frozen=True)
class PastRun:
    """A stored run without its contacts. `before`: the version of the case of the run before."""

    run: int
    attempt: str
    case_version: int
    cause: str
    rule_set: str
    stored_at: datetime
    contacts: int
    contacts_by_tier: dict[str, int]
    notes: list[Any]
    before: int | None = None

    @property
    def because(self) -> tuple[str, str]:
        """What made it, in both languages."""
        if scan_offset(self.cause) is None:
            if self.case_version == 1:
                return "ca được đăng ký", "the case was registered"
            return (
                f"ca có phiên bản {self.case_version}",
                f"version {self.case_version} of the case",
            )
        if self.before is not None and self.case_version > self.before:
            return (
                f"kết luận, câu trả lời hoặc lượt quét mới, đến phiên bản {self.case_version} "
                "của ca",
                f"decisions, answers or scans, up to version {self.case_version} of the case",
            )
        return (
            "lượt quét mới; hoặc điểm quét, mã, chuyến được sửa; hoặc ca còn ở đó",
            "scans since; or places, codes or trips changed; or the case is there still",
        )


@dataclass(frozen=True)
class Mark:
    """How far a difference has been read: ranks of the later run, or how many of who is gone."""

    count: int = 0
    gone: bool = False

    @classmethod
    def of(cls, text: str | None) -> "Mark":
        """As `str` writes it; None is the beginning."""
        kind, _, count = (text or "rank-0").partition("-")
        return cls(int(count), kind == "gone")

    def __str__(self) -> str:
        return f"{'gone' if self.gone else 'rank'}-{self.count}"


def past_runs(
    clickhouse: ClickHouse, case_id: str, before: int, limit: int
) -> tuple[list[PastRun], bool]:
    """Runs numbered less than `before`, the newest first, and whether there are more. Raises
    Retryable."""
    what = {"case": case_id, "before": before, "limit": limit + 1}
    rows = clickhouse.query_rows(_RUNS, what, _SETTINGS)
    older = [row[2] for row in rows[1:]]
    found = [_run(row, version) for row, version in zip(rows, [*older, None], strict=False)]
    return found[:limit], len(found) > limit


def past_run(clickhouse: ClickHouse, case_id: str, run: int) -> PastRun | None:
    """The run of this number, or None. Raises Retryable."""
    found, _ = past_runs(clickhouse, case_id, run + 1, 1)
    return found[0] if found and found[0].run == run else None


def run_before(clickhouse: ClickHouse, case_id: str, run: int) -> PastRun | None:
    """The run before the one of this number; None of the first. Raises Retryable."""
    found, _ = past_runs(clickhouse, case_id, run, 1)
    return found[0] if found else None


class Difference:
    """What changed of a case from one run to a later one; from none, everybody is added."""

    def __init__(
        self, clickhouse: ClickHouse, case_id: str, was: PastRun | None, now: PastRun
    ) -> None:
        self._clickhouse = clickhouse
        self._first = was is None
        self._now = now
        self._what: dict[str, Any] = {
            "case": case_id,
            "run": now.run,
            "attempt": now.attempt,
            "was": 0 if was is None else was.run,
            "was_attempt": _NO_ATTEMPT if was is None else was.attempt,
        }

    def page(self, mark: Mark, limit: int) -> tuple[list[Change], Mark | None]:
        """Up to `limit` changes from this mark on, in the order of `tracer.versions.changes`, and
        the mark after them; None at the end. Raises Retryable."""
        if self._first:
            return self._everybody(mark, limit)
        summaries = self._summaries()
        found: list[Change] = []
        for _ in range(_ROUNDS):
            wanted = limit - len(found)
            persons, after = self._otherwise(mark, wanted)
            found += self._compared(summaries, persons) if persons else []
            if after is None or len(found) == limit:
                return found, after
            mark = after
        return found, mark

    def _everybody(self, mark: Mark, limit: int) -> tuple[list[Change], Mark | None]:
        rows = self._rows(_ALL, place=mark.count, limit=limit)
        documents = [orjson.loads(text) for (text,) in rows]
        last = Mark(documents[-1]["rank"]) if len(documents) == limit else None
        return changes(None, Version({}, documents)), last

    def _otherwise(self, mark: Mark, limit: int) -> tuple[list[int], Mark | None]:
        """Of whom the runs say something else, at most `limit`, and where to go on."""
        if not mark.gone:
            rows = self._rows(_OTHERWISE, place=mark.count, limit=limit)
            persons = [person for person, _ in rows]
            return persons, Mark(rows[-1][1]) if len(rows) == limit else Mark(gone=True)
        persons = [person for (person,) in self._rows(_GONE, place=mark.count, limit=limit)]
        left = len(persons) == limit
        return persons, Mark(mark.count + limit, gone=True) if left else None

    def _compared(self, summaries: dict[int, Document], persons: list[int]) -> list[Change]:
        documents: dict[int, list[Document]] = {self._what["was"]: [], self._what["run"]: []}
        for run, text in self._rows(_DOCUMENTS, persons=persons):
            documents[run].append(orjson.loads(text))
        was, now = (
            Version(summaries[run], documents[run]) for run in (self._what["was"], self._now.run)
        )
        found = {change.person: change for change in changes(was, now)}
        return [found[p] for p in map(person_text, persons) if p in found]

    def _summaries(self) -> dict[int, Document]:
        return {run: orjson.loads(text) for run, text in self._rows(_SUMMARIES)}

    def _rows(self, sql: str, **more: Any) -> list[tuple[Any, ...]]:
        return self._clickhouse.query_rows(sql, self._what | more, _SETTINGS)


def _run(row: tuple[Any, ...], before: int | None) -> PastRun:
    run, attempt, version, cause, rule_set, stored, contacts, tiers, notes = row
    return PastRun(
        run=run,
        attempt=attempt,
        case_version=version,
        cause=cause,
        rule_set=rule_set,
        stored_at=datetime.fromtimestamp(stored / 1000, UTC),
        contacts=contacts,
        contacts_by_tier=orjson.loads(tiers or b"{}"),
        notes=orjson.loads(notes or b"[]"),
        before=before,
    )
