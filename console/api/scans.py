"""The scans that a question of the console is answered from."""

from datetime import datetime
from typing import Final

from console.api.state import Console
from console.store.codes import taken_back
from streams.segments.asking import held_now
from tracer.columns import milliseconds
from tracer.queries import Scans, retained_from
from tracer.struck import Struck

_SETTINGS: Final = {"max_execution_time": 30}


def scans_at(console: Console, now: datetime) -> Scans:
    """Those that are kept and count, for one question. Its methods raise Retryable."""
    kept = retained_from(now, console.settings.retention_days)
    struck = Struck(taken_back(console.store), milliseconds(now), console.struck)
    return Scans(console.clickhouse, kept, _SETTINGS, struck, held_now(console.held))
