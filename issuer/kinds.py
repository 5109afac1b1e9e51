"""Kinds of sites and places, and what a new place is taken to be: data/kinds.toml.

Every default can be overridden; what a person registered is never changed back.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from schemas.places import Hours, Place, Site

IMPORTED: Final = "imported"
UNKNOWN: Final = "unknown"

_Record = TypeVar("_Record", Site, Place)


class KindError(ValueError):
    """A data file of kinds or sectors is wrong; the sentence names the file and the field."""


class Level(StrEnum):
    """Whether a kind is one of sites, of places, or of a site that is its own only place."""

    SITE = "site"
    PLACE = "place"
    BOTH = "both"


class SmallRule(StrEnum):
    """How `small` (hẹp) follows from what is known of a place's size."""

    ALWAYS = "always"
    NEVER = "never"
    IF_KNOWN_SMALL = "if_known_small"
    UNLESS_KNOWN_LARGE = "unless_known_large"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(_Strict):
    """A name in both languages of posters and pages."""

    vi: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class UsualStay(_Strict):
    """Minutes of one presence; `basis` is a source or begins with `assumption`."""

    minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    basis: Annotated[str, Field(min_length=1)]


class _Is(_Strict):
    level: Level
    sector: str | None = None
    enclosed: bool
    small: SmallRule
    gate: bool
    vehicle: bool = False

    @model_validator(mode="after")
    def _sector_of_sites(self) -> Self:
        if (self.sector is None) is not (self.level is Level.PLACE):
            raise ValueError(
                "a kind of sites names its sector, one of places only takes its site's"
            )
        return self


class _Kind(_Strict):
    name: Names
    about: Annotated[_Is, Field(alias="is")]
    hours: Hours | None = None
    workdays: bool = False
    usual_stay: UsualStay | None = None


class SmallSizes(_Strict):
    """Up to here a place is known small: people at a time, or square metres."""

    capacity: Annotated[int, Field(ge=1)]
    area_m2: Annotated[float, Field(gt=0)]
    basis: Annotated[str, Field(min_length=1)]

    def known_small(self, capacity: int | None, area_m2: float | None) -> bool | None:
        """By capacity where it is known, else by area; None if neither is."""
        if capacity is not None:
            return capacity <= self.capacity
        if area_m2 is not None:
            return area_m2 <= self.area_m2
        return None


class _File(_Strict):
    small: SmallSizes
    kinds: Annotated[dict[str, _Kind], Field(min_length=1)]


_SECTORS: Final = TypeAdapter(dict[str, Names])


@dataclass(frozen=True)
class KindDefaults:
    """What a kind says of its sites and places. `sector` None: the site's. `usual_stay` minutes.

    `workdays`: usually open from Monday to Friday only.
    """

    kind: str
    name: Names
    level: Level
    sector: str | None
    enclosed: bool
    small: SmallRule
    gate: bool
    vehicle: bool
    hours: Hours | None
    workdays: bool
    usual_stay: int | None
    stay_basis: str | None
    sizes: SmallSizes

    def is_small(self, capacity: int | None = None, area_m2: float | None = None) -> bool:
        """Whether a place of this kind and size is narrow (hẹp), by the rule of its kind."""
        known = self.sizes.known_small(capacity, area_m2)
        match self.small:
            case SmallRule.ALWAYS:
                return True
            case SmallRule.NEVER:
                return False
            case SmallRule.IF_KNOWN_SMALL:
                return known is True
            case SmallRule.UNLESS_KNOWN_LARGE:
                return known is not False


def parse_sectors(text: str, file: str) -> dict[str, Names]:
    """Sectors by id. Raises KindError."""
    try:
        sectors = _SECTORS.validate_python(_toml(text, file).get("sectors", {}))
    except ValidationError as error:
        raise KindError(f"{file}: {_wrong(error, 'sectors')}") from None
    if UNKNOWN not in sectors:
        raise KindError(f"{file}: sectors: {UNKNOWN} is missing")
    return sectors


def parse_kinds(text: str, file: str, sectors: dict[str, Names]) -> dict[str, KindDefaults]:
    """Kinds by id, in the file's order. Raises KindError that names every wrong field."""
    try:
        raw = _File.model_validate(_toml(text, file))
    except ValidationError as error:
        raise KindError(f"{file}: {_wrong(error)}") from None
    kinds = {}
    for kind, one in raw.kinds.items():
        about, stay = one.about, one.usual_stay
        if about.sector is not None and about.sector not in sectors:
            raise KindError(f"{file}: kinds.{kind}.is.sector: there is no sector {about.sector!r}")
        kinds[kind] = KindDefaults(
            kind=kind,
            name=one.name,
            level=about.level,
            sector=about.sector,
            enclosed=about.enclosed,
            small=about.small,
            gate=about.gate,
            vehicle=about.vehicle,
            hours=one.hours,
            workdays=one.workdays,
            usual_stay=stay.minutes if stay else None,
            stay_basis=stay.basis if stay else None,
            sizes=raw.small,
        )
    if IMPORTED not in kinds:
        raise KindError(f"{file}: kinds: {IMPORTED} is missing")
    return kinds


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KindError(f"{file}: not TOML: {error}") from None


def _wrong(error: ValidationError, *under: str) -> str:
    return "; ".join(
        f"{'.'.join(map(str, (*under, *e['loc'])))}: {e['msg']}" for e in error.errors()
    )


@cache
def sectors() -> dict[str, Names]:
    """The sectors that ship with the program."""
    file = files("issuer") / "data" / "sectors.toml"
    return parse_sectors(file.read_text("utf-8"), file.name)


@cache
def kinds() -> dict[str, KindDefaults]:
    """The kinds that ship with the program."""
    file = files("issuer") / "data" / "kinds.toml"
    return parse_kinds(file.read_text("utf-8"), file.name, sectors())


def place_defaults(kind: str) -> KindDefaults:
    """What a kind says. Raises ValueError that lists the kinds if there is none such."""
    try:
        return kinds()[kind]
    except KeyError:
        raise ValueError(f"there is no kind {kind!r}; there are {', '.join(kinds())}") from None


def usual_hours(kind: str, site_kind: str) -> Hours | None:
    """When a place of this kind is usually open at a site of that kind: not less than the site is.
    A ward or a night shift has no closing time, whatever its rooms are called; None is around the
    clock, or not known. Raises ValueError as `place_defaults` does.
    """
    own, site = place_defaults(kind).hours, place_defaults(site_kind).hours
    if site_kind == IMPORTED:  # of which nothing is known
        return own
    if own is None or site is None:
        return None
    opens = min(own.opens, site.opens)
    overnight, closes = max((h.closes <= h.opens, h.closes) for h in (own, site))
    return None if overnight and closes >= opens else Hours(opens=opens, closes=closes)


def new_site(site: int, kind: str, name: str, ward: str = UNKNOWN, **overrides: Any) -> Site:
    """A site of this kind; its sector is the kind's unless given. Raises ValueError."""
    defaults = place_defaults(kind)
    if defaults.level is Level.PLACE:
        raise ValueError(f"{kind} is a kind of places, not of sites")
    filled = {"id": site, "kind": kind, "name": name, "ward": ward, "sector": defaults.sector}
    return _made(Site, filled, overrides)


def new_place(
    site: Site, place: int, kind: str, name: str, area_m2: float | None = None, **overrides: Any
) -> Place:
    """A place of the site, filled in by its kind. `overrides` are fields of Place and win.

    `small` follows from `capacity` or `area_m2` by the rule of the kind. Raises ValueError (or
    pydantic's, which is one) for a kind that is not one of places and for a field that is wrong.
    """
    defaults = place_defaults(kind)
    if defaults.level is Level.SITE:
        raise ValueError(f"{kind} is a kind of sites: give each gate, room or section its own")
    filled = {
        "id": place, "site": site.id, "name": name, "kind": kind, "ward": site.ward,
        "sector": site.sector, "hours": usual_hours(kind, site.kind),
        "enclosed": defaults.enclosed,
        "small": defaults.is_small(overrides.get("capacity"), area_m2),
        "gate": defaults.gate, "usual_stay": defaults.usual_stay,
    }  # fmt: skip
    return _made(Place, filled, overrides)


def of_kind(place: Place, kind: str, site_kind: str, capacity: int | None) -> dict[str, Any]:
    """What a place that is of another kind from now on is taken to be: the fields that are as its
    kind had it, as the new one has them. What somebody has said of it stays. `capacity`:
    what it holds from now on. Raises ValueError as `place_defaults` does.
    """
    was = _said(place.kind, site_kind, place.capacity)
    now = _said(kind, site_kind, capacity)
    if place.hours == place_defaults(place.kind).hours:  # as it was before sites were looked at
        was["hours"] = place.hours
    return {name: value for name, value in now.items() if getattr(place, name) == was[name]}


def _said(kind: str, site_kind: str, capacity: int | None) -> dict[str, Any]:
    about = place_defaults(kind)
    return {
        "hours": usual_hours(kind, site_kind), "enclosed": about.enclosed,
        "small": about.is_small(capacity), "gate": about.gate,
        "usual_stay": about.usual_stay,
    }  # fmt: skip


def _made(record: type[_Record], filled: dict[str, Any], overrides: dict[str, Any]) -> _Record:
    if stray := overrides.keys() - record.model_fields.keys():
        raise ValueError(f"{record.__name__} has no field {', '.join(sorted(stray))}")
    return record.model_validate({**filled, **overrides})
