"""What the gateway answers."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from console.api.schemas import ApiModel, Sentence, example
from schemas.reasons import Reason
from schemas.scan import Timestamp


class CardReason(StrEnum):
    """Why a scan of a card is refused: by the gateway alone, since no card goes any further."""

    UNKNOWN_CARD = "unknown_card"
    REVOKED_CARD = "revoked_card"


CARD_SENTENCES: Final[dict[CardReason, tuple[str, str]]] = {
    CardReason.UNKNOWN_CARD: (
        "Thẻ không tồn tại, bị giả mạo hoặc quét sai ký tự.",
        "The card does not exist, is forged, or a character of it is wrong.",
    ),
    CardReason.REVOKED_CARD: (
        "Thẻ đã bị thu hồi trước khi quét: hãy xin cấp thẻ mới.",
        "The card was revoked before it was scanned: ask for a new one.",
    ),
}


class RefusedScan(ApiModel):
    """A scan the gateway did not publish. `line` counts from 1, as the text editor does."""

    line: int
    event_id: str | None
    reason: Reason | CardReason
    detail: str
    sentence: Sentence


class Published(ApiModel):
    """What became of posted scans. `accepted`: the broker has them; the worker judges them."""

    model_config = example(
        {
            "accepted": 1,
            "refused": [
                {
                    "line": 2,
                    "event_id": None,
                    "reason": "wrong_schema",
                    "detail": "direction: Input should be 'in', 'out' or 'pass'",
                    "sentence": {
                        "vi": "Bản ghi không đúng lược đồ lượt quét.",
                        "en": "The record does not follow the schema of a scan.",
                    },
                }
            ],
        }
    )

    accepted: int
    refused: list[RefusedScan]


class ScanOutcome(ApiModel):
    """What became of one scan.

    `pending`: the broker has it, not yet written. `duplicate`: another producer's was first.
    """

    model_config = example(
        {
            "state": "written",
            "duplicates": 1,
            "reason": None,
            "detail": None,
            "sentence": {
                "vi": "Lượt quét đã được ghi nhận.",
                "en": "The scan is recorded.",
            },
        }
    )

    state: Literal["written", "duplicate", "rejected", "pending"]
    duplicates: Annotated[int, Field(description="How often it came again.")] = 0
    reason: Annotated[
        Reason | None,
        Field(description="Why it, or the same id with other content, was rejected."),
    ] = None
    detail: str | None = None
    sentence: Sentence


_REJECT: Final = {
    "appended_at": "2026-11-23T01:05:02.117Z",
    "reason": "expired_code",
    "detail": "the code was scanned after it ceased to be valid",
    "sentence": {
        "vi": "Mã QR địa điểm đã hết hiệu lực vào lúc quét.",
        "en": "The location code had expired when scanned.",
    },
    "event_id": "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77",
    "producer": "gate-1",
    "partition": 3,
    "offset": 51_871,
}


class Reject(ApiModel):
    """One rejected scan, without its person. `appended_at` is the broker's time (UTC)."""

    model_config = example(_REJECT)

    appended_at: Timestamp
    reason: Reason
    detail: str
    sentence: Sentence
    event_id: Annotated[str | None, Field(description="Null where it could not be read.")]
    producer: Annotated[str, Field(description="As the record says; empty if it could not be.")]
    partition: int
    offset: int


class Rejects(ApiModel):
    """A page of rejects, oldest first. `next` is null on the last one."""

    model_config = example({"rejects": [_REJECT], "next": "1795395902117-3-51871"})

    rejects: list[Reject]
    next: Annotated[str | None, Field(description="The `after` of the next page.")]


class RejectCount(ApiModel):
    """Rejects of one reason in one hour (UTC), by the broker's time."""

    hour: Timestamp
    reason: Reason
    rejects: int


class RejectSummary(ApiModel):
    """How many, by hour and reason."""

    model_config = example(
        {
            "since": "2026-11-22T01:05:00.000Z",
            "total": 17,
            "counts": [
                {"hour": "2026-11-23T01:00:00.000Z", "reason": "expired_code", "rejects": 17}
            ],
        }
    )

    since: Timestamp
    total: int
    counts: list[RejectCount]


class OutcomeCounts(ApiModel):
    """What one producer's records became. `reject_share` is null without any."""

    written: int
    duplicates: int
    rejected: int
    reject_share: float | None


class ProducerActivity(ApiModel):
    """How one producer does. Times are the broker's (UTC)."""

    producer: str
    name: Annotated[str | None, Field(description="Null if it is not registered.")]
    active: Annotated[bool | None, Field(description="Whether it may publish.")]
    last_seen_at: Annotated[Timestamp | None, Field(description="Null: not in seven days.")]
    last_hour: OutcomeCounts
    last_day: OutcomeCounts
    usual_per_hour: Annotated[
        float, Field(description="Records in an hour with any, over the seven days before.")
    ]
    silent: bool
    noisy: bool
    sentence: Annotated[Sentence | None, Field(description="Why it is silent or noisy.")]


class Activity(ApiModel):
    """Every producer in the key's area: those that need a look first."""

    model_config = example(
        {
            "as_of": "2026-11-23T01:05:00.000Z",
            "silent_after_minutes": 60,
            "noisy_share": 0.2,
            "noisy_times": 5.0,
            "producers": [
                {
                    "producer": "gate-1",
                    "name": "Cổng số 1",
                    "active": True,
                    "last_seen_at": "2026-11-22T23:01:07.201Z",
                    "last_hour": {
                        "written": 0, "duplicates": 0, "rejected": 0, "reject_share": None,
                    },
                    "last_day": {
                        "written": 5120, "duplicates": 12, "rejected": 3, "reject_share": 0.0006,
                    },
                    "usual_per_hour": 310.4,
                    "silent": True,
                    "noisy": False,
                    "sentence": {
                        "vi": "Im lặng 124 phút; giờ này mọi ngày có khoảng 290 bản ghi.",
                        "en": "Silent for 124 minutes; about 290 records are usual at this time.",
                    },
                }
            ],
        }
    )  # fmt: skip

    as_of: Timestamp
    silent_after_minutes: int
    noisy_share: float
    noisy_times: float
    producers: list[ProducerActivity]
