"""The record of an inspection on paper (*biên bản*): what it says, as the template takes it.

One record is of one visit to a site, however many of its places were looked at. Names of persons
are written on it by hand, or given when it is printed, and kept nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from console.inspections.life import Life
from console.inspections.steps import (
    Checked,
    Opened,
    Ordered,
    Replied,
    Step,
    TeamMember,
    is_current,
)
from console.inspections.words import FINDINGS, YES_NO, words_of
from issuer.typesetting import typeset
from issuer.units import Ward
from issuer.units import ward as unit
from schemas.clock import LOCAL
from schemas.inspections import Agency, Ground, Result, TeamRole

Language = Literal["vi", "en", "both"]
BLANK_ROWS: Final = 4  # of a team that nobody has listed
_NOT_LOOKED: Final = ("–", "–")


@dataclass(frozen=True)
class Site:
    """Where the visit was. `ward`: the unit's code."""

    name: str
    address: str | None
    ward: str


@dataclass(frozen=True)
class Spot:
    """One place that was looked at, and its inspection."""

    name: str
    number: int
    life: Life


@dataclass(frozen=True)
class Names:
    """What is known when it is printed and is not kept: the paper's number, who was there."""

    paper: str = ""
    team: tuple[str, ...] = ()
    representative: str = ""
    position: str = ""


def last_check(life: Life, day: date | None = None) -> Step | None:
    """The newest check, or the newest of this local day, also one that was not possible."""
    checks = [s for s in life.steps if isinstance(s.content, Checked)]
    if day is not None:
        checks = [s for s in checks if _local(s.occurred_at).date() == day]
    return checks[-1] if checks else None


def paper_pdf(
    site: Site, spots: Sequence[Spot], day: date, language: Language, names: Names
) -> bytes:
    """The record of the visit on this local day as a PDF; each spot must have a check of it."""
    return typeset("inspection_record", paper(site, spots, day, language, names))


def paper(
    site: Site, spots: Sequence[Spot], day: date, language: Language, names: Names
) -> dict[str, Any]:
    """What the template `inspection_record` is given."""
    checks = [check for spot in spots if (check := last_check(spot.life, day)) is not None]
    assert len(checks) == len(spots) > 0
    both = list(zip(spots, checks, strict=True))
    begun = _local(min(check.occurred_at for check in checks))
    return {
        "lang": language,
        "paper": names.paper,
        "files": [spot.number for spot in spots],
        "unit": _unit(site.ward),
        "at": {"hour": begun.hour, "minute": begun.minute, **_date(day)},
        "site": site.name,
        "address": site.address or "",
        "ground": words_of(_ground(spots)),
        "team": _team(checks, names),
        "representative": names.representative,
        "position": names.position,
        "rows": [_row(spot, check) for spot, check in both],
        "notes": [
            {"place": spot.name, "text": check.content.note}
            for spot, check in both
            if check.content.note
        ],
        "orders": [o for s, c in both if (o := _order(s, c)) is not None],
        "opinions": [o for s, c in both for o in _opinions(s, c)],
    }


def _unit(code: str) -> dict[str, str]:
    try:
        found: Ward | None = unit(code)
    except ValueError:  # a ward that is not known yet
        found = None
    if found is None:
        return {"ward": "", "district": "", "province": "", "seat": ""}
    own = found.code == found.district_code  # an island district without wards
    return {
        "ward": found.name,
        "district": "" if own else found.district_name,
        "province": found.province_name,
        # the place beside the date: the unit in which the ward's office sits
        "seat": found.name,
    }


def _ground(spots: Sequence[Spot]) -> Ground:
    for spot in spots:
        for step in spot.life.steps:
            if isinstance(step.content, Opened):
                return step.content.ground
    return Ground.ROUND


def _team(checks: Sequence[Step], names: Names) -> list[dict[str, Any]]:
    """Each member once, the site's own people apart; rows to write on if nobody was listed."""
    listed: list[TeamMember] = []
    for check in checks:
        assert isinstance(check.content, Checked)
        theirs = [m for m in check.content.team if m.agency is not Agency.SITE]
        # two of one agency and role are two people; the same team at the next place is the same
        for member in set(theirs):
            listed += [member] * (theirs.count(member) - listed.count(member))
    order = list(TeamRole)
    listed.sort(key=lambda m: (order.index(m.role), list(Agency).index(m.agency)))
    rows: list[dict[str, Any]] = [
        {"agency": words_of(member.agency), "role": words_of(member.role), "name": ""}
        for member in listed
    ] or [{"agency": ("", ""), "role": ("", ""), "name": ""} for _ in range(BLANK_ROWS)]
    for number, name in enumerate(names.team):
        if number == len(rows):
            rows.append({"agency": ("", ""), "role": ("", ""), "name": ""})
        rows[number]["name"] = name
    return rows


def _row(spot: Spot, check: Step) -> dict[str, Any]:
    found = check.content
    assert isinstance(found, Checked)
    if found.result is Result.NOT_POSSIBLE:
        looked = dict.fromkeys(FINDINGS, _NOT_LOOKED)
        return {"place": spot.name, "result": words_of(found.result), "good": False} | looked
    scans, current = check.seen.scans, is_current(found, check.seen)
    return {
        "place": spot.name,
        "posted": YES_NO[found.posted],
        # of a poster that does not hang there is nothing to be said
        "visible": _NOT_LOOKED if found.posted is False else YES_NO[found.visible],
        "current": _NOT_LOOKED if found.posted is False else YES_NO[current],
        "guided": YES_NO[found.guided],
        "scans": YES_NO[None] if scans is None else (str(scans), str(scans)),
        "result": words_of(found.result),
        "good": found.result is Result.PASSED,
    }


def _order(spot: Spot, check: Step) -> dict[str, Any] | None:
    """What was ordered upon this check; an order of an earlier visit stands on its own paper."""
    since = [
        s for s in spot.life.steps
        if isinstance(s.content, Ordered)
        and s.occurred_at >= check.occurred_at
        and s.event_id not in spot.life.aside
    ]  # fmt: skip
    if not since:
        return None
    order = since[-1].content
    assert isinstance(order, Ordered)
    return {
        "place": spot.name,
        "mend": [words_of(mend) for mend in order.mend],
        "by": f"{order.by:%d/%m/%Y}",
        "note": order.note or "",
    }


def _opinions(spot: Spot, check: Step) -> list[dict[str, Any]]:
    """What the owner said to this check on its day: what comes later is not on this paper."""
    day = _local(check.occurred_at).date()
    return [
        {"place": spot.name, "says": words_of(step.content.says), "note": step.content.note or ""}
        for step in spot.life.steps
        if isinstance(step.content, Replied) and _local(step.occurred_at).date() == day
    ]


def _date(day: date) -> dict[str, Any]:
    return {
        "day": day.day,
        "month": day.month,
        "year": day.year,
        "en": f"{day:%B} {day.day}, {day.year}",
    }


def _local(moment: datetime) -> datetime:
    return moment.astimezone(LOCAL)
