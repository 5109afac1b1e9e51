"""The paper of a visit, by what the store holds."""

from collections.abc import Callable

from console.inspections.paper import Language, Names, Site, Spot, last_check, paper_pdf
from console.store.engine import Store
from console.store.errors import Conflict, NotFound
from console.store.inspection_lists import Line, line_of, of_visit
from console.store.inspections import inspection_of
from schemas.clock import LOCAL


def paper_of(
    store: Store,
    inspection: str,
    language: Language,
    names: Names,
    *,
    alone: bool = False,
    see: Callable[[Line], bool] = lambda _: True,
) -> bytes:
    """The record of this inspection's newest check, as a PDF, with the site's other places that
    were checked on the same day; `alone`: without
    them. `see`: whether the asker may.

    Raises NotFound; Conflict while nobody has checked.
    """
    line, found = line_of(store, inspection), inspection_of(store, inspection)
    if line is None or found is None:
        raise NotFound(
            f"Không có đợt kiểm tra {inspection}. / There is no inspection {inspection}."
        )
    check = last_check(found.life)
    if check is None:
        raise Conflict(
            "Chưa kiểm tra lần nào: chưa có gì để lập biên bản. / "
            "Nobody has checked yet: there is nothing to put on paper."
        )
    day = check.occurred_at.astimezone(LOCAL).date()
    spots = []
    for one in [inspection] if alone else of_visit(store, line.site, day):
        name, other = line_of(store, one), inspection_of(store, one)
        if name is not None and other is not None and see(name):
            spots.append(Spot(name.place_name, other.number, other.life))
    site = Site(line.site_name, line.address, line.ward)
    return paper_pdf(site, spots, day, language, names)
