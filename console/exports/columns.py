"""The columns of a list as a file: one place to add one; docs/exports.md must name it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from console.api.worklist_rows import Row
from console.api.worklist_schemas import WorkContact
from console.store.sites import Named
from console.vault import Identity
from console.worklist import axes
from schemas.clock import LOCAL

Cell = str | int | None
Kind = Literal["id", "name", "text", "number"]


@dataclass(frozen=True)
class Line:
    """One contact, and what is known beside it. `place`: where the path to the case goes."""

    row: Row
    said: WorkContact
    identity: Identity | None
    place_id: int | None
    place: Named | None


@dataclass(frozen=True)
class Column:
    """`kind` id and name: text that must become neither a number nor a date; text: of the program.
    `words`: of the codes, for people."""

    key: str
    vi: str
    en: str
    kind: Kind
    width: int
    cell: Callable[[Line], Cell]
    words: Mapping[str, axes.Words] | None = None


def _possible(line: Line, name: str) -> Any:
    return (line.row.document or {}).get(name)


def _seen(line: Line, name: str) -> Any:
    """Of whom no scan shows with the case, nothing."""
    return _possible(line, name) if _possible(line, "exposures") else None


def _local(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(LOCAL):%Y-%m-%d %H:%M}" if moment else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _yes(value: bool | None) -> str | None:
    """Nothing, where nobody has said."""
    return None if value is None else "yes" if value else "no"


def _answers(line: Line) -> str:
    return "; ".join(f"{q}: {a}" for q, a in sorted(line.row.work.answers.items()))


def _proposed(line: Line) -> str | None:
    proposal = line.said.proposal
    return str(proposal.classification) if proposal and proposal.classification else None


def _fulfilled(line: Line) -> str:
    clauses = line.said.proposal.clauses if line.said.proposal else ()
    return ", ".join(c.clause for c in clauses if c.verdict == "fulfilled")


def _ask(line: Line) -> str:
    return ", ".join(line.said.proposal.ask) if line.said.proposal else ""


def _minutes(line: Line) -> int | None:
    minutes = _seen(line, "minutes")
    return None if minutes is None else round(minutes)


def _percent(line: Line) -> int | None:
    confidence = _seen(line, "confidence")
    return None if confidence is None else round(confidence * 100)


def _companions(line: Line) -> int | None:
    exposures = _possible(line, "exposures") or ()
    return max((e["stay"].get("companions", 0) for e in exposures), default=0) or None


_STATES: Final[dict[str, axes.Words]] = {
    "none": ("không theo dõi", "not followed"),
    "not_begun": ("chưa đến ngày", "not begun"),
    "due": ("đến hạn hôm nay", "due today"),
    "overdue": ("quá hạn", "overdue"),
    "done_today": ("hôm nay đã thăm", "done today"),
    "over": ("đã hết 14 ngày", "the 14 days are over"),
}
_YES_NO: Final[dict[str, axes.Words]] = {"yes": ("có", "yes"), "no": ("không", "no")}

COLUMNS: Final = (
    Column("case", "Ca bệnh", "Case", "id", 16, lambda o: o.row.case.id),
    Column("person", "Mã người", "Person", "id", 16, lambda o: o.row.person),
    Column("last_name", "Họ", "Last name", "name", 14,
           lambda o: o.identity.last_name if o.identity else None),
    Column("first_name", "Tên", "First name", "name", 14,
           lambda o: o.identity.first_name if o.identity else None),
    Column("phone", "Điện thoại", "Phone", "id", 15,
           lambda o: o.identity.phone if o.identity else None),
    Column("phone_verified", "Đã xác minh số", "Phone verified", "text", 10,
           lambda o: _yes(o.identity.phone_verified) if o.identity else None, _YES_NO),
    Column("classification", "Phân loại", "Classification", "text", 22,
           lambda o: o.row.work.classification, axes.CLASSIFICATIONS),
    Column("proposed", "Đề xuất theo câu trả lời", "Proposed by the answers", "text", 22,
           _proposed, axes.CLASSIFICATIONS),
    Column("fulfilled", "Điều khoản thoả", "Clauses fulfilled", "text", 10, _fulfilled),
    Column("to_ask", "Còn phải hỏi", "Still to ask", "text", 26, _ask),
    Column("answers", "Đã trả lời", "Answered", "text", 26, _answers),
    Column("status", "Tình trạng", "Status", "text", 18, lambda o: o.row.work.status,
           axes.STATUSES),
    Column("category", "Nhóm nguy cơ", "Category", "text", 20, lambda o: o.row.work.category,
           axes.CATEGORIES),
    Column("tier", "Mức tiếp xúc", "Tier", "text", 28, lambda o: o.row.tier, axes.LISTED_TIERS),
    Column("relation", "Quan hệ, do ca kể", "Relation, as the case said", "text", 16,
           lambda o: o.row.named.relation.value if o.row.named else None, axes.RELATIONS),
    Column("minutes", "Số phút", "Minutes", "number", 9, _minutes),
    Column("last_exposure", "Lần tiếp xúc cuối (giờ VN)", "Last exposure (local)", "text", 18,
           lambda o: _local(o.row.last_exposure)),
    Column("confidence", "Khả năng có mặt cùng lúc", "Confidence of being there", "text", 12,
           lambda o: _seen(o, "band"), axes.BANDS),
    Column("confidence_percent", "Khả năng (%)", "Confidence (%)", "number", 10, _percent),
    Column("clauses", "Điều khoản có thể áp dụng", "Clauses that could apply", "text", 12,
           lambda o: ", ".join(_possible(o, "clauses") or ())),
    Column("place", "Mã điểm quét", "Place id", "id", 10,
           lambda o: str(o.place_id) if o.place_id else None),
    Column("place_name", "Điểm quét", "Place", "name", 28,
           lambda o: o.place.name if o.place else None),
    Column("site_name", "Cơ sở", "Site", "name", 28,
           lambda o: o.place.site_name if o.place else None),
    Column("companions", "Đi cùng (số người)", "Companions", "number", 9, _companions),
    Column("follow_up", "Theo dõi", "Follow-up", "text", 16, lambda o: o.row.work.follow_up,
           axes.FOLLOW_UPS),
    Column("follow_up_until", "Theo dõi đến", "Followed until", "text", 13,
           lambda o: _day(o.said.plan.until)),
    Column("follow_up_state", "Hôm nay", "Today", "text", 18, lambda o: o.said.plan.state,
           _STATES),
    Column("days_missed", "Số ngày bỏ sót", "Days missed", "number", 9,
           lambda o: o.said.plan.missed),
    Column("symptoms", "Đã có triệu chứng", "Had symptoms", "text", 10,
           lambda o: _yes(o.said.plan.symptoms), _YES_NO),
    Column("reachability", "Cách liên lạc", "Reachability", "text", 18,
           lambda o: o.row.work.reachability, axes.REACHABILITIES),
    Column("assigned_to", "Giao cho (khoá)", "Assigned to (key)", "text", 12,
           lambda o: o.row.work.assigned_to),
    Column("responsible", "Địa bàn phụ trách", "Responsible area", "text", 18,
           lambda o: o.said.responsible),
    Column("duplicate_of", "Trùng với", "Same person as", "id", 16,
           lambda o: o.row.work.duplicate_of),
    Column("converted_to", "Đã thành ca", "Became case", "id", 16,
           lambda o: o.row.work.converted_to),
    Column("is_case", "Đang là ca", "Is open case", "id", 16, lambda o: o.said.is_case),
    Column("excluded", "Loại trừ ở ca bệnh", "Excluded with the case", "text", 14,
           lambda o: o.row.excluded),
    Column("rule_set", "Bộ quy tắc", "Rule-set", "text", 16, lambda o: o.said.rule_set),
    Column("run", "Lần truy vết", "Run", "number", 8,
           lambda o: o.row.run.view.run if o.row.run else None),
)  # fmt: skip


def shown(column: Column, line: Line, language: Literal["vi", "en"]) -> Cell:
    """The cell for people: words in place of codes."""
    cell = column.cell(line)
    if column.words is None or not cell:
        return cell
    words = column.words.get(str(cell))
    return cell if words is None else words[language == "en"]
