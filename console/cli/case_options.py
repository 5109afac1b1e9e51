"""The options that registering and amending a case share."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from console.cli.case_text import moment
from schemas.cases import MOMENTS
from schemas.cases import Symptoms as SymptomsValue


class OpenStatus(StrEnum):
    """As what a case can be registered, or opened again."""

    CONFIRMED = "confirmed"
    SUSPECTED = "suspected"


Symptoms = Annotated[SymptomsValue | None, typer.Option(help="Có triệu chứng không. / Symptoms.")]
Onset = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Ngày khởi phát. / Onset.")]
SampledOn = Annotated[
    str | None,
    typer.Option(metavar="YYYY-MM-DD", help="Ngày lấy mẫu dương tính. / Positive sample."),
]
ResultOn = Annotated[
    str | None,
    typer.Option(metavar="YYYY-MM-DD", help="Ngày có kết quả dương tính. / Its result."),
]
IsolatedAt = Annotated[
    str | None, typer.Option(metavar="TIME", help="Được cách ly lúc. / Isolated at.")
]
NegativeAt = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Âm tính, hoặc CT > 30, lúc. / Negative, or CT above 30, at."
    ),
]
AlthoughOpen = Annotated[
    bool,
    typer.Option(
        "--although-open",
        help="Là một ca nữa, dù người này đang là ca mở. / Another case, although open as one.",
    ),
]


def said(**options: Any) -> dict[str, Any]:
    """The fields that options name, as the API wants them; what is not given is left out. Raises
    UserError for a time that is none."""
    for name in MOMENTS:
        options[name] = moment(f"--{name.replace('_', '-')}", options.get(name))
    given = {name: value for name, value in options.items() if value is not None}
    return {n: value.value if isinstance(value, StrEnum) else value for n, value in given.items()}
