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
        (("Loại", "Kind"), _of("kind", site.kind, session)),
        (("Địa bàn", "Ward"), _of("ward", site.ward, session)),
        (("Ngành", "Sector"), _of("sector", site.sector, session)),
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
    line(f"  #{place.id} {place.name} [{_named('kind', place.kind, session)}]{closed}")
    for code in place.codes:
        line(f"      v{code.version} {code.token} {_interval(code, session)}".rstrip())


def show_place_fields(place: "Place", session: Session) -> None:
    """What else is known of it, a line a field."""
    words, hours = session.words, place.hours
    for (vi, en), value in (
        (("Cơ sở", "Site"), f"#{place.site}"),
        (("Địa bàn", "Ward"), _of("ward", place.ward, session)),
        (("Ngành", "Sector"), _of("sector", place.sector, session)),
        (("Giờ mở cửa", "Hours"), f"{hours.opens}-{hours.closes}" if hours else ""),
        (("Sức chứa", "Capacity"), place.capacity),
        (("Thường ở lại, phút", "Usual stay, minutes"), place.usual_stay),
        (("Kín", "Enclosed"), words("có", "yes") if place.enclosed else words("không", "no")),
        (("Hẹp", "Small"), words("có", "yes") if place.small else words("không", "no")),
        (("Chỉ là lối qua", "Only a gate"), words("có", "yes") if place.gate else ""),
        (("Nằm trong", "Lies within"), f"#{place.within}" if place.within else ""),
        (("Chuyến", "Trips"), len(place.trips)),
        (("Phiên bản", "Version"), place.version),
    ):
        if value:
            line(f"    {words(vi, en):<40} {value}")


def _of(by: str, key: str, session: Session) -> str:
    """The name, and the code by which a command asks for it."""
    name = _named(by, key, session)
    return key if name == key else f"{name} ({key})"


def _named(by: str, key: str, session: Session) -> str:
    from console.coverage.funnel import By
    from console.coverage.names import name_of

    return session.words(name_of(By(by), key), name_of(By(by), key, english=True))


def _interval(code: "Code", session: Session) -> str:
    def at(vi: str, en: str, when: "datetime | None") -> str:
        return f"{session.words(vi, en)} {local_text(when)}" if when else ""

    if code.revoked_at:
        decided = at(", quyết định", ", decided", code.taken_back_at)
        return f"{at('thu hồi', 'revoked', code.revoked_at)}{decided} ({code.revoked_reason})"
    both = at("từ", "from", code.valid_from), at("đến", "to", code.valid_to)
    return "  ".join(filter(None, both))


def step_text(step: "Step") -> str:
    """One change: when, who, what from what."""
    changes = "; ".join(
        f"{k}: {_value(step.before[k])} → {_value(v)}" for k, v in step.after.items()
    )
    noted = f"  «{step.note}»" if step.note else ""
    return f"  {local_text(step.at)}  {step.by}  {step.what}  {changes}{noted}"


def _value(value: object) -> str:
    if isinstance(value, dict):  # hours
        return "-".join(str(one) for one in value.values())
    return "–" if value is None else str(value)
