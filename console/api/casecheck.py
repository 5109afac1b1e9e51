"""What is wrong with a case beyond the form of its fields."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import polars as pl

from console.api.errors import field_problem
from console.api.schemas import FieldProblem, RegisterCase
from console.api.state import Console
from console.store import sites
from console.store.case_dates import Contradiction, amended_contradictions, contradictions
from console.store.ground import ground
from issuer.units import is_ward
from schemas.cases import DAYS, FIRST_DAY, MOMENTS, Answer, Case, Point
from schemas.clock import LOCAL, local_midnight
from schemas.scan import FUTURE_SKEW_SECONDS
from tracer.columns import instants
from tracer.frames import TIME
from tracer.ground import longest_at
from tracer.parameters import load_parameters
from tracer.window import tested_before

# Of a place-time point; an answer may be as long as a stay at its place, where that is longer.
LONGEST_STATED: Final = timedelta(hours=24)
_SKEW: Final = timedelta(seconds=FUTURE_SKEW_SECONDS)
_CHECKED: Final = frozenset({*DAYS, *MOMENTS, "ward", "rule_set"})
_FUTURE: Final = {
    "onset": ("Ngày khởi phát ở tương lai.", "The onset is in the future."),
    "sampled_on": ("Ngày lấy mẫu ở tương lai.", "The sampling date is in the future."),
    "result_on": ("Ngày có kết quả ở tương lai.", "The day of the result is in the future."),
    "isolated_at": ("Thời điểm cách ly ở tương lai.", "The isolation is in the future."),
    "negative_at": ("Thời điểm âm tính ở tương lai.", "The negative result is in the future."),
}


class Span(Protocol):
    """A time that somebody tells of."""

    @property
    def begin(self) -> datetime:
        """From then on."""

    @property
    def end(self) -> datetime:
        """Until then."""


def problems_of(case: RegisterCase, now: datetime, console: Console) -> list[FieldProblem]:
    """Each problem under its field; empty if the case can be registered."""
    found = time_problems("points", case.points, now, console, since=now)
    found += _problems_of(case, _CHECKED, now, console)
    return found + _named(contradictions(case))


def amendment_problems(
    case: Case, changes: Mapping[str, Any], now: datetime, console: Console
) -> list[FieldProblem]:
    """Of the fields that become others, and of how all are to each other.

    What stays was right when it was entered: a point that is older than retention by now, a place
    or rule-set that is gone, are no reason to leave another field wrong.
    """
    other = {name for name, value in changes.items() if getattr(case, name) != value}
    amended = case.model_copy(update=changes)
    found = _problems_of(amended, other, now, console)
    return found + _named(amended_contradictions(case, changes))


def reopening_problems(
    case: Case, changes: Mapping[str, Any], now: datetime, console: Console, ongoing: bool
) -> list[FieldProblem]:
    """Of all its fields as they would be: what was stored before a rule was here is no more than
    stored as long as it is closed. And of a period that nothing ends, unless it is `ongoing`, which
    one that has ended is not."""
    amended = case.model_copy(update=dict(changes))
    found = _problems_of(amended, _CHECKED, now, console)
    found += _named(contradictions(amended))
    negative = amended.negative_at is not None and not tested_before(amended)
    ended = amended.isolated_at is not None or negative
    if amended.person is not None and not (ended or ongoing):
        found.append(
            field_problem(
                "isolated_at",
                "no_end",
                "Chưa rõ thời kỳ lây truyền hết khi nào: hãy ghi isolated_at hoặc negative_at, "
                "hoặc nói rõ là vẫn chưa hết (ongoing).",
                "Nothing ends the infectious period: give isolated_at or negative_at, or say that "
                "it goes on (ongoing).",
            )
        )
    if ongoing and ended:
        words = (
            "Đã có isolated_at hoặc negative_at: thời kỳ lây truyền đã hết, không thể vẫn còn.",
            "There is an isolated_at or negative_at: the infectious period has ended, and does not "
            "go on.",
        )
        found.append(field_problem("ongoing", "ended", *words))
    return found


def _problems_of(
    case: Case | RegisterCase, fields: AbstractSet[str], now: datetime, console: Console
) -> list[FieldProblem]:
    """Of these fields, each by itself."""
    today = now.astimezone(LOCAL).date()
    found = []
    for field in DAYS:
        day = getattr(case, field) if field in fields else None
        if day is not None and day > today:
            found.append(field_problem(field, "in_future", *_FUTURE[field]))
        elif day is not None and day < FIRST_DAY:
            found.append(too_old(field))
    for field in MOMENTS:
        moment = getattr(case, field) if field in fields else None
        if moment is not None and moment > now + _SKEW:
            found.append(field_problem(field, "in_future", *_FUTURE[field]))
    isolated = case.isolated_at if "isolated_at" in fields else None
    if isolated is not None and isolated < local_midnight(FIRST_DAY):
        found.append(too_old("isolated_at"))
    if "ward" in fields and not is_ward(case.ward):
        found.append(
            field_problem(
                "ward",
                "unknown",
                "Không có xã, phường, thị trấn nào mang mã này.",
                "There is no ward with this code.",
            )
        )
    rule_sets = console.rule_sets
    if "rule_set" in fields and case.rule_set is not None and case.rule_set not in rule_sets:
        found.append(unknown_rule_set("rule_set", rule_sets))
    return found


def too_old(field: str) -> FieldProblem:
    """That no case of today has such a day: an empty or mistyped one, as .NET's 0001-01-01."""
    return field_problem(
        field,
        "too_old",
        f"Ngày trước {FIRST_DAY:%d/%m/%Y}: hãy xem lại năm.",
        f"The day is before {FIRST_DAY}: look at the year again.",
    )


def _named(wrong: Iterable[Contradiction]) -> list[FieldProblem]:
    return [field_problem(one.field, one.code, one.vi, one.en) for one in wrong]


def time_problems(
    name: str,
    entries: Sequence[Point | Answer],
    now: datetime,
    console: Console,
    *,
    since: datetime,
) -> list[FieldProblem]:
    """Of entries with a place and a time: what is wrong with either. `since`: when the case was
    registered; of a time of which scans were kept then, an earlier run may have what it found."""
    wanted = sorted({entry.place for entry in entries})
    known = sites.known_places(console.store, wanted)
    days = console.settings.retention_days
    found = []
    for number, entry in enumerate(entries):
        field = f"{name}.{number}"
        if entry.place not in known:
            words = "Không có điểm quét này.", "There is no such place."
            found.append(field_problem(f"{field}.place", "unknown", *words))
        found += span_problems(f"{field}.", entry, now)
        if days and _nothing_left(entry, timedelta(days=days), now, since):
            found.append(
                field_problem(
                    f"{field}.begin",
                    "before_retention",
                    f"Lượt quét chỉ được giữ {days} ngày: không còn gì để truy vết.",
                    f"Scans are kept for {days} days: nothing is left to trace.",
                )
            )
    found += _too_long(name, entries, console)
    return found


def span_problems(prefix: str, entry: Span, now: datetime) -> list[FieldProblem]:
    """What is wrong with a time that somebody tells of. `prefix`: before the name of the field."""
    found = []
    if entry.begin >= entry.end:
        words = "Phải sau thời điểm bắt đầu.", "It must be after the beginning."
        found.append(field_problem(f"{prefix}end", "before_begin", *words))
    if entry.end > now + _SKEW:
        words = "Thời điểm ở tương lai.", "It is in the future."
        found.append(field_problem(f"{prefix}end", "in_future", *words))
    return found


def _nothing_left(entry: Point | Answer, kept: timedelta, now: datetime, since: datetime) -> bool:
    """Whether it would change nothing. (An answer does not change a stay whose scans are gone.)"""
    if isinstance(entry, Answer):
        return entry.begin < now - kept
    return entry.end <= min(now, since) - kept


def _too_long(name: str, entries: Sequence[Point | Answer], console: Console) -> list[FieldProblem]:
    long = [(n, e) for n, e in enumerate(entries) if e.end - e.begin > LONGEST_STATED]
    if not long:
        return []
    places = pl.Series([entry.place for _, entry in long], dtype=pl.UInt32)
    begins = pl.Series([entry.begin for _, entry in long], dtype=TIME)
    parameters = load_parameters()
    stands_on, t = ground(console.store, parameters).at(places), instants(begins)
    rides = stands_on.rides(places.to_numpy(), t, pl.Series([None] * len(long), dtype=pl.String))
    stays = longest_at(t, rides, stands_on.limits(places.to_numpy()).most, parameters).tolist()
    found = []
    for (number, entry), stay in zip(long, stays, strict=True):
        field, most = f"{name}.{number}.end", LONGEST_STATED
        words = "hãy tách thành nhiều mốc", "enter it as several"
        if isinstance(entry, Answer):
            most = max(most, timedelta(milliseconds=stay))
            words = (
                "không có khoảng có mặt nào ở đây kéo dài như vậy, hãy kiểm tra lại ngày giờ",
                "no stay there lasts that long, check the days and times",
            )
        if entry.end - entry.begin > most:
            hours = int(most.total_seconds() // 3600)
            vi, en = f"Dài hơn {hours} giờ: {words[0]}.", f"Longer than {hours} hours: {words[1]}."
            found.append(field_problem(field, "too_long", vi, en))
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
