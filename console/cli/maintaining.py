"""`truyvet maintenance`: the weeks of the table of scans, and merging the closed ones now."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from console.cli.out import json_line, line, note, number, progress, screen
from console.cli.session import Json, session_of


def add_to(app: typer.Typer) -> None:
    """This command."""
    app.command(
        "maintenance",
        help="Các tuần của bảng lượt quét; gộp tuần đã khép. / Weeks of scans; merge closed ones.",
    )(maintenance)


def maintenance(
    context: typer.Context,
    merge: Annotated[
        bool,
        typer.Option("--merge", help="Gộp ngay, không chờ lịch. / Merge now, not on schedule."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Workers merge closed weeks by themselves every ten minutes; `--merge` does not wait.

    It can be stopped: a merge that has begun goes on in the engine, the rest is left for later.
    """
    from streams.clickhouse import ClickHouse
    from streams.maintenance import CLIENT_TIMEOUT_S, due_weeks, merge_week, weeks_of

    session = session_of(context)
    clickhouse = ClickHouse(session.settings(), timeout_s=CLIENT_TIMEOUT_S)
    now = datetime.now(UTC)
    merged: list[str] = []
    try:
        if merge:
            due = due_weeks(clickhouse, now)
            what = session.words("gộp tuần", "merging weeks")
            rows = sum(week.rows for week in due)
            done = 0
            with progress(what, rows, session.words("lượt quét", "scans")) as advance:
                for week in due:
                    if merge_week(clickhouse, week):
                        merged.append(str(week.monday))
                    done += week.rows
                    advance(done)
        weeks = weeks_of(clickhouse)
    finally:
        clickhouse.close()
    found: list[dict[str, Any]] = [
        {
            "week": str(week.monday),
            "rows": week.rows,
            "parts": week.parts,
            "closed": week.closed(now),
            "due": week.closed(now) and week.worth_merging,
        }
        for week in weeks
    ]
    if as_json:
        json_line({"weeks": found, "merged": merged})
        return
    if not found:
        line(session.words("Chưa có lượt quét nào.", "There are no scans yet."))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for vi, en in (("tuần từ", "week of"), ("lượt quét", "scans"), ("phần", "parts"), ("", "")):
        table.add_column(session.lines(vi, en) if vi else "")
    for week in weeks:
        state = ("đang mở", "open")
        if week.closed(now):
            state = ("chờ gộp", "to be merged") if week.worth_merging else ("đã gộp", "merged")
        counts = number(week.rows), str(week.parts)
        table.add_row(f"{week.monday:%d/%m/%Y}", *counts, session.words(*state))
    screen().print(table)
    if merge:
        note(session.words(f"Đã gộp {len(merged)} tuần.", f"{len(merged)} weeks were merged."))
