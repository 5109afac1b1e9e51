"""What a card that was read is worth, and which card it is."""

from enum import StrEnum
from typing import Final

from console.store.cards import Card, card_by_number
from console.store.engine import Store
from issuer.codes import BadToken
from issuer.delivered import read_card_text
from issuer.keyring import KeyRing


class CardStanding(StrEnum):
    """What a card is worth; only `VALID` is good."""

    VALID = "valid"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    FORGED = "forged"
    UNREADABLE = "unreadable"


SENTENCES: Final[dict[CardStanding, tuple[str, str]]] = {
    CardStanding.VALID: ("Thẻ còn hiệu lực.", "The card is valid."),
    CardStanding.REVOKED: ("Thẻ đã bị thu hồi.", "The card is revoked."),
    CardStanding.UNKNOWN: (
        "Khoá của hệ thống đã ký thẻ này nhưng sổ không có: thẻ của hệ thống khác?",
        "Signed by one of our keys, but not in this register: is it from another installation?",
    ),
    CardStanding.FORGED: (
        "Thẻ giả: không khoá nào của hệ thống tạo ra thẻ này.",
        "Forged: none of our keys made this card.",
    ),
    CardStanding.UNREADABLE: (
        "Không phải thẻ, hoặc bị sai ký tự: hãy quét lại.",
        "Not a card, or a character is wrong: scan it again.",
    ),
}


def card_in(store: Store, ring: KeyRing, text: str) -> tuple[CardStanding, Card | None]:
    """What the text is, as a scanner delivers it, and the card if it is one of ours."""
    try:
        reading = read_card_text(ring, text)
    except BadToken:
        return CardStanding.UNREADABLE, None
    if reading.number is None:
        return CardStanding.FORGED, None
    card = card_by_number(store, reading.number)
    if card is None:
        return CardStanding.UNKNOWN, None
    return (CardStanding.VALID if card.revoked_at is None else CardStanding.REVOKED), card
