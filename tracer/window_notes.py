"""What is to be said of a case's window beside every view of its run."""

from typing import Final

from schemas.cases import Case
from tracer.ruleset import RuleSet, Text
from tracer.window import Window, ends_of, tested_before

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


def window_notes(case: Case, rule_set: RuleSet, window: Window) -> list[Text]:
    """Why it is empty, if it is; which end was given and does not count."""
    notes = []
    rule = rule_set.window
    if rule is not None and "negative_at" in rule.until and tested_before(case):
        notes.append(_TESTED_BEFORE)
    if window.empty:
        notes.append(_why_empty(case, rule_set, window))
    return notes


def _why_empty(case: Case, rule_set: RuleSet, window: Window) -> Text:
    if rule_set.window is None:
        return _NO_WEIGHT
    if any(moment <= window.start for moment in ends_of(case, rule_set.window)):
        return _ENDED
    return _TO_COME
