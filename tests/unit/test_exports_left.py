"""Who asks for a file and goes away has the console make at most one more page of it."""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from schemas.ids import person_text
from tests.console_kit import Running, running
from tests.worklist_kit import HEAD, document, new_case

MANY, LEFT_AT = 40, 5
PEOPLE = [person_text(5000 + number) for number in range(MANY)]
FORMS = ["csv", "xlsx", "sormas"]


@pytest.fixture
def console(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    monkeypatch.setattr("console.api.worklist_pages.PAGE", 1)
    with running(tmp_path_factory.mktemp("console")) as console:
        new_case(console, *(document(person) for person in PEOPLE))
        yield console


@dataclass
class Leaving:
    """An ASGI client that goes away once the tables are asked for page `at` (None: it stays).

    `spec`: of ASGI; servers of 2.4 raise where it has gone, earlier ones send into the void.
    """

    console: Running
    spec: str
    at: int | None = LEFT_AT
    asked: list[int] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, form: str, **more: str) -> bytes:
        """What came of the body."""
        plain = self.console.tables.answer
        assert plain is not None
        portal, gone = self.console.client.portal, asyncio.Event()
        assert portal is not None

        def answer(sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
            if "limit" in what:
                self.asked.append(what["offset"])
                if len(self.asked) == self.at:
                    portal.call(gone.set)
            return plain(sql, what)

        self.console.tables.answer = answer
        query = "&".join(f"{name}={value}" for name, value in ({"format": form} | more).items())
        portal.call(self._serve, query, gone)
        self.console.tables.answer = plain
        return b"".join(message.get("body", b"") for message in self.sent)

    async def _serve(self, query: str, gone: asyncio.Event) -> None:
        begun = False

        async def receive() -> dict[str, Any]:
            nonlocal begun
            if not begun:
                begun = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            await asyncio.sleep(0)
            if gone.is_set() and self.spec >= "2.4":
                raise OSError("the client has gone")
            self.sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": self.spec},
            "http_version": "1.1", "method": "GET", "scheme": "http", "root_path": "",
            "path": "/v1/exports/contacts", "raw_path": b"/v1/exports/contacts",
            "query_string": query.encode(), "client": ("127.0.0.1", 1), "server": ("console", 80),
            "headers": [(k.lower().encode(), v.encode()) for k, v in HEAD.items()],
        }  # fmt: skip
        app: Any = self.console.client.app
        await asyncio.wait_for(app(scope, receive, send), 30)


@pytest.mark.parametrize("spec", ["2.3", "2.4"])
@pytest.mark.parametrize("form", FORMS)
def test_who_goes_away_has_at_most_one_more_page_made(
    console: Running, form: str, spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    client = Leaving(console, spec)
    with structlog.testing.capture_logs() as logs:
        body = client.ask(form)
    assert len(client.asked) <= LEFT_AT + 1
    assert PEOPLE[-1].encode() not in body
    assert b"# whole" not in body
    assert [entry["event"] for entry in logs].count("list_export_left") == 1
    assert not [entry for entry in logs if entry["event"] == "request_failed"]
    if form == "xlsx":
        assert b"PK" not in body
    assert list(tmp_path.iterdir()) == []  # nothing of it is left lying about


@pytest.mark.parametrize("form", FORMS)
def test_who_stays_has_all_of_it(
    console: Running, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    client = Leaving(console, "2.3", at=None)
    with structlog.testing.capture_logs() as logs:
        body = client.ask(form)
    assert len(client.asked) == MANY
    assert "list_export_left" not in [entry["event"] for entry in logs]
    begun, *pieces = client.sent
    assert begun["status"] == 200
    counted = dict(begun["headers"]).get(b"x-truyvet-contacts")
    if form == "xlsx":
        assert (body[:2], counted) == (b"PK", str(MANY).encode())
    else:
        assert (PEOPLE[-1].encode() in body, counted) == (True, None)
        assert len(pieces) >= MANY  # a page at a time
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_pages_of_nobody_who_goes_out_are_looked_up_after_too(console: Running, form: str) -> None:
    hidden = [document(person, tier="same_time_only") for person in PEOPLE]
    case = new_case(console, *hidden)
    client = Leaving(console, "2.3")
    client.ask(form, case=case)
    assert len(client.asked) <= LEFT_AT + 1
