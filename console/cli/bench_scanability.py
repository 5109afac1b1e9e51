"""`truyvet bench scanability`: its options and its table."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.out import json_line, line, note, screen
from console.cli.session import Json, Session, session_of
from issuer.formats import Format

if TYPE_CHECKING:
    from rich.table import Table


def add_scanability_bench(bench: typer.Typer) -> None:
    """This command."""
    about = "Áp phích đọc được từ bao xa, bên cạnh mã 61 × 61. / From how far a poster reads."
    bench.command("scanability", help=about)(scanability)


def scanability(
    context: typer.Context,
    form: Annotated[Format, typer.Option("--format", help="a3, a4, a5.")] = Format.A4,
    shots: Annotated[
        int, typer.Option(min=1, max=200, help="Số ảnh mỗi khoảng cách. / Shots at each distance.")
    ] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Cùng số, cùng ảnh. / Same pictures.")] = 7,
    short: Annotated[
        bool, typer.Option("--short", help="Nhỏ, chỉ kiểm tra đúng sai. / Small: correctness only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """In memory. Exit code 1 where a 61 × 61 symbol of the same size reads as far as ours."""
    from dataclasses import replace

    from bench.scanability import SHORT, Plan, run

    session = session_of(context)
    plan = replace(SHORT, form=form, seed=seed) if short else Plan(form, shots, seed=seed)
    found = run(plan, note)
    if as_json:
        json_line({"bench": "scanability", **found})
    else:
        screen().print(_table(session, found))
        line(
            session.words(
                f"ít nhất {found['ratio_to_61x61']:.2f} lần xa hơn mã 61 × 61",
                f"at least {found['ratio_to_61x61']:.2f} times as far as 61 × 61",
            )
        )
    raise typer.Exit(0 if found["passed"] else 1)


def _table(session: Session, found: dict[str, Any]) -> "Table":
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False)
    table.add_column(session.lines("cách nhìn", "seen"))
    symbols = list(dict.fromkeys(row["symbol"] for row in found["rows"]))
    for symbol in symbols:
        table.add_column(f"{symbol}, m", justify="right")
    reach = {(row["condition"], row["symbol"]): row["furthest_m"] for row in found["rows"]}
    for condition in found["ratios"]:
        table.add_row(condition, *(f"{reach[condition, s]:.2f}" for s in symbols))
    return table
