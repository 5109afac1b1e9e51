"""Venues of a file become sites of kind `imported`, each with one place and a code."""

from collections.abc import Callable, Mapping
from typing import Final

from console.importer.scans import METHOD, PRODUCER
from console.importer.survey import Venue
from console.store.engine import Store
from console.store.producers import put_producer
from console.store.register import NewPlace, NewSite, register_sites
from issuer.keyring import KeyRing
from issuer.kinds import IMPORTED, UNKNOWN, place_defaults
from issuer.units import UNKNOWN_WARD
from schemas.errors import UserError
from schemas.places import Place, Producer

SOURCE: Final = "import"


def new_site(name: str, venue: Venue) -> NewSite:
    """One venue: enclosed unless the file says otherwise, ward and sector unknown."""
    kind = place_defaults(IMPORTED)
    place = NewPlace(
        name=name,
        kind=IMPORTED,
        external_key=name,
        hours=kind.hours,
        enclosed=True if venue.enclosed is None else venue.enclosed,
        small=False if venue.small is None else venue.small,
        gate=kind.gate,
        usual_stay=kind.usual_stay,
    )
    return NewSite(name, IMPORTED, UNKNOWN_WARD, UNKNOWN, name, places=(place,))


def register_venues(
    store: Store,
    ring: KeyRing,
    venues: Mapping[str, Venue],
    on_progress: Callable[[int], None],
) -> dict[str, tuple[int, str]]:
    """Place id and token by venue. What was registered before stays as it is."""
    # the producer first: it must be on its topic before a scan names it
    put_producer(store, Producer(id=PRODUCER, name="truyvet import", methods=(METHOD,)))
    names = list(venues)
    places = register_sites(
        store,
        ring,
        (new_site(name, venues[name]) for name in names),
        source=SOURCE,
        valid_from=None,  # old check-ins need a code without a beginning
        on_progress=on_progress,
    )
    assert len(places) == len(names)
    return {
        name: (place.id, _token(name, place)) for name, place in zip(names, places, strict=True)
    }


def _token(name: str, place: Place) -> str:
    """The oldest code that was never revoked, so that an import again makes identical scans."""
    for code in place.codes:
        if code.revoked_at is None and code.valid_from is None:
            return code.token
    raise UserError(
        f"Mã của điểm quét được nhập {name!r} (điểm {place.id}) đã bị thu hồi: không nhập được "
        "lượt quét ở đó. / "
        f"The code of the imported place {name!r} (place {place.id}) has been revoked: its "
        "check-ins cannot be imported."
    )
