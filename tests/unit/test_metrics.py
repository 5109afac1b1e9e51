"""The closed list, its page, and how many series it can become."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from schemas import metrics as m
from schemas.meters import Metrics
from schemas.metrics import METRICS, Process
from schemas.reasons import Reason
from streams.machine import note_disk

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
PARTITIONS = 64


def families(metrics: Metrics) -> set[str]:
    """The names that go out, as Prometheus knows them."""
    text = generate_latest(metrics.registry).decode()
    ours = [f for f in text_string_to_metric_families(text) if f.name.startswith("truyvet_")]
    return {f.name + "_total" if f.type == "counter" else f.name for f in ours}


def test_the_page_says_of_each_what_the_list_says() -> None:
    rows = re.findall(
        r"^\| `(truyvet_\w+)` \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|", PAGE.read_text("utf-8"), re.M
    )
    said = {
        (name, kind, labels.replace("`", "").replace("—", ""), by, meaning)
        for name, kind, labels, by, meaning in rows
    }
    assert said == {
        (d.name, d.kind, ", ".join(d.labels), " and ".join(d.by), d.meaning) for d in METRICS
    }


@pytest.mark.parametrize("process", ["worker", "console"])
def test_a_process_exports_all_of_its_own_from_the_start(process: Process) -> None:
    metrics = Metrics(CollectorRegistry(), of=process)
    assert families(metrics) == {d.name for d in METRICS if process in d.by}
    text = generate_latest(metrics.registry).decode()
    assert "process_cpu_seconds_total" in text
    if process == "worker":
        for reason in Reason:
            assert f'truyvet_scans_rejected_total{{reason="{reason}"}} 0.0' in text


def test_a_worker_has_no_label_that_grows_with_the_city(tmp_path: Path) -> None:
    metrics = Metrics(CollectorRegistry(), of="worker")
    values: dict[str, Iterable[str]] = {
        "partition": [str(p) for p in range(PARTITIONS)],
        "reason": list(Reason),
        "step": ["decode", "validate", "resolve", "deduplicate", "convert"],
        "table": ["scans", "duplicates", "rejects", "expired", "trace_runs", "trace_contacts"],
        "kind": ["run_completed", "scan_in_window"],
        "clock": ["clickhouse"],
        "outcome": ["sent", "dropped"],
        "where": ["memory", "files"],
        "by": ["segments", "clickhouse"],
    }  # fmt: skip
    note_disk(metrics, "data", tmp_path)
    for definition in (d for d in METRICS if "worker" in d.by and d.labels != ("disk",)):
        for value in values[definition.labels[0]] if definition.labels else ():
            getattr(metrics, definition.kind)(definition, value)
        assert len(definition.labels) <= 1
    lines = generate_latest(metrics.registry).decode().splitlines()
    series = [line for line in lines if not line.startswith("#")]
    assert 300 < len(series) < 1_000  # far below 2,000, with 64 partitions in one worker


def test_what_is_no_longer_true_is_taken_away() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.replace(m.BACKLOG_SECONDS, (), {("0",): 5.0, ("1",): 0.0})
    metrics.replace(m.BACKLOG_SECONDS, [("0",), ("1",)], {("1",): 2.0})
    get = metrics.registry.get_sample_value
    assert get("truyvet_backlog_seconds", {"partition": "0"}) is None
    assert get("truyvet_backlog_seconds", {"partition": "1"}) == 2.0
    metrics.replace(m.WARDS_QUIET, (), {(): 3.0})
    assert get("truyvet_wards_quiet") == 3.0
    metrics.replace(m.WARDS_QUIET, [()], {})
    assert math.isnan(get("truyvet_wards_quiet") or 0.0)
