"""The page of the trace benchmark: its limits, its tables and its pictures, from one result."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.trace_cases import MANY

Found = dict[str, Any]
PAGE: Final = "bench-trace.md"
BEGIN: Final = "<!-- figures: written by `truyvet bench trace --write docs` -->"
END: Final = "<!-- end of figures -->"
TEN_MILLION: Final = 10_000_000
HUNDRED_MILLION: Final = 100_000_000
_NAMES: Final = {
    "naive_clickhouse": "naive self-join in ClickHouse",
    "duckdb": "DuckDB",
    "postgresql": "PostgreSQL",
}


def limits(found: Found) -> list[Found]:
    """Each limit of a run with its value; those that this run says nothing about are left out."""
    large = found["sizes"][-1]
    listed = [
        ("growth", found["growth"], 1.3, "<="),
        ("ratio_to_naive", found["ratio_to_naive"], 50, ">="),
        ("busy_to_idle", found["busy_to_idle"], 2, "<="),
        ("ratio_to_duckdb", found.get("ratio_to_duckdb"), 1, ">"),
        ("ratio_to_postgresql", found.get("ratio_to_postgresql"), 1, ">"),
    ]
    if found["scans"] >= HUNDRED_MILLION:
        listed += [
            ("p50_ms", found["p50_ms"], 50, "<="),
            ("p99_ms", found["p99_ms"], 250, "<="),
            ("current_week_p50_ms", found["current_week_p50_ms"], 100, "<="),
            ("second_s", found["second_s"], 1, "<="),
        ]
    if found["sizes"][0]["scans"] >= TEN_MILLION:
        listed += [
            (what, found.get(what), most, "<=")
            for what, most in (
                ("alerted_p99_ms", 1_000),
                ("late_alert_p99_ms", 1_000),
                ("late_run_p99_ms", 2_000),
                ("windows_on_ms", 1_000),
                ("windows_off_ms", 1_000),
            )
        ]
    if large["many_contacts"] >= MANY:
        listed.append(("many_s", found["many_s"], 3, "<="))
    return [
        {
            "what": what,
            "value": value,
            "limit": f"{sign} {limit}",
            "passed": _holds(value, sign, limit),
        }
        for what, value, limit, sign in listed
        if value is not None
    ]


def _holds(value: float, sign: str, limit: float) -> bool:
    return {"<=": value <= limit, ">=": value >= limit, ">": value > limit}[sign]


def write_page(docs: Path, found: Found) -> None:
    """Write the pictures into `docs/img`, and the tables between the page's two marks."""
    from bench.trace_charts import bars, points  # the extra `bench`, and only for this

    images = docs / "img"
    images.mkdir(parents=True, exist_ok=True)
    (images / "bench-trace-sizes.svg").write_text(points(_sizes_rows(found)), encoding="utf-8")
    (images / "bench-trace-beside.svg").write_text(bars(_beside_rows(found)), encoding="utf-8")
    page = docs / PAGE
    text = page.read_text("utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{tables(found)}\n{END}{after}", encoding="utf-8")


def tables(found: Found) -> str:
    """The result as Markdown."""
    machine = found["machine"]
    parts = [
        f"{machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_kb'] / 1e6:.0f} GB; one run; seed {found['seed']}.",
        _table(("limit", "found", "wanted", ""), _limit_rows(found)),
        _growth(found),
        _table(
            (
                "scans",
                "state",
                "cases",
                "p50 ms",
                "p99 ms",
                "longest ms",
                "parts",
                "contacts, median (most)",
                "CPU ms a trace: client, engine",
                "load of the machine",
            ),
            _state_rows(found),
        ),
        _copied(found),
        _table(
            (
                "scans",
                "beside",
                "cases, all answers the same",
                "p50 ms",
                "truyvet's p50 ms",
                "truyvet is",
                "loaded in s, GB",
            ),
            _peer_rows(found),
        ),
        _table(
            ("scans", "a patient with", "seconds"),
            [
                (
                    _number(s["scans"]),
                    f"{_number(s['many_contacts'])} contacts",
                    f"{s['many_s']:.2f}",
                )
                for s in found["sizes"]
            ],
        ),
        _table(
            ("scans", "F2 of cases", "F1s followed, F2s (the median case)", "seconds, longest"),
            [_second_row(size) for size in found["sizes"]],
        ),
    ]
    parts += _told(found["sizes"][0])
    busy = found["ingest"]
    if busy:
        parts.append(
            f"Beside {_number(busy['achieved'])} scans a second: p50 {busy['p50_ms']} ms, "
            f"p99 {busy['p99_ms']} ms over {busy['cases']} traces; idle, the same cases: "
            f"p50 {busy['idle_p50_ms']}, p99 {busy['idle_p99_ms']} ms; {busy['ratio']} × at p99. "
            f"In turn with them a loop of as much CPU as each took idle: p50 "
            f"{busy['loop_p50_ms']}, p99 {busy['loop_p99_ms']} ms; {busy['loop_ratio']} ×."
        )
    pictures = "![sizes](img/bench-trace-sizes.svg)\n![beside](img/bench-trace-beside.svg)"
    return "\n\n".join([*parts, pictures])


def _growth(found: Found) -> str:
    """How much longer a trace takes on the larger size, and why it was measured so."""
    cpu = f"CPU time of a trace, client and engine, large to small: {found['cpu_growth']} ×."
    turns = found["sizes"][-1]["turns"]
    if not turns:
        return cpu
    return (
        f"In turn, a case of each size, {turns['cases']} times: p50 {turns['small_p50_ms']} and "
        f"{turns['large_p50_ms']} ms, {turns['growth']} ×. (In the table each is of its own "
        f"minutes: {found['growth_apart']} ×.) {cpu}"
    )


def _told(size: Found) -> list[str]:
    """What was measured of a worker with cases, a sentence each."""
    if not size["told"]:
        return []
    alerted, late, together, windows = (
        size["told"][name] for name in ("alerted", "late", "at_once", "switched")
    )
    return [
        f"From a case to its last alert, {_number(size['scans'])} scans in the table, "
        f"{alerted['cases']} cases with {alerted['contacts']} contacts (the median; at most "
        f"{_number(alerted['most_contacts'])}): p50 {alerted['p50_ms']:.0f} ms, "
        f"p99 {alerted['p99_ms']:.0f} ms, longest {alerted['max_ms']:.0f} ms.",
        f"From a late scan where one of these cases was to its live alert, one scan at a time, "
        f"{late['scans']} of them: p50 {late['alert_p50_ms']:.0f} ms, "
        f"p99 {late['alert_p99_ms']:.0f} ms; to the last alert of the new version of the run: "
        f"p50 {late['run_p50_ms']:.0f} ms, p99 {late['run_p99_ms']:.0f} ms.",
        f"{together['cases']} cases registered within {together['appended_ms']:.0f} ms: the "
        f"first has its last alert after {together['first_ms']:.0f} ms, half of them after "
        f"{together['p50_ms']:.0f}, the last after {together['last_ms']:.0f}; none was overtaken "
        f"by more than {together['overtaken']} that were registered later; the worker takes "
        f"{together['rss_before_mb']:.0f} MB before and {together['rss_most_mb']:.0f} at most.",
        f"A case is watched at most {windows['on_most_ms']:.0f} ms after its registration (median "
        f"{windows['on_p50_ms']:.0f}) and no more at most {windows['off_most_ms']:.0f} ms after "
        f"its closing (median {windows['off_p50_ms']:.0f}); {windows['cases']} cases.",
    ]


def _limit_rows(found: Found) -> list[Sequence[str]]:
    return [
        (
            entry["what"],
            f"{entry['value']:g}",
            entry["limit"],
            "met" if entry["passed"] else "**missed**",
        )
        for entry in found["limits"]
    ]


def _state_rows(found: Found) -> list[Sequence[str]]:
    return [
        (
            _number(size["scans"]),
            state,
            str(timed["cases"]),
            f"{timed['p50_ms']:.1f}",
            f"{timed['p99_ms']:.1f}",
            f"{timed['max_ms']:.1f}",
            str(timed["parts"]),
            f"{timed['contacts']} ({timed['most_contacts']})",
            f"{timed['client_cpu_ms']:.0f}, {timed['engine_cpu_ms']:.0f}",
            f"{timed['load']:.1f}",
        )
        for size in found["sizes"]
        for state, timed in (
            ("current week as ingest leaves it", size["unmerged"]),
            ("merged", size["merged"]),
            ("merged, ClickHouse asked", size["plain"]),
        )
    ]


def _copied(found: Found) -> str:
    """What the segments are and take."""
    each = "; ".join(
        f"of {_number(size['copied']['rows'])} scans in {size['copied']['seconds']:.1f} s, "
        f"{size['copied']['bytes'] / 1e9:.1f} GB"
        for size in found["sizes"]
    )
    return f"Segments of the merged weeks: {each}."


def _second_row(size: Found) -> Sequence[str]:
    second = size["second"]
    return (
        _number(size["scans"]),
        str(second["cases"]),
        f"{second['firsts']}, {_number(second['contacts'])}",
        f"{second['median_s']:.2f}, {second['longest_s']:.2f}",
    )


def _peer_rows(found: Found) -> list[Sequence[str]]:
    return [
        (_number(size["scans"]), _NAMES[row["name"]], f"not measured: {row['failure']}", *4 * ("",))
        if row["failure"]
        else (
            _number(size["scans"]),
            " ".join(
                [_NAMES[row["name"]], str(row["facts"].get("version", "")).split(" ")[0]]
            ).strip(),
            str(row["cases"]),
            f"{row['p50_ms']:.1f}",
            f"{row['truyvet_p50_ms']:.1f}",
            f"{row['truyvet_is_times']:g} × as fast",
            _loaded(row["facts"]),
        )
        for size in found["sizes"]
        for row in size["beside"]
    ]


def _loaded(facts: Found) -> str:
    return f"{facts['loaded_s']:.0f}, {facts['bytes'] / 1e9:.1f}" if facts else ""


def _sizes_rows(found: Found) -> list[Found]:
    return [
        {"scans": size["scans"], "ms": timed[f"{p}_ms"], "what": f"{state}, {p}"}
        for size in found["sizes"]
        for state, timed in (
            ("current week unmerged", size["unmerged"]),
            ("merged", size["merged"]),
        )
        for p in ("p50", "p99")
    ]


def _beside_rows(found: Found) -> list[Found]:
    rows: list[Found] = []
    for size in found["sizes"]:
        at = f"{_number(size['scans'])} scans"
        rows.append({"size": at, "what": "truyvet", "ms": size["merged"]["p50_ms"]})
        rows += [
            {"size": at, "what": _NAMES[row["name"]], "ms": row["p50_ms"]}
            for row in size["beside"]
            if not row["failure"]
        ]
    return rows


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _number(value: float) -> str:
    return f"{value:,.0f}"
