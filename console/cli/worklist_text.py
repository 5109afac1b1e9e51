"""A list on a terminal of a hundred columns."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from console.cli.entries_text import EXCLUSIONS
from console.cli.out import number
from console.cli.session import Session
from console.worklist import axes
from schemas.clock import local_text

if TYPE_CHECKING:
    from rich.console import Console

CaseId = Annotated[str, typer.Argument(metavar="CASE")]
Person = Annotated[str, typer.Argument(metavar="PERSON")]
Note = Annotated[
    str | None,
    typer.Option("--note", help="Ghi chú, chỉ nằm trong lịch sử. / Kept in the history alone."),
]
PLANS: Final[dict[str, axes.Words]] = {
    "none": ("–", "–"),
    "not_begun": ("chưa đến", "not begun"),
    "due": ("hôm nay", "due"),
    "overdue": ("quá hạn", "overdue"),
    "done_today": ("đã thăm", "done"),
    "over": ("hết 14 ngày", "over"),
}
VERDICTS: Final[dict[str, axes.Words]] = {
    "fulfilled": ("thoả", "fulfilled"),
    "excluded": ("loại", "excluded"),
    "open": ("chưa rõ", "open"),
}
_GROUNDS: Final[dict[str, axes.Words]] = {
    "answers": ("theo câu trả lời", "by the answers"),
    "scan": ("theo lượt quét", "by the scans"),
    "not_known": ("cán bộ tự đọc điều khoản", "read the clause"),
}
_SHORT: Final[dict[str, axes.Words]] = {
    "named": ("khai", "named"),
    "same_small_enclosed": ("hẹp, kín", "small"),
    "same_place": ("cùng nơi", "place"),
    "same_time_only": ("cùng lúc", "time"),
    "withdrawn": ("đã rút", "gone"),
}
CLASSES: Final[dict[str, axes.Words]] = {
    "UNCONFIRMED": ("chưa rõ", "undecided"),
    "CONFIRMED": ("F1", "F1"),
    "NO_CONTACT": ("không", "no"),
}


def show_list(found: dict[str, Any], session: Session, console: "Console") -> None:
    """Each contact: what is known, proposed, decided, due."""
    console.print(f"[bold]{escape(found['case'])}[/]  [dim]{found['rule_set'] or ''}[/]")
    table = table_of(
        session,
        *(("#", "#"), ("Ai", "Who"), ("Nơi", "Tier"), ("Phút", "Min"), ("Tin cậy", "Sure")),
        *(("Đề xuất", "Proposed"), ("Kết luận", "Decided"), ("Còn hỏi", "To ask")),
        *(("Thăm", "Visit"), ("Giao", "By")),
    )
    for at, contact in enumerate(found["contacts"], start=found["offset"] + 1):
        known, proposal = contact["possible"] or {}, contact["proposal"]
        tier = "named" if contact["named"] else known.get("tier", "withdrawn")
        table.add_row(
            str(at),
            contact["person"],
            session.word(_SHORT, tier),
            f"{known['minutes']:.0f}" if known.get("exposures") else "",
            session.word(axes.BANDS, known["band"]) if known.get("exposures") else "",
            session.word(CLASSES, proposal["classification"] if proposal else None),
            _decided(contact, session),
            escape(" ".join(proposal["ask"]) if proposal else ""),
            session.word(PLANS, contact["plan"]["state"]),
            contact["assigned_to"] or "",
        )
    console.print(table)
    shown = len(found["contacts"])
    if found["offset"] + shown < found["total"]:
        left = number(found["total"] - found["offset"] - shown)
        more = session.words(f"… và {left} người nữa", f"and {left} more")
        console.print(f"[dim]{more} (--limit, --offset, --json)[/]")
    said = session.lines(
        "Chương trình chỉ đề xuất theo điều khoản; cán bộ kết luận.",
        "The program proposes by the clauses; an officer decides.",
    )
    console.print(f"[dim]{said}[/]")


def show_contact(contact: dict[str, Any], session: Session, console: "Console") -> None:
    """One contact: the four axes apart, the clauses, the follow-up; visits and history if given."""
    title = f"{contact['person']} ({contact['case']})"
    console.print(f"[bold]{escape(title)}[/]  [dim]v{contact['version']}[/]")
    plan = contact["plan"]
    until = f", {session.words('đến', 'until')} {day_of(plan['until'])}" if plan["until"] else ""
    followed = session.word(axes.FOLLOW_UPS, contact["follow_up"]) or "–"
    lines = (
        (("Phân loại", "Classification"), session.word(axes.CLASSIFICATIONS,
                                                contact["classification"])),
        (("Tình trạng", "Status"), session.word(axes.STATUSES, contact["status"])),
        (("Theo dõi", "Follow-up"), followed + until),
        (("Hôm nay", "Today"), _due(plan, session)),
        (("Nhóm nguy cơ", "Category"), session.word(axes.CATEGORIES, contact["category"])),
        (("Liên lạc", "Reachable"), session.word(axes.REACHABILITIES, contact["reachability"])),
        (("Phụ trách", "Responsible"), contact["responsible"]),
        (("Giao cho", "Assigned to"), contact["assigned_to"]),
        (("Trùng với", "Same as"), contact["duplicate_of"]),
        (("Đã thành ca", "Became case"), contact["converted_to"]),
        (("Đang là ca", "Is open case"), contact["is_case"]),
        (("Ca bệnh kể tên", "Named by the case"), _named(contact, session)),
        (("Loại trừ ở ca", "Excluded"), session.word(EXCLUSIONS, contact["excluded"])),
        (("Trả lời", "Answers"), ", ".join(f"{q}={a}" for q, a in contact["answers"].items())),
    )  # fmt: skip
    for (vi, en), value in lines:
        if value:
            console.print(f"  {session.words(vi, en):<30} {escape(value)}")
    _clauses(contact, session, console)
    for visit in contact.get("visits", ()):
        seen = session.word(axes.RESULTS, visit["result"])
        ill = {True: session.words("có triệu chứng", "symptoms"), False: "", None: ""}
        warm = f"{visit['temperature']:.1f} °C" if visit["temperature"] is not None else ""
        parts = (day_of(visit["day"]), seen, ill[visit["symptoms"]], warm)
        console.print("  " + "  ".join(part for part in parts if part))
    for step in contact.get("steps", ()):
        when = local_text(datetime.fromisoformat(step["at"]))
        what = "; ".join(f"{name}: {_told(was)}" for name, was in step["changes"].items())
        said = f" — {step['note']}" if step["note"] else ""
        console.print(f"  [dim]{when}  {step['by']}  {step['what']}[/]  {escape(what + said)}")


def _clauses(contact: dict[str, Any], session: Session, console: "Console") -> None:
    proposal = contact["proposal"]
    if proposal is None:
        return
    if not proposal["clauses"]:
        vi = "Bộ quy tắc không định nghĩa F1: chương trình không đề xuất."
        en = "The rule-set defines no F1: nothing is proposed."
        console.print(f"  [dim]{session.words(vi, en)}[/]")
        return
    proposed = session.words(*axes.CLASSIFICATIONS[proposal["classification"]])
    console.print(f"  {session.words('Đề xuất', 'Proposed'):<30} {proposed}")
    from tracer.ruleset import load_rule_sets

    rules = {rule_set.id: rule_set for rule_set in load_rule_sets()}.get(contact["rule_set"])
    texts = {c.id: session.words(c.vi, c.en) for c in rules.clauses} if rules else {}
    asked = {q.id: session.words(q.vi, q.en) for q in rules.questions} if rules else {}
    for clause in proposal["clauses"]:
        verdict = session.words(*VERDICTS[clause["verdict"]])
        known = clause["verdict"] != "open" or clause["ground"] == "not_known"
        ground = session.words(*_GROUNDS[clause["ground"]]) if known else ""
        console.print(f"    ({clause['clause']}) {escape(verdict)} [dim]{ground}[/]")
        if text := texts.get(clause["clause"]):
            console.print(Padding(f"[dim]{escape(text)}[/]", (0, 0, 0, 8)))
    if proposal["ask"]:
        console.print(f"  {session.words('Còn phải hỏi', 'Still to ask')}")
    for question in proposal["ask"]:
        console.print(Padding(escape(f"{question}: {asked.get(question, '')}"), (0, 0, 0, 4)))


def show_summary(found: dict[str, Any], session: Session, console: "Console") -> None:
    """Counts by axis, and reachability with its share of the call list."""
    console.print(f"[bold]{escape(found['case'])}[/]")
    for (vi, en), count in (
        (("Người", "Contacts"), found["contacts"]),
        (("Phải gọi", "To call"), found["call_list"]),
        (("Đã xử lý", "Touched"), found["touched"]),
        (("Đã bàn giao", "Handed over"), found["handed_over"]),
    ):
        console.print(f"  {session.words(vi, en):<42} {number(count):>6}")
    for (vi, en), axis, words in (
        (("Phân loại", "Classification"), "classification", axes.CLASSIFICATIONS),
        (("Tình trạng", "Status"), "status", axes.STATUSES),
        (("Theo dõi", "Follow-up"), "follow_up", axes.FOLLOW_UPS),
        (("Nhóm nguy cơ", "Category"), "category", axes.CATEGORIES),
    ):
        if found[axis]:
            console.print(f"[dim]{session.words(vi, en)}[/]")
        for code, count in found[axis].items():
            console.print(f"  {session.words(*words[code]):<42} {number(count):>6}")
    reachable = session.words("Liên lạc, trong số phải gọi", "Reachable, of those to call")
    console.print(f"[dim]{reachable}[/]")
    for reach in found["reachability"]:
        how = session.words(*axes.REACHABILITIES[reach["how"]])
        share = f"({100 * reach['share']:.0f} %)"
        console.print(f"  {how:<42} {number(reach['count']):>6}  {share}")


def _due(plan: dict[str, Any], session: Session) -> str:
    if plan["state"] == "none":
        return ""
    parts = [session.words(*PLANS[plan["state"]])]
    if plan["missed"]:
        parts.append(session.words(f"sót {plan['missed']} ngày", f"{plan['missed']} days missed"))
    if plan["unreached"]:
        vi, en = f"vắng {plan['unreached']} lần liền", f"not seen {plan['unreached']} times"
        parts.append(session.words(vi, en))
    if plan["symptoms"]:
        parts.append(session.words("có triệu chứng", "symptoms"))
    return ", ".join(parts)


def _decided(contact: dict[str, Any], session: Session) -> str:
    if contact["status"] != "ACTIVE":
        return session.words(*axes.STATUSES[contact["status"]])
    if contact["duplicate_of"]:
        return f"= {contact['duplicate_of']}"
    if contact["excluded"]:
        return session.words("loại trừ", "excluded")
    if contact["is_case"]:
        return str(contact["is_case"])
    return session.words(*CLASSES[contact["classification"]])


def _named(contact: dict[str, Any], session: Session) -> str:
    named = contact["named"]
    if not named:
        return ""
    return f"{session.word(axes.RELATIONS, named['relation'])}, {day_of(named['last_contact'])}"


def _told(change: Any) -> str:
    was, became = change
    return f"{_plain(was)} → {_plain(became)}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in value.items() if v is not None) or "–"
    return "–" if value is None else str(value)


def day_of(text: str | None) -> str:
    """`DD/MM/YYYY`, or nothing."""
    return f"{datetime.fromisoformat(text):%d/%m/%Y}" if text else ""


def table_of(session: Session, *titles: axes.Words) -> Table:
    """An empty one with these titles."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for vi, en in titles:
        fixed = en in ("#", "Who", "Case", "Until")
        table.add_column(session.lines(vi, en), no_wrap=fixed, overflow="fold")
    return table
