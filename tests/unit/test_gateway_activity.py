"""Silent and noisy producers: who is called so, who is not, and who may see it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.gateway.activity import Counts, Limits, Seen, activity
from console.gateway.schemas import ProducerActivity
from console.store.keys import Role
from console.store.producers import put_producer
from schemas.places import Producer
from tests.console_kit import WARD, Running, running

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
USUAL = Limits()
GATE = Producer(id="gate-1", name="Cổng số 1")


def ago(**span: float) -> int:
    return int((NOW - timedelta(**span)).timestamp() * 1000)


def one(seen: Seen | None, producer: Producer = GATE, limits: Limits = USUAL) -> ProducerActivity:
    [found] = activity([producer], {producer.id: seen} if seen else {}, limits, NOW, others=False)
    return found


def test_a_gate_that_falls_silent_while_records_are_usual() -> None:
    found = one(Seen(written=Counts(ago(minutes=61), day=900, before=7000, hours=70, then=350)))
    assert (found.silent, found.noisy) == (True, False)
    assert found.last_seen_at == NOW - timedelta(minutes=61)
    assert found.sentence is not None
    assert "61 phút" in found.sentence.vi
    assert "about 50 records" in found.sentence.en
    assert found.usual_per_hour == 100


@pytest.mark.parametrize(
    ("counts", "limits"),
    [
        (Counts(ago(minutes=59), hour=1, day=900, before=7000, hours=70, then=350), Limits()),
        (Counts(ago(minutes=90), day=9, before=70, hours=7, then=350), Limits(120)),
        (Counts(ago(hours=9), day=900, before=7000, hours=70, then=6), Limits()),  # at night
        (Counts(), Limits()),
    ],
)
def test_not_silent(counts: Counts, limits: Limits) -> None:
    found = one(Seen(written=counts), limits=limits)
    assert not found.silent
    assert found.sentence is None


def test_a_whole_day_is_silence_at_any_hour_but_not_of_one_that_may_not_publish() -> None:
    seen = Seen(written=Counts(ago(hours=25), before=70, hours=7))
    found = one(seen)
    assert found.silent
    assert found.sentence is not None
    assert "25 giờ" in found.sentence.vi
    assert not one(seen, GATE.model_copy(update={"active": False})).silent


def test_one_whose_records_are_all_refused_is_noisy_not_silent() -> None:
    found = one(
        Seen(
            written=Counts(ago(hours=8), day=10, before=7000, hours=70, then=350),
            rejected=Counts(ago(minutes=1), hour=40, day=80),
        )
    )
    assert (found.silent, found.noisy) == (False, True)
    assert found.last_hour.reject_share == 1
    assert found.last_day.reject_share == pytest.approx(80 / 90, abs=1e-4)
    assert found.sentence is not None
    assert "100%" in found.sentence.en


def test_a_rate_far_above_the_usual_and_one_that_is_not() -> None:
    loud = Counts(ago(minutes=1), hour=6000, day=6000, before=70_000, hours=70)
    assert one(Seen(written=loud)).noisy
    assert not one(Seen(written=loud), limits=Limits(noisy_times=7)).noisy
    few = Counts(ago(minutes=1), hour=999, day=999, before=70, hours=70)
    assert not one(Seen(written=few)).noisy
    new = Counts(ago(minutes=1), hour=6000, day=6000)
    assert not one(Seen(written=new)).noisy, "nothing is usual yet"
    poor = Seen(written=Counts(ago(minutes=1), hour=10), rejected=Counts(ago(minutes=1), hour=9))
    assert not one(poor).noisy, "nineteen records say nothing"


def test_those_who_need_a_look_come_first_and_strangers_are_bounded() -> None:
    fine = Counts(ago(minutes=1), hour=1, day=50)
    seen = {f"x-{i}": Seen(rejected=Counts(ago(minutes=1), day=i)) for i in range(19)}
    seen |= {"gate-1": Seen(written=fine), "gate-2": Seen(written=Counts(ago(days=2), before=9))}
    named = [GATE, Producer(id="gate-2", name="2"), Producer(id="gate-3", name="3")]
    found = activity(named, seen, Limits(), NOW, others=True)
    assert [f.producer for f in found[:3]] == ["gate-2", "gate-1", "x-18"]
    assert {f.producer for f in found} == set(seen) | {"gate-3"}
    [stranger] = [f for f in found if f.producer == "x-3"]
    assert (stranger.name, stranger.active) == (None, None)
    assert len(activity(named, seen, Limits(), NOW, others=False)) == 3
    many = {f"y-{i}": Seen(rejected=Counts(ago(minutes=1), day=1)) for i in range(500)}
    assert len(activity(named, many, Limits(), NOW, others=True)) == 53


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as console:
        put_producer(console.store, Producer(id="gate-1", name="Cổng 1", wards=(WARD,)))
        put_producer(console.store, Producer(id="gate-2", name="Cổng 2", wards=("27259",)))
        put_producer(console.store, Producer(id="app", name="Ứng dụng"))
        yield console


class Asked:
    """What ClickHouse says of each table, and how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        self.times += 1
        assert what["now"] - what["hour"] == 3_600_000
        if "FROM scans" in sql:
            last = what["now"] - 2 * 3_600_000
            return [("gate-1", last, 0, 10, 700, 70, 70), ("stranger", last, 1, 1, 0, 0, 0)]
        return []


PATH = "/v1/producers/activity"


def test_each_sees_the_producers_of_its_area(console: Running) -> None:
    console.tables.answer = Asked()
    for area, expected in (
        ("*", {"gate-1", "gate-2", "app", "stranger"}),
        ("city/31", {"gate-1"}),
        (f"ward/{WARD}", {"gate-1"}),
        ("city/01", set()),
    ):
        answer = console.client.get(PATH, headers=console.key(Role.OFFICER, area))
        assert answer.status_code == 200
        shown = answer.json()["producers"]
        assert {one["producer"] for one in shown} == expected, area
        for one in shown:
            assert one["silent"] == (one["producer"] == "gate-1")
    assert console.client.get(PATH, headers=console.key(Role.ADMIN)).status_code == 200
    own = console.key(Role.PRODUCER, producer="gate-1")
    assert console.client.get(PATH, headers=own).status_code == 403


def test_the_tables_are_asked_seldom_and_an_engine_that_is_away_is_503(console: Running) -> None:
    asked = Asked()
    console.tables.answer = asked
    head = console.key(Role.ADMIN)
    for _ in range(5):
        assert console.client.get(PATH, headers=head).status_code == 200
    assert asked.times == 3
    console.client.get(PATH + "?silent_after_minutes=30", headers=head)
    assert asked.times == 6
    console.tables.answer = None
    away = console.client.get(PATH + "?silent_after_minutes=45", headers=head)
    assert away.status_code == 503
    assert away.headers["Retry-After"]
    for wrong in ("silent_after_minutes=0", "noisy_share=2", "noisy_times=0"):
        assert console.client.get(f"{PATH}?{wrong}", headers=head).status_code == 422
