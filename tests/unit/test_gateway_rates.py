"""Rate limits by key: what goes in, what waits how long, and nothing by halves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.gateway.rates import BURST_S, KeyRates
from console.store.keys import Role
from tests.console_kit import Running, running
from tests.unit.test_console_gateway import NDJSON, SCAN


def test_a_bucket_empties_and_fills_with_time() -> None:
    rates = KeyRates(10)
    assert rates.take(1, 100, 0) == 0
    assert rates.take(1, 1, 0) == pytest.approx(0.1)
    assert rates.take(1, 5, 0.2) == pytest.approx(0.3)
    assert rates.take(1, 5, 0.5) == 0
    assert rates.take(2, 100, 0.5) == 0, "another key has its own"
    assert rates.take(1, 100, 1_000) == 0, "a full bucket holds no more than the burst"
    assert rates.take(1, 1, 1_000) > 0


def test_a_request_larger_than_the_burst_goes_in_when_full_and_leaves_a_debt() -> None:
    rates = KeyRates(10)
    assert rates.take(1, 10, 0) == 0
    assert rates.take(1, 500, 0) == pytest.approx(1), "until the bucket is full"
    assert rates.take(1, 500, 1) == 0
    assert rates.take(1, 1, 1) == pytest.approx(40.1), "400 are owed"
    assert rates.take(1, 1, 41.2) == 0


def test_what_did_not_go_in_is_given_back() -> None:
    rates = KeyRates(10)
    assert rates.take(1, 100, 0) == 0
    rates.give_back(1, 100, 0)
    assert rates.take(1, 100, 0) == 0
    rates.give_back(1, 500, 0)
    assert rates.take(1, 100, 0) == 0
    assert rates.take(1, 1, 0) > 0, "never more than the burst"


def test_no_rate_is_no_limit_and_no_memory() -> None:
    rates = KeyRates(0)
    assert all(rates.take(key, 10_000, 0) == 0 for key in range(100))
    rates.give_back(1, 5, 0)
    assert len(rates) == 0


def test_buckets_are_bounded_and_a_clock_that_goes_back_gives_nothing() -> None:
    rates = KeyRates(1, most=3)
    for key in range(10):
        assert rates.take(key, 1, key) == 0
    assert len(rates) == 3
    assert rates.take(9, 10, 0) > 0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 300)), max_size=60))
def test_over_any_time_no_more_goes_in_than_burst_rate_and_one_request(
    steps: list[tuple[float, int]],
) -> None:
    rates, now, gone_in = KeyRates(10), 0.0, 0
    for pause, scans in steps:
        now += pause
        if rates.take(1, scans, now) == 0:
            gone_in += scans
    assert gone_in <= 10 * BURST_S + 10 * now + 300


@given(st.lists(st.integers(1, 300), min_size=1, max_size=20))
def test_whoever_waits_as_told_is_let_in(requests: list[int]) -> None:
    rates, now = KeyRates(10), 0.0
    for scans in requests:
        wait = rates.take(1, scans, now)
        if wait:
            now += wait + 1e-6
            assert rates.take(1, scans, now) == 0


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, gateway_key_rate=10) as console:
        console.client.headers.update(console.key(Role.PRODUCER, producer="gate-1"))
        yield console


def post(console: Running, scans: int, headers: dict[str, str] | None = None) -> Any:
    body = b"\n".join(orjson.dumps(SCAN) for _ in range(scans))
    return console.client.post("/v1/scans", content=body, headers=(headers or {}) | NDJSON)


def test_over_the_rate_is_429_with_a_time_and_nothing_goes_out(console: Running) -> None:
    assert post(console, 90).status_code == 202
    answer = post(console, 40)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3
    said = answer.json()
    assert said["code"] == "too_many"
    assert "chưa nhận dòng nào" in said["sentence"]["vi"]
    assert "nothing was taken" in said["sentence"]["en"]
    assert len(console.broker.records) == 90
    assert 'truyvet_gateway_scans_total{outcome="limited"} 40.0' in (
        console.client.get("/metrics").text
    )
    other = console.key(Role.PRODUCER, producer="gate-1")
    assert post(console, 40, other).status_code == 202, "the rate is the key's"


def test_refused_lines_count_and_a_queue_that_was_full_does_not(console: Running) -> None:
    console.broker.fails = True
    assert [post(console, 100).status_code for _ in range(3)] == [503, 503, 503]
    console.broker.fails = False
    assert post(console, 60).status_code == 202
    bad = console.client.post("/v1/scans", content=b"{\n" * 39 + b"{", headers=NDJSON)
    assert bad.status_code == 422
    assert post(console, 20).status_code == 429
