"""CPU of a step is that of the threads that do it."""

import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from issuer.codes import KeyRing
from schemas import metrics as m
from schemas.meters import Metrics
from schemas.settings import load_settings
from streams.accounts import Accounts
from streams.directory import Directory
from streams.latency import Latencies
from streams.spans import Spans

RING = KeyRing.parse("1:" + "ab" * 32)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry(), of="worker")


def cpu(metrics: Metrics, step: str) -> float:
    found = metrics.registry.get_sample_value(m.STEP_CPU.name, {"step": step})
    return 0.0 if found is None else found


def fail(metrics: Metrics) -> None:
    until = time.thread_time() + 0.05
    with metrics.cpu(m.STEP_CPU, "insert"):
        while time.thread_time() < until:
            pass
        raise ValueError("no")


def test_waiting_is_not_counted_and_work_is_also_that_of_a_step_that_fails(
    metrics: Metrics,
) -> None:
    with metrics.cpu(m.STEP_CPU, "decode"):
        time.sleep(0.2)
    assert cpu(metrics, "decode") < 0.1
    with pytest.raises(ValueError, match="no"):
        fail(metrics)
    assert 0.04 < cpu(metrics, "insert") < 0.2


def test_fetching_is_counted_on(metrics: Metrics) -> None:
    settings = load_settings(Path("nowhere"))
    accounts = Accounts(metrics, Latencies(), Directory(RING), settings, Spans())
    for clock in (0.0, 1.5, 1.5, 2.0):
        accounts.fetching(clock)
    assert cpu(metrics, "fetch") == 2.0
