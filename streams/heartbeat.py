"""How long ago a consumer's group coordinator last answered it."""

import time
from typing import Any


class HeartbeatClock:
    """When this worker last heard from its group's coordinator (monotonic seconds)."""

    def __init__(self) -> None:
        self.last_good = time.monotonic()

    def age(self) -> float:
        """Seconds since the last good heartbeat."""
        return time.monotonic() - self.last_good

    def watch(self, coordinator: Any) -> None:
        """Note each heartbeat of this aiokafka group coordinator that was answered well."""
        beat = coordinator._do_heartbeat

        async def noted() -> Any:
            sent = time.monotonic()
            good = await beat()
            if good:
                self.last_good = sent
            return good

        coordinator._do_heartbeat = noted
