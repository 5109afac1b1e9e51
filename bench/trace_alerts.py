"""From a case's registration to what officers are told, through Kafka and a worker.

The clock runs from the broker's append of the case on `cases.v1` until a consumer of committed
records has the alert that its run is complete: that alert is the last of its run. One case at a
time. Each must have told of exactly those whom the trace calls. And then, while these cases are
open, from a late scan to what is told of it (`bench.trace_late`); and many cases together, and how
soon one is watched (`bench.trace_at_once`).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.process_stack import NATION, Bench
from bench.trace_at_once import AtOnce, Switched, at_once, switched
from bench.trace_cases import Tracer, middle, percentiles
from bench.trace_late import Late, Visit, late
from bench.trace_officers import Officers, officers
from schemas.cases import Case
from schemas.errors import UserError
from schemas.topics import CASES
from tracer.tiers import Known, Tier, tier
from tracer.trace import TraceResult

Say = Callable[[str], None]
MOST_CONTACTS: Final = 1_000
_WARM_UP: Final = 5
_MOST_LATE: Final = 200


@dataclass(frozen=True)
class Alerted:
    """Milliseconds from a case to its last alert; contacts of the median case, and the most."""

    cases: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    contacts: int
    most_contacts: int


@dataclass(frozen=True)
class Told:
    """What was measured of a worker with cases."""

    alerted: Alerted
    late: Late
    at_once: AtOnce
    switched: Switched


def told(bench: Bench, tracer: Tracer, count: int, say: Say) -> Told:
    """Of ordinary cases with at most `MOST_CONTACTS` contacts; of scans that come late, one a
    case; of half as many cases at once; of a tenth of them, on and off. Raises UserError."""
    first, few, many = count + _WARM_UP, max(1, count // 10), max(1, count // 2)
    cases = tracer.cases(first + few + many)  # of one draw: nobody is there twice
    worker = bench.worker(**NATION)
    milliseconds: list[float] = []
    contacts: list[int] = []
    visits: list[Visit] = []
    try:
        with officers(bench.settings) as listening:
            for case in cases[:first]:
                result = tracer.trace(case)
                if result.contacts.height > MOST_CONTACTS:
                    continue
                milliseconds.append(_registered(listening, case, result))
                contacts.append(result.contacts.height)
                visits += filter(None, [_visit(bench, result)])
            found = late(bench, listening, visits[:_MOST_LATE], bench.seed)
            windows = switched(worker, listening, cases[first:][:few])
            together = at_once(worker, listening, cases[first + few :])
    finally:
        worker.stop()
    del milliseconds[:_WARM_UP], contacts[:_WARM_UP]
    p50, p99, longest = percentiles([took / 1000 for took in milliseconds])
    say(f"  from a case to its last alert: p50 {p50} ms, p99 {p99} ms")
    say(f"  from a late scan to its alert: p99 {found.alert_p99_ms} ms, run {found.run_p99_ms} ms")
    say(
        f"  {together.cases} cases at once: the last after {together.last_ms} ms, the worker "
        f"{together.rss_before_mb} MB before and at most {together.rss_most_mb}"
    )
    say(f"  windows on after {windows.on_most_ms} ms at most, off after {windows.off_most_ms}")
    each = Alerted(len(milliseconds), p50, p99, longest, middle(contacts), max(contacts))
    return Told(each, found, together, windows)


def _registered(listening: Officers, case: Case, result: TraceResult) -> float:
    """Milliseconds to the last alert. Raises UserError if they are not those that are due."""
    appended = listening.publish(CASES.name, case.id, case.model_dump_json())
    called = int(result.contacts["call"].sum())
    seen: Counter[str] = Counter()
    for now, alert in listening.alerts(case.id):
        seen[alert["kind"]] += 1
        if seen["run_completed"]:
            if seen["possible_contact"] == called:
                return now - appended
            break
    raise UserError(
        f"{case.id}: cần gọi {called}, đã báo: {dict(seen)}. / "
        f"{case.id}: {called} are to be called, told: {dict(seen)}."
    )


def _visit(bench: Bench, result: TraceResult) -> Visit | None:
    """The case's first visit to a place where whoever was there is called."""
    for stay in result.case_stays.iter_rows(named=True):
        place = bench.places[stay["place"] - 1]
        near = tier(Known(place.kind, place.gate, place.enclosed, place.small, place.sector))
        if near is not Tier.SAME_TIME_ONLY:
            return Visit(result.case.id, place.id, stay["from"], stay["to"])
    return None
