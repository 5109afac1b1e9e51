"""From a case to its alerts: what is on `alerts.v1`, and how long it took."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from console.accounting.log import consumer_of
from schemas.cases import AlertKind
from schemas.errors import UserError
from schemas.settings import Settings
from schemas.topics import ALERTS

_PATIENCE_S: Final = 60.0


@dataclass(frozen=True)
class Alerted:
    """A case and its alerts. Seconds from before the POST until an alert was read."""

    case: dict[str, Any]
    first_s: float
    complete_s: float
    kinds: dict[str, int]


async def register_and_watch(settings: Settings, register: Callable[[], dict[str, Any]]) -> Alerted:
    """Registers (blocking, in a thread) and reads alerts until the run is said to be complete."""
    async with consumer_of(settings, ALERTS.name) as consumer:
        partitions = sorted(consumer.assignment())
        for partition, end in (await consumer.end_offsets(partitions)).items():
            consumer.seek(partition, end)
        begun = time.monotonic()
        posting = asyncio.create_task(asyncio.to_thread(register))
        arrived: list[tuple[float, dict[str, Any]]] = []
        while time.monotonic() - begun < _PATIENCE_S:
            for records in (await consumer.getmany(timeout_ms=50)).values():
                seconds = time.monotonic() - begun
                arrived += [(seconds, orjson.loads(record.value)) for record in records]
            if posting.done():
                case = posting.result()
                mine = [(s, alert) for s, alert in arrived if alert["case"] == case["id"]]
                done = [s for s, a in mine if a["kind"] == AlertKind.RUN_COMPLETED.value]
                if done:
                    kinds = Counter(alert["kind"] for _, alert in mine)
                    return Alerted(case, mine[0][0], done[0], dict(kinds))
        case = await posting
    raise UserError(
        f"Đã đăng ký ca {case['id']} nhưng sau {_PATIENCE_S:.0f} giây chưa có cảnh báo nào: hãy "
        "xem nhật ký của worker. / "
        f"Case {case['id']} was registered, but no alert came within {_PATIENCE_S:.0f} s: see the "
        "worker's log."
    )
