"""Waiting until what was registered is on its topics, so that the workers know it."""

import time
from collections.abc import Callable
from typing import Final

from console.store.engine import Store
from console.store.outbox import count_pending
from schemas.errors import UserError
from schemas.settings import Settings

_POLL_S: Final = 0.05
_PATIENCE_S: Final = 30.0


def require_console(settings: Settings) -> None:
    """Raises UserError unless the console, which publishes the outbox, answers."""
    import httpx

    try:
        answer = httpx.get(f"{settings.console}/live", timeout=5, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise UserError(
            f"Không gọi được console tại {settings.console}; hãy chạy `truyvet up`. / "
            f"The console at {settings.console} does not answer ({error}); it publishes what is "
            "registered: start it with `truyvet up`."
        ) from None


def wait_until_published(
    store: Store,
    on_progress: Callable[[int], None] = lambda _: None,
    patience_s: float = _PATIENCE_S,
) -> None:
    """Until the outbox is empty. Raises UserError if nothing moves for half a minute.

    `on_progress` is told how many rows wait.
    """
    least: int | None = None
    moved_at = time.monotonic()
    while (left := count_pending(store)) > 0:
        on_progress(left)
        if least is None or left < least:
            least, moved_at = left, time.monotonic()
        if time.monotonic() - moved_at > patience_s:
            raise UserError(
                f"Còn {left} bản ghi chưa lên Kafka; xem `truyvet status`. / "
                f"{left} registered records have not reached Kafka for {patience_s:.0f} s: "
                "see `truyvet status` and the console's log."
            )
        time.sleep(_POLL_S)
