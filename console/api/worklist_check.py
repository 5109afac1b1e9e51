"""What is wrong with a change of a contact, beyond the form of its fields."""

from datetime import date
from typing import Any

from console.access import RIGHTS, Right
from console.api.errors import field_problem, invalid
from console.api.schemas import FieldProblem
from console.api.state import Console
from console.api.worklist_rows import Row, local_today, rule_set_of
from console.api.worklist_schemas import ChangeContact, RecordVisit
from console.store.keys import key_by_id
from console.worklist.areas import covers
from console.worklist.axes import FollowUp, Status, VisitResult
from console.worklist.followup import last_day
from schemas.clock import LOCAL


def changes_of(row: Row, body: ChangeContact) -> dict[str, Any]:
    """The fields that change, but for the answers. Raises ApiError naming each that is wrong."""
    given = body.model_fields_set - {"version", "note", "answers"}
    changes: dict[str, Any] = {name: getattr(body, name) for name in sorted(given)}
    problems = [
        field_problem(name, "missing", "Không được bỏ trống.", "It cannot be taken away.")
        for name in ("classification", "status")
        if name in changes and changes[name] is None
    ]
    if changes.get("status"):
        changes["status"] = Status(changes["status"])
    problems += _unknown_questions(row, body)
    if changes.get("follow_up") is FollowUp.FOLLOW_UP:
        if row.last_exposure is None:
            vi, en = "Không biết lần tiếp xúc cuối.", "The last exposure is not known."
            problems.append(field_problem("follow_up", "no_last_exposure", vi, en))
        if row.work.follow_up is not FollowUp.FOLLOW_UP:
            changes["follow_up_from"] = local_today()
    if problems:
        raise invalid(*problems)
    return changes | {"last_exposure": row.last_exposure}


def _unknown_questions(row: Row, body: ChangeContact) -> list[FieldProblem]:
    rule_set = rule_set_of(row)
    known = [question.id for question in rule_set.questions] if rule_set else []
    listed = ", ".join(known) or "–"
    return [
        field_problem(
            f"answers.{question}",
            "unknown",
            f"Bộ quy tắc của ca không hỏi điều này; có: {listed}.",
            f"The case's rule-set does not ask this; there are: {listed}.",
        )
        for question in body.answers or {}
        if question not in known
    ]


def visit_problems(row: Row, day: date, body: RecordVisit) -> list[FieldProblem]:
    """Each problem under its field; empty if the visit can be kept."""
    found = []
    if day > local_today():
        vi, en = "Ngày thăm ở tương lai.", "The day of the visit is in the future."
        found.append(field_problem("day", "in_future", vi, en))
    elif row.last_exposure is not None:
        first, last = row.last_exposure.astimezone(LOCAL).date(), last_day(row.last_exposure)
        if not first < day <= last:
            vi = f"Ngày thăm ngoài 14 ngày theo dõi (sau {first:%d/%m/%Y}, đến {last:%d/%m/%Y})."
            en = f"The day is outside the 14 days of follow-up (after {first}, until {last})."
            found.append(field_problem("day", "outside_follow_up", vi, en))
    seen = body.result is VisitResult.COOPERATIVE
    if seen and body.symptoms is None:
        vi, en = "Gặp được thì phải ghi có triệu chứng không.", "Seen, so symptoms: yes or no?"
        found.append(field_problem("symptoms", "missing", vi, en))
    if body.result is VisitResult.UNAVAILABLE:
        vi, en = "Không gặp thì không có giá trị này.", "Not seen, so this cannot be known."
        found += [
            field_problem(name, "not_seen", vi, en)
            for name in ("symptoms", "temperature")
            if getattr(body, name) is not None
        ]
    return found


def must_be_able(console: Console, row: Row, key_id: int) -> None:
    """Raises ApiError unless this account works lists where the contact is worked."""
    key = key_by_id(console.store, key_id)
    if (
        key is None
        or key.revoked_at is not None
        or Right.LIST_WORK not in RIGHTS[key.role]
        or not covers(key.area, row.work.responsible(row.case.ward))
    ):
        vi = "Không có cán bộ nào có khoá này làm việc ở địa bàn đó."
        en = "No officer with this key works in that area."
        raise invalid(field_problem("to", "unknown", vi, en))
