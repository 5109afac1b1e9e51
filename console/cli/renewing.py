"""`truyvet topics renew`: back to work on a new Kafka, while the tables live."""

from typing import TYPE_CHECKING, Final

import typer

from console.cli.backups import servers, shown
from console.cli.out import json_line, line, note, number
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.renewal import Renewed

_SHOWN: Final = 10


def add_to(app: typer.Typer) -> None:
    """These commands."""
    topics = typer.Typer(no_args_is_help=True, help="Các chủ đề Kafka. / Kafka's topics.")
    topics.command(
        "renew",
        help="Kafka mới, các bảng còn: làm việc tiếp. / Kafka is new, the tables live: go on.",
    )(renew)
    app.add_typer(topics, name="topics")


def renew(context: typer.Context, as_json: Json = False) -> None:
    """Moves the new logs on to behind the last row, so that no offset is used twice; sends what
    came too early again; publishes sites, producers, coverage, erasures and cases from the
    relational database; traces open cases again.

    No worker and no console may run. Kafka and the engine are those that the environment names,
    or are started here. Stopped in between, the same command does it again.
    """
    from console.renewal import Renewal
    from console.store.engine import open_store

    session = session_of(context)
    with servers(session) as settings:
        store = open_store(settings)
        try:
            with shown(session) as told:
                renewed = Renewal(settings, store, told).run()
        finally:
            store.close()
    if as_json:
        json_line(vars(renewed))
    else:
        _tell(session, renewed)


def _tell(session: Session, renewed: "Renewed") -> None:
    for count, vi, en in (
        (renewed.moved, "vị trí đã bỏ qua ở nhật ký mới", "offsets skipped in the new log"),
        (renewed.early, "lượt quét đến sớm, đã gửi lại", "scans that came early, sent again"),
        (renewed.cases, "ca đang mở được truy vết lại", "open cases are traced again"),
        (renewed.missing, "lượt quét mất cùng Kafka cũ", "scans lost with the old Kafka"),
    ):
        line(f"{number(count):>13}  {session.words(vi, en)}")
    for topic, count in renewed.records.items():
        line(f"{number(count):>13}  {topic}")
    if renewed.elsewhere:
        listed = ", ".join(renewed.elsewhere[:_SHOWN])
        more = len(renewed.elsewhere) - _SHOWN
        note(
            session.words(
                f"{len(renewed.elsewhere)} ca do hệ thống khác gửi, cần gửi lại: {listed}",
                f"{len(renewed.elsewhere)} cases came from other systems, which must publish them "
                f"again: {listed}" + (f" and {more} more" if more > 0 else ""),
            )
        )
    line(
        session.words(
            "Xong. Khởi động lại worker và bảng điều khiển, rồi `truyvet counts`.",
            "Done. Start workers and consoles, then `truyvet counts`.",
        )
    )
