"""Coverage as a terminal shows it."""

from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table

from console.cli.out import line, note, number, screen
from console.cli.session import Lang, Session
from console.coverage.funnel import Asked, By, Funnel, Line
from console.coverage.names import name_of
from console.coverage.stages import NAMES, REQUIRED_NAME, STAGES, Stage
from console.store.required_reading import ListStanding
from issuer.units import EVERYWHERE, area_name
from schemas.clock import local_text

_KEYS: Final = {
    By.WARD: ("xã, phường", "ward"),
    By.KIND: ("loại hình", "kind"),
    By.SECTOR: ("ngành", "sector"),
    By.DAY: ("ngày", "day"),
}

# What a table of eight stages has room for in a hundred columns, with a name before them.
_SHORT_REQUIRED: Final = ("phải có", "required")
_SHORT: Final = {
    Stage.REGISTERED: ("đăng ký", "registered"),
    Stage.CODE: ("cấp mã", "code"),
    Stage.DUTY: ("phụ trách", "duty"),
    Stage.PRINTED: ("in", "printed"),
    Stage.POSTED: ("dán", "posted"),
    Stage.INSPECTED: ("kiểm tra", "inspected"),
    Stage.SCANNED: ("có quét", "scanned"),
}
_NAME_WIDTH: Final = 20


def funnel_document(
    found: Funnel, by: Sequence[By], asked: Asked, known: Sequence[ListStanding]
) -> dict[str, Any]:
    """As `--json` prints it; the same fields as `GET /v1/coverage`."""
    return {
        "at": found.at,
        "area": asked.area,
        "by": list(by),
        "scanned_days": found.within.scanned_days,
        "inspected_days": found.within.inspected_days,
        "lines": [
            {
                "key": list(one.key),
                "name": _name(by, one, english=False),
                "required": one.required,
                "stages": {stage: vars(count) for stage, count in one.stages.items()},
                "scans": one.scans,
            }
            for one in found.lines
        ],
        "lists": [
            one.list.model_dump(mode="json") | {"counted": one.counted, "linked": one.linked}
            for one in known
        ],
    }


def show_funnel(
    session: Session,
    found: Funnel,
    by: Sequence[By],
    asked: Asked,
    known: Sequence[ListStanding],
    *,
    places: bool,
) -> None:
    """One line: the funnel from top to bottom. More: a table, a line each."""
    words = session.words
    unit = words("điểm quét", "places") if places else words("cơ sở", "establishments")
    where = words("toàn bộ", "everywhere") if asked.area == EVERYWHERE else area_name(asked.area)
    line(f"{words('Độ phủ', 'Coverage')}: {where} ({unit}), {local_text(found.at)}")
    line()
    if not by and found.lines:
        _show_one(session, found.lines[0], places)
    elif found.lines:
        _show_table(session, found, by, places)
    else:
        note(
            words(
                "Đến lúc ấy chưa có gì trong sổ đăng ký: vừa nhập thì chờ một phút.",
                "Nothing was registered here by then: after an import wait a minute.",
            )
        )
    line()
    days, inspected = found.within.scanned_days, found.within.inspected_days
    line(
        session.lines(
            f"Có lượt quét: trong {days} ngày. Đã kiểm tra: trong {inspected} ngày. "
            "Ngày nghỉ không được trừ: xem `truyvet behind scanned`.",
            f"Scanned: within {days} days. Inspected: within {inspected} days. "
            "Days off are not taken out: see `truyvet behind scanned`.",
        )
    )
    for one in known:
        if not one.list.withdrawn:
            line(_list(session, one))
    if not any(not one.list.withdrawn for one in known):
        line(
            words(
                "Chưa có danh sách cơ sở phải có mã: `truyvet required import`.",
                "No list of who must have codes is known: `truyvet required import`.",
            )
        )


def _show_one(session: Session, one: Line, places: bool) -> None:
    whole = one.required if not places and one.required else None
    base = whole or max(1, _count(one, Stage.REGISTERED, places))
    if not places:
        line(_bar(session, REQUIRED_NAME, one.required, base, known=bool(one.required)))
    for stage in STAGES:
        beyond = 0 if places else _unlisted(one, stage)
        text = _bar(session, NAMES[stage], _shown(one, stage, places), base)
        if beyond:
            more = f"+{number(beyond)} {session.words('ngoài danh sách', 'unlisted')}"
            text += f"  ({more})"
        line(text)
    line(f"{_label(session, ('lượt quét', 'scans'))} {number(one.scans):>10}")


def _bar(
    session: Session, names: tuple[str, str], count: int, base: int, *, known: bool = True
) -> str:
    width = 16
    name = _label(session, names)
    if not known:
        return f"{name} {'?':>10}"
    share = count / base if base else 0.0
    return f"{name} {number(count):>10} {100 * share:>4.0f} %  {'█' * round(width * min(share, 1))}"


def _label(session: Session, names: tuple[str, str]) -> str:
    widest = max(len(session.words(*one)) for one in (REQUIRED_NAME, *NAMES.values()))
    return f"  {session.words(*names):<{widest}}"


def _show_table(session: Session, found: Funnel, by: Sequence[By], places: bool) -> None:
    listed = not places and any(row.required for row in found.lines)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for one in by:
        table.add_column(session.lines(*_KEYS[one]), min_width=_NAME_WIDTH // len(by))
    if listed:
        table.add_column(session.lines(*_SHORT_REQUIRED), justify="right")
    for stage in STAGES:
        table.add_column(session.lines(*_SHORT[stage]), justify="right")
    english = session.lang is Lang.EN
    above = None
    for row in found.lines:
        cells = [name_of(o, k, english=english) for o, k in zip(by, row.key, strict=True)]
        if len(by) > 1 and cells[0] == above:
            cells[0] = ""
        else:
            above = cells[0]
        if listed:
            cells.append(number(row.required) if row.required else "?")
        for stage in STAGES:
            more = _unlisted(row, stage) if stage is Stage.REGISTERED and not places else 0
            cells.append(number(_shown(row, stage, places)) + (f" +{number(more)}" if more else ""))
        table.add_row(*cells)
    screen().print(table)
    if listed:
        line()
        line(
            session.lines(
                "Từ «đăng ký» trở đi: trong số phải có mã; «+»: đã đăng ký, ngoài danh sách.",
                "From registered on: of those required; +: registered, and on no list.",
            )
        )
        if not all(row.required for row in found.lines):
            line(
                session.lines(
                    "«?»: chưa có danh sách nào, đếm mọi cơ sở đã đăng ký.",
                    "?: no list names any there; all that are registered count.",
                )
            )


def _shown(one: Line, stage: Stage, places: bool) -> int:
    """What stands at a stage: of those required, where a list names any; so it is a funnel."""
    listed = one.required and not places
    return one.stages[stage].required if listed else _count(one, stage, places)


def _unlisted(one: Line, stage: Stage) -> int:
    """How many more, on no list; 0 where no list names any: then all are shown."""
    if not one.required:
        return 0
    return one.stages[stage].sites - one.stages[stage].required


def _count(one: Line, stage: Stage, places: bool) -> int:
    return one.stages[stage].places if places else one.stages[stage].sites


def _name(by: Sequence[By], one: Line, *, english: bool) -> str:
    return " · ".join(name_of(o, k, english=english) for o, k in zip(by, one.key, strict=True))


def _list(session: Session, one: ListStanding) -> str:
    about = one.list
    day = f"{about.as_of:%d/%m/%Y}"
    return session.lines(
        f"Danh sách «{about.name}» của {about.keeper}, ngày {day}: {number(one.counted)} cơ sở, "
        f"{number(one.linked)} đã đăng ký.",
        f"List “{about.name}” of {about.keeper}, as of {about.as_of}: {number(one.counted)} "
        f"establishments, {number(one.linked)} registered.",
    )
