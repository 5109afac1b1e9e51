"""Whose scans a key may ask about: a producer its own, an officer those of its area."""

from console.access import Principal, forbidden
from console.store.engine import Store
from console.store.keys import Role
from console.store.producers import list_producers
from issuer.units import EVERYWHERE
from schemas.places import Producer


def within(principal: Principal, producer: Producer) -> bool:
    """Whether the producer reports nothing outside the key's area.

    One that is not limited to wards reports from everywhere.
    """
    if principal.area == EVERYWHERE:
        return True
    return bool(producer.wards) and all(principal.reaches(w) for w in producer.wards or ())


def asked_about(principal: Principal, store: Store, producer: str | None) -> tuple[str, ...] | None:
    """The producers that the key may see, or the one asked for; None is all, also unregistered.

    Raises ApiError (403) for another producer's, or one outside the area.
    """
    if principal.role is Role.PRODUCER:
        if principal.producer is None or producer not in (None, principal.producer):
            raise forbidden(
                "Khoá này chỉ xem được lượt quét của chính nguồn gửi đó.",
                "This key may ask about its own producer's scans only.",
            )
        return (principal.producer,)
    if principal.area == EVERYWHERE:
        return None if producer is None else (producer,)
    seen = tuple(p.id for p in list_producers(store) if within(principal, p))
    if producer is None:
        return seen
    if producer not in seen:
        raise forbidden(
            "Không có nguồn gửi này trong địa bàn của khoá.",
            "There is no such producer in this key's area.",
        )
    return (producer,)
