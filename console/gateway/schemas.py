"""What the gateway answers."""

from typing import Annotated, Literal

from pydantic import Field

from console.api.schemas import ApiModel, Sentence, example
from schemas.reasons import Reason


class RefusedScan(ApiModel):
    """A scan the gateway did not publish. `line` counts from 1, as the text editor does."""

    line: int
    event_id: str | None
    reason: Reason
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
