"""Time as it is counted and as people here read it: UTC inside, Asia/Ho_Chi_Minh on screen."""

import time as clock
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

LOCAL: Final = ZoneInfo("Asia/Ho_Chi_Minh")


def now_ms() -> int:
    """Unix time in milliseconds, as Kafka and the tables have it."""
    return clock.time_ns() // 1_000_000


def local_text(moment: datetime) -> str:
    """`29/11/2021 08:05`, the way a Vietnamese form writes it."""
    return f"{moment.astimezone(LOCAL):%d/%m/%Y %H:%M}"


def local_midnight(day: date) -> datetime:
    """The first instant of a local calendar day, with its zone."""
    return datetime.combine(day, time(), LOCAL)
