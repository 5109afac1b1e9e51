"""`truyvet bench shards`: its options and its table."""

from typing import Annotated, Any, Final

import typer

from console.cli.benching_long_kit import own_directory, rising_numbers
from console.cli.out import json_line, line, note, number, screen
from console.cli.session import Json, Session, session_of


def add_shards_bench(bench: typer.Typer) -> None:
    """This command."""
    about = "Chia bảng theo địa điểm trên nhiều máy chủ thử. / Tables sharded by place, acted out."
    bench.command("shards", help=about)(shards)


def shards(
    context: typer.Context,
    shards: Annotated[
        str, typer.Option(help="Số mảnh, 1 trước hết. / How many shards, 1 first.")
    ] = "1,2,4",
    scans: Annotated[
        int, typer.Option(min=10_000, help="Lượt quét trong 14 ngày. / Scans in 14 days.")
    ] = 2_000_000,
    cases: Annotated[int, typer.Option(min=1, help="Số ca. / Cases.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Cùng số, cùng thành phố. / Same city.")] = 7,
    short: Annotated[
        bool, typer.Option("--short", help="Nhỏ, chỉ kiểm tra đúng sai. / Small: correctness only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The same scans and cases on one engine and on several; exit code 1 if answers differ."""
    import shutil
    from datetime import UTC, datetime

    from bench.shards import Plan, run
    from schemas.clock import LOCAL

    session = session_of(context)
    plan = Plan(rising_numbers(shards, "--shards"), scans, cases=cases, seed=seed)
    if short:
        plan = Plan((1, 2), 20_000, batch=500, cases=8, killed=6, seed=seed)
    own = own_directory(session, "shards")
    own.mkdir(parents=True)
    try:
        found = run(own, plan, datetime.now(UTC).astimezone(LOCAL).date(), note)
    finally:
        shutil.rmtree(own, ignore_errors=True)
    if as_json:
        json_line({"bench": "shards", **found})
    else:
        _show(session, found)


_ROWS: Final = (
    ("µs CPU mỗi lượt, bên ghi", "µs CPU a scan, the writer's", "client_us"),
    ("µs CPU mỗi lượt, máy chủ", "µs CPU a scan, the engines'", "engines_us"),
    ("ms một lần truy vết, trung vị", "ms a trace, median", "p50_ms"),
    ("ms CPU mỗi lần, bên truy vết", "ms CPU a trace, the tracer's", "client_cpu_ms"),
    ("ms CPU mỗi lần, máy chủ", "ms CPU a trace, the engines'", "engines_cpu_ms"),
)


def _show(session: Session, found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False)
    table.add_column(session.lines("số mảnh", "shards"))
    for row in found["shards"]:
        table.add_column(number(row["shards"]), justify="right")
    for vi, en, name in _ROWS:
        cells = [
            f"{row.get(name, row['traced'].get(name))} (× {row['times'][name]:.2f})"
            for row in found["shards"]
        ]
        table.add_row(session.words(vi, en), *cells)
    several = [f"{100 * row['people_on_several']:.0f} %" for row in found["shards"]]
    table.add_row(session.words("người có ở nhiều mảnh", "people on several shards"), *several)
    screen().print(table)
    same = number(found["same_answers"])
    line(
        session.words(
            f"{same} ca, mọi kết quả giống nhau đến từng byte.",
            f"{same} cases, all answers the same to the byte.",
        )
    )
