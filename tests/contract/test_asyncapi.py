"""The AsyncAPI document: valid by its own specification, and true of what is really sent.

`data/asyncapi-3.0.0.json.gz` is AsyncAPI's own JSON Schema; `data/README.md` names its source.
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from console.inspections.steps import Content
from console.reminders.plan import Draft, Frame
from console.reminders.texts import Channel, Reason
from console.store import case_ends, cases, outbox, reminders
from console.store.engine import Store
from console.store.inspections import record
from console.store.producers import put_producer
from console.store.register import NewPlace, NewSite, register_sites
from schemas.asyncapi import CHANNELS, document
from schemas.cases import Alert, AlertKind
from schemas.export import ASYNCAPI, DIRECTORY
from schemas.places import Producer
from schemas.settings import Settings
from schemas.topics import (
    ALERTS,
    CASES,
    COVERAGE,
    DLQ,
    INSPECTIONS,
    NOTICES,
    PRODUCERS,
    SCANS,
    SCANS_MAX_MESSAGE,
    SITES,
    TOPICS,
)
from streams.alerts import alert_message
from streams.deadletters import dead_letters
from streams.decode import decode
from tests.console_kit import PERSON, RING, WARD, migrated
from tests.inspections_kit import DEFECTS, MENDED, ORDERED, REFERRED, REMINDED, event_id, step
from tests.letters import unpacked
from tests.scans import raw_batch, scan_json

OFFICIAL = Path(__file__).parent / "data" / "asyncapi-3.0.0.json.gz"
SHA256 = "abe96881dbfaad495ccbb6bd8d3fb43ca18a13b9d7564849ccb66f39d5e5b20f"
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)

Headers = Iterable[tuple[str, bytes]]


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    text = gzip.decompress(OFFICIAL.read_bytes())
    assert hashlib.sha256(text).hexdigest() == SHA256
    return Draft7Validator(json.loads(text))


@pytest.fixture(scope="module")
def written() -> Any:
    """The file that people read; a golden test holds it to the code."""
    return orjson.loads((DIRECTORY / ASYNCAPI).read_bytes())


def test_the_document_is_valid_asyncapi(official: Draft7Validator, written: Any) -> None:
    assert [error.message for error in official.iter_errors(written)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "9.0.0"),
        (("channels", "scans.v1", "bindings", "kafka", "partitions"), 0),
        (("operations", "receiveScans", "action"), "eat"),
        (("components", "messages", "scan", "payload"), 7),
    ],
)
def test_the_validator_sees_what_is_wrong(
    official: Draft7Validator, path: tuple[str, ...], value: Any
) -> None:
    broken = document()
    inner = broken
    for name in path[:-1]:
        inner = inner[name]
    assert inner[path[-1]] != value
    inner[path[-1]] = value
    assert not official.is_valid(broken)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


def test_every_reference_leads_somewhere(written: Any) -> None:
    references = set(_references(written))
    assert "#/components/schemas/Scan" in references
    for reference in references:
        inner = written
        for name in reference.removeprefix("#/").split("/"):
            inner = inner[name]
        assert inner


def test_every_topic_is_a_channel_as_it_is_made(written: Any) -> None:
    assert set(CHANNELS) == set(TOPICS)
    fields = Settings.model_fields
    for topic in TOPICS:
        binding = written["channels"][topic.name]["bindings"]["kafka"]
        assert binding["partitions"] == (topic.partitions or fields["scan_partitions"].default)
        config = {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in binding["topicConfiguration"].items()
        }
        assert config == topic.config(fields["retention_days"].default)


class Contract:
    """Holds records to the messages of their channel."""

    def __init__(self, written: Any) -> None:
        self._written = written

    def message_of(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> tuple[str | None, list[str]]:
        """The one message that the record is, or None and what is wrong."""
        problems: list[str] = []
        found: list[str] = []
        for name in self._written["channels"][topic]["messages"]:
            wrong = self._problems(name, key, value, dict(headers))
            problems += wrong
            found += [] if wrong else [name]
        assert len(found) <= 1, "a record is one message"
        return (found[0] if found else None), problems

    def _problems(
        self, name: str, key: bytes, value: bytes, headers: dict[str, bytes]
    ) -> list[str]:
        message = self._written["components"]["messages"][name]
        texts = {header: text.decode() for header, text in headers.items()}
        known = set(message.get("headers", {}).get("properties", {}))
        problems = [f"header {header} is not documented" for header in set(texts) - known]
        parts = [
            (message["bindings"]["kafka"]["key"], key.decode()),
            (message.get("headers", {}), texts),
        ]
        if message["contentType"] == "application/json":
            parts.append((message["payload"], orjson.loads(value)))
        for schema, part in parts:
            whole = schema | {"components": self._written["components"]}
            problems += [e.message for e in Draft202012Validator(whole).iter_errors(part)]
        return problems


@pytest.fixture(scope="module")
def contract(written: Any) -> Contract:
    return Contract(written)


def test_a_scan_is_as_documented(contract: Contract) -> None:
    key = PERSON.encode()
    assert contract.message_of(SCANS.name, key, scan_json(person=PERSON), ()) == ("scan", [])
    for changes in ({"person": 5}, {"scanned_at": "2021-12-01T08:00:00Z"}, {"code": ...}):
        found, problems = contract.message_of(SCANS.name, key, scan_json(**changes), ())
        assert found is None
        assert problems
    assert contract.message_of(SCANS.name, b"", scan_json(), ())[0] is None


@pytest.mark.parametrize("key", [None, b"somebody"])
def test_dead_letters_are_as_documented(contract: Contract, key: bytes | None) -> None:
    values = [b"{", None, b"\xff", b" " * (SCANS_MAX_MESSAGE + 1), scan_json(person=1)]
    refused = decode(raw_batch(values, keys=[key] * len(values)))
    letters = unpacked(dead_letters(SCANS.name, refused))
    assert len(letters) == len(values)
    for letter in letters:
        found = contract.message_of(DLQ.name, letter.key, letter.value, letter.headers)
        assert found == ("refusedScan", [])
    extra = (*letters[0].headers, ("surprise", b"1"))
    assert contract.message_of(DLQ.name, letters[0].key, b"", extra)[0] is None


@pytest.mark.parametrize("kind", list(AlertKind))
def test_alerts_are_as_documented(contract: Contract, kind: AlertKind) -> None:
    alert = Alert(kind=kind, case="C-2026-000001", case_version=1, at=NOW, person=PERSON)
    sent = alert_message("an-id", alert)
    found = contract.message_of(ALERTS.name, sent.key, sent.value, sent.headers)
    assert found == ("alert", [])
    fewer = [header for header in sent.headers if header[0] != "ce_type"]
    assert contract.message_of(ALERTS.name, sent.key, sent.value, fewer)[0] is None


def test_what_the_console_publishes_is_as_documented(contract: Contract, tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    spot = NewPlace("Phòng họp", "meeting_room", "room/1", enclosed=True, small=True)
    site = NewSite("Cơ quan", "office", WARD, "home_affairs", "site/1", places=(spot,))
    register_sites(store, RING, [site], source="test")
    put_producer(store, Producer(id="gate-1", name="Cổng 1"))
    new = cases.NewCase(person=PERSON, ward=WARD, onset=date(2026, 11, 20))
    case = cases.register_case(store, new, registered_by="key/1")
    case_ends.close(store, case.id, by="key/1", reason="followed to the end")
    taken: list[Content] = [DEFECTS, ORDERED, MENDED, REFERRED, REMINDED]
    for n, content in enumerate(taken):
        record(store, event_id(99), 1, step(n, content), by="key/1")
    _remind(store)
    found = []
    for row in outbox.pending(store, 100):
        headers = [(name, text.encode()) for name, text in row.headers.items()]
        message, problems = contract.message_of(row.topic, row.key.encode(), row.value, headers)
        assert message is not None, problems
        found.append((row.topic, message))
    assert found == [
        (SITES.name, "site"),
        (SITES.name, "place"),
        (PRODUCERS.name, "producer"),
        (CASES.name, "case"),
        (CASES.name, "case"),
        (INSPECTIONS.name, "inspectionStep"),
        (COVERAGE.name, "posting"),
        *[(INSPECTIONS.name, "inspectionStep")] * 4,
        (NOTICES.name, "reminder"),
    ]


def _remind(store: Store) -> None:
    frame = Frame(Reason.POSTED, Channel.ZALO, "zalo", "vi", date(2026, 11, 29), NOW, 7)
    new = reminders.NewBatch(frame, f"ward/{WARD}", "key/1", {"behind": 1})
    batch = reminders.propose(store, new, [Draft("site/1", WARD, ("place/1",))])
    asked = reminders.Release("key/1", 1, frozenset(), 200)
    reminders.release(store, batch.id, asked, lambda _: None)
