"""Inspections and rounds as the API and the command line say them."""

from datetime import date

from console.api.inspections_schemas import (
    AheadSaid,
    InspectionSaid,
    RoundSaid,
    SeenSaid,
    StepSaid,
    VisitSaid,
)
from console.api.schemas import Sentence
from console.inspections.ahead import ahead
from console.inspections.steps import Checked, Step, is_current
from console.inspections.visits import visits
from console.inspections.words import Pair, words_of
from console.store import inspection_lists
from console.store.engine import Store, utc_now
from console.store.inspection_lists import Line
from console.store.inspection_photos import photos_of
from console.store.inspections import Inspection
from issuer.standing import SENTENCES
from issuer.units import TWO_LEVELS
from schemas.clock import LOCAL


def round_of(
    store: Store, ward: str, today: date, *, limit: int, offset: int, sector: str | None = None
) -> RoundSaid:
    """The ward's next visits on this day, as a page."""
    doors, names = inspection_lists.doors(store, ward, sector)
    found = visits(doors, today)
    said = []
    for visit in found[offset : offset + limit]:
        name, site_name, address = names[visit.door.place]
        said.append(
            VisitSaid(
                place=visit.door.place,
                place_name=name,
                site_name=site_name,
                address=address,
                reason=visit.reason,
                sentence=_sentence(words_of(visit.reason)),
                since=visit.since,
                inspection=visit.inspection,
            )
        )
    return RoundSaid(
        ward=ward, day=today, visits=said, total=len(found), limit=limit, offset=offset
    )


def said_of(store: Store, inspection: Inspection, line: Line) -> InspectionSaid:
    """What is shown of an inspection; `line` for the names."""
    life = inspection.life
    named = {p for s in life.steps if isinstance(s.content, Checked) for p in s.content.photos}
    missing = named - photos_of(store, inspection.id) if named else set()
    today = utc_now().astimezone(LOCAL).date()
    next_ = ahead(life.state, today, districts=not line.ward.startswith(TWO_LEVELS))
    return InspectionSaid(
        **vars(line),
        ahead=AheadSaid(**vars(next_) | {"proposed": list(next_.proposed)}),
        steps=[_step(inspection, step) for step in life.steps],
        photos_missing=sorted(missing),
    )


def _step(inspection: Inspection, step: Step) -> StepSaid:
    recorded, aside = inspection.recorded[step.event_id], inspection.life.aside.get(step.event_id)
    return StepSaid(
        event_id=step.event_id,
        kind=step.content.kind,
        occurred_at=step.occurred_at,
        recorded_at=recorded.at,
        by=recorded.by,
        counts=aside is None,
        aside=aside,
        sentence=_sentence(words_of(aside)) if aside else None,
        content=step.content,
        seen=_seen(step.content, step) if isinstance(step.content, Checked) else None,
    )


def _seen(check: Checked, step: Step) -> SeenSaid:
    standing = step.seen.standing
    return SeenSaid(
        standing=standing,
        sentence=_sentence(SENTENCES[standing]) if standing else None,
        here=step.seen.here,
        version=step.seen.version,
        current=is_current(check, step.seen),
        scans=step.seen.scans,
    )


def _sentence(words: Pair) -> Sentence:
    return Sentence(vi=words[0], en=words[1])
