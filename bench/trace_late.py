"""From a late scan to what officers are told, through Kafka and a worker, one scan at a time.

The clock runs from the broker's append of somebody's scan where an open case was, then: until a
consumer of committed records has the live alert that names them, and until it has the alert that
the new version of the run is complete. The run must have added them.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bench.one_scan import one_scan
from bench.process_stack import Bench
from bench.trace_cases import percentiles
from bench.trace_officers import Officers
from schemas.cases import AlertKind
from schemas.errors import UserError
from schemas.ids import person_text
from schemas.topics import SCANS

_SECOND: Final = 1_000


@dataclass(frozen=True)
class Visit:
    """A case's stay where whoever was there is called."""

    case: str
    place: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Late:
    """Milliseconds from the append of a late scan to its live alert, and to its run's last."""

    scans: int
    alert_p50_ms: float
    alert_p99_ms: float
    run_p50_ms: float
    run_p99_ms: float


def late(bench: Bench, officers: Officers, visits: Sequence[Visit], seed: int) -> Late:
    """Somebody new scans in at each of these visits, whose cases are open. Raises UserError."""
    rng = random.Random(seed)
    told = [_told(bench, officers, visit, rng) for visit in visits]
    alerts, runs = zip(*told, strict=True)
    return Late(len(told), *_of(alerts), *_of(runs))


def _of(milliseconds: Sequence[float]) -> tuple[float, float]:
    p50, p99, _ = percentiles([took / _SECOND for took in milliseconds])
    return p50, p99


def _told(
    bench: Bench, officers: Officers, visit: Visit, rng: random.Random
) -> tuple[float, float]:
    person = person_text(rng.randrange(1, 2**63))
    token = bench.places[visit.place - 1].codes[-1].token
    moment = visit.start + (visit.end - visit.start) * rng.random() * 0.5
    appended = officers.publish(SCANS.name, person, one_scan(person, token, moment))
    alert = run = 0.0
    added = False
    for now, found in officers.alerts(visit.case):
        named = found.get("person") == person
        if named and found["kind"] == AlertKind.SCAN_IN_WINDOW:
            alert = now - appended
        added |= named and found["kind"] == AlertKind.POSSIBLE_CONTACT
        if added and found["kind"] == AlertKind.RUN_COMPLETED:
            run = now - appended
        if alert and run:
            return alert, run
    raise UserError(
        f"{visit.case}: lượt quét muộn không được báo. / "
        f"{visit.case}: nobody was told of the late scan."
    )
