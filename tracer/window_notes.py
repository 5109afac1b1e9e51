"""What is to be said of a case's window beside every view of its run."""

from typing import Final

from schemas.cases import Case
from schemas.clock import local_text
from tracer.ruleset import RuleSet, Text
from tracer.window import Window, ends_of, tested_before

_MOST_NAMED: Final = 5
_ENDED: Final = Text(
    vi="Ca bệnh đã được cách ly hoặc có kết quả âm tính trước khi thời kỳ lây truyền bắt đầu.",
    en="The case was isolated or negative before the window would begin.",
)
_TO_COME: Final = Text(
    vi="Thời kỳ lây truyền chưa bắt đầu: ngày khởi phát hoặc lấy mẫu ở tương lai.",
    en="The window has not begun: the onset or the sampling date lies ahead.",
)
_NO_WEIGHT: Final = Text(
    vi="Theo bộ quy tắc này, không ngày nào của ca bệnh còn được tính: đã quá lâu, hoặc còn ở phía "
    "trước.",
    en="By this rule-set no day of the case counts any more: they are too long ago, or lie ahead.",
)
_TESTED_BEFORE: Final = Text(
    vi="Kết quả âm tính có trước lần xét nghiệm dương tính: không kết thúc thời kỳ lây truyền.",
    en="The negative result is from before the positive test: it does not end the window.",
)
BEFORE_RETENTION: Final = Text(
    vi="Thời kỳ lây truyền bắt đầu trước khi lượt quét được lưu: phần đầu không còn dữ liệu, chỉ "
    "còn những gì lần truy vết trước đã tìm thấy.",
    en="The window begins before what retention keeps: its first part has no scans any more; what "
    "an earlier run found there stands.",
)
_NO_POINT: Final = Text(
    vi="Không mốc dịch tễ nào nằm trong thời kỳ lây truyền theo bộ quy tắc này.",
    en="None of the place-time points lies within the window of this rule-set.",
)


def window_notes(
    case: Case, rule_set: RuleSet, window: Window, *, points_count: bool
) -> list[Text]:
    """Why it is empty, if it is; what was given and does not count. `points_count`: whether some
    part of a place-time point does."""
    notes = []
    rule = rule_set.window
    if rule is not None and "negative_at" in rule.until and tested_before(case):
        notes.append(_TESTED_BEFORE)
    if window.empty:
        notes.append(_why_empty(case, rule_set, window))
    if case.points and not points_count:
        notes.append(_NO_POINT)
    elif left_out := _left_out(case, window):
        notes.append(left_out)
    return notes


def _left_out(case: Case, window: Window) -> Text | None:
    """Whoever typed a list takes all of it to be traced."""
    points = sorted(set(case.points), key=lambda p: (p.begin, p.end, p.place))
    found = [p for p in points if p.begin < window.start or p.end > window.end]
    if not found:
        return None
    listed = "; ".join(
        f"{p.place}, {local_text(p.begin)} – {local_text(p.end)}" for p in found[:_MOST_NAMED]
    )
    more = len(found) - _MOST_NAMED
    vi, en = (f"; và {more} mốc nữa", f"; and {more} more") if more > 0 else ("", "")
    return Text(
        vi="Mốc dịch tễ chỉ được tính trong thời kỳ lây truyền; ở ngoài, cả mốc hoặc một phần "
        f"(điểm quét, giờ): {listed}{vi}.",
        en="Place-time points count within the window only; outside it, wholly or in part "
        f"(place, time): {listed}{en}.",
    )


def _why_empty(case: Case, rule_set: RuleSet, window: Window) -> Text:
    if rule_set.window is None:
        return _NO_WEIGHT
    if any(moment <= window.start for moment in ends_of(case, rule_set.window)):
        return _ENDED
    return _TO_COME
