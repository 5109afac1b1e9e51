"""Asking for a case's possible contacts until they are there; all pages of one run."""

import time
from typing import Any, Final
from urllib.parse import quote

from console.cli.api import Api
from schemas.errors import UserError

_PAGE: Final = 1000
_POLL_S: Final = 0.2
WAIT_S: Final = 60.0


def wait_until_traced(api: Api, case_id: str, patience_s: float = WAIT_S) -> dict[str, Any]:
    """The first page, once the newest version of the case has been traced. Raises UserError."""
    deadline = time.monotonic() + patience_s
    while True:
        answer = _page(api, case_id, 0, _PAGE)
        if answer["state"] == "traced":
            return answer
        if time.monotonic() > deadline:
            if answer["run"] is not None:
                return answer
            raise UserError(
                f"Ca {case_id} chưa được truy vết sau {patience_s:.0f} giây; xem `truyvet status`. "
                f"/ Case {case_id} has not been traced within {patience_s:.0f} s: is a worker "
                "running? `truyvet status`."
            )
        time.sleep(_POLL_S)


def contacts_of(
    api: Api, case_id: str, limit: int | None, patience_s: float = WAIT_S
) -> dict[str, Any]:
    """The answer with up to `limit` contacts (None: all), every one of the same run."""
    while True:
        answer = wait_until_traced(api, case_id, patience_s)
        contacts = list(answer["contacts"])
        wanted = answer["total"] if limit is None else min(limit, answer["total"])
        while len(contacts) < wanted:
            page = _page(api, case_id, len(contacts), _PAGE)
            if page["run"] != answer["run"] or not page["contacts"]:
                break  # traced again meanwhile: from the start
            contacts += page["contacts"]
        if len(contacts) >= wanted:
            return answer | {"contacts": contacts[:wanted], "limit": wanted, "offset": 0}


def places_of(api: Api, contacts: list[dict[str, Any]]) -> dict[str, Any]:
    """The places of these contacts' exposures, by id; one outside the key's area is left out."""
    return places_named(api, {e["place"] for contact in contacts for e in contact["exposures"]})


def places_named(api: Api, ids: set[int]) -> dict[str, Any]:
    """These places, by id; one outside the key's area is left out."""
    found = {}
    for place in sorted(ids):
        try:
            found[str(place)] = api.get(f"/v1/places/{place}")
        except UserError:
            continue
    return found


def _page(api: Api, case_id: str, offset: int, limit: int) -> dict[str, Any]:
    path = f"/v1/cases/{quote(case_id, safe='')}/contacts"
    answer: dict[str, Any] = api.get(path, limit=limit, offset=offset)
    return answer
