"""Reminders: proposed, seen, released by a person, said once, and what became of them."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from console.reminders.effect import effects
from console.store import outbox, postings, reminder_ends, reminder_rows, required, tables
from console.store.engine import utc_now
from console.store.keys import Role
from console.store.postings import Mark
from console.store.register import register_sites
from console.store.required_reading import Needed
from schemas.coverage import Fact, RequiredList
from tests.console_kit import RING, WARD, Running, new_sites, running

OTHER = "11416"  # of another district of the same province
SITES, PLACES = 3, 2


@dataclass
class Coverage:
    """What ClickHouse would say: which places are behind, at whatever stage it is asked of."""

    places: dict[int, int]
    behind: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    since: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    scans: dict[int, datetime] = field(default_factory=dict)

    def answer(self, sql: str, _: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Rows for the queries that reminders ask."""
        now = datetime.now(UTC) + timedelta(seconds=1)  # a round that is newer than any release
        if "SELECT count(), toUnixTimestamp64Milli(max(round))" in sql:
            return [(1, int(now.timestamp() * 1000))]
        if "SELECT place, site, ward" in sql:
            since = int(self.since.timestamp())
            return [
                (p, s, WARD, "office", "health", True, since, True, False, 0, 0)
                for p, s in self.places.items()
                if p in self.behind
            ]
        asked = [int(n) for n in re.findall(r"\d+", sql.split("place IN (")[1].split(")")[0])]
        if "FROM scans" in sql:
            return [(p, int(self.scans[p].timestamp() * 1000)) for p in asked if p in self.scans]
        return [(p, p in self.behind) for p in asked if p not in self.closed]


@dataclass
class Officer:
    """An officer of the ward, and the places there."""

    console: Running
    coverage: Coverage
    head: dict[str, str]

    def ask(self, method: str, path: str = "", head: Any = None, **body: Any) -> Any:
        path = f"/v1/reminders{path}"
        return self.console.client.request(method, path, json=body, headers=head or self.head)

    def propose(self, reason: str = "posted", channel: str = "zalo", **more: Any) -> Any:
        answer = self.ask("POST", reason=reason, channel=channel, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def release(self, batch: Any, count: int | None = None, head: Any = None) -> Any:
        number = batch["count"] if count is None else count
        return self.ask("POST", f"/{batch['id']}/release", head=head, count=number)

    def told(self, **wanted: Any) -> Any:
        answer = self.release(self.propose(**wanted))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def notices(self) -> list[Any]:
        """What went out; a row is sent before it is marked, so the outbox must be empty first."""
        until = time.monotonic() + 20
        while outbox.pending(self.console.store, 1):
            assert time.monotonic() < until, "the relay does not get on"
            time.sleep(0.005)
        return [
            orjson.loads(r.value) for r in self.console.relayed.records if r.topic == "notices.v1"
        ]


@pytest.fixture
def officer(tmp_path: Path) -> Iterator[Officer]:
    with running(tmp_path, reminders_two_above=2) as console:
        made = register_sites(console.store, RING, new_sites(SITES, PLACES), source="test")
        coverage = Coverage({place.id: place.site for place in made})
        coverage.behind = {made[0].id, made[1].id, made[2].id}
        console.tables.answer = coverage.answer
        yield Officer(console, coverage, console.key(Role.OFFICER, f"ward/{WARD}"))


def test_a_proposal_says_who_by_which_rule_and_sends_nothing(officer: Officer) -> None:
    batch = officer.propose()
    assert batch["count"] == 2, "one message a site"
    assert (batch["behind"], batch["told"], batch["too_new"]) == (3, 0, 0)
    assert not batch["needs_second"]
    first = batch["shown"][0]
    assert "Site 0 \n" not in first["body"]
    assert "kính gửi Site 0." in first["body"]
    assert ": Room 0, Room 1." in first["body"]
    assert officer.notices() == []
    listed = officer.ask("GET").json()
    assert [b["id"] for b in listed["batches"]] == [batch["id"]]


def test_of_codes_that_are_new_it_says_so_and_not_that_nobody_is_behind(officer: Officer) -> None:
    officer.coverage.since = datetime.now(UTC)
    answer = officer.ask("POST", reason="posted", channel="zalo")
    assert answer.status_code == 409
    said = answer.json()["sentence"]
    assert "3 điểm chưa đạt bước này, nhưng mã còn mới" in said["vi"]
    assert "their codes are too new" in said["en"]


def test_what_is_released_goes_out_in_words_and_as_an_event(officer: Officer) -> None:
    released = officer.told()
    assert released["state"] == "released"
    assert released["messages"] == {"handed_out": 2}
    first = officer.notices()[0]
    assert first["kind"] == "reminder"
    assert first["to"].startswith("site/")
    assert first["places"] == sorted(officer.coverage.behind)[:2]
    assert first["body"] == released["shown"][0]["body"]
    again = officer.release(released)
    assert again.json()["messages"] == {"handed_out": 2}
    assert len(officer.notices()) == 2, "asked twice, sent once"


def test_only_the_number_that_was_seen_is_released(officer: Officer) -> None:
    answer = officer.release(officer.propose(), count=3)
    assert answer.status_code == 409
    assert "count" in answer.json()["sentence"]["en"]


def test_the_same_is_never_said_twice_and_the_refusal_says_when_and_how(officer: Officer) -> None:
    officer.told()
    again = officer.ask("POST", reason="posted", channel="email")
    assert again.status_code == 409
    for word in ("zalo", f"{datetime.now(UTC) + timedelta(hours=7):%d/%m/%Y}", "inspection"):
        assert word in again.json()["sentence"]["en"]
    assert officer.propose(reason="printed")["count"] == 2, "another stage is another thing"


def test_who_fell_behind_since_is_told_and_the_others_are_not(officer: Officer) -> None:
    officer.told()
    officer.coverage.behind.add(max(officer.coverage.places))
    batch = officer.propose()
    assert (batch["count"], batch["behind"], batch["told"]) == (1, 4, 3)


def test_who_has_caught_up_between_proposal_and_release_is_not_told(officer: Officer) -> None:
    batch = officer.propose()
    third = sorted(officer.coverage.behind)[2]
    officer.coverage.behind.discard(third)
    released = officer.release(batch).json()
    assert released["messages"] == {"handed_out": 1, "dropped": 1}
    assert all(third not in notice["places"] for notice in officer.notices())


def test_two_proposals_with_the_same_place_tell_it_once(officer: Officer) -> None:
    one, other = officer.propose(channel="zalo"), officer.propose(channel="email")
    officer.release(one)
    assert officer.release(other).json()["messages"] == {"dropped": 2}


def test_caught_up_and_behind_anew_it_can_be_told_again(officer: Officer) -> None:
    officer.told()
    was, officer.coverage.behind = officer.coverage.behind, set()
    assert officer.ask("POST", reason="posted", channel="zalo").status_code == 409
    officer.coverage.behind = was
    assert officer.propose()["count"] == 2


def test_many_messages_take_two_people(officer: Officer) -> None:
    officer.coverage.behind = set(officer.coverage.places)
    batch = officer.propose()
    assert (batch["count"], batch["needs_second"]) == (3, True)
    first = officer.release(batch).json()
    assert first["state"] == "proposed"
    assert first["confirmed_by"].startswith("key/")
    assert officer.notices() == []
    assert officer.release(batch).status_code == 409, "not the same one twice"
    second = officer.console.key(Role.OFFICER, "district/306")
    assert officer.release(batch, head=second).json()["state"] == "released"


def test_outside_the_area_there_is_nothing(officer: Officer) -> None:
    batch = officer.propose()
    elsewhere = officer.console.key(Role.OFFICER, f"ward/{OTHER}")
    assert officer.ask("GET", f"/{batch['id']}", head=elsewhere).status_code == 404
    assert officer.release(batch, head=elsewhere).status_code == 404
    assert officer.ask("GET", head=elsewhere).json()["batches"] == []
    asked = {"area": f"ward/{WARD}", "reason": "posted", "channel": "zalo"}
    assert officer.ask("POST", head=elsewhere, **asked).status_code == 404
    texts = "/texts?ward=11413&channel=zalo"
    assert officer.ask("GET", texts, head=elsewhere).status_code == 404
    assert "Đằng Lâm" in officer.ask("GET", texts).json()["text"]


def test_a_loudspeaker_speaks_once_a_week_and_names_nobody(officer: Officer) -> None:
    released = officer.told(channel="loudspeaker")
    [message] = released["shown"]
    assert message["to"] == f"ward/{WARD}"
    assert "Site" not in message["body"]
    assert officer.ask("POST", reason="posted", channel="loudspeaker").status_code == 409
    assert officer.propose(channel="zalo")["count"] == 2, "it told no place by itself"


def test_a_new_code_is_nobodys_neglect(officer: Officer) -> None:
    officer.coverage.since = datetime.now(UTC) - timedelta(days=3)
    assert officer.propose(reason="posted")["count"] == 2
    answer = officer.ask("POST", reason="scanned", channel="zalo")
    assert answer.status_code == 409, "seven days without a scan need seven days"


def test_a_proposal_is_good_for_a_day_and_can_be_withdrawn(officer: Officer) -> None:
    batch = officer.propose()
    store = officer.console.store
    with store.write() as connection:
        old = {"proposed_at": utc_now() - timedelta(hours=25)}
        connection.execute(update(tables.reminder_batches).values(old))
    assert officer.release(batch).status_code == 409
    gone = officer.ask("POST", f"/{batch['id']}/withdraw").json()
    assert gone["state"] == "withdrawn"
    assert officer.release(batch).status_code == 409


def test_proposed_again_the_earlier_one_is_withdrawn(officer: Officer) -> None:
    first, second = officer.propose(), officer.propose()
    assert officer.ask("GET", f"/{first['id']}").json()["state"] == "withdrawn"
    assert officer.ask("GET", f"/{second['id']}").json()["state"] == "proposed"


def test_a_message_that_reached_nobody_frees_another_way(officer: Officer) -> None:
    message = officer.told()["shown"][0]["id"]
    path = f"/messages/{message}/undelivered"
    assert officer.ask("POST", path, reason=" ").status_code == 422
    said = officer.ask("POST", path, reason="số không còn dùng").json()
    assert (said["state"], said["note"]) == ("undelivered", "số không còn dùng")
    assert officer.propose(channel="email")["count"] == 1


def test_texts_are_handed_out_as_files_after_the_release_only(officer: Officer) -> None:
    batch = officer.propose()
    assert officer.ask("GET", f"/{batch['id']}/texts").status_code == 409
    officer.release(batch)
    table = officer.ask("GET", f"/{batch['id']}/texts").content.decode("utf-8-sig")
    assert table.count("kính gửi Site") == 2
    text = officer.ask("GET", f"/{batch['id']}/texts?format=txt").text
    assert text.count("────") >= 1


def test_what_helped_is_counted_by_when_it_happened(officer: Officer) -> None:
    officer.told()
    store, places = officer.console.store, sorted(officer.coverage.behind)
    with store.write() as connection:
        postings.mark(connection, [Mark(places[0], Fact.POSTED, utc_now())])
    officer.coverage.behind -= {places[0], places[1]}
    officer.coverage.closed = {places[1]}
    [row] = officer.ask("GET", "/effect").json()["effects"]
    assert (row["told"], row["in_time"], row["closed"], row["open"]) == (3, 1, 1, 1)
    assert row["share"] == 1.0
    items = reminder_ends.items_since(store, "*", datetime(2026, 1, 1, tzinfo=UTC))
    [later] = effects(items, 7, utc_now() + timedelta(days=8))
    assert (later.in_time, later.not_yet, later.share) == (1, 1, 0.5)


def test_a_first_scan_is_when_a_place_caught_up(officer: Officer) -> None:
    officer.told(reason="scanned")
    place = min(officer.coverage.behind)
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    officer.coverage.behind.discard(place)
    officer.coverage.scans = {place: at}
    officer.ask("GET", "/effect")
    items = reminder_ends.items_since(officer.console.store, "*", datetime(2026, 1, 1, tzinfo=UTC))
    assert [item.ended_at for item in items if item.subject == f"place/{place}"] == [at]


def test_an_establishment_that_is_not_registered_is_told_to_register(officer: Officer) -> None:
    store = officer.console.store
    about = RequiredList(
        id="sct", name="x", keeper="Sở Công Thương", as_of=utc_now().date(), entries=1
    )
    entry = Needed("GP/12", "Quán Cơm Bà Năm", None, WARD, "restaurant", "industry_trade")
    required.import_list(store, about, [entry], "test")
    released = officer.told(reason="registered")
    [message] = released["shown"]
    assert message["to"] == "required/sct/GP/12"
    assert "kính gửi Quán Cơm Bà Năm." in message["body"]
    assert officer.ask("POST", reason="registered", channel="zalo").status_code == 409
    required.link(store, [("sct", "GP/12", next(iter(officer.coverage.places.values())))], "test")
    [row] = officer.ask("GET", "/effect").json()["effects"]
    assert row["in_time"] == 1


def test_a_webhook_that_is_off_is_no_channel(officer: Officer) -> None:
    assert officer.ask("POST", reason="posted", channel="webhook").status_code == 422
    wrong = officer.ask("POST", reason="posted", channel="zalo", text="email")
    assert "zalo-short" in wrong.json()["sentence"]["vi"]


def test_batches_are_listed_of_the_area_and_what_lies_in_it(officer: Officer) -> None:
    officer.propose()
    store = officer.console.store
    for area, there in (("district/306", 1), ("city/31", 1), (f"ward/{OTHER}", 0), ("*", 1)):
        assert len(reminder_rows.batches(store, area, limit=5)) == there
