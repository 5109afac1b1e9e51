"""Inspections: steps recorded once, the state made anew from all of them, published, counted.

A step is known by the id its maker gave it. Sent again it changes nothing; with other words under
the same id it is refused. What it leads to is said by `console/inspections/life.py`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select, update

from console.inspections.events import event_of
from console.inspections.life import Life, life_of
from console.inspections.steps import AnyContent, Checked, Content, Seen, Step, is_good
from console.store import outbox, tables
from console.store.engine import Store, allocate, utc_now
from console.store.errors import Conflict
from console.store.outbox import Entry
from console.store.postings import Mark, mark
from console.store.sites import locked_places
from issuer.standing import Standing
from schemas.coverage import Fact
from schemas.inspections import Result, inspection_key
from schemas.places import Place
from schemas.topics import INSPECTIONS

MOST_STEPS: Final = 200
_CONTENT: Final[TypeAdapter[Content]] = TypeAdapter(AnyContent)

# Told the inspection's place, under its lock; raises what the asker is to hear.
Guard = Callable[[Place], None]


def anybody(_: Place) -> None:
    """The guard of the command line, which has the database itself."""


@dataclass(frozen=True)
class Recorded:
    """When a step arrived and by which account."""

    at: datetime
    by: str


@dataclass(frozen=True)
class Inspection:
    """One inspection, whole. `recorded`: by the steps' ids."""

    id: str
    number: int
    place: int
    version: int
    life: Life
    recorded: dict[str, Recorded]


def record(
    store: Store,
    inspection: str,
    place: int,
    step: Step,
    *,
    by: str,
    guard: Guard = anybody,
) -> Inspection:
    """The inspection with this step; begun by its first one.

    Raises NotFound if there is no such place; Conflict if the step's id, or the inspection's, is
    known with other content or another place, or if the inspection has `MOST_STEPS`.
    """
    with store.write() as connection:
        where = _place_of(connection, inspection) or place
        # every step of a place waits for the one before
        [spot] = locked_places(connection, [where])
        guard(spot)
        before = _whole(connection, inspection)
        if place != (before.place if before else where):
            raise Conflict(
                f"place: đợt kiểm tra này là của điểm quét {where}. / "
                f"place: this inspection is of place {where}."
            )
        if _is_known(connection, inspection, step):
            assert before is not None
            return before
        return _with(connection, before, inspection, place, step, by)


def inspection_of(store: Store, inspection: str) -> Inspection | None:
    """One inspection, or None."""
    with store.read() as connection:
        return _whole(connection, inspection)


def recorded_in(store: Store, event_id: str) -> str | None:
    """The inspection that has the step of this id; None if there is no such step."""
    s = tables.inspection_steps.c
    with store.read() as connection:
        found: str | None = connection.scalar(select(s.inspection).where(s.event_id == event_id))
    return found


def id_of(store: Store, number: int) -> str | None:
    """The id of the inspection that people call by this number."""
    i = tables.inspections.c
    with store.read() as connection:
        found: str | None = connection.scalar(select(i.id).where(i.number == number))
    return found


def _with(
    connection: Connection,
    before: Inspection | None,
    inspection: str,
    place: int,
    step: Step,
    by: str,
) -> Inspection:
    now = utc_now()
    if before is None:
        before = Inspection(inspection, allocate(connection, "inspections"), place, 0, Life(), {})
        row = {"id": inspection, "number": before.number, "place": place, "version": 0}
        connection.execute(insert(tables.inspections), [row])
    elif len(before.life.steps) >= MOST_STEPS:
        raise Conflict(
            f"Đợt kiểm tra này đã có {MOST_STEPS} bước: hãy mở đợt mới. / "
            f"This inspection has {MOST_STEPS} steps: begin another."
        )
    life = life_of([*before.life.steps, step])
    recorded = before.recorded | {step.event_id: Recorded(now, by)}
    after = Inspection(inspection, before.number, place, before.version + 1, life, recorded)
    connection.execute(insert(tables.inspection_steps), [_row(inspection, step, now, by)])
    i, state = tables.inspections.c, life.state
    summary = {
        "version": after.version,
        "stage": state.stage,
        "result": state.result,
        "begun_at": state.begun_at,
        "planned_on": state.planned_on,
        "checked_at": state.checked_at,
        "due_on": state.due_on,
    }
    connection.execute(update(tables.inspections).where(i.id == inspection).values(summary))
    outbox.append(connection, [_entry(after, step, now)], now)
    mark(connection, marks_of(place, step))
    return after


def marks_of(place: int, step: Step) -> list[Mark]:
    """What coverage learns of the place's poster: a check counts whatever stage it met."""
    check = step.content
    if not isinstance(check, Checked) or check.result is Result.NOT_POSSIBLE:
        return []
    good, version = is_good(check, step.seen), step.seen.version
    marks = [Mark(place, Fact.INSPECTED, step.occurred_at, version, good=good)]
    if good:
        marks.append(Mark(place, Fact.POSTED, step.occurred_at, version))
    return marks


def _is_known(connection: Connection, inspection: str, step: Step) -> bool:
    """Raises Conflict if its id stands for something else."""
    s = tables.inspection_steps.c
    row = connection.execute(
        select(tables.inspection_steps).where(s.event_id == step.event_id)
    ).first()
    if row is None:
        return False
    said = (row.inspection, row.occurred_at, _CONTENT.validate_python(row.content))
    if said != (inspection, step.occurred_at, step.content):
        raise Conflict(
            "event_id: mã này đã dùng cho một bước có nội dung khác. / "
            "event_id: this id was used for a step with other content."
        )
    return True


def _place_of(connection: Connection, inspection: str) -> int | None:
    i = tables.inspections.c
    place: int | None = connection.scalar(select(i.place).where(i.id == inspection))
    return place


def _whole(connection: Connection, inspection: str) -> Inspection | None:
    i, s = tables.inspections.c, tables.inspection_steps.c
    query = select(i.number, i.place, i.version).where(i.id == inspection)
    row = connection.execute(query).first()
    if row is None:
        return None
    of_it = select(tables.inspection_steps).where(s.inspection == inspection)
    rows = connection.execute(of_it.order_by(s.occurred_at)).all()
    recorded = {one.event_id: Recorded(one.recorded_at, one.by) for one in rows}
    life = life_of(step_of(one) for one in rows)
    return Inspection(inspection, row.number, row.place, row.version, life, recorded)


def step_of(row: Row[Any]) -> Step:
    """A step from its row."""
    seen = dict(row.seen)
    if seen["standing"] is not None:
        seen["standing"] = Standing(seen["standing"])
    content = _CONTENT.validate_python(row.content)
    return Step(row.event_id, row.occurred_at, content, Seen(**seen))


def _row(inspection: str, step: Step, now: datetime, by: str) -> dict[str, Any]:
    return {
        "event_id": step.event_id,
        "inspection": inspection,
        "kind": step.content.kind.value,
        "occurred_at": step.occurred_at,
        "recorded_at": now,
        "by": by,
        "content": step.content.model_dump(mode="json", exclude_none=True),
        "seen": asdict(step.seen),
    }


def _entry(after: Inspection, step: Step, now: datetime) -> Entry:
    state = after.life.state
    event = event_of(
        step,
        inspection=after.id,
        place=after.place,
        version=after.version,
        recorded_at=now,
        stage=state.stage,
        due_on=state.due_on,
        counts=step.event_id not in after.life.aside,
    )
    value = event.model_dump_json(exclude_none=True).encode()
    return Entry(INSPECTIONS.name, inspection_key(after.place), value)
