"""`truyvet bench posters`: its options and its lines."""

from typing import Annotated, Any

import typer

from console.cli.benching_long_kit import own_directory
from console.cli.out import json_line, line, note, number
from console.cli.session import Json, Session, session_of


def add_posters_bench(bench: typer.Typer) -> None:
    """This command."""
    about = (
        "Áp phích mỗi giây, bên cạnh segno + reportlab. / Posters a second, beside the plain loop."
    )
    bench.command("posters", help=about)(posters)


def posters(
    context: typer.Context,
    pages: Annotated[int, typer.Option(min=100, help="Số trang. / Pages.")] = 10_000,
    naive_pages: Annotated[
        int, typer.Option(min=10, help="Vòng lặp thường in. / Pages of the plain loop.")
    ] = 1_000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Số tiến trình. / Processes.")] = 2,
    zipped: Annotated[
        bool, typer.Option("--zip", help="Mỗi trang một PDF trong ZIP. / A PDF each, in a ZIP.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Cùng số, cùng thành phố. / Same city.")] = 7,
    short: Annotated[
        bool, typer.Option("--short", help="Nhỏ, chỉ kiểm tra đúng sai. / Small: correctness only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The same places in one run. Exit code 1 below three times the plain loop, unless short."""
    import shutil

    from bench.posters import WANTED, Plan, run
    from issuer.printing.order import Packing

    session = session_of(context)
    packing = Packing.ZIP if zipped else Packing.PDF
    plan = Plan(pages, min(naive_pages, pages), workers, packing, seed)
    if short:
        plan = Plan(500, 20, workers, packing, seed)
    own = own_directory(session, "posters")
    own.mkdir(parents=True)
    try:
        found = run(own, plan, note)
    finally:
        shutil.rmtree(own, ignore_errors=True)
    times = found["ratio_to_naive"]
    passed = short or (times is not None and times >= WANTED)
    if as_json:
        json_line({"bench": "posters", **found, "passed": passed})
    else:
        _show(session, found, passed)
    raise typer.Exit(0 if passed else 1)


def _show(session: Session, found: dict[str, Any], passed: bool) -> None:
    naive, whole, quarter = found["naive"], found["whole"], found["quarter"]
    times, rate = found["ratio_to_naive"], naive["pages_per_s"]
    for value, vi, en in (
        ("–" if times is None else f"{times:.1f} ×", "vòng lặp thường", "the plain loop"),
        (number(found["pages_per_s"]), "trang mỗi giây", "pages a second"),
        ("–" if rate is None else number(rate), "vòng lặp thường", "pages a second, plain loop"),
        (f"{whole['bytes_per_page'] / 1000:.1f} kB", "mỗi trang", "a page"),
        (f"{whole['child_peak_mb']:.0f} MB", "mỗi tiến trình in", "a printing process, at most"),
        (f"{quarter['child_peak_mb']:.0f} MB", "với một phần tư", "with a quarter of the pages"),
        (f"{whole['parent_peak_mb']:.0f} MB", "tiến trình chính", "the process that hands out"),
    ):
        line(f"{value:>12}  {session.words(vi, en)}")
    if naive["failure"]:
        note(
            session.words("Không đo được vòng lặp thường: ", "The plain loop could not run: ")
            + naive["failure"]
        )
    if not passed:
        note(session.words("Vượt giới hạn đã nêu.", "A limit that was stated is passed."))
