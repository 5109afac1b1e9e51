"""The support bundle: what helps, and nothing of any person, whatever the logs and settings hold."""

import json
import socket
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from console.cli.main import main
from console.logbook.entries import parse
from console.store.register import register_sites
from console.support.bundle import write_bundle
from console.support.masked import HIDDEN, lines_shown, settings_shown
from schemas.settings import Settings
from tests.console_kit import ADMIN, PERSON, RING, migrated, new_sites

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
NAME, PHONE, TOKEN = "Nguyễn Thị Bích", "0912345678", "0ABCDEF0123456789"
NOBODY = (NAME, PHONE, TOKEN, PERSON, ADMIN, "bich", "s3cret-word", "Site 0", "tran.van")
DIRTY: list[dict[str, object]] = [
    {"event": "case_traced", "case": "tran.van/c1", "run": 3, "contacts": 2},
    {"event": "case_traced", "case": "tran.van/c1", "run": 4, "person": PERSON},
    {"event": "case_registered", "case": "C-2026-1", "version": 1, "by": NAME},
    {"event": "clickhouse_away", "partition": 2, "detail": f"Code: 241. DB: person = {PERSON}"},
    {"event": f"no such person {PERSON}", "logger": "bich.aiokafka", "phone": PHONE},
    {"event": "request", "route": "/v1/cases/{case_id}", "status": 200, "ms": 3.1, "key": 4},
    {"event": "request_failed", "route": f"/v1/x {NAME}", "error": "ValueError", "at": "/home/bich"},
    {"event": "record_ignored", "key": f"place/{TOKEN}", "topic": "sites.v1", "offset": 7},
    {"event": "poster_reported", "place": 9, "by": PHONE, "version": 912345678},
    {"event": NAME},
]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "bich"
    made, store = migrated(
        home,
        database_url=f"sqlite:///{home / 'console.db'}",
        clickhouse_user="bich",
        clickhouse_password=SecretStr("s3cret-word"),
        reminder_webhook_url="https://hooks.example/tran.van?k=s3cret-word",
        reminder_webhook_secret=SecretStr("s3cret-word-s3cret-word"),
        watched_certificates=str(home / "bich.pem"),
    )
    register_sites(store, RING, new_sites(1, 2), source=NAME)
    store.close()
    logs = home / "logs"
    logs.mkdir()
    lines = [{"level": "info", "timestamp": NOW.isoformat(), **line} for line in DIRTY]
    text = b"\n".join(orjson.dumps(line) for line in lines) + f"\n{NAME} {PHONE}\n".encode()
    (logs / "console.log").write_bytes(text)
    return made


def test_nothing_of_any_person_is_in_it(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "out" / "bundle.zip"
    missing = write_bundle(settings, {"console": _nobody()}, [], path, NOW)
    assert missing == ["clickhouse.json", "topics.json", "metrics/console.txt"]
    with zipfile.ZipFile(path) as bundle:
        files = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert set(files) == {
        "about.json", "settings.json", "services.json", "logs.jsonl", "database.json",
    }  # fmt: skip
    for name, text in files.items():
        for secret in NOBODY:
            assert secret not in text, (name, secret)
    about = json.loads(files["about.json"])
    assert about["missing"] == missing
    assert about["packages"]["faust-streaming"]
    assert json.loads(files["database.json"])["places"] == 2


def test_what_helps_is_in_it(settings: Settings) -> None:
    entries = [
        parse(orjson.dumps({"level": "info", "timestamp": NOW.isoformat(), **line}).decode(), "c")
        for line in DIRTY
    ]
    shown = [
        {name: value for name, value in line.items() if name not in ("at", "level", "component")}
        for line in lines_shown(entry for entry in entries if entry is not None)
    ]
    assert shown == [
        {"event": "case_traced", "case": "case-1", "run": 3, "contacts": 2},
        {"event": "case_traced", "case": "case-1", "run": 4},
        {"event": "case_registered", "case": "case-2", "version": 1},
        {"event": "clickhouse_away", "partition": 2, "clickhouse_code": 241},
        {"event": "(library)"},
        {"event": "request", "route": "/v1/cases/{case_id}", "status": 200, "ms": 3.1, "key": 4},
        {"event": "request_failed", "error": "ValueError"},
        {"event": "record_ignored", "topic": "sites.v1", "offset": 7},
        {"event": "poster_reported", "place": 9},
        {"event": "(library)"},
    ]
    said = settings_shown(settings)
    assert said["admin_key"] == said["data_dir"] == HIDDEN
    assert said["clickhouse_url"] == "http://127.0.0.1:1"
    assert said["database_url"] == HIDDEN
    assert said["scan_partitions"] == 8
    assert set(said) == set(Settings.model_fields)


def test_the_command_says_where_it_is_and_what_is_missing(
    settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "b.zip"
    code = main(
        ["--data-dir", str(settings.data_dir), "support-bundle", "--out", str(out), "--json"]
    )
    assert code == 0
    said = json.loads(capfd.readouterr().out)
    assert said["file"] == str(out)
    assert zipfile.is_zipfile(out)


def _nobody() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
