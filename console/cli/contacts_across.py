"""The table of the possible contacts of all open cases: a person once, a line a case."""

from datetime import datetime
from typing import Any

from rich.table import Table

from console.cli.contacts_words import BANDS, TIERS
from console.cli.out import line, number, screen
from console.cli.session import Session
from schemas.clock import local_text


def show_across(found: dict[str, Any], session: Session) -> None:
    """Who, of which cases, how near, how long, how sure."""
    persons, cases = number(found["total"]), number(found["cases"])
    line(
        session.lines(
            f"{persons} người có thể đã tiếp xúc gần với {cases} ca đang mở.",
            f"{persons} possible contacts of {cases} open cases.",
        )
    )
    if found["cases_left_out"]:
        left = number(found["cases_left_out"])
        line(
            session.lines(
                f"Còn {left} ca đang mở cũ hơn không có ở đây: hãy xem từng ca.",
                f"{left} older open cases are not among these: look at each by itself.",
            )
        )
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for vi, en in (
        ("Ai", "Who"),
        ("Ca, hạng", "Case, rank"),
        ("Mức", "Tier"),
        ("Phút", "Min"),
        ("Lần cuối", "Last"),
        ("Tin cậy", "Sure"),
    ):
        table.add_column(session.lines(vi, en))
    for contact in found["contacts"]:
        who = contact["person"]
        for of_case in contact["cases"]:
            table.add_row(
                who,
                f"{of_case['case']} #{of_case['rank']}",
                session.words(*TIERS.get(of_case["tier"], (of_case["tier"],) * 2)),
                f"{of_case['minutes']:.0f}",
                local_text(datetime.fromisoformat(of_case["last_exposure"])),
                session.words(*BANDS[of_case["band"]]),
            )
            who = ""
    screen().print(table)
