"""What client libraries log: in a command the sentence says it once, in a process it is wanted."""

import logging
from typing import Final

_NAMES: Final = ("aiokafka", "kafka", "clickhouse_connect", "urllib3", "httpx", "asyncio")


def hush() -> None:
    """For a command at a keyboard."""
    for name in _NAMES:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def let_speak() -> None:
    """For a process that keeps a log."""
    for name in _NAMES:
        logging.getLogger(name).setLevel(logging.NOTSET)
