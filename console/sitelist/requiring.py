"""A list of establishments that must have codes, read as officers have it, and its entries."""

from dataclasses import dataclass
from datetime import date

from console.sitelist.register import Grouped, grouped
from console.sitelist.understand import Understood
from console.store.required_reading import Needed
from schemas.coverage import RequiredList
from schemas.errors import UserError

_MOST_ID = 64


@dataclass(frozen=True)
class RequiredPlan:
    """What a list says: `entries`, one an establishment, however many rows it has."""

    understood: Understood
    grouped: Grouped
    entries: list[Needed]


def plan_required(understood: Understood) -> RequiredPlan:
    """Under the keys by which `truyvet sites import` registers: so both find each other."""
    groups = grouped(understood.listed)
    entries = [
        Needed(site.external_key, site.name, site.address, site.ward, site.kind, site.sector)
        for site in groups.sites
    ]
    return RequiredPlan(understood, groups, entries)


def list_of(list_id: str, name: str, keeper: str, as_of: date, entries: int) -> RequiredList:
    """The list's own record. Raises UserError that names what is missing."""
    if not list_id.strip() or len(list_id) > _MOST_ID or "/" in list_id:
        raise UserError(
            f"--list: tên ngắn của danh sách, tối đa {_MOST_ID} ký tự, không có '/'. / "
            f"--list: a short name of the list, at most {_MOST_ID} characters, without '/'."
        )
    if not keeper.strip():
        raise UserError(
            "--keeper: cơ quan giữ danh sách, ví dụ Sở Công Thương. / "
            "--keeper: whose list it is, such as Sở Công Thương."
        )
    return RequiredList(
        id=list_id, name=name.strip() or list_id, keeper=keeper, as_of=as_of, entries=entries
    )
