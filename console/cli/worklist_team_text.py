"""What a team does together, on a terminal: who is due, whom to call, hand-overs, doubles."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape

from console.cli.out import number
from console.cli.session import Session
from console.cli.worklist_text import PLANS, day_of, table_of
from console.worklist import axes
from console.worklist.triage import SETTINGS
from schemas.clock import LOCAL, local_text

if TYPE_CHECKING:
    from rich.console import Console

HANDOVER_STATES: Final[dict[str, axes.Words]] = {
    "pending": ("đang chờ", "pending"),
    "accepted": ("đã nhận", "accepted"),
    "refused": ("bị từ chối", "refused"),
    "withdrawn": ("đã rút", "withdrawn"),
}


def show_due(
    day: str, contacts: list[dict[str, Any]], session: Session, console: "Console"
) -> None:
    """Symptoms first, then overdue, then due."""
    console.print(f"[bold]{day_of(day)}[/]")
    if not contacts:
        console.print(session.words("Hôm nay không còn ai phải thăm.", "Nobody is due today."))
        return
    order = {"overdue": 0, "due": 1}
    contacts = sorted(
        contacts,
        key=lambda c: (
            not c["plan"]["symptoms"], order.get(c["plan"]["state"], 2), -c["plan"]["missed"],
            c["case"], c["person"],
        ),
    )  # fmt: skip
    table = table_of(
        session,
        *(("Ai", "Who"), ("Ca", "Case"), ("Thăm", "Visit"), ("Sót", "Missed")),
        *(("Vắng", "Absent"), ("Triệu chứng", "Ill"), ("Đến ngày", "Until"), ("Giao", "By")),
    )
    for one in contacts:
        plan = one["plan"]
        table.add_row(
            one["person"],
            one["case"],
            session.word(PLANS, plan["state"]),
            str(plan["missed"] or ""),
            str(plan["unreached"] or ""),
            session.words("có", "yes") if plan["symptoms"] else "",
            day_of(plan["until"]),
            one["assigned_to"] or "",
        )
    console.print(table)


def show_triage(found: dict[str, Any], session: Session, console: "Console") -> None:
    """In order; then what is left out, by reason, tier and confidence."""
    table = table_of(
        session,
        *(("#", "#"), ("Ai", "Who"), ("Ca", "Case"), ("Nơi", "Tier"), ("Phút", "Min")),
        *(("Lần cuối", "Last"), ("Tin cậy", "Sure"), ("Nơi chốn", "Setting"), ("Giao", "By")),
    )
    settings = {name: words for name, (words, _) in SETTINGS.items()}
    for row in found["today"]:
        more = f" +{len(row['cases']) - 1}" if len(row["cases"]) > 1 else ""
        table.add_row(
            str(row["number"]),
            row["person"],
            row["case"] + more,
            session.word(axes.LISTED_TIERS, row["tier"]),
            f"{row['minutes']:.0f}",
            _last(row["last_exposure"]),
            session.word(axes.BANDS, row["band"]),
            session.word(settings, row["setting"]),
            row["assigned_to"] or "",
        )
    called, most = number(len(found["today"])), number(found["capacity"])
    cases = number(len(found["cases"]))
    vi = f"Hôm nay gọi {called} người (sức của ngày: {most}), số ca: {cases}"
    en = f"{called} to call today (capacity {most}), cases: {cases}"
    console.print(f"[bold]{session.lines(vi, en)}[/]")
    if found["today"]:
        console.print(table)
    if not found["left_out"]:
        return
    console.print(f"\n{session.words('Không có trong danh sách hôm nay', 'Not on it today')}:")
    left = table_of(session, ("Vì sao", "Why"), ("Nơi", "Tier"), ("Tin cậy", "Sure"), ("Số", "No."))
    for row in found["left_out"]:
        left.add_row(
            session.words(row["sentence"]["vi"], row["sentence"]["en"]),
            session.word(axes.LISTED_TIERS, row["tier"]),
            session.word(axes.BANDS, row["band"]),
            number(row["count"]),
        )
    console.print(left)


def show_handovers(found: list[dict[str, Any]], session: Session, console: "Console") -> None:
    """The newest first."""
    if not found:
        console.print(session.words("Không có bàn giao nào.", "There are no hand-overs."))
        return
    table = table_of(
        session,
        *(("#", "#"), ("Ai", "Who"), ("Ca", "Case"), ("Từ", "From"), ("Đến", "To")),
        *(("Trả lời", "Answer"), ("Hỏi lúc", "Asked"), ("Ai trả lời", "By")),
    )
    for one in found:
        table.add_row(
            str(one["id"]),
            one["person"],
            one["case"],
            one["from"],
            one["to"],
            session.word(HANDOVER_STATES, one["state"]),
            local_text(datetime.fromisoformat(one["asked_at"])),
            one["answered_by"] or "",
        )
    console.print(table)


def show_duplicates(found: dict[str, Any], session: Session, console: "Console") -> None:
    """Each suggestion with its reason, and what was decided."""
    if not found["suggestions"]:
        console.print(session.words("Không thấy ai trùng.", "Nobody looks like another."))
    for one in found["suggestions"]:
        console.print(f"[bold]{one['first']}  {one['second']}[/]")
        console.print(f"  {escape(session.lines(one['reason']['vi'], '  ' + one['reason']['en']))}")
        for person, methods in one["methods"].items():
            if methods:
                console.print(f"  [dim]{person}: {', '.join(methods)}[/]")
    for pair in found["decided"]:
        same = session.words("là một", "one person")
        two = session.words("là hai người", "two persons")
        said = same if pair["same"] else two
        console.print(f"[dim]{pair['first']}  {pair['second']}: {said}[/]")
    if found["suggestions"]:
        vi = "Hai người luôn đi cùng nhau cũng trông như vậy: hãy hỏi, rồi `list same` hoặc"
        vi += " `list different`."
        en = "Two who always go together look the same: ask, then `list same` or `list different`."
        console.print(f"[dim]{session.lines(vi, en)}[/]")
    if found["note"]:
        console.print(f"[dim]{session.lines(found['note']['vi'], found['note']['en'])}[/]")


def _last(text: str | None) -> str:
    return f"{datetime.fromisoformat(text).astimezone(LOCAL):%d/%m %H:%M}" if text else ""
