"""The route that says how the cases of lists stand: who works a list may not read its case."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from console.access import Principal, Requires, Right
from console.api.cases import ConsoleOf
from console.api.errors import ApiError
from console.api.schemas import ApiModel, example
from console.api.state import Console
from console.api.worklist_rows import case_of
from schemas.cases import CaseStatus

router = APIRouter(prefix="/v1", tags=["list"])

MOST: Final = 200
Reads = Annotated[Principal, Depends(Requires(Right.LIST_READ))]
Ids = Annotated[list[str], Query(alias="case", min_length=1, max_length=MOST)]


class ListStatus(ApiModel):
    """By case: suspected, confirmed, closed or voided. One that is not there is left out."""

    model_config = example({"cases": {"C-2026-000123": "closed"}})

    cases: dict[str, CaseStatus]


@router.get("/list-status", summary="How the cases of lists stand")
def list_status(principal: Reads, console: ConsoleOf, case: Ids) -> ListStatus:
    """Of those in the area, or of which something is handed over to it."""
    found = ((case_id, _status(console, principal, case_id)) for case_id in dict.fromkeys(case))
    return ListStatus(cases={case_id: status for case_id, status in found if status})


def _status(console: Console, principal: Principal, case_id: str) -> CaseStatus | None:
    try:
        return case_of(console, principal, case_id)[0].status
    except ApiError:
        return None
