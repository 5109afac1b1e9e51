"""What goes out of a case's runs, and of what changed from one to another."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from console.api.schemas import ApiModel, Sentence, example
from schemas.scan import Timestamp

_RUN: Final[dict[str, Any]] = {
    "run": 2,
    "stored_at": "2026-11-23T09:12:40.031Z",
    "cause": "scan/1840",
    "because": {
        "vi": "lượt quét mới; hoặc điểm quét, mã, chuyến được sửa; hoặc ca còn ở đó",
        "en": "scans since; or places, codes or trips changed; or the case is there still",
    },
    "case_version": 1,
    "rule_set": "vn-2021-12-29",
    "contacts": 2,
    "contacts_by_tier": {"same_small_enclosed": 2, "same_place": 0, "same_time_only": 0},
    "notes": [],
}


class CaseRun(ApiModel):
    """A stored run: what made it, and how many it found. `cause`: as the run has it."""

    run: int
    stored_at: Timestamp
    cause: str
    because: Sentence
    case_version: int
    rule_set: str
    contacts: int
    contacts_by_tier: dict[str, int]
    notes: list[Any]


class CaseRuns(ApiModel):
    """The newest first; `next` goes into `before` for the page that follows, null at the end."""

    model_config = example({"case": "C-2026-000123", "runs": [_RUN], "next": None})

    case: str
    runs: list[CaseRun]
    next: int | None


class RunChange(ApiModel):
    """One person. `reasons`: of `docs/cases.md`, none of a first run; `before` is null of who is
    added and `after` of who is gone, else they are the tracer's documents as `/contacts` has them.
    """

    person: str
    kind: Literal["added", "changed", "withdrawn"]
    reasons: list[str]
    before: Any
    after: Any


class RunChanges(ApiModel):
    """By the later run's ranks, then those who are gone; `next` goes into `after` for the page that
    follows, null at the end. A page can be shorter than asked for, and another follow.

    `against`: the earlier run; null of a case's first.
    """

    model_config = example(
        {
            "case": "C-2026-000123",
            "run": _RUN,
            "against": _RUN | {"run": 1, "cause": "case/1"},
            "changes": [
                {
                    "person": "2C9V0A7NJ5X1T",
                    "kind": "added",
                    "reasons": ["late_scan"],
                    "before": None,
                    "after": {"rank": 1, "person": "2C9V0A7NJ5X1T", "tier": "same_place"},
                }
            ],
            "next": None,
        }
    )

    case: str
    run: CaseRun
    against: CaseRun | None
    changes: list[RunChange]
    next: Annotated[str | None, Field(description="Where the next page begins.")]
