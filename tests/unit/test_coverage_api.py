"""Coverage over HTTP: areas and sectors, what is said of posters, lists of who must have codes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.coverage.hours import opening_days
from console.coverage.rows import tables_of
from console.store.keys import Role
from console.store.register import register_sites
from schemas.clock import LOCAL
from schemas.scan import format_timestamp
from tests.console_kit import RING, WARD, Running, new_sites, running

ELSEWHERE = "00001"
NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)  # a Thursday
SINCE = int((NOW - timedelta(days=30)).timestamp())
COUNTS = ([2] * 7, [1] * 7, [3] * 7)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as made:
        register_sites(made.store, RING, new_sites(1, 2), source="test")
        made.tables.answer = answer
        yield made


def answer(sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
    """One round of two places; whoever asks for wards that are not ours gets nothing."""
    if "FROM coverage_rounds" in sql:
        return [(1, int(NOW.timestamp() * 1000))]
    ours = WARD in what.get("wards", [WARD]) and what.get("sector", "health") == "health"
    if "SELECT place" in sql:
        rows = [(p, 1, WARD, "office", "health", True, SINCE, True, False, 0, 0) for p in (1, 2)]
        return [row for row in rows if row[0] > what["place"]][: what["limit"]] if ours else []
    key = (WARD,) if ", ward, sum" in sql else ()
    return [(int(NOW.timestamp() * 1000), *key, 3, 40, *COUNTS)] if ours else []


def test_a_funnel_is_of_the_keys_area(console: Running) -> None:
    officer = console.key(Role.OFFICER, f"ward/{WARD}")
    found = console.client.get("/v1/coverage?by=ward", headers=officer).json()
    assert found["area"] == f"ward/{WARD}"
    assert found["at"] == "2026-11-26T08:00:00Z"
    [line] = found["lines"]
    assert (line["name"], line["required"], line["scans"]) == ("Phường Đằng Lâm", 3, 40)
    assert line["stages"]["posted"] == {"sites": 2, "required": 1, "places": 3}
    far = console.key(Role.OFFICER, f"ward/{ELSEWHERE}")
    assert console.client.get("/v1/coverage", headers=far).json()["lines"] == []
    outside = console.client.get(f"/v1/coverage?area=ward/{WARD}", headers=far)
    assert outside.status_code == 404
    wide = console.client.get("/v1/coverage?area=city/31", headers=officer)
    assert wide.status_code == 404


def test_a_department_sees_its_sector_only(console: Running) -> None:
    health = console.key(Role.DEPARTMENT, sector="health")
    trade = console.key(Role.DEPARTMENT, sector="industry_trade")
    assert console.client.get("/v1/coverage", headers=health).json()["lines"]
    assert console.client.get("/v1/coverage", headers=trade).json()["lines"] == []
    assert console.client.get("/v1/coverage?sector=health", headers=trade).status_code == 404
    assert console.client.get("/v1/places/1/poster", headers=health).status_code == 200
    assert console.client.get("/v1/places/1/poster", headers=trade).status_code == 404
    assert console.client.get("/v1/sites/1", headers=trade).status_code == 404
    assert console.client.get("/v1/sites", headers=trade).json()["sites"] == []
    assert len(console.client.get("/v1/sites", headers=health).json()["sites"]) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("area=ward/99999", "area"),
        ("sector=magic", "sector"),
        ("kind=castle", "kind"),
        ("by=day&by=ward", "by"),
    ],
)
def test_a_wrong_question_names_its_field(console: Running, query: str, field: str) -> None:
    answered = console.client.get(f"/v1/coverage?{query}", headers=console.key(Role.OFFICER))
    assert answered.status_code == 422
    assert [e["field"] for e in answered.json()["errors"]] == [field]


def test_places_behind_page_by_page_with_their_names(console: Running) -> None:
    officer = console.key(Role.OFFICER, f"ward/{WARD}")
    path = "/v1/coverage/behind?stage=scanned&limit=1"
    first = console.client.get(path, headers=officer).json()
    assert first["after"] == f"{WARD}/1/1"
    second = console.client.get(f"{path}&after={first['after']}", headers=officer).json()
    assert second["after"] is None
    [one] = second["places"]
    assert (one["place"], one["place_name"], one["site_name"]) == (2, "Room 1", "Site 0")
    assert (one["opening_days"], one["last_scan"]) == (5, None)


def test_what_is_said_of_a_poster_counts_once_and_the_newest(console: Running) -> None:
    officer = console.key(Role.OFFICER, f"ward/{WARD}")
    body = {"facts": [{"fact": "posted", "at": format_timestamp(NOW), "code_version": 1}]}
    for _ in range(2):
        said = console.client.post("/v1/places/1/poster", json=body, headers=officer)
        assert said.status_code == 200
        assert said.json()["posting"]["version"] == 1
    duty = {"facts": [{"fact": "duty", "at": format_timestamp(NOW)}]}
    posting = console.client.post("/v1/places/1/poster", json=duty, headers=officer).json()
    assert posting["posting"]["version"] == 2
    assert posting["posting"]["posted_version"] == 1
    far = console.key(Role.OFFICER, f"ward/{ELSEWHERE}")
    assert console.client.post("/v1/places/1/poster", json=duty, headers=far).status_code == 404
    late = format_timestamp(datetime.now(UTC) + timedelta(hours=1))
    for fact in ({"fact": "posted", "at": late}, {"fact": "inspected"}):
        wrong = console.client.post("/v1/places/1/poster", json={"facts": [fact]}, headers=officer)
        assert wrong.status_code == 422


LIST = "Tên cơ sở,Địa chỉ,Phường,Loại hình\nSite 0,,Đằng Lâm,cơ quan\nPhở Thìn,1 Lợi,Đằng Lâm,quán ăn\n"


def test_a_list_of_who_must_from_the_file_to_a_decision(console: Running) -> None:
    officer = console.key(Role.OFFICER, f"ward/{WARD}")
    path = "/v1/required/import?file=ds.csv&list=so&keeper=Sở&as_of=2026-10-01"
    dry = console.client.post(path, content=LIST.encode(), headers=officer).json()
    assert (dry["entries"], dry["applied"], dry["changed"]) == (2, False, None)
    assert console.client.get("/v1/required/lists", headers=officer).json()["lists"] == []
    made = console.client.post(f"{path}&apply=true", content=LIST.encode(), headers=officer).json()
    assert (made["changed"], made["linked"]) == (2, 1)
    found = console.client.get("/v1/required", headers=officer).json()
    [one] = found["entries"]
    assert one["name"] == "Phở Thìn"
    entry = f"/v1/required/so/entries/{one['entry']}"
    far = console.key(Role.OFFICER, f"ward/{ELSEWHERE}")
    assert console.client.patch(entry, json={"site": 1}, headers=far).status_code == 404
    assert console.client.get("/v1/required", headers=far).json()["entries"] == []
    home = console.key(Role.DEPARTMENT, sector="home_affairs")
    assert console.client.patch(entry, json={"site": 1}, headers=home).status_code == 404
    reason = {"exempt_reason": "đã phá dỡ"}
    assert console.client.patch(entry, json=reason, headers=officer).json() | reason
    assert console.client.get("/v1/required", headers=officer).json()["entries"] == []
    assert console.client.patch(entry, json={}, headers=officer).status_code == 422
    [about] = console.client.get("/v1/required/lists", headers=officer).json()["lists"]
    assert (about["keeper"], about["counted"], about["linked"]) == ("Sở", 1, 1)


def test_nobody_replaces_or_withdraws_a_list_that_reaches_further(console: Running) -> None:
    city = console.key(Role.OFFICER, "city/31")
    path = "/v1/required/import?file=ds.csv&list=so&keeper=Sở&as_of=2026-10-01&apply=true"
    text = LIST + "Bún,2 Lợi,Cát Bi,quán ăn\n"
    assert console.client.post(path, content=text.encode(), headers=city).json()["changed"] == 3
    ward = console.key(Role.OFFICER, f"ward/{WARD}")
    assert console.client.post(path, content=LIST.encode(), headers=ward).status_code == 404
    assert console.client.post("/v1/required/so/withdraw", headers=ward).status_code == 404
    gone = console.client.post("/v1/required/so/withdraw", headers=city).json()
    assert gone["lists"][0]["withdrawn"] is True


def test_a_record_that_makes_no_sense_costs_its_neighbours_nothing() -> None:
    told: list[str] = []
    records = [
        (b"site/1", b'{"id": 1, "ward": "a", "kind": "b", "sector": "c"}'),
        (b"site/2", b"{"),
        (b"site/3", b'{"id": 3}'),
        (b"site/4", b'{"id": -4, "ward": "a", "kind": "b", "sector": "c"}'),
        (b"place/5", b'{"id": 5, "site": 1, "codes": [{"version": 1, "valid_from": "soon"}]}'),
        (b"site/6", None),
        (None, b"{}"),
        (b"other/7", b"{}"),
        (b"site/8", b"[]"),
    ]
    found = tables_of(records, lambda key, _: told.append(key))
    assert list(found) == ["register_sites"]
    assert found["register_sites"]["site"].to_pylist() == [1]
    assert sorted(told) == ["place/5", "register_sites -4", "site/2", "site/3", "site/8"]


def test_opening_days_leave_out_weekends_and_days_before_the_code() -> None:
    assert opening_days("office", NOW, 7) == 5
    assert opening_days("market", NOW, 7) == 7
    assert opening_days("market", NOW, 7, NOW - timedelta(days=1)) == 2
    monday_morning = datetime(2026, 11, 23, 1, tzinfo=LOCAL)
    assert opening_days("office", monday_morning.astimezone(UTC), 1) == 1
    assert opening_days("never heard of", NOW, 7) == 7
