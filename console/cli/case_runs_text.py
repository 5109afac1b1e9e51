"""A case's runs and what changed from one to another, on a terminal of a hundred columns."""

from datetime import datetime
from typing import Any, Final

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from console.cli.case_text import local
from console.cli.contacts_words import BANDS
from console.cli.out import line, named, number, screen
from console.cli.session import Session
from schemas.clock import LOCAL
from schemas.errors import UserError

KINDS: Final = {
    "added": ("thêm", "added"),
    "changed": ("đổi", "changed"),
    "withdrawn": ("rút", "withdrawn"),
}
# as in docs/cases.md
REASONS: Final = {
    "case_voided": ("ca đăng ký nhầm", "the case was registered in error"),
    "rule_set": ("bộ quy tắc khác", "another rule-set"),
    "parameters": ("tham số khác", "other parameters"),
    "window": ("thời kỳ lây truyền khác", "another infectious period"),
    "late_scan": ("lượt quét đến sau", "a scan not seen before"),
    "excluded": ("cán bộ loại trừ, hoặc bỏ loại trừ", "excluded, or that was taken back"),
    "named": ("được kể tên, hoặc bỏ", "named, or that was taken back"),
    "points": ("mốc dịch tễ", "place-time points"),
    "answered": ("câu trả lời", "what somebody answered"),
    "decided": ("kết luận của cán bộ", "an officer's decision"),
    "same_person": ("hai mã của một người", "two ids of one person"),
    "facts": ("điều đã biết về nơi, mã, chuyến", "what is known of places, codes, trips"),
}
TIERS: Final = {
    "named": ("kể tên", "named"),
    "same_small_enclosed": ("nơi hẹp, kín", "small, enclosed"),
    "same_place": ("cùng nơi", "same place"),
    "same_time_only": ("chỉ cùng lúc", "same time only"),
}
DECIDED: Final = {"CONFIRMED": ("F1", "F1"), "NO_CONTACT": ("loại trừ", "ruled out")}


def no_runs(case_id: str) -> UserError:
    """What is said of a case that has not been traced."""
    return UserError(f"Ca {case_id} chưa được truy vết. / Case {case_id} has not been traced yet.")


def show_runs(found: dict[str, Any], session: Session) -> None:
    """A line a run, and what is to be said beside them."""
    if not found["runs"]:
        line(session.words("Ca này chưa được truy vết.", "This case has not been traced yet."))
        return
    table = _table()
    table.add_column("#", justify="right", no_wrap=True)
    columns = (
        ("lưu lúc", "stored"), ("vì", "because"), ("ca v.", "case v."),
        ("bộ quy tắc", "rule-set"), ("người", "contacts"),
    )  # fmt: skip
    for vi, en in columns:
        table.add_column(session.lines(vi, en))
    for run in found["runs"]:
        table.add_row(
            str(run["run"]),
            local(run["stored_at"]),
            session.lines(run["because"]["vi"], run["because"]["en"]),
            str(run["case_version"]),
            run["rule_set"],
            _tiers(run["contacts_by_tier"], session),
        )
    screen().print(table)
    _notes(found["runs"], session)
    if found["next"]:
        line(session.words("… còn nữa", "there are more") + f" (--before {found['next']})")


def places_in(changes: list[dict[str, Any]]) -> set[int]:
    """The places of these changes' contacts."""
    sides = [side for change in changes for side in (change["before"], change["after"]) if side]
    return {exposure["place"] for side in sides for exposure in side["exposures"]}


def show_changes(found: dict[str, Any], places: dict[str, Any], session: Session) -> None:
    """Each person: what became of them, before, after, and why. `places`: those in the area."""
    run, against = found["run"], found["against"]
    console = screen()
    console.print(escape(f"{found['case']}: {_head(run, session)}"))
    if against is None:
        line(session.words("Lần đầu: mọi người đều mới.", "The first run: everybody is new."))
    else:
        console.print(escape(f"{session.words('so với', 'against')} {_head(against, session)}"))
    if not found["changes"]:
        line(session.words("Không ai thay đổi.", "Nobody has changed."))
        return
    table = _table()
    table.add_column(session.lines("việc", "what"), no_wrap=True)
    table.add_column(session.lines("ai", "who"), no_wrap=True, width=13)
    for vi, en in (("trước", "before"), ("sau", "after"), ("vì sao", "why")):
        table.add_column(session.lines(vi, en), ratio=1)
    for change in found["changes"]:
        reasons = [session.lines(*REASONS.get(r, (r, r))) for r in change["reasons"]]
        table.add_row(
            session.lines(*KINDS[change["kind"]]),
            change["person"],
            _side(change["before"], places, session),
            _side(change["after"], places, session),
            "\n".join(reasons),
        )
    console.print(table)
    if found["next"]:
        line(session.words("… và người khác nữa", "and others") + " (--limit, --json)")


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")


def _head(run: dict[str, Any], session: Session) -> str:
    words = session.words(f"lần truy vết {run['run']}", f"run {run['run']}")
    because = session.words(run["because"]["vi"], run["because"]["en"])
    return f"{words}, {local(run['stored_at'])} ({because}; {run['rule_set']})"


def _tiers(counts: dict[str, int], session: Session) -> str:
    some = [(TIERS.get(tier, (tier, tier)), count) for tier, count in counts.items() if count]
    return "\n".join(f"{number(n)} {session.words(*words)}" for words, n in some) or "0"


def _notes(runs: list[dict[str, Any]], session: Session) -> None:
    """What the runs say of themselves, each once, with the runs that do."""
    said: dict[str, list[str]] = {}
    for run in runs:
        for note in run["notes"]:
            said.setdefault(session.lines(note["vi"], note["en"]), []).append(str(run["run"]))
    for text, numbers in said.items():
        of = f"#{', '.join(numbers)}"
        screen().print(Padding(f"[dim]{of}: {escape(text)}[/]", (0, 0, 0, 2)))


def _side(contact: dict[str, Any] | None, places: dict[str, Any], session: Session) -> str:
    """A contact as one of the two runs has it."""
    if contact is None:
        return "–"
    tier = contact["tier"]
    lines = [session.words(*TIERS.get(tier, (tier, tier)))]
    band = session.words(*BANDS[contact["band"]])
    lines.append(f"{contact['minutes']:.0f} {session.words('phút', 'min')}, {band}")
    exposures = contact["exposures"]
    if exposures:
        first = exposures[0]
        lines.append(f"{_where(first['place'], places)} {_when(first['start'], first['end'])}")
        if len(exposures) > 1:
            lines.append(f"+{len(exposures) - 1} {session.words('lần', 'more')}")
    if contact["clauses"]:
        lines.append(f"({', '.join(contact['clauses'])})")
    if decided := contact.get("decided"):
        lines.append(session.words(*DECIDED[decided]))
    return escape("\n".join(lines))


def _where(place: int, places: dict[str, Any]) -> str:
    known = places.get(str(place))
    return named(known["name"], known["site_name"]) if known else f"#{place}"


def _when(start: str, end: str) -> str:
    begin, until = (datetime.fromisoformat(text).astimezone(LOCAL) for text in (start, end))
    last = f"{until:%H:%M}" if begin.date() == until.date() else f"{until:%d/%m %H:%M}"
    return f"{begin:%d/%m %H:%M}–{last}"
