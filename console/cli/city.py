"""A simulated city, registered: sites and codes, a few of them revoked, a poster, files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from console.accounting.outbox import require_console, wait_until_published
from console.codekeys import ring_of
from console.store import sites
from console.store.engine import Store, open_store
from console.store.producers import put_producer
from console.store.register import NewPlace, NewSite, register_sites
from issuer.keyring import KeyRing
from issuer.poster import poster_pdf
from issuer.units import HAI_PHONG, wards_of
from schemas.clock import LOCAL
from schemas.places import Place, Producer
from schemas.settings import Settings
from sim.city import CityPlan, plan_city
from sim.codes import City, city_json, write_codes
from sim.simulate import EVENTS_A_PERSON_DAY

PRODUCER: Final = "sim"
REVOKED: Final = 5
# Before any scan of anyone's: a code replaced then is refused whenever it is scanned, and the one
# in its place is as good as one without a beginning.
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
FEWEST_PEOPLE: Final = 300
_POSTER_KINDS: Final = ("market_gate", "office_gate", "gate", "office")

Step = Callable[[float, float], None]


@dataclass(frozen=True)
class MadeCity:
    """What was registered, and where it was written down."""

    places: tuple[Place, ...]
    sites: int
    wards: int
    revoked: tuple[str, ...]
    file: Path
    codes: Path
    poster: Path
    poster_place: Place


def people_for(events: int, days: int) -> int:
    """How many people make so many scans in so many days."""
    return max(FEWEST_PEOPLE, round(events / (EVENTS_A_PERSON_DAY * days)))


def make_city(
    settings: Settings,
    *,
    people: int,
    seed: int,
    out: Path,
    until: datetime,
    days: int,
    on_progress: Step,
) -> MadeCity:
    """Register the city of this seed and size; again, it is the same one. Raises UserError."""
    require_console(settings)
    ring = ring_of(settings)
    begins = (until - timedelta(days=days)).astimezone(LOCAL).date()
    wards = wards_of(HAI_PHONG)
    plan = plan_city(wards, seed, people, begins, days + 2)
    out.mkdir(parents=True, exist_ok=True)
    store = open_store(settings)
    try:
        put_producer(store, Producer(id=PRODUCER, name="truyvet simulate"))
        total = len(plan.places)
        registered = register_sites(
            store,
            ring,
            _new_sites(plan),
            source=f"simulate/{seed}/{people}",
            valid_from=None,
            on_progress=lambda done: on_progress(done, 2 * total),
        )
        places, revoked = _some_revoked(store, ring, registered)
        wait_until_published(
            store, lambda left: on_progress(2 * total - min(total, left), 2 * total)
        )
        poster, shown = _poster(store, settings, places, out)
    finally:
        store.close()
    file = out / "city.json"
    file.write_bytes(city_json(City(places, revoked, PRODUCER, settings.code_origin)))
    codes = out / "codes.csv"
    from_ms = int((until - timedelta(days=days)).timestamp() * 1000)
    write_codes(codes, places, settings.code_origin, from_ms)
    used = {place.ward for place in places}
    return MadeCity(places, len(plan.sites), len(used), revoked, file, codes, poster, shown)


def _new_sites(plan: CityPlan) -> Sequence[NewSite]:
    return [
        NewSite(
            name=site.name,
            kind=site.kind,
            ward=site.ward,
            sector=site.sector,
            external_key=f"site/{number}",
            address=site.address,
            places=tuple(
                NewPlace(
                    name=place.name,
                    kind=place.kind,
                    external_key=f"place/{number}/{position}",
                    hours=place.hours,
                    capacity=place.capacity,
                    enclosed=place.enclosed,
                    small=place.small,
                    gate=place.gate,
                    usual_stay=place.usual_stay,
                    trips=place.trips,
                )
                for position, place in enumerate(site.places)
            ),
        )
        for number, site in enumerate(plan.sites)
    ]


def _some_revoked(
    store: Store, ring: KeyRing, places: Sequence[Place]
) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """A few places get a second version of their code, and the first is revoked."""
    stand = list(places)
    step = max(1, len(stand) // REVOKED)
    revoked = []
    for at in range(step // 2, len(stand), step):
        if len(stand[at].codes) == 1:
            sites.revoke_code(store, stand[at].id, 1, LONG_AGO, "simulated: the print was lost")
            stand[at] = sites.add_code(store, ring, stand[at].id, valid_from=LONG_AGO)
        revoked.append(stand[at].codes[0].token)
    return tuple(stand), tuple(revoked)


def _poster(
    store: Store, settings: Settings, places: Sequence[Place], out: Path
) -> tuple[Path, Place]:
    """One poster, of a place where many come by."""
    ranked = {kind: number for number, kind in enumerate(_POSTER_KINDS)}
    place = min(places, key=lambda p: (ranked.get(p.kind, 99), not p.gate, p.id))
    site = sites.site(store, place.site)
    assert site is not None
    code = place.codes[-1]
    pdf = poster_pdf(
        place, site, code, settings.code_origin, retention_days=settings.retention_days
    )
    path = out / f"poster-{place.id}.pdf"
    path.write_bytes(pdf)
    return path, place
