"""Cases that wait: for their first run, or for the first officer who touches a possible contact."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import select

from console.exporter.probe import Found
from console.store import tables
from console.store.engine import Store
from schemas.cases import OPEN_STATUSES
from schemas.metrics import (
    CASES_UNTRACED,
    CASES_UNTRACED_SECONDS,
    CASES_WAITING,
    CASES_WAITING_SECONDS,
)
from streams.clickhouse import ClickHouse

# When a case's first run was, and its first with possible contacts (0: none had any).
_RUNS = """
SELECT case_id, toUnixTimestamp64Milli(minIf(traced_at, contacts > 0)),
       max(contacts) > 0
FROM trace_runs GROUP BY case_id
"""


def read_open(store: Store) -> tuple[dict[str, datetime], set[str]]:
    """Open cases with the time of their registration, and the cases that somebody works on.

    Raises SQLAlchemyError.
    """
    c, w = tables.cases.c, tables.contact_work.c
    is_open = c.status.in_([status.value for status in OPEN_STATUSES])
    touched = select(w.case_id).join(tables.cases, c.id == w.case_id).where(is_open).distinct()
    with store.read() as connection:
        registered = {r.id: r.registered_at for r in connection.execute(
            select(c.id, c.registered_at).where(is_open)
        )}  # fmt: skip
        return registered, set(connection.scalars(touched))


def read_runs(clickhouse: ClickHouse) -> dict[str, float | None]:
    """Every traced case; when its first run with possible contacts was, Unix seconds, if any was.

    Raises Retryable.
    """
    return {
        str(case): int(ms) / 1000 if found else None for case, ms, found in clickhouse.rows(_RUNS)
    }


def waiting(
    registered: Mapping[str, datetime],
    touched: Collection[str],
    traced: Mapping[str, float | None],
    now: datetime,
) -> Found:
    """Who waits, and how long the oldest has."""
    at = now.timestamp()
    untraced = [at - when.timestamp() for case, when in registered.items() if case not in traced]
    found = {case: traced.get(case) for case in registered if case not in touched}
    left = [at - since for since in found.values() if since is not None]
    return {
        CASES_UNTRACED: {(): float(len(untraced))},
        CASES_UNTRACED_SECONDS: {(): _oldest(untraced)},
        CASES_WAITING: {(): float(len(left))},
        CASES_WAITING_SECONDS: {(): _oldest(left)},
    }


def asked(store: Store, clickhouse: ClickHouse, now: datetime) -> Found:
    """All of it. Blocking. Raises SQLAlchemyError, Retryable."""
    registered, touched = read_open(store)
    return waiting(registered, touched, read_runs(clickhouse), now)


def _oldest(seconds: Iterable[float]) -> float:
    return max(0.0, *seconds, 0.0)
