"""What a group is called: the site's name, or the area whose smaller units it holds."""

from collections.abc import Sequence

from console.staff.groups import Group, Level
from console.store.engine import Store
from console.store.reminder_words import names_of
from issuer.units import area_name


def group_names(store: Store, groups: Sequence[Group]) -> list[str]:
    """A name for each, in their order."""
    with store.read() as connection:
        sites = [f"site/{g.sites[0]}" for g in groups if g.level is Level.SITE]
        names = names_of(connection, sites)
    return [
        names.get(f"site/{g.sites[0]}", f"#{g.sites[0]}")
        if g.level is Level.SITE
        else area_name(g.area)
        for g in groups
    ]
