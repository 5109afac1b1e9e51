"""What an export is made of, a page at a time: contacts with names, places and what is due."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from console.access import Principal
from console.api.state import Console
from console.api.worklist_pages import rows_in_area
from console.api.worklist_rows import Row, said
from console.exports.columns import Line
from console.store import sites
from console.store.sites import Named
from schemas.cases import Case
from tracer.tiers import Tier


@dataclass(frozen=True)
class Source:
    """Whose contacts go out to whom. `everybody`: also those only there at the same time."""

    console: Console
    principal: Principal
    cases: Sequence[Case]
    everybody: bool = False

    def pages(self) -> Iterator[list[Line]]:
        """In the order of the cases and the tracer's ranks; a page of which nobody goes out is an
        empty one, so that whoever writes it may look up after each. Raises Retryable.
        """
        for rows in rows_in_area(self.console, self.principal, self.cases):
            wanted = [row for row in rows if self.everybody or _to_work(row)]
            yield self._lines(wanted) if wanted else []

    def _lines(self, rows: list[Row]) -> list[Line]:
        console = self.console
        persons: dict[str, list[str]] = {}
        for row in rows:
            persons.setdefault(row.case.id, []).append(row.person)
        known = {
            (case_id, person): identity
            for case_id, some in persons.items()
            for person, identity in console.vault.lookup(case_id, some).items()
        }
        through = [_through(row.document) for row in rows]
        places = sites.named(console.store, {place for place in through if place})
        return [
            Line(
                row, contact, known.get((row.case.id, row.person)), place, self._seen(places, place)
            )
            for row, contact, place in zip(
                rows, said(console, self.principal, rows), through, strict=True
            )
        ]

    def _seen(self, places: dict[int, Named], place: int | None) -> Named | None:
        """The names of a place outside the area are not the asker's to see."""
        found = places.get(place) if place else None
        return found if found and self.principal.reaches(found.ward) else None


def _to_work(row: Row) -> bool:
    return row.tier != Tier.SAME_TIME_ONLY or row.work.version > 0


def _through(document: dict[str, Any] | None) -> int | None:
    """The place of the path to the case, else of the first exposure; none if no scan shows any."""
    path = document.get("path", ()) if document else ()
    exposures = document["exposures"] if document else ()
    places: list[int] = [step["place"] for step in (*path, *exposures) if "place" in step]
    return places[0] if places else None
