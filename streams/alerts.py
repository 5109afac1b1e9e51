"""What officers are told of a case's run, as CloudEvents on `alerts.v1`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import pyarrow.compute as pc

from schemas import cloudevents
from schemas.cases import Alert, AlertKind, Case, TraceAgain
from schemas.topics import ALERTS, TRACES
from streams.convert import Rows
from streams.publish import Message
from streams.runs import Run
from streams.watch import Look, alert_id
from tracer.versions import Change

SOURCE: Final = "truyvet/streams"
_CASE: Final = "C-ANY"
_KINDS: Final = {
    "added": AlertKind.POSSIBLE_CONTACT,
    "changed": AlertKind.CONTACT_CHANGED,
    "withdrawn": AlertKind.CONTACT_WITHDRAWN,
}


def run_alerts(run: Run, at: datetime) -> list[Message]:
    """Each change that concerns the call list, then the sum. Ids are the same each time."""
    case = run.case
    done = Alert(
        kind=AlertKind.RUN_COMPLETED,
        case=case.id,
        case_version=case.version,
        run=run.number,
        at=at,
        contacts=sum(run.summary["contacts_by_tier"].values()),
        contacts_by_tier=run.summary["contacts_by_tier"],
        changes=dict(sorted(Counter(change.kind for change in run.changes).items())),
    )
    identity = alert_id(case.id, run.number, "run")
    return [*change_alerts(case, run.changes, at, run.number), alert_message(identity, done)]


def alert_message(identity: str, alert: Alert) -> Message:
    """An alert as a CloudEvent."""
    event_type = f"{cloudevents.ALERT_PREFIX}{alert.kind.value}"
    return Message(
        ALERTS.name,
        alert.case.encode(),
        alert.model_dump_json(exclude_none=True).encode(),
        tuple(cloudevents.headers(identity, SOURCE, event_type, alert.at)),
    )


def trace_requests(look: Look, rows: Rows) -> list[Message]:
    """For each case that the scans of a batch may change, that it is to be traced again."""
    if not look.adds and not look.ends:
        return []
    since = pc.min(rows.tables["scans"].column("appended_at")).as_py()
    requests = [
        *_requests(look.adds - look.moved, since, adds=True),
        *_requests(look.moved, since, adds=True, moved=True),
        *_requests(look.ends, since, adds=False),
    ]
    return [Message(TRACES.name, case.encode(), request.encode()) for case, request in requests]


def _requests(
    cases: set[str], since: datetime, *, adds: bool, moved: bool = False
) -> Iterator[tuple[str, str]]:
    """A flood is hundreds for each batch: they are the same but for the case, whose id needs no
    escaping."""
    one = TraceAgain(case=_CASE, adds=adds, moved=moved, appended_at=since).model_dump_json()
    before, after = one.split(_CASE)
    for case in sorted(cases):
        yield case, f"{before}{case}{after}"


def version_request(case: str, version: int, at: datetime) -> Message:
    """That this version of a case is to be traced again, soon: with others that come till then."""
    request = TraceAgain(case=case, adds=False, appended_at=at, version=version)
    return Message(TRACES.name, case.encode(), request.model_dump_json().encode())


def change_alerts(
    case: Case, changes: Iterable[Change], at: datetime, run: int | None
) -> list[Message]:
    """An alert for each change of those who are or were to be called.

    `run`: the number of the run that changed it; None if the case was voided.
    """
    concerned = [c for c in changes if any(side and side["call"] for side in (c.before, c.after))]
    return [_change(case, change, at, run) for change in concerned]


def _change(case: Case, change: Change, at: datetime, run: int | None) -> Message:
    """What stands now of a contact; of one that is withdrawn, what stood before."""
    contact = change.after or change.before
    assert contact is not None, "a change has a side"
    clause = contact["clauses"][0] if contact["clauses"] else contact["tier"]
    alert = Alert(
        kind=_KINDS[change.kind],
        case=case.id,
        case_version=case.version,
        run=run,
        at=at,
        person=change.person,
        tier=contact["tier"],
        clauses=tuple(contact["clauses"]),
        questions=tuple(contact["questions"]),
        proposed=contact.get("proposed"),
        minutes=contact["minutes"],
        confidence=contact["band"],
        reasons=change.reasons,
    )
    by = f"voided/{case.version}" if run is None else run
    return alert_message(alert_id(case.id, by, change.person, clause), alert)
