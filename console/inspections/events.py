"""A step as it goes out on `inspections.v1`: what can be ticked off, without notes or tokens."""

from datetime import date, datetime
from typing import Any

from console.inspections.steps import (
    Checked,
    Closed,
    Decided,
    Opened,
    Ordered,
    Referred,
    Replied,
    Step,
    is_current,
)
from schemas.inspections import InspectionStep, Member, Stage


def event_of(
    step: Step,
    *,
    inspection: str,
    place: int,
    version: int,
    recorded_at: datetime,
    stage: Stage | None,
    due_on: date | None,
    counts: bool,
) -> InspectionStep:
    """The record of this step; stage and due day as they stand after it."""
    return InspectionStep(
        event_id=step.event_id,
        inspection=inspection,
        place=place,
        version=version,
        kind=step.content.kind,
        occurred_at=step.occurred_at,
        recorded_at=recorded_at,
        stage=stage,
        due_on=due_on,
        counts=counts,
        **_said(step),
    )


def _said(step: Step) -> dict[str, Any]:
    match step.content:
        case Opened(ground=ground, planned_on=day):
            return {"ground": ground, "planned_on": day}
        case Checked() as check:
            return {
                "result": check.result,
                "posted": check.posted,
                "visible": check.visible,
                "current": is_current(check, step.seen),
                "guided": check.guided,
                "code_version": step.seen.version,
                "scans": step.seen.scans,
                "team": tuple(Member(agency=m.agency, role=m.role) for m in check.team),
                "photos": len(check.photos),
            }
        case Ordered(mend=mend, by=day):
            return {"mend": mend, "mend_by": day}
        case Replied(says=says, until=day):
            return {"says": says, "until": day}
        case Referred(to=authority):
            return {"authority": authority}
        case Decided(by=authority, outcome=outcome, until=day):
            return {"authority": authority, "outcome": outcome, "until": day}
        case Closed(ending=ending):
            return {"ending": ending}
