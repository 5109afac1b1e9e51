"""The gateway: what goes out and what does not, and what became of a scan."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.api.errors import ApiError
from console.gateway.flow import MAX_BODY_BYTES, MAX_LINES, Flow
from console.gateway.recent import Keys, Recent
from console.store.keys import Role
from schemas.reasons import SENTENCES, Reason
from tests.console_kit import PERSON, Running, running

EVENT = "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77"
NDJSON = {"Content-Type": "application/x-ndjson"}
SCAN: dict[str, Any] = {
    "event_id": EVENT,
    "person": PERSON,
    "code": "000001017FKXZVYR05",
    "direction": "in",
    "scanned_at": "2026-11-23T01:05:00.000Z",
    "method": "self",
    "producer": "gate-1",
    "device": "d-17",
}


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as console:
        console.client.headers.update(console.key(Role.PRODUCER, producer="gate-1"))
        yield console


def lines(*values: object) -> bytes:
    return b"\n".join(v if isinstance(v, bytes) else orjson.dumps(v) for v in values)


def post(console: Running, body: bytes, headers: dict[str, str] | None = None) -> Any:
    return console.client.post("/v1/scans", content=body, headers=headers or NDJSON)


def counted(console: Running, outcome: str) -> float:
    text = console.client.get("/metrics").text
    name = f'truyvet_gateway_scans_total{{outcome="{outcome}"}} '
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if name in line)


def test_one_scan_goes_out_byte_for_byte_under_its_person(console: Running) -> None:
    body = orjson.dumps(SCAN | {"later": "field"}, option=orjson.OPT_INDENT_2)
    answer = post(console, body, {"Content-Type": "application/json; charset=utf-8"})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "refused": []})
    [record] = console.broker.records
    assert (record.topic, record.key, record.value) == ("scans.v1", PERSON.encode(), body)
    assert post(console, body, {"Content-Type": "application/json"}).status_code == 202
    assert console.broker.records[1] == record
    assert counted(console, "accepted") == 2


def test_bad_lines_are_named_and_the_rest_goes_out(console: Running) -> None:
    good = orjson.dumps(SCAN)
    body = lines(
        good,
        b"{not json",
        SCAN | {"direction": "up"},
        b"",
        SCAN | {"person": PERSON.lower()},
        SCAN | {"producer": "gate-2"},
        SCAN | {"device": "d" * 5000},
        b"[1]",
        b"\xff\xfe",
        good + b"\r",
    )
    answer = post(console, body + b"\n")
    assert answer.status_code == 207
    said = answer.json()
    assert said["accepted"] == 2
    assert [r.value for r in console.broker.records] == [good, good]
    assert [(r["line"], r["reason"], r["event_id"]) for r in said["refused"]] == [
        (2, "not_json", None),
        (3, "wrong_schema", EVENT),
        (5, "malformed_id", EVENT),
        (6, "producer_not_allowed", EVENT),
        (7, "too_large", None),
        (8, "wrong_schema", None),
        (9, "not_json", None),
    ]
    for refused in said["refused"]:
        vi, en = SENTENCES[Reason(refused["reason"])]
        assert refused["sentence"] == {"vi": vi, "en": en}
        assert refused["detail"]
    assert counted(console, "refused") == 7


def test_all_refused_is_422_and_nothing_goes_out(console: Running) -> None:
    answer = post(console, lines(SCAN | {"producer": "gate-2"}))
    assert (answer.status_code, answer.json()["accepted"]) == (422, 0)
    assert "gate-1" in answer.json()["refused"][0]["detail"]
    assert console.broker.records == []


@pytest.mark.parametrize("body", [b"", b"\n\n", b"  \r\n"])
def test_no_scan_at_all(console: Running, body: bytes) -> None:
    answer = post(console, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_many_lines_keep_their_order(console: Running) -> None:
    body = lines(*({**SCAN, "device": f"d-{i}"} for i in range(500)))
    assert post(console, body).json()["accepted"] == 500
    devices = [orjson.loads(r.value)["device"] for r in console.broker.records]
    assert devices == [f"d-{i}" for i in range(500)]


def test_too_much_at_once_is_413_and_nothing_goes_out(console: Running) -> None:
    many = post(console, b"{}\n" * (MAX_LINES + 1))
    big = post(console, b"x" * (MAX_BODY_BYTES + 1))
    chunks = (b"x" * 1_000_000 for _ in range(10))
    streamed = console.client.post("/v1/scans", content=chunks, headers=NDJSON)
    for answer in (many, big, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "nothing was taken" in answer.json()["sentence"]["en"]
    assert console.broker.records == []
    assert post(console, b"{}\n" * MAX_LINES).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/csv"}, NDJSON | {"Content-Encoding": "gzip"}],
)
def test_another_kind_of_body(console: Running, headers: dict[str, str]) -> None:
    assert post(console, lines(SCAN), headers).status_code == 415


def test_a_broker_that_is_away_is_503_and_the_retry_is_welcome(console: Running) -> None:
    console.broker.fails = True
    answer = post(console, lines(SCAN))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "gửi lại" in answer.json()["sentence"]["vi"]
    assert counted(console, "unavailable") == 1
    console.broker.fails = False
    assert post(console, lines(SCAN)).status_code == 202


def test_the_flow_has_bounds_and_gives_back() -> None:
    flow = Flow(max_bytes=100, max_records=10)
    flow.take_bytes(60)
    with pytest.raises(ApiError) as busy:
        flow.take_bytes(60)
    assert busy.value.status == 503
    flow.give_back(60)
    flow.take_bytes(100)
    with flow.publishing(6), pytest.raises(ApiError), flow.publishing(5):
        pass
    with flow.publishing(10):
        pass


def test_recent_scans_are_bounded_and_known_by_their_producer() -> None:
    one, two, three = (EVENT[:-1] + digit for digit in "abc")
    person = PERSON.encode()
    recent = Recent(most=3)
    recent.add("a", Keys.of([person, person], [one, two]))
    recent.add("b", Keys.of([person], [one.upper()]))
    assert recent.has(PERSON, one.upper(), "a")
    assert recent.has(PERSON, one, "b")
    assert not recent.has(PERSON, two, "b")
    assert not recent.has("1" + PERSON[1:], one, None)
    recent.add("b", Keys.of([person], [three]))
    assert not recent.has(PERSON, one, "a")
    assert recent.has(PERSON, one, None)
    assert recent.has(PERSON, three, None)
    recent.add("c", Keys.of([person] * 5, [one, one, two, two, three]))
    assert [recent.has(PERSON, e, "c") for e in (one, two, three)] == [False, True, True]


def test_slow_publishers_do_not_let_the_queue_grow(tmp_path: Path) -> None:
    flow = Flow(max_records=10)

    async def scene() -> list[bool]:
        async def one() -> bool:
            try:
                with flow.publishing(4):
                    await asyncio.sleep(0.05)
            except ApiError:
                return False
            return True

        return list(await asyncio.gather(*(one() for _ in range(5))))

    assert sorted(asyncio.run(scene())) == [False, False, False, True, True]
