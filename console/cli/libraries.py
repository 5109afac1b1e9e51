"""What client libraries log: in a command the sentence says it once, in a process it is wanted."""

import logging
import sys
from typing import Final

import structlog

_NAMES: Final = ("aiokafka", "kafka", "clickhouse_connect", "urllib3", "httpx", "asyncio")


def hush() -> None:
    """For a command at a keyboard."""
    for name in _NAMES:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def speak_beside_results() -> None:
    """Our own warnings go beside what a command prints, never into it; `--json` stays JSON."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


def let_speak() -> None:
    """For a process that keeps a log."""
    for name in _NAMES:
        logging.getLogger(name).setLevel(logging.NOTSET)
