"""A probe: one question, asked again and again, and the gauges that its answer sets."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from schemas.errors import Fatal, Retryable, UserError
from schemas.meters import Labels, Metrics, Series
from schemas.metrics import EXPORTED_AT, MetricDef

log = structlog.get_logger()

# What was found, by metric.
Found = Mapping[MetricDef, Series]

_SHARE: Final = 0.1  # of the time, at most: an answer of six seconds is a minute's rest
_BELIEVED: Final = 3  # rounds that may fail before what was found is no longer held for true
_AWAY: Final = (Retryable, Fatal, UserError, KafkaError, SQLAlchemyError, OSError, TimeoutError)


@dataclass(frozen=True)
class Probe:
    """`ask` feeds these gauges and no others. It raises what a neighbour that is away raises."""

    name: str
    every_s: float
    feeds: tuple[MetricDef, ...]
    ask: Callable[[], Awaitable[Found]]
    patience_s: float = 20.0


class Asking:
    """One probe's rounds."""

    def __init__(self, probe: Probe, metrics: Metrics) -> None:
        self.probe = probe
        self._metrics = metrics
        self._failures = 0
        self._took_s = 0.0
        self._set: dict[MetricDef, Set[Labels]] = {}
        self.forget()

    def forget(self) -> None:
        """Nothing is known any more: it is another console's to tell, or nobody can."""
        self._tell({})

    def _tell(self, found: Found) -> None:
        assert set(found) <= set(self.probe.feeds)
        for definition in self.probe.feeds:
            series: Series = found.get(definition, {})
            self._metrics.replace(definition, self._set.get(definition, ()), series)
            self._set[definition] = set(series)

    async def round(self) -> float:
        """Ask once; the seconds to rest. Never raises what `_AWAY` lists."""
        began = time.monotonic()
        try:
            found = await self._answer()
        except _AWAY as error:
            self._failures += 1
            detail = str(error)[:300] if isinstance(error, Retryable | Fatal) else ""
            log.warning(
                "probe_failed", probe=self.probe.name, error=type(error).__name__, detail=detail
            )
            if self._failures >= _BELIEVED:
                self.forget()
            return self.probe.every_s
        self._failures = 0
        self._tell(found)
        self._metrics.gauge(EXPORTED_AT, self.probe.name).set(time.time())
        took_s, before_s = time.monotonic() - began, self._took_s
        self._took_s = took_s
        # one that hung while a neighbour was away says nothing of what the question costs
        return max(self.probe.every_s, min(took_s, before_s) / _SHARE)

    async def _answer(self) -> Found:
        """What was found. A question that hangs is left behind: a client that waits for a broker
        in its own clean-up heeds no timeout. Raises TimeoutError."""
        asked: asyncio.Future[Found] = asyncio.ensure_future(self.probe.ask())
        try:
            done, _ = await asyncio.wait({asked}, timeout=self.probe.patience_s)
        except asyncio.CancelledError:
            asked.cancel()
            raise
        if not done:
            asked.cancel()
            raise TimeoutError("no answer")
        return asked.result()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            rest_s = await self.round()
            await asyncio.sleep(rest_s)
