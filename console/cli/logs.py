"""`truyvet logs`: what the processes of this data directory have written, for people."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from console.cli.out import json_line, line, note
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from datetime import datetime

    from console.logbook.entries import Entry

_MARKS: Final = {"debug": " ", "info": "·", "warning": "!", "error": "✗"}
_LAST: Final = 200


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command(
        "logs", help="Nhật ký của các tiến trình. / What the processes have logged, in words."
    )(logs)


def logs(
    context: typer.Context,
    level: Annotated[
        str, typer.Option(help="Từ mức này: debug, info, warning, error. / This and worse.")
    ] = "info",
    component: Annotated[
        str | None, typer.Option(help="console, worker, worker-0, kafka, engine…")
    ] = None,
    event: Annotated[
        str | None, typer.Option(help="Chỉ sự kiện này: case_traced… / Only this event.")
    ] = None,
    case: Annotated[str | None, typer.Option(help="Chỉ ca này. / Only this case.")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Từ 30m, 12h, 7d trước hoặc một giờ ISO 8601. / Since; a span or a time."
        ),
    ] = None,
    last: Annotated[
        int, typer.Option(min=1, help="Nhiều nhất bao nhiêu dòng. / The newest so many.")
    ] = _LAST,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Chờ dòng mới. / Wait for more, until Ctrl-C.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Of all log files here, in the order of time; with `--json` one object a line.

    They hold no names, phones or keys: what is shown can be shown.
    """
    from collections import deque

    from console.logbook.entries import LEVELS, Wanted
    from console.logbook.reading import components, read_logs
    from console.logbook.reading import follow as what_comes
    from schemas.errors import UserError

    session = session_of(context)
    if level not in LEVELS:
        raise UserError(
            f"--level: {level!r} phải là {', '.join(LEVELS)}. / "
            f"--level: {level!r} is none of {', '.join(LEVELS)}."
        )
    wanted = Wanted(level, component, event, case, _moment(since))
    if not components(session.data_dir):
        raise UserError(
            f"Không có nhật ký trong {session.data_dir}/logs. / There are no logs in "
            f"{session.data_dir}/logs: processes started by hand write to where they were started."
        )
    kept = deque(read_logs(session.data_dir, wanted), maxlen=last)
    for entry in kept:
        _show(entry, session, as_json)
    if not kept and not follow:
        note(session.words("Không có dòng nào như vậy.", "There is no such line."))
    if follow:
        for entry in what_comes(session.data_dir, wanted):
            _show(entry, session, as_json)


def _moment(text: str | None) -> "datetime | None":
    from datetime import UTC, datetime

    from console.cli.spans import span_of

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC) - span_of("--since", text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _show(entry: "Entry", session: Session, as_json: bool) -> None:
    from console.logbook.words import WORDS
    from schemas.clock import LOCAL

    if as_json:
        json_line(entry.document())
        return
    at = f"{entry.at.astimezone(LOCAL):%d/%m %H:%M:%S}"
    said = session.words(*WORDS[entry.event]) if entry.event in WORDS else ""
    name = f"{entry.logger}: {entry.event}" if entry.logger else entry.event
    about = " ".join(f"{key}={_short(value)}" for key, value in entry.fields.items())
    words = "  ".join(filter(None, (name, said, about)))
    line(f"{at} {_MARKS[entry.level]} {entry.component:<9} {words}")


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 300 else text[:299] + "…"
