"""The shapes of comparing two rule-sets."""

from typing import Any, Final, Literal

from console.api.schemas import ApiModel, example
from schemas.scan import Timestamp

_SIDE: Final = {
    "window_from": "2026-11-17T17:00:00.000Z",
    "window_to": "2026-11-24T03:00:00.000Z",
    "notes": [],
}


class ComparedRuleSet(ApiModel):
    """What one of two rule-sets finds: how many possible contacts, how many of them to call."""

    rule_set: str
    window_from: Timestamp
    window_to: Timestamp
    contacts: int
    call: int
    notes: list[dict[str, str]]


class ContactChange(ApiModel):
    """One person. `before` or `after` is null where they are not a possible contact."""

    person: str
    change: Literal["added", "removed", "changed"]
    reasons: list[Literal["window", "intervals", "clauses", "weights"]]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RulesDiff(ApiModel):
    """Two rule-sets on the same scans of one case."""

    model_config = example(
        {
            "case": "C-2026-000123",
            "a": _SIDE | {"rule_set": "vn-2020-12-03", "contacts": 24, "call": 15},
            "b": _SIDE | {"rule_set": "vn-2021-12-29", "contacts": 23, "call": 14},
            "changes": [
                {
                    "person": "2C9V0A7NJ5X1T",
                    "change": "removed",
                    "reasons": ["window"],
                    "before": {"tier": "same_place", "call": True, "minutes": 30.5},
                    "after": None,
                }
            ],
        }
    )

    case: str
    a: ComparedRuleSet
    b: ComparedRuleSet
    changes: list[ContactChange]
