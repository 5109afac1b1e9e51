"""Routes of codes: issue and rotate, revoke, and what a code that was read is."""

from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path

from console.access import Principal, Requires, Right
from console.api.codes_schemas import (
    CodeSaid,
    IssueCode,
    OneCode,
    PlaceCodes,
    RevokeCode,
    VerifyCode,
)
from console.api.documented import answers
from console.api.errors import ApiError, field_problem, invalid
from console.api.register_reading import PlaceId, place_within
from console.api.schemas import Sentence
from console.api.state import Console, console_of
from console.store import sites
from console.store.codes import Decide, change_codes
from console.store.engine import utc_now
from console.store.errors import NotFound
from console.store.history import What, Why
from issuer.codes import BadToken, KeyRing, code_url
from issuer.delivered import read_text
from issuer.rotation import Left, issued, revoked, rotated, too_far, usable
from issuer.standing import SENTENCES, Standing, code_of, standing_of
from schemas.places import Place

log = structlog.get_logger()
router = APIRouter(prefix="/v1", tags=["codes"])

ConsoleOf = Annotated[Console, Depends(console_of)]
Manages = Annotated[Principal, Depends(Requires(Right.CODES_MANAGE))]
Verifies = Annotated[Principal, Depends(Requires(Right.CODES_VERIFY))]
Version = Annotated[int, Path(ge=1, lt=1024)]


@router.get("/places/{place_id}/codes", summary="The codes of a place", responses=answers(404))
def listed(place_id: PlaceId, principal: Manages, console: ConsoleOf) -> PlaceCodes:
    """All versions, those that are revoked or have ended too."""
    return _codes(console, place_within(console, principal, place_id), changed=False, left=None)


@router.post(
    "/places/{place_id}/codes",
    summary="Issue a code, or rotate it",
    responses=answers(404, 409, 503),
)
def issue(place_id: PlaceId, body: IssueCode, principal: Manages, console: ConsoleOf) -> PlaceCodes:
    """A first code if none is in force; else the next version, the old one ending after the
    overlap. Sent again within ten minutes, while that overlap runs, or with the same `valid_from`,
    it changes nothing.
    """
    place = place_within(console, principal, place_id)
    ring, now = ring_of(console), utc_now()
    begins = body.valid_from or now
    overlap = timedelta(days=body.overlap_days)
    first = not any(usable(code, now) for code in place.codes)

    def decide(place: Place) -> Place | Left:
        if not any(usable(code, now) for code in place.codes):
            return issued(place, ring, begins)
        return rotated(place, ring, begins, overlap, now=now, again=body.again)

    what = What.ISSUE if first else What.ROTATE
    return _changed(console, place_id, decide, Why(principal.by, what, body.note))


@router.post(
    "/places/{place_id}/codes/{version}/revoke",
    summary="Revoke a code",
    responses=answers(404, 409, 503),
)
def revoke(
    place_id: PlaceId, version: Version, body: RevokeCode, principal: Manages, console: ConsoleOf
) -> PlaceCodes:
    """Scans made from now on, or `since`, are refused; earlier ones stay. Revoked before, it stays
    as it is."""
    place = place_within(console, principal, place_id)
    if all(code.version != version for code in place.codes):
        raise NotFound(
            f"Điểm quét {place_id} không có mã phiên bản {version}. / "
            f"Place {place_id} has no code of version {version}."
        )
    ring = ring_of(console) if body.new else None
    now = utc_now()
    if body.since is not None and (wrong := too_far(body.since, now)):
        raise invalid(field_problem("since", "too_far", *(f"{words}." for words in wrong)))

    def decide(place: Place) -> Place | Left:
        return revoked(place, version, now, body.reason, ring=ring, since=body.since)

    why = Why(principal.by, What.REVOKE, body.reason)
    return _changed(console, place_id, decide, why)


@router.post("/codes/verify", summary="What a code is", responses=answers(503))
def verify(body: VerifyCode, principal: Verifies, console: ConsoleOf) -> CodeSaid:
    """Place, version, whether one of our keys made it, and whether a scan now would be accepted."""
    try:
        reading = read_text(ring_of(console), body.text)
    except BadToken:
        return _said(Standing.UNREADABLE, ours=False)
    place = sites.place(console.store, reading.fields.place)
    standing = standing_of(reading, place, console.settings.code_origin, utc_now())
    fields = {
        "delivered": reading.delivery,
        "place": reading.fields.place,
        "version": reading.fields.version,
    }
    if place is not None and reading.ours and principal.has(place):
        names = sites.named(console.store, [place.id])[place.id]
        fields |= {"place_name": names.name, "site_name": names.site_name, "ward": place.ward}
        if code := code_of(reading, place):
            kept = ("valid_from", "valid_to", "revoked_at", "revoked_reason", "taken_back_at")
            fields |= {name: getattr(code, name) for name in kept}
    return _said(standing, ours=reading.ours, **fields)


def ring_of(console: Console) -> KeyRing:
    """The keys of the codes. Raises ApiError (503) if this console was started without them."""
    try:
        return KeyRing.parse(console.settings.code_keys.get_secret_value())
    except ValueError:
        raise ApiError(
            503,
            "no_code_keys",
            "Console này chạy mà không có TRUYVET_CODE_KEYS.",
            "This console was started without TRUYVET_CODE_KEYS.",
        ) from None


def _said(standing: Standing, *, ours: bool, **fields: object) -> CodeSaid:
    vi, en = SENTENCES[standing]
    said = {
        "good": standing is Standing.VALID,
        "standing": standing,
        "sentence": Sentence(vi=vi, en=en),
        "ours": ours,
    }
    return CodeSaid.model_validate(said | fields)


def _changed(console: Console, place_id: int, decide: Decide, why: Why) -> PlaceCodes:
    done = change_codes(console.store, [place_id], decide, why)
    left = next(iter(done.left), None)
    if left in _REFUSED:
        raise ApiError(409, "conflict", *_REFUSED[left])
    after = done.places[0] if done.places else sites.place(console.store, place_id)
    assert after is not None
    if done.places:
        console.relay.wake()
        log.info("codes_changed", place=place_id, what=why.what.value, version=after.version)
    return _codes(console, after, changed=bool(done.places), left=left)


def _codes(console: Console, place: Place, *, changed: bool, left: Left | None) -> PlaceCodes:
    origin = console.settings.code_origin
    return PlaceCodes(
        place=place.id,
        version=place.version,
        changed=changed,
        left=left,
        codes=[OneCode(url=code_url(origin, c.token), **c.model_dump()) for c in place.codes],
    )


_REFUSED = {
    Left.CLOSED: (
        "Điểm quét này đã đóng: không có mã mới.",
        "This place is closed: it gets no new code.",
    ),
    Left.USED_UP: (
        "Điểm quét này đã dùng hết 1023 phiên bản mã: hãy đăng ký lại.",
        "All 1,023 versions of this place's code are used up: register it anew.",
    ),
}
