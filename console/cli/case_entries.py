"""`truyvet case point | answer | name | exclude | same | history`, over the HTTP API."""

from typing import Annotated, Any, Final

import typer

from console.cli.case_changes import CaseId, change
from console.cli.case_text import day, local, moment, point_of
from console.cli.entries_text import differences, listed
from console.cli.out import json_line, line, screen
from console.cli.session import Json, Session, session_of
from schemas.cases import DAYS, ENTERED, MOMENTS, ExclusionReason, PointSource, Relation
from schemas.errors import UserError

Person = Annotated[str, typer.Argument(metavar="PERSON", help="13 ký tự. / The pseudonym.")]
PlaceId = Annotated[int, typer.Option("--place", help="Số điểm quét. / Number of the place.")]
From = Annotated[str, typer.Option("--from", metavar="TIME", help="Từ lúc. / From.")]
To = Annotated[str, typer.Option("--to", metavar="TIME", help="Đến lúc. / Until.")]
Remove = Annotated[bool, typer.Option("--remove", help="Bỏ mục này. / Take this entry back.")]
Note = Annotated[
    str | None, typer.Option(help="Ghi chú, chỉ lưu trong lịch sử ca. / Kept in the history only.")
]
_NEEDED: Final[dict[str, set[str]]] = {
    "points": set(), "answers": set(), "named": {"relation", "last_contact"},
    "excluded": {"reason"}, "same": {"of"},
}  # fmt: skip
FIELDS: Final = {
    "status": ("trạng thái", "status"),
    "symptoms": ("triệu chứng", "symptoms"),
    "onset": ("ngày khởi phát", "onset"),
    "sampled_on": ("ngày lấy mẫu", "sampled on"),
    "result_on": ("ngày có kết quả", "result on"),
    "isolated_at": ("cách ly lúc", "isolated at"),
    "negative_at": ("âm tính lúc", "negative at"),
    "ward": ("địa bàn", "ward"),
    "rule_set": ("bộ quy tắc", "rule-set"),
    "points": ("mốc dịch tễ", "place-time points"),
    "answers": ("câu trả lời", "answers"),
    "named": ("người được kể tên", "named contacts"),
    "excluded": ("loại trừ", "exclusions"),
    "same": ("mã của cùng một người", "ids of one person"),
    "decided": ("kết luận của cán bộ", "officers' decisions"),
    "said": ("trả lời về điều khoản", "answers about clauses"),
}


def add_to(group: typer.Typer) -> None:
    """These commands."""
    group.command("point", help="Mốc dịch tễ của ca. / A place-time point of the case.")(point)
    group.command("answer", help="Ai ở đâu, đến lúc nào. / What somebody answered: until when.")(
        answer
    )
    group.command("name", help="Người tiếp xúc ca kể tên. / A contact the case has named.")(name)
    group.command("exclude", help="Loại trừ một người. / Rule a person out, with a reason.")(
        exclude
    )
    group.command("same", help="Mã khác của cùng một người. / Another id of one person.")(same)
    group.command("history", help="Ai đã sửa gì. / Who changed what.")(history)


def point(
    context: typer.Context,
    case_id: CaseId,
    place: PlaceId,
    begin: From,
    end: To,
    source: Annotated[
        PointSource | None,
        typer.Option(help="Biết từ đâu, mặc định interview. / Where it is known from."),
    ] = None,
    replace: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE,FROM,TO,SOURCE",
            help="Thay mốc này, trong cùng một lần sửa. / Instead of this one, in one change.",
        ),
    ] = None,
    remove: Remove = False,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """Times without a zone are Asia/Ho_Chi_Minh."""
    if replace is not None and remove:
        raise UserError(
            "--replace, --remove: chỉ dùng một trong hai. / --replace, --remove: one of the two."
        )
    entry = {"place": place, "begin": moment("--from", begin), "end": moment("--to", end)}
    if source is not None or not remove:
        entry["source"] = (source or PointSource.INTERVIEW).value
    instead = None if replace is None else point_of("--replace", replace)
    _change(context, case_id, "points", entry, remove, note, as_json, instead)


def answer(
    context: typer.Context,
    case_id: CaseId,
    person: Person,
    place: PlaceId,
    begin: From,
    end: To,
    remove: Remove = False,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """It ends their stay there, unless a scan out says otherwise."""
    entry = {"place": place, "begin": moment("--from", begin), "end": moment("--to", end)}
    _change(context, case_id, "answers", entry | {"person": person}, remove, note, as_json)


def name(
    context: typer.Context,
    case_id: CaseId,
    person: Person,
    relation: Annotated[
        Relation | None, typer.Option(help="Quan hệ. / How they know the case.")
    ] = None,
    last_contact: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Tiếp xúc lần cuối. / Last contact.")
    ] = None,
    remove: Remove = False,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """They are on the call list, whether or not a scan shows them."""
    entry = {"person": person, "relation": relation, "last_contact": last_contact}
    _change(context, case_id, "named", entry, remove, note, as_json)


def exclude(
    context: typer.Context,
    case_id: CaseId,
    person: Person,
    reason: Annotated[ExclusionReason | None, typer.Option(help="Lý do. / Why.")] = None,
    remove: Remove = False,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """They are withdrawn; the run says that they were ruled out."""
    entry = {"person": person, "reason": reason}
    _change(context, case_id, "excluded", entry, remove, note, as_json)


def same(
    context: typer.Context,
    case_id: CaseId,
    person: Person,
    of: Annotated[
        str | None,
        typer.Option(metavar="PERSON", help="Là mã của ai: của ca bệnh, hay của ai. / Whose."),
    ] = None,
    remove: Remove = False,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """A card and a phone: their scans are read as one person's."""
    _change(context, case_id, "same", {"person": person, "of": of}, remove, note, as_json)


def history(context: typer.Context, case_id: CaseId, as_json: Json = False) -> None:
    """The versions after the first, the first one first."""
    from urllib.parse import quote

    from rich.markup import escape
    from rich.table import Table

    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        found = api.get(f"/v1/cases/{quote(case_id, safe='')}/history")
    if as_json:
        json_line(found)
        return
    if not found["history"] and not found["venues"]:
        line(session.words("Chưa ai sửa ca này.", "Nobody has changed this case."))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for vi, en in (
        ("phiên bản", "version"),
        ("lúc", "at"),
        ("ai", "by"),
        ("sửa gì", "changed"),
        ("ghi chú", "note"),
    ):
        table.add_column(session.lines(vi, en))
    known: dict[str, Any] = {}  # of each list what the version before had, if it says
    for entry in found["history"]:
        fields = "\n".join(
            f"{session.words(*FIELDS.get(field, (field, field)))}: "
            + _shown(field, value, known.get(field), session)
            for field, value in entry["changes"].items()
        )
        known |= {name: some for name, some in entry["changes"].items() if name in ENTERED}
        who = str(entry["version"]), local(entry["at"]), entry["by"]
        table.add_row(*who, escape(fields), escape(entry["note"] or ""))
    if found["history"]:
        screen().print(table)
    for steps in found["venues"]:
        line(_of_venue(steps, session))


def _of_venue(steps: dict[str, Any], session: Session) -> str:
    number, place = steps["number"], steps["became_place"]
    vi, en = f"nơi ngoài danh bạ số {number}", f"place in words number {number}"
    said = f"{session.words(vi, en)}: {session.words('nhập', 'entered')} "
    said += f"{local(steps['entered_at'])}, {steps['entered_by']}"
    if steps["removed_at"] is None:
        return said
    what = ("bỏ", "taken back") if place is None else (f"thành #{place}", f"became #{place}")
    return f"{said}; {session.words(*what)} {local(steps['removed_at'])}, {steps['removed_by']}"


def _shown(field: str, value: Any, before: Any, session: Session) -> str:
    if isinstance(value, list):
        if before is None:
            return f"{len(value)}\n{listed(field, value, session)}".rstrip()
        return f"{len(value)}\n{differences(field, before, value, session)}"
    if value is None:
        return "–"
    if field in DAYS:
        return day(value)
    return local(value) if field in MOMENTS else str(value)


def _there(
    context: typer.Context, case_id: str, kind: str, given: dict[str, Any]
) -> dict[str, Any]:
    """The one entry of the case that is as given, for which a part of it is enough. Raises
    UserError that lists what there is."""
    from urllib.parse import quote

    from console.cli.api import Api

    session = session_of(context)
    with Api(session.settings()) as api:
        entries = api.get(f"/v1/cases/{quote(case_id, safe='')}")[kind]
    fitting = [one for one in entries if given.items() <= one.items()]
    if len(fitting) == 1:
        found: dict[str, Any] = fitting[0]
        return found
    there = listed(kind, fitting or entries, session, 20).replace("\n", "; ")
    if fitting:
        raise UserError(f"Có nhiều mục như vậy: {there} / There are several: {there}")
    none = there or session.words("không có mục nào", "there is none")
    raise UserError(f"Ca không có mục này: {none} / The case has no such entry: {none}")


def _change(
    context: typer.Context,
    case_id: str,
    kind: str,
    entry: dict[str, Any],
    remove: bool,
    note: str | None,
    as_json: bool,
    instead_of: dict[str, Any] | None = None,
) -> None:
    entry = {name: value for name, value in entry.items() if value is not None}
    if remove:
        entry = _there(context, case_id, kind, entry)
    elif missing := [f"--{name.replace('_', '-')}" for name in _NEEDED[kind] - entry.keys()]:
        listed_ = ", ".join(sorted(missing))
        raise UserError(f"Thiếu {listed_}. / {listed_} is missing.")
    body = {"remove" if remove else "add": {kind: [entry]}, "note": note}
    if instead_of is not None:
        body["remove"] = {kind: [instead_of]}
    change(context, "POST", case_id, "/entries", body, as_json)
