"""`truyvet persons`: erasing one, and how far requests are."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from console.cli.out import json_line, line, note, number
from console.cli.session import BY, Json, Session, session_of

if TYPE_CHECKING:
    from console.store.erasures import Asked
    from schemas.settings import Settings

_PAUSE_S: Final = 1.0
_LOCK_S: Final = 10.0
_PATIENCE_S: Final = 120.0

persons = typer.Typer(
    help="Người: xoá theo yêu cầu. / Persons: erasure on request.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """These commands."""
    persons.command(
        "erase", help="Xoá dữ liệu của một người. / Erase a person, and say what is left where."
    )(erase)
    persons.command(
        "erasures", help="Các yêu cầu xoá. / Requests for erasure and how far they are."
    )(listed)
    app.add_typer(persons, name="persons")


def erase(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Lý do, bắt buộc. / Why; kept with the request.")],
    person: Annotated[
        str | None, typer.Option(help="Mã người, 13 ký tự. / The person's id.")
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(help="Mã một lượt quét của họ. / The id of a scan of theirs."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Rows, rejects, duplicates, runs and notes outside open cases, cards. Stays on a list that
    workers, `rebuild` and replays honour. Can be stopped: a console, or the same command, goes on.
    """
    from console.accounting.log import asked
    from console.erasure.desk import Desk
    from console.relay import publish_once
    from console.store.engine import open_store
    from console.store.locks import exclusive
    from schemas.errors import Retryable, UserError
    from schemas.ids import person_bits
    from streams.clickhouse import ClickHouse

    session = session_of(context)
    settings = session.settings()
    if (person is None) == (event is None):
        raise UserError("Hãy cho --person hoặc --event. / Give --person or --event, one of them.")
    clickhouse, store = ClickHouse(settings, timeout_s=3_700), open_store(settings)
    desk = Desk(settings, store, clickhouse)
    try:
        if person is None:
            assert event is not None
            person = desk.person_of(_event(event))
        try:
            person_bits(person)
        except ValueError as error:
            raise UserError(f"--person: mã người không đúng. / --person: {error}.") from None
        made = desk.ask(person, reason, BY)
        asked(settings, lambda: publish_once(store, settings))
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                with exclusive(store.engine, "erasures", _LOCK_S):
                    found = desk.work(made.id)
                break
            except (Retryable, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise UserError(
                        "Yêu cầu đã ghi nhận nhưng chưa xong: chạy lại lệnh này, hoặc để hệ thống "
                        f"làm tiếp. / The request is entered and not done yet ({error}): the "
                        "console goes on with it, or this command again."
                    ) from None
                time.sleep(_PAUSE_S)
    finally:
        store.close()
        clickhouse.close()
    if as_json:
        json_line(document(settings, found))
    else:
        _tell(session, settings, found)


def listed(context: typer.Context, as_json: Json = False) -> None:
    """The newest first; they do not say who."""
    from console.store.engine import open_store
    from console.store.erasures import asked

    session = session_of(context)
    settings = session.settings()
    store = open_store(settings)
    try:
        found = asked(store)
    finally:
        store.close()
    if as_json:
        json_line({"erasures": [document(settings, one) for one in found]})
        return
    for one in found:
        rows = number(sum(one.removed.values()))
        line(f"{one.id:>6}  {one.before:%Y-%m-%d %H:%M:%SZ}  {one.state:<8} {rows:>8}  "
             f"{', '.join(one.kept_for)}")  # fmt: skip


def document(settings: "Settings", asked: "Asked") -> dict[str, Any]:
    """As JSON; never who."""
    from console.erasure.until import rest

    return {
        "id": asked.id,
        "state": asked.state.value,
        "before": asked.before,
        "removed": asked.removed,
        "kept_for": list(asked.kept_for),
        "still": [{"what": r.what, "gone_by": r.gone_by} for r in rest(settings, asked.before)],
    }


def _tell(session: Session, settings: "Settings", found: "Asked") -> None:
    from console.erasure.until import rest

    rows = sum(found.removed.values())
    line(
        session.lines(
            f"Yêu cầu {found.id}: đã xoá {number(rows)} dòng có trước {found.before:%H:%M:%S} UTC.",
            f"Request {found.id}: {number(rows)} rows of before {found.before:%H:%M:%S} UTC are "
            "gone.",
        )
    )
    for table, count in sorted(found.removed.items()):
        line(f"{number(count):>10}  {table}")
    if found.kept_for:
        cases = ", ".join(found.kept_for)
        note(
            session.lines(
                f"Ca đang mở còn giữ phần cần thiết, đến khi đóng hoặc huỷ: {cases}.",
                f"Open cases keep what they need until they are closed or voided: {cases}. Then it "
                "goes by itself.",
            )
        )
    for left in rest(settings, found.before):
        until = f"{left.gone_by:%d/%m/%Y}" if left.gone_by else session.words("không hạn", "no end")
        line(f"{until:>12}  {left.what}: {session.words(*left.has)}")


def _event(text: str) -> str:
    import uuid

    from schemas.errors import UserError

    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise UserError(
            "--event: mã lượt quét là UUID. / --event: a scan's id is a UUID."
        ) from None
