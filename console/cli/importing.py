"""`truyvet import FILE --map …`, and `truyvet import person SOURCE_ID`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli.out import json_line, line, note, number, progress
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.importer.run import Progress, Report, Wanted
    from schemas.settings import Settings

_STEPS: Final = {
    "read": ("đọc tệp", "reading"),
    "register": ("đăng ký địa điểm", "registering places"),
    "announce": ("công bố địa điểm", "announcing places"),
    "publish": ("gửi lượt quét", "publishing"),
    "write": ("chờ ghi xong", "being written"),
}
_HELP: Final = (
    "Nhập lượt quét từ tệp CSV, NDJSON, Parquet. / Import anyone's check-ins.\n\n"
    "`truyvet import FILE --map person=COL,place=COL,time=COL (--as-recorded | --shift-to-now)`"
    "\n\n`truyvet import person SOURCE_ID`: mã hoá danh tính của một người. / their pseudonym."
)


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command("import", help=_HELP)(import_)


def import_(
    context: typer.Context,
    what: Annotated[list[str], typer.Argument(metavar="FILE | person SOURCE_ID")],
    columns: Annotated[
        str | None,
        typer.Option(
            "--map",
            help="Cột nào là gì. / Which column says what: person=COL,place=COL,time=COL and, if "
            "there are such, direction=COL, enclosed=COL, small=COL.",
        ),
    ] = None,
    as_recorded: Annotated[
        bool, typer.Option("--as-recorded", help="Giữ nguyên thời điểm. / Times as they are.")
    ] = False,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Dời theo tuần chẵn. / Moved by whole weeks.")
    ] = False,
    zone: Annotated[
        str, typer.Option(help="Múi giờ khi tệp không ghi. / Zone of times without one.")
    ] = "UTC",
    time_format: Annotated[
        str | None, typer.Option(help="strptime, e.g. '%d/%m/%Y %H:%M'.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="csv, ndjson, parquet (by the name if not given)."),
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="CSV: ',', ';', 'tab' or '|'.")] = None,
    header: Annotated[
        bool, typer.Option(help="CSV: without one, columns are 1, 2, 3, … in --map.")
    ] = True,
    encoding: Annotated[str, typer.Option(help="CSV: e.g. latin-1.")] = "utf-8",
    wait: Annotated[
        bool, typer.Option(help="Chờ ghi xong. / Wait until the workers have written it.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Two passes over the file, in bounded memory. A second import adds nothing."""
    from schemas.errors import UserError

    session = session_of(context)
    settings = session.settings()
    if what[0] == "person" and len(what) == 2 and columns is None:
        _person(settings, what[1], as_json)
        return
    if len(what) != 1:
        raise UserError("Mỗi lần một tệp. / One file at a time: truyvet import FILE --map …")
    if columns is None:
        raise UserError(
            "Cần --map: cột nào là gì. / --map person=COL,place=COL,time=COL is needed: which "
            "column says what."
        )
    if as_recorded == shift_to_now:
        raise UserError(
            "Cần đúng một trong --as-recorded và --shift-to-now. / One of --as-recorded (times as "
            "they are) and --shift-to-now (moved by whole weeks to the present) is needed."
        )
    wanted = _wanted(
        Path(what[0]),
        columns,
        as_recorded,
        zone,
        time_format,
        (format_, delimiter, header, encoding),
    )
    report = _run(session, settings, wanted)
    written = _wait(session, settings, report) if wait and report.published else None
    if as_json:
        json_line(report.document() | {"written": written})
    else:
        _show(session, settings, report, shift_to_now, written)


def _person(settings: "Settings", source_id: str, as_json: bool) -> None:
    from console.importer.rows import text_of
    from console.importer.scans import Pseudonyms
    from schemas.errors import UserError

    source_id = text_of(source_id)
    if not source_id:
        raise UserError("Mã người ở nguồn bị bỏ trống. / The source's id of the person is empty.")
    person = Pseudonyms(settings.person_key.get_secret_value()).person(source_id)
    if as_json:
        json_line({"source_id": source_id, "person": person})
    else:
        line(person)


def _wanted(
    path: Path,
    columns: str,
    as_recorded: bool,
    zone: str,
    time_format: str | None,
    form: tuple[str | None, str | None, bool, str],
) -> "Wanted":
    from console.importer.files import Format, Reading, format_of
    from console.importer.mapping import parse_columns
    from console.importer.run import Wanted
    from console.importer.times import time_parser
    from schemas.errors import UserError

    kind, delimiter, header, encoding = form
    mapped = parse_columns(columns)
    if not path.is_file():
        raise UserError(f"Không có tệp {path}. / There is no file {path}.")
    if kind is not None and kind not in list(Format):
        raise UserError(
            f"--format: không có {kind!r}; có {', '.join(Format)}. / "
            f"--format is {', '.join(Format)}, not {kind!r}."
        )
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)
    if delimiter is not None and len(delimiter) != 1:
        raise UserError(
            "--delimiter là một ký tự, hoặc 'tab'. / --delimiter is one character, or 'tab'."
        )
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError):
        raise UserError(
            f"--encoding: không có bảng mã {encoding!r}. / "
            f"--encoding: {encoding!r} is not an encoding."
        ) from None
    where = _zone(zone)
    reading = Reading(
        path, mapped, Format(kind) if kind else format_of(path), delimiter, header, encoding
    )
    return Wanted(reading, time_parser(where, time_format), where, as_recorded)


def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    from schemas.errors import UserError

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UserError(
            f"--zone: không có múi giờ {name!r}; viết như UTC, Asia/Ho_Chi_Minh. / "
            f"--zone: {name!r} is not a time zone: write one such as UTC, Asia/Ho_Chi_Minh."
        ) from None


def _run(session: Session, settings: "Settings", wanted: "Wanted") -> "Report":
    from console.importer.run import import_file

    with progress(session.words("nhập", "import"), 100) as advance:
        return import_file(settings, wanted, datetime.now(UTC), _overall(advance))


def _overall(advance: Any) -> "Progress":
    """The steps as parts of one bar: most of the time goes into reading and publishing."""
    begins = {"read": (0, 35), "register": (35, 10), "announce": (45, 5), "publish": (50, 50)}

    def told(step: str, done: float, total: float) -> None:
        begin, share = begins[step]
        advance(begin + share * min(1.0, done / max(total, 1)))

    return told


def _wait(session: Session, settings: "Settings", report: "Report") -> bool:
    from console.accounting.reading import wait_until_written

    what = session.words(*_STEPS["write"])
    with progress(what, report.published) as advance:
        written = wait_until_written(
            settings, report.ends, lambda left: advance(max(0, report.published - left))
        )
    if not written:
        note(
            session.words(
                "Chưa ghi xong: có tiến trình xử lý nào đang chạy không? `truyvet status`",
                "Published, but not all written yet: is a worker running? `truyvet status`",
            )
        )
    return written


def _show(
    session: Session, settings: "Settings", report: "Report", shifted: bool, written: bool | None
) -> None:
    from console.importer.rows import SENTENCES, Refusal

    found = report.document()
    survey = report.survey
    line(
        session.lines(
            f"{number(found['rows'])} dòng = {number(found['published'])} đã gửi + "
            f"{number(found['refused'])} bị từ chối; {number(found['places'])} địa điểm",
            f"{number(found['rows'])} rows = {number(found['published'])} published + "
            f"{number(found['refused'])} refused; {number(found['places'])} places",
        )
    )
    for reason, count in survey.refused.most_common():
        example = survey.examples[reason][0]
        value, colon, why = example.detail.rpartition(": ")
        detail = f", {value}{colon}{session.sentence(why)}" if example.detail else ""
        line(f"  {number(count):>9}  {reason}: {session.words(*SENTENCES[Refusal(reason)])}")
        line(f"             {session.words('ví dụ dòng', 'e.g. row')} {example.row}{detail}")
    if found["earliest"]:
        line(f"  {found['earliest']} … {found['latest']}")
    if shifted and found["published"]:
        line(
            "  "
            + session.words(f"đã dời {report.weeks} tuần", f"moved by {report.weeks} whole weeks")
        )
    naive = session.words("giờ không ghi múi giờ", "times without a zone")
    line(f"  {naive}: {report.zone}")
    if report.older_than_kept:
        days = settings.retention_days
        note(
            session.words(
                f"Dòng cũ hơn {days} ngày bị từ chối là too_old.",
                f"Rows older than {days} days after the shift are rejected as too_old: "
                "see `truyvet counts`; --as-recorded keeps them all.",
            )
        )
    if written is not False:
        line(session.words("Tiếp theo: `truyvet counts`.", "Next: `truyvet counts`."))
