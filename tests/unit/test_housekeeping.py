"""What goes wrong in one round of housekeeping is said, and the next round comes."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from schemas.errors import Retryable
from schemas.meters import Metrics
from streams import housekeeping

ROUNDS = 12


class Over(BaseException):
    """The test's rounds are done."""


class Clock:
    """Sleeps for nothing, so many times."""

    def __init__(self) -> None:
        self.left = ROUNDS

    def sleep(self, _: float) -> None:
        if not self.left:
            raise Over
        self.left -= 1


def chore(done: list[str], name: str, error: Exception | None = None) -> Any:
    def does(*_: Any) -> float:
        done.append(name)
        if error is not None:
            raise error
        return 0.0

    return does


@pytest.mark.parametrize(
    ("error", "event", "level"),
    [
        (Retryable("away"), "housekeeping_waits", "warning"),
        (KeyError("of another version"), "housekeeping_failed", "error"),
    ],
)
def test_what_goes_wrong_is_said_and_the_other_chores_and_rounds_are_done(
    monkeypatch: pytest.MonkeyPatch, error: Exception, event: str, level: str
) -> None:
    done: list[str] = []
    monkeypatch.setattr(housekeeping, "time", Clock())
    monkeypatch.setattr(housekeeping, "write_daily_totals", chore(done, "totals", error))
    monkeypatch.setattr(housekeeping, "drop_past_weeks", chore(done, "drop"))
    monkeypatch.setattr(housekeeping, "merge_closed_weeks", chore(done, "merge", error))
    engine: Any = None
    with capture_logs() as logs, pytest.raises(Over):
        housekeeping._rounds(engine, 21)
    assert {name: done.count(name) for name in done} == {
        "merge": ROUNDS, "totals": ROUNDS // 6, "drop": ROUNDS // 6,
    }  # fmt: skip
    said = {(entry["event"], entry["log_level"], entry["detail"]) for entry in logs}
    assert said == {(event, level, str(error))}
    assert len(logs) == ROUNDS + ROUNDS // 6


def test_a_clock_that_cannot_be_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(housekeeping, "time", Clock())
    monkeypatch.setattr(housekeeping, "clickhouse_skew", chore(done, "skew", ValueError("no time")))
    engine: Any = None
    with capture_logs() as logs, pytest.raises(Over):
        housekeeping._clocks(engine, Metrics(CollectorRegistry()))
    assert len(done) == len(logs) == ROUNDS + 1
