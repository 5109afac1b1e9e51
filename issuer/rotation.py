"""Issue, rotate and revoke as an officer asks for it: the place as it becomes, or why it stays.

Each leaves alone what is done already, so that a run over many places can be broken off and begun
again. Times come in as arguments.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from issuer.codes import MAX_VERSION, KeyRing, next_version, revoke
from schemas.places import REVOKED_SINCE_DAYS, Code, Place, Status

CLOSED_REASON: Final = "closed"
# A place that got a next version so short a time ago is left alone: the command was given twice.
RECENT: Final = timedelta(minutes=10)
FURTHEST: Final = timedelta(days=REVOKED_SINCE_DAYS)


class Left(StrEnum):
    """Why a place was left as it was."""

    CLOSED = "closed"
    HAS_CODE = "has_code"
    CHANGING = "changing"
    SINCE = "since"
    USED_UP = "used_up"
    NONE_IN_FORCE = "none_in_force"
    NONE_THEN = "none_then"


WHY_LEFT: Final[dict[Left, tuple[str, str]]] = {
    Left.CLOSED: ("điểm quét đã đóng", "the place is closed"),
    Left.HAS_CODE: ("đã có mã", "it has a code already"),
    Left.CHANGING: (
        "đang thay áp phích: hai phiên bản cùng hiệu lực",
        "its posters are being changed: two versions are in force",
    ),
    Left.SINCE: (
        "đã đổi mã trong mười phút qua, hoặc từ thời điểm đã nêu",
        "rotated within the last ten minutes, or since the moment that was named",
    ),
    Left.USED_UP: ("đã dùng hết 1023 phiên bản", "all 1,023 versions are used up"),
    Left.NONE_IN_FORCE: ("không có mã nào đang hiệu lực", "no code of it is in force"),
    Left.NONE_THEN: (
        "mã đang hiệu lực có sau thời điểm ấy: ghi rõ --version, hoặc thời điểm muộn hơn",
        "the code in force began after that moment: name its --version, or a later moment",
    ),
}


def too_far(since: datetime, now: datetime) -> tuple[str, str] | None:
    """Why a code cannot be revoked since then, in both languages."""
    if since > now:
        return "thời điểm ở tương lai", "it is in the future"
    if since < now - FURTHEST:
        days = FURTHEST.days
        return f"hơn {days} ngày trước", f"it is more than {days} days ago"
    return None


def usable(code: Code, at: datetime) -> bool:
    """Whether a scan at that time or later can be accepted with it."""
    return (code.revoked_at is None or code.revoked_at > at) and (
        code.valid_to is None or code.valid_to > at
    )


def accepted(code: Code, at: datetime) -> bool:
    """Whether a scan at that time is accepted with it."""
    return usable(code, at) and (code.valid_from is None or code.valid_from <= at)


def ends_within(place: Place, at: datetime, soon: timedelta) -> bool:
    """Whether the poster on the wall is refused soon: its last code ends, and none follows."""
    left = [code.valid_to for code in place.codes if usable(code, at)]
    ends = [end for end in left if end is not None]
    return (
        place.status is not Status.CLOSED
        and bool(ends)
        and len(ends) == len(left)
        and max(ends) < at + soon
    )


def issued(place: Place, ring: KeyRing, valid_from: datetime) -> Place | Left:
    """The place with a code, if it has none that is usable from `valid_from` on."""
    if place.status is Status.CLOSED:
        return Left.CLOSED
    if any(usable(code, valid_from) for code in place.codes):
        return Left.HAS_CODE
    return _next(place, ring, valid_from, timedelta(0))


def rotated(
    place: Place,
    ring: KeyRing,
    valid_from: datetime,
    overlap: timedelta,
    *,
    now: datetime,
    again: bool = False,
) -> Place | Left:
    """The place with a next version; those before end `overlap` after `valid_from`.

    Left alone if its newest code began at or after `valid_from`, and, but for `again`, for ten
    minutes after it got a next version, and while an earlier rotation's overlap runs: a third
    live version would leave posters nobody counts.
    """
    if place.status is Status.CLOSED:
        return Left.CLOSED
    live = [code for code in place.codes if usable(code, now)]
    newest = max(live, key=lambda code: code.version, default=None)
    if newest is not None and newest.valid_from is not None and newest.valid_from >= valid_from:
        return Left.SINCE
    if len(live) > 1 and not again:
        return Left.CHANGING
    if _just_renewed(place, now) and not again:
        return Left.SINCE
    return _next(place, ring, valid_from, overlap)


def revoked(
    place: Place,
    version: int | None,
    at: datetime,
    reason: str,
    *,
    ring: KeyRing | None = None,
    since: datetime | None = None,
) -> Place | Left:
    """The place with this version revoked from `at` on, or all that are usable; with a `ring`,
    and a next version from then on if an active place has no other that is usable. With `since`,
    an earlier moment, from then on, and of all only what was good then: what was scanned since is
    taken back.

    All that are usable, with the next at once: left alone for ten minutes after the same was done
    for the same reason, else the second time would revoke what the first has made.
    Raises ValueError for a blank reason; a version that is not there changes nothing.
    """
    if version is None and ring is not None and _just_replaced(place, at, reason, since):
        return Left.SINCE
    if version is None and since is not None and _all_later(place, at, since):
        return Left.NONE_THEN
    codes = tuple(
        revoke(code, since or at, reason, at)
        if code.version == version or (version is None and _meant(code, at, since))
        else code
        for code in place.codes
    )
    after = place.model_copy(update={"codes": codes, "version": place.version + 1})
    if codes == place.codes:
        after = place
    if ring is not None and place.status is Status.ACTIVE:
        renewed = issued(after, ring, at)
        if isinstance(renewed, Place):
            return renewed.model_copy(update={"version": place.version + 1})
        if renewed is Left.USED_UP and after is not place:
            return after
    return Left.NONE_IN_FORCE if after is place else after


def closed(place: Place, at: datetime) -> Place:
    """The place closed, its usable codes revoked for that reason; closed before, as it is."""
    if place.status is Status.CLOSED:
        return place
    codes = tuple(revoke(c, at, CLOSED_REASON) if usable(c, at) else c for c in place.codes)
    change = {"status": Status.CLOSED, "codes": codes, "version": place.version + 1}
    return place.model_copy(update=change)


def _just_renewed(place: Place, now: datetime) -> bool:
    """Whether its newest code followed another, and began a short while ago."""
    newest = max(place.codes, key=lambda code: code.version, default=None)
    return (
        newest is not None
        and newest.version > 1
        and newest.valid_from is not None
        and now - RECENT < newest.valid_from <= now
        and usable(newest, now)
    )


def _meant(code: Code, at: datetime, since: datetime | None) -> bool:
    """Whether it is among all that are to be revoked; what hung up later was not copied then."""
    return usable(code, at) if since is None else accepted(code, since)


def _all_later(place: Place, at: datetime, since: datetime) -> bool:
    """Whether its codes in force all began after `since`, and what was good then is not yet
    taken back."""
    done = any(c.taken_back_at and c.revoked_at and c.revoked_at <= since for c in place.codes)
    in_force = any(accepted(code, at) for code in place.codes)
    return in_force and not done and not any(_meant(code, at, since) for code in place.codes)


def _just_replaced(place: Place, now: datetime, reason: str, since: datetime | None) -> bool:
    """Whether its only usable code was made a short while ago as others were revoked for this."""
    live = [code for code in place.codes if usable(code, now)]
    return (
        len(live) == 1
        and _just_renewed(place, now)
        and any(
            (code.taken_back_at or code.revoked_at) == live[0].valid_from
            and code.revoked_reason == reason
            and (since is None or (code.revoked_at is not None and code.revoked_at <= since))
            for code in place.codes
        )
    )


def _next(place: Place, ring: KeyRing, valid_from: datetime, overlap: timedelta) -> Place | Left:
    if any(code.version == MAX_VERSION for code in place.codes):
        return Left.USED_UP
    return next_version(place, ring, valid_from, overlap)
