"""Comparing two rule-sets on a case. Nothing is stored and nobody is told."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query

from console.api.casecheck import unknown_rule_set
from console.api.cases import ConsoleOf, ReadsContacts, must_stand, within
from console.api.documented import answers
from console.api.errors import invalid
from console.api.rules_schemas import RulesDiff
from console.api.scans import scans_at
from console.api.state import Console
from console.store.engine import utc_now
from console.store.ground import ground
from schemas.cases import Case
from schemas.ids import person_text
from schemas.scan import format_timestamp
from tracer.comparison import Change, Row, compare
from tracer.fetch import trace_from
from tracer.parameters import load_parameters
from tracer.ruleset import RuleSet, load_rule_sets
from tracer.trace import TraceResult

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases", tags=["cases"])


@router.get(
    "/{case_id}/rules-diff",
    summary="Which possible contacts change from one rule-set to another, and why",
    response_model=RulesDiff,
    responses=answers(404, 409, 503),
)
def rules_diff(
    case_id: str,
    principal: ReadsContacts,
    console: ConsoleOf,
    a: Annotated[str, Query(max_length=64, description="A rule-set's id.")],
    b: Annotated[str, Query(max_length=64, description="Another's.")],
) -> dict[str, Any]:
    """Both are traced now, on the same scans; what the case was traced by stays as it is."""
    case = within(console, principal, case_id)
    must_stand(case)
    rule_sets = {rule_set.id: rule_set for rule_set in load_rule_sets()}
    if unknown := [name for name, asked in (("a", a), ("b", b)) if asked not in rule_sets]:
        raise invalid(*(unknown_rule_set(name, rule_sets.keys()) for name in unknown))
    before, after = _traced(console, case, (rule_sets[a], rule_sets[b]))
    changes = compare(before, after)
    log.info("rules_compared", case=case.id, a=a, b=b, changes=len(changes))
    return {
        "case": case.id,
        "a": _about(before),
        "b": _about(after),
        "changes": [_change(change) for change in changes],
    }


def _traced(
    console: Console, case: Case, rule_sets: tuple[RuleSet, RuleSet]
) -> tuple[TraceResult, TraceResult]:
    now = utc_now()
    stands_on = ground(console.store, load_parameters())
    scans = scans_at(console, now)
    first, second = (trace_from(scans, case, stands_on, rules, now) for rules in rule_sets)
    return first, second


def _about(result: TraceResult) -> dict[str, Any]:
    return {
        "rule_set": result.rule_set.id,
        "window_from": result.window.start,
        "window_to": result.window.end,
        "contacts": result.contacts.height,
        "call": int(result.contacts["call"].sum()),
        "notes": [note.model_dump() for note in result.notes],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "person": person_text(change.person),
        "change": change.kind,
        "reasons": change.reasons,
        "before": _side(change.before),
        "after": _side(change.after),
    }


def _side(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    names = ("tier", "call", "minutes", "band", "weighted", "category", "clauses", "questions")
    side = {name: row[name] for name in names if row[name] is not None}
    return side | {"last_exposure": format_timestamp(row["last_exposure"])}
