"""The shape of the possible contacts of several cases together."""

from typing import Annotated, Any

from pydantic import Field

from console.api.schemas import ApiModel, example


class ContactAcross(ApiModel):
    """One person, and what each case's newest run says of them, by case."""

    person: str
    cases: Annotated[list[Any], Field(description="Of each case: rank, tier, minutes, path, …")]


class ContactsAcross(ApiModel):
    """Of how many open cases, a page of the persons to be called, and how many there are.

    `cases_left_out`: open cases beyond the newest 1,000, whose contacts are not among these.
    """

    model_config = example(
        {
            "cases": 2,
            "cases_left_out": 0,
            "contacts": [
                {
                    "person": "2C9V0A7NJ5X1T",
                    "cases": [
                        {"case": "C-2026-000123", "rank": 1, "tier": "same_place", "minutes": 95.0},
                        {"case": "C-2026-000124", "rank": 7, "tier": "same_place", "minutes": 12.5},
                    ],
                }
            ],
            "total": 1,
            "limit": 100,
            "offset": 0,
        }
    )

    cases: int
    cases_left_out: int
    contacts: list[ContactAcross]
    total: int
    limit: int
    offset: int
