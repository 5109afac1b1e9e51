"""The exporter: what it finds out, within bounds, and what it does not pretend to know."""

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from console.exporter import own
from console.exporter.bounded import OTHER
from console.exporter.cases import read_open, waiting
from console.exporter.certificates import not_after
from console.exporter.engine import engine_now
from console.exporter.probe import Asking, Found, Probe
from console.exporter.producers import MOST as MOST_PRODUCERS
from console.exporter.producers import UNREGISTERED, producers_now
from console.exporter.wards import MOST as MOST_WARDS
from console.exporter.wards import Ward, wards_now
from console.gateway.activity import Counts, Limits, Seen
from console.store import outbox, tables
from console.store.outbox import Entry
from schemas import metrics as m
from schemas.errors import Retryable
from schemas.meters import Metrics
from schemas.places import Producer
from streams.machine import unexplained
from tests.console_kit import FakeTables, migrated
from tests.known_certificates import UNTIL_2026, UNTIL_2126

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)


def asking(ask: Callable[[], Found], *feeds: m.MetricDef) -> tuple[Asking, CollectorRegistry]:
    async def answer() -> Found:
        return ask()

    registry = CollectorRegistry()
    return Asking(Probe("p", 10, feeds, answer), Metrics(registry)), registry


def test_what_was_found_stands_until_it_has_failed_three_times() -> None:
    answers: list[Found | Retryable] = [
        {m.BACKLOG_SECONDS: {("0",): 7.0, ("1",): 0.0}, m.WARDS_QUIET: {(): 2.0}},
        {m.BACKLOG_SECONDS: {("0",): 8.0}, m.WARDS_QUIET: {(): 1.0}},
        *[Retryable("away")] * 3,
        {m.BACKLOG_SECONDS: {("0",): 9.0}, m.WARDS_QUIET: {(): 0.0}},
    ]

    def ask() -> Found:
        answer = answers.pop(0)
        if isinstance(answer, Retryable):
            raise answer
        return answer

    one, registry = asking(ask, m.BACKLOG_SECONDS, m.WARDS_QUIET)

    def seen() -> tuple[float | None, float | None, float | None]:
        asyncio.run(one.round())
        get = registry.get_sample_value
        zero, other = (get("truyvet_backlog_seconds", {"partition": p}) for p in "01")
        return zero, other, get("truyvet_wards_quiet")

    assert registry.get_sample_value("truyvet_wards_quiet") is not None
    assert math.isnan(registry.get_sample_value("truyvet_wards_quiet") or 0)  # not known is not 0
    assert seen() == (7.0, 0.0, 2.0)
    assert seen() == (8.0, None, 1.0)
    told = registry.get_sample_value("truyvet_exported_timestamp_seconds", {"probe": "p"})
    assert seen() == seen() == (8.0, None, 1.0)
    zero, _, quiet = seen()
    assert zero is None
    assert quiet is not None
    assert math.isnan(quiet)
    labels = {"probe": "p"}
    assert registry.get_sample_value("truyvet_exported_timestamp_seconds", labels) == told
    assert seen() == (9.0, None, 0.0)


def test_an_answer_that_takes_long_is_asked_for_seldom() -> None:
    one, _ = asking(lambda: {}, m.WARDS_QUIET)
    assert asyncio.run(one.round()) == 10

    async def slow() -> Found:
        await asyncio.sleep(0.2)
        return {}

    begun = Asking(Probe("p", 1, (m.WARDS_QUIET,), slow), Metrics(CollectorRegistry()))
    assert asyncio.run(begun.round()) == begun.probe.every_s, "it may have waited for somebody"
    assert asyncio.run(begun.round()) >= 2.0, "twice in a row it is the question: ten times as long"


def test_a_question_that_hangs_even_when_cancelled_is_left_behind() -> None:
    async def hangs() -> Found:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.5)  # as a client does that wants to say goodbye
        return {}

    one = Asking(
        Probe("p", 0, (m.WARDS_QUIET,), hangs, patience_s=0.05), Metrics(CollectorRegistry())
    )

    async def scene() -> float:
        begun = time.monotonic()
        await one.round()
        return time.monotonic() - begun

    assert asyncio.run(scene()) < 0.4


def test_the_outbox_tells_how_long_the_oldest_waits(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    assert own.outbox_now(store, NOW) == {m.OUTBOX_PENDING: {(): 0}, m.OUTBOX_OLDEST: {(): 0.0}}
    with store.write() as connection:
        outbox.append(connection, [Entry("t", "k", b"v")], NOW - timedelta(seconds=90))
        outbox.append(connection, [Entry("t", "k", b"v")], NOW - timedelta(seconds=5))
    assert own.outbox_now(store, NOW) == {m.OUTBOX_PENDING: {(): 2}, m.OUTBOX_OLDEST: {(): 90.0}}
    outbox.mark_published(store, [1], NOW)
    assert own.outbox_now(store, NOW)[m.OUTBOX_OLDEST] == {(): 5.0}
    store.close()


def test_certificates_and_when_they_end(tmp_path: Path) -> None:
    assert not_after(UNTIL_2126) == datetime(2126, 11, 2, 16, 55, 24, tzinfo=UTC)
    assert not_after(UNTIL_2026) == datetime(2026, 11, 29, 16, 55, 24, tzinfo=UTC)
    assert not_after(UNTIL_2126 + UNTIL_2026) == not_after(UNTIL_2026)  # a chain: the first to end
    file, broken, missing = tmp_path / "a.pem", tmp_path / "b.pem", tmp_path / "c.pem"
    file.write_text(UNTIL_2026, "ascii")
    broken.write_text(UNTIL_2026.replace("MIIB", "MIIC", 1)[:300], "ascii")
    found = own.certificates((file, broken, missing))[m.CERTIFICATE_EXPIRY]
    assert found == {
        ("a.pem",): not_after(UNTIL_2026).timestamp(),
        ("b.pem",): 0.0,
        ("c.pem",): 0.0,
    }


@pytest.mark.parametrize("cut", [0, 10, 60, 100])
def test_a_certificate_that_is_none_is_said_so(cut: int) -> None:
    with pytest.raises(ValueError, match=r"certificate|padding"):
        not_after(UNTIL_2126[:cut])


def test_clocks_apart_beyond_what_the_way_explains() -> None:
    assert unexplained(100.0, 100.4, 100.5) == 0
    assert unexplained(100.0, 102.5, 100.5) == 2.0
    assert unexplained(100.0, 98.0, 100.5) == -2.0
    tables = FakeTables(lambda sql, _: [("d", 5, 10)] if "disks" in sql else [(MS - 3_600_000,)])
    found = engine_now(tables)
    assert found[m.CLOCK_SKEW]["clickhouse",] != 0
    assert found[m.DISK_FREE] == {("clickhouse/d",): 5.0}


def producer(name: str) -> Producer:
    return Producer(id=name, name=name)


def test_a_few_producers_have_names_the_silent_first_and_the_others_are_one() -> None:
    many = [producer(f"p{n}") for n in range(MOST_PRODUCERS + 40)]
    day_ago = MS - 30 * 3_600_000
    seen = {f"p{n}": Seen(written=Counts(last=MS, quarter=n)) for n in range(MOST_PRODUCERS + 40)}
    seen["p3"] = Seen(written=Counts(last=day_ago))
    seen["stranger"] = Seen(rejected=Counts(last=MS, quarter=70))
    seen["stranger-2"] = Seen(rejected=Counts(last=MS, quarter=7))
    found = producers_now(many, seen, Limits(), NOW)
    silent = {labels: value for labels, value in found[m.PRODUCER_SILENT].items() if value}
    assert silent == {("p3",): 1.0}
    assert found[m.PRODUCERS_SILENT] == {(): 1.0}
    recent = found[m.PRODUCER_RECENT]
    assert len({name for name, _ in recent}) == MOST_PRODUCERS + 2
    assert recent["p239", "written"] == 239
    assert recent[UNREGISTERED, "rejected"] == 77
    assert recent[OTHER, "written"] == sum(range(41)) - 3
    assert found[m.PRODUCER_LAST_SEEN]["p3",] == day_ago / 1000


def test_a_few_wards_have_names_the_quiet_first_and_the_others_are_one() -> None:
    at = int(NOW.timestamp())
    wards = [Ward(f"w{n}", (n, n, 0, n), 10, at - 60) for n in range(MOST_WARDS + 30)]
    wards[4] = Ward("w4", (4, 4, 4, 0), 0, at - 2 * 86_400)
    wards[5] = Ward("w5", (5, 0, 0, 0), 0, 0)  # no code yet: nothing to scan
    found = wards_now(wards, NOW)
    assert found[m.WARDS_QUIET] == {(): 1.0}
    named = {ward for ward, _, stage in found[m.WARD_PLACES] if stage == "code"}
    assert len(named) == MOST_WARDS + 1
    assert {"w4", "w729", OTHER} <= named
    assert not {"w5", "w7"} & named
    assert found[m.WARD_PLACES][OTHER, OTHER, "registered"] == sum(range(31)) - 4
    assert found[m.WARD_QUIET_SINCE]["w4", "w4"] == at - 2 * 86_400
    assert found[m.WARD_SCANS][OTHER, OTHER] == 10 * 30 - 10


def test_cases_wait_for_a_run_and_for_an_officer(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    with store.write() as connection:
        for case, status, ago in (
            ("new", "confirmed", 8), ("old", "suspected", 9_000), ("done", "closed", 9_000),
            ("worked", "confirmed", 9_000), ("nobody", "confirmed", 9_000),
        ):  # fmt: skip
            connection.execute(tables.cases.insert().values(
                id=case, version=1, status=status, ward="11413", registered_by="t",
                registered_at=NOW - timedelta(seconds=ago), points=[], answers=[], named=[],
                excluded=[],
            ))  # fmt: skip
        connection.execute(tables.contact_work.insert().values(
            case_id="worked", person="7ZK3M9QX2B4CD", version=1, classification="possible",
            status="open", answers=[], changed_at=NOW, changed_by="t",
        ))  # fmt: skip
    registered, touched = read_open(store)
    assert set(registered) == {"new", "old", "worked", "nobody"}
    traced = {c: NOW.timestamp() - 7_000 for c in ("old", "worked", "done")} | {"nobody": None}
    found = waiting(registered, touched, traced, NOW)
    assert found == {
        m.CASES_UNTRACED: {(): 1.0}, m.CASES_UNTRACED_SECONDS: {(): 8.0},
        m.CASES_WAITING: {(): 1.0}, m.CASES_WAITING_SECONDS: {(): 7_000.0},
    }  # fmt: skip
    nothing = waiting({}, set(), {}, NOW)
    assert all(value == {(): 0.0} for value in nothing.values())
    store.close()
