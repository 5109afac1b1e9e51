"""The options that registering and amending a case share."""

from enum import StrEnum
from typing import Annotated

import typer

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
