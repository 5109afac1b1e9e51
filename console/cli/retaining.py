"""`truyvet retention`: what is kept where, until when, and what was taken away."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.out import json_line, line, note, number, screen
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from console.retention.report import Report


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command(
        "retention", help="Dữ liệu nào giữ ở đâu, đến khi nào. / What is kept where, until when."
    )(retention)


def retention(
    context: typer.Context,
    drop: Annotated[
        bool,
        typer.Option("--drop", help="Bỏ ngay các tuần quá hạn. / Drop weeks past their time now."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Workers drop every hour by themselves. Exit code 1 if anything is kept past its time."""
    from console.retention.report import report
    from streams.clickhouse import ClickHouse
    from streams.retention import drop_past_weeks
    from streams.totals import write_daily_totals

    session = session_of(context)
    settings = session.settings()
    clickhouse = ClickHouse(settings, timeout_s=300)
    try:
        now = datetime.now(UTC)
        if drop:
            write_daily_totals(clickhouse, settings.retention_days)
            drop_past_weeks(clickhouse, settings.retention_days, now)
        found = report(settings, clickhouse, now)
    finally:
        clickhouse.close()
    if as_json:
        json_line(
            {
                "at": found.at,
                "retention_days": found.retention_days,
                "tables": [vars(table) for table in found.tables],
                "topics": [vars(topic) for topic in found.topics],
                "taken": [vars(taken) for taken in found.taken],
                "overdue": found.overdue,
                "backup_days": settings.backup_days,
            }
        )
    else:
        _tell(session, found, settings.backup_days)
    raise typer.Exit(1 if found.overdue else 0)


def _tell(session: Session, found: "Report", backup_days: int) -> None:
    from rich.table import Table

    days = found.retention_days
    line(
        session.words(f"Lượt quét tra được {days} ngày.", f"Scans can be queried for {days} days.")
        if days
        else session.words("Không giới hạn lưu giữ.", "Retention is off: everything is kept.")
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for vi, en in (
        ("nơi", "where"), ("bản ghi", "records"), ("cũ nhất", "oldest"),
        ("của hôm nay mất vào", "today's are gone by"), ("quá hạn", "overdue"),
    ):  # fmt: skip
        table.add_column(session.lines(vi, en))
    for kept in found.tables:
        overdue = number(kept.overdue) if kept.overdue else ""
        table.add_row(kept.table, number(kept.rows), _day(kept.oldest), _day(kept.until), overdue)
    for topic in found.topics:
        taken = session.words(f"đã bỏ {number(topic.taken)}", f"{number(topic.taken)} taken")
        table.add_row(
            topic.topic, number(topic.records), _day(topic.oldest), _day(topic.until),
            taken if topic.taken else "",
        )  # fmt: skip
    screen().print(table)
    if found.taken:
        line(session.words("Đã bỏ, theo ngày:", "Taken away, by day:"))
    for one in found.taken:
        line(f"  {one.day:%d/%m/%Y}  {one.outcome:<10} {number(one.records):>12}")
    note(
        session.lines(
            f"Kết quả truy vết giữ theo ca; tổng theo ngày không có tên ai và giữ mãi; sự kiện đã "
            f"gửi giữ 7 ngày; bản sao lưu, theo bạn, {backup_days} ngày.",
            "Runs are kept with their case; daily totals name nobody and stay; events that went "
            f"out, 7 days; backups, by you, {backup_days} days (TRUYVET_BACKUP_DAYS).",
        )
    )
    if found.overdue:
        note(
            session.words(
                "Có dữ liệu quá hạn: `truyvet retention --drop`.",
                "There are rows past their time: `truyvet retention --drop`.",
            )
        )


def _day(day: object) -> str:
    return f"{day:%d/%m/%Y}" if day is not None else "–"
