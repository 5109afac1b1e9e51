"""What a case's person, symptoms and dates must be to each other, whatever the day and place.

Apart from `schemas.cases.Case`: what another system puts on `cases.v1`, or was stored before a
rule was here, is still a case; only what somebody says here is held to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from schemas.cases import Case, Point, Symptoms
from schemas.clock import local_midnight


class Dated(Protocol):
    """A case, or one that is to be registered."""

    @property
    def person(self) -> str | None: ...
    @property
    def symptoms(self) -> Symptoms | None: ...
    @property
    def onset(self) -> date | None: ...
    @property
    def sampled_on(self) -> date | None: ...
    @property
    def result_on(self) -> date | None: ...
    @property
    def negative_at(self) -> datetime | None: ...
    @property
    def points(self) -> Sequence[Point]: ...


class Contradiction(NamedTuple):
    """The field that does not fit the `other`, a code, and a sentence in both languages."""

    field: str
    code: str
    vi: str
    en: str
    other: str


def amended_contradictions(before: Case, changes: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Those of the case with these fields changed; but not what stood before, if neither of the two
    fields changes: that is no reason to leave a third one wrong."""
    other = {name for name, value in changes.items() if getattr(before, name) != value}
    stood = {(wrong.field, wrong.code) for wrong in contradictions(before)}
    for wrong in contradictions(before.model_copy(update=changes)):
        if other & {wrong.field, wrong.other} or (wrong.field, wrong.code) not in stood:
            yield wrong


def contradictions(case: Dated) -> Iterator[Contradiction]:
    """Each, by its field; none if the case can be traced."""
    if case.person is None:
        if not case.points:
            yield Contradiction(
                "person",
                "person_or_points",
                "Thiếu người và mốc dịch tễ: cần ít nhất một.",
                "Neither a person nor place-time points are given: one is needed.",
                "points",
            )
    elif case.onset is None and case.sampled_on is None:
        yield Contradiction(
            "onset",
            "onset_or_sample",
            "Thiếu ngày khởi phát và ngày lấy mẫu: cần ít nhất một.",
            "Neither the onset nor the sampling date is given: one is needed.",
            "sampled_on",
        )
    if case.onset and case.sampled_on and case.onset > case.sampled_on:
        yield Contradiction(
            "onset",
            "after_sample",
            "Ngày khởi phát sau ngày lấy mẫu dương tính.",
            "The onset is after the sampling date of the positive test.",
            "sampled_on",
        )
    if case.sampled_on and case.result_on and case.result_on < case.sampled_on:
        yield Contradiction(
            "result_on",
            "before_sample",
            "Ngày có kết quả trước ngày lấy mẫu dương tính.",
            "The result is of a day before the sampling date of the positive test.",
            "sampled_on",
        )
    if case.symptoms is Symptoms.NO and case.onset is not None:
        yield Contradiction(
            "symptoms",
            "onset_without_symptoms",
            "Không triệu chứng nhưng lại có ngày khởi phát.",
            "Without symptoms, yet an onset is given.",
            "onset",
        )
    yield from _too_early_a_negative(case)


def _too_early_a_negative(case: Dated) -> Iterator[Contradiction]:
    """It would end the window before what the window is counted from: nobody would be a contact."""
    if case.negative_at is None:
        return
    if case.sampled_on is not None:
        if case.negative_at < local_midnight(case.sampled_on):
            yield Contradiction(
                "negative_at",
                "before_sample",
                "Kết quả âm tính trước ngày lấy mẫu dương tính.",
                "The negative result is before the sampling date of the positive test.",
                "sampled_on",
            )
    elif case.onset is not None and case.negative_at < local_midnight(case.onset):
        yield Contradiction(
            "negative_at",
            "before_onset",
            "Kết quả âm tính trước ngày khởi phát.",
            "The negative result is before the onset.",
            "onset",
        )
