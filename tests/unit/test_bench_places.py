"""The parts of `truyvet bench places` that decide what its figures mean."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.places_coverage import Round, oldest_s, posted, postings
from bench.places_list import sites, write_places, write_required
from bench.places_page import BEGIN, END, PAGE, limits, write_page
from bench.places_workers import in_force, one_person_each
from console.sitelist.options import options_of
from console.sitelist.requiring import plan_required
from console.sitelist.sheet import rows_of
from console.sitelist.understand import understand
from schemas.errors import UserError
from schemas.ids import partition_of


def test_the_list_is_read_to_the_last_row_and_is_the_same_again(tmp_path: Path) -> None:
    file, again = tmp_path / "a.csv", tmp_path / "b.csv"
    count = write_places(file, 1_000, 7)
    write_places(again, 1_000, 7)
    assert file.read_bytes() == again.read_bytes()
    understood = understand(rows_of(file), options_of("*", None, None, []))
    made = plan_required(understood).grouped
    assert (understood.refused, understood.guessed, made.again, made.gates) == ([], 0, [], 0)
    assert (len(made.sites), made.places) == (count, 1_000)
    assert count == sum(1 for _ in sites(1_000, 7)) < 1_000
    assert len({site.ward for site in made.sites}) > 100
    assert len({site.kind for site in made.sites}) > 12


def test_the_required_list_names_some_of_the_sites_and_a_few_that_are_not(tmp_path: Path) -> None:
    file, required = tmp_path / "a.csv", tmp_path / "b.csv"
    count = write_places(file, 2_000, 7)
    entries = write_required(required, 2_000, 7)
    with required.open(encoding="utf-8") as rows:
        codes = {row["Mã"] for row in csv.DictReader(rows)}
    assert entries == len(codes) == count // 10
    known = {f"CS-{site.number}" for site in sites(2_000, 7)}
    assert len(codes - known) == count // 200


def test_as_many_postings_hang_as_the_funnel_is_checked_for() -> None:
    made = list(postings(1_000, datetime(2026, 11, 26, tzinfo=UTC)))
    assert len({one.place for one in made}) == len(made) == 600
    assert sum(one.posted_at is not None for one in made) == posted(1_000) == 500


def test_a_revocation_is_in_force_when_the_slowest_partition_refuses_for_good() -> None:
    rows = [(0, 1_100, True), (0, 1_150, True), (1, 1_050, False), (1, 1_400, True)]
    assert in_force(rows, 1_000, 2) == (0.4, 1)
    back = [*rows, (0, 1_700, False), (0, 1_800, True)]
    assert in_force(back, 1_000, 2) == (0.8, 2), "a partition that accepted again"
    with pytest.raises(UserError, match="Partition 2"):
        in_force(rows, 1_000, 3)
    with pytest.raises(UserError, match="Partition 1"):
        in_force([*rows, (1, 1_500, False)], 1_000, 2)


def test_one_person_scans_into_each_partition() -> None:
    persons = one_person_each(8)
    assert [partition_of(person.encode(), 8) for person in persons] == list(range(8))


def test_what_is_shown_is_as_old_as_the_wait_for_the_next_whole_round() -> None:
    made = [Round(0, 1, 2.0), Round(32_000, 1, 3.0), Round(62_500, 1, 1.0)]
    assert oldest_s(made) == 35.0
    assert oldest_s(made[:1]) is None


FOUND: dict[str, Any] = {
    "places": 1_000_000,
    "sites": 400_000,
    "scans": 20_000_000,
    "seed": 7,
    "load": 1.5,
    "machine": {"cores": 2, "processor": "A", "memory_kb": 24_000_000, "python": "3.11.7"},
    "dry_run": {"seconds": 50.0, "cpu_s": 40.0, "peak_mb": 1_000.0},
    "import": {
        "rows": 1_000_000,
        "seconds": 300.0,
        "cpu_s": 200.0,
        "per_s": 3_333,
        "peak_mb": 1_100.0,
    },
    "required": {"rows": 40_000, "seconds": 20.0, "cpu_s": 9.0, "per_s": 2_000, "peak_mb": 200.0},
    "published": {"seconds": 60.0, "per_s": 23_333, "console_peak_mb": 300.0},
    "worker": {
        "empty": {"longest_s": 4.0, "cpu_s": 3.0, "rss_mb": 210.0},
        "full": {"longest_s": 14.0, "cpu_s": 9.0, "rss_mb": 509.0},
        "register_mb": 299.0,
        "register_peak_mb": 350.0,
    },
    "coverage": {
        "copied_s": 30.0,
        "peak_mb": 500.0,
        "counted_s": 6.0,
        "unchanged_s": 3.0,
        "with_scans_s": 4.0,
        "oldest_s": 45.0,
        "asked": [
            {"question": "whole", "p50_ms": 50.0, "p99_ms": 90.0, "cpu_ms": 60.0},
            {"question": "by_ward", "p50_ms": 400.0, "p99_ms": 1_100.0, "cpu_ms": 500.0},
        ],
    },
    "revoked": {"revocations": 20, "longest_s": 1.0, "seen_longest_s": 1.7},
}


def test_every_limit_is_held() -> None:
    assert [one["what"] for one in limits(FOUND) if not one["passed"]] == ["coverage_query_p99_s"]


def test_the_page_keeps_its_words_and_gets_the_figures(tmp_path: Path) -> None:
    page = tmp_path / PAGE
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_page(tmp_path, FOUND | {"limits": limits(FOUND)})
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old\n" not in text
    assert "| a coverage query, p99, s | 1.1 | 1 | **missed** |" in text
    assert "| worker ready, s | 14 | 15 | met |" in text
    named = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if "|" in line]
    assert "dry run of the list" in named
    assert "next round, nothing new" in named
    short = {"coverage": FOUND["coverage"] | {"unchanged_s": None}, "dry_run": None, "limits": []}
    write_page(tmp_path, FOUND | short)
    assert "nothing new" not in page.read_text()
    assert "dry run" not in page.read_text()
