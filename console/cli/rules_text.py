"""A rule-set in words, and the difference between two, for a terminal."""

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from console.cli.contacts_words import TIERS
from console.cli.out import number
from console.cli.session import Session
from schemas.clock import local_text
from tracer.comparison import REASONS
from tracer.ruleset import RuleSet, Text, WarningRule

if TYPE_CHECKING:
    from rich.console import Console

_KINDS: Final = (
    ("added", "Thêm", "Added"),
    ("removed", "Bớt", "Removed"),
    ("changed", "Khác", "Changed"),
)
_SIDES: Final = (
    ("", ""),
    ("thời kỳ lây truyền", "window"),
    ("có thể tiếp xúc", "possible"),
    ("gọi", "call"),
)


def explain(rule_set: RuleSet, session: Session, console: "Console") -> None:
    """What it says, where it comes from, what is not known of it."""

    def heading(vi: str, en: str) -> None:
        console.print(f"\n[bold]{session.words(vi, en)}[/]")

    def text(words: Text, mark: str = "") -> None:
        row = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
        row.add_column(no_wrap=True, width=max(len(mark), 2))
        row.add_column(ratio=1)
        row.add_row(escape(mark), escape(session.lines(words.vi, words.en)))
        console.print(Padding(row, (0, 0, 0, 2)))

    console.print(f"[bold]{escape(session.lines(rule_set.title.vi, rule_set.title.en))}[/]")
    source = rule_set.source
    console.print(f"[dim]{rule_set.id}: {source.name}, {source.issued_by}, {source.date}[/]")
    for missing in rule_set.missing:
        text(missing, "!")
    heading("Thời kỳ lây truyền", "Window")
    if rule_set.window is not None:
        text(rule_set.window)
    if rule_set.warning is not None:
        text(rule_set.warning)
        console.print(Padding(_weights(rule_set.warning, session), (0, 0, 0, 5)))
    if rule_set.clauses:
        heading("Là F1 nếu (người hỏi rồi quyết định)", "An F1 if (a person asks and decides)")
        for clause in rule_set.clauses:
            text(clause, f"({clause.id})")
        heading("Cần hỏi", "To ask")
        for question in rule_set.questions:
            text(question, "?")
    else:
        heading("Đề xuất", "Proposes")
        text(rule_set.co_presence)
    heading("F2", "F2")
    text(rule_set.f2_note)
    for later in rule_set.known_later:
        heading("Văn bản sau này", "A later document")
        text(later, "!")


def _weights(rule: WarningRule, session: Session) -> Table:
    """A minute's weight by day: from onset, or back from registration."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(session.words("ngày", "day"), no_wrap=True)
    table.add_column(session.words("trọng số", "weights"))
    rows = (
        ("từ khởi phát", "from onset", sorted(rule.from_onset.items())),
        ("không triệu chứng", "no symptoms", _back(rule.without_symptoms)),
        ("không rõ", "unknown", _back(rule.symptoms_unknown)),
    )
    for vi, en, levels in rows:
        weights = [f"{day:+d}: {rule.weights[level - 1]:g}" for day, level in levels]
        table.add_row(session.lines(vi, en), "  ".join(weights).replace("+0", "0"))
    return table


def _back(levels: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(-days, level) for days, level in enumerate(levels)]


def show_diff(found: dict[str, Any], limit: int, session: Session, console: "Console") -> None:
    """What each finds, then who is added, who removed, and who changes, with the reasons."""
    sides = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for vi, en in _SIDES:
        sides.add_column(
            session.lines(vi, en), justify="right" if en in ("possible", "call") else "left"
        )
    for name in ("a", "b"):
        side = found[name]
        window = f"{_local(side['window_from'])} – {_local(side['window_to'])}"
        sides.add_row(
            f"{name.upper()}  {side['rule_set']}",
            window,
            number(side["contacts"]),
            number(side["call"]),
        )
    console.print(sides)
    for kind, vi, en in _KINDS:
        changes = [change for change in found["changes"] if change["change"] == kind]
        if not changes:
            continue
        console.print(f"\n[bold]{session.words(vi, en)}[/] {number(len(changes))}")
        for reasons, group in groupby(
            sorted(changes, key=lambda c: c["reasons"]), key=lambda c: c["reasons"]
        ):
            some = list(group)
            words = "; ".join(session.words(REASONS[r].vi, REASONS[r].en) for r in reasons)
            console.print(f"  [dim]{words}[/] {number(len(some))}")
            console.print(Padding(_people(some[:limit], session), (0, 0, 0, 4)))
            if len(some) > limit:
                more = session.words("nữa", "more")
                console.print(f"    [dim]… {number(len(some) - limit)} {more} (--limit, --json)[/]")


def _people(changes: list[dict[str, Any]], session: Session) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    for _ in range(2):
        table.add_column(ratio=1)
    for change in changes:
        sides = [change["before"], change["after"]]
        table.add_row(change["person"], *(_side(side, session) for side in sides))
    return table


def _side(side: dict[str, Any] | None, session: Session) -> str:
    if side is None:
        return "[dim]–[/]"
    language = 1 if session.lang == "en" else 0
    said = [f"{side['minutes']:.0f} min", TIERS[side["tier"]][language]]
    if side["clauses"]:
        said.append(f"({', '.join(side['clauses'])})")
    if "weighted" in side:
        said.append(f"{side['weighted']:g} ({side['category']})")
    return escape(", ".join(said))


def _local(text: str) -> str:
    return local_text(datetime.fromisoformat(text))
