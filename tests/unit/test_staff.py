"""Staff: groups of at least ten whoever asks, days that are over, headcounts of days to come."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.staff.day import STAFF_ENTRANCE, staff_day
from console.staff.groups import LEAST, Group, Level, Unit, grouped, seen_from, shown, total
from console.store.engine import utc_now
from console.store.headcounts import declared_on, history
from console.store.keys import Role
from console.store.register import NewPlace, NewSite, register_sites
from schemas.clock import LOCAL
from schemas.errors import UserError
from tests.console_kit import RING, WARD, FakeTables, Running, running

NEAR, FAR, CAPITAL = "11416", "11296", "00001"  # same district, same city, another city
SECTORS = ("health", "home_affairs")
AREAS = ("*", "city/31", "city/01", "district/306", "ward/11413", f"ward/{NEAR}", f"ward/{FAR}")
UNITS = st.lists(
    st.builds(
        Unit,
        site=st.just(0),
        ward=st.sampled_from((WARD, NEAR, FAR, CAPITAL)),
        sector=st.sampled_from(SECTORS),
        declared=st.integers(1, 14),
        counted=st.integers(0, 14),
    ),
    max_size=8,
).map(lambda units: [Unit(n, u.ward, u.sector, u.declared, u.counted) for n, u in enumerate(units)])


@given(UNITS)
@settings(max_examples=150, deadline=None)
def test_no_sum_or_difference_of_what_is_shown_is_of_fewer_than_ten(units: list[Unit]) -> None:
    """The oracle: every set of units whose count could be worked out from any of the numbers."""
    groups, left = grouped(units)
    inside = [site for group in groups for site in group.sites]
    assert sorted(inside + [u.site for u in left]) == [u.site for u in units], "each at most once"
    published: list[frozenset[int]] = [frozenset(group.sites) for group in groups]
    for area in AREAS:
        for sector in (None, *SECTORS):
            seen = seen_from(groups, area, sector)
            for some in (seen, [g for g in seen if g.counted is not None]):
                published.append(frozenset(site for group in some for site in group.sites))
    declared = {u.site: u.declared for u in units}
    for size in range(1, len(units) + 1):
        for sites in combinations(declared, size):
            if sum(declared[s] for s in sites) < LEAST:
                assert not derivable(frozenset(sites), published, len(units))


def derivable(wanted: frozenset[int], known: list[frozenset[int]], width: int) -> bool:
    """Whether a sum of multiples of known sums is the sum wanted: by elimination over fractions."""
    rows: list[list[Fraction]] = []

    def reduced(vector: list[Fraction]) -> list[Fraction]:
        for row in rows:
            lead = next(i for i, x in enumerate(row) if x)
            if vector[lead]:
                factor = vector[lead] / row[lead]
                vector = [a - factor * b for a, b in zip(vector, row, strict=True)]
        return vector

    for sites in set(known):
        left = reduced([Fraction(n in sites) for n in range(width)])
        if any(left):
            rows.append(left)
    return not any(reduced([Fraction(n in wanted) for n in range(width)]))


def test_the_oracle_finds_a_difference() -> None:
    assert derivable(frozenset({1}), [frozenset({0, 1}), frozenset({0})], 2)
    assert not derivable(frozenset({1}), [frozenset({0, 1})], 2)


def unit(site: int, declared: int, counted: int, ward: str = WARD, sector: str = "health") -> Unit:
    return Unit(site, ward, sector, declared, counted)


def test_small_units_are_put_together_as_near_as_they_can() -> None:
    units = [
        unit(1, 40, 31), unit(2, 6, 5), unit(3, 7, 7),  # the ward: alone, and two together
        unit(4, 4, 1, NEAR), unit(5, 6, 4, FAR),  # one in each of two districts: the city's
        unit(6, 3, 3, sector="home_affairs"),  # another sector: left out
    ]  # fmt: skip
    groups, left = grouped(units)
    assert groups == [
        Group(Level.SITE, f"ward/{WARD}", "health", (1,), 40, 30),
        Group(Level.WARD, f"ward/{WARD}", "health", (2, 3), 13, 10),
        Group(Level.CITY, "city/31", "health", (4, 5), 10, None),
    ]
    assert [u.site for u in left] == [6]
    assert seen_from(groups, f"ward/{NEAR}", None) == []
    sums = total(groups)
    assert (sums.groups, sums.declared, sums.counted, sums.under_ten) == (2, 53, 40, 1)


def test_a_ward_without_a_district_goes_on_to_its_city() -> None:
    units = [unit(1, 6, 6, "25-11413"), unit(2, 6, 6, "25-11311")]
    groups, left = grouped(units)
    assert [(g.level, g.area, g.sites) for g in groups] == [(Level.CITY, "city/25-31", (1, 2))]
    assert left == []


@pytest.mark.parametrize(
    ("counted", "declared", "says"),
    [(0, 40, None), (9, 40, None), (10, 40, 10), (12, 40, 10), (13, 40, 15), (39, 40, 40), (60, 40, 40), (12, 11, 10)],
)  # fmt: skip
def test_a_count_is_rounded_and_never_above_what_is_declared(
    counted: int, declared: int, says: int | None
) -> None:
    assert shown(counted, declared) == says


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as console:
        doors = (
            NewPlace("Lối vào cán bộ", STAFF_ENTRANCE, "a/1", gate=True),
            NewPlace("Phòng họp", "meeting_room", "a/2"),
        )
        sites = [
            NewSite("Sở Y tế", "office", WARD, "health", "a", places=doors),
            NewSite("Trạm Y tế", "clinic", WARD, "health", "b"),
        ]
        register_sites(console.store, RING, sites, source="test")
        yield console


def put(console: Running, site: int, head: Any, **body: Any) -> Any:
    return console.client.put(f"/v1/sites/{site}/headcount", json=body, headers=head)


def test_a_headcount_is_declared_for_days_to_come_with_history(served: Running) -> None:
    head = served.key(Role.OFFICER, f"ward/{WARD}")
    today = utc_now().astimezone(LOCAL).date()
    tomorrow = today + timedelta(days=1)
    assert put(served, 1, head, headcount=40).json()["since"] == tomorrow.isoformat()
    assert put(served, 1, head, headcount=40).json()["number"] == 1, "the same adds nothing"
    assert put(served, 1, head, headcount=46).json()["number"] == 2
    later = tomorrow + timedelta(days=10)
    put(served, 1, head, headcount=50, since=later.isoformat())
    for past in (today, today - timedelta(days=1)):
        assert put(served, 1, head, headcount=9, since=past.isoformat()).status_code == 422
    said = served.client.get("/v1/sites/1/headcounts", headers=head).json()["headcounts"]
    assert [one["headcount"] for one in said] == [40, 46, 50]
    assert len(history(served.store, 1)) == 3
    on = {day: declared_on(served.store, day, STAFF_ENTRANCE) for day in (today, tomorrow, later)}
    assert [[one.headcount for one in some] for some in on.values()] == [[], [46], [50]]
    assert on[tomorrow][0].entrances == (1,)


def test_outside_the_area_there_is_no_site(served: Running) -> None:
    elsewhere = served.key(Role.OFFICER, f"ward/{FAR}")
    assert put(served, 1, elsewhere, headcount=4).status_code == 404
    assert put(served, 99, elsewhere, headcount=4).status_code == 404
    assert served.client.get("/v1/sites/1/headcounts", headers=elsewhere).status_code == 404


def test_a_day_that_is_over_is_shown_by_groups_and_says_what_is_not(served: Running) -> None:
    head = served.key(Role.OFFICER, f"ward/{WARD}")
    put(served, 1, head, headcount=46)
    put(served, 2, head, headcount=12)
    asked: list[str] = []

    def answer(sql: str, _: dict[str, Any]) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return [(1, 33)]

    tables = FakeTables(answer)
    day = utc_now().astimezone(LOCAL).date() + timedelta(days=1)
    now = utc_now() + timedelta(days=3)
    found = staff_day(served.store, tables, day, f"ward/{WARD}", None, retention_days=21, now=now)
    assert [(g.declared, g.counted) for g in found.groups] == [(46, 35)]
    assert (found.left_out, found.no_entrance) == (0, 1)
    assert "place IN (1)" in asked[0], "the staff entrance alone"
    assert "uniqExact(person)" in asked[0]


@pytest.mark.parametrize("days", [0, -1, 22])
def test_only_days_that_are_over_and_kept_can_be_asked_for(served: Running, days: int) -> None:
    now = datetime(2026, 11, 26, 3, tzinfo=UTC)
    with pytest.raises(UserError):
        staff_day(
            served.store, FakeTables(), date(2026, 11, 26) - timedelta(days=days), "*", None,
            retention_days=21, now=now,
        )  # fmt: skip


def test_over_http_it_is_yesterday_unless_said(served: Running) -> None:
    head = served.key(Role.DEPARTMENT, "city/31", sector="health")
    said = served.client.get("/v1/staff/coverage", headers=head)
    assert said.status_code == 200
    yesterday = utc_now().astimezone(LOCAL).date() - timedelta(days=1)
    assert said.json()["day"] == yesterday.isoformat()
    other = served.client.get("/v1/staff/coverage?sector=education", headers=head)
    assert other.status_code == 404
