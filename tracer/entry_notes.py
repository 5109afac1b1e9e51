"""What is to be said of what officers entered and that does not count, beside a run."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from schemas.cases import Case
from schemas.clock import local_midnight, local_text
from tracer.identity import ids_in
from tracer.parameters import STATED
from tracer.ruleset import Text
from tracer.window import Window

_MOST_NAMED: Final = 5
_NO_POINT: Final = Text(
    vi="Không mốc dịch tễ nào nằm trong thời kỳ lây truyền theo bộ quy tắc này.",
    en="None of the place-time points lies within the window of this rule-set.",
)


def entry_notes(case: Case, case_stays: pl.DataFrame, window: Window) -> list[Text]:
    """Of points that reach out of the window, named contacts whose last contact was outside it, and
    answers of the case about places where none of its stays counts.

    `case_stays`: the parts that count.
    """
    found = [_points(case, case_stays, window), _named(case, window), _answers(case, case_stays)]
    return [note for note in found if note is not None]


def _points(case: Case, case_stays: pl.DataFrame, window: Window) -> Text | None:
    """Whoever typed a list takes all of it to be traced."""
    if case.points and not case_stays["start_provenance"].cast(pl.String).is_in(STATED).any():
        return _NO_POINT
    points = sorted(set(case.points), key=lambda p: (p.begin, p.end, p.place))
    return _listed(
        "Mốc dịch tễ chỉ được tính trong thời kỳ lây truyền; ở ngoài, cả mốc hoặc một phần "
        "(điểm quét, giờ)",
        "Place-time points count within the window only; outside it, wholly or in part "
        "(place, time)",
        [
            f"{p.place}, {local_text(p.begin)} – {local_text(p.end)}"
            for p in points
            if p.begin < window.start or p.end > window.end
        ],
    )


def _named(case: Case, window: Window) -> Text | None:
    named = sorted(set(case.named), key=lambda n: (n.last_contact, n.person))
    return _listed(
        "Người được khai báo có ngày tiếp xúc cuối ngoài thời kỳ lây truyền: vẫn ở đầu danh sách "
        "gọi, hãy kiểm tra lại ngày (mã người, ngày)",
        "Named contacts whose last contact was outside the window: they are first to call all the "
        "same, check the day (person, day)",
        [
            f"{n.person}, {n.last_contact:%d/%m/%Y}"
            for n in named
            if local_midnight(n.last_contact + timedelta(days=1)) <= window.start
            or local_midnight(n.last_contact) > window.end
        ],
    )


def _answers(case: Case, case_stays: pl.DataFrame) -> Text | None:
    if case.person is None or not case.answers:
        return None
    ids = ids_in(case.person, case.model_dump(mode="json", include={"same"}))
    counted = set(case_stays["place"].to_list())
    answers = sorted(set(case.answers), key=lambda a: (a.begin, a.end, a.place))
    return _listed(
        "Câu trả lời của ca bệnh về nơi mà ca không có lượt ở nào được tính (điểm quét, giờ)",
        "Answers of the case about places where no stay of it counts (place, time)",
        [
            f"{a.place}, {local_text(a.begin)} – {local_text(a.end)}"
            for a in answers
            if a.person in ids and a.place not in counted
        ],
    )


def _listed(vi: str, en: str, found: Sequence[str]) -> Text | None:
    if not found:
        return None
    listed = "; ".join(found[:_MOST_NAMED])
    left = len(found) - _MOST_NAMED
    more = (f"; và {left} mục nữa", f"; and {left} more") if left > 0 else ("", "")
    return Text(vi=f"{vi}: {listed}{more[0]}.", en=f"{en}: {listed}{more[1]}.")
