"""The index of a set: what was printed, in the order of a walk, with a box each to tick off."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from issuer.formats import Format
from issuer.poster import Sheet, described, plain, said_once
from issuer.typesetting import typeset


def index_pdf(
    sheets: Sequence[Sheet], title: str, form: Format, *, first: int = 1, total: int | None = None
) -> bytes:
    """A4 pages with a row for each sheet, in this order, under its site's name and address.

    Rows are numbered from `first`; `total` is how many the whole set has. Raises ValueError for
    nothing, and for a name of more than 240 characters.
    """
    if not sheets:
        raise ValueError("there is nothing to print")
    numbered = enumerate(sheets, start=first)
    sites = [_site([*rows]) for _, rows in groupby(numbered, lambda row: row[1].site.id)]
    last = first + len(sheets) - 1
    data = {"title": plain(title), "form": form.upper(), "sites": sites}
    counts = {"first": first, "last": last, "total": last if total is None else total}
    return typeset("index", data | counts, tagged=False)


def _site(rows: Sequence[tuple[int, Sheet]]) -> dict[str, Any]:
    site = rows[0][1].site
    return {
        "name": plain(site.name),
        "address": plain(site.address or ""),
        "rows": [
            {"number": n, "id": s.place.id, "once": said_once(s)} | described(s) for n, s in rows
        ],
    }
