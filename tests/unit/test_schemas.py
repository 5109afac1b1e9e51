"""What crosses a boundary stays what it was: golden schemas, closed lists, documents that agree."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from aiokafka.partitioner import murmur2 as kafka_murmur2
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from schemas import metrics as m
from schemas.clickhouse import fill_in, migrations
from schemas.errors import UserError
from schemas.export import DIRECTORY, json_schemas
from schemas.ids import murmur2, partition_of, person_bits, person_text
from schemas.meters import Metrics
from schemas.reasons import SENTENCES, Reason
from schemas.scan import Scan, format_timestamp
from schemas.settings import Settings, load_settings
from schemas.topics import DLQ, SCANS, TOPICS
from tests.scans import scan_json

ROOT = Path(__file__).parents[2]


def test_the_golden_schemas_are_those_of_the_models() -> None:
    written = {path.name: path.read_bytes() for path in DIRECTORY.glob("*.json")}
    assert written == json_schemas(), "run `python -m schemas.export` and review the change"


@given(st.integers(0, 2**64 - 1))
def test_a_person_survives_its_text(person: int) -> None:
    text = person_text(person)
    assert len(text) == 13
    assert text[0] in "0123456789ABCDEF"
    assert person_bits(text) == person


@pytest.mark.parametrize("text", ["", "0" * 12, "0" * 14, "G" + "0" * 12, "I" * 13, "o" * 13])
def test_only_the_canonical_form_is_a_person(text: str) -> None:
    with pytest.raises(ValueError, match="Crockford"):
        person_bits(text)


@given(st.binary(max_size=40))
def test_murmur2_is_kafkas(key: bytes) -> None:
    assert murmur2(key) == kafka_murmur2(key) & 0xFFFFFFFF
    assert partition_of(key, 8) == (kafka_murmur2(key) & 0x7FFFFFFF) % 8


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
def test_a_time_has_one_written_form(moment: datetime) -> None:
    here = moment.replace(tzinfo=timezone(timedelta(hours=7)))
    text = format_timestamp(here)
    value = scan_json(scanned_at=text)
    assert Scan.model_validate_json(value).scanned_at == here.replace(
        microsecond=here.microsecond // 1000 * 1000
    )


def test_a_scan_built_in_python_needs_a_zone() -> None:
    fields = Scan.model_validate_json(scan_json()).model_dump()
    with pytest.raises(ValidationError, match="time zone"):
        Scan.model_validate({**fields, "scanned_at": datetime(2021, 12, 1)})
    later = fields["scanned_at"].astimezone(timezone(timedelta(hours=7)))
    assert Scan.model_validate({**fields, "scanned_at": later}).scanned_at.tzinfo is UTC


def test_every_reason_has_its_sentences_and_its_row_in_the_docs() -> None:
    assert set(SENTENCES) == set(Reason)
    documented = (ROOT / "docs" / "rejects.md").read_text("utf-8")
    rows = {line.split("`")[1] for line in documented.splitlines() if line.startswith("| `")}
    assert rows == {reason.value for reason in Reason}
    for vietnamese, english in SENTENCES.values():
        assert vietnamese in documented
        assert english in documented


def test_every_setting_and_its_default_is_in_the_docs() -> None:
    documented = (ROOT / "docs" / "settings.md").read_text("utf-8")
    rows = {line.split("`")[1] for line in documented.splitlines() if line.startswith("| `")}
    assert rows == {f"TRUYVET_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description in documented


def test_a_wrong_setting_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRUYVET_SCAN_PARTITIONS", "many")
    monkeypatch.setenv("TRUYVET_LOG_LEVEL", "loud")
    with pytest.raises(UserError) as refused:
        load_settings(tmp_path)
    assert "TRUYVET_SCAN_PARTITIONS" in str(refused.value)
    assert "TRUYVET_LOG_LEVEL" in str(refused.value)


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("HTTPS://" + "A" * 21 + ".VN/", "33 characters; at most 32"),
        ("https://truyvet.vn/c/", "upper case"),
        ("HTTPS://TRUYVET.VN/C", "slash at its end"),
        ("", "HTTPS://HOST"),
    ],
)
def test_an_origin_that_does_not_fit_the_symbol_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, origin: str, says: str
) -> None:
    monkeypatch.setenv("TRUYVET_CODE_ORIGIN", origin)
    with pytest.raises(UserError, match=says) as refused:
        load_settings(tmp_path)
    vi, _, en = str(refused.value).partition(" / ")
    assert "TRUYVET_CODE_ORIGIN" in vi
    assert "TRUYVET_CODE_ORIGIN" in en
    longest = "HTTPS://" + "A" * 20 + ".VN/"
    monkeypatch.setenv("TRUYVET_CODE_ORIGIN", longest)
    assert load_settings(tmp_path).code_origin == longest


def test_false_in_the_environment_is_not_a_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRUYVET_RETENTION_DAYS", "false")
    with pytest.raises(UserError, match="RETENTION_DAYS"):
        load_settings(tmp_path)


def test_the_data_directorys_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "truyvet.env").write_text("TRUYVET_SCAN_PARTITIONS=4\nTRUYVET_FLUSH_MS=99\n")
    monkeypatch.setenv("TRUYVET_FLUSH_MS", "50")
    settings = load_settings(tmp_path)
    assert (settings.scan_partitions, settings.flush_ms) == (4, 50)


def test_an_insert_ends_before_another_worker_may_take_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRUYVET_INSERT_TIMEOUT_S", "9")
    with pytest.raises(UserError, match="TRUYVET_SESSION_TIMEOUT_S"):
        load_settings(tmp_path)


def test_metrics_are_a_closed_list_with_bounded_labels() -> None:
    names = [definition.name for definition in m.METRICS]
    assert len(names) == len(set(names))
    metrics = Metrics(CollectorRegistry())
    for definition in m.METRICS:
        assert definition.name.startswith("truyvet_")
        assert definition.meaning.endswith(".")
        labels = ["x"] * len(definition.labels)
        getattr(metrics, definition.kind)(definition, *labels)
        assert not {"person", "phone", "name", "token", "code", "device"} & set(definition.labels)


def test_every_metric_is_fed_by_somebody() -> None:
    sources = [
        path.read_text("utf-8")
        for tree in ("streams", "console")
        for path in (ROOT / tree).rglob("*.py")
    ]
    names = [name for name, value in vars(m).items() if isinstance(value, m.MetricDef)]
    assert names
    for name in names:
        assert any(re.search(rf"\b{name}\b", text) for text in sources), name


def test_topics_keep_what_they_must() -> None:
    assert {t.name for t in TOPICS} == {
        "scans.v1", "scans.v1.dlq", "sites.v1", "coverage.v1", "producers.v1", "cases.v1", "traces.v1",
        "alerts.v1", "notices.v1", "inspections.v1", "erasures.v1",
    }  # fmt: skip
    for topic in TOPICS:
        config = topic.config(21)
        assert config["message.timestamp.type"] == "LogAppendTime"
        assert ("retention.ms" in config) == ("delete" in topic.cleanup)
    assert SCANS.config(0)["retention.ms"] == "-1"
    assert SCANS.config(21)["retention.ms"] == str(21 * 86_400_000)
    dlq, scans = DLQ.config(21), SCANS.config(21)
    assert int(dlq["max.message.bytes"]) > int(scans["max.message.bytes"])


def test_migrations_are_numbered_without_gaps_and_filled_in() -> None:
    for retention in (0, 21):
        found = migrations(retention)
        assert [migration.number for migration in found] == list(range(1, len(found) + 1))
        for migration in found:
            for statement in migration.statements:
                # safe to run again, when it was cut off before it was noted as done
                again = (
                    "CREATE TABLE IF NOT EXISTS",
                    "ALTER TABLE scans MODIFY SETTING",
                    "ALTER TABLE scans ADD COLUMN IF NOT EXISTS",
                    "ALTER TABLE scans ADD PROJECTION IF NOT EXISTS",
                    "ALTER TABLE scans MATERIALIZE PROJECTION",
                    "ALTER TABLE trace_runs ADD COLUMN IF NOT EXISTS",
                )
                assert statement.startswith(again)
                assert "${" not in statement
                assert ("TTL" in statement) <= (retention > 0)
    assert "INTERVAL 29 DAY" in fill_in("${TTL:scanned_at}", 21)
