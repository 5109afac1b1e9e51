"""Released reminders of the channel `webhook`, posted to the one address that a setting names.

Signed, with a bound on time and tries; the receiver tells a repeated one by its Idempotency-Key.
No other address is ever called: neither a user nor a record can name one. Redirects are not
followed. Off while the setting is empty.
"""

import asyncio
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

import httpx
import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError

from console.store.engine import Store, utc_now
from console.store.locks import ExclusiveLock
from console.store.reminder_ends import due, failed, went
from console.store.reminder_rows import Message
from schemas.settings import Settings

log = structlog.get_logger()

PAUSES: Final = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120))  # after each failed try
_AGAIN: Final = frozenset({408, 425, 429})  # the other 4xx say that it will never be taken
_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 5.0
_BATCH: Final = 50


class Webhook:
    """Sends while `run` runs; one process at a time."""

    def __init__(
        self, settings: Settings, store: Store, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = settings.reminder_webhook_url
        self._secret = settings.reminder_webhook_secret.get_secret_value().encode()
        self._store = store
        self._lock = ExclusiveLock(store.engine, "webhook")
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT_S, trust_env=False, follow_redirects=False, transport=transport
        )

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    done = await self.step()
                except SQLAlchemyError as error:
                    log.warning("webhook_waits", detail=type(error).__name__)
                    done = 0
                if not done:
                    await asyncio.sleep(_POLL_S)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let another process do it."""
        await self._client.aclose()
        self._lock.release()

    async def step(self) -> int:
        """Post what is due; how many. 0 too if another process does it."""
        if not await asyncio.to_thread(self._lock.try_acquire):
            return 0
        messages = await asyncio.to_thread(due, self._store, utc_now(), _BATCH)
        for message in messages:
            await self._post(message)
        return len(messages)

    async def _post(self, message: Message) -> None:
        body = orjson.dumps(
            {
                "id": message.id,
                "to": message.to,
                "ward": message.ward,
                "title": message.title,
                "text": message.body,
            },
            option=orjson.OPT_SORT_KEYS,
        )
        now = utc_now()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"reminder/{message.id}",
            "X-Truyvet-Signature": signature(self._secret, now, body),
        }
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
            why = None if answer.is_success else f"HTTP {answer.status_code}"
            never = answer.is_client_error and answer.status_code not in _AGAIN
        except httpx.HTTPError as error:
            why, never = type(error).__name__, False
        if why is None:
            await asyncio.to_thread(went, self._store, message.id)
            return
        last = never or message.tries >= len(PAUSES)
        again = None if last else now + PAUSES[message.tries]
        await asyncio.to_thread(failed, self._store, message.id, why, again)
        log.warning("reminder_not_taken", message=message.id, why=why, again=again)


def signature(secret: bytes, at: datetime, body: bytes) -> str:
    """`t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>", hex>`: of this body at this time."""
    seconds = str(int(at.timestamp()))
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
