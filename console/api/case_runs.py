"""Routes of a case's earlier runs, and of what changed from one to another."""

from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Path, Query

from console.api.case_runs_schemas import CaseRuns, RunChanges
from console.api.cases import ConsoleOf, ReadsContacts, within
from console.api.documented import answers
from console.api.errors import field_problem, invalid, not_found
from console.api.past_runs import Difference, Mark, PastRun, past_run, past_runs, run_before
from console.api.schemas import Sentence

log = structlog.get_logger()
router = APIRouter(prefix="/v1/cases", tags=["cases"])
_MOST: Final = 2**32 - 2
_Number = Annotated[int, Path(ge=1, le=_MOST, description="The run's number.")]


@router.get(
    "/{case_id}/runs",
    summary="A case's runs",
    response_model=CaseRuns,
    responses=answers(404, 503),
)
def runs(
    case_id: str,
    principal: ReadsContacts,
    console: ConsoleOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int, Query(ge=1, le=_MOST, description="Only earlier ones.")] = _MOST,
) -> dict[str, Any]:
    """The newest first: when each was stored, what made it, and how many it found."""
    case = within(console, principal, case_id)
    found, more = past_runs(console.clickhouse, case_id, before, limit)
    log.info("runs_read", case=case.id, runs=len(found))
    return {
        "case": case.id,
        "runs": [_shown(run) for run in found],
        "next": found[-1].run if more else None,
    }


@router.get(
    "/{case_id}/runs/{run}/changes",
    summary="What changed with a run, and why",
    response_model=RunChanges,
    responses=answers(404, 503),
)
def run_changes(
    case_id: str,
    run: _Number,
    principal: ReadsContacts,
    console: ConsoleOf,
    against: Annotated[
        int | None,
        Query(ge=1, le=_MOST, description="An earlier run; the one before if not given."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str | None, Query(pattern=r"^(rank|gone)-[0-9]{1,9}$")] = None,
) -> dict[str, Any]:
    """Each person added, changed or withdrawn, with the reasons.

    Places are numbers, as in `/contacts`: names of those in the key's area are in `/v1/places`.
    """
    case = within(console, principal, case_id)
    if against is not None and against >= run:
        words = "Phải là lần truy vết trước đó.", "It must be an earlier run."
        raise invalid(field_problem("against", "not_earlier", *words))
    now = past_run(console.clickhouse, case_id, run)
    if now is None:
        raise _no_run(run)
    if against is None:
        was = run_before(console.clickhouse, case_id, run)
    else:
        was = past_run(console.clickhouse, case_id, against)
        if was is None:
            raise _no_run(against)
    difference = Difference(console.clickhouse, case_id, was, now)
    found, mark = difference.page(Mark.of(after), limit)
    log.info("run_changes_read", case=case.id, run=run, against=was.run if was else None)
    return {
        "case": case.id,
        "run": _shown(now),
        "against": _shown(was) if was else None,
        "changes": [vars(change) | {"kind": change.kind} for change in found],
        "next": str(mark) if mark else None,
    }


def _shown(run: PastRun) -> dict[str, Any]:
    vi, en = run.because
    shown = {name: value for name, value in vars(run).items() if name not in ("attempt", "before")}
    return shown | {"because": Sentence(vi=vi, en=en)}


def _no_run(run: int) -> Exception:
    return not_found(f"Ca này không có lần truy vết {run}.", f"This case has no run {run}.")
