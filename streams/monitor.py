"""A worker's own HTTP port: `/metrics`, `/live`, `/ready` and `/latency`."""

from collections.abc import Callable

from aiohttp import web

from schemas.meters import Metrics
from schemas.settings import Settings
from streams.latency import Latencies

# What is missing until the worker can work; empty when it is ready.
Missing = Callable[[], list[str]]


class Monitor:
    """Serves until stopped."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        latencies: Latencies,
        missing: Missing,
        refresh: Callable[[], None],
    ) -> None:
        self._at = (settings.metrics_host, settings.metrics_port)
        self._metrics = metrics
        self._latencies = latencies
        self._missing = missing
        self._refresh = refresh
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._get_metrics),
                web.get("/live", self._get_live),
                web.get("/ready", self._get_ready),
                web.get("/latency", self._get_latency),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._at).start()

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _get_metrics(self, request: web.Request) -> web.Response:
        self._refresh()
        body, media_type = self._metrics.page(request.headers.get("Accept"))
        return web.Response(body=body, headers={"Content-Type": media_type})

    async def _get_live(self, _request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _get_ready(self, _request: web.Request) -> web.Response:
        missing = self._missing()
        return web.json_response(
            {"ready": not missing, "missing": missing}, status=503 if missing else 200
        )

    async def _get_latency(self, request: web.Request) -> web.Response:
        if request.query.get("reset"):
            self._latencies.reset()
        return web.json_response(self._latencies.summary())
