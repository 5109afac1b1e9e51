"""`truyvet serve`: the console's process."""

import logging
import signal
import sys
from types import FrameType
from typing import Any

import structlog
import uvicorn

from console.api.app import create_app
from console.store.migrations.run import upgrade
from schemas.settings import Settings


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, then let requests under way end; the exit code.

    Migrates the relational database first. Kafka or ClickHouse may come later: `/ready` says.
    """
    _configure_logging(settings.log_level)
    upgrade(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.console_host,
            port=settings.console_port,
            log_config=None,
            access_log=False,  # it would hold paths and queries
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=15,
        )
    )

    def end(_signal: int, _frame: FrameType | None) -> None:
        """Before uvicorn listens for signals; and after, as it sends them to itself again."""
        server.should_exit = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server.run()
    return 0 if server.started else 1


def _configure_logging(level: str) -> None:
    """JSON lines on standard error, from structlog and from the libraries alike."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING if level == "info" else level.upper())
