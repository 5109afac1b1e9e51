"""A small registered city for the tests of the simulation, as the console would give it back."""

from datetime import UTC, datetime
from functools import cache

from issuer.units import HAI_PHONG, wards_of
from schemas.ids import encode_base32
from schemas.places import Code, Place
from sim.city import plan_city

UNTIL = datetime(2021, 12, 6, 4, 30, tzinfo=UTC)  # Monday, 11:30 in Hải Phòng
REVOKED_SINCE = datetime(2021, 12, 1, tzinfo=UTC)


@cache
def town(people: int = 5000) -> tuple[Place, ...]:
    """Every place of the plan, registered in its order; some had a code that was revoked."""
    wards = wards_of(HAI_PHONG)
    places: list[Place] = []
    for site_id, site in enumerate(plan_city(wards, 1, people).sites, 1):
        for spec in site.places:
            place_id = len(places) + 1
            codes = [Code(version=2, token=token(place_id, 2))]
            if place_id % 50 == 0:
                old = token(place_id, 1)
                codes.insert(0, Code(version=1, token=old, revoked_at=REVOKED_SINCE))
            place = Place(
                id=place_id,
                site=site_id,
                name=spec.name,
                kind=spec.kind,
                ward=site.ward,
                sector=site.sector,
                hours=spec.hours,
                capacity=spec.capacity,
                enclosed=spec.enclosed,
                small=spec.small,
                gate=spec.gate,
                usual_stay=spec.usual_stay,
                codes=tuple(codes),
                trips=spec.trips,
            )
            places.append(place)
    return tuple(places)


def token(place: int, version: int) -> str:
    """Eighteen symbols, unlike those of a forged code only in being known."""
    return encode_base32(place * 1024 + version, 18)


def revoked(places: tuple[Place, ...]) -> list[str]:
    """The revoked codes of the town."""
    return [c.token for p in places for c in p.codes if c.revoked_at is not None]


def test_every_place_has_a_code_of_its_own() -> None:
    tokens = [code.token for place in town() for code in place.codes]
    assert len(set(tokens)) == len(tokens)
    assert len(revoked(town())) == len(town()) // 50
