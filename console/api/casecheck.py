"""What is wrong with a case beyond the form of its fields."""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final

from console.api.errors import field_problem
from console.api.schemas import FieldProblem, RegisterCase
from issuer.units import UNKNOWN_WARD, ward
from schemas.cases import Symptoms
from schemas.clock import LOCAL
from schemas.scan import FUTURE_SKEW_SECONDS

_SKEW: Final = timedelta(seconds=FUTURE_SKEW_SECONDS)
_FUTURE: Final = {
    "onset": ("Ngày khởi phát ở tương lai.", "The onset is in the future."),
    "sampled_on": ("Ngày lấy mẫu ở tương lai.", "The sampling date is in the future."),
    "isolated_at": ("Thời điểm cách ly ở tương lai.", "The isolation is in the future."),
    "negative_at": ("Thời điểm âm tính ở tương lai.", "The negative result is in the future."),
}


def problems_of(
    case: RegisterCase, now: datetime, rule_sets: AbstractSet[str]
) -> list[FieldProblem]:
    """Each problem under its field; empty if the case can be registered."""
    today = now.astimezone(LOCAL).date()
    found = []
    for field in ("onset", "sampled_on"):
        day = getattr(case, field)
        if day is not None and day > today:
            found.append(field_problem(field, "in_future", *_FUTURE[field]))
    for field in ("isolated_at", "negative_at"):
        moment = getattr(case, field)
        if moment is not None and moment > now + _SKEW:
            found.append(field_problem(field, "in_future", *_FUTURE[field]))
    if case.onset is None and case.sampled_on is None:
        found.append(
            field_problem(
                "onset",
                "onset_or_sample",
                "Thiếu ngày khởi phát và ngày lấy mẫu: cần ít nhất một.",
                "Neither the onset nor the sampling date is given: one is needed.",
            )
        )
    elif case.onset and case.sampled_on and case.onset > case.sampled_on:
        found.append(
            field_problem(
                "onset",
                "after_sample",
                "Ngày khởi phát sau ngày lấy mẫu dương tính.",
                "The onset is after the sampling date of the positive test.",
            )
        )
    if case.symptoms is Symptoms.NO and case.onset is not None:
        found.append(
            field_problem(
                "symptoms",
                "onset_without_symptoms",
                "Không triệu chứng nhưng lại có ngày khởi phát.",
                "Without symptoms, yet an onset is given.",
            )
        )
    if not _is_ward(case.ward):
        found.append(
            field_problem(
                "ward",
                "unknown",
                "Không có xã, phường, thị trấn nào mang mã này.",
                "There is no ward with this code.",
            )
        )
    if case.rule_set is not None and case.rule_set not in rule_sets:
        found.append(unknown_rule_set("rule_set", rule_sets))
    return found


def unknown_rule_set(field: str, rule_sets: AbstractSet[str]) -> FieldProblem:
    """That the field names none of these."""
    known = ", ".join(sorted(rule_sets))
    return field_problem(
        field,
        "unknown",
        f"Không có bộ quy tắc này; có: {known}.",
        f"There is no such rule-set; there are: {known}.",
    )


def _is_ward(code: str) -> bool:
    try:
        return code == UNKNOWN_WARD or bool(ward(code))
    except ValueError:
        return False
