"""The plan of the city, its wards, names and timetables."""

from collections import Counter
from datetime import date

import pytest

from issuer.kinds import kinds, new_place, new_site
from issuer.units import HAI_PHONG, wards_of
from schemas.errors import UserError
from sim.city import CityPlan, plan_city
from sim.dwell import dwell_of
from sim.roles import ROLES
from sim.sites import TEMPLATES
from sim.trips import plate, timetable, trip_id, trips_of

WARDS = wards_of(HAI_PHONG)


def plan(seed: int = 1, people: int = 5000) -> CityPlan:
    return plan_city(WARDS, seed, people)


def test_same_seed_same_plan() -> None:
    assert plan() == plan()
    assert plan() != plan(seed=2)


def test_size_follows_the_people() -> None:
    city = plan()
    assert 150 <= len(city.sites) <= 400
    assert 600 <= len(city.places) <= 1500
    assert len(plan(people=500).places) < len(city.places) / 5


def test_names_are_unique_within_a_ward_and_a_site() -> None:
    city = plan()
    names = Counter((site.ward, site.name) for site in city.sites)
    assert names.most_common(1)[0][1] == 1
    for site in city.sites:
        assert len({p.name for p in site.places}) == len(site.places)


def test_every_order_of_place_is_there() -> None:
    kinds = {place.kind for _, place in plan().places}
    assert kinds >= set(ROLES)
    assert {site.kind for site in plan().sites} == {t.kind for t in TEMPLATES}


def test_vehicles_carry_their_trips() -> None:
    city = plan_city(WARDS, 1, 1000, first_day=date(2021, 12, 1), days=2)
    vehicles = [p for _, p in city.places if p.kind == "bus"]
    assert vehicles
    for vehicle in vehicles:
        ids = [t.id for t in vehicle.trips]
        assert len(set(ids)) == len(ids) == 2 * timetable(vehicle.name).runs
        for one, two in zip(vehicle.trips, vehicle.trips[1:], strict=False):
            assert one.departs_at < one.arrives_at <= two.departs_at
    assert all(not p.trips for _, p in city.places if p.kind != "bus")


def test_a_trip_says_plate_day_and_run() -> None:
    name = "Xe buýt tuyến 07, 15B-012.34"
    assert plate(name) == "15B-01234"
    first = trips_of(name, (date(2021, 12, 1) - date(1970, 1, 1)).days, 1)[0]
    assert first.id == "15B-01234-211201-00"
    assert len(trip_id("một cái tên rất dài không có biển số xe nào cả", 18962001)) <= 32


def test_every_kind_has_a_dwell() -> None:
    other = dwell_of("no such kind")
    for kind in ROLES:
        assert dwell_of(kind) is not other, kind


def test_without_wards_there_is_no_city() -> None:
    with pytest.raises(UserError, match="no wards"):
        plan_city([], 1, 100)


def test_the_issuer_knows_every_kind_and_fills_in_the_same() -> None:
    assert set(ROLES) <= set(kinds())
    for site in plan(people=800).sites:
        made = new_site(1, site.kind, site.name, site.ward, address=site.address)
        assert made.sector == site.sector
        for spec in site.places:
            place = new_place(
                made, 1, spec.kind, spec.name, hours=spec.hours, capacity=spec.capacity
            )
            for field in ("enclosed", "small", "gate", "usual_stay", "hours"):
                assert getattr(place, field) == getattr(spec, field), (spec.kind, field)
