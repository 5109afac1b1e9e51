"""The shapes of comparing two rule-sets."""

from typing import Any, Literal

from console.api.schemas import ApiModel
from schemas.scan import Timestamp


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

    case: str
    a: ComparedRuleSet
    b: ComparedRuleSet
    changes: list[ContactChange]
