"""`truyvet bench trace`: how long a case takes, on ten and on a hundred million scans.

For each size a stack of its own is filled with the same kind of city. Traces of ordinary cases are
timed with the current week as ingest leaves it, and with all weeks merged; then the patient with a
hundred thousand contacts, the naive self-join, and, at the larger size, traces while ingest runs.
DuckDB and PostgreSQL come after, on the same scans, when the stack has ended.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from bench.peers.answers import digest
from bench.process_stack import Bench, running_bench
from bench.report import machine
from bench.trace_alerts import Told, told
from bench.trace_cases import Seconds, Timed, Tracer, answer_of, middle, percentiles, seconds_of
from bench.trace_city import SCANS_A_PERSON, SCANS_A_PLACE, TraceCity
from bench.trace_fill import current_week, fill_scans, merge_weeks
from bench.trace_ingest import Busy, busy
from bench.trace_naive import answer as naive_answer
from bench.trace_peers import WARM_UP, Asked, Beside, beside, naive
from bench.trace_segments import Copied, copied, held_scans
from bench.trace_turns import Kept, Turns, in_turn
from schemas.cases import Case
from schemas.clock import LOCAL
from schemas.ids import person_bits
from streams import memory
from streams.segments.held import Held

Say = Callable[[str], None]
_MERGE_S: Final = 3600.0
_LEAST_PLACES: Final = 500
_MOST_ONSET_DAYS: Final = 12  # with its two days before: the city's fourteen


@dataclass(frozen=True)
class Plan:
    """Sizes in scans, rising; how many cases of each kind; which others."""

    sizes: tuple[int, ...] = (10_000_000, 100_000_000)
    cases: int = 300
    naive_cases: int = 3
    peers: tuple[str, ...] = ()
    peer_cases: int = 100
    peer_limit_s: float = 120.0
    second_cases: int = 5
    alert_cases: int = 200  # at the smallest size
    ingest_rate: float = 20_000
    # Kafka compiles its own code for most of a minute, on a fifth of a core; a city's did long ago
    ingest_warm_up_s: float = 60.0
    ingest_s: float = 60.0
    seed: int = 7


@dataclass
class Size:
    """What was measured on one size."""

    scans: int
    rows: int
    people: int
    places: int
    filled_s: float
    merged: Timed
    unmerged: Timed
    many_contacts: int
    many_days: int
    many_s: float
    second: Seconds
    copied: Copied
    plain: Timed  # merged, without segments: each trace asks ClickHouse
    turns: Turns | None = None  # with the smallest size
    told: Told | None = None
    beside: list[Beside] = field(default_factory=list)


@dataclass
class Result:
    """All sizes, and the traces beside ingest at the largest."""

    sizes: list[Size]
    ingest: Busy | None
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: the figures asked for first, those of the larger size."""
        large, small = self.sizes[-1], self.sizes[0]
        found = {row.name: row for row in large.beside}
        return {
            "scans": large.scans,
            "p50_ms": large.merged.p50_ms,
            "p99_ms": large.merged.p99_ms,
            "ratio_to_naive": found["naive_clickhouse"].truyvet_is_times,
            "growth": large.turns.growth if large.turns else 1.0,
            "growth_apart": round(large.merged.p50_ms / small.merged.p50_ms, 3),
            "cpu_growth": round(_cpu_ms(large.merged) / _cpu_ms(small.merged), 3),
            "plain_p50_ms": large.plain.p50_ms,
            "current_week_p50_ms": large.unmerged.p50_ms,
            "many_contacts": large.many_contacts,
            "many_s": large.many_s,
            "second_s": large.second.longest_s,
            **_told(small.told),
            "busy_to_idle": None if self.ingest is None else self.ingest.ratio,
            **{
                f"ratio_to_{name}": row.truyvet_is_times
                for name, row in found.items()
                if name != "naive_clickhouse"
            },
            "sizes": [asdict(size) for size in self.sizes],
            "ingest": None if self.ingest is None else asdict(self.ingest),
            "seed": self.seed,
            "machine": machine(),
        }


def _told(found: Told | None) -> dict[str, float]:
    if found is None:
        return {}
    return {
        "alerted_p99_ms": found.alerted.p99_ms,
        "late_alert_p99_ms": found.late.alert_p99_ms,
        "late_run_p99_ms": found.late.run_p99_ms,
        "at_once_last_ms": found.at_once.last_ms,
        "windows_on_ms": found.switched.on_most_ms,
        "windows_off_ms": found.switched.off_most_ms,
    }


def run(data_dir: Path, plan: Plan, say: Say) -> Result:
    """Measure, each size in a directory below `data_dir` that is gone after. Raises UserError."""
    until = datetime.now(UTC).astimezone(LOCAL).date()
    sizes: list[Size] = []
    ingest: Busy | None = None
    kept: Kept | None = None
    with _ending_on_sigterm():
        for scans in plan.sizes:
            say(f"{scans:,} scans")
            size, found, kept = _size(data_dir / str(scans), scans, plan, until, kept, say)
            sizes.append(size)
            ingest = found or ingest
    return Result(sizes, ingest, plan.seed)


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """SIGTERM cleans up as Ctrl-C does: a stack sees to it itself, the peers' part does not."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _size(
    folder: Path, scans: int, plan: Plan, until: date, small: Kept | None, say: Say
) -> tuple[Size, Busy | None, Kept]:
    """`small`: of the smallest size, if this is another."""
    files = folder / "files"
    places = max(_LEAST_PLACES, scans // SCANS_A_PLACE)
    ingest: Busy | None = None
    try:
        with running_bench(folder / "stack", places=places, seed=plan.seed) as bench:
            memory.seldom_collect()  # as a worker and, but for how often, the console
            city = TraceCity(bench.places, scans, plan.seed, until)
            files.mkdir(parents=True)
            begin = time.monotonic()
            rows = fill_scans(bench.clickhouse, city, files if plan.peers else None, say)
            filled_s = time.monotonic() - begin
            with held_scans(bench) as held:
                size, asked, kept = _traced(bench, city, held, plan, rows, small, say)
                size.filled_s = round(filled_s, 1)
                tracer = Tracer(bench.clickhouse, bench.places, city, held)
                if scans == plan.sizes[0] and plan.alert_cases:
                    size.told = told(bench, tracer, plan.alert_cases, say)
                if scans == plan.sizes[-1] and plan.ingest_s:
                    ingest = busy(
                        bench, tracer, plan.ingest_rate, plan.ingest_warm_up_s, plan.ingest_s, say
                    )
        shutil.rmtree(folder / "stack")
        for name in plan.peers:
            say(f"  {name}: the same scans, the same cases")
            row = beside(name, files, asked, plan.peer_limit_s, folder / name, say)
            say(f"    p50 {row.p50_ms} ms {row.failure}")
            size.beside.append(row)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return size, ingest, small or kept


def _traced(
    bench: Bench, city: TraceCity, held: Held, plan: Plan, rows: int, small: Kept | None, say: Say
) -> tuple[Size, list[Asked], Kept]:
    tracer = Tracer(bench.clickhouse, bench.places, city, held)
    bench.wait_merged(_MERGE_S)
    merge_weeks(bench.clickhouse, current=False)
    bench.wait_merged(_MERGE_S)
    copied(bench, held, say)
    unmerged, _ = _timed(bench, tracer, plan.cases // 3 or 1)
    say(f"  current week in {unmerged.current_week_parts} parts: p50 {unmerged.p50_ms} ms")
    merge_weeks(bench.clickhouse, current=True)
    bench.wait_merged(_MERGE_S)
    made = copied(bench, held, say)
    merged, asked = _timed(bench, tracer, plan.cases)
    say(f"  all weeks merged: p50 {merged.p50_ms} ms, p99 {merged.p99_ms} ms (load {merged.load})")
    kept = Kept(bench.clickhouse, bench.places, city, held)
    turns = in_turn(small, kept, plan.cases) if small else None
    if turns:
        say(f"  in turn: p50 {turns.small_p50_ms} and {turns.large_p50_ms} ms, {turns.growth} ×")
    plain, _ = _timed(bench, Tracer(bench.clickhouse, bench.places, city), plan.cases // 3 or 1)
    say(f"  ClickHouse asked for each: p50 {plain.p50_ms} ms")
    many, many_s, contacts = tracer.many(_MOST_ONSET_DAYS)
    say(f"  a patient with {contacts:,} contacts: {many_s:.2f} s")
    second = seconds_of(tracer, plan.second_cases)
    say(f"  second contacts: {second.median_s} s, at most {second.longest_s} s")
    size = Size(
        scans=city.people * SCANS_A_PERSON,
        rows=rows,
        people=city.people,
        places=len(bench.places),
        filled_s=0.0,
        merged=merged,
        unmerged=unmerged,
        many_contacts=contacts,
        many_days=int(many.id.rpartition("-")[2]),
        many_s=round(many_s, 3),
        second=second,
        copied=made,
        plain=plain,
        turns=turns,
    )

    def ask(case: Asked) -> tuple[float, Any]:
        begin = time.perf_counter()
        found = naive_answer(bench.clickhouse, case.person, case.begin, case.end)
        return time.perf_counter() - begin, found

    row = naive(asked[: plan.naive_cases], ask)
    say(f"  the naive self-join: p50 {row.p50_ms} ms")
    size.beside.append(row)
    return size, asked[: WARM_UP + plan.peer_cases], kept


def _timed(bench: Bench, tracer: Tracer, count: int) -> tuple[Timed, list[Asked]]:
    for case in tracer.cases(WARM_UP, count):
        tracer.trace(case)
    seconds: list[float] = []
    contacts: list[int] = []
    asked: list[Asked] = []
    cpu, engine = time.process_time(), bench.usage("engine").cpu_s
    for case in tracer.cases(count):
        took, result = tracer.timed(case)
        seconds.append(took)
        contacts.append(result.contacts.height)
        begin, end = (int(m.timestamp() * 1000) for m in (result.window.start, result.window.end))
        answer = answer_of(result)
        asked.append(Asked(_bits(case), begin, end, digest(answer), took))
    cpu, engine = time.process_time() - cpu, bench.usage("engine").cpu_s - engine
    p50, p99, longest = percentiles(seconds)
    return (
        Timed(
            cases=len(seconds),
            p50_ms=p50,
            p99_ms=p99,
            max_ms=longest,
            contacts=middle(contacts),
            most_contacts=max(contacts),
            parts=bench.parts(),
            current_week_parts=current_week(bench.clickhouse).parts,
            client_cpu_ms=round(1000 * cpu / len(seconds), 1),
            engine_cpu_ms=round(1000 * engine / len(seconds), 1),
            load=round(os.getloadavg()[0], 1),
        ),
        asked,
    )


def _cpu_ms(timed: Timed) -> float:
    """Of a trace, client and engine: what other processes on the machine change little."""
    return timed.client_cpu_ms + timed.engine_cpu_ms


def _bits(case: Case) -> int:
    assert case.person is not None
    return person_bits(case.person)
