"""`truyvet bench rebuild`: its options and its lines."""

from typing import Annotated

import typer

from console.cli.benching_long_kit import own_directory
from console.cli.out import json_line, line, note, number
from console.cli.session import Json, session_of


def add_rebuild_bench(bench: typer.Typer) -> None:
    """This command."""
    about = "Đọc lại nhật ký so với lần đầu. / Reading the log again, beside the first time."
    bench.command("rebuild", help=about)(rebuild)


def rebuild(
    context: typer.Context,
    records: Annotated[
        int, typer.Option(min=10_000, help="Bản ghi. / Records on the topic.")
    ] = 4_000_000,
    seed: Annotated[int, typer.Option(min=0, help="Cùng số, cùng thành phố. / Same city.")] = 7,
    short: Annotated[
        bool, typer.Option("--short", help="Nhỏ, chỉ kiểm tra đúng sai. / Small: correctness only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """One process each, in one run. Exit code 1 below four fifths, unless short."""
    from bench.rebuild import WANTED, run

    session = session_of(context)
    found = run(own_directory(session, "rebuild"), 20_000 if short else records, seed, note)
    passed = found["swapped"] and (short or found["ratio"] >= WANTED)
    if as_json:
        json_line({"bench": "rebuild", **found, "passed": passed})
    else:
        for value, vi, en in (
            (
                number(found["drain_per_s"]),
                "bản ghi mỗi giây, lần đầu",
                "a second, drained",
            ),
            (number(found["rebuild_per_s"]), "mỗi giây, đọc lại", "a second, read again"),
            (f"{found['ratio']:.2f}", "tỉ lệ", "ratio"),
            (f"{found['whole_s']:.0f} s", "cả việc dựng lại", "the whole rebuild"),
        ):
            line(f"{value:>12}  {session.words(vi, en)}")
    raise typer.Exit(0 if passed else 1)
