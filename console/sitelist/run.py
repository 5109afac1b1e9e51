"""A list read, understood, compared and registered: a dry run first, then the same for good."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.sitelist.duplicates import Likely, Named, likely
from console.sitelist.register import Grouped, grouped
from console.sitelist.registered import SOURCE_PREFIX, open_sites
from console.sitelist.understand import Understood
from console.store.engine import Store
from console.store.history import What, Why
from console.store.register import closed_of, ids_by_key, register_each
from issuer.keyring import KeyRing
from issuer.units import Ward
from schemas.errors import UserError


@dataclass(frozen=True)
class Plan:
    """What an import would do. `known`: sites that this source registered before, by key; `closed`:
    those of them that have been closed or merged since, to which nothing is added."""

    understood: Understood
    grouped: Grouped
    likely: list[Likely]
    known: set[str]
    closed: set[str]

    @property
    def new_sites(self) -> int:
        """Sites that are not yet registered from this source."""
        return len(self.grouped.sites) - len(self.known)

    def left_out(self, likely: str | None) -> set[int]:
        """Rows that are not to be registered: if `leave`, those likely there already."""
        if likely != "leave":
            return set()
        return {pair.one.row for pair in self.likely if pair.one.row is not None}


def plan(store: Store, source: str, understood: Understood, area: Sequence[Ward] = ()) -> Plan:
    """Compare with the register; changes nothing. `area`: the wards that may be looked at beside
    those of the list: its districts' are."""
    groups = grouped(understood.listed)
    known, closed = _known(store, source, [site.external_key for site in groups.sites])
    fresh = [site for site in groups.sites if site.external_key not in known]
    named = [
        Named(site.name, site.address or "", site.ward, row=groups.rows[site.external_key][0].row)
        for site in fresh
    ]
    wards = {site.ward for site in fresh}
    districts = {unit.district_code for unit in area if unit.code in wards} - {""}
    wards |= {unit.code for unit in area if unit.district_code in districts}
    return Plan(understood, groups, likely(named, open_sites(store, sorted(wards))), known, closed)


def apply(
    store: Store,
    ring: KeyRing,
    source: str,
    made: Plan,
    left_out: set[int],
    by: str,
    valid_from: datetime,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Register all but the sites that begin at a row of `left_out`; how many places they have.

    `by`: the account; with the list's name it is the first step of each new site's history.

    Interrupted, call it again: what is registered stays as it is and the rest is added.
    """
    sites = [
        site
        for site in made.grouped.sites
        if made.grouped.rows[site.external_key][0].row not in left_out
    ]
    done, why = 0, Why(by, What.REGISTER, source)
    for places in register_each(store, ring, sites, SOURCE_PREFIX + source, valid_from, why):
        done += len(places)
        if on_progress:
            on_progress(done)
    return done


def check_likely(likely: str | None) -> None:
    """Raises UserError."""
    if likely not in (None, "take", "leave"):
        raise UserError("--likely: take hoặc leave. / --likely is take or leave.")


def check_refused(understood: Understood, without_refused: bool) -> None:
    """Raises UserError where rows are refused and nobody has said to leave them out."""
    if understood.refused and not without_refused:
        count = len(understood.refused)
        raise UserError(
            f"{count} dòng bị từ chối: sửa danh sách, hoặc thêm --without-refused. / {count} rows "
            "are refused: mend the list, or leave them out with --without-refused. Nothing was "
            "imported."
        )


def check_decided(made: Plan, without_refused: bool, likely: str | None) -> None:
    """Raises UserError where a person has to decide before anything is registered."""
    check_refused(made.understood, without_refused)
    if made.likely and likely is None:
        count = len(made.likely)
        raise UserError(
            f"{count} cơ sở có thể trùng: xem và chọn --likely take hoặc leave. / {count} sites "
            "are likely there already: look at them, then --likely take or leave. Nothing was "
            "imported."
        )


def _known(store: Store, source: str, keys: list[str]) -> tuple[set[str], set[str]]:
    with store.read() as connection:
        found = ids_by_key(connection, SOURCE_PREFIX + source, "site", keys)
        closed = closed_of(connection, list(found.values()))
    return set(found), {key for key, site in found.items() if site in closed}
