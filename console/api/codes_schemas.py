"""What goes in and out of the routes of codes."""

from typing import Annotated, Final

from pydantic import Field

from console.api.register_schemas import Note, Reason
from console.api.schemas import ApiModel, Sentence, example
from issuer.delivered import MAX_TEXT, Delivery
from issuer.rotation import Left
from issuer.standing import Standing
from schemas.scan import Timestamp

MOST_OVERLAP_DAYS: Final = 90
DEFAULT_OVERLAP_DAYS: Final = 14


class IssueCode(ApiModel):
    """A first code, or the next version of one; those before end `overlap_days` after it begins."""

    model_config = example({"valid_from": "2026-11-30T17:00:00.000Z", "overlap_days": 14})

    valid_from: Annotated[Timestamp, Field(description="Now, without it.")] | None = None
    overlap_days: Annotated[int, Field(ge=0, le=MOST_OVERLAP_DAYS)] = DEFAULT_OVERLAP_DAYS
    again: Annotated[
        bool, Field(description="Also where one was just made, or an overlap runs.")
    ] = False
    note: Note | None = None


class RevokeCode(ApiModel):
    """Why this version is refused from now on; `new`: with a next one at once if none is left.

    `since`: from an earlier moment on. What was scanned by it since does not count any more: open
    cases that were there are traced again, and possible contacts may be withdrawn.
    """

    model_config = example(
        {
            "reason": "photographed and posted online",
            "new": True,
            "since": "2026-11-20T01:00:00.000Z",
        }
    )

    reason: Reason
    new: bool = False
    since: Timestamp | None = None


class OneCode(ApiModel):
    """One version of a place's code, as it stands."""

    version: int
    token: str
    url: str
    valid_from: Timestamp | None
    valid_to: Timestamp | None
    revoked_at: Timestamp | None
    revoked_reason: str | None
    taken_back_at: Annotated[
        Timestamp | None,
        Field(description="When it was revoked from before: scans accepted until then are out."),
    ]


class PlaceCodes(ApiModel):
    """A place's codes after what was asked; `changed` false: they were left as they were."""

    model_config = example(
        {
            "place": 4711,
            "version": 3,
            "changed": True,
            "left": None,
            "codes": [
                {
                    "version": 2,
                    "token": "00004K7027S3TFJ5QD",
                    "url": "HTTPS://TRUYVET.VN/C/00004K7027S3TFJ5QD",
                    "valid_from": "2026-11-30T17:00:00.000Z",
                    "valid_to": None,
                    "revoked_at": None,
                    "revoked_reason": None,
                    "taken_back_at": None,
                }
            ],
        }
    )

    place: int
    version: Annotated[int, Field(description="Of the place's record.")]
    changed: bool
    left: Left | None
    codes: list[OneCode]


class VerifyCode(ApiModel):
    """What a scanner or a person delivers: a URL or a token, in any case or keyboard layout."""

    model_config = example({"text": "https://truyvet.vn/c/00004k7027s3tfj5qd"})

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class CodeSaid(ApiModel):
    """What a code is. `place` and `version` are null if it cannot be read.

    The names only within the key's area. `delivered`: the form in which it came.
    """

    model_config = example(
        {
            "good": False,
            "standing": "revoked",
            "sentence": {"vi": "Mã đã bị thu hồi.", "en": "The code is revoked."},
            "ours": True,
            "delivered": "typed",
            "place": 4711,
            "version": 1,
            "place_name": "Cổng chính",
            "site_name": "Chợ An Dương",
            "ward": "11413",
            "valid_from": None,
            "valid_to": None,
            "revoked_at": "2026-11-20T01:00:00.000Z",
            "revoked_reason": "photographed and posted online",
        }
    )

    good: bool
    standing: Standing
    sentence: Sentence
    ours: bool
    delivered: Delivery | None = None
    place: int | None = None
    version: int | None = None
    place_name: str | None = None
    site_name: str | None = None
    ward: str | None = None
    valid_from: Timestamp | None = None
    valid_to: Timestamp | None = None
    revoked_at: Timestamp | None = None
    revoked_reason: str | None = None
    taken_back_at: Timestamp | None = None
