"""The tables of `docs/bench-truth.md`, between two markers that the page keeps."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.truth import DEFAULT, Cell, Result, ranges
from bench.truth_cases import MEASURES, METHODS, OURS
from bench.truth_confidence import Group, as_if, brier, by_confidence, off_by
from bench.truth_rules import BASELINES
from bench.truth_score import Score
from schemas.errors import UserError
from sim.dwell import fingerprint

BEGIN: Final = "<!-- truyvet bench truth: from here -->"
END: Final = "<!-- truyvet bench truth: to here -->"
PAGE: Final = "bench-truth.md"


def write_tables(page: Path, result: Result) -> None:
    """Put the tables between the markers of the page. Raises UserError without them."""
    text = page.read_text("utf-8") if page.exists() else ""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise UserError(
            f"{page} không có hai dấu {BEGIN} và {END}. / {page} has not the markers "
            f"{BEGIN} and {END}."
        )
    page.write_text(f"{head}{BEGIN}\n{tables(result)}\n{END}{tail}", encoding="utf-8")


def tables(result: Result) -> str:
    """All of them, as Markdown."""
    default, cells = result.cell(DEFAULT), result.cells
    parts = [
        _made_with(result, default),
        "### At the default setting",
        _methods(default),
        *(
            part
            for name, of in _SHARES.items()
            for part in (f"### {name}, by setting", _by_setting(cells, of))
        ),
        "### Other meanings of a contact, at the default setting: F-measure",
        _by_measure(default),
        "### The other rule that comes closest, by setting",
        _closest(cells),
        "### Where another rule is better",
        _better(result),
        "### Confidence, on settings and cities nothing was fitted on",
        _confidence(result),
        "The bands:",
        _bands(result),
        "How far confidence is off, by setting (mean distance from the share that was real):",
        _off_by(result),
    ]
    return "\n\n".join(parts)


_SHARES: Final[dict[str, Callable[[Score], float]]] = {
    "F-measure": lambda score: score.f,
    "Precision": lambda score: score.precision,
    "Recall": lambda score: score.recall,
}


def _made_with(result: Result, default: Cell) -> str:
    plan = result.plan
    return (
        f"{len(plan.seeds)} cities of {_n(plan.people)} people (seeds {plan.seeds[0]}–"
        f"{plan.seeds[-1]}), {plan.cases} cases in each, {default.cases} in all, with "
        f"{_n(default.real)} real contacts. Parameters `{result.parameters.id}`. Dwell times: "
        f"`sim/data/dwell.toml`, fingerprint `{fingerprint()}`."
    )


def _methods(cell: Cell) -> str:
    best = max(score.f for score in cell.table.values())
    rows = [
        (
            _name(method),
            _s(score.precision),
            _s(score.recall),
            _best(score.f, best),
            f"{_s(score.low)}–{_s(score.high)}",
            "" if method == OURS else _ahead(score),
            _s(score.mean_case_f),
        )
        for method, score in cell.table.items()
    ]
    heads = ("", "precision", "recall", "F", "95 %", "truyvet is ahead by", "F, mean of cases")
    return _table(heads, rows)


def _by_setting(cells: Sequence[Cell], of: Callable[[Score], float]) -> str:
    rows = []
    for cell in cells:
        values = [of(cell.table[method]) for method in METHODS]
        rows.append((cell.setting.key, *(_best(v, max(values)) for v in values)))
    return _table(("setting", *(f"`{m}`" for m in METHODS)), rows)


def _by_measure(cell: Cell) -> str:
    rows = []
    for measure, (_, words) in MEASURES.items():
        values = [cell.scores[measure][method].f for method in METHODS]
        rows.append((words, *(_best(v, max(values)) for v in values)))
    return _table(("a contact is", *(f"`{m}`" for m in METHODS)), rows)


def _closest(cells: Sequence[Cell]) -> str:
    rows = []
    for cell in cells:
        _, name = max((cell.table[baseline].f, baseline) for baseline in BASELINES)
        score = cell.table[name]
        rows.append((cell.setting.key, f"`{name}`", _s(score.f), _ahead(score)))
    return _table(("setting", "rule", "F", "truyvet is ahead by"), rows)


def _better(result: Result) -> str:
    rows = [
        (
            setting.key,
            MEASURES[measure][1],
            f"`{name}`",
            _ahead(score),
            "yes" if score.better_beyond_noise else "no",
        )
        for setting, measure, name, score in result.better()
    ]
    if not rows:
        return "Nowhere."
    heads = ("setting", "a contact is", "rule", "truyvet is ahead by", "beyond noise")
    return _table(heads, rows)


def _confidence(result: Result) -> str:
    rows = []
    for parameters in (result.before, result.parameters):
        judged = as_if(result.unseen, parameters)
        groups = by_confidence(judged, result.plan.seed)
        rows += [
            (f"`{parameters.id}`" if at == 0 else "", *_group(group))
            for at, group in enumerate(groups)
        ]
        rows.append((f"off by {off_by(groups):.3f}", "", "", "", f"Brier {brier(judged):.3f}"))
    return _table(("parameters", "exposures", "confidence", "were real", "95 %"), rows)


def _bands(result: Result) -> str:
    spans = {name: f"{a:g} to {b:g}" for name, (a, b) in ranges(result.parameters).items()}
    rows = [(group.name, spans[group.name], *_group(group)) for group in result.bands()]
    return _table(("band", "confidence", "exposures", "mean", "were real", "95 %"), rows)


def _group(group: Group) -> tuple[str, ...]:
    return (
        _n(group.exposures),
        _s(group.confidence),
        _s(group.real),
        f"{_s(group.low)}–{_s(group.high)}",
    )


def _off_by(result: Result) -> str:
    rows = []
    for cell in result.cells:
        groups = by_confidence(cell.exposures, result.plan.seed)
        rows.append((cell.setting.key, _n(cell.exposures.height), f"{off_by(groups):.3f}"))
    return _table(("setting", "exposures", "off by"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _name(method: str) -> str:
    return f"`{method}`" if method == OURS else f"`{method}` {BASELINES[method][1]}"


def _ahead(score: Score) -> str:
    return f"{score.ahead:+.3f} ({score.ahead_low:+.3f} to {score.ahead_high:+.3f})"


def _best(value: float, best: float) -> str:
    return f"**{_s(value)}**" if value == best else _s(value)


def _s(value: float) -> str:
    return f"{value:.3f}"


def _n(value: int) -> str:
    return f"{value:,}".replace(",", " ")
