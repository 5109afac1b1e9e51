"""A site, a place and a step of their history on the terminal."""

from typing import TYPE_CHECKING, Final

from console.cli.out import line
from console.cli.session import Session
from schemas.clock import local_text

if TYPE_CHECKING:
    from datetime import datetime

    from console.store.history import Step
    from schemas.places import Code, Place, Site

STATUSES: Final = {"active": ("đang hoạt động", "active"), "closed": ("đã đóng", "closed")}


def show_site(site: "Site", session: Session) -> None:
    """A line a field."""
    line(f"#{site.id} {site.name} ({state_text(site, session)})")
    for (vi, en), value in (
        (("Loại", "Kind"), site.kind),
        (("Địa bàn", "Ward"), site.ward),
        (("Ngành", "Sector"), site.sector),
        (("Địa chỉ", "Address"), site.address),
        (("Phiên bản", "Version"), site.version),
    ):
        if value:
            line(f"  {session.words(vi, en):<24} {value}")


def state_text(site: "Site", session: Session) -> str:
    """Active, closed, or merged into which."""
    if site.merged_into:
        number = site.merged_into
        return session.words(f"đã gộp vào #{number}", f"merged into #{number}")
    return session.words(*STATUSES[site.status])


def show_place(place: "Place", session: Session) -> None:
    """Its name, and a line for each version of its code."""
    closed = f" ({session.words(*STATUSES[place.status])})" if place.status == "closed" else ""
    line(f"  #{place.id} {place.name} [{place.kind}]{closed}")
    for code in place.codes:
        line(f"      v{code.version} {code.token} {_interval(code, session)}".rstrip())


def show_place_fields(place: "Place", session: Session) -> None:
    """What else is known of it, a line a field."""
    words, hours = session.words, place.hours
    for (vi, en), value in (
        (("Cơ sở", "Site"), f"#{place.site}"),
        (("Địa bàn", "Ward"), place.ward),
        (("Ngành", "Sector"), place.sector),
        (("Giờ mở cửa", "Hours"), f"{hours.opens}-{hours.closes}" if hours else ""),
        (("Sức chứa", "Capacity"), place.capacity),
        (("Thường ở lại, phút", "Usual stay, minutes"), place.usual_stay),
        (("Kín", "Enclosed"), words("có", "yes") if place.enclosed else words("không", "no")),
        (("Hẹp", "Small"), words("có", "yes") if place.small else words("không", "no")),
        (("Chỉ là lối qua", "Only a gate"), words("có", "yes") if place.gate else ""),
        (("Chuyến", "Trips"), len(place.trips)),
        (("Phiên bản", "Version"), place.version),
    ):
        if value:
            line(f"    {words(vi, en):<38} {value}")


def _interval(code: "Code", session: Session) -> str:
    def at(vi: str, en: str, when: "datetime | None") -> str:
        return f"{session.words(vi, en)} {local_text(when)}" if when else ""

    if code.revoked_at:
        return f"{at('thu hồi', 'revoked', code.revoked_at)} ({code.revoked_reason})"
    both = at("từ", "from", code.valid_from), at("đến", "to", code.valid_to)
    return "  ".join(filter(None, both))


def step_text(step: "Step") -> str:
    """One change: when, who, what from what."""
    changes = "; ".join(f"{k}: {step.before[k]} → {v}" for k, v in step.after.items())
    noted = f"  «{step.note}»" if step.note else ""
    return f"  {local_text(step.at)}  {step.by}  {step.what}  {changes}{noted}"
