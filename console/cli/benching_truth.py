"""`truyvet bench truth`: is it right, and is confidence a probability."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.out import json_line, line, note, progress, screen
from console.cli.session import Json, Session, session_of

if TYPE_CHECKING:
    from bench.truth import Result


def add_truth_bench(bench: typer.Typer) -> None:
    """This command."""
    about = "Người được đề xuất so với sự thật của mô phỏng. / Proposed contacts against the truth."
    bench.command("truth", help=about)(truth)


def truth(
    context: typer.Context,
    cities: Annotated[int, typer.Option(min=1, max=100, help="Số thành phố. / Cities.")] = 8,
    people: Annotated[int, typer.Option(min=200, help="Dân mỗi thành phố. / People in each.")] = (
        4_000
    ),
    cases: Annotated[int, typer.Option(min=2, help="Ca bệnh mỗi thành phố. / Cases in each.")] = 30,
    write: Annotated[
        Path | None,
        typer.Option(help="Ghi bảng và hình vào thư mục docs này. / Into this docs folder."),
    ] = None,
    fit: Annotated[
        bool,
        typer.Option("--fit", help="Ước lượng độ tin cậy, không đo. / Fit confidences instead."),
    ] = False,
    short: Annotated[
        bool, typer.Option("--short", help="Nhỏ, chỉ kiểm tra đúng sai. / Small: correctness only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """In memory: starts nothing, writes nothing but what `--write` names.

    Exit code 1 when a simpler rule is better beyond noise at the default setting, or when not
    all is found where everybody scans; in the short form only the latter.
    """
    from bench.truth import SHORT, Plan, run
    from schemas.errors import UserError

    session = session_of(context)
    if fit:
        _fit(session, as_json)
        return
    if short and write is not None:
        raise UserError(
            "--write cần bản đầy đủ, không phải --short. / --write needs the whole, not --short."
        )
    plan = SHORT if short else Plan(tuple(range(1, cities + 1)), people, cases)
    with progress(session.words("truy vết", "tracing"), plan.steps) as advance:
        result = run(plan, note, advance)
    if write is not None:
        _write(write, result)
    if as_json:
        json_line({"bench": "truth", **result.as_dict()})
    else:
        _show(session, result)
    raise typer.Exit(0 if result.passed or (short and result.all_found) else 1)


def _write(directory: Path, result: "Result") -> None:
    from bench.truth_charts import write_charts
    from bench.truth_report import PAGE, write_tables

    write_tables(directory / PAGE, result)
    write_charts(directory / "img", result)
    note(f"{directory / PAGE}, {directory / 'img'}")


def _fit(session: Session, as_json: bool) -> None:
    """Numbers for a new file of `tracer/data`; nothing is written."""
    from bench.truth import rule_set
    from bench.truth_fit import BASE, fit
    from tracer.parameters import load_parameters

    found = fit(load_parameters(BASE), rule_set(), note)
    if as_json:
        json_line({"bench": "truth", "fit": found.record()})
        return
    for name, value in {**found.start, **found.end}.items():
        of = session.words(f"{found.exposures[name]} lần", f"{found.exposures[name]} exposures")
        kept = session.words("không ước lượng", "not fitted") if name in found.kept else of
        line(f"{value:>6.3f}  {name:<16} {kept}")
    for name, values in found.still_there.items():
        line(f"        {name:<16} {', '.join(f'{value:g}' for value in values)}")


def _show(session: Session, result: "Result") -> None:
    from rich.table import Table

    from bench.truth import DEFAULT, ranges
    from bench.truth_cases import MEASURES, OURS
    from bench.truth_city import percent
    from bench.truth_rules import BASELINES

    cell = result.cell(DEFAULT)
    line(
        session.lines(
            f"{cell.cases} ca bệnh; {DEFAULT.key}; một người là một tiếp xúc.",
            f"{cell.cases} cases; {DEFAULT.key}; a contact is a person.",
        )
    )
    table = Table(show_edge=False, pad_edge=False)
    for vi, en in (("", ""), ("đúng", "precision"), ("đủ", "recall"), ("F", "F"), ("95 %", "95 %")):
        table.add_column(session.lines(vi, en), justify="left" if not vi else "right")
    for method, score in cell.table.items():
        words = OURS if method == OURS else session.lines(*BASELINES[method])
        interval = f"{score.low:.3f}–{score.high:.3f}"
        shares = (f"{score.precision:.3f}", f"{score.recall:.3f}", f"{score.f:.3f}")
        table.add_row(words, *shares, interval)
    screen().print(table)
    line()
    better = result.better()
    if better:
        line(session.words("Quy tắc khác hơn ở:", "Another rule is better at:"))
    else:
        line(session.words("Không quy tắc nào hơn.", "No rule is better in any setting."))
    for setting, measure, name, score in better:
        what = session.words(*MEASURES[measure])
        line(f"{-score.ahead:>+8.3f}  {name}: {setting.key} ({what})")
    spans = ranges(result.parameters)
    for group in result.bands():
        low, high = spans[group.name]
        share = f"{group.name} ({low:g}–{high:g}): {percent(group.real)}"
        line(session.words(f"{share} có mặt cùng lúc", f"{share} were there at the same time"))
    if not result.passed:
        note(session.words("Vượt giới hạn đã nêu.", "A limit that was stated is passed."))
