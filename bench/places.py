"""`truyvet bench places`: a register of a million places, from the list to the last worker.

One stack of its own. A made-up list is imported by `truyvet sites import`; the console publishes
it; workers are started with it, and were without; the console counts coverage over it and is
asked; codes are revoked while they are scanned. Nothing here looks into what is measured: it uses
commands, HTTP, `/proc`, and the tables.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench import places_coverage as coverage
from bench.places_console import Console, Ran, ran, served
from bench.places_list import write_places, write_required
from bench.places_workers import Started, revoked, started
from bench.process_stack import Bench, running_bench
from bench.report import machine
from schemas.errors import UserError
from schemas.topics import SITES

Say = Callable[[str], None]
LIST: Final = "bench-places.csv"
REQUIRED: Final = "bench-required.csv"
_PUBLISHED_S: Final = 3_600.0
_ROUND_S: Final = 1_800.0
_SAID_EVERY_S: Final = 10.0


@dataclass(frozen=True)
class Plan:
    """How much. `later_rounds`: whether to wait for two rounds of coverage after the first, one
    while nothing changes and one when scans have come: two minutes."""

    places: int = 1_000_000
    scans: int = 20_000_000
    starts: int = 3
    runs: int = 50
    revocations: int = 20
    later_rounds: bool = True
    dry_run: bool = True
    seed: int = 7


SHORT: Final = Plan(2_000, 40_000, 1, 5, 3, later_rounds=False, dry_run=False)


def run(own: Path, plan: Plan, say: Say) -> dict[str, Any]:
    """The result as one object. `own` is an empty directory for it. Raises UserError."""
    with running_bench(own / "stack", places=0, seed=plan.seed) as bench:
        ran(bench, say, "migrate", "migrate")
        key = ran(bench, say, "key", "keys", "create", "--role", "admin").found["key"]
        say("a worker without places")
        empty = started(bench, plan.starts)
        found = _imported(own, bench, plan, say)
        say("publishing")
        found["published"] = _published(bench, key, found["sites"] + found["places"], say)
        say(f"a worker with {plan.places:,} places")
        full = started(bench, plan.starts)
        found["worker"] = _worker(empty, full)
        say(f"  ready in {full.longest_s} s, {found['worker']['register_mb']} MB more")
        found |= _covered(bench, key, plan, say)
    facts = {"scans": plan.scans, "seed": plan.seed, "load": round(os.getloadavg()[0], 1)}
    return found | facts | {"machine": dict(machine())}


def _imported(own: Path, bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    say(f"a list of {plan.places:,} places")
    file, required = own / LIST, own / REQUIRED
    sites = write_places(file, plan.places, plan.seed)
    entries = write_required(required, plan.places, plan.seed)
    command = ("sites", "import", str(file))
    dry = ran(bench, say, "dry run", *command) if plan.dry_run else None
    done = ran(bench, say, "import", *command, "--apply", "--likely", "take")
    _must_be(done.found["registered_places"], plan.places, "registered places")
    _must_be(done.found["sites"], sites, "registered sites")
    say(f"  imported in {done.seconds} s, at most {done.peak_mb} MB")
    listed = ran(
        bench, say, "required", "required", "import", str(required), "--apply",
        "--keeper", "Sở Công Thương", "--as-of", f"{datetime.now(UTC):%Y-%m-%d}",
    )  # fmt: skip
    _must_be(listed.found["entries"], entries, "entries of the required list")
    return {
        "places": plan.places,
        "sites": sites,
        "list_mb": round(file.stat().st_size / 1e6, 1),
        "likely": len(done.found["likely"]),
        "dry_run": None if dry is None else _rate(dry, plan.places),
        "import": _rate(done, plan.places),
        "required": {**_rate(listed, entries), "linked": listed.found["linked"]},
    }


def _rate(done: Ran, count: int) -> dict[str, Any]:
    return {
        "rows": count,
        "seconds": done.seconds,
        "cpu_s": done.cpu_s,
        "per_s": round(count / done.seconds),
        "peak_mb": done.peak_mb,
    }


def _published(bench: Bench, key: str, records: int, say: Say) -> dict[str, Any]:
    """Until the outbox is empty; coverage is being copied beside it, as it always is."""
    with served(bench, key) as console:
        told = time.monotonic()
        while (there := bench.log.end_of(SITES.name)) < records or console.pending():
            now = time.monotonic()
            if now - console.begun > _PUBLISHED_S:
                raise UserError(
                    f"Sau một giờ mới gửi được {there} trong {records} bản ghi. / "
                    f"{there} of {records} records were published in an hour."
                )
            if now - told > _SAID_EVERY_S:
                told = now
                say(f"  {there:,} of {records:,}")
            time.sleep(0.05)
        seconds = time.monotonic() - console.begun
        peak = console.peak_mb
    _must_be(there, records, "records on sites.v1")
    return {
        "records": records,
        "seconds": round(seconds, 2),
        "per_s": round(records / seconds),
        "console_peak_mb": peak,
    }


def _worker(empty: Started, full: Started) -> dict[str, Any]:
    return {
        "empty": asdict(empty),
        "full": asdict(full),
        "register_mb": round(full.rss_mb - empty.rss_mb, 1),
        "register_peak_mb": round(full.peak_mb - empty.peak_mb, 1),
    }


def _covered(bench: Bench, key: str, plan: Plan, say: Say) -> dict[str, Any]:
    now = datetime.now(UTC)
    postings = coverage.publish_postings(bench, plan.places, now)
    say(f"{plan.scans:,} scans")
    coverage.fill_scans(bench, plan.scans, plan.places, now, say)
    coverage.forget(bench)
    unchanged = with_scans = None
    with served(bench, key) as console:
        say("the first round")
        first = coverage.first_round(bench, console, _ROUND_S)
        say(f"  copied after {first.copied_s} s, shown after {first.shown_s} s")
        made = coverage.rounds(bench)
        _must_be(made[0].places, plan.places, "places of the first round")
        coverage.many_days(bench)
        say("questions")
        asked = coverage.ask(bench, console, plan.runs)
        _as_filled(console, plan)
        if plan.later_rounds:
            say("the next round")
            unchanged = coverage.next_round(bench, made[0], _ROUND_S)
        say("revocations")
        step = max(1, plan.places // plan.revocations)
        places = [1 + n * step for n in range(plan.revocations)]
        told = revoked(bench, console, places, say)
        if plan.later_rounds:
            with_scans = coverage.next_round(bench, coverage.rounds(bench)[-1], _ROUND_S)
        made = coverage.rounds(bench)
        rss = console.rss_mb
    return {
        "postings": postings,
        "coverage": {
            **asdict(first),
            "rounds": [asdict(one) for one in made],
            "unchanged_s": unchanged and unchanged.seconds,
            "with_scans_s": with_scans and with_scans.seconds,
            "oldest_s": coverage.oldest_s(made),
            "console_mb": rss,
            "asked": coverage.as_rows(asked),
        },
        "revoked": asdict(told),
    }


def _as_filled(console: Console, plan: Plan) -> None:
    """The whole funnel says what was registered and published, else its speed says nothing."""
    [line] = console.get("/v1/coverage")["lines"]
    stages = line["stages"]
    _must_be(stages["registered"]["places"], plan.places, "places of the funnel")
    _must_be(stages["posted"]["places"], coverage.posted(plan.places), "posted places")


def _must_be(found: int, wanted: int, what: str) -> None:
    if found != wanted:
        raise UserError(f"{what}: {found}, không phải {wanted}. / {what}: {found}, not {wanted}.")
