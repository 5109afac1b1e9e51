"""`truyvet rules list | show | diff`: which rules there are, in words, and what another changes."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.out import json_line, line, note, screen
from console.cli.session import Json, session_of
from schemas.errors import UserError

if TYPE_CHECKING:
    from tracer.ruleset import RuleSet


def add_to(app: typer.Typer) -> None:
    """These commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Bộ quy tắc truy vết. / Rule-sets: list, show, diff."
    )
    group.command("list", help="Các bộ quy tắc. / All rule-sets.")(list_)
    group.command("show", help="Bộ quy tắc nói gì. / What a rule-set says.")(show)
    group.command("diff", help="Đổi bộ quy tắc thì ai khác. / Who changes under another.")(diff)
    app.add_typer(group, name="rules")


def list_(context: typer.Context, as_json: Json = False) -> None:
    """By date; the one that applies today is marked."""
    from rich.table import Table

    from issuer.kinds import kinds, sectors
    from tracer.ruleset import choose, load_rule_sets

    session = session_of(context)
    rule_sets = load_rule_sets(kinds=kinds(), sectors=sectors())
    today = choose(rule_sets, _today()).id
    if as_json:
        json_line({"today": today, "rule_sets": [r.model_dump(mode="json") for r in rule_sets]})
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for vi, en in (("", ""), ("bộ", "id"), ("tình trạng", "status"), ("nguồn", "source")):
        table.add_column(session.lines(vi, en), no_wrap=vi != "nguồn")
    for rule_set in rule_sets:
        table.add_row(
            "*" if rule_set.id == today else "",
            rule_set.id,
            session.lines(*_status(rule_set)),
            session.lines(rule_set.title.vi, rule_set.title.en),
        )
    screen().print(table)
    line()
    line(session.words("* áp dụng cho ca đăng ký hôm nay", "* applies to a case registered today"))


def show(
    context: typer.Context,
    rule_set_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Mặc định: bộ áp dụng hôm nay. / Today's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Window, clauses, what is asked, what is missing."""
    from console.cli.rules_text import explain
    from tracer.ruleset import choose, load_rule_sets

    session = session_of(context)
    rule_sets = load_rule_sets()
    if rule_set_id is None:
        rule_set = choose(rule_sets, _today())
    else:
        known = {rule_set.id: rule_set for rule_set in rule_sets}
        if rule_set_id not in known:
            ids = ", ".join(known)
            raise UserError(
                f"Không có bộ quy tắc {rule_set_id}; có: {ids}. / "
                f"There is no rule-set {rule_set_id}; there are: {ids}."
            )
        rule_set = known[rule_set_id]
    if as_json:
        json_line(rule_set.model_dump(mode="json"))
    else:
        explain(rule_set, session, screen())


def diff(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A")],
    b: Annotated[str, typer.Argument(metavar="B")],
    case: Annotated[str, typer.Option(help="Trên ca nào. / On which case.")],
    limit: Annotated[
        int, typer.Option(min=1, help="Bao nhiêu người mỗi nhóm. / People of each group shown.")
    ] = 20,
    as_json: Json = False,
) -> None:
    """Both are traced now, on the same scans; nothing is stored, nobody is told."""
    from urllib.parse import quote

    from console.cli.api import Api
    from console.cli.rules_text import show_diff

    session = session_of(context)
    with Api(session.settings()) as api:
        found: dict[str, Any] = api.get(f"/v1/cases/{quote(case, safe='')}/rules-diff", a=a, b=b)
    if as_json:
        json_line(found)
        return
    show_diff(found, limit, session, screen())
    if not found["changes"]:
        note(session.words("Không ai khác.", "Nobody changes."))


def _status(rule_set: "RuleSet") -> tuple[str, str]:
    if rule_set.chosen == "by_hand":
        return "chỉ khi được chọn", "by hand only"
    if rule_set.status == "incomplete":
        return "chưa đầy đủ", "incomplete"
    return "đầy đủ", "complete"


def _today() -> date:
    from console.store.engine import utc_now
    from schemas.clock import LOCAL

    return utc_now().astimezone(LOCAL).date()
