"""The webhook: one address, signed, bounded; nothing else is ever called."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from console.reminders.plan import Draft, Frame
from console.reminders.texts import Channel, Reason
from console.reminders.webhook import PAUSES, Webhook, signature
from console.store import reminder_rows, reminders
from console.store import tables as t
from console.store.engine import Store, utc_now
from console.store.reminder_rows import Message
from console.store.reminders import NewBatch, Release
from schemas.errors import UserError
from schemas.settings import Settings, load_settings
from tests.console_kit import WARD, migrated

URL = "https://gateway.example/reminders"
SECRET = "s" * 16


def released(store: Store) -> Message:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    frame = Frame(Reason.POSTED, Channel.WEBHOOK, "webhook", "vi", date(2026, 11, 29), at, 7)
    rule = {"behind": 1, "told": 0, "too_new": 0}
    new = NewBatch(frame, f"ward/{WARD}", "key/1", rule)
    batch = reminders.propose(store, new, [Draft("site/1", WARD, ("place/1",))])
    asked = Release("key/1", 1, frozenset(), 200)
    reminders.release(store, batch.id, asked, lambda _: None)
    [message] = reminder_rows.messages(store, batch.id)
    return message


def made(tmp_path: Path) -> tuple[Settings, Store]:
    return migrated(tmp_path, reminder_webhook_url=URL, reminder_webhook_secret=SECRET)


def step(
    settings: Settings, store: Store, answer: httpx.Response | Exception
) -> list[httpx.Request]:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run() -> None:
        webhook = Webhook(settings, store, httpx.MockTransport(handle))
        await webhook.step()
        await webhook.close()

    asyncio.run(run())
    return seen


def state(store: Store, message: Message) -> Message:
    with store.read() as connection:
        return reminder_rows.message(connection, message.id)


def test_a_released_message_is_posted_signed_once(tmp_path: Path) -> None:
    settings, store = made(tmp_path)
    message = released(store)
    [request] = step(settings, store, httpx.Response(202))
    assert str(request.url) == URL
    assert request.headers["idempotency-key"] == f"reminder/{message.id}"
    said = request.headers["x-truyvet-signature"]
    at = datetime.fromtimestamp(int(said.split(",")[0][2:]), UTC)
    assert said == signature(SECRET.encode(), at, request.content)
    assert state(store, message).state == "sent"
    assert step(settings, store, httpx.Response(202)) == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(429),
        httpx.ConnectError("x"),
        httpx.Response(302, headers={"Location": "http://127.0.0.1/"}),
    ],
)
def test_what_may_pass_is_tried_again_a_few_times(
    tmp_path: Path, answer: httpx.Response | Exception
) -> None:
    settings, store = made(tmp_path)
    message = released(store)
    for tried in range(1, len(PAUSES) + 2):
        assert len(step(settings, store, answer)) == 1, "one call, no redirect followed"
        now = state(store, message)
        assert now.tries == tried
        assert step(settings, store, answer) == [], "not before its time"
        with store.write() as connection:
            due = {"next_try_at": utc_now() - timedelta(seconds=1)}
            connection.execute(t.reminders.update().values(due))
    assert now.state == "failed"
    assert step(settings, store, answer) == []


def test_a_refusal_is_final_and_frees_another_way(tmp_path: Path) -> None:
    settings, store = made(tmp_path)
    message = released(store)
    with store.read() as connection:
        assert reminder_rows.told(connection, Reason.POSTED, ["place/1"])
    step(settings, store, httpx.Response(400))
    failed = state(store, message)
    assert (failed.state, failed.note) == ("failed", "HTTP 400")
    with store.read() as connection:
        assert not reminder_rows.told(connection, Reason.POSTED, ["place/1"])


@pytest.mark.parametrize(
    "url", ["http://gateway.example/", "file:///etc/passwd", "gateway.example", "https://"]
)
def test_an_address_that_is_none_is_refused_at_start(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUYVET_REMINDER_WEBHOOK_URL", url)
    monkeypatch.setenv("TRUYVET_REMINDER_WEBHOOK_SECRET", SECRET)
    with pytest.raises(UserError, match="TRUYVET_REMINDER_WEBHOOK_URL"):
        load_settings(tmp_path)


def test_without_a_secret_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUYVET_REMINDER_WEBHOOK_URL", URL)
    with pytest.raises(UserError, match="16 characters"):
        load_settings(tmp_path)
