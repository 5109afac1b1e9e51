"""`truyvet bench truth`: its rules, its counts, its intervals; not its figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bench.charts import to_svg
from bench.truth import DEFAULT, EVERYBODY, GRID, Plan, Result, rule_set, run
from bench.truth_cases import MEASURES, METHODS, OURS, Counts, bits_of, cases_of
from bench.truth_charts import f_chart, reliability_chart, write_charts
from bench.truth_city import Setting, answers_of, make_city, percent, scans_of
from bench.truth_confidence import as_if, by_band, by_confidence, judged, off_by
from bench.truth_fit import SEEDS, SETTINGS, fitted
from bench.truth_report import BEGIN, END, write_tables
from bench.truth_rules import BASELINES, stays_by_rule
from bench.truth_score import scores_of
from schemas.errors import UserError
from schemas.ids import person_text
from sim.truth import true_contacts
from tracer.frames import SCANS
from tracer.parameters import ENDS, STARTS, load_parameters
from tracer.stays import STAYS
from tracer.window import window_of

DAY = datetime(2021, 12, 1, 17, tzinfo=UTC)  # midnight in Hải Phòng
PARAMETERS = load_parameters()
EIGHT, NINE, TEN = (DAY + timedelta(hours=h) for h in (8, 9, 10))
SMALL = Plan(seeds=(1,), people=400, cases=3, settings=(DEFAULT, *GRID, EVERYBODY))


@pytest.fixture(scope="module")
def small() -> Result:
    steps: list[float] = []
    result = run(SMALL, lambda _: None, steps.append)
    assert steps == list(range(1, SMALL.steps + 1))
    return result


def scans(*rows: tuple[int, datetime, str]) -> pl.DataFrame:
    """Of one person: place, time, direction."""
    whole = [(7, p, at, d, 0, n, None) for n, (p, at, d) in enumerate(rows)]
    return pl.DataFrame(whole, schema=dict(SCANS), orient="row")


def hours(name: str, *rows: tuple[int, datetime, str]) -> list[tuple[int, float, float]]:
    """Place, start and end in hours after local midnight."""
    found = stays_by_rule(scans(*rows))[name]
    assert found.schema == STAYS
    return [
        (p, (s - DAY) / timedelta(hours=1), (e - DAY) / timedelta(hours=1))
        for p, s, e in found.select("place", "start", "end").iter_rows()
    ]


@pytest.mark.parametrize(
    ("name", "alone", "with_out", "then_elsewhere"),
    [
        ("nhs", (8, 24), (8, 9), (8, 10)),
        ("swisscovid", (8, 20), (8, 9), (8, 10)),
        ("luca", (8, 32), (8, 9), (8, 10)),
        ("fixed_2h", (8, 10), (8, 10), (8, 10)),
        ("out_or_2h", (8, 10), (8, 9), (8, 10)),
        ("out_or_15min", (8, 8.25), (8, 9), (8, 8.25)),
    ],
)
def test_how_long_each_rule_says(
    name: str,
    alone: tuple[float, float],
    with_out: tuple[float, float],
    then_elsewhere: tuple[float, float],
) -> None:
    assert hours(name, (1, EIGHT, "in")) == [(1, *alone)]
    assert hours(name, (1, EIGHT, "in"), (1, NINE, "out")) == [(1, *with_out)]
    assert hours(name, (1, EIGHT, "in"), (2, TEN, "in"))[0] == (1, *then_elsewhere)


def test_either_side_of_every_scan_and_united_where_they_touch() -> None:
    soon = EIGHT + timedelta(minutes=30)
    rows = (1, EIGHT, "in"), (1, soon, "out"), (1, TEN, "out")
    assert hours("around_15min", *rows) == [(1, 7.75, 8.75), (1, 9.75, 10.25)]


def test_an_out_without_an_in_is_nothing_to_the_others() -> None:
    for name in BASELINES.keys() - {"around_15min"}:
        assert hours(name, (1, NINE, "out")) == []


def test_the_truth_is_the_same_however_many_scan() -> None:
    city = make_city(3, 300)
    few, all_of_them = scans_of(city, Setting(0.5, 0.0)), scans_of(city, EVERYBODY)
    assert few.height < all_of_them.height / 3
    assert "out" not in few["direction"].to_list()
    # everybody scans in and out, but for gates: two scans a visit, one at a gate, some twice
    at_gates = city.visits.filter(pl.col("place").is_in(city.gates)).height
    once = 2 * city.visits.height - at_gates
    assert once * 0.98 < all_of_them.height < once * 1.02
    assert make_city(3, 300).visits.equals(city.visits)
    longer = make_city(3, 300, dwell=1.5)
    assert total(longer.visits) > total(city.visits)


def total(visits: pl.DataFrame) -> timedelta:
    spent = visits.select((pl.col("end") - pl.col("start")).sum()).item()
    assert isinstance(spent, timedelta)
    return spent


def test_what_is_not_registered_is_not_known_and_who_is_asked_nearly_remembers() -> None:
    city = make_city(3, 300)
    hidden = [p.usual_stay is None for p in city.registered(Setting(0.9, 0.7, unknown=0.5))]
    assert 0.3 < np.mean(hidden) < 0.6
    asked = answers_of(city, Setting(0.9, 0.7, asked=True))
    told = asked.join(city.visits, on=["person", "place", "start"])
    error = (told["end"] - told["end_right"]).dt.total_minutes().abs()
    assert asked.height > 0.4 * city.visits.height
    assert float(error.median() or 0) <= 20  # type: ignore[arg-type]
    assert answers_of(city, DEFAULT).is_empty()


def test_counts_and_the_measures_by_hand() -> None:
    assert Counts.of({1, 2, 3}, {2, 3, 4, 5}) == Counts(hit=2, wrong=1, missed=2)
    case = dict.fromkeys(METHODS, dict.fromkeys(MEASURES, Counts(2, 1, 2)))
    other = case | {"nhs": dict.fromkeys(MEASURES, Counts(4, 0, 0))}
    scores = scores_of([case, other], "anyone", 1)
    assert scores[OURS].precision == pytest.approx(4 / 6)
    assert scores[OURS].recall == pytest.approx(4 / 8)
    assert scores[OURS].f == pytest.approx(8 / 14)
    assert (scores["luca"].ahead, scores["luca"].ahead_high) == (0, 0)
    assert scores["nhs"].better_than_ours
    assert not scores["nhs"].better_beyond_noise  # the one case of two may be left out
    assert scores_of([other] * 9, "anyone", 1)["nhs"].better_beyond_noise


def test_an_exposure_is_real_if_both_were_there_within_it() -> None:
    city = make_city(3, 300)
    (case,) = cases_of(city, 1, rule_set())
    person = int(city.visits["person"][0])
    visit = city.visits.row(0, named=True)
    other = next(p for p in city.visits["person"].unique().sort() if p != person)
    truth = pl.DataFrame([visit, {**visit, "person": other}], schema=city.visits.schema)
    case = case.model_copy(update={"person": person_text(person)})
    town = replace(city, visits=truth)
    after = {"start": visit["end"], "end": visit["end"] + timedelta(hours=1)}
    rows = [
        {"person": other, "place": visit["place"], "start": visit["start"], "end": visit["end"]},
        {"person": other, "place": visit["place"], **after},
        {
            "person": other,
            "place": visit["place"] + 1,
            "start": visit["start"],
            "end": visit["end"],
        },
    ]
    said: dict[str, object] = {}
    for whose in ("case", "their"):
        said |= {f"{whose}_start": visit["start"], f"{whose}_end": visit["end"]}
        said |= {f"{whose}_start_provenance": "scan_in", f"{whose}_end_provenance": "scan_out"}
    found = pl.DataFrame([{**row, **said, "confidence": 0.5, "band": "low"} for row in rows])
    found = found.cast({"person": pl.UInt64, "place": pl.UInt32})
    assert judged(town, case, found)["real"].to_list() == [True, False, False]


TRUE: dict[str, tuple[float, ...]] = {
    "scan_out": (0.99,) * 5,
    "next_elsewhere": (0.9, 0.9, 0.85, 0.8, 0.6),
    "usual_stay": (1.0, 0.95, 0.7, 0.5, 0.3),
}


def invented(n: int) -> pl.DataFrame:
    """Exposures of hour-long stays that are real as often as `TRUE` says."""
    rng = np.random.default_rng(5)
    frame: dict[str, pl.Series | list[str]] = {"case": [f"{i % 50}" for i in range(n)]}
    chance = np.ones(n)
    at = pl.Series(np.full(n, int(TEN.timestamp() * 1000))).cast(SCANS["scanned_at"])
    for whose in ("case", "their"):
        ended = rng.choice(list(TRUE), n)
        elapsed = rng.uniform(0, 1, n)
        knots = np.linspace(0, 1, 5)
        chance *= [np.interp(x, knots, TRUE[e]) for e, x in zip(ended, elapsed, strict=True)]
        before = pl.Series((elapsed * 3_600_000).astype(np.int64)).cast(pl.Duration("ms"))
        frame[f"{whose}_start"] = at - before
        frame[f"{whose}_end"] = at - before + timedelta(hours=1)
        frame[f"{whose}_start_provenance"] = ["scan_in"] * n
        frame[f"{whose}_end_provenance"] = [str(e) for e in ended]
    return pl.DataFrame(
        {**frame, "start": at, "real": pl.Series(rng.random(n) < chance)}, strict=False
    )


def test_fitting_finds_what_was_so_and_leaves_what_it_did_not_see() -> None:
    rows = invented(60_000)
    found = fitted(rows, PARAMETERS)
    for name, chances in list(TRUE.items())[1:]:
        assert found.still_there[name] == pytest.approx(chances, abs=0.04)
    assert found.end["scan_out"] == pytest.approx(0.99, abs=0.02)
    assert found.end["usual_stay"] == pytest.approx(0.7, abs=0.02), "over all of the stay"
    assert set(found.kept) == {*STARTS, *ENDS} - TRUE.keys() - {"scan_in"}
    assert found.end["cap"] == PARAMETERS.end_confidence["cap"]
    update = {
        "end_confidence": dict(found.end),
        "start_confidence": dict(found.start),
        "still_there": dict(found.still_there),
    }
    calibrated = as_if(rows, PARAMETERS.model_copy(update=update))
    assert off_by(by_confidence(calibrated, 1)) < 0.02
    groups = by_band(calibrated, 1)
    assert sum(group.exposures for group in groups) == rows.height
    assert all(g.low <= g.real <= g.high for g in groups)


def test_nothing_is_shown_on_what_was_fitted() -> None:
    plan = Plan()
    shown = {(s.scan_in, s.scan_out) for s in plan.settings}
    assert shown.isdisjoint((s.scan_in, s.scan_out) for s in SETTINGS)
    assert set(SEEDS).isdisjoint(plan.seeds)


def test_everybody_is_found_where_everybody_scans(small: Result) -> None:
    assert small.all_found
    best = small.cell(EVERYBODY).table[OURS]
    assert best.recall > 0.97
    assert {s.scan_in for s in GRID} == {1.0, 0.8, 0.5}
    assert {s.scan_out for s in GRID} == {0.7, 0.3, 0.0}


def test_truth_and_counts_agree_with_the_simulators_own(small: Result) -> None:
    city = make_city(SMALL.seeds[0], SMALL.people)
    real = 0
    for case in cases_of(city, SMALL.cases, rule_set()):
        window = window_of(case, rule_set(), city.until)
        together = true_contacts(
            city.visits, bits_of(case), window.start, window.end, without=city.gates
        )
        real += together["person"].n_unique()
    assert {cell.real for cell in small.cells} == {real}


def test_the_object_names_what_a_reader_looks_for(small: Result) -> None:
    found = small.as_dict()
    assert found["default"]["f"] == found["settings"][0]["methods"]["anyone"][OURS]["f"]
    assert set(found["settings"][0]["methods"]["anyone"]) == set(METHODS)
    ranges = found["confidence"]["ranges"]
    assert ranges["high"][0] == ranges["medium"][1] == PARAMETERS.bands.high
    assert ranges["medium"][0] == ranges["low"][1] == PARAMETERS.bands.medium
    assert found["settings"][0]["setting"] == DEFAULT.key


def test_the_same_plan_gives_the_same_object() -> None:
    plan = Plan(seeds=(1,), people=120, cases=1, settings=(DEFAULT, EVERYBODY))
    one, two = (run(plan, lambda _: None, lambda _: None).as_dict() for _ in range(2))
    assert one == two


def test_tables_go_between_the_markers_and_pictures_beside(small: Result, tmp_path: Path) -> None:
    page = tmp_path / "bench-truth.md"
    with pytest.raises(UserError, match="markers"):
        write_tables(page, small)
    page.write_text(f"# Before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_tables(page, small)
    text = page.read_text("utf-8")
    assert text.startswith("# Before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    for cell in small.cells:
        assert cell.setting.key in text
    write_charts(tmp_path / "img", small)
    assert len(list((tmp_path / "img").glob("*.svg"))) == 2
    drawn = to_svg(f_chart(small))
    assert drawn.startswith("<svg")
    assert all(f">{percent(share)} scan in<" in drawn for share in (1.0, 0.8, 0.5))
    assert ">Is confidence a probability?<" in to_svg(reliability_chart(small))
