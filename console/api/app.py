"""The console's application: its parts made, its routes joined, its relay kept running."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from typing import Any, Final

import structlog
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute

from console.access import KeyRoom, Requires
from console.admission import Admission, Shed, shed
from console.api import (
    across,
    cards,
    case_ends,
    case_runs,
    cases,
    codes,
    convert,
    coverage,
    duplicates,
    entries,
    erasures,
    errors,
    exports,
    handovers,
    health,
    inspection_files,
    inspections,
    inspections_reading,
    list_status,
    register,
    register_reading,
    registry,
    reminders,
    reports,
    required,
    rules,
    second,
    site_lists,
    staff,
    standing,
    triage,
    trips,
    venues,
    worklist,
)
from console.api.documented import ALWAYS
from console.api.observe import Observe
from console.api.slashed import KeepSlash, with_slash
from console.api.state import Console
from console.broker import KafkaPublisher, Publisher
from console.coverage.keeper import Keeper
from console.erasure.keeper import EraseKeeper
from console.exporter.exporter import Exporter
from console.foreign import ForeignCases
from console.gateway import activity_routes, reject_routes
from console.gateway import routes as gateway
from console.gateway.activity_counts import KnownCounts
from console.gateway.cards import CardRoom
from console.gateway.flow import Flow
from console.gateway.rates import KeyRates
from console.gateway.recent import Recent
from console.relay import Relay
from console.reminders.webhook import Webhook
from console.store.engine import open_store
from console.store.keys import Role, ensure_key
from issuer.kinds import kinds, sectors
from issuer.units import EVERYWHERE
from schemas.errors import Fatal
from schemas.meters import Metrics
from schemas.settings import Settings
from streams.clickhouse import ClickHouse, Priority
from streams.segments.keeping import following, open_held, tidying
from streams.spans import open_spans
from tracer.ruleset import load_rule_sets

log = structlog.get_logger()

OPEN_PATHS: Final = frozenset(
    {"/live", "/ready", "/metrics", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"}
)
_ENGINE_TIMEOUT_S: Final = 5.0
_THREADS: Final = 32
# FastAPI's own would send paths, queries and the words of errors to whom its variables name: they
# hold persons. What is followed, `console.api.observe` says.
_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False,
    "auto_configure": False,
}  # fmt: skip
_ABOUT: Final = (
    "Quét mã địa điểm và truy vết tiếp xúc. Location QR check-ins and exposure tracing.\n\n"
    "Scans supplement interviews: what comes out are *possible* contacts, and a person decides. "
    "Every answer that is not a success carries a sentence in Vietnamese and English."
)


def create_app(
    settings: Settings,
    *,
    publisher: Publisher | None = None,
    relay_publisher: Publisher | None = None,
    clickhouse: ClickHouse | None = None,
    keep_coverage: bool = False,
    export: bool = False,
    hold: bool = False,
) -> FastAPI:
    """The application; its database must have been migrated. Publishers may be given (tests).
    `keep_coverage`: count coverage beside serving, erase, and take in other systems' cases.
    `export`: find out for `/metrics` what no request and no worker tells. `hold`: answer F2s and
    comparisons of rule-sets from scans that are held.

    Raises Fatal if a route does not declare who may use it.
    """
    console, relay_publisher = _console(settings, publisher, relay_publisher, clickhouse)
    if hold:
        console = replace(console, held=open_held(settings, console.clickhouse, console.metrics))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # at the default of one more than the cores has, a few slow answers would keep keys waiting
        threads = ThreadPoolExecutor(_THREADS, "console")
        asyncio.get_running_loop().set_default_executor(threads)
        secret = settings.admin_key.get_secret_value()
        if secret:
            await asyncio.to_thread(
                ensure_key, console.store, secret, Role.EPIDEMIOLOGIST, EVERYWHERE, name="admin"
            )
        tasks = [asyncio.create_task(console.relay.run(), name="relay")]
        if keep_coverage:
            keeper = Keeper(settings, console.store, console.metrics)
            tasks.append(asyncio.create_task(keeper.run(), name="coverage"))
            eraser = EraseKeeper(settings, console.store)
            tasks.append(asyncio.create_task(eraser.run(), name="erasures"))
            foreign = ForeignCases(settings, console.store, console.relay.wake)
            tasks.append(asyncio.create_task(foreign.run(), name="foreign cases"))
        if export:
            exporter = Exporter(settings, console.store, console.metrics)
            tasks.append(asyncio.create_task(exporter.run(), name="exporter"))
        rounds = []
        if console.held is not None:
            rounds = [
                following(console.held, console.metrics),
                tidying(settings, console.clickhouse),
            ]
        if settings.reminder_webhook_url:
            webhook = Webhook(settings, console.store)
            tasks.append(asyncio.create_task(webhook.run(), name="webhook"))
        try:
            yield
        finally:
            for one in rounds:
                await asyncio.to_thread(one.close)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(console.publisher.close(), relay_publisher.close())
            await asyncio.to_thread(console.spans.close)
            console.clickhouse.close()
            console.reading.close()
            console.store.close()

    app = FastAPI(
        title="truyvet",
        description=_ABOUT,
        version="1",
        lifespan=lifespan,
        routes=[*joined()],
        telemetry=_NO_TELEMETRY,
    )
    app.state.console = console
    errors.install(app)
    app.add_exception_handler(Shed, shed)
    app.add_middleware(KeepSlash)
    app.add_middleware(
        Observe, metrics=console.metrics, admission=console.admission, spans=console.spans
    )
    if undeclared := [path for path, right in declared(app) if right is None]:
        raise Fatal(f"routes without an access declaration: {', '.join(undeclared)}")
    return app


@cache
def joined() -> tuple[BaseRoute, ...]:
    """Every module's routes, which know nothing of an application: joined once a process.

    FastAPI works a route's parameters and answers out where it is joined, and that is nearly all
    that an application costs: tests make hundreds.
    """
    whole = APIRouter()
    whole.include_router(health.router)
    gateway_routers = (gateway.router, reject_routes.router, activity_routes.router)
    case_modules = (cases, case_ends, case_runs, entries, venues, second, across, rules, registry)
    register_modules = (
        codes, cards, register, register_reading, trips, site_lists, coverage, required,
    )  # fmt: skip
    officer_modules = (
        inspections_reading, inspections, inspection_files, reminders, staff, reports, erasures,
    )  # fmt: skip
    list_modules = (
        worklist, convert, duplicates, handovers, standing, list_status, triage, exports,
    )  # fmt: skip
    others = (module.router for module in (*register_modules, *officer_modules))
    for router in (*gateway_routers, *others):
        whole.include_router(router, responses=ALWAYS)
    for module in (*case_modules, *list_modules):
        slashed = [Depends(with_slash)]
        whole.include_router(module.router, responses=ALWAYS, dependencies=slashed)
    return tuple(whole.routes)


def declared(app: FastAPI) -> Iterator[tuple[str, Requires | None]]:
    """Every route that is not open to all, with what it requires (None: it does not say)."""
    for route in iter_route_contexts(app.routes):
        path = str(route.path)
        if path not in OPEN_PATHS:
            yield path, _requirement(getattr(route, "dependant", None))


def _requirement(dependant: Any) -> Requires | None:
    if dependant is None:
        return None
    if isinstance(dependant.call, Requires):
        return dependant.call
    return next(filter(None, map(_requirement, dependant.dependencies)), None)


def _console(
    settings: Settings,
    publisher: Publisher | None,
    relay_publisher: Publisher | None,
    clickhouse: ClickHouse | None,
) -> tuple[Console, Publisher]:
    store = open_store(settings)
    metrics = Metrics(CollectorRegistry(), of="console")
    reading = clickhouse or ClickHouse(settings, _ENGINE_TIMEOUT_S, Priority.READING)
    clickhouse = clickhouse or ClickHouse(settings, _ENGINE_TIMEOUT_S, Priority.CASES)
    relay_publisher = relay_publisher or KafkaPublisher(settings)
    spans = open_spans(settings, metrics, "truyvet-console")
    console = Console(
        settings=settings,
        metrics=metrics,
        store=store,
        keys=KeyRoom(store),
        relay=Relay(store, relay_publisher, spans),
        publisher=publisher or KafkaPublisher(settings),
        clickhouse=clickhouse,
        reading=reading,
        admission=Admission(settings.console_readings, metrics),
        flow=Flow(),
        rates=KeyRates(settings.gateway_key_rate),
        recent=Recent(),
        cards=CardRoom(store),
        activity=KnownCounts(reading),
        rule_sets=frozenset(
            rule_set.id for rule_set in load_rule_sets(kinds=kinds(), sectors=sectors())
        ),
        spans=spans,
    )
    return console, relay_publisher
