"""`truyvet producers activity`: who is silent, who is noisy."""

from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.out import json_line, line, number, screen
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.gateway.schemas import OutcomeCounts, ProducerActivity


def producers_activity(
    context: typer.Context,
    silent_after: Annotated[
        int, typer.Option(min=5, max=1440, help="Phút không có gì. / Minutes without a record.")
    ] = 60,
    flagged: Annotated[
        bool, typer.Option("--flagged", help="Chỉ nguồn cần xem. / Only who needs a look.")
    ] = False,
    as_json: Json = False,
) -> None:
    """From the tables of ClickHouse and the register; the console need not run."""
    from console.gateway.activity import Limits, activity
    from console.gateway.activity_counts import counted
    from console.store.engine import open_store, utc_now
    from console.store.producers import list_producers
    from streams.clickhouse import ClickHouse

    session = session_of(context)
    settings, now = session.settings(), utc_now()
    store, clickhouse = open_store(settings), ClickHouse(settings, timeout_s=15)
    try:
        registered = list_producers(store)
        seen = counted(clickhouse, silent_after, now)
    finally:
        clickhouse.close()
        store.close()
    found = activity(registered, seen, Limits(silent_after), now, others=True)
    shown = [one for one in found if one.silent or one.noisy or not flagged]
    if as_json:
        json_line({"producers": [one.model_dump(mode="json") for one in shown]})
    elif shown:
        _show(session, shown)
    else:
        line(session.words("Không có nguồn gửi nào cần xem.", "No producer needs a look."))


def _show(session: Session, shown: "list[ProducerActivity]") -> None:
    from rich.markup import escape
    from rich.table import Table

    from schemas.clock import local_text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for vi, en in (("nguồn gửi", "producer"), ("tên", "name"), ("lần cuối", "last seen")):
        table.add_column(session.words(vi, en))
    for vi, en in (("giờ qua", "hour"), ("ngày qua", "day"), ("từ chối", "rejected")):
        table.add_column(session.words(vi, en), justify="right")
    for one in shown:
        share = one.last_day.reject_share
        table.add_row(
            f"[yellow]{one.producer}[/]" if one.sentence else one.producer,
            escape(one.name or ""),
            local_text(one.last_seen_at) if one.last_seen_at else "—",
            number(_records(one.last_hour)),
            number(_records(one.last_day)),
            "—" if share is None else f"{share:.1%}",
        )
    screen().print(table)
    for one in shown:
        if one.sentence:
            line(f"{one.producer}: {session.words(one.sentence.vi, one.sentence.en)}")


def _records(counts: "OutcomeCounts") -> int:
    return counts.written + counts.duplicates + counts.rejected
