"""What officers are told of a case's run, as CloudEvents on `alerts.v1`."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from schemas import cloudevents
from schemas.cases import Alert, AlertKind, Case
from schemas.topics import ALERTS
from streams.publish import Message
from streams.tracing import Run
from streams.watch import alert_id
from tracer.versions import Change

SOURCE: Final = "truyvet/streams"
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
        run=case.version,
        at=at,
        contacts=len(run.contacts),
        contacts_by_tier=run.summary["contacts_by_tier"],
        changes=dict(sorted(Counter(change.kind for change in run.changes).items())),
    )
    identity = alert_id(case.id, case.version, "run")
    return [*change_alerts(case, run.changes, at), alert_message(identity, done)]


def alert_message(identity: str, alert: Alert) -> Message:
    """An alert as a CloudEvent."""
    event_type = f"{cloudevents.ALERT_PREFIX}{alert.kind.value}"
    return Message(
        ALERTS.name,
        alert.case.encode(),
        alert.model_dump_json(exclude_none=True).encode(),
        tuple(cloudevents.headers(identity, SOURCE, event_type, alert.at)),
    )


def change_alerts(case: Case, changes: Iterable[Change], at: datetime) -> list[Message]:
    """An alert for each change of those who are or were to be called."""
    concerned = [c for c in changes if any(side and side["call"] for side in (c.before, c.after))]
    return [_change(case, change, at) for change in concerned]


def _change(case: Case, change: Change, at: datetime) -> Message:
    """What stands now of a contact; of one that is withdrawn, what stood before."""
    contact = change.after or change.before
    assert contact is not None, "a change has a side"
    clause = contact["clauses"][0] if contact["clauses"] else contact["tier"]
    alert = Alert(
        kind=_KINDS[change.kind],
        case=case.id,
        case_version=case.version,
        run=case.version,
        at=at,
        person=change.person,
        tier=contact["tier"],
        clauses=tuple(contact["clauses"]),
        minutes=contact["minutes"],
        confidence=contact["band"],
        reasons=change.reasons,
    )
    return alert_message(alert_id(case.id, case.version, change.person, clause), alert)
