"""`truyvet bench places`: its options and its table."""

from typing import Annotated, Any

import typer

from console.cli.benching_long_kit import own_directory
from console.cli.out import json_line, note, number, screen
from console.cli.session import Json, Session, session_of

Row = tuple[str, str, str, str]  # Vietnamese, English, how long or how fast, memory

_QUESTIONS = {
    "whole": ("phễu cả thành phố", "funnel of everything"),
    "by_ward": ("phễu theo phường, xã", "funnel by ward"),
    "by_kind": ("phễu theo loại hình", "funnel by kind"),
    "one_ward": ("phễu của một phường", "funnel of one ward"),
    "by_day": ("phễu theo ngày, 28 ngày", "funnel by day, 28 days"),
    "behind_posted": ("100 điểm chưa dán", "100 places not posted"),
    "behind_scanned_ward": ("điểm chưa ai quét, một phường", "not scanned, of one ward"),
}
_LIMITS = {
    "worker_ready_s": ("worker sẵn sàng, s", "worker ready, s"),
    "worker_register_mb": ("sổ trong worker, MB", "the register in a worker, MB"),
    "revoked_longest_s": ("thu hồi có hiệu lực, s", "a revocation in force, s"),
    "coverage_query_p99_s": ("hỏi độ phủ, p99, s", "a coverage query, p99, s"),
    "coverage_oldest_s": ("độ phủ cũ nhất, s", "coverage shown, the oldest, s"),
}


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
    short: Annotated[
        bool, typer.Option("--short", help="Nhỏ, chỉ kiểm tra đúng sai. / Small: correctness only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """A quarter of an hour and some 5 GB of disk; exit code 1 beyond a limit, unless short."""
    import shutil
    from dataclasses import replace

    from bench.places import SHORT, Plan, limits, run

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
    passed = all(limit["passed"] for limit in found["limits"])
    if as_json:
        json_line({"bench": "places", **found, "passed": passed})
    else:
        _show(session, found)
    raise typer.Exit(0 if passed else 1)


def _show(session: Session, found: dict[str, Any]) -> None:
    from rich.table import Table

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
            what = session.words(*_LIMITS[limit["what"]])
            over = session.words("vượt giới hạn", "over the limit")
            note(f"{over}: {what}: {limit['found']:g} > {limit['limit']:g}")


def rows(found: dict[str, Any]) -> list[Row]:
    """The lines of the table."""
    dry, done, required = found["dry_run"], found["import"], found["required"]
    published, worker, covered = found["published"], found["worker"], found["coverage"]
    full, empty, told = worker["full"], worker["empty"], found["revoked"]
    told_of = number(told["revocations"])
    lines = [
        ("nhập danh sách, có cấp mã", "import of the list, with codes",
         f"{_s(done['seconds'])}, {number(done['per_s'])}/s", _mb(done["peak_mb"])),
        (f"danh sách phải có mã, {number(required['rows'])} mục",
         f"required list, {number(required['rows'])} entries",
         _s(required["seconds"]), _mb(required["peak_mb"])),
        ("đưa lên Kafka", "published to Kafka",
         f"{_s(published['seconds'])}, {number(published['per_s'])}/s",
         _mb(published["console_peak_mb"])),
        ("worker sẵn sàng, không có điểm nào", "worker ready, no places",
         _s(empty["longest_s"]), _mb(empty["rss_mb"])),
        ("worker sẵn sàng, đủ mọi mã", "worker ready with all codes",
         _s(full["longest_s"]), _mb(full["rss_mb"])),
        ("phần của sổ trong worker", "of which the register",
         "", f"{_mb(worker['register_mb'])} (+{_mb(worker['register_peak_mb'])})"),
        ("độ phủ: chép sổ từ Kafka", "coverage: the register copied from Kafka",
         _s(covered["copied_s"]), _mb(covered["peak_mb"])),
        (f"vòng đếm đầu, {number(found['scans'])} lượt quét",
         f"first round, {number(found['scans'])} scans", _s(covered["counted_s"]), ""),
    ]  # fmt: skip
    if dry:
        lines.insert(0, ("đọc thử danh sách", "dry run of the list", _s(dry["seconds"]),
                         _mb(dry["peak_mb"])))  # fmt: skip
    lines += [
        (vi, en, _s(covered[key]), "")
        for vi, en, key in (
            ("vòng sau, không đổi", "next round, nothing new", "unchanged_s"),
            ("vòng sau, có lượt quét mới", "next round, with new scans", "with_scans_s"),
            ("độ phủ đang xem cũ nhất", "coverage shown, the oldest", "oldest_s"),
        )
        if covered[key] is not None
    ]
    lines += [
        *(
            (*_QUESTIONS[one["question"]], f"p50 {_ms(one['p50_ms'])}, p99 {_ms(one['p99_ms'])}",
             "") for one in covered["asked"]
        ),
        (f"{told_of} mã bị thu hồi: mọi worker từ chối, lâu nhất",
         f"{told_of} codes revoked: every worker refuses, the longest",
         f"{told['longest_s']:.2f} s", ""),
    ]  # fmt: skip
    return lines


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"


def _ms(value: float) -> str:
    return f"{number(value)} ms"


def _mb(value: float) -> str:
    return f"{number(value)} MB"
