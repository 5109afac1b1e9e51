"""Which posters a ward, a district, a site or some places need, by what the store holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from console.store import tables
from console.store.engine import Store
from console.store.postings import Mark, mark
from console.store.rows import site_of
from console.store.sites import places_by_id
from issuer import units
from issuer.poster import MAX_NAME, Sheet, plain
from issuer.walk import walk_key
from schemas.coverage import Fact
from schemas.errors import UserError
from schemas.places import Place, Site, Status

_Item = TypeVar("_Item")
_AT_ONCE: Final = 500  # SQLite takes a bounded number of parameters


@dataclass(frozen=True)
class Wanted:
    """Exactly one of these is set. Codes of units are those of `issuer.units`."""

    ward: str | None = None
    district: str | None = None
    site: int | None = None
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class Selection:
    """What is printed: (place, version of its code) in the order of a walk.

    `name` is for files: `ward-11413`. Left out: places whose code is not in force, closed ones.
    """

    title: str
    name: str
    chosen: tuple[tuple[int, int], ...]
    no_code: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()


@dataclass
class _Area:
    title: str
    name: str
    where: list[ColumnElement[bool]] = field(default_factory=list)


def select_posters(store: Store, wanted: Wanted, at: datetime) -> Selection:
    """The places wanted with the code that a scan at that time may use.

    Raises UserError that names the option for a unit, site or place that does not exist, for a
    name too long to print, and when nothing is left to print.
    """
    with store.read() as connection:
        area = _area(connection, wanted)
        rows = [row for where in area.where for row in connection.execute(_places(where))]
        versions = {
            place: version
            for where in area.where
            for place, version in connection.execute(_in_force(where, at))
        }
    if missing := set(wanted.places) - {row.id for row in rows}:
        numbers = ", ".join(map(str, sorted(missing)[:20]))
        raise UserError(
            f"--place: không có điểm quét {numbers}. / --place: there is no place {numbers}."
        )
    active = [row for row in rows if row.status == row.site_status == Status.ACTIVE]
    chosen = [row for row in active if row.id in versions]
    if not chosen:
        raise UserError(_nothing(area.title, len(rows), len(active)))
    for row in chosen:
        _check_names(row)
    chosen.sort(key=_walk)
    return Selection(
        area.title,
        area.name,
        tuple((row.id, versions[row.id]) for row in chosen),
        tuple(sorted(row.id for row in active if row.id not in versions)),
        tuple(sorted({row.id for row in rows} - {row.id for row in active})),
    )


def sheets_of(store: Store, chosen: Sequence[tuple[int, int]]) -> Iterator[Sheet]:
    """The sheets of these (place, version), in this order, some hundred read at a time.

    Ends early when one is not there any more: whoever counts notices.
    """
    for some in _some(chosen):
        with store.read() as connection:
            places = {p.id: p for p in places_by_id(connection, [place for place, _ in some])}
            sites = _sites(connection, {place.site for place in places.values()})
        for place_id, version in some:
            sheet = _sheet(places.get(place_id), sites, version)
            if sheet is None:
                return
            yield sheet


def mark_printed(store: Store, chosen: Sequence[tuple[int, int]], at: datetime) -> None:
    """That these (place, version) are printed; a few hundred in a transaction."""
    for some in _some(chosen):
        marks = [Mark(place, Fact.PRINTED, at, version) for place, version in some]
        with store.write() as connection:
            mark(connection, marks)


def _some(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))


def _sheet(place: Place | None, sites: dict[int, Site], version: int) -> Sheet | None:
    if place is None:
        return None
    code = next((c for c in place.codes if c.version == version), None)
    return None if code is None else Sheet(place, sites[place.site], code)


def _sites(connection: Connection, ids: set[int]) -> dict[int, Site]:
    query = select(tables.sites).where(tables.sites.c.id.in_(ids))
    return {row.id: site_of(row) for row in connection.execute(query)}


def _area(connection: Connection, wanted: Wanted) -> _Area:
    p, s = tables.places.c, tables.sites.c
    if wanted.ward is not None:
        title = _ward_title(wanted.ward)
        return _Area(title, f"ward-{wanted.ward}", [p.ward == wanted.ward])
    if wanted.district is not None:
        wards = units.wards_in(f"district/{wanted.district}")
        if not wards:
            raise UserError(
                f"--district {wanted.district}: không có quận, huyện nào mang mã này. / "
                f"--district {wanted.district}: no district has this code."
            )
        title = f"{wards[0].district_name}, {wards[0].province_name}"
        return _Area(title, f"district-{wanted.district}", [p.ward.in_([w.code for w in wards])])
    if wanted.site is not None:
        name = connection.scalar(select(s.name).where(s.id == wanted.site))
        if name is None:
            raise UserError(
                f"--site: không có cơ quan, đơn vị {wanted.site}. / "
                f"--site: there is no site {wanted.site}."
            )
        return _Area(name, f"site-{wanted.site}", [p.site == wanted.site])
    places = sorted(set(wanted.places))
    title = f"{len(places)} điểm quét / places"
    return _Area(title, "places", [p.id.in_(some) for some in _some(places)])


def _ward_title(code: str) -> str:
    if code == units.UNKNOWN_WARD:  # sites of imported lists, before somebody says where they are
        return "Chưa rõ xã, phường / ward not known"
    try:
        return units.area_name(f"ward/{code}")
    except ValueError:
        raise UserError(
            f"--ward {code}: không có xã, phường nào mang mã này. / "
            f"--ward {code}: no ward has this code."
        ) from None


def _places(where: ColumnElement[bool]) -> Any:
    p, s = tables.places.c, tables.sites.c
    return (
        select(
            p.id, p.ward, p.gate, p.name, p.status, s.id.label("site"), s.address,
            s.name.label("site_name"), s.status.label("site_status"),
        )
        .join(tables.sites, s.id == p.site)
        .where(where)
    )  # fmt: skip


def _in_force(where: ColumnElement[bool], at: datetime) -> Any:
    """As `issuer.codes.code_at`, but a code whose revocation is still to come is not printed."""
    p, c = tables.places.c, tables.codes.c
    in_force = and_(
        c.revoked_at.is_(None),
        or_(c.valid_from.is_(None), c.valid_from <= at),
        or_(c.valid_to.is_(None), c.valid_to > at),
    )
    return (
        select(c.place, func.max(c.version))
        .join(tables.places, p.id == c.place)
        .where(where, in_force)
        .group_by(c.place)
    )


def _walk(row: Row[Any]) -> Any:
    return walk_key(row.ward, row.address, row.site_name, row.site, row.gate, row.id)


def _check_names(row: Row[Any]) -> None:
    for vi, en, text in (
        ("tên điểm quét", "the place's name", row.name),
        ("tên cơ quan, đơn vị", "the site's name", row.site_name),
        ("địa chỉ", "the address", row.address or ""),
    ):
        if len(text) <= MAX_NAME:
            continue
        try:
            plain(text)
        except ValueError:
            raise UserError(
                f"Điểm quét {row.id}: {vi} dài {len(text)} ký tự, áp phích chỉ chứa {MAX_NAME}. / "
                f"Place {row.id}: {en} has {len(text)} characters and a poster holds {MAX_NAME}."
            ) from None


def _nothing(title: str, places: int, active: int) -> str:
    if not places:
        return f"{title}: chưa đăng ký điểm quét nào. / {title}: no place is registered."
    if not active:
        return (
            f"{title}: {places} điểm quét đều đã đóng. / "
            f"{title}: all of {places} places are closed."
        )
    return (
        f"{title}: {active} điểm quét, không có mã nào còn hiệu lực. / "
        f"{title}: of {active} places none has a code in force."
    )
