"""The table of possible contacts, for a terminal of a hundred columns."""

from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from console.cli.contacts_words import (
    BANDS,
    CALLED,
    CATEGORIES,
    PROPOSED,
    PROVENANCE,
    RULED_OUT,
    SHORT,
    TIERS,
)
from console.cli.entries_text import listed
from console.cli.list_status import show_ended
from console.cli.out import number
from console.cli.session import Session
from console.worklist import axes
from schemas.clock import LOCAL, local_text
from tracer.ruleset import RuleSet, load_rule_sets
from tracer.tiers import Tier

if TYPE_CHECKING:
    from rich.console import Console


def show(found: dict[str, Any], session: Session, console: "Console") -> None:
    """The case, the table by tier, what the letters mean, and what the list is not."""
    rules = {rule_set.id: rule_set for rule_set in load_rule_sets()}
    rule_set = rules.get(found["run"]["rule_set"])
    _head(found, session, console)
    contacts = found["contacts"]
    for words, group in groupby(contacts, key=_heading):
        console.print()
        console.print(f"[bold]{session.words(*words)}[/]")
        console.print(_table(list(group), found["places"], session))
    if len(contacts) < found["total"]:
        left = number(found["total"] - len(contacts))
        note = session.words(f"… và {left} người nữa", f"and {left} more")
        console.print(f"\n[dim]{note} (--limit, --json)[/]")
    if rule_set is not None:
        _legend(contacts, rule_set, session, console)
    _notes(found["run"].get("notes", []), session, console)
    if bands := found["run"].get("parameters", {}).get("bands"):
        high, medium = (f"{100 * bands[name]:.0f} %" for name in ("high", "medium"))
        ranges = session.lines(
            f"Tin cậy là khả năng có mặt cùng lúc: cao từ {high}, vừa từ {medium}, thấp dưới đó.",
            f"Sure: the chance that both were there then: high from {high}, medium from {medium}.",
        )
        console.print(f"\n[dim]{ranges}[/]")


def _heading(contact: dict[str, Any]) -> tuple[str, str]:
    if contact.get("decided") == "NO_CONTACT":
        return RULED_OUT
    tier = "named" if contact.get("named") else contact["tier"]
    if contact.get("call") and tier == Tier.SAME_TIME_ONLY:
        return CALLED
    return TIERS.get(tier, (tier, tier))


def _head(found: dict[str, Any], session: Session, console: "Console") -> None:
    case, run = found["case"], found["run"]
    window = f"{_local(run['window_from'])} – {_local(run['window_to'])}"
    if alone := case["person"] is None:
        infectious = session.words("các mốc dịch tễ", "place-time points")
    else:
        infectious = session.words("thời kỳ lây truyền", "infectious period")
    who = "" if alone else f"{case['person']}  "
    console.print(f"[bold]{case['id']}[/]  {who}[dim]{run['rule_set']}, run {run['run']}[/]")
    show_ended({case["id"]: case.get("status", "")}, session, console)
    console.print(f"{infectious}: {window}")
    if excluded := case.get("excluded"):
        console.print(session.words("loại trừ ở ca bệnh", "ruled out with the case") + ":")
        for text in listed("excluded", excluded, session).split("\n"):
            console.print(f"  {escape(text)}")
    total = number(found["total"])
    console.print(
        session.lines(
            f"{total} người có mặt cùng lúc hoặc được kể tên; cán bộ hỏi rồi mới quyết định.",
            f"{total} people who were there at the same time or were named; an officer asks and "
            "decides.",
        )
    )
    if not run.get("offsets_seen", True):
        nothing = session.words(
            "không có lượt quét nào của người này trong thời gian đó; xem lại mã người",
            "no scan of this person in that time; check the person",
        )
        console.print(f"[yellow]{nothing}[/]")
    if venues := found.get("venues"):
        where = session.words(
            f"{venues} nơi ngoài danh bạ: không lượt quét nào cho biết ai ở đó "
            f"(`truyvet case venue {case['id']}`)",
            f"{venues} in words, beside the register: no scan says who was there "
            f"(`truyvet case venue {case['id']}`)",
        )
        console.print(f"[yellow]{where}[/]")
    if found["state"] != "traced":
        console.print(f"[yellow]{session.words('đang truy vết lại', 'being traced again')}[/]")


def _table(contacts: list[dict[str, Any]], places: dict[str, Any], session: Session) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")

    def column(vi: str, en: str, **options: Any) -> None:
        table.add_column(session.lines(vi, en), **options)

    table.add_column("#", justify="right", no_wrap=True)
    column("Ai", "Who", no_wrap=True, width=13)
    column("Ở đâu", "Where", min_width=20, ratio=1)
    column("Lúc nào", "When", no_wrap=True, width=11)
    column("Phút", "Min", justify="right", no_wrap=True)
    column("Điều khoản; cần hỏi", "Clause; to ask", width=20)
    column("Căn cứ", "Basis", width=13)
    column("Tin cậy", "Sure", no_wrap=True)
    for contact in contacts:
        if not contact["exposures"]:
            table.add_row(*_unseen(contact, session))
            continue
        through = _main_exposure(contact)
        more = len(contact["exposures"]) - 1
        where = _where(through["place"], places)
        if more:
            where += f" [dim](+{more} {session.words('lần', 'more')})[/]"
        if beside := max(e["stay"].get("companions", 0) for e in contact["exposures"]):
            where += f"\n[dim]{session.words(f'đi cùng {beside} người', f'came with {beside}')}[/]"
        if contact.get("named"):
            where += f"\n[dim]{_relation(contact, session)}[/]"
        table.add_row(
            str(contact["rank"]),
            _who(contact, session),
            where,
            _when(through["start"], through["end"]),
            f"{contact['minutes']:.0f}",
            _clauses(contact, session),
            _basis(through, session),
            session.lines(*BANDS[contact["band"]]),
        )
    return table


def _who(contact: dict[str, Any], session: Session) -> str:
    """Whom an officer has confirmed is an F1, and no longer only a possible one; with a question
    mark what the answers leave, until one has decided."""
    if contact.get("decided"):
        mark = "[bold]F1[/]" if contact["decided"] == "CONFIRMED" else ""
    else:
        mark = session.words(*PROPOSED[contact["proposed"]]) if "proposed" in contact else ""
    return f"{contact['person']}\n{mark}" if mark else str(contact["person"])


def _relation(contact: dict[str, Any], session: Session) -> str:
    """Of a contact whom the case has named and scans show, too: how they know it, and the tier."""
    relation = session.word(axes.RELATIONS, contact["named"]["relation"])
    return f"{relation}; {session.word(axes.LISTED_TIERS, contact['tier'])}"


def _unseen(contact: dict[str, Any], session: Session) -> tuple[str, ...]:
    """Of a contact entered by hand whom no scan shows."""
    named = contact["named"]
    day = date.fromisoformat(named["last_contact"])
    relation = session.lines(*axes.RELATIONS.get(named["relation"], (named["relation"],) * 2))
    by_hand = session.lines("kể tên", "named")
    clauses = _clauses(contact, session)
    return (
        str(contact["rank"]),
        _who(contact, session),
        relation,
        f"{day:%d/%m}",
        "",
        clauses,
        by_hand,
        "",
    )


def _main_exposure(contact: dict[str, Any]) -> dict[str, Any]:
    """The one that the path to the case goes through."""
    step = contact["path"][1]
    for exposure in contact["exposures"]:
        if all(exposure[key] == step[key] for key in ("place", "start", "end")):
            found: dict[str, Any] = exposure
            return found
    first: dict[str, Any] = contact["exposures"][0]
    return first


def _where(place: int, places: dict[str, Any]) -> str:
    known = places.get(str(place))
    if known is None:
        return f"#{place}"
    site, name = known["site_name"], known["name"]
    return escape(name if site == name else f"{name}, {site}")


def _when(start: str, end: str) -> str:
    begin, until = (datetime.fromisoformat(text).astimezone(LOCAL) for text in (start, end))
    if begin.date() != until.date():
        return f"{begin:%d/%m %H:%M}\n{until:%d/%m %H:%M}"
    return f"{begin:%d/%m %H:%M}\n[dim]    –[/] {until:%H:%M}"


def _clauses(contact: dict[str, Any], session: Session) -> str:
    if "category" in contact:
        category = session.words(*CATEGORIES[contact["category"]])
        return escape(f"{contact['weighted']:g} {session.words('phút', 'min')}: {category}")
    letters = ", ".join(contact["clauses"]) or "–"
    language = 1 if session.lang == "en" else 0
    asked = [SHORT.get(q, (q, q))[language] for q in contact["questions"]]
    return escape(f"({letters}) " + " ".join(asked))


def _basis(exposure: dict[str, Any], session: Session) -> str:
    """How the end of each one's stay is known: the contact's, then the case's."""
    language = 1 if session.lang == "en" else 0
    theirs = PROVENANCE[exposure["stay"]["end_provenance"]][language]
    cases = PROVENANCE[exposure["case_stay"]["end_provenance"]][language]
    return f"{theirs}\n[dim]F0: {cases}[/]"


def _legend(
    contacts: list[dict[str, Any]], rule_set: RuleSet, session: Session, console: "Console"
) -> None:
    clauses = {clause for contact in contacts for clause in contact["clauses"]}
    asked = {question for contact in contacts for question in contact["questions"]}
    console.print(f"\n[dim]{session.lines(rule_set.title.vi, rule_set.title.en)}[/]")
    lines = [(f"({c.id})", session.lines(c.vi, c.en)) for c in rule_set.clauses if c.id in clauses]
    lines += [
        (SHORT.get(q.id, (q.id, q.id))[session.lang == "en"], session.lines(q.vi, q.en))
        for q in rule_set.questions
        if q.id in asked
    ]
    _named(lines, console)


def _notes(notes: list[dict[str, str]], session: Session, console: "Console") -> None:
    """What is to be said beside every view of a run: what its rules lack, its scans, its clocks."""
    _named([("!", session.lines(note["vi"], note["en"])) for note in notes], console)


def _named(lines: list[tuple[str, str]], console: "Console") -> None:
    if not lines:
        return
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(ratio=1, style="dim")
    for name, text in lines:
        table.add_row(escape(name), escape(text))
    console.print(Padding(table, (0, 0, 0, 2)))


def _local(text: str) -> str:
    return local_text(datetime.fromisoformat(text))
