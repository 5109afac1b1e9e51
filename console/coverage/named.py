"""Places behind with their names, which stand in the relational database only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.coverage.behind import Behind
from console.coverage.hours import opening_days
from console.store import sites
from console.store.engine import Store


@dataclass(frozen=True)
class BehindNamed(Behind):
    """`opening_days`: of the days in which a scan counts, those on which a site of its kind is
    usually open, since its first code. `place` 0: the site has no place at all."""

    place_name: str
    site_name: str
    opening_days: int


def with_names(
    store: Store, found: Sequence[Behind], at: datetime, scanned_days: int
) -> list[BehindNamed]:
    """In the same order. What is not in the register any more is left out."""
    names = sites.named(store, [one.place for one in found])
    shown = []
    for one in found:
        name = names.get(one.place)
        site = sites.site(store, one.site) if name is None and not one.place else None
        if name is None and site is None:
            continue
        shown.append(
            BehindNamed(
                **vars(one),
                place_name=name.name if name else "",
                site_name=name.site_name if name else site.name if site else "",
                opening_days=opening_days(one.kind, at, scanned_days, one.since),
            )
        )
    return shown
