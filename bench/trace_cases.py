"""Cases of the trace benchmark: who they are, how long their traces take, what they answer.

A trace is `tracer.fetch.trace_from` as a worker runs it, on segments that are brought up to date
first: itinerary, everyone at its places and hours, all their stays, exposures and contacts.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeVar

import numpy as np
import polars as pl

from bench.peers.answers import Rows, rows_of
from bench.trace_city import TraceCity
from schemas.cases import Case, CaseStatus
from schemas.ids import person_text
from schemas.places import Place
from streams.segments.asking import answered, held_now
from streams.segments.held import Held
from tracer.documents import contact_documents
from tracer.fetch import second_from, trace_from
from tracer.parameters import load_parameters
from tracer.places import ground_at
from tracer.queries import Client, Scans
from tracer.ruleset import RuleSet, load_rule_sets, rule_set_of
from tracer.second import firsts_of
from tracer.segments import Segments
from tracer.trace import TraceResult

RULE_SET: Final = "vn-2021-12-29"
F2_RULE_SET: Final = "vn-2021-07-30"
ONSET_DAYS: Final = 4  # before the day of registration: a window of six days
MANY: Final = 100_000
Item = TypeVar("Item", int, tuple[float, int, int])


@dataclass(frozen=True)
class Timed:
    """Milliseconds of `cases` traces; `contacts`: the median's, and the most."""

    cases: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    contacts: int
    most_contacts: int
    parts: int
    current_week_parts: int
    client_cpu_ms: float  # a trace; polars and the client, all threads
    engine_cpu_ms: float
    load: float  # the machine's load average at the end: ours is about 1


@dataclass(frozen=True)
class Seconds:
    """Second contacts (F2) of `cases`: seconds, and of the median case F1s followed and F2s."""

    cases: int
    median_s: float
    longest_s: float
    firsts: int
    contacts: int


def percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p99 (nearest rank) and the longest, in milliseconds."""
    ordered = sorted(seconds)
    ranks = (max(0, -(-len(ordered) * p // 100) - 1) for p in (50, 99, 100))
    p50, p99, longest = (round(1000 * ordered[rank], 2) for rank in ranks)
    return p50, p99, longest


def middle(values: Sequence[Item]) -> Item:
    """The lower median."""
    return sorted(values)[(len(values) - 1) // 2]


class Tracer:
    """Traces cases of a city as a worker would, on the day after its last."""

    def __init__(
        self, client: Client, places: Sequence[Place], city: TraceCity, held: Held | None = None
    ) -> None:
        self._client, self._city, self._held = client, city, held
        self._ground = ground_at(places, load_parameters())
        self._rule_sets: tuple[RuleSet, ...] = load_rule_sets()

    def cases(self, count: int, first: int = 0) -> list[Case]:
        """Ordinary people, drawn from all: as few or many contacts as they happen to have."""
        rng = np.random.default_rng([self._city.seed, 1])
        wanted = min(first + count, self._city.people)
        drawn = rng.choice(self._city.people, wanted, replace=False).astype(np.int32)
        return [self.case(int(number)) for number in drawn[first:]]

    def case(self, number: int, onset_days: int = ONSET_DAYS) -> Case:
        """The person of that number, registered when the city's last day is over."""
        person = int(self._city.persons(np.array([number], np.int32))[0])
        return Case(
            id=f"bench-{number}-{onset_days}",
            status=CaseStatus.CONFIRMED,
            person=person_text(person),
            onset=self.today - timedelta(days=onset_days),
            ward="bench",
            rule_set=RULE_SET,
            registered_at=self._city.until,
            registered_by="bench",
        )

    @property
    def today(self) -> date:
        """The local day on which the cases are registered."""
        return self._city.until.date()

    def trace(self, case: Case) -> TraceResult:
        """Raises Retryable."""
        return answered(self._held, lambda held: self.trace_on(held, case))

    def trace_on(self, held: Segments | None, case: Case) -> TraceResult:
        """Of what is held; None: ClickHouse is asked. Raises Retryable."""
        rule_set = rule_set_of(self._rule_sets, case)
        scans = Scans(self._client, held=held)
        return trace_from(scans, case, self._ground, rule_set, self._city.until)

    def timed(self, case: Case) -> tuple[float, TraceResult]:
        """Seconds, and the result."""
        begin = time.perf_counter()
        result = self.trace(case)
        return time.perf_counter() - begin, result

    def second(self, case: Case) -> tuple[float, int, int]:
        """Seconds, F1s followed and F2s, after a trace by the rule-set that has them."""
        case = case.model_copy(update={"rule_set": F2_RULE_SET})
        firsts, _ = firsts_of(contact_documents(self.trace(case)))
        rule_set = rule_set_of(self._rule_sets, case)
        origin = {"person": case.person, "case": case.id}
        begin = time.perf_counter()
        scans = Scans(self._client, held=held_now(self._held))
        found = second_from(scans, origin, firsts, self._ground, rule_set, self._city.until)
        seconds = time.perf_counter() - begin
        return seconds, len(firsts), len(found.contacts) + found.left_out

    def many(self, most_days: int) -> tuple[Case, float, int]:
        """The keeper of the busiest place, with the shortest window that has 100,000 contacts.

        Or with the longest, if none has: the case, seconds (median of three), its contacts.
        """
        for days in range(ONSET_DAYS, most_days + 1):
            case = self.case(self._city.people, days)
            seconds, result = self.timed(case)
            if result.contacts.height >= MANY:
                break
        again = [self.timed(case)[0] for _ in range(2)]
        return case, statistics.median([seconds, *again]), result.contacts.height


def seconds_of(tracer: Tracer, count: int) -> Seconds:
    """The F2s of ordinary cases. Raises Retryable."""
    found = sorted(tracer.second(case) for case in tracer.cases(count))
    median, firsts, contacts = middle(found)
    return Seconds(len(found), round(median, 3), round(found[-1][0], 3), firsts, contacts)


def answer_of(result: TraceResult) -> Rows:
    """Every exposure, with its person, place, beginning and end."""
    columns = result.exposures.select(
        "person", "place", pl.col("start").dt.timestamp("ms"), pl.col("end").dt.timestamp("ms")
    )
    return rows_of(*(column.to_numpy() for column in columns.iter_columns()))
