"""The trace benchmark's pure parts: its city, its answers, its limits and its page."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bench.peers.answers import LONGEST_MS, digest, rows_of
from bench.trace_alerts import Alerted
from bench.trace_at_once import AtOnce, Switched, overtaken
from bench.trace_cases import Seconds, answer_of, percentiles
from bench.trace_city import BUSIEST, DAYS, SCANS_A_PERSON, Scans, TraceCity, shares
from bench.trace_ingest import Busy
from bench.trace_late import Late
from bench.trace_page import BEGIN, END, PAGE, limits, tables, write_page
from bench.trace_peers import NAIVE, Asked, Beside, compared
from bench.trace_segments import Copied
from bench.trace_turns import Turns
from console.cli.bench_trace import _peers
from schemas.errors import UserError
from schemas.places import Place
from tracer.frames import SCANS
from tracer.ground import MINUTE
from tracer.parameters import load_parameters
from tracer.places import ground_at
from tracer.stays import stays

UNTIL = date(2026, 11, 26)
_TWO = np.array([1, 2**64 - 1], np.uint64)
KINDS = ("section", "stall_row", "supermarket", "cafe", "classroom")


def city(scans: int = 40_000, seed: int = 7, places: int = 60) -> TraceCity:
    made = [
        Place(id=n, site=n, name="x", kind=KINDS[n % 5], ward="w", sector="s")
        for n in range(1, places + 1)
    ]
    return TraceCity(made, scans, seed, UNTIL)


def all_days(made: TraceCity) -> Scans:
    days = [made.day(number) for number in range(DAYS)]
    return Scans(
        np.concatenate([day.who for day in days]),
        np.concatenate([day.place for day in days]),
        np.concatenate([day.at for day in days]),
        np.concatenate([day.out for day in days]),
    )


def test_everyone_has_forty_scans_in_two_weeks_that_end_at_local_midnight() -> None:
    made = city()
    scans = all_days(made)
    counts = np.bincount(scans.who)
    assert set(counts[: made.people]) == {SCANS_A_PERSON}
    assert counts[made.people] == 2 * DAYS, "the keeper of the busiest place"
    assert (np.diff(scans.at) >= 0).all()
    end = datetime(2026, 11, 25, 17, tzinfo=UTC).timestamp() * 1000
    assert end - DAYS * 86_400_000 <= scans.at.min()
    assert scans.at.max() < end


def test_scans_pair_up_and_nobody_is_at_two_places() -> None:
    scans = all_days(city())
    order = np.lexsort((scans.at, scans.who))
    scans = scans.rows(order)
    who, place, at, out = scans.who, scans.place, scans.at, scans.out
    assert not out[0::2].any()
    assert out[1::2].all()
    assert (who[0::2] == who[1::2]).all()
    assert (place[0::2] == place[1::2]).all()
    assert (at[1::2] - at[0::2] >= 2 * 60_000).all()
    assert (at[1::2] - at[0::2] <= LONGEST_MS).all()
    same = who[1:] == who[:-1]
    assert (at[1:][same] > at[:-1][same]).all()


def test_the_busiest_place_has_its_share_and_no_other_has_more() -> None:
    for places in (500, 5_000, 50_000):
        found = shares(places, np.random.default_rng(1))
        assert found.sum() == pytest.approx(1)
        assert found.argmax() == 0
        assert found[0] == BUSIEST
    made = city(400_000, places=2_000)
    counts = np.bincount(all_days(made).place)
    assert counts.argmax() == made.busiest
    assert counts.max() / counts.sum() == pytest.approx(BUSIEST, rel=0.15)


def test_the_same_seed_gives_the_same_city_and_persons_are_distinct() -> None:
    one, again, other = city(), city(), city(seed=8)
    assert (one.day(3).at == again.day(3).at).all()
    assert len(one.day(3)) != len(other.day(3)) or (one.day(3).at != other.day(3).at).any()
    everyone = np.arange(one.people + 1, dtype=np.int32)
    assert len(np.unique(one.persons(everyone))) == one.people + 1
    assert not np.isin(one.persons(everyone), other.persons(everyone)).any()


def test_truyvets_stays_of_the_city_are_its_pairs_of_scans() -> None:
    """So that a stay from the scan in to the scan out is what all that are compared must find."""
    made = city(4_000)
    scans = all_days(made)
    assert load_parameters().max_stay_minutes * MINUTE == LONGEST_MS
    frame = pl.DataFrame(
        {
            "person": made.persons(scans.who),
            "place": scans.place,
            "scanned_at": pl.Series(scans.at).cast(pl.Datetime("ms", "UTC")),
            "direction": pl.Series(np.where(scans.out, "out", "in")),
            "kafka_partition": np.zeros(len(scans)),
            "kafka_offset": np.arange(len(scans)),
            "trip": pl.Series([None] * len(scans), dtype=pl.String),
        }
    ).cast(dict(SCANS))  # type: ignore[arg-type]
    places: list[Place] = []
    found = stays(frame, ground_at(places, load_parameters()))
    order = np.lexsort((scans.at, scans.who))
    scans = scans.rows(order)
    pairs = rows_of(
        made.persons(scans.who[0::2]), scans.place[0::2], scans.at[0::2], scans.at[1::2]
    )
    theirs = answer_of(_Result(found))  # type: ignore[arg-type]
    assert digest(theirs) == digest(pairs)
    assert set(found["end_provenance"]) == {"scan_out"}


class _Result:
    def __init__(self, exposures: pl.DataFrame) -> None:
        self.exposures = exposures


def test_a_digest_knows_rows_in_any_order_and_every_millisecond() -> None:
    rows = rows_of(_TWO, [3, 4], [5, 6], [7, 8])
    assert digest(rows) == digest(rows[::-1])
    assert digest(rows) != digest(rows_of(_TWO, [3, 4], [5, 6], [7, 9]))
    assert digest(rows) != digest(rows[:1])


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert percentiles([0.001 * n for n in range(1, 101)]) == (50.0, 99.0, 100.0)
    assert percentiles([0.002]) == (2.0, 2.0, 2.0)


def asked(digests: list[str]) -> list[Asked]:
    return [Asked(n, 0, 1, text, 0.010) for n, text in enumerate(digests)]


def test_another_answer_is_an_error_and_not_a_figure() -> None:
    same = compared(NAIVE, asked(["a", "b", "c"]), [0.5, 0.7], ["a", "b"], {})
    assert (same.cases, same.p50_ms, same.truyvet_is_times) == (2, 500.0, 50.0)
    with pytest.raises(UserError, match="1 of 2 answers are not truyvet's"):
        compared(NAIVE, asked(["a", "b"]), [0.5, 0.7], ["a", "x"], {})
    with pytest.raises(UserError):
        compared(NAIVE, asked(["a"]), [], [], {})


def result(p50: float = 40.0, scans: int = 100_000_000, failure: str = "") -> dict[str, Any]:
    timed = {
        "cases": 300, "p50_ms": p50, "p99_ms": 200.0, "max_ms": 300.0, "contacts": 300,
        "most_contacts": 900, "parts": 3, "current_week_parts": 1, "client_cpu_ms": 20.0,
        "engine_cpu_ms": 30.0, "load": 1.0,
    }  # fmt: skip
    row = Beside(NAIVE, 3, 9_000.0, 9_500.0, p50, 225.0, 3, {}, "").__dict__
    peer = Beside("postgresql", failure=failure).__dict__
    size = {
        "scans": scans, "merged": timed, "unmerged": timed, "many_contacts": 100_200,
        "turns": asdict(Turns(300, 13.0, 14.3, 1.1)), "plain": timed, "copied": asdict(Copied(scans, 20.0, 5_500_000_000)),
        "many_s": 2.5, "beside": [row, peer] if failure else [row],
        "second": asdict(Seconds(5, 0.4, 0.9, 120, 3_000)),
        "told": {
            "alerted": asdict(Alerted(200, 300.0, 900.0, 950.0, 300, 990)),
            "late": asdict(Late(200, 400.0, 850.0, 700.0, 1_600.0)),
            "at_once": asdict(AtOnce(100, 40.0, 210.0, 3_000.0, 6_100.0, 400.0, 520.0, 3)),
            "switched": asdict(Switched(20, 310.0, 660.0, 120.0, 330.0)),
        },
    }  # fmt: skip
    return {
        "scans": scans, "p50_ms": p50, "p99_ms": 200.0, "ratio_to_naive": 225.0, "growth": 1.1,
        "growth_apart": 1.4, "cpu_growth": 1.2,
        "current_week_p50_ms": p50, "many_s": 2.5, "second_s": 0.9, "alerted_p99_ms": 900.0,
        "late_alert_p99_ms": 850.0, "late_run_p99_ms": 1_600.0,
        "windows_on_ms": 660.0, "windows_off_ms": 330.0,
        "busy_to_idle": None, "sizes": [size],
        "ingest": asdict(Busy(
            rate=20_000, achieved=19_998.0, idle_cases=200, idle_p50_ms=20.0, idle_p99_ms=50.0,
            cases=800, p50_ms=30.0, p99_ms=90.0, ratio=1.8, loop_p50_ms=25.0, loop_p99_ms=75.0,
            loop_ratio=1.5, lag_s=0.5, rows=2_400_000, exact=True,
        )), "seed": 7,
        "machine": {"cores": 2, "processor": "x", "memory_kb": 1e6},
    }  # fmt: skip


def test_a_limit_is_met_or_named() -> None:
    assert all(limit["passed"] for limit in limits(result()))
    missed = [limit["what"] for limit in limits(result(p50=51.0)) if not limit["passed"]]
    assert missed == ["p50_ms"]
    named = {limit["what"] for limit in limits(result(scans=1_000_000))}
    assert "p50_ms" not in named, "the limits are of a hundred million scans"


def test_who_was_overtaken_most() -> None:
    assert overtaken([]) == overtaken([1, 2, 3]) == overtaken([2, 2]) == 0
    assert overtaken([9, 2, 3, 1]) == 3
    assert overtaken([1, 5, 2, 3, 4]) == 3


def test_the_page_keeps_its_words_and_names_what_could_not_run(tmp_path: Path) -> None:
    found = {**result(failure="no such package")}
    found["limits"] = limits(found)
    (tmp_path / PAGE).write_text(
        f"# Before\n{BEGIN}\nout of date\n{END}\nafter\n", encoding="utf-8"
    )
    write_page(tmp_path, found)
    text = (tmp_path / PAGE).read_text("utf-8")
    assert text.startswith("# Before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "out of date" not in text
    assert "not measured: no such package" in tables(found)
    assert "300 times: p50 13.0 and 14.3 ms, 1.1 ×. (In the table each is of its own" in text
    assert "| 120, 3,000 | 0.40, 0.90 |" in text
    assert "p50 300 ms, p99 900 ms, longest 950 ms" in text
    assert "p50 400 ms, p99 850 ms; to the last alert of the new version" in text
    assert "100 cases registered within 40 ms: the first has its last alert after 210 ms" in text
    assert "none was overtaken by more than 3" in text
    assert "p50 20.0, p99 50.0 ms; 1.8 × at p99" in text
    assert "as each took idle: p50 25.0, p99 75.0 ms; 1.5 ×" in text
    assert "watched at most 660 ms after its registration" in text
    for name in ("bench-trace-sizes.svg", "bench-trace-beside.svg"):
        assert (tmp_path / "img" / name).read_text("utf-8").startswith("<svg")
        assert f"img/{name}" in text


def test_others_are_named_or_refused() -> None:
    assert _peers("all") == ("duckdb", "postgresql")
    assert _peers("none") == ()
    assert _peers("postgresql") == ("postgresql",)
    with pytest.raises(UserError, match="--peers oracle"):
        _peers("duckdb,oracle")
