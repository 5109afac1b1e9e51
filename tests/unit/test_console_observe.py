"""What the console says about itself: health, metrics, and logs that name nobody."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from console.broker import KafkaPublisher, Record
from deploy.embedded.ports import PortRequest, choose
from schemas.errors import Retryable
from schemas.metrics import METRICS
from tests.console_kit import ADMIN, PERSON, bearer, running, settings_in

EVENT = "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77"


def test_live_always_and_ready_names_who_is_missing(tmp_path: Path) -> None:
    with running(tmp_path) as console:
        assert console.client.get("/live").json() == {"live": True}
        answer = console.client.get("/ready")
        assert answer.status_code == 503
        assert [m["name"] for m in answer.json()["missing"]] == ["clickhouse"]
        console.broker.fails = True
        missing = console.client.get("/ready").json()["missing"]
        assert [m["name"] for m in missing] == ["kafka", "clickhouse"]
        assert all(m["sentence"]["vi"] and m["sentence"]["en"] for m in missing)


def test_requests_are_counted_by_template_and_only_listed_metrics_go_out(tmp_path: Path) -> None:
    with running(tmp_path) as console:
        for path in ("/v1/cases/C-1", "/v1/cases/C-2", "/v1/nothing/at/all"):
            console.client.get(path, headers=bearer(ADMIN))
        text = console.client.get("/metrics").text
    assert 'truyvet_http_requests_total{route="/v1/cases/{case_id}",status="404"} 2.0' in text
    assert 'truyvet_http_requests_total{route="unmatched",status="404"} 1.0' in text
    assert "C-1" not in text
    names = {family.name for family in text_string_to_metric_families(text)}
    names = {name for name in names if not name.startswith("process_")}  # the library's own
    assert names <= {metric.name.removesuffix("_total") for metric in METRICS}


def test_logs_hold_no_person_no_path_and_no_key(tmp_path: Path) -> None:
    with running(tmp_path) as console, capture_logs() as logs:
        head = bearer(ADMIN)
        body = {"person": PERSON, "onset": "2021-12-01", "ward": "11413"}
        case = console.client.post("/v1/cases", json=body, headers=head).json()["id"]
        console.client.get(f"/v1/cases/{case}/contacts", headers=head)
        console.client.get(f"/v1/scans/{EVENT}?person={PERSON}", headers=head)
        console.client.post("/v1/cases", json=body | {"name": "Nguyễn Văn A"}, headers=head)
    assert [entry["route"] for entry in logs if entry["event"] == "request"] == [
        "/v1/cases",
        "/v1/cases/{case_id}/contacts",
        "/v1/scans/{event_id}",
        "/v1/cases",
    ]
    assert case in str(logs)
    for secret in (PERSON, ADMIN, ADMIN[3:], EVENT, "Nguyễn"):
        assert secret not in str(logs)


def test_an_error_nobody_caught_is_500_in_both_languages_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"about {PERSON}")

    monkeypatch.setattr("console.store.cases.list_cases", broken)
    with running(tmp_path) as console, capture_logs() as logs:
        answer = console.client.get("/v1/cases", headers=bearer(ADMIN))
    assert answer.status_code == 500
    assert set(answer.json()["sentence"]) == {"vi", "en"}
    [entry] = [entry for entry in logs if entry["event"] == "request_failed"]
    assert entry["error"] == "RuntimeError"
    assert PERSON not in str(logs) + answer.text


def test_a_broker_that_is_not_there_is_said_soon(tmp_path: Path) -> None:
    async def scene() -> float:
        publisher = KafkaPublisher(settings_in(tmp_path))
        begun = time.monotonic()
        with pytest.raises(Retryable, match="away"):
            await publisher.send([Record("t", b"k", b"v")])
        with pytest.raises(Retryable):
            await publisher.check()
        await publisher.close()
        return time.monotonic() - begun

    assert asyncio.run(scene()) < 8


def test_the_process_serves_without_neighbours_and_ends_on_sigterm(tmp_path: Path) -> None:
    port = choose((PortRequest("console"),), {})["console"]
    code = (
        "import sys; from console.serve import serve; from schemas.settings import load_settings\n"
        "sys.exit(serve(load_settings()))\n"
    )
    env = os.environ | {
        "TRUYVET_DATA_DIR": str(tmp_path),
        "TRUYVET_CONSOLE_PORT": str(port),
        "TRUYVET_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "TRUYVET_CLICKHOUSE_URL": "http://127.0.0.1:1",
        "TRUYVET_ADMIN_KEY": ADMIN,
    }
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.PIPE)
    try:
        answer = None
        deadline = time.monotonic() + 60
        while answer is None and time.monotonic() < deadline:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/ready", timeout=10)
            except httpx.TransportError:
                time.sleep(0.05)
        assert answer is not None
        names = [m["name"] for m in answer.json()["missing"]]
        assert (answer.status_code, names) == (503, ["kafka", "clickhouse"])
        listed = httpx.get(f"http://127.0.0.1:{port}/v1/cases", headers=bearer(ADMIN))
        assert listed.json()["cases"] == []
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert all(line.startswith(b"{") for line in said.splitlines()), said.decode()
    assert ADMIN.encode() not in said
