"""What a worker does once in a while beside its work: daily totals, dropping weeks that are past
their time, merging closed ones, segments, and a look at the clock.

Any worker may do it and all of them do; each piece of it is safe to do twice, and to be cut off.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from schemas.errors import Retryable
from schemas.meters import Metrics
from schemas.metrics import CLOCK_SKEW
from schemas.settings import Settings
from streams.clickhouse import ClickHouse
from streams.machine import clickhouse_skew
from streams.maintenance import CLIENT_TIMEOUT_S, EVERY_S, merge_closed_weeks
from streams.retention import drop_past_weeks
from streams.segments.held import Held
from streams.segments.keeping import following, forget, making, tidying
from streams.totals import write_daily_totals

log = structlog.get_logger()
_TOTALS_EVERY: Final = 6  # rounds
_CLOCKS_EVERY_S: Final = 60.0


def keep_house(settings: Settings, metrics: Metrics, held: Held | None = None) -> None:
    """Begin, and go on as long as the process lives.

    In a thread that nobody waits for: a merge may take half an hour, and a worker that stops must
    not. The engine ends what it has begun.
    """
    clickhouse = ClickHouse(settings, timeout_s=CLIENT_TIMEOUT_S)
    rounds = ((_rounds, (clickhouse, settings.retention_days)), (_clocks, (clickhouse, metrics)))
    for work, arguments in rounds:
        threading.Thread(target=work, args=arguments, daemon=True).start()
    if held is None:
        forget(settings)
    else:
        following(held, metrics)
        making(settings, clickhouse)
        tidying(settings, clickhouse)


def _rounds(clickhouse: ClickHouse, retention_days: int) -> None:
    number = 0
    while True:
        time.sleep(EVERY_S)
        number += 1
        if number % _TOTALS_EVERY == 0:
            _try(lambda: write_daily_totals(clickhouse, retention_days))
            _try(lambda: drop_past_weeks(clickhouse, retention_days, datetime.now(UTC)))
        _try(lambda: merge_closed_weeks(clickhouse, datetime.now(UTC)))


def _clocks(clickhouse: ClickHouse, metrics: Metrics) -> None:
    skew = metrics.gauge(CLOCK_SKEW, "clickhouse")
    while True:
        _try(lambda: skew.set(clickhouse_skew(clickhouse)))
        time.sleep(_CLOCKS_EVERY_S)


def _try(chore: Callable[[], object]) -> None:
    """Do it; what cannot be done now is done in a later round.

    Whatever went wrong: nobody waits for this thread, so nobody would see it end, and with it the
    dropping of weeks that are past their time.
    """
    try:
        chore()
    except Retryable as error:
        log.warning("housekeeping_waits", detail=str(error))
    except Exception as error:
        kind = type(error).__name__
        log.error("housekeeping_failed", kind=kind, detail=str(error), exc_info=error)
