"""`truyvet bench trace`: the options, the limits, the table, and the page with its pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.benching_long_kit import own_directory, rising_numbers, show
from console.cli.out import line, note
from console.cli.session import Json, session_of

if TYPE_CHECKING:
    from bench.trace import Plan

Count = Annotated[int, typer.Option(min=1, help="Số ca. / Cases.")]


def add_trace_bench(bench: typer.Typer) -> None:
    """This command."""
    bench.command(
        "trace", help="Truy vết một ca mất bao lâu, bên cạnh hệ khác. / A trace, beside others."
    )(trace)


def trace(
    context: typer.Context,
    rows: Annotated[
        str, typer.Option(help="Các cỡ, số lượt quét tăng dần. / Sizes in scans, rising.")
    ] = "10000000,100000000",
    cases: Count = 300,
    peers: Annotated[
        str, typer.Option(help="all, none, duckdb,postgresql. / Which others.")
    ] = "all",
    ingest_rate: Annotated[
        float, typer.Option(min=0, help="Lượt mỗi giây bên cạnh; 0: không. / Scans a second.")
    ] = 20_000,
    write: Annotated[
        Path | None,
        typer.Option(help="Thư mục tài liệu: ghi bảng và hình. / Write the page's figures there."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Cùng số, cùng thành phố. / Same city.")] = 7,
    short: Annotated[
        bool, typer.Option("--short", help="Bản nhỏ, chỉ kiểm tra đúng sai. / Only correctness.")
    ] = False,
    as_json: Json = False,
) -> None:
    """One city on each size: traces, merged and not, beside others and beside ingest."""
    import shutil

    from bench.trace import Plan, run
    from bench.trace_page import limits, write_page

    session = session_of(context)
    plan = Plan(
        rising_numbers(rows),
        cases,
        peers=_peers(peers),
        ingest_rate=ingest_rate,
        ingest_s=60.0 if ingest_rate else 0.0,
        seed=seed,
    )
    if short:
        plan = _short(peers, seed)
    own = own_directory(session, "trace")
    own.mkdir(parents=True)
    try:
        found = run(own, plan, note).as_dict()
    finally:
        shutil.rmtree(own, ignore_errors=True)
    found["limits"] = [] if short else limits(found)
    if write is not None:
        write_page(write, found)
    words = [] if as_json else _words(found, session.words)
    for text in words:
        line(text)
    passed = all(limit["passed"] for limit in found["limits"])
    show(session, "trace", found, (), as_json, passed=passed)


def _short(peers: str, seed: int) -> "Plan":
    from bench.trace import Plan

    return Plan(
        (40_000, 120_000), 10, 3, _peers("none" if peers == "all" else peers),
        peer_cases=5, second_cases=2, alert_cases=5,
        ingest_rate=1_000, ingest_warm_up_s=5.0, ingest_s=3.0, seed=seed,
    )  # fmt: skip


def _peers(text: str) -> tuple[str, ...]:
    """Raises UserError."""
    from bench.trace_peers import PEERS
    from schemas.errors import UserError

    if text in ("all", "none"):
        return PEERS if text == "all" else ()
    named = tuple(part.strip() for part in text.split(","))
    if unknown := [name for name in named if name not in PEERS]:
        raise UserError(
            f"--peers {unknown[0]}: không có hệ này. / there is none of this name: "
            f"all, none, {', '.join(PEERS)}."
        )
    return named


def _words(found: dict[str, Any], words: Any) -> list[str]:
    """What was compared with what, in a sentence each."""
    told = []
    for size in found["sizes"]:
        for row in size["beside"]:
            if row["failure"]:
                told.append(f"{row['name']}, {size['scans']:,}: {row['failure']}")
    if told:
        told.insert(0, words("Không đo được:", "Not measured:"))
    return told
