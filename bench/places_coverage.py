"""Coverage of a register that is full: copied, counted, asked for. Part of `bench places`.

Postings go straight on `coverage.v1`, as the console publishes them; scans are made by the engine
itself. Everything else is the console's own process: it copies the register beside the scans,
counts rounds by its clock, and is asked over HTTP as an officer's page asks it.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from bench.load_city import publish
from bench.load_fill import ELSEWHERE, fill
from bench.places_console import Console, Say
from bench.process_stack import Bench
from bench.process_worker import wait_for
from bench.trace_cases import percentiles
from schemas.coverage import Posting, posting_key
from schemas.topics import COVERAGE, SITES

_PIECE: Final = 2_000_000
_POSTINGS: Final = 50_000
_DAYS: Final = 28
_TABLES: Final = (
    "register_sites", "register_places", "register_postings", "required_lists",
    "required_entries", "register_positions", "place_weeks", "coverage_weeks", "coverage",
    "coverage_rounds", "coverage_days",
)  # fmt: skip
# Of ten places: printed, of those posted, with a duty person, inspected.
_PRINTED, _POSTED, _DUTY, _INSPECTED = 6, 5, 4, 2
_SCANNED: Final = 0.7  # of the places, the others were never scanned
QUESTIONS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "whole": ("/v1/coverage", {}),
    "by_ward": ("/v1/coverage", {"by": "ward"}),
    "by_kind": ("/v1/coverage", {"by": "kind"}),
    "one_ward": ("/v1/coverage", {"area": "ward/{ward}"}),
    "by_day": ("/v1/coverage", {"by": "day", "days": str(_DAYS)}),
    "behind_posted": ("/v1/coverage/behind", {"stage": "posted"}),
    "behind_scanned_ward": ("/v1/coverage/behind", {"stage": "scanned", "area": "ward/{ward}"}),
}


@dataclass(frozen=True)
class First:
    """The first round of a console that finds nothing copied; seconds from its start."""

    records: int
    copied_s: float
    shown_s: float
    counted_s: float  # the round alone
    rss_mb: float
    peak_mb: float


@dataclass(frozen=True)
class Round:
    """One round: when (ms since 1970 UTC), places counted, its seconds."""

    at_ms: int
    places: int
    seconds: float


@dataclass(frozen=True)
class Asked:
    """One question, over HTTP, so many times; milliseconds. `cpu_ms`: of console and engine
    together, each time, with whatever else they did meanwhile."""

    question: str
    runs: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_ms: float
    answer_bytes: int


def publish_postings(bench: Bench, places: int, now: datetime) -> int:
    """What is known of posters, of six places in ten; how many records."""
    some: list[tuple[str, str, str]] = []
    count = 0
    for posting in postings(places, now):
        some.append(
            (
                COVERAGE.name,
                posting_key(posting.place),
                posting.model_dump_json(exclude_none=True),
            )
        )
        count += 1
        if len(some) == _POSTINGS:
            publish(bench.settings, some)
            some = []
    publish(bench.settings, some)
    return count


def posted(places: int) -> int:
    """How many of so many places have a poster that hangs."""
    return sum(place * 7 % 10 < _POSTED for place in range(1, places + 1))


def postings(places: int, now: datetime) -> Iterator[Posting]:
    """Of places 1 to `places`, three days old."""
    at = now - timedelta(days=3)
    for place in range(1, places + 1):
        tenth = place * 7 % 10
        if tenth < _PRINTED:
            yield Posting(
                place=place,
                duty_at=at if tenth < _DUTY else None,
                printed_at=at,
                printed_version=1,
                posted_at=at if tenth < _POSTED else None,
                posted_version=1 if tenth < _POSTED else None,
                inspected_at=at if tenth < _INSPECTED else None,
                inspected_version=1 if tenth < _INSPECTED else None,
                inspected_good=True if tenth < _INSPECTED else None,
            )


def fill_scans(bench: Bench, scans: int, places: int, now: datetime, say: Say) -> float:
    """Scans of the last fourteen days at seven places in ten; seconds. Raises Retryable."""
    begin = time.monotonic()
    for at in range(0, scans, _PIECE):
        fill(
            bench.clickhouse, at, min(at + _PIECE, scans), max(1, int(_SCANNED * places)), now,
            people=max(1, scans // 40), first_partition=ELSEWHERE,
        )  # fmt: skip
        say(f"  {min(at + _PIECE, scans):,} scans")
    bench.wait_merged(900)
    return round(time.monotonic() - begin, 1)


def forget(bench: Bench) -> None:
    """As if nothing had been copied or counted yet."""
    for table in _TABLES:
        bench.clickhouse.command(f"TRUNCATE TABLE {table}")


def first_round(bench: Bench, console: Console, timeout_s: float) -> First:
    """Wait for it. Raises UserError."""
    wanted = bench.log.end_of(SITES.name) + bench.log.end_of(COVERAGE.name)

    def copied() -> bool:
        [(count,)] = bench.clickhouse.rows(
            "SELECT sum(next_offset) FROM (SELECT max(next_offset) AS next_offset "
            "FROM register_positions GROUP BY topic, kafka_partition)"
        )
        return int(count) >= wanted

    wait_for(copied, timeout_s, "the register to be copied", every_s=0.1)
    copied_s = time.monotonic() - console.begun
    wait_for(lambda: rounds(bench), timeout_s, "the first round", every_s=0.1)
    shown_s = time.monotonic() - console.begun
    return First(
        wanted, round(copied_s, 2), round(shown_s, 2), rounds(bench)[0].seconds, console.rss_mb,
        console.peak_mb,
    )  # fmt: skip


def rounds(bench: Bench) -> list[Round]:
    """Those there are, the oldest first."""
    found = bench.clickhouse.rows(
        "SELECT toUnixTimestamp64Milli(round), places, seconds FROM coverage_rounds ORDER BY round"
    )
    return [Round(int(at), int(places), round(float(s), 3)) for at, places, s in found]


def next_round(bench: Bench, after: Round, timeout_s: float) -> Round:
    """The one after this, by the console's own clock. Raises UserError."""

    def later() -> list[Round]:
        return [one for one in rounds(bench) if one.at_ms > after.at_ms]

    wait_for(later, timeout_s, "the next round of coverage", every_s=0.2)
    return later()[0]


def oldest_s(made: list[Round]) -> float | None:
    """How old what is shown ever was: a round stands until the next one is whole. None: no next."""
    ages = [(after.at_ms - before.at_ms) / 1000 + after.seconds for before, after in pairwise(made)]
    return round(max(ages), 2) if ages else None


def many_days(bench: Bench) -> None:
    """The days before this one, as the funnel of this one."""
    bench.clickhouse.command(
        "INSERT INTO coverage_days SELECT day - n, ward, kind, sector, round, required, "  # noqa: S608 (our own number)
        "required_sites, sites, places, scans "
        f"FROM coverage_days FINAL ARRAY JOIN range(1, {_DAYS}) AS n"
    )


def ask(bench: Bench, console: Console, runs: int) -> list[Asked]:
    """Every question so many times, one after the other."""
    [(ward,)] = bench.clickhouse.rows(
        "SELECT ward FROM register_sites FINAL GROUP BY ward ORDER BY count() DESC LIMIT 1"
    )
    return [_asked(bench, console, name, ward, runs) for name in QUESTIONS]


def _asked(bench: Bench, console: Console, name: str, ward: str, runs: int) -> Asked:
    path, query = QUESTIONS[name]
    said = {key: value.format(ward=ward) for key, value in query.items()}
    answer = console.get(path, **said)  # warms up
    cpu_s = console.cpu_s + bench.usage("engine").cpu_s
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        console.get(path, **said)
        seconds.append(time.perf_counter() - begin)
    cpu_s = console.cpu_s + bench.usage("engine").cpu_s - cpu_s
    return Asked(name, runs, *percentiles(seconds), round(1000 * cpu_s / runs, 1), len(str(answer)))


def as_rows(asked: list[Asked]) -> list[dict[str, Any]]:
    """For `--json`."""
    return [asdict(one) for one in asked]
