"""`truyvet bench places`: its options and its table."""

from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.benching_long_kit import own_directory
from console.cli.out import json_line, note, number, screen
from console.cli.session import Json, Session, session_of


def add_places_bench(bench: typer.Typer) -> None:
    """This command."""
    about = "Một triệu điểm quét: nhập, mã, độ phủ, worker. / A million places, end to end."
    bench.command("places", help=about)(places)


def places(
    context: typer.Context,
    places: Annotated[int, typer.Option(min=1_000, help="Số điểm quét. / Places.")] = 1_000_000,
    scans: Annotated[
        int, typer.Option(min=10_000, help="Lượt quét trong 14 ngày. / Scans in 14 days.")
    ] = 20_000_000,
    revocations: Annotated[
        int, typer.Option(min=1, max=500, help="Số mã thu hồi. / Codes revoked.")
    ] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Cùng số, cùng danh sách. / Same list.")] = 7,
    write: Annotated[
        Path | None,
        typer.Option(help="Thư mục tài liệu: ghi bảng. / Write the page's figures there."),
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help="Nhỏ, chỉ kiểm tra đúng sai. / Small: correctness only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """A quarter of an hour and some 5 GB of disk; exit code 1 beyond a limit, unless short."""
    import shutil
    from dataclasses import replace

    from bench.places import SHORT, Plan, run
    from bench.places_page import limits, write_page

    session = session_of(context)
    plan = Plan(places, scans, revocations=revocations, seed=seed)
    if short:
        plan = replace(SHORT, seed=seed)
    own = own_directory(session, "places")
    own.mkdir(parents=True)
    try:
        found = run(own, plan, note)
    finally:
        shutil.rmtree(own, ignore_errors=True)
    found["limits"] = [] if short else limits(found)
    if write is not None:
        write_page(write, found)
    passed = all(limit["passed"] for limit in found["limits"])
    if as_json:
        json_line({"bench": "places", **found, "passed": passed})
    else:
        _show(session, found)
    raise typer.Exit(0 if passed else 1)


def _show(session: Session, found: dict[str, Any]) -> None:
    from rich.table import Table

    from bench.places_page import LIMITS, rows

    head = f"{number(found['places'])} điểm quét, {number(found['sites'])} cơ sở"
    english = f"{number(found['places'])} places of {number(found['sites'])} sites"
    table = Table(show_edge=False, pad_edge=False)
    table.add_column(session.lines(head, english))
    table.add_column(session.lines("thời gian", "time"), justify="right")
    table.add_column(session.lines("bộ nhớ", "memory"), justify="right")
    for vi, en, value, memory in rows(found):
        table.add_row(session.words(vi, en), value, memory)
    screen().print(table)
    for limit in found["limits"]:
        if not limit["passed"]:
            what = session.words(*LIMITS[limit["what"]])
            over = session.words("vượt giới hạn", "over the limit")
            note(f"{over}: {what}: {limit['found']:g} > {limit['limit']:g}")
