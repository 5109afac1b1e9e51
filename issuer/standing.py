"""What a delivered code is worth at a moment: valid, or the first thing that is wrong with it."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from issuer.delivered import Reading
from schemas.places import Code, Place


class Standing(StrEnum):
    """What a code is; only `VALID` is good."""

    VALID = "valid"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    FORGED = "forged"
    OTHER_HOST = "other_host"
    UNREADABLE = "unreadable"


SENTENCES: Final[dict[Standing, tuple[str, str]]] = {
    Standing.VALID: ("Mã còn hiệu lực.", "The code is valid."),
    Standing.NOT_YET: ("Mã chưa đến ngày có hiệu lực.", "The code is not valid yet."),
    Standing.EXPIRED: (
        "Mã đã hết hạn: hãy thay áp phích bằng bản mới.",
        "The code has expired: put up the new poster.",
    ),
    Standing.REVOKED: ("Mã đã bị thu hồi.", "The code is revoked."),
    Standing.UNKNOWN: (
        "Khoá của hệ thống đã ký mã này nhưng sổ đăng ký không có: mã của hệ thống khác?",
        "Signed by one of our keys, but not in this register: is it from another installation?",
    ),
    Standing.FORGED: (
        "Mã giả: không khoá nào của hệ thống tạo ra mã này.",
        "Forged: none of our keys made this code.",
    ),
    Standing.OTHER_HOST: (
        "Đường dẫn trong mã không phải của hệ thống này: hãy gỡ áp phích và báo cáo.",
        "The code's address leads to another host than ours: take it down and report it.",
    ),
    Standing.UNREADABLE: (
        "Không phải mã địa điểm, hoặc bị sai ký tự: hãy quét lại.",
        "Not a location code, or a character is wrong: scan it again.",
    ),
}


def standing_of(reading: Reading, place: Place | None, origin: str, at: datetime) -> Standing:
    """What the code is worth at that time. `place`: what the register has under its number.

    The first that holds, and a revocation before the interval, as for a scan
    (`streams/resolve.py`).
    """
    # people leave the scheme out
    if reading.origin not in (None, origin, origin.partition("//")[2]):
        return Standing.OTHER_HOST
    if not reading.ours:
        return Standing.FORGED
    code = code_of(reading, place)
    if code is None:
        return Standing.UNKNOWN
    if code.revoked_at is not None and code.revoked_at <= at:
        return Standing.REVOKED
    if code.valid_from is not None and at < code.valid_from:
        return Standing.NOT_YET
    if code.valid_to is not None and code.valid_to <= at:
        return Standing.EXPIRED
    return Standing.VALID


def code_of(reading: Reading, place: Place | None) -> Code | None:
    """The version that was read, if the place has it with this very token."""
    codes = place.codes if place else ()
    return next((code for code in codes if code.token == reading.token), None)
