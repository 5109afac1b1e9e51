"""What goes into the routes that close, open again and void a case."""

from typing import Annotated, Any, Literal

from pydantic import Field

from console.api.schemas import AmendCase, ApiModel, example

_NOT_OF_THE_CASE = frozenset({"ongoing", "although_open", "reason"})


class EndCase(ApiModel):
    """Why a case is closed or voided, for the record; no names."""

    model_config = example({"reason": "registered twice, see C-2026-000120"})

    reason: Annotated[str, Field(max_length=500)] | None = None


class ReopenCase(AmendCase):
    """As what a closed case is open again, and why (no names); and what is to be corrected of it at
    once, as `PATCH` does. `ongoing`: it is infectious still; else something must end its period,
    or everybody whom it has met since would be a contact. `although_open`: its person is another
    open case by now, and this one is to be open too.
    """

    model_config = example(
        {
            "status": "confirmed",
            "isolated_at": "2026-11-24T02:00:00.000Z",
            "reason": "a corrected list of places came",
        }
    )

    status: Literal["suspected", "confirmed"]
    ongoing: bool = False
    although_open: bool = False
    reason: Annotated[str, Field(max_length=500)] | None = None

    def changes(self) -> dict[str, Any]:
        """The fields of the case that are named."""
        named = super().changes()
        return {name: value for name, value in named.items() if name not in _NOT_OF_THE_CASE}
