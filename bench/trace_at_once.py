"""A hundred cases registered in one second, and how soon a case's windows are on and off.

At once: all are published together; of each the clock runs from the broker's append to a consumer
of committed records having the alert that its run is complete. Beside it the worker's resident
memory before, and at its highest; and how many that were registered later ended before the one
that was overtaken most. On and off: one case at a time is registered and closed, and the worker's
own count of place-windows is asked until it has changed; so the time that asking takes is in it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.memory_series import Sampler
from bench.process_worker import Worker, values, wait_for
from bench.trace_cases import percentiles
from bench.trace_officers import Officers
from schemas.cases import AlertKind, Case, CaseStatus
from schemas.errors import UserError
from schemas.topics import CASES

_EVERY_S: Final = 0.1
_ASK_S: Final = 0.02
_WAIT_S: Final = 60.0
_RESTING: Final = 10  # looks


@dataclass(frozen=True)
class AtOnce:
    """Milliseconds from the append of each of `cases` to its last alert; over how many they were
    appended; MB of the worker; by how many the one that was overtaken most was."""

    cases: int
    appended_ms: float
    first_ms: float
    p50_ms: float
    last_ms: float
    rss_before_mb: float
    rss_most_mb: float
    overtaken: int


@dataclass(frozen=True)
class Switched:
    """Milliseconds from the append of a case, or of its closing, to the worker's watching it or
    no more."""

    cases: int
    on_p50_ms: float
    on_most_ms: float
    off_p50_ms: float
    off_most_ms: float


def at_once(worker: Worker, officers: Officers, cases: Sequence[Case]) -> AtOnce:
    """Register them all together. Raises UserError if one is not traced."""
    before = worker.usage().rss_mb
    sampler = Sampler(lambda: {"rss_mb": worker.usage().rss_mb}, _EVERY_S).start()
    try:
        appended = officers.publish_all(
            CASES.name, [(case.id, case.model_dump_json()) for case in cases]
        )
        ended: dict[str, float] = {}
        for now, case, alert in officers.every():
            if case in appended and alert["kind"] == AlertKind.RUN_COMPLETED:
                ended.setdefault(case, now)
            if len(ended) == len(cases):
                break
        else:
            raise UserError(
                f"{len(ended)} trên {len(cases)} ca đã được truy vết. / "
                f"{len(ended)} of {len(cases)} cases were traced."
            )
    finally:
        rows = sampler.stop()
    took = [(ended[case.id] - appended[case.id]) / 1000 for case in cases]
    p50, _, last = percentiles(took)
    return AtOnce(
        len(cases),
        max(appended.values()) - min(appended.values()),
        round(1000 * min(took), 2),
        p50,
        last,
        round(before, 1),
        round(max(row["rss_mb"] for row in rows), 1),
        overtaken([ended[case.id] for case in cases]),
    )


def overtaken(ended: Sequence[float]) -> int:
    """When each ended, in the order they were registered: of all the most that came later and
    ended before one."""
    return max(
        (sum(later < mine for later in ended[number:]) for number, mine in enumerate(ended)),
        default=0,
    )


def switched(worker: Worker, officers: Officers, cases: Sequence[Case]) -> Switched:
    """Register and close them, one after the other. Raises UserError if one is not watched."""
    on, off = [], []
    for case in cases:
        others = _at_rest(worker)
        on.append(_until(worker, officers, case, others, more=True))
        closed = case.model_copy(update={"version": 2, "status": CaseStatus.CLOSED})
        off.append(_until(worker, officers, closed, others, more=False))
    (on_p50, _, on_most), (off_p50, _, off_most) = percentiles(on), percentiles(off)
    return Switched(len(cases), on_p50, on_most, off_p50, off_most)


def _until(worker: Worker, officers: Officers, case: Case, others: float, *, more: bool) -> float:
    """Seconds from the append of this version of the case until there are more windows than those
    of other cases, or not."""
    appended = officers.publish(CASES.name, case.id, case.model_dump_json())
    what = f"the windows of {case.id} to be {'on' if more else 'off'}"
    wait_for(lambda: (_windows(worker) > others) is more, _WAIT_S, what, _ASK_S)
    return time.time() - appended / 1000


def _at_rest(worker: Worker) -> float:
    """How many windows there are, once that has not changed for a second."""
    seen: list[float] = []

    def rests() -> bool:
        seen.append(_windows(worker))
        return len(seen) > _RESTING and len(set(seen[-_RESTING:])) == 1

    wait_for(rests, _WAIT_S, "the windows of other cases to rest", _EVERY_S)
    return seen[-1]


def _windows(worker: Worker) -> float:
    return sum(values(worker.metrics(), "truyvet_place_windows"))
