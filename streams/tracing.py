"""A case's run: trace, store, alert. Register → trace → store → alert → release → notify; the
last two are people's.

A run that is already stored is not made again: its alerts go out as they were, under the same
ids.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from schemas.cases import Case
from streams.cases import as_said
from streams.clickhouse import ClickHouse
from streams.directory import Directory
from streams.runs import Run, Runs, Stored, of_case, of_scan, scan_offset
from streams.segments.asking import answered
from streams.segments.held import Held
from streams.spans import OFF, Spans
from streams.watched import Watched
from streams.windows import PlaceWindow
from tracer.columns import I64, U64, instants, milliseconds
from tracer.documents import contact_documents, run_document
from tracer.fetch import ToWatch, to_watch, trace_from
from tracer.frames import NO_SCANS
from tracer.ground import Ground
from tracer.parameters import Parameters
from tracer.queries import Scans, retained_from
from tracer.ruleset import RuleSet, rule_set_of
from tracer.segments import Segments
from tracer.struck import Revoked, Struck, asked
from tracer.trace import TraceResult, trace
from tracer.versions import Change, Version, changes, voided
from tracer.window import window_of


class Tracing:
    """Traces cases on what the workers have written. Blocking; raises Retryable and ValueError."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        directory: Directory,
        rule_sets: tuple[RuleSet, ...],
        parameters: Parameters,
        retention_days: int,
        spans: Spans = OFF,
        held: Held | None = None,
    ) -> None:
        self._clickhouse = clickhouse
        self._runs = Runs(clickhouse)
        self._directory = directory
        self._rule_sets = rule_sets
        self._parameters = parameters
        self._retention_days = retention_days
        self._spans = spans
        self._held = held
        self._made: tuple[int, Ground] | None = None
        self._struck: dict[Revoked, U64] = {}

    def run(self, case: Case, now: datetime) -> Run | None:
        """The run of this version of the case: the stored one, or a new one, stored. None if a
        later version has been traced: this one came too late.

        `now` is the broker's time of the case, so that a re-read asks the same question.
        """
        cause = of_case(case.version)
        stored = self._runs.by_cause(case.id, cause)
        if stored is not None:
            return self._as_it_was(case, stored)
        with self._spans.step("trace", {}):
            version = self._traced(case, now)
        with self._spans.step("store", {}) as span:
            while True:
                last = self._runs.last(case.id)
                if _is_later(last, case):
                    return None
                run = _next(case, cause, last, version)
                if self._runs.store(run, now):
                    span.set({"truyvet.run": run.number, "truyvet.contacts": len(run.contacts)})
                    return run

    def again(self, case: Case, now: datetime, first: int, last: int) -> list[Run]:
        """Trace the case anew, since scans or decisions have come: the runs whose alerts go out.

        `first`, `last`: offsets on `traces.v1` of the requests that say so. A run that one of
        them made before is among them, because its alerts may not have gone out. A run that
        would change nothing is not stored, unless the case has a new version. Nothing is done
        before the case has its first run, or once a later version of it has one.
        """
        newest = self._runs.last(case.id)
        if newest is None or _is_later(newest, case):
            return []
        made = scan_offset(newest.cause)
        runs = [self._as_it_was(case, newest)] if made is not None and made >= first else []
        if made is not None and made >= last:
            return runs
        version = self._traced(case, now, expected=True)
        while not _is_later(newest, case):
            run = _next(case, of_scan(last), newest, version)
            known = newest is not None and newest.version.summary["case_version"] == case.version
            if known and not run.changes:
                return runs
            if self._runs.store(run, now):
                return [*runs, run]
            newest = self._runs.last(case.id)
        return runs

    def withdrawn(self, case: Case, now: datetime) -> list[Change]:
        """Everybody whom the last run of a voided case made a possible contact; a run without them
        is stored, so that no other can follow it. Nobody if the last is of a later version: then
        this one came too late."""
        cause = of_case(case.version)
        stored = self._runs.by_cause(case.id, cause)
        if stored is not None:
            return self._as_it_was(case, stored).changes
        while True:
            last = self._runs.last(case.id)
            if _is_later(last, case):
                return []
            before = self._nothing(case, now) if last is None else last.version
            run = _next(case, cause, last, voided(before, case.version))
            if self._runs.store(run, now):
                return run.changes

    def watched(self, case: Case) -> Watched:
        """The place-windows of a case, and who was near, as its scans stand now."""
        now = datetime.now(UTC)
        rule_set = rule_set_of(self._rule_sets, case)
        ground = self._ground()
        return answered(
            self._held,
            lambda held: as_watched(
                case, to_watch(self._scans(now, held), case, ground, rule_set, now)
            ),
            expected=True,  # it may be asked because they scan
        )

    def revoked(self) -> list[Revoked]:
        """The codes that were revoked from before, as far as this worker has heard."""
        return self._directory.places.revoked()

    def struck(self, revoked: Revoked) -> tuple[U64, I64]:
        """Who had scanned by this code, and when (milliseconds since 1970 UTC)."""
        kept = retained_from(datetime.now(UTC), self._retention_days)
        earliest = 0 if kept is None else milliseconds(kept)
        ask = self._clickhouse.query_arrow
        found = list(asked(revoked, earliest, ask))
        persons = [np.empty(0, np.uint64), *(some["person"].to_numpy() for some in found)]
        times = [np.empty(0, np.int64), *(instants(some["scanned_at"]) for some in found)]
        return np.concatenate(persons), np.concatenate(times)

    def _traced(self, case: Case, now: datetime, *, expected: bool = False) -> Version:
        rule_set = rule_set_of(self._rule_sets, case)
        ground = self._ground()

        def ask(held: Segments | None) -> TraceResult:
            earlier = self._earlier(case, rule_set, now)
            return trace_from(self._scans(now, held), case, ground, rule_set, now, earlier)

        result = answered(self._held, ask, expected=expected)
        return Version(run_document(result), contact_documents(result))

    def _earlier(self, case: Case, rule_set: RuleSet, now: datetime) -> Iterable[Version]:
        """The case's runs, if some of what they were made of may have grown too old."""
        kept = retained_from(now, self._retention_days)
        # a stay that reaches into the window began before it
        margin = timedelta(minutes=2 * self._parameters.longest_minutes)
        if kept is None or window_of(case, rule_set, now).start - margin >= kept:
            return ()
        return self._runs.of_each_version(case.id)

    def _nothing(self, case: Case, now: datetime) -> Version:
        """What a trace says of a case that nobody has traced, if nothing was ever scanned."""
        rule_set = rule_set_of(self._rule_sets, case)
        return Version(run_document(trace(case, NO_SCANS, self._ground(), rule_set, now)), [])

    def _as_it_was(self, case: Case, stored: Stored) -> Run:
        before = self._runs.last(case.id, below=stored.number)
        return _run(case, stored.number, stored.cause, before, stored.version)

    def _scans(self, now: datetime, held: Segments | None) -> Scans:
        kept = retained_from(now, self._retention_days)
        struck = Struck(self.revoked(), milliseconds(now), self._struck)
        return Scans(self._clickhouse, kept, struck=struck, held=held)

    def _ground(self) -> Ground:
        changes = self._directory.changes
        if self._made is None or self._made[0] != changes:
            self._made = (changes, self._directory.ground(self._parameters))
        return self._made[1]


def as_watched(case: Case, found: ToWatch) -> Watched:
    """What is watched of a case, by its record and by what its scans say."""
    windows = tuple(PlaceWindow(*row) for row in found.windows)
    near, far = (np.array(ids, np.uint64) for ids in (found.near, found.far))
    return replace(
        as_said(case), windows=windows, near=near, far=far, around=found.around,
        visited=found.visited,
    )  # fmt: skip


def _is_later(last: Stored | None, case: Case) -> bool:
    return last is not None and bool(last.version.summary["case_version"] > case.version)


def _next(case: Case, cause: str, last: Stored | None, version: Version) -> Run:
    return _run(case, 1 if last is None else last.number + 1, cause, last, version)


def _run(case: Case, number: int, cause: str, before: Stored | None, version: Version) -> Run:
    difference = changes(None if before is None else before.version, version)
    return Run(case, number, cause, version.summary, version.contacts, difference)
