"""`truyvet serve`: the console's process."""

import gc
import signal
from types import FrameType
from typing import Final

import uvicorn

from console.api.app import create_app
from console.store.migrations.run import upgrade
from schemas.logs import configure_logging
from schemas.settings import Settings
from streams.leaving import WITHIN_S, leave_within

_REQUESTS_S: Final = 7  # what is under way may go on for so long


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, then let requests under way end; the exit code.

    Migrates the relational database first. Kafka or ClickHouse may come later: `/ready` says.
    """
    configure_logging(settings.log_level)
    upgrade(settings)
    app = create_app(settings, keep_coverage=True, export=True, hold=True)
    # What is there by now stays. To look through it for garbage again and again, while an answer
    # of thousands of rows is made, took a third of a second of the F2s of one case.
    gc.freeze()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.console_host,
            port=settings.console_port,
            log_config=None,
            access_log=False,  # it would hold paths and queries
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=_REQUESTS_S,
        )
    )

    def end(_signal: int, _frame: FrameType | None) -> None:
        """Before uvicorn listens for signals; and after, as it sends them to itself again."""
        if not server.should_exit:
            leave_within(WITHIN_S)
        server.should_exit = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server.run()
    return 0 if server.started else 1
