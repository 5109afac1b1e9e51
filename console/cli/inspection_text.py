"""Inspections and rounds on the terminal."""

from datetime import date
from typing import TYPE_CHECKING

from console.cli.out import line, named
from console.cli.session import Session
from schemas.clock import local_text

if TYPE_CHECKING:
    from enum import StrEnum

    from console.api.inspections_schemas import (
        InspectionSaid,
        LineSaid,
        SeenSaid,
        StepSaid,
        VisitSaid,
    )


def show_visit(visit: "VisitSaid", session: Session) -> None:
    """One place of a round."""
    why = session.words(visit.sentence.vi, visit.sentence.en)
    since = f" {_day(visit.since)}" if visit.since else ""
    line(f"#{visit.place:<7} {named(visit.place_name, visit.site_name)}")
    line(f"         {visit.address or '–'}  [{why}{since}]")


def show_line(one: "LineSaid", session: Session) -> None:
    """One inspection of a list."""
    where = named(one.place_name, one.site_name)
    stage = _word(one.stage, session) if one.stage else "–"
    result = f", {_word(one.result, session)}" if one.result else ""
    due = f", {session.words('hạn', 'by')} {_day(one.due_on)}" if one.due_on else ""
    line(f"{one.number:>6}  #{one.place} {where}  ({stage}{result}{due})")


def show_inspection(said: "InspectionSaid", session: Session) -> None:
    """One inspection whole."""
    show_line(said, session)
    line(f"        {said.id}")
    for step in said.steps:
        _show_step(step, session)
    ahead = said.ahead
    turn = _word(ahead.turn, session)
    proposed = ", ".join(_word(kind, session) for kind in ahead.proposed)
    late = f" ({session.words('quá hạn', 'overdue')})" if ahead.overdue else ""
    to = f" → {_word(ahead.refer_to, session)}" if ahead.refer_to else ""
    label = session.words("Tiếp theo", "Next")
    line(f"{label}: {turn}{f': {proposed}{to}' if proposed else ''}{late}")
    for digest in said.photos_missing:
        line(session.words(f"  chưa nhận ảnh {digest}", f"  photo not here yet: {digest}"))


def _show_step(step: "StepSaid", session: Session) -> None:
    at = local_text(step.occurred_at)
    mark = " " if step.counts else "✗"
    said = "; ".join(_content(step, session))
    line(f"  {mark} {at}  {_word(step.kind, session)}  {said}".rstrip())
    for one in _findings(step, session):
        line(f"      {one}")
    if step.seen is not None and (seen := _seen(step.seen, session)):
        line(f"      {seen}")
    if step.content.note:
        line(f"      «{step.content.note}»")
    if step.sentence:
        line(f"      {session.words(step.sentence.vi, step.sentence.en)}")


def _content(step: "StepSaid", session: Session) -> list[str]:
    """What it comes to, in words, for the step's own line."""
    from enum import StrEnum

    parts = []
    for name in type(step.content).model_fields:
        value = getattr(step.content, name)
        if isinstance(value, date):
            parts.append(_day(value))
        elif isinstance(value, StrEnum) and name != "kind":
            parts.append(_word(value, session))
        elif name == "document" and value:
            parts.append(value)
    return parts


def _findings(step: "StepSaid", session: Session) -> list[str]:
    """What was ticked off or ordered, a line each."""
    from console.inspections.words import FINDINGS, YES_NO

    found = [
        f"{session.words(*words)}: {session.words(*YES_NO[value])}"
        for name, words in FINDINGS.items()
        if (value := getattr(step.content, name, None)) is not None
    ]
    return found + [f"– {_word(mend, session)}" for mend in getattr(step.content, "mend", ())]


def _seen(seen: "SeenSaid", session: Session) -> str:
    parts = []
    if seen.sentence is not None:
        elsewhere = session.words("mã của nơi khác", "another place's code")
        words = session.words(seen.sentence.vi, seen.sentence.en)
        parts.append(words if seen.here else f"{words} ({elsewhere})")
    if seen.scans is not None:
        parts.append(session.words(f"{seen.scans} lượt quét 7 ngày", f"{seen.scans} scans, 7 days"))
    return "; ".join(parts)


def _word(value: "StrEnum", session: Session) -> str:
    from console.inspections.words import words_of

    return session.words(*words_of(value))


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""
