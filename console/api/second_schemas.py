"""The shape of contacts of possible contacts."""

from typing import Annotated, Any

from pydantic import Field

from console.api.schemas import ApiModel, Sentence, example


class SecondContacts(ApiModel):
    """F2s of a case, each with the path to it. Possible ones, as the F1s are.

    `f2`: whether the rule-set has a definition of F2, and `note` what it says. `followed`: how
    many possible contacts were followed from their first exposure on; `not_followed`, how many
    on the call list were too many to. `left_out`: F2s beyond those that can be named.
    """

    model_config = example(
        {
            "case": "C-2026-000123",
            "run": 1,
            "rule_set": "vn-2021-07-30",
            "f2": True,
            "note": {"vi": "F2 …", "en": "F2 …"},
            "followed": 1,
            "not_followed": 0,
            "contacts": [
                {
                    "rank": 1,
                    "person": "FZ3052HTPXQGS",
                    "tier": "same_small_enclosed",
                    "minutes": 45.0,
                    "band": "medium",
                    "through": ["2C9V0A7NJ5X1T"],
                    "path": [
                        {"person": "7ZK3M9QX2B4CD", "case": "C-2026-000123"},
                        {
                            "place": 4711,
                            "start": "2026-11-20T01:00:00.000Z",
                            "end": "2026-11-20T02:35:00.000Z",
                        },
                        {"person": "2C9V0A7NJ5X1T"},
                        {
                            "place": 320,
                            "start": "2026-11-21T05:00:00.000Z",
                            "end": "2026-11-21T05:45:00.000Z",
                        },
                        {"person": "FZ3052HTPXQGS"},
                    ],
                }
            ],
            "total": 1,
            "left_out": 0,
        }
    )

    case: str
    run: int
    rule_set: str
    f2: bool
    note: Sentence
    followed: int
    not_followed: int
    contacts: Annotated[list[Any], Field(description="The tracer's documents, by rank.")]
    total: int
    left_out: int
